from __future__ import annotations

from pathlib import Path

import pytest

from autodc.files import write_whole


@pytest.mark.parametrize("content", ["grüße", "grüße".encode(), lambda file: file.write("grüße".encode())])
def test_a_file_is_written_from_text_bytes_or_by_a_function(tmp_path: Path, content) -> None:
    path = tmp_path / "a.json"
    path.write_text("before, and longer than after")
    write_whole(path, content)
    assert path.read_text(encoding="utf-8") == "grüße"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_what_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("before")

    def breaks(file) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_whole(path, breaks)
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
