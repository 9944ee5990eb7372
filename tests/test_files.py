from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autodc.files import damage, fill_whole, seal, write_whole


@pytest.mark.parametrize("content", ["grüße", "grüße".encode(), lambda file: file.write("grüße".encode())])
def test_a_file_is_written_from_text_bytes_or_by_a_function(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "a.json"
    path.write_text("before, and longer than after")
    write_whole(path, content)
    assert path.read_text(encoding="utf-8") == "grüße"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_what_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("before")

    def breaks(file: Any) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_whole(path, breaks)
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_folders_on_the_way_are_made(tmp_path: Path) -> None:
    write_whole(tmp_path / "a" / "b" / "c.txt", "c")
    assert (tmp_path / "a" / "b" / "c.txt").read_text() == "c"


def two_files(folder: Path) -> None:
    (folder / "inner").mkdir()
    (folder / "a").write_text("a")
    (folder / "inner" / "b").write_text("bb")


def test_a_folder_is_filled_whole_and_sealed(tmp_path: Path) -> None:
    fill_whole(tmp_path / "f", two_files)
    assert damage(tmp_path / "f") == ""
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
    (tmp_path / "f" / "inner" / "b").write_text("bc")
    assert damage(tmp_path / "f") == "inner/b is damaged"
    assert damage(tmp_path / "f", sizes_only=True) == ""
    (tmp_path / "f" / "inner" / "b").unlink()
    assert damage(tmp_path / "f", sizes_only=True) == "b is gone"


def test_what_fails_to_fill_leaves_nothing_and_what_is_there_stays(tmp_path: Path) -> None:
    def breaks(folder: Path) -> None:
        two_files(folder)
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        fill_whole(tmp_path / "f", breaks)
    assert list(tmp_path.iterdir()) == []
    fill_whole(tmp_path / "f", two_files)
    fill_whole(tmp_path / "f", lambda folder: (folder / "other").write_text("late"))
    assert not (tmp_path / "f" / "other").exists()


def test_what_joins_a_sealed_folder_is_no_damage_and_a_new_seal_knows_it(tmp_path: Path) -> None:
    two_files(tmp_path)
    assert damage(tmp_path) == ""
    seal(tmp_path)
    (tmp_path / "c").write_text("c")
    assert damage(tmp_path) == ""
    seal(tmp_path)
    (tmp_path / "c").unlink()
    assert damage(tmp_path) == "c is gone"
    assert damage(tmp_path / "nowhere") == "the folder is gone"
