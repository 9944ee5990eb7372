"""A measure moves with what it is called after, on real pictures, tables and texts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage
from sklearn.datasets import load_digits, load_iris

from autodc.adapters.enrichers import built_in, embeddings_of, fitting
from autodc.adapters.enrichers.language import likely_language, main_script
from autodc.data.attributes import Rows, measured
from autodc.table import Table

Array = np.ndarray[Any, Any]

DIGITS = load_digits()


def rows_of(x: Any) -> Rows:
    return Rows(x=x, metadata=pd.DataFrame(index=pd.RangeIndex(len(x))))


def of(name: str, base: Any, x: Any, targets: Array | None = None) -> pd.DataFrame:
    ours: Any = built_in(name)
    return measured(name, ours.fitted(rows_of(base), targets), rows_of(x), "")


LARGE = np.pad(ndimage.zoom(DIGITS.images[:80] / 16, (1, 3, 3), order=1), ((0, 0), (4, 4), (4, 4)))
ROWS, COLUMNS = np.mgrid[0:32, 0:32]


def sheared(images: Array, by: float) -> Array:
    return np.stack([ndimage.affine_transform(one, [[1, 0], [by, 1]], offset=[0, -by * 16], order=1) for one in images])


CHANGES: dict[str, tuple[Any, str]] = {
    "darker": (lambda x: x * 0.5, "brightness < contrast <"),
    "inverted": (lambda x: 1 - x, "brightness > background > dark_share < bright_share >"),
    "blurred": (lambda x: ndimage.gaussian_filter(x, (0, 1.5, 1.5)), "sharpness < edges < fine_detail <"),
    "noisy": (lambda x: x + np.random.default_rng(0).normal(0, 0.1, x.shape), "noise > fine_detail > flat <"),
    "moved": (lambda x: np.roll(x, 4, axis=2), "offset_x >"),
    "raised": (lambda x: np.roll(x, -4, axis=1), "offset_y >"),
    "leaning": (lambda x: sheared(x, 0.6), "orientation >"),
    "thicker": (lambda x: ndimage.grey_dilation(x, (1, 5, 5)), "ink > object_share >"),
    "smaller": (lambda x: np.pad(x[:, ::2, ::2], ((0, 0), (8, 8), (8, 8))), "object_size < object_share <"),
    "framed": (lambda x: np.where((ROWS % 31 == 0) | (COLUMNS % 31 < 2), 0.6, x), "background >"),
    "at the edge": (lambda x: np.roll(x, 12, axis=2), "border > offset > symmetry <"),
    "striped": (lambda x: x + 0.3 * np.sin(COLUMNS * np.pi / 2), "pattern >"),
    "covered": (lambda x: np.where((abs(ROWS - 15) < 7) & (abs(COLUMNS - 15) < 7), 0.5, x), "occlusion >"),
    "coarse": (lambda x: x[:, ::4, ::4].repeat(4, 1).repeat(4, 2), "blocks >"),
    "a line": (lambda x: np.where(abs(COLUMNS - 15.5) < 2, x.max(), 0) + np.zeros_like(x), "elongation > symmetry >"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_picture_that_is_changed_has_another_measure(name: str) -> None:
    change, said = CHANGES[name]
    before, after = of("image", LARGE, LARGE), of("image", LARGE, np.clip(change(LARGE), 0, 1))
    words = said.split()
    for measure, way in zip(words[::2], words[1::2], strict=True):
        difference = (after[measure] - before[measure]).dropna()
        share = ((difference > 0) if way == ">" else (difference < 0)).mean()
        assert share > 0.9, (measure, share)


def test_bytes_fractions_and_the_range_of_the_base_are_one_scale() -> None:
    fractions = of("image", LARGE, LARGE)
    as_bytes = np.round(LARGE * 255).astype(np.uint8)
    np.testing.assert_allclose(of("image", as_bytes, as_bytes)["brightness"], fractions["brightness"], atol=0.003)
    wide = LARGE * 16 / LARGE.max()
    np.testing.assert_allclose(
        of("image", wide, wide[:10])["brightness"] * LARGE.max(), fractions["brightness"][:10], atol=1e-5
    )


def test_colours_have_measures_wherever_their_channels_are() -> None:
    red = np.zeros((3, 20, 20, 3), np.uint8)
    red[..., 0] = 200
    red[1] = 128
    found = of("image", red, red)
    assert found["colourfulness"].iloc[0] > 0.2 > found["colourfulness"].iloc[1] == 0
    assert found["warmth"].iloc[0] == pytest.approx(200 / 255, abs=1e-5)
    pd.testing.assert_frame_equal(of("image", np.moveaxis(red, 3, 1), np.moveaxis(red, 3, 1)), found)


def test_rows_of_another_flower_are_far_and_rare() -> None:
    frame = load_iris(as_frame=True).frame
    kinds = ("number",) * 4
    first, third = (
        Table.of("table", frame[frame.target == at].drop(columns="target"), kinds)  # type: ignore[arg-type]
        for at in (0, 2)
    )
    own, other = of("table", first, first), of("table", first, third)
    assert own["distance"].median() == pytest.approx(1, rel=0.1)
    assert other["distance"].min() > own["distance"].max()
    assert other["rarest"].min() > 5
    assert set(other["rarest_column"]) <= set(first.names)
    assert (own["unseen"] == 0).all()
    assert (other["unseen"] > 0).all()


def test_what_is_missing_and_what_is_new_is_counted() -> None:
    base = Table.of("table", {"age": [20.0, 30, 40] * 20, "plan": ["a", "b", "a"] * 20}, ("number", "category"))
    odd = Table.of("table", {"age": [None, 30.0, 90], "plan": ["a", "new", None]}, ("number", "category"))
    found = of("table", base, odd)
    assert found["missing"].tolist() == [0.5, 0, 0.5]
    assert found["unseen"].tolist() == [0, 1, 1]
    assert found["rarest_column"].tolist()[1:] == ["plan", "age"] or found["rarest_column"].tolist()[1] == "plan"


TEXTS = {
    "english": "The house that they have is not in the middle of the town.",
    "german": "Das Haus, das sie haben, ist nicht in der Mitte von der Stadt.",
    "french": "La maison qu'ils ont n'est pas dans le centre de la ville et elle est très belle.",
    "spanish": "La casa que tienen no está en el centro de la ciudad, pero es muy bonita.",
    "portuguese": "A casa que eles têm não está no centro da cidade, mas é muito bonita.",
    "italian": "La casa che hanno non è nel centro della città, ma è molto bella.",
    "dutch": "Het huis dat zij hebben is niet in het midden van de stad.",
    "polish": "Dom, który mają, nie jest w środku miasta, ale to jest dla nich za daleko.",
    "turkish": "Bu ev çok güzel ama şehir için değil, ve o kadar büyük değil.",
    "russian": "Дом, который у них есть, не в центре города.",
    "japanese": "彼らの家は町の中心にありません。",
    "chinese": "他们的房子不在城市的中心。",
    "korean": "그들의 집은 도시의 중심에 있지 않다.",
}


@pytest.mark.parametrize("language", TEXTS)
def test_a_language_is_known_by_its_small_words(language: str) -> None:
    found = of("text", Table.of_texts(["a"]), Table.of_texts([TEXTS[language]]))
    assert found["language"].tolist() == [language]


def test_what_tells_nothing_has_no_language() -> None:
    assert main_script("12 – 4!") is None
    assert likely_language(["xyzzy", "plugh"], "latin") is None


def test_texts_are_counted() -> None:
    base = Table.of_texts(["the cat sat", "the cat ran", "the cat ate", "one dog"])
    found = of("text", base, Table.of_texts(["THE CAT flew!!! see http://a.b/c", "", "the cat"]))
    assert found["words"].tolist() == [8, 0, 2]
    assert found["links"].tolist() == [1, 0, 0]
    assert found["shouted_words"].iloc[0] == pytest.approx(0.4)
    assert found["unseen_words"].iloc[2] == 0
    assert found["rare_words"].iloc[2] == 0
    assert found["repeats"].iloc[0] == pytest.approx(3 / 32)
    assert found["language"].isna().iloc[1]
    assert np.isnan(found["word_length"].iloc[1])


def test_pictures_of_a_digit_lie_among_base_pictures_of_it() -> None:
    labels = np.array([f"d{y}" for y in DIGITS.target])
    flat = DIGITS.data
    found = of("embedding", flat[:1000], flat[1000:1300], labels[:1000])
    right = found["nearest_label"].to_numpy() == labels[1000:1300]
    assert right.mean() > 0.85
    assert found["nearest_share"][right].mean() > found["nearest_share"][~right].mean()
    noise = np.random.default_rng(0).permuted(flat[1000:1300], axis=1)
    assert of("embedding", flat[:1000], noise)["embedding_distance"].median() > found["embedding_distance"].median()


def test_a_space_is_one_for_all_datasets_of_a_study() -> None:
    base, first, second = DIGITS.images[:300], DIGITS.images[300:320], DIGITS.images[310:400]
    one, other = (embeddings_of(base, part, networks=False)["pca"] for part in (first, second))
    np.testing.assert_allclose(one[10:], other[:10], atol=1e-4)
    assert one.dtype == np.float32
    assert np.isfinite(one).all()
    assert one.shape == (20, 32)


@pytest.mark.parametrize("shape", [(1797,), (1797, 64), (1797, 8, 8), (1797, 8, 8, 1), (1797, 4, 4, 2, 2)])
def test_those_that_fit_measure_arrays_of_any_axes(shape: tuple[int, ...]) -> None:
    x = DIGITS.data[:, 20] if len(shape) == 1 else DIGITS.data.reshape(shape)
    names = fitting(x)
    assert names[-1] == "embedding"
    for name in names:
        fitted = built_in(name, networks=False).fitted(rows_of(x[:100]), None)
        found = measured(name, fitted, rows_of(x[100:140]), "")
        assert len(found) == 40
        assert found.notna().any().all()


def test_of_a_volume_some_values_are_looked_at() -> None:
    r = np.random.default_rng(0)
    volumes = r.normal(size=(60, 20, 16, 16, 2)).astype(np.float32)
    volumes[30:] += 2
    found = of("embedding", volumes[:50], volumes, np.repeat(["low", "high"], 30)[:50])
    assert found["nearest_label"][50:].tolist() == ["high"] * 10
