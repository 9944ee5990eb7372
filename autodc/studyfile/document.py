"""A file as read: its JSON value, and for every node of it the place a person would look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, final

from autodc.errors import SpecError

Step = str | int
Path = tuple[Step, ...]


@final
@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A point in a text. rank: the order in which texts were met; line and column count from 1, line 0 is no line."""

    rank: int
    line: int
    column: int
    text: str

    def __str__(self) -> str:
        return f"{self.text}:{self.line}:{self.column}" if self.line else self.text


@final
@dataclass(frozen=True, slots=True)
class Spot:
    """Where a node is: its key (None for a list entry), its value, and its path as the person wrote it."""

    key: Mark | None
    value: Mark
    shown: str


@final
@dataclass(frozen=True, slots=True)
class Issue:
    """A problem with the mark it is sorted by."""

    mark: Mark
    error: SpecError


@final
@dataclass(slots=True)
class Document:
    """value: the JSON tree; spots: path → place; broken: paths whose problem is already reported."""

    value: Any
    spots: dict[Path, Spot] = field(default_factory=dict)
    broken: set[Path] = field(default_factory=set)

    def issue(
        self, code: str, path: Path, problem: str, got: str = "", hint: str = "", *, at_value: bool = False
    ) -> Issue:
        """Build a problem at a path: at its value where asked, else its key; the nearest parent stands in."""
        spot = self.nearest(path)
        mark = spot.value if at_value or spot.key is None else spot.key
        return Issue(mark, SpecError(code, problem, place(mark, self.shown(path)), got, hint))

    def nearest(self, path: Path) -> Spot:
        """The place of a path, or of the nearest parent that has one."""
        while path not in self.spots:
            path = path[:-1]
        return self.spots[path]

    def shown(self, path: Path) -> str:
        """The path as the person wrote it, as far as it is written."""
        if path in self.spots or not path:
            return self.spots[path].shown
        return joined(self.shown(path[:-1]), path[-1])

    def is_broken(self, path: Path) -> bool:
        """Whether this node, or one above it, has been reported already."""
        return any(path[:n] in self.broken for n in range(len(path) + 1))

    def rename(self, path: Path, key: str) -> None:
        """Read a misspelt key as `key` from here on; its place and the way it is shown stay."""
        parent = at(self.value, path[:-1])
        parent[key] = parent.pop(path[-1])
        renamed = (*path[:-1], key)
        for old in [p for p in self.spots if p[: len(path)] == path]:
            self.spots[renamed + old[len(path) :]] = self.spots.pop(old)
        self.broken = {renamed + p[len(path) :] if p[: len(path)] == path else p for p in self.broken}

    def put(self, path: Path, value: Any, mark: Mark) -> None:
        """Set what `--set` gives; everything at and below the path is then placed there.

        Mappings on the way are made. Raises LookupError where a list has no such entry, TypeError where the path runs
        through a value that is neither mapping nor list; both carry the path that can be reached.
        """
        node = self.value
        for depth, step in enumerate(path):
            if isinstance(step, int):
                if not isinstance(node, list):
                    raise TypeError(path[:depth])
                if step >= len(node):
                    raise LookupError(path[:depth])
            elif not isinstance(node, dict):
                raise TypeError(path[:depth])
            if depth == len(path) - 1:
                node[step] = value
            elif isinstance(step, str) and node.get(step) is None:
                node[step] = [] if isinstance(path[depth + 1], int) else {}
            node = node[step]
        self.spots = {p: s for p, s in self.spots.items() if p[: len(path)] != path}
        self.broken = {p for p in self.broken if p[: len(path)] != path}
        for below, _ in nodes(value, path):
            self.spots[below] = Spot(mark, mark, spell(below))
        for n in range(1, len(path)):
            self.spots.setdefault(path[:n], Spot(mark, mark, spell(path[:n])))


def place(mark: Mark, shown: str) -> str:
    """`file:line:column: key`, or `--set a.b` where the key says no more than that."""
    return f"{mark}: {shown}" if shown and not str(mark).endswith(f" {shown}") else str(mark)


def spell(path: Path) -> str:
    """Write a path as a person does: `data.candidates[0].cost`."""
    text = ""
    for step in path:
        text = joined(text, step)
    return text


def joined(text: str, step: Step) -> str:
    """Add one step to a written path."""
    if isinstance(step, int):
        return f"{text}[{step}]"
    return f"{text}.{step}" if text else step


def at(value: Any, path: Path) -> Any:
    """The node at a path that exists."""
    for step in path:
        value = value[step]
    return value


def nodes(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every node of a JSON tree with its path, parents first."""
    yield path, value
    children: Iterable[tuple[Step, Any]] = ()
    if isinstance(value, dict):
        children = value.items()
    elif isinstance(value, list):
        children = enumerate(value)
    for step, child in children:
        yield from nodes(child, (*path, step))
