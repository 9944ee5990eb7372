"""A column of images that nobody named is told with the option that names it, whatever stands beside it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from autodc.adapters.sources import read_source
from autodc.errors import DataError
from autodc.studyfile.study import SourceSpec


def picture(shade: int, kind: str) -> bytes:
    held = io.BytesIO()
    Image.fromarray(np.full((8, 8), shade, np.uint8)).save(held, kind)
    return held.getvalue()


def paths(folder: Path) -> list[Any]:
    for i in range(30):
        (folder / f"{i}.png").write_bytes(picture(i, "PNG"))
    return [f"{i}.png" for i in range(30)]


CELLS: dict[str, Callable[[Path], list[Any]]] = {
    "paths": paths,
    **{
        kind: lambda folder, kind=kind: [picture(i, kind) for i in range(30)] for kind in ("PNG", "JPEG", "BMP", "WEBP")
    },
    "records": lambda folder: [{"bytes": picture(i, "PNG"), "path": f"{i}.png"} for i in range(30)],
    "records of paths": lambda folder: [{"bytes": None, "path": name} for name in paths(folder)],
}


def read(folder: Path, table: pd.DataFrame, end: str, **options: Any) -> Any:
    file = folder / f"rows.{end}"
    if end == "parquet":
        table.to_parquet(file)
    elif end == "csv":
        table.to_csv(file, index=False)
    else:
        table.to_json(file, orient="records", lines=True)
    source = SourceSpec(source=file.name, options={"target": "label", **options})
    return read_source(source, folder=str(folder), name="base", place="data.base", kind="classification", schema=None)


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize(("cells", "end"), [*((one, "parquet") for one in CELLS), ("paths", "csv"), ("paths", "jsonl")])
def test_it_is_told_how_to_name_it(tmp_path: Path, cells: str, end: str, beside: bool) -> None:
    table = pd.DataFrame({"photo": CELLS[cells](tmp_path), "label": ["a", "b"] * 15})
    if beside:
        table["hour"] = np.arange(30) % 7
    with pytest.raises(DataError) as caught:
        read(tmp_path, table, end)
    assert caught.value.code == "ADC-DATA-093"
    assert "options: {image: photo}" in caught.value.hint
    named = read(tmp_path, table, end, image="photo")
    assert named.x.kind == "files"
    if beside:
        assert read(tmp_path, table, end, metadata=["photo"]).x.names == ("hour",)
        assert read(tmp_path, table, end, features=["hour"]).x.names == ("hour",)


@pytest.mark.parametrize("value", ["https://shop.example/{}.png", "gone/{}.png", "{}.txt"])
def test_names_that_lead_nowhere_are_words(tmp_path: Path, value: str) -> None:
    rows = {"photo": [value.format(i) for i in range(30)], "hour": np.arange(30) % 7, "label": ["a", "b"] * 15}
    assert read(tmp_path, pd.DataFrame(rows), "csv").x.names == ("hour",)
