"""Archives, manifests and tables as somebody else may have made them: sizes that lie, paths and links that lead out."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from PIL import Image

from autodc.adapters.sources import read_source, unpacked
from autodc.studyfile.study import SourceSpec
from autodc.table import Table
from benchmarks.hostile.target import outcome
from benchmarks.hostile.texts import PATHS, hostile

MARK = 199
"""The value of every pixel outside."""
OUT = ("../outside/secret.png", "../outside/secret.npy", "a/../../outside/secret.png", "link/secret.png")
ROWS = 6
EXPANDS = 2 << 20
"""Bytes that small compressed files come to."""
unpacked.LEAST = EXPANDS // 2


def _npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def _png(value: int) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (4, 4), value).save(stream, "png")
    return stream.getvalue()


def _claim(shape: str, descr: str, body: bytes) -> bytes:
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (63 - (10 + len(text)) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


def _parquet() -> bytes:
    stream = io.BytesIO()
    frame = pd.DataFrame({"x": np.arange(6.0), "s": ["a", "b", None] * 2, "target": [0, 1] * 3})
    frame.to_parquet(stream)
    return stream.getvalue()


ARRAYS = tuple(
    _npy(array)
    for array in (
        np.arange(12.0).reshape(6, 2), np.arange(6) % 2, np.arange(5), np.array(["a", "b"] * 3), np.zeros((6, 0)),
        np.array([[1], None, {}, "x", 1, 2], object), np.full(6, np.nan), np.zeros(6, "M8[s]"), np.array(7.0),
        np.zeros(6, [("a", "f4"), ("b", "i4")]), np.zeros((6, 2), "f2"), np.zeros(6, "S3"), np.zeros(6, bool),
        np.zeros(6, "c16"),
    )
)  # fmt: skip
claims = st.builds(
    _claim,
    st.sampled_from(
        ("(6, 2)", "(10**12,)", "(-1,)", "(True,)", "()", "(6,)", "((6,),)", f"({2**62}, {2**62})", "'a'", "[6]")
    ),
    st.sampled_from(("<f8", "<i8", "|O", "<U10", "<f9", "|V8", "O", "<M8[s]", "__import__('os')", "|S0")),
    st.sampled_from((b"", bytes(48), bytes(96))),
)
contents = st.sampled_from((*ARRAYS, *ARRAYS[:3] * 3, b"", b"hello", _png(3), b"\x80\x04K\x01.")) | claims


@st.composite
def damaged(draw: st.DrawFn, bodies: st.SearchStrategy[bytes]) -> bytes:
    """Bytes of which some are others, or the end is missing."""
    body = bytearray(draw(bodies))
    for _ in range(draw(st.integers(0, 4))):
        if body:
            body[draw(st.integers(0, len(body) - 1))] = draw(st.integers(0, 255))
    return bytes(body[: draw(st.integers(0, len(body)))] if draw(st.booleans()) and draw(st.booleans()) else body)


@st.composite
def archives(draw: st.DrawFn) -> bytes:
    """An .npz with members of any name and content, some of which claim another size."""
    stream = io.BytesIO()
    members = {"x.npy": draw(contents), "y.npy": draw(contents)} if draw(st.booleans()) else {}
    members |= draw(
        st.dictionaries(st.sampled_from((*OUT, *PATHS, "x.npy", "y.npy", "m.npy", "x")), contents, max_size=4)
    )
    with zipfile.ZipFile(stream, "w", draw(st.sampled_from((0, 8, 12, 14)))) as file:
        for name, content in members.items():
            file.writestr(zipfile.ZipInfo(name or "empty"), content)
    body = bytearray(stream.getvalue())
    at = body.find(b"PK\x01\x02")
    if at >= 0 and draw(st.booleans()):
        field = draw(st.sampled_from((8, 10, 16, 20, 24, 28, 30, 42)))  # flags, method, checksum, sizes, names, offset
        body[at + field : at + field + 4] = draw(st.binary(min_size=4, max_size=4))
    return bytes(body)


@st.composite
def tars(draw: st.DrawFn) -> bytes:
    """A tar of rows, beside members of any kind, name, target and claimed size."""
    stream = io.BytesIO()
    kinds = (tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE,
             tarfile.DIRTYPE, tarfile.GNUTYPE_SPARSE, tarfile.CONTTYPE, b"z")  # fmt: skip
    with tarfile.open(fileobj=stream, mode="w", format=draw(st.sampled_from((0, 1, 2)))) as file:
        for i in range(draw(st.integers(0, 3))):
            for end, content in (("png", _png(i)), ("cls", b"%d" % (i % 2))):
                info = tarfile.TarInfo(f"{i}.{end}")
                info.size = len(content)
                file.addfile(info, io.BytesIO(content))
        for _ in range(draw(st.integers(0, 3))):
            ending = draw(st.sampled_from((".png", ".cls", "")))
            info = tarfile.TarInfo(draw(st.sampled_from((*OUT, *PATHS, "9"))).replace("\0", "") + ending or "e")
            info.type, info.linkname = draw(st.sampled_from(kinds)), draw(st.sampled_from(OUT))
            body = draw(st.sampled_from((b"", b"1", _png(5))))
            info.size = len(body) if info.isreg() else 0
            try:
                file.addfile(info, io.BytesIO(body))
            except ValueError:
                continue
    body = bytearray(stream.getvalue())
    if draw(st.booleans()):
        at = 512 * draw(st.integers(0, max(0, len(body) // 512 - 1)))
        body[at + 124 : at + 136] = draw(
            st.sampled_from((b"77777777777\0", b"\x80" + b"\xff" * 11, b"-1\0" + bytes(9)))
        )
        body[at + 148 : at + 156] = b"%06o\0 " % (sum(body[at : at + 512]) - sum(body[at + 148 : at + 156]) + 256)
    return gzip.compress(bytes(body)) if draw(st.booleans()) else bytes(body)


@st.composite
def expanding(draw: st.DrawFn) -> tuple[str, bytes]:
    """A small compressed file that comes to more than any may."""
    times = draw(st.integers(1, 3))
    line, record = b"0.5,a\n", b'{"x": 0.5, "target": "a"}\n'
    name = draw(st.sampled_from(("rows.csv", "rows.jsonl", "rows.json", "rows.tar.gz", "rows.npz", "rows.parquet")))
    stream = io.BytesIO()
    if name == "rows.parquet":
        count = times * EXPANDS // 16
        pd.DataFrame({"x": np.zeros(count), "target": np.zeros(count, int)}).to_parquet(stream)
    elif name == "rows.npz":
        np.savez_compressed(stream, x=np.zeros((times * EXPANDS // 16, 2)), y=np.zeros(times * EXPANDS // 16))
    else:
        zeros = b"" if name != "rows.tar.gz" else _tar(bytes(times * EXPANDS))
        text = (
            b"x,target\n" + line * (times * EXPANDS // len(line))
            if name == "rows.csv"
            else record * (times * EXPANDS // len(record))
        )
        stream.write(gzip.compress(zeros or text))
    return name, stream.getvalue()


def _tar(content: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as file:
        info = tarfile.TarInfo("0.npy")
        info.size = len(content)
        file.addfile(info, io.BytesIO(content))
    return stream.getvalue()


cells = (
    st.sampled_from((*OUT, *PATHS, "0.png", "1.png", "pipe.png", "loop.png", "folder.png", "bad.png", "0.npy"))
    | hostile
)


@st.composite
def manifests(draw: st.DrawFn) -> tuple[str, bytes]:
    """A table about the files of a folder."""
    key = draw(st.sampled_from(("path", "file_name", "file", "x")))
    rows = [
        {key: draw(cells), "target": draw(st.sampled_from(("a", "b", "", "1")) | hostile), "m": draw(hostile)}
        for _ in range(draw(st.integers(0, 4)))
    ]
    if draw(st.booleans()):
        stream = io.StringIO()
        writer = csv.DictWriter(stream, [key, "target", "m"])
        writer.writeheader()
        writer.writerows(rows)
        return "manifest.csv", stream.getvalue().encode("utf-8", "surrogatepass")
    return "metadata.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode("utf-8", "surrogatepass")


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, bytes]:
    """A table of text."""
    kind = draw(st.sampled_from(("csv", "tsv", "json", "jsonl")))
    if kind in ("csv", "tsv"):
        lines = draw(st.lists(st.lists(cells, max_size=4).map(("," if kind == "csv" else "\t").join), max_size=6))
        text = "\n".join(("x,target,image" if draw(st.booleans()) else "x\ttarget", *lines))
    else:
        inner = st.recursive(
            cells | st.none() | st.floats() | st.integers(), lambda one: st.lists(one, max_size=3), max_leaves=4
        )
        rows = draw(
            st.lists(
                st.dictionaries(st.sampled_from(("x", "target", "image")) | hostile, inner, max_size=4), max_size=5
            )
        )
        text = json.dumps(rows) if kind == "json" else "\n".join(map(json.dumps, rows))
        text = draw(st.sampled_from((text, "[" * 3000, text[: len(text) // 2], '{"a":' * 2000)))
    body = text.encode(draw(st.sampled_from(("utf-8", "utf-16", "latin-1"))), "replace")
    return f"rows.{kind}", draw(damaged(st.just(body)))


cases = st.one_of(
    st.tuples(st.just("rows.npz"), damaged(archives())),
    st.tuples(st.sampled_from(("rows.tar", "rows.tar.gz", "rows.tgz")), damaged(tars())),
    manifests(),
    tables(),
    expanding(),
    st.tuples(st.just("rows.parquet"), damaged(st.just(_parquet()))),
    st.tuples(st.sampled_from(("0.npy", "0.png")), damaged(contents | st.just(_png(3)))),
    st.tuples(
        st.just("train-images-idx3-ubyte"),
        damaged(st.sampled_from((b"\0\0\x08\x01\0\0\0\x06" + bytes(6), b"\0\0\x0e\x03"))),
    ),
)
OPTIONS: dict[str, tuple[dict[str, Any], ...]] = {
    "rows.npz": ({},),
    "rows.tar": (
        {"image": "png", "target": "cls", "size": [4, 4], "mode": "RGB"},
        {"image": "png", "target": "cls"},
        {},
    ),
    "rows.tgz": ({"image": "png", "target": "cls"},),
    "rows.": ({"target": "target"}, {"target": "target", "image": "image"}, {"target": "target", "text": "x"}),
    "manifest": ({}, {"size": [4, 4], "mode": "RGB"}),
    "metadata": ({}, {"size": [4, 4], "mode": "RGB"}),
    "": ({},),
}
"""What is read by which options, by how its name begins."""


@st.composite
def settings_of(draw: st.DrawFn) -> tuple[tuple[str, bytes], dict[str, Any], bool]:
    """A case with options that fit, most often, and whether its targets are sealed."""
    case = draw(cases)
    fitting = next(found for begin, found in OPTIONS.items() if case[0].startswith(begin))
    unfit = st.just({"target": "target", "text": "x", "size": [4, 4]})
    return (
        case,
        draw(st.sampled_from(fitting) | unfit if draw(st.integers(0, 9)) == 0 else st.sampled_from(fitting)),
        draw(st.booleans()),
    )


settings = settings_of()


def check(case: tuple[tuple[str, bytes], dict[str, Any], bool], folder: Path) -> str:
    """It is read or refused; nothing outside is read, written or changed."""
    (name, body), options, sealed = case
    inside = _world(folder)
    (inside / name).write_bytes(body)
    in_folder = name.startswith(("manifest", "metadata", "0."))
    spec = SourceSpec(source="inside" if in_folder else f"inside/{name}", options=options)
    before = _listed(folder)

    def read() -> None:
        found = read_source(
            spec,
            folder=str(folder),
            name="base",
            place="study.yaml: data.base",
            kind="classification",
            targets=not sealed,
        )
        if isinstance(found.x, Table):
            assert not any("secret" in str(text) for text in _texts(found.x)), "a file outside is an input"
        else:
            assert not (np.asarray(found.x) == MARK).any(), "a file outside was read"

    found = outcome(read)
    assert _listed(folder) == before, "something was written"
    return found


def _texts(table: Table) -> list[object]:
    """The files of rows that are files."""
    return list(table.texts()) if "path" in table.names else []


def _world(folder: Path) -> Path:
    inside, outside = folder / "inside", folder / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret.png").write_bytes(_png(MARK))
    (outside / "secret.npy").write_bytes(_npy(np.full((2, 2), MARK)))
    for i in range(2):
        (inside / f"{i}.png").write_bytes(_png(i))
    (inside / "bad.png").write_bytes(_png(3)[:40])
    (inside / "folder.png").mkdir()
    (inside / "loop.png").symlink_to("loop.png")
    os.mkfifo(inside / "pipe.png")
    return inside


def _listed(folder: Path) -> list[tuple[str, int]]:
    return sorted((str(path), path.lstat().st_size) for path in folder.rglob("*"))
