"""Small files that come to very much once they are read: refused by one code, in little memory, with nothing left."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from autodc.adapters.sources import unpacked
from autodc.errors import DataError

COMES_TO = 24 << 20
LEAST = 8 << 20
LINE = b"0.0,a\n"
RECORD = b'{"x": 0.0, "target": "a"}\n'


@pytest.fixture(autouse=True)
def _small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are as much smaller as the limit."""
    monkeypatch.setattr(unpacked, "LEAST", LEAST)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def zipped(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)


def npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def csv(path: Path) -> None:
    with gzip.open(path, "wb") as file:
        file.write(b"x,target\n" + LINE * (COMES_TO // len(LINE)))


def csv_in_zip(path: Path) -> None:
    zipped(path, {"rows.csv": b"x,target\n" + LINE * (COMES_TO // len(LINE))})


def json_lines(path: Path) -> None:
    with gzip.open(path, "wb") as file:
        file.write(RECORD * (COMES_TO // len(RECORD)))


def array(path: Path) -> None:
    zipped(path, {"x.npy": npy(np.zeros((COMES_TO // 80, 10))), "y.npy": npy(np.zeros(COMES_TO // 80))})


def many_arrays(path: Path) -> None:
    part = npy(np.zeros(COMES_TO // 32))
    zipped(path, {f"{name}.npy": part for name in ("x", "y", "a", "b")})


def shard(path: Path) -> None:
    with tarfile.open(path, "w:gz") as file:
        for i in range(4):
            info = tarfile.TarInfo(f"{i}.npy")
            info.size = COMES_TO // 4
            file.addfile(info, io.BytesIO(bytes(info.size)))


def idx(path: Path) -> None:
    count = COMES_TO // 784
    with gzip.open(path, "wb") as file:
        file.write(b"\0\0\x08\x03" + np.array([count, 28, 28], ">u4").tobytes() + bytes(count * 784))
    with gzip.open(path.parent / "labels", "wb") as file:
        file.write(b"\0\0\x08\x01" + np.array([count], ">u4").tobytes() + bytes(count))


def one_value(path: Path) -> None:
    rows = COMES_TO // 16
    pd.DataFrame({"x": np.zeros(rows), "target": np.zeros(rows, int)}).to_parquet(path)


def one_long_text(path: Path) -> None:
    """One text of a page's dictionary, named by every row."""
    words = pa.array(["a" * 100_000])
    text = pa.DictionaryArray.from_arrays(pa.array(np.zeros(2_000, "int32")), words)
    parquet.write_table(pa.table({"x": text.cast("string"), "target": np.arange(2_000) % 2}), path)


@pytest.mark.parametrize(
    ("name", "write", "options"),
    [
        ("rows.csv.gz", csv, {"target": "target"}),
        ("rows.csv", csv_in_zip, {"target": "target"}),
        ("rows.jsonl.gz", json_lines, {"target": "target"}),
        ("rows.npz", array, {}),
        ("rows.npz", many_arrays, {}),
        ("rows.tar.gz", shard, {}),
        ("images-idx3-ubyte.gz", idx, {"targets": "labels"}),
        ("rows.parquet", one_value, {"target": "target"}),
        ("rows.parquet", one_long_text, {"target": "target", "text": "x"}),
    ],
)
def test_what_expands_without_bound(
    tmp_path: Path, refused: Callable[..., DataError], name: str, write: Callable[[Path], None], options: dict[str, Any]
) -> None:
    write(tmp_path / name)
    assert (size := (tmp_path / name).stat().st_size) < COMES_TO / unpacked.TIMES
    problem = refused(name, **options)
    assert problem.code == "ADC-DATA-079"
    assert name in problem.problem
    assert f"{max(LEAST, unpacked.TIMES * size):,}" in problem.got
    assert "200 times" in problem.hint
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_an_archive_of_an_address(tmp_path: Path, refused: Callable[..., DataError]) -> None:
    zipped(tmp_path / "all.zip", {"rows.npz": bytes(COMES_TO)})
    assert refused(f"zip://rows.npz::{tmp_path / 'all.zip'}").code == "ADC-DATA-079"
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_rows_that_are_many_and_differ_are_read(tmp_path: Path, read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacked, "LEAST", 1000)
    rows = np.random.default_rng(0).integers(0, 2, (1000, 2))
    pd.DataFrame(rows, columns=["x", "target"]).to_csv(tmp_path / "rows.csv.gz", index=False)
    assert len(read("rows.csv.gz", target="target")) == len(rows)


def test_a_file_that_was_written_again_is_looked_at_again(tmp_path: Path, read: Any, refused: Any) -> None:
    pd.DataFrame({"x": [0.5, 1.5], "target": ["a", "b"]}).to_csv(tmp_path / "rows.csv.gz", index=False)
    assert len(read("rows.csv.gz", target="target")) == 2
    csv(tmp_path / "rows.csv.gz")
    assert refused("rows.csv.gz", target="target").code == "ADC-DATA-079"
