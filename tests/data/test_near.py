"""Near copies: texts with words changed, images written anew, rows of tables rounded; and what is near by chance."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_wine

from autodc.data.dataset import Dataset
from autodc.data.near import looked_at, near
from autodc.data.nearness import near_copies
from autodc.table import Table


def dataset(x: Any) -> Dataset:
    return Dataset(name="d", x=x, y=None, metadata=pd.DataFrame(index=range(len(x))))


def pairs(training: Any, held: Any) -> list[tuple[int, int]]:
    copies, originals = near_copies(looked_at(dataset(training)), looked_at(dataset(held)))
    return list(zip(copies.tolist(), originals.tolist(), strict=True))


def sentences() -> list[str]:
    """Real English: what the functions of NumPy say of themselves."""
    texts = [getattr(getattr(np, name), "__doc__", None) or "" for name in dir(np)]
    found = [" ".join(text.split("\n\n")[1].split()) for text in texts if text.count("\n\n") > 1]
    return sorted({text for text in found if len(text.split()) >= 12})


def test_texts_are_near_whatever_case_stops_and_a_word_or_two_and_others_are_not() -> None:
    real = sentences()
    assert len(real) > 200
    held = [*real[1::2], real[0].upper() + " !", " ".join(["So", *real[2].split()]), real[4].replace(" ", "\n")]
    found = pairs(Table.of_texts(real[::2]), Table.of_texts(held))
    last = len(real[1::2])
    assert [pair for pair in found if pair[0] >= last] == [(last, 0), (last + 1, 1), (last + 2, 2)]
    assert len(found) < 0.2 * len(real)


def test_short_texts_are_near_by_chance_and_not_told() -> None:
    assert (
        pairs(Table.of_texts(["very good", "good", "thank you"]), Table.of_texts(["Very good!", "good.", "you"])) == []
    )


def test_the_most_like_text_is_named_and_equal_ones_are_found_too() -> None:
    text = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    training = [f"{text} sixteen", f"{text} sixteen and more", "something else that says nothing of the other two"]
    found = near(dataset(Table.of_texts(training)), dataset(Table.of_texts([f"{text} sixteen and", training[2]])))
    assert found.held.tolist() == [0, 1]
    assert found.training.tolist() == [1, 2]
    assert 0 < found.distances[0] < 0.1
    assert found.distances[1] == 0


def scene(seed: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 255, (7, 7, 3)).astype(np.uint8)).resize((90, 90), Image.Resampling.BICUBIC)


def written(folder: Path, name: str, image: Image.Image, **how: Any) -> tuple[str, str]:
    path = folder / name
    image.save(path, **how)
    return str(path), f"{hash(path.read_bytes()) % 2**64:032x}"


@pytest.mark.slow
def test_image_files_written_anew_in_another_size_format_or_light_are_near(tmp_path: Path) -> None:
    known = [written(tmp_path, f"{i}.png", scene(i)) for i in range(30)]
    held = [written(tmp_path, f"new{i}.png", scene(100 + i)) for i in range(30)]
    held.append(written(tmp_path, "a.jpg", scene(3), quality=70))
    held.append(written(tmp_path, "b.png", scene(4).resize((200, 200), Image.Resampling.BICUBIC)))
    held.append(written(tmp_path, "c.png", scene(5).point(lambda value: value // 2 + 20)))
    held.append(written(tmp_path, "d.bmp", scene(6).convert("L")))
    found = pairs(*(Table.of_files(*map(list, zip(*part, strict=True))) for part in (known, held)))
    assert found == [(30, 3), (31, 4), (32, 5), (33, 6)]


def test_images_of_one_colour_are_no_copies_of_one_another() -> None:
    blank = np.stack([np.full((8, 8), value, dtype=np.uint8) for value in range(40)])
    assert pairs(blank[:20], blank[20:]) == []


def test_arrays_of_images_recompressed_are_near() -> None:
    x = np.stack([np.asarray(scene(i)) for i in range(40)])
    buffer = io.BytesIO()
    Image.fromarray(x[7]).save(buffer, "JPEG", quality=60)
    assert pairs(x[:20], np.concatenate([x[20:], np.asarray(Image.open(buffer))[None]])) == [(20, 7)]


def mixed(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 90, rows),
            "spend": rng.gamma(2, 50, rows),
            "plan": rng.choice(["basic", "plus", "pro"], rows),
            "note": [None if rng.random() < 0.3 else f"said {i}" for i in rng.integers(0, 9, rows)],
        }
    )


def table(frame: pd.DataFrame) -> Table:
    return Table.of("table", frame, ("integer", "number", "category", "category"))


def test_rows_of_a_mixed_table_are_near_within_rounding_and_of_equal_categories() -> None:
    own, held = mixed(600, 1), mixed(500, 2)
    rounded = own[:20].assign(spend=own["spend"][:20].round(2))
    other = own[20:40].assign(plan="none")
    gone = own[40:60].assign(note="gone")
    both = pd.concat([held, rounded, other, gone], ignore_index=True)
    assert pairs(table(own), table(both)) == [(500 + i, i) for i in range(20)]


@pytest.mark.slow
@pytest.mark.parametrize("columns", [1, 2])
def test_in_few_columns_rows_are_near_by_chance(columns: int) -> None:
    rng = np.random.default_rng(0)
    training, held = rng.normal(size=(8000, columns)), rng.normal(size=(8000, columns))
    assert len(near(dataset(training), dataset(held)).held) > 20
    assert pairs(training, held) == []


def test_real_rows_of_a_table_are_not_near_each_other() -> None:
    x = load_wine().data
    assert pairs(x[::2], x[1::2]) == []
    assert pairs(x[::2], np.concatenate([x[1::2], x[:10:2] * (1 + 1e-6)])) == [(89 + i, i) for i in range(5)]
