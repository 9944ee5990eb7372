"""Files that claim what is not so, and paths that are no files: refused at once, without memory taken or a hang."""

from __future__ import annotations

import gzip
import io
import os
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodc.adapters.sources import read_source
from autodc.studyfile.study import SourceSpec

X, Y = np.arange(20.0).reshape(10, 2), np.arange(10)


def npy(array: Any) -> Any:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def claim(shape: Any, descr: Any = "<f8", body: Any = b"") -> Any:
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (63 - (10 + len(text)) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


@pytest.fixture
def archive(tmp_path: Path) -> Any:
    def write(packed: Any = zipfile.ZIP_STORED, **members: Any) -> Any:
        with zipfile.ZipFile(tmp_path / "a.npz", "w", packed) as file:
            for name, content in {"x": npy(X), "y": npy(Y), **members}.items():
                file.writestr(name if "." in name else f"{name}.npy", content)
        return tmp_path / "a.npz"

    return write


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize(
    "x",
    [
        claim("(100000000000, 2)"),
        claim("(True, 2)", body=bytes(16)),
        claim("(-1, 2)"),
        claim("(10, 2)"),
        claim(f"({2**62}, {2**62})"),
        claim("(10, 2)", descr="<f9"),
        claim("((((((10, 2)", body=bytes(160)),
        b"\x93NUMPY\x09\x00",
        b"hello",
        b"",
    ],
)
def test_an_array_that_is_not_what_it_claims(archive: Any, refused: Any, x: Any, sealed: Any) -> None:
    archive(x=x)
    problem = refused("a.npz", sealed=sealed)
    assert problem.code == "ADC-DATA-002"
    assert "`x`" in problem.got


@pytest.mark.parametrize("name", ["y", "light"])
def test_other_arrays_of_an_archive_are_held_to_their_claims_too(archive: Any, refused: Any, name: Any) -> None:
    archive(**{name: claim("(10,)")})
    problem = refused("a.npz")
    assert problem.code == "ADC-DATA-002"
    assert f"`{name}`" in problem.got


def test_a_damaged_member_is_named_and_a_note_to_people_is_not_looked_at(archive: Any, read: Any, refused: Any) -> None:
    archive(notes=b"hello")
    assert "`notes`" in refused("a.npz").got
    archive(**{"README.txt": b"hello"})
    assert list(read("a.npz").metadata.columns) == []


def test_a_member_that_claims_more_than_zip_can_pack(archive: Any, refused: Any) -> None:
    path = archive(zipfile.ZIP_DEFLATED, x=claim("(1000000000, 2)", body=bytes(1000)))
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as file:
        size = file.getinfo("x.npy").file_size
    at = content.rindex(b"PK\x01\x02")
    at = content.index(b"PK\x01\x02")
    assert struct.unpack_from("<I", content, at + 24) == (size,)
    struct.pack_into("<I", content, at + 24, 4_000_000_000)
    path.write_bytes(content)
    problem = refused("a.npz")
    assert problem.code == "ADC-DATA-002"
    assert "not as large as it says" in str(problem)


def test_columns_that_no_table_can_hold_are_refused_by_name(archive: Any, refused: Any) -> None:
    archive(wave=npy(np.arange(10) * 1j))
    problem = refused("a.npz")
    assert problem.code == "ADC-DATA-045"
    assert "`wave`" in str(problem)
    archive(record=npy(np.zeros(10, dtype=[("a", "f4"), ("b", "i2")])))
    assert refused("a.npz").code == "ADC-DATA-045"


def test_labels_in_bytes_that_are_no_text(archive: Any, refused: Any) -> None:
    archive(y=npy(np.array([b"\xff\xfe", b"a"] * 5)))
    assert refused("a.npz").code == "ADC-DATA-011"


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
@pytest.mark.parametrize("sizes", [(4_000_000_000, 28, 28), (2**32 - 1,) * 6, (10, 2, 3), (1,) * 40])
def test_idx_files_are_held_to_their_claims(tmp_path: Path, refused: Any, sizes: Any, packed: Any) -> None:
    head = bytes([0, 0, 8, len(sizes)]) + np.array(sizes, dtype=">u4").tobytes()
    (tmp_path / "a.idx").write_bytes(packed(head + bytes(20)))
    (tmp_path / "l.idx").write_bytes(bytes([0, 0, 8, 1]) + np.array(sizes[:1], dtype=">u4").tobytes())
    problem = refused("a.idx", targets="l.idx")
    assert problem.code == "ADC-DATA-002"


def test_an_array_of_a_folder_is_held_to_its_claims(tmp_path: Path, refused: Any) -> None:
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows/a.npy").write_bytes(claim("(100000000000, 2)"))
    (tmp_path / "rows/manifest.csv").write_text("path,target\na.npy,1\n")
    problem = refused("rows")
    assert problem.code == "ADC-DATA-002"
    assert "row 0, `a.npy`" in problem.got


@pytest.mark.parametrize("name", ["x.csv", "x.npz", "x.parquet", "x.idx", "x.py:rows"])
def test_a_pipe_or_device_is_not_waited_for(tmp_path: Path, refused: Any, name: Any) -> None:
    os.mkfifo(tmp_path / name.partition(":")[0])
    options = {"targets": "l.idx"} if name == "x.idx" else {}
    assert refused(name, **options).code == "ADC-DATA-046"
    os.unlink(tmp_path / name.partition(":")[0])
    os.symlink("/dev/zero", tmp_path / name.partition(":")[0])
    assert refused(name, **options).code == "ADC-DATA-046"


def test_a_folder_under_the_name_of_a_table(tmp_path: Path, refused: Any) -> None:
    (tmp_path / "x.csv").mkdir()
    assert "no images or arrays in the folder" in str(refused("x.csv"))


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("a" * 5000, "ADC-DATA-047"),
        ("a" * 300 + ".csv", "ADC-DATA-047"),
        ("a.csv\0", "ADC-DATA-047"),
        ("a\0.py:rows", "ADC-DATA-047"),
        ("a" * 5000 + ".py:rows", "ADC-DATA-047"),
        ("~nobody-of-this-name/a.csv", "ADC-DATA-001"),
        ("file.csv/a.csv", "ADC-DATA-001"),
    ],
)
def test_paths_that_no_system_can_open(tmp_path: Path, refused: Any, source: Any, code: Any) -> None:
    (tmp_path / "file.csv").write_text("a,target\n1,0\n")
    problem = refused(source)
    assert problem.code == code
    assert len(str(problem)) < 1000
    assert "\0" not in str(problem)


def test_a_link_to_nothing_says_what_it_stands_for(tmp_path: Path, refused: Any) -> None:
    (tmp_path / "a.npz").symlink_to("/cache/ab12")
    problem = refused("a.npz")
    assert problem.code == "ADC-DATA-001"
    assert "/cache/ab12" in problem.got


@pytest.mark.parametrize("name", ["a.npz", "a.csv", "a.idx", "a.parquet"])
def test_an_empty_file(tmp_path: Path, refused: Any, name: Any) -> None:
    (tmp_path / name).write_bytes(b"")
    assert refused(name, **({"targets": "a.idx"} if name == "a.idx" else {})).code == "ADC-DATA-002"


def test_the_same_is_read_whoever_asks(tmp_path: Path, archive: Any) -> None:
    archive()
    spec = SourceSpec(source="a.npz")
    data = read_source(spec, folder=str(tmp_path), name="base", place="", kind="regression")
    np.testing.assert_array_equal(data.x, X)
