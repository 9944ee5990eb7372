"""Tables with a column of images: paths, bytes, or records of both."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from autodc.errors import Problems
from autodc.table import Table


def png(value: Any) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (6 + value % 5, 7), (value, 0, 0)).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "data/pictures").mkdir(parents=True)
    for i in range(6):
        (tmp_path / f"data/pictures/{i}.png").write_bytes(png(i))
    return tmp_path / "data"


def frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({**columns, "target": [0, 1] * 3, "hour": range(6)})


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.parquet"])
def test_paths_are_relative_to_the_table(folder: Path, read: Any, name: Any) -> None:
    rows = frame(file=[f"pictures/{i}.png" for i in range(5)] + [str(folder / "pictures/5.png")])
    if name.endswith("csv"):
        rows.to_csv(folder / name, index=False)
    elif name.endswith("jsonl"):
        rows.to_json(folder / name, orient="records", lines=True)
    else:
        rows.to_parquet(folder / name)
    data = read(f"data/{name}", image="file", size=[4, 4], mode="RGB")
    assert data.x[:, 0, 0, 0].tolist() == list(range(6))
    assert list(data.metadata.columns) == ["hour"]
    x = read(f"data/{name}", image="file").x
    assert isinstance(x, Table)
    assert x.texts() == [str(folder / f"pictures/{i}.png") for i in range(6)]


@pytest.mark.parametrize("as_record", [False, True])
def test_bytes_in_parquet_row_group_by_row_group(folder: Path, read: Any, as_record: Any) -> None:
    cells = [{"bytes": png(i), "path": f"{i}.png"} if as_record else png(i) for i in range(6)]
    kind = pa.struct({"bytes": pa.binary(), "path": pa.string()}) if as_record else pa.binary()
    table = pa.table({"image": pa.array(cells, kind), "target": [0, 1] * 3})
    pq.write_table(table, folder / "a.parquet", row_group_size=2)
    data = read("data/a.parquet", image="image", size=[4, 4], mode="RGB")
    assert data.x[:, 0, 0, 0].tolist() == list(range(6))
    files = read("data/a.parquet", image="image").x.texts()
    assert [Path(path).read_bytes() for path in files] == [png(i) for i in range(6)]


def test_targets_may_be_images(folder: Path, read: Any) -> None:
    pairs = pd.DataFrame(
        {"image": [f"pictures/{i}.png" for i in range(6)], "clean": [f"pictures/{5 - i}.png" for i in range(6)]}
    )
    pairs.to_csv(folder / "a.csv", index=False)
    data = read("data/a.csv", kind="image_to_image", image="image", target="clean", size=[3, 3], mode="RGB")
    assert data.y[:, 0, 0, 0].tolist() == [5, 4, 3, 2, 1, 0]
    assert (
        read("data/a.csv", kind="image_to_image", image="image", target="clean", size=[3, 3], mode="RGB", sealed=True).y
        is None
    )


def test_what_is_missing_is_named_by_row_and_path(folder: Path, read: Any, refused: Any) -> None:
    (folder / "pictures/3.png").write_bytes(b"no")
    frame(file=["pictures/0.png", None, "pictures/gone.png", "pictures/3.png", "a\\b", ""]).to_csv(
        folder / "a.csv", index=False
    )
    for options in ({}, {"size": [4, 4], "mode": "L"}):
        with pytest.raises(Problems) as caught:
            read("data/a.csv", image="file", **options)
        told = [problem.got for problem in caught.value.problems]
        assert told[0] == "row 1"
        assert told[1].startswith("row 2, `pictures/gone.png`")
        assert told[2].startswith("row 3, `pictures/3.png`: it is no image")
        assert [problem.code for problem in caught.value.problems][:3] == [
            "ADC-DATA-001",
            "ADC-DATA-001",
            "ADC-DATA-002",
        ]
    assert "did you mean `file`?" in refused("data/a.csv", image="fil").hint


def test_a_path_of_thousands_of_characters_and_a_nul(folder: Path, read: Any) -> None:
    table = pa.table({"file": ["x" * 5000, "a\0b", "pictures"], "target": [0, 1, 0]})
    pq.write_table(table, folder / "a.parquet")
    with pytest.raises(Problems) as caught:
        read("data/a.parquet", image="file")
    assert [problem.code for problem in caught.value.problems] == ["ADC-DATA-047", "ADC-DATA-047", "ADC-DATA-046"]
    assert all(len(str(problem)) < 1200 for problem in caught.value.problems)
