"""What `check` can tell before a night. Tables on stdout, from what --json prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from autodc.cli.terminal import Column, console, duration, print_table
from autodc.review.folding import folded
from autodc.review.numbers import as_sentence

_LEFT = frozenset({"attribute", "dataset", "inputs", "slice", "role"})
FOUR_TIMES, EXPLORED = "four times the rows", "explore rows"

_DROP = {
    "cost": 2,
    "inputs": 1,
    "left out": 3,
    "at 3 pairs": 2,
    "any number": 1,
    "role": 3,
    "that count": 4,
    FOUR_TIMES: 2,
    EXPLORED: 2,
}
"""What is left out first where the terminal is narrow: the highest number."""


def show_preflight(found: Mapping[str, Any]) -> None:
    """What a night would cost and show."""
    out = console()
    names = ("dataset", "rows", "inputs", "left out", "cost", "near copies")
    rows = []
    for row in found["datasets"]:
        near = "" if row["near_copies"] is None else str(row["near_copies"])
        rows.append(
            [row["name"], str(row["rows"]), row["inputs"], str(row["left_out"] or ""), f"{row['cost'] or ''}", near]
        )
    print_table(out, _columns(*names), rows, f"{found['study']}: data; near copies: of held-out rows")
    _print_proposals(out, found["proposals"])
    _print_attributes(out, found["attributes"])
    for name in found["measured_later"]:
        out.print(
            f"{name} asks a network about each row: no slice names its columns, so it is measured by run, not here"
        )
    print_slices(out, found["slices"])
    out.print(as_sentence(found["noise"]["text"]), soft_wrap=not out.is_terminal)
    for part, rows in found["separation"]["parts"].items() if found["separation"]["cut"] else ():
        words = f"{part}: the search sees {rows['explore']} rows, {rows['gate']} others decide"
        column = found["separation"].get("times", {}).get(part)
        words += f", the newest by `{column}`" if column else ""
        out.print(words, soft_wrap=not out.is_terminal)
    if found["labelling"] is not None:
        out.print(as_sentence(found["labelling"]["words"]), soft_wrap=not out.is_terminal)
    night = found["night"]
    out.print(
        f"the night: up to {night['trainings']} trainings ({night['search']} search, {night['gate']} gate, "
        f"{night['calibration']} calibration, {night['credit']} to split the gain, {night['test']} for the last "
        f"measurement), {night['tests']} comparisons on an error budget of {night['fdr']:g}"
    )
    if night["each_to_the_last"]:
        out.print(
            f"about {night['each_to_the_last']} trainings (budget.trainings) take each candidate to the last look",
            soft_wrap=not out.is_terminal,
        )
    out.print(as_sentence(found["tracking"]), soft_wrap=not out.is_terminal)
    out.print(
        f"disk: about {night['disk_mb']:.3g} MB, {night['data_mb']:.3g} of them datasets while it runs, "
        f"{night['outcome_mb']:.3g} the scores of each training; models come on top"
    )
    limit = night["timeout"]
    out.print(
        f"a training that takes {limit['times_pace']:g} times what is usual in this study, {duration(limit['least'])} "
        f"at least, is ended and has failed ({duration(limit['first'])} while nothing is known); trial_timeout in the "
        "machine file sets another limit",
        soft_wrap=not out.is_terminal,
    )
    places = [str(one["name"]) for one in (*found["datasets"], *found["slices"])]
    for warning in folded([w for w in found["warnings"] if w not in found["alarms"]], places):
        out.print(Text.assemble(("warning: ", "yellow"), warning))
    if not found["can_keep"]:
        out.print("nothing was trained; it can run, but it could keep nothing")
    else:
        out.print("nothing was trained; all is well" if not found["warnings"] else "nothing was trained; it can run")


def _print_proposals(out: Console, found: Mapping[str, Any]) -> None:
    """Who makes data in the night, of what, and what that costs at most."""
    if not found["proposers"]:
        return
    rows = []
    for one in found["proposers"]:
        cost = f"{one['cost']:g}" if one["cost"] else ""
        datasets = "" if one["datasets"] is None else str(one["datasets"])
        rows.append([one["name"], one["has"], datasets, str(one["rows"] or ""), cost])
    columns = [
        Column(name="proposer"),
        Column(name="works with", wraps=True),
        *(Column(name=name, right=True) for name in ("datasets", "rows", "cost")),
    ]
    print_table(out, columns, rows, "data made for what is found; datasets of a round, rows of each, cost: at most")
    limit, most = found["cost_limit"], found["cost_at_most"]
    if most:
        least = most if limit is None else min(most, limit)
        words = "without a budget.cost" if limit is None else f"budget.cost is {limit:g}"
        out.print(f"made data cost at most {least:g} in the night; {words}", soft_wrap=not out.is_terminal)


def _print_attributes(out: Console, attributes: list[Mapping[str, Any]]) -> None:
    """What `where` may name beside metadata, and where the values lie."""
    rows = []
    for one in attributes:
        low, high = ("" if one[key] is None else f"{one[key]:.3g}" for key in ("low", "high"))
        rows.append([one["name"], low, high, str(one["values"]), str(one["missing"] or "")])
    if rows:
        columns = _columns("attribute", "5%", "95%", "values", "missing")
        print_table(out, columns, rows, "attributes of validation, and where nine of ten of its rows lie")


def print_slices(out: Console, slices: list[Mapping[str, Any]]) -> None:
    """What each slice can show; the objective is the last."""
    names = ("slice", "role", "explore", "gate", "that count", "margin", "at 3 pairs", "at 8 pairs", "any number")
    rows = []
    for row in slices:
        shown = [_shown(row["shows"][key]) for key in ("3", "8", "unlimited")]
        shown += [_shown(row["more_shows"]["unlimited"]), _shown(row["explore_shows"]["unlimited"])]
        margin = "" if row["margin"] is None else f"{row['margin']:g}"
        name, role = ("(targets together)", "objective") if row["role"] == "objective" else (row["name"], row["role"])
        counts = [str(row["explore"]), str(row["rows"]), f"{row['counting_rows']:.0f}"]
        rows.append([name, role, *counts, margin, *shown])
    title = "slices: the smallest difference that gate rows show in 8 of 10 cases; last: with any number of pairs"
    print_table(out, _columns(*names, FOUR_TIMES, EXPLORED), rows, title)


def _shown(value: float | None) -> str:
    return "?" if value is None else _number(value)


def _number(value: float) -> str:
    """Three places for shares, three digits for what is larger, two for what would be none."""
    return f"{value:.2g}" if value < 0.001 else f"{value:.3f}" if value < 10 else f"{value:.3g}"


def _columns(*names: str) -> list[Column]:
    return [Column(name=name, right=name not in _LEFT, drop=_DROP.get(name, 0)) for name in names]
