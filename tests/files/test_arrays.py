"""Arrays in npz and IDX files: each kind of number as it is, everything else refused in its own words."""

from __future__ import annotations

import gzip
import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

GRID = np.arange(12).reshape(4, 3) % 7
Y = np.array([0, 1, 0, 1])


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **{"x": GRID.astype(float), "y": Y, **arrays})
    return file.getvalue()


def with_member(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for each, array in {"x": GRID, "y": Y}.items():
            if each != name:
                member = io.BytesIO()
                np.save(member, array)
                archive.writestr(f"{each}.npy", member.getvalue())
        archive.writestr(f"{name}.npy", content)
    return file.getvalue()


def claim(shape: str, order: str = "False") -> bytes:
    """The header of an array of this shape, and hardly anything behind it."""
    header = f"{{'descr': '<f8', 'fortran_order': {order}, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + bytes(96)


def idx(array: Any, magic: Any = None) -> bytes:
    shape = np.array(array.shape, dtype=">u4").tobytes()
    content: bytes = bytes(magic or [0, 0, 8, array.ndim]) + shape + array.tobytes()
    return content


X = [
    ("bool", GRID > 3),
    ("int8", (GRID - 3).astype(np.int8)),
    ("uint16", GRID.astype(np.uint16) * 9000),
    ("int64", GRID.astype(np.int64) * 2**55),
    ("half", (GRID / 4).astype(np.float16)),
    ("float32", (GRID / 7).astype(np.float32)),
    ("float64", GRID / 7),
    ("one column", GRID[:, :1] / 7),
    ("more axes", np.arange(48, dtype=np.uint8).reshape(4, 2, 2, 3)),
    ("the order of Fortran", np.asfortranarray(GRID / 7)),
    ("large end first", (GRID / 7).astype(">f4")),
    ("large end first, whole", GRID.astype(">u2")),
    ("every other row", np.repeat(GRID, 2, axis=0)[::2]),
]


@pytest.mark.parametrize("x", [pytest.param(x, id=name) for name, x in X])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_inputs_stay_what_they_are(tmp_path: Path, read: Any, trained: Any, x: Any, save: Any) -> None:
    save(tmp_path / "t.npz", x=x, y=Y)
    stored, y, _ = trained(read("t.npz"))
    assert stored.dtype == x.dtype.newbyteorder("=")
    np.testing.assert_array_equal(stored, x)
    np.testing.assert_array_equal(y, Y)


@pytest.mark.parametrize(
    ("y", "labels"),
    [
        (np.array(["NA", "b", "NA", "é"]), ["NA", "b", "NA", "é"]),
        (np.array([b"a", b"b", b"a", b"b"]), ["a", "b", "a", "b"]),
        (np.array([True, False, True, False]), [True, False, True, False]),
        (Y.astype(np.uint8), [0, 1, 0, 1]),
        (Y.astype(">i4"), [0, 1, 0, 1]),
        (Y.astype(float), [0, 1, 0, 1]),
        (Y[:, None], [0, 1, 0, 1]),
    ],
    ids=["text", "bytes", "truth", "uint8", "large end first", "floats that are whole", "a column"],
)
def test_labels_stay_what_they_are(tmp_path: Path, read: Any, trained: Any, y: Any, labels: Any) -> None:
    (tmp_path / "t.npz").write_bytes(npz(y=y))
    assert trained(read("t.npz"))[1].tolist() == labels


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (
            np.array(["2024-01-05", "NaT", "2024-01-06", "2024-01-05"], "datetime64[D]"),
            ["2024-01-05", None, "2024-01-06", "2024-01-05"],
        ),
        (np.array(["NA", "b", "", "c"]), ["NA", "b", "", "c"]),
        (np.array([0.5, np.nan, 1, 2], np.float32), [0.5, None, 1, 2]),
        (np.array([2**64 - 1, 1, 2, 3], np.uint64), [2**64 - 1, 1, 2, 3]),
    ],
    ids=["days", "text", "floats", "uint64"],
)
def test_metadata_stays_what_it_is(tmp_path: Path, read: Any, trained: Any, column: Any, values: Any) -> None:
    (tmp_path / "t.npz").write_bytes(npz(m=column))
    found = trained(read("t.npz"))[2]["m"]
    shown = [None if missing else value for value, missing in zip(found, found.isna(), strict=True)]
    assert [str(value)[:10] if hasattr(value, "year") else value for value in shown] == values


