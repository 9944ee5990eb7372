"""Many rows in parallel, beyond memory, and what a training keeps of them."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autodc import large as cache
from autodc.adapters.pictures.kept import decoded_files, kept_files
from autodc.adapters.pictures.many import stacked
from autodc.adapters.pictures.modes import as_mode, pictured, resized
from autodc.adapters.pictures.wish import Wish
from autodc.errors import DataError, SurroundingsError
from autodc.table import Table

SMALL = Wish(size=(4, 5), mode="L")


@pytest.fixture(autouse=True)
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/autodc"


@pytest.fixture
def files(tmp_path: Path) -> Table:
    paths = [tmp_path / f"{i}.png" for i in range(70)]
    for i, path in enumerate(paths):
        Image.new("RGB", (5 + i % 7, 6), (3 * i, 3 * i, 3 * i)).save(path)
    return Table.of_files([str(p) for p in paths], [hashlib.sha256(p.read_bytes()).hexdigest() for p in paths])


def test_large_arrays_lie_in_a_file_without_a_name(monkeypatch: pytest.MonkeyPatch, caches: Path) -> None:
    monkeypatch.setattr(cache, "IN_MEMORY", 1000)
    whole = stacked(300, lambda row: np.full((2, 3), row, dtype=np.int16), lambda row, error: error)
    assert whole[:, 1, 2].tolist() == list(range(300))
    assert not isinstance(whole.base, np.ndarray)
    assert whole.base is not None
    assert list((caches / "large").iterdir()) == []
    again = whole[5:10].copy()
    assert again[0, 0, 0] == 5


def test_a_disk_without_room_is_told_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    free = namedtuple("usage", "total used free")(10**9, 10**9, 10**6)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: free)
    seen = []
    with pytest.raises(SurroundingsError) as caught:
        stacked(10**6, lambda row: seen.append(row) or np.zeros(1000), lambda row, error: error)
    assert caught.value.code == "ADC-DISK-001"
    assert "8 GB are needed" in caught.value.got
    assert seen == [0]


def test_rows_that_cannot_be_read_are_told_in_order_ten_at_most() -> None:
    def load(row: int) -> Any:
        if row % 7 == 0:
            raise DataError("ADC-DATA-002", "no", "", str(row))
        return np.zeros(3)

    with pytest.raises(Exception) as caught:
        stacked(1000, load, lambda row, error: error)
    assert [problem.got for problem in caught.value.problems] == [str(7 * i) for i in range(10)]


def test_a_defect_in_one_row_ends_the_work() -> None:
    def load(row: int) -> Any:
        if row == 500:
            raise ZeroDivisionError
        return np.zeros(3)

    with pytest.raises(ZeroDivisionError):
        stacked(1000, load, lambda row, error: error)


def test_decoded_files_are_kept_by_content_size_and_mode(files: Table, caches: Path, tmp_path: Path) -> None:
    first = kept_files(files, SMALL)
    np.testing.assert_array_equal(first[:, 0, 0], [3 * i for i in range(70)])
    np.testing.assert_array_equal(first, decoded_files(files, SMALL))
    kept = {path.name for path in (caches / "decoded").glob("*.npy")}
    (tmp_path / "moved").mkdir()
    for path in files.texts():
        Path(path).rename(tmp_path / "moved" / Path(path).name)
    moved = Table.of_files(
        [str(tmp_path / "moved" / Path(p).name) for p in files.texts()], files.column("content").to_pylist()
    )
    again = kept_files(moved, SMALL)
    assert isinstance(again, np.memmap)
    np.testing.assert_array_equal(again, first)
    assert {path.name for path in (caches / "decoded").glob("*.npy")} == kept
    kept_files(moved, Wish(size=(4, 5), mode="RGB"))
    assert len(list((caches / "decoded").glob("*.npy"))) == 2
    for path in (caches / "decoded").iterdir():
        os.utime(path, (0, 0))
    kept_files(moved[:5], SMALL)
    assert len(list((caches / "decoded").glob("*.npy"))) == 1


def test_where_nothing_can_be_kept_it_is_decoded_all_the_same(files: Table, caches: Path) -> None:
    caches.mkdir(parents=True)
    (caches / "decoded").write_text("a file where a folder should be")
    np.testing.assert_array_equal(kept_files(files, SMALL), decoded_files(files, SMALL))


def test_a_file_that_has_changed_since_is_named(files: Table) -> None:
    Image.new("L", (5, 6), 1).save(files.texts()[3])
    with pytest.raises(DataError) as caught:
        decoded_files(files, SMALL)
    assert caught.value.code == "ADC-DATA-078"
    assert files.texts()[3] in caught.value.got
    Path(files.texts()[3]).unlink()
    with pytest.raises(DataError, match="No such file"):
        decoded_files(files, SMALL)


@pytest.mark.slow(seconds=30)
def test_a_folder_larger_than_the_memory_it_may_have(tmp_path: Path) -> None:
    """720 MB of images, read by a process that may have 700 MB of its own."""
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (1000, 1000, 3), dtype=np.uint8))
    for kind in ("bar", "beam"):
        (tmp_path / "images" / kind).mkdir(parents=True)
        for i in range(120):
            image.putpixel((0, 0), (i, 0, 0))
            image.save(tmp_path / "images" / kind / f"{i:03d}.png", compress_level=0)
    program = """
import resource, sys
from autodc.adapters.sources import read_source
from autodc.studyfile.study import SourceSpec
resource.setrlimit(resource.RLIMIT_DATA, (700_000_000, 700_000_000))
spec = SourceSpec(source="images", options={"size": "as_it_is"})
data = read_source(spec, folder=sys.argv[1], name="base", place="here", kind="classification")
numbers = {kind: sorted(int(v) for v in data.x[data.y == kind, 0, 0, 0]) for kind in ("bar", "beam")}
print(data.x.shape, all(found == list(range(120)) for found in numbers.values()))
"""
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stdout == "(240, 1000, 1000, 3) True\n", done.stderr


def test_a_picture_of_eight_bits_is_the_same_resized_by_pillow_or_as_an_array() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (30, 20, 4), dtype=np.uint8)
    for own in ("L", "RGB", "RGBA", "P", "LA", "1"):
        image = Image.fromarray(pixels).convert(own)
        for mode in (None, "L", "RGB", "RGBA", "I;16", "F"):
            for sides in (None, (30, 20), (7, 11)):
                expected = resized(as_mode(image, mode, None), sides)
                np.testing.assert_array_equal(pictured(image, mode, sides, None), expected)
