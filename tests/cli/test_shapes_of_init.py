"""What `init` says of sizes and dates is what the data are."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from autodc.verbs.draft.pictures import picture_shape
from autodc.verbs.init import write_study


def drawn(height: int, width: int) -> io.BytesIO:
    held = io.BytesIO()
    Image.fromarray(np.zeros((height, width), np.uint8)).save(held, "PNG")
    return held


@pytest.mark.parametrize("size", [(8, 8), (28, 28), (5, 12), (64, 64)])
def test_small_pictures_that_are_alike_keep_their_size(size: tuple[int, int]) -> None:
    shape = picture_shape([drawn(*size) for _ in range(3)])
    assert shape == {"size": [*size], "mode": "L"}


@pytest.mark.parametrize(
    ("sizes", "size"), [([(100, 50)], [64, 32]), ([(20, 30), (24, 40)], [24, 32]), ([(3, 5), (4, 6)], [8, 8])]
)
def test_others_are_brought_to_one_size(sizes: list[tuple[int, int]], size: list[int]) -> None:
    shape = picture_shape([drawn(*one) for one in sizes])
    assert shape is not None
    assert shape["size"] == size


def test_tables_of_image_files_are_candidates_of_one_another(tmp_path: Path) -> None:
    for part, first, count in (("base", 0, 60), ("validation", 60, 60), ("more/rain", 120, 30)):
        folder = (tmp_path / part).parent
        (folder / "img").mkdir(parents=True, exist_ok=True)
        for i in range(first, first + count):
            shades = np.random.default_rng(i).integers(0, 255, (8, 8), dtype=np.uint8)
            Image.fromarray(shades).save(folder / "img" / f"{i}.png")
        names = [f"img/{i}.png" for i in range(first, first + count)]
        table = pd.DataFrame({"scan": names, "label": ["a", "b", "c"] * (count // 3)})
        table.to_csv(tmp_path / f"{part}.csv", index=False)
    told = write_study(tmp_path / "mine", str(tmp_path / "base.csv"), ["label"], str(tmp_path / "more"))
    assert told["candidates"] == ["rain"]


@pytest.mark.slow
def test_a_date_that_became_an_input_is_told(tmp_path: Path) -> None:
    r = np.random.default_rng(0)
    days = pd.Timestamp("1980-01-01") + pd.to_timedelta(r.integers(0, 9000, 300), unit="D")
    numbers = {f"n{i}": r.normal(size=300) for i in range(8)}
    table = pd.DataFrame({**numbers, "birthday": days, "churn": r.choice(["stays", "leaves"], 300)})
    table.to_csv(tmp_path / "churn.csv", index=False)
    told = write_study(tmp_path / "mine", str(tmp_path / "churn.csv"), ["churn"])
    assert "birthday: a date, an input as numbers" in " ".join(told["said"])
    page = " ".join((tmp_path / "mine" / "study.yaml").read_text().replace("#", " ").split())
    assert "birthday: a date, an input as numbers" in page
