"""How results and talk reach a terminal, a log or a pipe: whole words, and columns that fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Literal, final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from autodc.cli.streams import nobody_reads

UNWRAPPED = 10_000
"""Width of what is no terminal: a line of a log is as long as what it says."""
NARROWEST = 24
"""Width of a column that wraps, at least."""


def console() -> Console:
    """A console on stdout that prints words as they are. Where it is no terminal nothing is wrapped."""
    return _open(stderr=False)


def talk() -> Console:
    """A console on stderr, for what is said while work goes on."""
    return _open(stderr=True)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table.

    drop: of columns with one, the highest leaves the table first where the terminal is narrow, and its cells follow
    below it; wraps: its cells may go over lines, each of NARROWEST characters or more.
    """

    name: str
    right: bool = False
    drop: int = 0
    wraps: bool = False


def print_table(out: Console, columns: Sequence[Column], rows: Sequence[Sequence[Text | str]], title: str = "") -> None:
    """Print a table whose cells stay on one line unless their column wraps, with as many columns as fit.

    What a column that does not fit holds stands below the table, row by row. Where even those that must stay do not
    fit, every row becomes a few lines of its own.
    """
    if title:
        out.print(Text(title, style="italic"))
    left = list(range(len(columns)))
    if _fits(out, table := _drawn(columns, rows, left, folds=False)):
        out.print(table)
        return None
    while not _fits(out, table := _drawn(columns, rows, left, folds=True)):
        spare = [k for k in left if columns[k].drop]
        if not spare:
            return _listed(out, columns, rows, range(len(columns)))
        left.remove(max(spare, key=lambda k: columns[k].drop))
    out.print(table)
    if apart := [k for k in range(len(columns)) if k not in left]:
        told = [row for row in rows if any(len(row[k]) for k in apart)]
        _listed(out, columns, told, [0, *apart], beside=True)
    return None


class _Console(Console):
    """Rich's own answer to a reader that has left is exit code 1, which says a defect."""

    def on_broken_pipe(self) -> None:
        nobody_reads()
        raise SystemExit(0)


def _open(*, stderr: bool) -> Console:
    found = _Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if found.is_terminal:
        return found
    return _Console(stderr=stderr, highlight=False, markup=False, emoji=False, width=UNWRAPPED)


def _drawn(columns: Sequence[Column], rows: Sequence[Sequence[Text | str]], left: Sequence[int], folds: bool) -> Table:
    """The table of some columns. folds: whether long names of columns go over lines."""
    table = Table()
    for k in left:
        one = columns[k]
        cells = [line.cell_len for row in rows for line in Text.assemble(row[k]).split("\n")] or [0]
        narrow = max(*cells, *map(len, one.name.split() or [""]))
        words = fill(one.name, narrow, break_long_words=False) if folds else one.name
        widest = max(*cells, *map(len, words.split("\n")))
        least = min(widest, NARROWEST) if one.wraps else widest
        justify: Literal["left", "right"] = "right" if one.right else "left"
        table.add_column(words, justify=justify, no_wrap=not one.wraps, min_width=least)
    for row in rows:
        table.add_row(*(row[k] if isinstance(row[k], Text) else Text(str(row[k])) for k in left))
    return table


def _fits(out: Console, table: Table) -> bool:
    return out.measure(table, options=out.options.update(max_width=UNWRAPPED)).minimum <= out.width


def _listed(
    out: Console,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Text | str]],
    shown: Sequence[int],
    beside: bool = False,
) -> None:
    """A row as its first cell and, below or beside it, the others by name."""
    first, *others = shown
    for row in rows:
        cells = [Text.assemble((f"{columns[k].name} ", "dim"), row[k]) for k in others if len(row[k])]
        if beside:
            name = " ".join(Text.assemble(row[first]).plain.split())
            out.print(Padding(Text(f"{name}: ").append(Text(", ").join(cells)), (0, 0, 0, 2)))
            continue
        out.print(Text.assemble(row[first]), soft_wrap=True)
        out.print(Text("   ").append(Text(", ").join(cells)))


def duration(seconds: float | None) -> str:
    """Seconds as a person says them."""
    if seconds is None:
        return "?"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
