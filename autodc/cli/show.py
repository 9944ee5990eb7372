"""Results on the terminal: tables on stdout, drawn from the same plain data that --json prints."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

from rich.console import Console
from rich.text import Text

from autodc.adapters.mlflow.store import opening
from autodc.cli.show_requests import show_requests
from autodc.cli.terminal import Column, console, duration, print_table
from autodc.review import beside, by_chance, requests, status, tables, views
from autodc.study.journal.state import State
from autodc.study.rules.last import INCUMBENT
from autodc.study.view import spec_of
from autodc.verbs.outputs import REPORT, open_result
from autodc.verbs.run import Result

NAMES_WIDTH = 14
"""Of a cell that names several datasets."""

_COLOURS = {"keep": "green", "drop": "red", "undecided": "yellow"}
_VERDICTS = (
    Column(name="dataset"),
    Column(name="verdict"),
    Column(name="weight", right=True, drop=2),
    Column(name="slice"),
    Column(name="difference", right=True),
    Column(name="interval", right=True),
    Column(name="pairs", right=True, drop=1),
    Column(name="why", drop=3),
)


def show_result(result: Result) -> None:
    """The verdict table, the slices before and after, where the rest is."""
    state, content = open_result(result.folder)
    out = console()
    print_table(
        out, _VERDICTS, [_verdict_cells(row) for row in views.verdict_rows(state)], f"{content['study']}: verdicts"
    )
    for name in state.by_chance:
        if words := by_chance.sentence(state, name):
            out.print(f"{name}: {words}", soft_wrap=not out.is_terminal)
    _print_slices(out, state, content)
    _print_baselines(out, state, content)
    show_requests(out, requests.views(state), spec_of(state).task.kind == "classification")
    used = content["spent"]
    busy = f", workers {used['busy_share']:.0%} busy" if used["busy_share"] is not None else ""
    failed = sum(t.outcome is not None and t.outcome.status == "failed" for t in state.trials)
    lost = f" ({failed} failed)" if failed else ""
    out.print(
        f"{used['trainings']:g} trainings{lost} in {duration(used['wall_seconds'])}{busy}; "
        f"stopped because: {content['stopped_because']}"
    )
    if content["left"]:
        out.print(f"left:   {content['left']['text']}", soft_wrap=not out.is_terminal)
    if go_on := status.going_on(state):
        out.print(go_on, soft_wrap=not out.is_terminal)
    if waiting := [one for one in content["requests"] if one["status"] == "open"]:
        out.print(f"order:  {result.folder / waiting[0]['file']}", soft_wrap=True)
    out.print(f"report: {result.folder / REPORT}", soft_wrap=True)
    if content.get("mlflow"):
        out.print(f"MLflow: {opening(content['mlflow'])}", soft_wrap=True)
    out.print(f"why:    autodc why {shlex.quote(str(result.folder))} DATASET", soft_wrap=True)


def _verdict_cells(row: Mapping[str, Any]) -> list[Any]:
    told = row["difference"] is not None
    return [
        _names(row["members"]),
        Text(row["verdict"], style=_COLOURS[row["verdict"]]),
        f"{row['weight']:.2f}" if row["weight"] else "",
        row["slice"] or "",
        f"{row['difference']:+.3f}" if told else "",
        _interval(row) if told else "",
        str(row["pairs"]) if told else "",
        row["why"],
    ]


def _names(members: Sequence[str]) -> str:
    """One dataset, or several that were decided together, a few to a line."""
    if len(members) == 1:
        return members[0]
    return f"{len(members)} together:\n" + fill(", ".join(members), NAMES_WIDTH, break_long_words=False)


def _interval(row: Mapping[str, Any]) -> str:
    """An interval with its level, or that there is none."""
    if row["low"] is None or row["high"] is None:
        return "not known"
    level = f" ({row['level']:.0%})" if row["level"] else ""
    return f"{row['low']:+.3f} … {row['high']:+.3f}{level}"


def _print_slices(out: Console, state: State, content: Mapping[str, Any]) -> None:
    """Validation and, where it was opened, the test set, start and end."""
    found = tables.slice_rows(state, content)
    if not content["test"]:
        columns = [Column(name="slice"), Column(name="validation before", right=True), Column(name="after", right=True)]
        rows = [[row["name"], *map(_value, row["validation"])] for row in found]
        print_table(out, columns, rows, "slices, start and end (no test set was opened)")
        return
    columns = [
        Column(name="slice"),
        Column(name="validation before", right=True, drop=2),
        Column(name="validation after", right=True, drop=1),
        *(Column(name=name, right=True) for name in ("test before", "after", "difference", "interval")),
    ]
    rows = []
    for row in found:
        seen = row["difference"]
        told = ["", ""] if seen is None else [f"{seen['difference']:+.3f}", f"{seen['low']:+.3f} … {seen['high']:+.3f}"]
        rows.append([row["name"], *map(_value, row["validation"]), *map(_value, row["test"]), *told])
    print_table(out, columns, rows, "slices, start and end")


def _print_baselines(out: Console, state: State, content: Mapping[str, Any]) -> None:
    """The end beside the obvious and the simple, a line each; below them in red what is better than the end."""
    found, numbers = content["baselines"], tables.scales(state, content)
    if not found:
        return
    obvious, simple = beside.shown(found), beside.simple_shown(found)
    if obvious:
        where = beside.ROWS[found[INCUMBENT]["rows"]]
        out.print(f"beside: {beside.line(found, numbers)} (objective, {where})", soft_wrap=not out.is_terminal)
    if simple:
        where = beside.ROWS[found[simple[0]]["rows"]]
        out.print(f"simple: {beside.simple_line(found, numbers)} (objective, {where})", soft_wrap=not out.is_terminal)
    for row in beside.rows(found, numbers):
        if row["standing"] == "behind":
            words = f"{row['name']}, is better than the end: {row['words']}"
            out.print(Text(words, style="bold red"), soft_wrap=not out.is_terminal)


def _value(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