ODD = [
    ("objects", npz(x=np.array([[1, None]] * 4, dtype=object)), "003", "pickle"),
    ("a pickle for a member", with_member("x", pickle.dumps(GRID)), "002", "array `x`"),
    ("text", npz(x=np.array([["a"]] * 4)), "010", "encode text as numbers first"),
    ("complex numbers", npz(x=GRID + 1j), "010", "complex128"),
    ("records", npz(x=np.zeros(4, dtype=[("a", "f4")])), "004", "shape (4,)"),
    ("NaN", npz(x=np.where(GRID == 2, np.nan, GRID)), "007", "row 0"),
    ("no axis", npz(x=np.float64(3)), "009", "no rows"),
    ("one axis", npz(x=np.arange(4.0)), "004", "at least two axes"),
    ("no rows", npz(x=np.zeros((0, 3)), y=np.zeros(0, int)), "009", "no rows"),
    ("no values in a row", npz(x=np.zeros((4, 0))), "004", "no values"),
    ("more targets than rows", npz(y=np.zeros(5, int)), "006", "4 and 5"),
    ("targets without an axis", npz(y=np.int64(3)), "006", "a single value"),
    ("one-hot targets", npz(y=np.eye(4)), "011", "argmax"),
    ("fractions for labels", npz(y=np.array([0.5, 1, 0, 1])), "011", "whole numbers or text"),
    ("objects for labels", npz(y=np.array(["a", None, "b", 1], dtype=object)), "003", "pickle"),
    ("dates for labels", npz(y=np.array(["2024-01-05"] * 4, "datetime64[D]")), "011", "datetime64"),
    ("another name", npz(xx=GRID).replace(b"x.npy", b"z.npy"), "004", "there is no array `x`"),
    ("terabytes, it says", with_member("x", claim("(100000000000, 3)")), "002", "array `x`"),
    ("less than none, it says", with_member("x", claim("(-4, 3)")), "002", "array `x`"),
    ("no header", with_member("x", b"\x93NUMPY\x01\x00\xff\xff"), "002", "array `x`"),
    ("no array at all", with_member("x", b"words, words"), "002", "array `x`"),
    ("cut short", npz()[:150], "002", "cannot be read"),
    ("one array, no archive", claim("(4, 3)"), "002", "write it with numpy.savez"),
    ("empty", b"", "002", "cannot be read"),
    ("a page to log in", b"<html>log in</html>", "002", "a page of HTML"),
]


@pytest.mark.parametrize(("content", "code", "words"), [pytest.param(*rest, id=name) for name, *rest in ODD])
def test_each_is_refused_in_its_own_words(refused: Any, content: Any, code: Any, words: Any) -> None:
    problem = refused("t.npz", content)
    assert problem.code == f"ADC-DATA-{code}"
    assert words in str(problem)


SCANS = np.arange(4 * 5 * 6, dtype=np.uint8).reshape(4, 5, 6)
LABELS = np.array([3, 1, 3, 1], dtype=np.uint8)


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (SCANS, 8),
        (SCANS.view(np.int8), 9),
        (SCANS.astype(">i2"), 11),
        (SCANS.astype(">i4"), 12),
        (SCANS.astype(">f4"), 13),
        (SCANS.astype(">f8"), 14),
    ],
    ids=["ubyte", "byte", "short", "int", "float", "double"],
)
def test_idx_files_of_every_type(tmp_path: Path, read: Any, trained: Any, packed: Any, array: Any, kind: Any) -> None:
    (tmp_path / "t.idx").write_bytes(packed(idx(array, [0, 0, kind, 3])))
    (tmp_path / "labels.idx").write_bytes(packed(idx(LABELS)))
    x, y, _ = trained(read("t.idx", targets="labels.idx"))
    assert x.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(x, array)
    assert y.tolist() == [3, 1, 3, 1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (idx(SCANS, [0, 0, 7, 3]), "begins with"),
        (idx(SCANS, [1, 0, 8, 3]), "begins with"),
        (idx(SCANS)[:-1], "bytes"),
        (idx(SCANS) + b"\0", "bytes"),
        (gzip.compress(idx(SCANS))[:60], "cannot be read"),
        (b"", "begins with"),
    ],
    ids=["no such type", "another magic", "cut short", "too long", "gzip cut short", "empty"],
)
def test_idx_files_that_are_none(tmp_path: Path, refused: Any, content: Any, words: Any) -> None:
    (tmp_path / "labels.idx").write_bytes(idx(LABELS))
    problem = refused("t.idx", content, targets="labels.idx")
    assert problem.code == "ADC-DATA-002"
    assert words in str(problem)
