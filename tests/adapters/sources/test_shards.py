"""Tar shards as webdataset writes them."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autodc.table import Table


def image(value: Any, name: Any = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.new("L", (8, 8), value).save(stream, name)
    return stream.getvalue()


def shard(path: Path, files: Any, mode: Any = "w") -> None:
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def row(number: Any, label: Any = None) -> dict[str, bytes]:
    about = {"camera": "ab"[number % 2], "hour": number}
    name = f"./day/{number:03d}"
    return {
        f"{name}.{'jpg' if number % 3 else 'png'}": image(10 * number, "JPEG" if number % 3 else "PNG"),
        f"{name}.json": json.dumps(about).encode(),
        f"{name}.cls": str(number % 2 if label is None else label).encode() + b"\n",
    }


def rows(numbers: Any) -> dict[str, bytes]:
    return {name: content for number in numbers for name, content in row(number).items()}


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.parametrize(("name", "mode"), [("a.tar", "w"), ("a.tar.gz", "w:gz"), ("a.tgz", "w:gz")])
def test_files_of_one_name_are_one_row(tmp_path: Path, read: Any, name: Any, mode: Any) -> None:
    shard(tmp_path / name, rows(range(6)), mode)
    data = read(name, size=[4, 4], mode="L")
    np.testing.assert_allclose(data.x[:, 0, 0], [0, 10, 20, 30, 40, 50], atol=1)
    assert data.y.tolist() == [0, 1] * 3
    assert data.metadata["camera"].tolist() == ["a", "b"] * 3
    assert data.metadata["hour"].tolist() == list(range(6))
    assert data.metadata["__key__"].tolist()[0] == "day/000"


def test_several_shards(tmp_path: Path, read: Any, refused: Any) -> None:
    for at in range(3):
        shard(tmp_path / f"s-{at:03d}.tar", rows(range(2 * at, 2 * at + 2)))
    assert read("s-{000..002}.tar", size=[4, 4], mode="L").metadata["hour"].tolist() == list(range(6))
    problem = refused("s-{000..004}.tar")
    assert problem.code == "ADC-DATA-001"
    assert "2 of 5, such as `s-003.tar`, `s-004.tar`" in problem.got


def test_the_target_may_be_text_or_a_key_of_the_record(tmp_path: Path, read: Any, refused: Any) -> None:
    files = rows(range(4))
    shard(tmp_path / "a.tar", files)
    assert read("a.tar", target="camera", size=[4, 4]).y.tolist() == ["a", "b", "a", "b"]
    assert "camera" not in read("a.tar", target="camera", size=[4, 4], sealed=True).metadata
    words = {
        name.replace(".cls", ".txt"): content + b" words" if name.endswith("cls") else content
        for name, content in files.items()
    }
    shard(tmp_path / "b.tar", words)
    assert read("b.tar", size=[4, 4]).y[1] == "1\n words"
    assert "did you mean `camera`?" in refused("a.tar", target="camra").hint


def test_without_a_size_images_become_files(tmp_path: Path, read: Any) -> None:
    shard(tmp_path / "a.tar", rows(range(4)))
    x = read("a.tar").x
    assert isinstance(x, Table)
    assert [Path(path).read_bytes() for path in x.texts()][1] == image(10, "JPEG")
    assert [Path(path).suffix for path in x.texts()] == [".png", ".jpeg", ".jpeg", ".png"]


def test_arrays_and_images_as_targets(tmp_path: Path, read: Any) -> None:
    def array(value: Any) -> bytes:
        stream = io.BytesIO()
        np.save(stream, np.full(3, value, dtype=np.float32))
        return stream.getvalue()

    shard(
        tmp_path / "a.tar",
        {f"{i}.{end}": content for i in range(3) for end, content in (("npy", array(i)), ("cls", b"1"))},
    )
    assert read("a.tar").x[:, 0].tolist() == [0, 1, 2]
    pairs = {f"{i}.{end}": image(v) for i in range(3) for end, v in (("noisy.png", i), ("clean.png", 100 + i))}
    shard(tmp_path / "b.tar", pairs)
    data = read("b.tar", kind="image_to_image", image="noisy.png", target="clean.png")
    assert data.x[:, 0, 0].tolist() == [0, 1, 2]
    assert data.y[:, 0, 0].tolist() == [100, 101, 102]


def test_nothing_is_unpacked_wherever_a_name_leads(tmp_path: Path, read: Any) -> None:
    shard(
        tmp_path / "a.tar", {"../../evil.png": image(1), "../../evil.cls": b"1", "/abs.png": image(2), "/abs.cls": b"0"}
    )
    before = sorted(tmp_path.parent.rglob("*.png"))
    assert len(read("a.tar", size=[4, 4])) == 2
    assert sorted(tmp_path.parent.rglob("*.png")) == before


def test_links_devices_and_hidden_files_are_no_rows(tmp_path: Path, read: Any) -> None:
    shard(tmp_path / "a.tar", {**rows(range(3)), "day/._000.png": b"", ".DS_Store": b""})
    with tarfile.open(tmp_path / "a.tar", "a") as archive:
        for kind, name in ((tarfile.SYMTYPE, "l.png"), (tarfile.CHRTYPE, "d.png"), (tarfile.FIFOTYPE, "f.png")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    assert len(read("a.tar", size=[4, 4])) == 3


def lying(path: Path) -> None:
    """The header of the last file says that it has a terabyte."""
    shard(path, rows(range(2)))
    content = bytearray(path.read_bytes())
    at = content.rindex(b"day/001.cls") - (content.rindex(b"day/001.cls") % 512)
    content[at + 124 : at + 136] = b"\x80" + (10**12).to_bytes(11, "big")
    content[at + 148 : at + 156] = b" " * 8
    content[at + 148 : at + 156] = b"%06o\0 " % sum(content[at : at + 512])
    path.write_bytes(bytes(content))


def test_a_file_that_claims_too_much(tmp_path: Path, refused: Any) -> None:
    lying(tmp_path / "a.tar")
    problem = refused("a.tar", size=[4, 4])
    assert problem.code == "ADC-DATA-075"
    assert "`./day/001.cls`: 1,000,000,000,000 bytes" in problem.got


@pytest.mark.parametrize(
    ("files", "code", "told"),
    [
        ({"1.png": image(1)}, "ADC-DATA-005", "no targets in the shards"),
        ({"1.cls": b"1"}, "ADC-DATA-004", "rows do not have one image each"),
        ({"1.png": image(1), "1.jpg": image(1), "1.cls": b"1"}, "ADC-DATA-004", "options: {image: png}"),
        ({**rows(range(3)), "4.png": image(4)}, "ADC-DATA-075", "rows have no file .cls"),
        ({"1.png": image(1), "1.json": b"{", "1.cls": b"0"}, "ADC-DATA-076", "row `1`"),
        ({"1.png": b"no", "1.cls": b"0"}, "ADC-DATA-002", "row `1`"),
        ({}, "ADC-DATA-009", "there are no rows"),
    ],
)
def test_rows_that_do_not_fit(tmp_path: Path, refused: Any, files: Any, code: Any, told: Any) -> None:
    shard(tmp_path / "a.tar", files)
    problem = refused("a.tar", size=[4, 4], mode="L")
    assert problem.code == code
    assert told in str(problem)


def test_shards_that_are_cut_or_none(tmp_path: Path, refused: Any) -> None:
    shard(tmp_path / "a.tar", rows(range(4)))
    whole = (tmp_path / "a.tar").read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[:700])
    (tmp_path / "cut.tar.gz").write_bytes(gzip.compress(whole)[:-300])
    (tmp_path / "none.tar").write_bytes(b"no tar at all" * 100)
    for name in ("cut.tar", "cut.tar.gz", "none.tar"):
        assert refused(name, size=[4, 4]).code in ("ADC-DATA-002", "ADC-DATA-075")
