"""From a file to YAML nodes: the problems after which there is nothing left to check."""

from __future__ import annotations

import io
import os
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import Node
from ruamel.yaml.reader import ReaderError

from autodc.errors import SpecError
from autodc.studyfile import codes
from autodc.studyfile.document import Mark

MAX_NODES: Final = 100_000  # what a file may unfold to through anchors and includes
MAX_DEPTH: Final = 50


def read_utf8(path: str, where: str) -> str:
    """Read a file as UTF-8. Raises SpecError that names the file."""
    at = "" if where == path else f"{path}: "
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        folder = os.path.dirname(path) or "."
        hint = "" if os.path.isdir(folder) else f"there is no folder {folder} either"
        raise SpecError(codes.CANNOT_READ, f"{at}there is no such file", where, "", hint) from None
    except IsADirectoryError:
        inside = os.path.join(path, "study.yaml")
        hint = f"did you mean {inside}?" if os.path.isfile(inside) else "name the file inside it"
        raise SpecError(codes.CANNOT_READ, f"{at}this is a folder, not a file", where, "", hint) from None
    except (OSError, ValueError) as error:
        reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        raise SpecError(codes.CANNOT_READ, f"{at}the file cannot be read: {reason}", where) from None
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


def _syntax_error(error: MarkedYAMLError, mark: Mark) -> SpecError:
    """Say a YAML mistake in one sentence, at its place."""
    problem = (error.problem or error.context or "cannot be read").replace("\n", " ")
    if problem.startswith("but ") and error.context:
        problem = f"{error.context}, {problem}"
    at = error.problem_mark or error.context_mark
    where = f"{mark}:{at.line + 1}:{at.column + 1}" if at is not None and not mark.line else str(mark)
    if "--set" in mark.text:
        where = mark.text
    hint = ""
    if "'\\t'" in problem:
        hint = "indent with spaces, not tabs"
    elif "mapping values are not allowed" in problem:
        hint = (
            "text with `: ` in it needs quotes, a key a space after its colon, keys side by side the same indentation"
        )
    elif "character '@'" in problem or "character '`'" in problem or "character '%'" in problem:
        hint = "text that begins with this character needs quotes"
    elif (
        error.context
        and error.context not in problem
        and error.context_mark is not None
        and (at is None or error.context_mark.line != at.line)
    ):
        hint = f"{error.context}, which begins on line {error.context_mark.line + 1}"
    return SpecError(codes.NOT_YAML, f"this is not YAML: {problem}", where, "", hint)
