"""What people are asked for, on the terminal, drawn from the same plain data that --json prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from autodc.cli.terminal import Column, console, print_table

COLUMNS = (
    Column(name=""),
    Column(name="what to order", wraps=True),
    Column(name="rows", right=True),
    Column(name="gain, 90%", right=True),
    Column(name="cost", right=True, drop=1),
    Column(name="for", drop=2),
)
"""Of the table of open requests: by how much the mean error of all rows would fall."""
TITLE = "data to order, most gain per cost first (gain: points of the error of all rows)"
TITLE_OF_VALUES = "data to order, most gain per cost first (gain: the mean error of all rows)"


def show_requests(out: Console, found: Sequence[Mapping[str, Any]], shares: bool = True) -> None:
    """The open ones in a table, and what came of those that something was delivered for."""
    waiting = [one for one in found if one["status"] == "open"]
    if waiting:
        print_table(out, COLUMNS, [_cells(one) for one in waiting], TITLE if shares else TITLE_OF_VALUES)
    for one in found:
        for words in one["kept_words"]:
            out.print(Text(f"{one['id']}: {words}"), soft_wrap=not out.is_terminal)


def show_request(found: Mapping[str, Any]) -> None:
    """One request with all that is told of it."""
    out = console()
    rank = f"priority {found['priority']}" if found["priority"] else found["status"]
    out.print(Text.assemble((found["id"], "bold"), f"  {rank}  ", (f"{found['rows']:,} rows {found['which']}", "bold")))
    for words in (
        f"for {found['finding']}: {found['sentence']}",
        *([f"as a condition: {found['rule']}"] if found["is_rule"] else []),
        f"the error of these rows, {found['before']} now, would fall by {found['inside_words']}, that of all rows by "
        f"{found['gain_words']}; {found['basis']}",
        f"cost: {found['cost_words']}",
        f"when: {found['until_words']}",
        f"where: {found['how']}",
        found["tonight"],
        *found["kept_words"],
        f"file: {found['file']}",
    ):
        out.print(Padding(Text(words), (0, 0, 0, 4), expand=False))


def _cells(one: Mapping[str, Any]) -> list[str | Text]:
    cost = "" if one["price"] is None else f"{one['cost']:g}"
    return [Text(one["id"], style="bold"), one["which"], f"{one['rows']:,}", one["gain_short"], cost, one["finding"]]
