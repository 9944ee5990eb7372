"""Read YAML 1.2 with `!include`, keeping the line and column of every node through includes.

Scalars are those of JSON: `1e-3` is a number, `no` and `2026-11-23` are text, mapping keys are the text as written.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, final

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from autodc.errors import SpecError
from autodc.studyfile import codes
from autodc.studyfile.document import Document, Issue, Mark, Path, Spot, joined, place
from autodc.studyfile.yaml_text import MAX_DEPTH, MAX_NODES, compose, read_utf8, too_large

INCLUDE: Final = "!include"
_TAG: Final = "tag:yaml.org,2002:"
_TEXT_TAGS: Final = frozenset(_TAG + kind for kind in ("str", "timestamp", "value"))


def read_file(path: str) -> tuple[Document, list[Issue]]:
    """Read a file whose top level is a mapping; also return the problems found inside it.

    Raises SpecError where nothing can be read at all: no file, not UTF-8, not YAML, empty, no mapping.
    """
    reader = _Reader(os.path.dirname(path))
    mark = reader.mark(path)
    node = reader.compose_file(path, mark, place(mark, ""))
    if not isinstance(node, MappingNode):
        raise SpecError(
            codes.NOT_A_MAPPING,
            "the top of the file must be a mapping of keys to values",
            str(reader.at(node, mark)),
            _kind(node),
            "start with `schema_version: 1` and `name: ...` at the left margin",
        )
    return reader.document(node, path, mark)


def read_text(text: str, shown: str, folder: str, rank: int) -> tuple[Document, list[Issue]]:
    """Read one value given outside a file; `!include` is relative to `folder`. Raises SpecError as `read_file`."""
    reader = _Reader(folder)
    mark = Mark(rank, 0, 0, shown)
    node = compose(text, mark)
    if node is None:
        return Document(None, {(): Spot(None, mark, "")}), []
    reader.fixed = mark
    return reader.document(node, None, mark)


@final
class _Reader:
    """One reading: the texts met so far, the files that are open, the problems found."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.texts: list[str] = []
        self.open: list[str] = []
        self.active: set[int] = set()
        self.count = 0
        self.fixed: Mark | None = None
        self.issues: list[Issue] = []
        self.result = Document(None)

    def document(self, node: Node, file: str | None, mark: Mark) -> tuple[Document, list[Issue]]:
        """Build the tree of a composed text."""
        try:
            with self._opened(file):
                self.result.spots[()] = Spot(None, self.at(node, mark), "")
                self.result.value = self._build(node, (), mark, self.folder)
        except RecursionError:
            raise too_large(str(mark)) from None
        return self.result, self.issues

    def mark(self, text: str) -> Mark:
        """Number a text by the order in which it was met; the mark has no line yet."""
        if text not in self.texts:
            self.texts.append(text)
        return Mark(self.texts.index(text), 0, 0, text)

    def at(self, node: Node | None, within: Mark) -> Mark:
        """Where a node starts."""
        if node is None or self.fixed is not None:
            return self.fixed or within
        start = node.start_mark
        return Mark(within.rank, start.line + 1, start.column + 1, within.text)

    def compose_file(self, path: str, mark: Mark, where: str) -> Node:
        """Read a file as YAML nodes; `where` is named if it cannot be opened."""
        node = compose(read_utf8(path, where), mark)
        if node is None:
            raise SpecError(codes.EMPTY, "the file is empty", str(mark))
        return node

    def _build(self, node: Node, path: Path, mark: Mark, folder: str) -> Any:
        self.count += 1
        if self.count > MAX_NODES or len(path) > MAX_DEPTH:
            raise too_large(str(self.at(node, mark)))
        if str(node.tag) == INCLUDE:
            return self._include(node, path, mark, folder)
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        if id(node) in self.active:
            return self._broken(path, codes.BAD_VALUE, "this anchor contains itself", hint="write the value out")
        self.active.add(id(node))
        try:
            if isinstance(node, MappingNode):
                return self._mapping(node, path, mark, folder)
            if isinstance(node, SequenceNode):
                return self._sequence(node, path, mark, folder)
            raise TypeError(f"no such kind of YAML node: {node!r}")
        finally:
            self.active.discard(id(node))

    def _sequence(self, node: SequenceNode, path: Path, mark: Mark, folder: str) -> list[Any]:
        shown = self.result.spots[path].shown
        values = []
        for i, child in enumerate(node.value):
            self.result.spots[(*path, i)] = Spot(None, self.at(child, mark), joined(shown, i))
            values.append(self._build(child, (*path, i), mark, folder))
        return values

    def _mapping(self, node: MappingNode, path: Path, mark: Mark, folder: str) -> dict[str, Any]:
        shown = self.result.spots[path].shown
        values: dict[str, Any] = {}
        merged: list[Node] = []
        for key, child in node.value:
            if str(key.tag) == _TAG + "merge":
                merged += child.value if isinstance(child, SequenceNode) else [child]
                continue
            name, at = _key(key), self.at(key, mark)
            if name is None:
                self._report(codes.BAD_VALUE, None, at, shown, "a key must be plain text", _kind(key))
                continue
            below = (*path, name)
            if name in values:
                first = self.result.spots[below].key
                hint = f"the first is at {first}: leave one" if first and first.line else "leave one"
                self._report(codes.DUPLICATE_KEY, None, at, joined(shown, name), "this key is written twice", "", hint)
                continue
            self.result.spots[below] = Spot(at, self.at(child, mark), joined(shown, name))
            values[name] = self._build(child, below, mark, folder)
        for other in merged:
            self._merge(other, values, path, mark, folder)
        return values

    def _merge(self, other: Node, values: dict[str, Any], path: Path, mark: Mark, folder: str) -> None:
        """Take over the keys of `<<: *anchor` that the mapping does not have itself."""
        if not isinstance(other, MappingNode) or id(other) in self.active:
            shown = self.result.spots[path].shown
            problem = "`<<` takes over a mapping, or a list of mappings"
            self._report(codes.BAD_VALUE, None, self.at(other, mark), shown, problem, _kind(other))
            return
        own = {p: s for p, s in self.result.spots.items() if p[: len(path)] == path}
        values |= self._mapping(other, path, mark, folder) | values
        self.result.spots |= own

    def _scalar(self, node: ScalarNode, path: Path) -> Any:
        kind, text = str(node.tag), str(node.value)
        if kind == _TAG + "null":
            return None
        try:
            if kind in _TEXT_TAGS:
                return _whole(text)
            if kind == _TAG + "bool":
                return text.lower() == "true"
            if kind == _TAG + "int":
                return _integer(text)
            if kind == _TAG + "float":
                number = _real(text)
                if math.isfinite(number):
                    return number
                return self._broken(
                    path, codes.BAD_VALUE, "a number must be finite", text, "leave out what has no limit"
                )
        except UnicodeDecodeError:
            return self._broken(path, codes.BAD_VALUE, "this text holds half a character", "an unpaired surrogate")
        except ValueError:
            return self._broken(path, codes.BAD_VALUE, "this number cannot be read", _short(text))
        return self._broken(
            path,
            codes.BAD_VALUE,
            "this YAML tag is not known",
            _short(kind.replace(_TAG, "!!")),
            "the only tag is `!include path`",
        )

    def _include(self, node: Node, path: Path, mark: Mark, folder: str) -> Any:
        spot = self.result.spots[path]
        if not isinstance(node, ScalarNode) or not node.value:
            hint = "write `!include search_spaces/small_cnn.yaml`, relative to this file"
            return self._broken(path, codes.BAD_INCLUDE, "`!include` needs the path of one file", _kind(node), hint)
        file = os.path.normpath(os.path.join(folder, node.value))
        if os.path.realpath(file) in self.open:
            hint = "a file may not include itself, directly or through others"
            return self._broken(path, codes.INCLUDE_CYCLE, "this include goes round in a circle", node.value, hint)
        inner = self.mark(file)
        try:
            child = self.compose_file(file, inner, place(spot.value, spot.shown))
        except SpecError as error:
            line, column = _line_of(error, inner)
            at = Mark(inner.rank, line, column, file) if line else spot.value
            self.issues.append(Issue(at, error))
            self.result.broken.add(path)
            return None
        self.result.spots[path] = Spot(spot.key, self.at(child, inner), spot.shown)
        with self._opened(file):
            return self._build(child, path, inner, os.path.dirname(file))

    @contextmanager
    def _opened(self, file: str | None) -> Iterator[None]:
        if file is None:
            yield
            return
        self.open.append(os.path.realpath(file))
        try:
            yield
        finally:
            self.open.pop()

    def _broken(self, path: Path, code: str, problem: str, got: str = "", hint: str = "") -> None:
        spot = self.result.spots[path]
        self._report(code, path, spot.value, spot.shown, problem, got, hint)

    def _report(
        self, code: str, path: Path | None, at: Mark, shown: str, problem: str, got: str = "", hint: str = ""
    ) -> None:
        if path is not None:
            self.result.broken.add(path)
        self.issues.append(Issue(at, SpecError(code, problem, place(at, shown), got, hint)))


