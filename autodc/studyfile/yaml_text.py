"""From a file to YAML nodes: the problems after which there is nothing left to check."""

from __future__ import annotations

import codecs
import io
import os
import stat
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import Node
from ruamel.yaml.reader import ReaderError

from autodc.errors import SpecError
from autodc.hints import meant
from autodc.studyfile import codes
from autodc.studyfile.document import Mark

MAX_NODES: Final = 100_000  # what a file may unfold to through anchors and includes
MAX_DEPTH: Final = 50
MAX_BYTES: Final = 2_000_000
LONGEST: Final = 160
"""Characters of a path that are shown."""
UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
BINARY: Final = {
    b"PK\x03\x04": "a zip file, as .npz is",
    b"\x93NUMPY": "a NumPy file",
    b"PAR1": "a Parquet table",
    b"\x1f\x8b": "a gzip file",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"SQLite format 3": "an SQLite file",
    b"%PDF": "a PDF file",
    b"\x7fELF": "a program",
}
"""How files begin that are named by mistake."""


def read_utf8(path: str, where: str) -> str:
    """Read a file as UTF-8. Raises SpecError that names the file."""
    shown = _shown(path) or "''"
    at, where = ("", shown) if where == path else (f"{shown}: ", where)
    try:
        data = _bytes(path)
    except FileNotFoundError:
        raise SpecError(codes.CANNOT_READ, f"{at}there is no such file", where, "", _nearby(path)) from None
    except IsADirectoryError:
        raise SpecError(codes.CANNOT_READ, f"{at}this is a folder, not a file", where, "", _inside(path)) from None
    except ValueError:
        raise SpecError(codes.CANNOT_READ, f"{at}this is no path", where, "a NUL character in it") from None
    except OSError as error:
        problem = f"{at}the file cannot be read: {error.strerror or error}"
        raise SpecError(codes.CANNOT_READ, problem, where) from None
    if data is None:
        hint = "name a regular file: no pipe, no device"
        raise SpecError(codes.CANNOT_READ, f"{at}this is no regular file", where, "", hint)
    if len(data) > MAX_BYTES:
        hint = f"a study file has at most {MAX_BYTES:,} bytes; data belongs in the sources that it names"
        raise SpecError(codes.TOO_LARGE, f"{at}the file is too large", where, f"{os.path.getsize(path):,} bytes", hint)
    if data.startswith(UTF_16) or (data[1:2] == b"\0") != (data[:1] == b"\0"):
        raise SpecError(codes.NOT_UTF8, f"{at}the file is not UTF-8 text", where, "UTF-16", "save it as UTF-8")
    if what := next((what for magic, what in BINARY.items() if data.startswith(magic)), ""):
        raise SpecError(codes.NOT_UTF8, f"{at}the file is no text", where, what, "name a YAML file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise SpecError(
            codes.NOT_UTF8,
            "the file is not UTF-8 text",
            f"{path}:{line}:{column}",
            f"the byte 0x{data[error.start]:02x}",
            "save it as UTF-8",
        ) from None


def _bytes(path: str) -> bytes | None:
    """What a file holds, up to a byte more than it may; None for a pipe or a device, which is not waited for."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb") as file:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError
        return file.read(MAX_BYTES + 1) if stat.S_ISREG(mode) else None


def _shown(path: str) -> str:
    """A path as a message names it: what nobody would read to the end is cut."""
    path = path.replace("\0", "\\0").replace("\n", "\\n")
    return path if len(path) <= LONGEST else f"{path[: LONGEST // 2]}…{path[-LONGEST // 4 :]}"


def _nearby(path: str) -> str:
    """The nearest file beside one that is not there."""
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        return f"there is no folder {_shown(folder)} either"
    try:
        near = meant(os.path.basename(path), [name for name in os.listdir(folder) if name[0] != "."])
    except OSError:
        near = None
    return f"did you mean {os.path.join(os.path.dirname(path), near)}?" if near else ""


def _inside(folder: str) -> str:
    """The study file in a folder."""
    inside = os.path.join(folder, "study.yaml")
    return f"did you mean {inside}?" if os.path.isfile(inside) else "name the file inside it"


def compose(text: str, mark: Mark) -> Node | None:
    """Read a text as YAML nodes, None where it holds nothing. Raises SpecError at the place of the mistake."""
    yaml = YAML(typ="safe", pure=True)
    yaml.composer.warn_double_anchors = False
    try:
        node: Node | None = yaml.compose(io.StringIO(text))
    except MarkedYAMLError as error:
        raise _syntax_error(error, mark) from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        spot = Mark(mark.rank, line, error.position - text.rfind("\n", 0, error.position), mark.text)
        character = f"the control character U+{ord(text[error.position]):04X}"
        raise SpecError(codes.NOT_YAML, "this is not YAML", str(spot), character, "write it as text only") from None
    except YAMLError as error:
        raise SpecError(codes.NOT_YAML, f"this is not YAML: {error}", str(mark)) from None
    except RecursionError:
        raise too_large(str(mark)) from None
    return node


def too_large(where: str) -> SpecError:
    """The problem of a text that is deeper or larger than any study."""
    hint = f"at most {MAX_NODES:,} values with anchors and includes unfolded, at most {MAX_DEPTH} inside each other"
    return SpecError(codes.TOO_LARGE, "the file is nested too deeply or unfolds to too much", where, "", hint)


_SIDE_BY_SIDE: Final = "keys side by side, and entries of a list, have the same indentation"
_SLIPS: Final = (
    ("'\\t'", "", "indent with spaces, not tabs"),
    (
        "mapping values are not allowed",
        "a colon where none can be",
        "text with `: ` in it needs quotes, a key a space after its colon, keys side by side the same indentation",
    ),
    ("found '<scalar>'", "text goes on after its closing quote", "write '' for a quote inside of single quotes"),
    ("<document start>", "a line is further left than those before it", _SIDE_BY_SIDE),
    ("<block end>", "a line is not where those beside it are", _SIDE_BY_SIDE),
    ("unexpected end of stream", "a quote is not closed", ""),
    ("expected ',' or", "a comma is missing, or a bracket is not closed", ""),
    ("undefined alias", "", "text that begins with `*` needs quotes"),
    ("unknown escape", "", "in double quotes a backslash is written twice; in single quotes once"),
    ("character '@'", "", "text that begins with this character needs quotes"),
    ("character '`'", "", "text that begins with this character needs quotes"),
    ("character '%'", "", "text that begins with this character needs quotes"),
)
"""What the reader of YAML says → what it means, where that is plainer, and how to mend it."""


def _syntax_error(error: MarkedYAMLError, mark: Mark) -> SpecError:
    """Say a YAML mistake in one sentence, at its place."""
    problem = (error.problem or error.context or "cannot be read").replace("\n", " ")
    if problem.startswith("but ") and error.context:
        problem = f"{error.context}, {problem}"
    at = error.problem_mark or error.context_mark
    where = f"{mark}:{at.line + 1}:{at.column + 1}" if at is not None and not mark.line else str(mark)
    if "--set" in mark.text:
        where = mark.text
    plain, hint = next(((plain, hint) for said, plain, hint in _SLIPS if said in problem), ("", ""))
    begins = error.context_mark
    if error.context and begins is not None and (at is None or begins.line != at.line) and not hint:
        what = "it opens" if plain else f"{error.context}, which begins"
        hint = f"{what} on line {begins.line + 1}"
    return SpecError(codes.NOT_YAML, f"this is not YAML: {plain or problem}", where, "", hint)
