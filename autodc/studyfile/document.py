"""A file as read: a tree of values, each with the marks of itself and of its key, and the problems told by them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, final

from autodc.errors import SpecError

NodeKey = str | int
Path = tuple[NodeKey, ...]

_LIMIT: Final = 60
"""Characters of a value that a message shows."""


@final
@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A point in a text."""

    rank: int
    """The order in which texts were met."""
    line: int
    """From 1; 0 is the text as a whole."""
    column: int
    text: str

    def __str__(self) -> str:
        return f"{self.text}:{self.line}:{self.column}" if self.line else self.text


@final
@dataclass(slots=True)
class Node:
    """One value. Its children are found by the key it is read by, and named by the key that the person wrote."""

    value: Any
    """A scalar, a dict of nodes, or a list of nodes."""
    mark: Mark
    key: Mark | None = None
    """None for the top and for an entry of a list."""
    name: NodeKey = ""
    broken: bool = False
    """Whether its problem is reported already."""
    gone: list[NodeKey] = field(default_factory=list)
    """Keys that were written below it and were taken out, because nothing could be made of them."""

    def children(self) -> Iterable[tuple[NodeKey, Node]]:
        """The values below it by key or index, in the order of the file."""
        if isinstance(self.value, dict):
            return self.value.items()
        return enumerate(self.value) if isinstance(self.value, list) else ()

    def child(self, step: NodeKey) -> Node | None:
        """The value below it at a key or an index, None where there is none."""
        inside = isinstance(step, int) and isinstance(self.value, list) and step < len(self.value)
        if inside or (isinstance(self.value, dict) and step in self.value):
            found: Node = self.value[step]
            return found
        return None

    def plain(self) -> Any:
        """The value as JSON."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        return [child.plain() for child in self.value] if isinstance(self.value, list) else self.value


@final
@dataclass(frozen=True, slots=True)
class Issue:
    """A problem with the mark it is sorted by."""

    mark: Mark
    error: SpecError
    path: Path = ()
    """Where it is, as the document is read; the top for what is no part of it."""


@final
@dataclass(slots=True)
class Document:
    """The tree of a file, with what `--set` put into it."""

    root: Node

    @property
    def value(self) -> Any:
        """The whole as JSON."""
        return self.root.plain()

    def along(self, path: Path) -> list[Node]:
        """The nodes from the top to a path, as far as it is written."""
        found = [self.root]
        for step in path:
            below = found[-1].child(step)
            if below is None:
                break
            found.append(below)
        return found

    def has(self, path: Path) -> bool:
        """Whether a path is written."""
        return len(self.along(path)) > len(path)

    def at(self, path: Path) -> Any:
        """The JSON value at a path, None where there is none."""
        return self.along(path)[-1].plain() if self.has(path) else None

    def entries(self, *path: NodeKey) -> Iterator[tuple[Path, Any]]:
        """The entries of a list as JSON, each with its path; none where it is no list."""
        value = self.at(path)
        for i, entry in enumerate(value if isinstance(value, list) else ()):
            yield (*path, i), entry

    def issue(
        self, code: str, path: Path, problem: str, got: str = "", hint: str = "", *, at_value: bool = False
    ) -> Issue:
        """Build a problem at a path: at its value where asked, else its key; the nearest parent stands in."""
        node = self.along(path)[-1]
        mark = node.mark if at_value or node.key is None else node.key
        return Issue(mark, SpecError(code, problem, place(mark, self.shown(path)), got, hint), path)

    def shown(self, path: Path) -> str:
        """The path as the person wrote it, as far as it is written."""
        written = [node.name for node in self.along(path)[1:]]
        return spell((*written, *path[len(written) :]))

    def is_broken(self, path: Path) -> bool:
        """Whether this node, or one above it, has been reported already."""
        return any(node.broken for node in self.along(path))

    def rename(self, path: Path, key: str) -> None:
        """Read a misspelt key as `key` from here on; its place and the way it is shown stay."""
        siblings = self.along(path[:-1])[-1].value
        siblings[key] = siblings.pop(path[-1])

    def drop(self, path: Path) -> None:
        """Take a key or an entry out."""
        del self.along(path[:-1])[-1].value[path[-1]]

    def lose(self, path: Path) -> None:
        """Take out what nothing can be made of, and know that something was there."""
        self.along(path[:-1])[-1].gone.append(path[-1])
        if self.has(path):
            self.drop(path)

    def put(self, path: Path, value: Any, *, lost: bool) -> None:
        """Set a value at the place of what was there, or of what it should be in. lost: it is a stand-in."""
        above = self.along(path[:-1])[-1]
        old = above.child(path[-1]) or Node(None, above.mark, above.key, path[-1])
        above.value[path[-1]] = _grown(value, old, lost)

    def lost(self) -> frozenset[str]:
        """The keys whose values are not the person's own: taken out, or stand-ins for what is wrong."""
        found = [spell(path) for path, node in _walk(self.root, ()) if node.broken and path]
        found += [spell((*path, step)) for path, node in _walk(self.root, ()) for step in node.gone]
        return frozenset(found)

    def places(self) -> dict[str, str]:
        """Where every value stands: key → `file:line:column: key as written`."""
        return {spell(path): place(node.key or node.mark, shown) for path, node, shown in _below(self.root, (), "")}


def place(mark: Mark, shown: str) -> str:
    """`file:line:column: key`, or `--set a.b` where the key says no more than that."""
    return f"{mark}: {shown}" if shown and not str(mark).endswith(f" {shown}") else str(mark)


def spell(path: Path) -> str:
    """Write a path as a person does: `data.candidates[0].cost`."""
    text = ""
    for step in path:
        text = joined(text, step)
    return text


def joined(text: str, step: NodeKey) -> str:
    """Add one step to a written path."""
    if isinstance(step, int):
        return f"{text}[{step}]"
    return f"{text}.{step}" if text else step


def shown(value: Any) -> str:
    """Name a value in a few words: numbers as they are, text in quotes, containers cut short."""
    if value is None:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    if len(text) <= _LIMIT:
        return text
    if isinstance(value, dict):
        keys = list(value)
        return f"a mapping with {', '.join(keys[:5])}{', ...' if len(keys) > 5 else ''}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return f"{text[: _LIMIT - 4]}...{text[-1]}" if isinstance(value, str) else f"{text[: _LIMIT - 3]}..."


def _grown(value: Any, old: Node, lost: bool) -> Node:
    """The tree of a plain value, all of it where the old one was."""
    grown: Any = value
    if isinstance(value, dict):
        grown = {key: _grown(child, Node(None, old.mark, old.key, key), lost) for key, child in value.items()}
    elif isinstance(value, list):
        grown = [_grown(child, Node(None, old.mark, old.key, i), lost) for i, child in enumerate(value)]
    return Node(grown, old.mark, old.key, old.name, broken=lost)


def _walk(node: Node, path: Path) -> Iterator[tuple[Path, Node]]:
    """A node and every one below it, with their paths."""
    yield path, node
    for step, child in node.children():
        yield from _walk(child, (*path, step))


def _below(node: Node, path: Path, shown: str) -> Iterator[tuple[Path, Node, str]]:
    """Every node below one, with its path, and that as it was written."""
    for step, child in node.children():
        written = joined(shown, child.name)
        yield (*path, step), child, written
        yield from _below(child, (*path, step), written)