def _line_of(error: SpecError, mark: Mark) -> tuple[int, int]:
    """Line and column of a problem in this text, 0 where it has none."""
    rest = error.place.removeprefix(f"{mark.text}:").split(":")
    if error.place.startswith(f"{mark.text}:") and len(rest) >= 2 and rest[0].isdigit():
        return int(rest[0]), int(rest[1])
    return 0, 0


def _key(node: Node) -> str | None:
    """The text of a key as written, None where it has none."""
    try:
        return _whole(str(node.value)) if isinstance(node, ScalarNode) else None
    except UnicodeDecodeError:
        return None


def _whole(text: str) -> str:
    """Join the surrogate pairs of JSON escapes. Raises UnicodeDecodeError, a ValueError, where half a pair is left."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16")


def _integer(text: str) -> int:
    digits = text.replace("_", "").lower()
    return int(digits, 0) if "0x" in digits or "0o" in digits or "0b" in digits else int(digits)


def _real(text: str) -> float:
    plain = text.replace("_", "").lower()
    return float(plain.replace(".inf", "inf").replace(".nan", "nan"))


def _kind(node: Node) -> str:
    """Name a node where no plain value can be shown."""
    if isinstance(node, MappingNode):
        return "a mapping"
    if isinstance(node, SequenceNode):
        return "a list"
    return _short(node.value.encode("utf-8", "backslashreplace").decode()) if node.value else "nothing"


def _short(text: str, limit: int = 40) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."
