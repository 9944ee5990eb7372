"""What lies at a path, before anyone reads it: a regular file, and not something else under the name of a table."""

from __future__ import annotations

import codecs
import os
from pathlib import Path

from autodc.data.problems import problem
from autodc.data.source import SourceRequest
from autodc.hints import meant

SNIFFED = 65536
GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
POINTERS = (
    (b"version https://git-lfs.github.com/", "a pointer of Git LFS, not the file itself", "fetch it: git lfs pull"),
    (b"/annex/objects/", "a pointer of git-annex, not the file itself", "fetch it: git annex get, or datalad get"),
)
PAGE = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def regular_file(request: SourceRequest, missing: str = "there is no such file", hint: str = "") -> Path:
    """The path of the request where a regular file lies, read through links.

    Raises DataError ADC-DATA-001 where there is none, 046 for a pipe, a device or a folder, 047 for a path that no
    system can open, 002 where it must not be looked at.
    """
    path = Path(request.path)
    if not exists(request):
        if path.is_symlink():
            got = f"a link to {path.readlink()}"
            raise problem(request, "001", "a link leads to no file", got, hint or "fetch what it stands for first")
        raise problem(request, "001", missing, hint=hint)
    if not path.is_file():
        hint = "a source is a regular file: not a folder, pipe or device"
        raise problem(request, "046", "this is no regular file", hint=hint)
    return path


def nearby(path: str) -> str:
    """The nearest names beside a path that is not there."""
    missing = Path(path)
    while not missing.parent.is_dir() and missing.parent != missing:
        missing = missing.parent
    try:
        near = meant(missing.name, os.listdir(missing.parent))
    except OSError:
        near = None
    gone = "" if missing == Path(path) else f"there is no folder `{missing.name}`: "
    return f"{gone}did you mean `{near}`?" if near else f"{gone}paths are relative to the study file"


def exists(request: SourceRequest) -> bool:
    """Whether anything lies at the path of the request. Raises DataError ADC-DATA-047, 002 where nobody can tell."""
    if "\0" in request.path:
        raise problem(request, "047", "this is no path", "a NUL character in it")
    try:
        return Path(request.path).exists()
    except PermissionError as error:
        raise problem(request, "002", "the path may not be looked at", error.strerror or "") from None
    except OSError as error:
        raise problem(request, "047", "this is no path", f"{error.strerror}, {len(request.path)} characters") from None


def refuse_foreign(request: SourceRequest, start: bytes) -> None:
    """Raise DataError ADC-DATA-002 where a file begins like something that is often found in place of another."""
    for magic, what, hint in POINTERS:
        if start.startswith(magic):
            raise problem(request, "002", f"the file is {what}", hint=hint)
    if start.removeprefix(codecs.BOM_UTF8).lstrip().lower().startswith(PAGE):
        hint = "a server may have answered with a login or error page; fetch the file again"
        raise problem(request, "002", "the file is a page of HTML or XML", got=repr(start.lstrip()[:40]), hint=hint)


def refuse_no_text(request: SourceRequest, start: bytes) -> None:
    """Raise DataError ADC-DATA-002 where a file that should be text in UTF-8 begins like something else."""
    refuse_foreign(request, start)
    if start.startswith(UTF_16) or _half_empty(start):
        hint = "say options: {encoding: utf-16-le} (or -be), or write it again in UTF-8"
        raise problem(request, "002", "the table is not UTF-8", "UTF-16", hint)
    if start.startswith(b"PAR1"):
        raise problem(request, "002", "the file is a Parquet table", hint="name it .parquet")
    if b"\0" in start:
        got = f"it begins with {start[:16]!r}"
        raise problem(request, "002", "the file is no text", got, "a table is text in UTF-8, separated by commas")


def start_of(path: Path, count: int = SNIFFED) -> bytes:
    """The first bytes of a file."""
    with path.open("rb") as file:
        return file.read(count)


def _half_empty(start: bytes) -> bool:
    """UTF-16 without a mark of its own: every other byte of plain text is zero."""
    some = start[:512]
    return len(some) >= 8 and 0.4 < some.count(0) / len(some) <= 0.5
