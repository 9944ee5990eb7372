"""Read YAML 1.2 with `!include`, keeping the line and column of every node through includes.

Scalars are those of JSON: `1e-3` is a number, `no` and `2026-11-23` are text, mapping keys are the text as written.
"""

from __future__ import annotations

import math
import os
from typing import Any, Final, final

from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.nodes import Node as YamlNode

from autodc.errors import SpecError
from autodc.studyfile import codes
from autodc.studyfile.document import Document, Issue, Mark, Node, NodeKey, joined, place
from autodc.studyfile.yaml_text import MAX_DEPTH, MAX_NODES, compose, read_utf8, too_large

INCLUDE: Final = "!include"
_TAG: Final = "tag:yaml.org,2002:"


def read_file(path: str) -> tuple[Document, list[Issue]]:
    """Read a file whose top level is a mapping; also return the problems found inside it.

    Raises SpecError where nothing can be read at all: no file, not UTF-8, not YAML, empty, no mapping.
    """
    reader = _Reader()
    text = Mark(0, 0, 0, path)
    node = reader.compose(path, text, path)
    if not isinstance(node, MappingNode):
        raise SpecError(
            codes.NOT_A_MAPPING,
            "the top of the file must be a mapping of keys to values",
            str(reader.at(node, text)),
            _kind(node),
            "start with `schema_version: 1` and `name: ...` at the left margin",
        )
    return reader.document(node, text)


def read_text(text: str, shown: str, folder: str, rank: int) -> tuple[Document, list[Issue]]:
    """Read one value given outside a file; `!include` is relative to `folder`. Raises SpecError as `read_file`."""
    mark = Mark(rank, 0, 0, shown)
    node = compose(text, mark)
    return (Document(Node(None, mark)), []) if node is None else _Reader(mark, folder).document(node, mark)


