"""Our enrichers pass the contract that third parties subclass, on real rows of every kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_diabetes, load_digits, load_iris

from autodc.adapters.enrichers import built_in, measures
from autodc.adapters.enrichers.spaces import is_installed
from autodc.data.attributes import Rows, measured
from autodc.table import Table
from autodc.testing.enricher_contract import EnricherContract

Array = np.ndarray[Any, Any]

DIGITS = load_digits()
ROOT = Path(__file__).resolve().parents[3]


def rows_of(x: Any) -> Rows:
    return Rows(x=x, metadata=pd.DataFrame(index=pd.RangeIndex(len(x))))


def flowers() -> Table:
    frame = load_iris(as_frame=True).frame.sample(frac=1, random_state=0).reset_index(drop=True)
    kinds = ["number"] * 4
    table = {name: frame[name].to_list() for name in frame.columns[:4]}
    table["garden"] = [None if i % 10 == 0 else ("north" if i % 3 else "south") for i in range(len(frame))]
    for i in range(0, len(frame), 7):
        table["petal width (cm)"][i] = None
    return Table.of("table", table, (*kinds, "category"))  # type: ignore[arg-type]


def pages() -> Table:
    lines = [p for f in sorted((ROOT / "docs/guide").glob("*.md")) for p in f.read_text("utf-8").split("\n\n")]
    return Table.of_texts([line for line in lines if len(line) > 40][:120])


class TestImagesOfArrays(EnricherContract):
    @pytest.fixture
    def enricher(self) -> Any:
        return built_in("image")

    @pytest.fixture
    def rows(self) -> Rows:
        return rows_of(DIGITS.images[:60])

    @pytest.fixture
    def base(self) -> Rows:
        return rows_of(DIGITS.images[100:300])


class TestImageFiles(EnricherContract):
    @pytest.fixture
    def enricher(self) -> Any:
        return built_in("image")

    @pytest.fixture
    def rows(self, tmp_path: Path) -> Rows:
        rng, paths = np.random.default_rng(0), []
        for at in range(12):
            size = (40 + at, 30, 3) if at % 2 else (300, 40 + at)
            paths.append(str(tmp_path / f"{at}.png"))
            Image.fromarray(rng.integers(0, 256, size, dtype=np.uint8)).save(paths[-1])
        (tmp_path / "11.png").write_bytes(b"no picture")
        return rows_of(Table.of_files(paths, [str(at) for at in range(12)]))


class TestColumns(EnricherContract):
    @pytest.fixture
    def enricher(self) -> Any:
        return built_in("table")

    @pytest.fixture
    def rows(self) -> Rows:
        return rows_of(flowers()[100:])

    @pytest.fixture
    def base(self) -> Rows:
        return rows_of(flowers()[:100])


class TestColumnsOfArrays(EnricherContract):
    @pytest.fixture
    def enricher(self) -> Any:
        return built_in("table")

    @pytest.fixture
    def rows(self) -> Rows:
        return rows_of(load_diabetes().data[:50])


class TestTexts(EnricherContract):
    @pytest.fixture
    def enricher(self) -> Any:
        return built_in("text")

    @pytest.fixture
    def rows(self) -> Rows:
        return rows_of(pages()[60:])

    @pytest.fixture
    def base(self) -> Rows:
        return rows_of(pages()[:60])


class TestPlaceOfTexts(TestTexts):
    tolerance = 1e-3  # a row of a matrix product depends a little on how many there are

    @pytest.fixture
    def enricher(self) -> Any:
        return built_in("embedding", networks=False)


class TestPlaceOfTextsByAModel(EnricherContract):
    tolerance = 1e-3

    @pytest.fixture
    def enricher(self) -> Any:
        return built_in("embedding")

    @pytest.fixture
    def rows(self) -> Rows:
        return rows_of(Table.of_texts([text[:20] for text in pages().texts()[:10]]))


class TestPlaceOfColumns(TestColumns):
    tolerance = 1e-3

    @pytest.fixture
    def enricher(self) -> Any:
        return built_in("embedding")

    @pytest.fixture
    def targets(self) -> Array:
        return np.arange(100) * 0.5


class TestPlaceOfPictures(TestImagesOfArrays):
    tolerance = 1e-3

    @pytest.fixture
    def enricher(self) -> Any:
        return built_in("embedding")

    @pytest.fixture
    def rows(self) -> Rows:
        return rows_of(DIGITS.images[:12])

    @pytest.fixture
    def base(self) -> Rows:
        return rows_of(DIGITS.images[100:124])

    @pytest.fixture
    def targets(self) -> Array:
        return np.array([f"digit {y}" for y in DIGITS.target[100:124]])


def test_every_measure_is_told_of_and_no_other(tmp_path: Path) -> None:
    cases: dict[str, list[tuple[Any, Any]]] = {
        "image": [(DIGITS.images[:20], None), (np.zeros((4, 9, 9, 3), np.uint8), None)],
        "table": [(flowers(), None)],
        "text": [(pages(), None)],
    }
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "a.png")
    cases["image"].append((Table.of_files([str(tmp_path / "a.png")], ["a"]), None))
    for name, sources in cases.items():
        found: set[str] = set()
        for x, targets in sources:
            ours: Any = built_in(name)
            found |= set(measured(name, ours.fitted(rows_of(x), targets), rows_of(x), "").columns)
        assert found == set(measures()[name])


def test_measures_of_a_place_are_told_of() -> None:
    told = " ".join(measures()["embedding"])
    for x, targets in ((DIGITS.images[:20], DIGITS.target[:20].astype(str)), (flowers(), np.arange(150.0))):
        ours: Any = built_in("embedding")
        found = measured("embedding", ours.fitted(rows_of(x), targets), rows_of(x), "")
        for name in found.columns:
            assert name in told or name.rpartition("_")[0] in told


@pytest.mark.slow
@pytest.mark.skipif(not is_installed("lite0"), reason="the extra `vision` is not installed")
def test_the_network_knows_a_daisy_and_a_temple() -> None:
    import torch
    from sklearn.datasets import load_sample_images

    from autodc.adapters.enrichers import lite0

    seen = []
    for pixels in load_sample_images().images:
        left = (pixels.shape[1] - pixels.shape[0]) // 2
        square = pixels[None, :, left : left + pixels.shape[0]] / 255
        with torch.inference_mode():
            seen.append(int(lite0.network()(lite0.shown(square)).argmax()))
    assert seen == [698, 985]  # palace, daisy: classes of ImageNet


@pytest.mark.skipif(not is_installed("e5"), reason="the extra `text` is not installed")
def test_the_language_model_puts_languages_side_by_side() -> None:
    from autodc.adapters.enrichers import embeddings_of

    texts = ["The dog sleeps in the garden.", "Der Hund schläft im Garten.", "Interest rates rose again this quarter."]
    found = embeddings_of(Table.of_texts([text[:20] for text in pages().texts()[:10]]), Table.of_texts(texts))["e5"]
    near = [np.linalg.norm(found[0] - found[at]) for at in (1, 2)]
    assert near[0] < near[1]