@final
class _Reader:
    """One reading: the texts met so far, the files that are open, the problems found.

    fixed, folder: of a text that is no file, the mark of everything in it, and what its includes are relative to.
    """

    def __init__(self, fixed: Mark | None = None, folder: str = "") -> None:
        self.fixed, self.folder = fixed, folder
        self.texts: list[str] = []
        self.open: list[str] = []
        self.active: set[int] = set()
        self.count = 0
        self.issues: list[Issue] = []

    def document(self, node: YamlNode, text: Mark) -> tuple[Document, list[Issue]]:
        """Build the tree of a composed text."""
        self.open = [] if self.fixed else [os.path.realpath(text.text)]
        self.texts = [text.text]
        try:
            return Document(self._build(node, text, "")), self.issues
        except RecursionError:
            raise too_large(str(text)) from None

    def at(self, node: YamlNode, text: Mark) -> Mark:
        """Where a node starts."""
        start = node.start_mark
        return self.fixed or Mark(text.rank, start.line + 1, start.column + 1, text.text)

    def compose(self, path: str, text: Mark, where: str) -> YamlNode:
        """Read a file as YAML nodes; `where` is named if it cannot be opened."""
        node = compose(read_utf8(path, where), text)
        if node is None:
            raise SpecError(codes.EMPTY, "the file is empty", str(text))
        return node

    def _build(
        self, yaml: YamlNode, text: Mark, shown: str, key: Mark | None = None, name: NodeKey = "", deep: int = 0
    ) -> Node:
        """The node of a value with all below it. shown: its path as written."""
        self.count += 1
        node = Node(None, self.at(yaml, text), key, _short(name) if isinstance(name, str) else name)
        if self.count > MAX_NODES or deep > MAX_DEPTH:
            raise too_large(str(node.mark))
        if str(yaml.tag) == INCLUDE:
            return self._include(node, yaml, text, shown, deep)
        if isinstance(yaml, ScalarNode):
            self._scalar(node, yaml, shown)
        elif id(yaml) in self.active:
            self._broken(node, shown, codes.BAD_VALUE, "this anchor contains itself", hint="write the value out")
        else:
            self.active.add(id(yaml))
            if isinstance(yaml, MappingNode):
                node.value = self._mapping(yaml, text, shown, deep)
            else:
                node.value = [
                    self._build(child, text, joined(shown, i), None, i, deep + 1) for i, child in enumerate(yaml.value)
                ]
            self.active.discard(id(yaml))
        return node

    def _mapping(self, yaml: MappingNode, text: Mark, shown: str, deep: int) -> dict[str, Node]:
        values: dict[str, Node] = {}
        merged: list[YamlNode] = []
        for key, child in yaml.value:
            if str(key.tag) == f"{_TAG}merge":
                merged += child.value if isinstance(child, SequenceNode) else [child]
                continue
            name, at = _key(key), self.at(key, text)
            if name is None:
                self._report(at, shown, codes.BAD_VALUE, "a key must be plain text", _kind(key))
            elif name in values:
                first = values[name].key
                hint = f"the first is at {first}: leave one" if first and first.line else "leave one"
                self._report(at, joined(shown, name), codes.DUPLICATE_KEY, "this key is written twice", "", hint)
            else:
                values[name] = self._build(child, text, joined(shown, name), at, name, deep + 1)
        for other in merged:  # `<<: *anchor`: the keys that the mapping does not have itself
            if isinstance(other, MappingNode) and id(other) not in self.active:
                values |= self._mapping(other, text, shown, deep) | values
            else:
                problem = "`<<` takes over a mapping, or a list of mappings"
                self._report(self.at(other, text), shown, codes.BAD_VALUE, problem, _kind(other))
        return values

    def _scalar(self, node: Node, yaml: ScalarNode, shown: str) -> None:
        kind, text = str(yaml.tag).removeprefix(_TAG), str(yaml.value)
        problem, got, hint = "", _short(text), ""
        try:
            if kind in _READ:
                node.value = _READ[kind](text)
            else:
                problem, hint = "this YAML tag is not known", "the only tag is `!include path`"
                got = _short(str(yaml.tag).replace(_TAG, "!!"))
        except UnicodeDecodeError:
            problem, got = "this text holds half a character", "an unpaired surrogate"
        except ValueError:
            problem = "this number cannot be read"
        if isinstance(node.value, float) and not math.isfinite(node.value):
            node.value, problem, got, hint = None, "a number must be finite", text, "leave out what has no limit"
        if problem:
            self._broken(node, shown, codes.BAD_VALUE, problem, got, hint)

    def _include(self, node: Node, yaml: YamlNode, text: Mark, shown: str, deep: int) -> Node:
        """The node of an included file, at the key of the one that includes it."""
        if not isinstance(yaml, ScalarNode) or not yaml.value:
            hint = "write `!include search_spaces/small_cnn.yaml`, relative to this file"
            problem = "`!include` needs the path of one file"
            return self._broken(node, shown, codes.BAD_INCLUDE, problem, _kind(yaml), hint)
        folder = self.folder if text is self.fixed else os.path.dirname(text.text)
        if "://" in yaml.value or "\0" in yaml.value:
            hint = "write the path of a file, relative to this one"
            return self._broken(node, shown, codes.BAD_INCLUDE, "this is no path", _short(yaml.value), hint)
        file = os.path.normpath(os.path.join(folder, os.path.expanduser(yaml.value)))
        if os.path.realpath(file) in self.open:
            hint = "a file may not include itself, directly or through others"
            problem = "this include goes round in a circle"
            return self._broken(node, shown, codes.INCLUDE_CYCLE, problem, yaml.value, hint)
        if file not in self.texts:
            self.texts.append(file)
        inner = Mark(node.mark.rank if self.fixed else self.texts.index(file), 0, 0, file)
        try:
            child = self.compose(file, inner, place(node.mark, shown))
        except SpecError as error:
            self.issues.append(Issue(inner if error.place.startswith(f"{file}:") else node.mark, error))
            node.broken = True
            return node
        self.open.append(os.path.realpath(file))
        try:
            return self._build(child, inner, shown, node.key, node.name, deep)
        finally:
            self.open.pop()

    def _broken(self, node: Node, shown: str, code: str, problem: str, got: str = "", hint: str = "") -> Node:
        """Report a value, once: what is checked later passes over it."""
        node.broken = True
        self._report(node.mark, shown, code, problem, got, hint)
        return node

    def _report(self, at: Mark, shown: str, code: str, problem: str, got: str = "", hint: str = "") -> None:
        self.issues.append(Issue(at, SpecError(code, problem, place(at, shown), got, hint)))


def _key(node: YamlNode) -> str | None:
    """The text of a key as written, None where it has none."""
    try:
        return _text(str(node.value)) if isinstance(node, ScalarNode) else None
    except UnicodeDecodeError:
        return None


def _text(text: str) -> str:
    """Join the surrogate pairs of JSON escapes. Raises UnicodeDecodeError, a ValueError, where half a pair is left."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16")


def _integer(text: str) -> int:
    digits = text.replace("_", "").lower()
    return int(digits, 0) if "0x" in digits or "0o" in digits or "0b" in digits else int(digits)


def _real(text: str) -> float:
    return float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))


_READ: Final[dict[str, Any]] = {
    **dict.fromkeys(("str", "timestamp", "value"), _text),
    "null": lambda _: None,
    "bool": lambda text: text.lower() == "true",
    "int": _integer,
    "float": _real,
}
"""Tag of a YAML scalar → how its text is read."""


def _kind(node: YamlNode) -> str:
    """Name a node where no plain value can be shown."""
    if isinstance(node, MappingNode):
        return "a mapping"
    if isinstance(node, SequenceNode):
        return "a list"
    return _short(node.value.encode("utf-8", "backslashreplace").decode()) if node.value else "nothing"


def _short(text: str, limit: int = 40) -> str:
    text = text.replace("\0", "\\0")
    return text if len(text) <= limit else text[: limit - 3] + "..."
