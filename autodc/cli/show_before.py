"""What can be told before a night: `check` reads, `simulate` plays. Tables on stdout, from what --json prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table

from autodc.cli.live import duration
from autodc.cli.show import console

_LEFT = frozenset({"dataset", "inputs", "slice", "role", "what a dataset does"})


def show_preflight(found: Mapping[str, Any]) -> None:
    """What a night would cost and show."""
    out = console()
    data = _table(
        f"{found['study']}: data", "dataset", "rows", "inputs", "left out", "cost", "near copies of held-out rows"
    )
    for row in found["datasets"]:
        near = "" if row["near_copies"] is None else str(row["near_copies"])
        data.add_row(
            row["name"], str(row["rows"]), row["inputs"], str(row["left_out"] or ""), f"{row['cost'] or ''}", near
        )
    out.print(data)
    out.print(slice_table(found["slices"]))
    out.print(escape(_sentence(found["noise"]["text"])), soft_wrap=not out.is_terminal)
    apart = found["separation"]
    if apart["diagnosis"]:
        out.print(f"{apart['diagnosis']} rows of validation are set apart for diagnosis, {apart['gate']} decide")
    night = found["night"]
    out.print(
        f"the night: up to {night['trainings']} trainings ({night['search']} search, {night['gate']} gate, "
        f"{night['calibration']} calibration, {night['credit']} to split the gain, {night['test']} on the test set), "
        f"{night['tests']} tests on an error "
        f"budget of {night['fdr']:g}"
    )
    limit = night["timeout"]
    out.print(
        f"a training that takes {limit['times_pace']:g} times what is usual in this study, {duration(limit['least'])} "
        f"at least, is ended and has failed ({duration(limit['first'])} while nothing is known); trial_timeout in the "
        "machine file sets another limit",
        soft_wrap=not out.is_terminal,
    )
    for warning in found["warnings"]:
        out.print(f"[yellow]warning:[/yellow] {escape(warning)}")
    out.print("nothing was trained; all is well" if not found["warnings"] else "nothing was trained; it can run")


def slice_table(slices: list[Mapping[str, Any]]) -> Table:
    """What each slice can show; the objective is the last."""
    table = _table(
        "slices: the smallest difference each can show in 8 of 10 cases",
        *("slice", "role", "rows", "that count", "margin", "at 3 pairs", "at 8 pairs", "with any number of pairs"),
    )
    for row in slices:
        shown = ["?" if row["shows"][key] is None else _number(row["shows"][key]) for key in ("3", "8", "unlimited")]
        margin = "" if row["margin"] is None else f"{row['margin']:g}"
        name, role = ("(targets together)", "objective") if row["role"] == "objective" else (row["name"], row["role"])
        table.add_row(name, role, str(row["rows"]), f"{row['counting_rows']:.0f}", margin, *shown)
    return table


def show_simulation(found: Mapping[str, Any]) -> None:
    """How often the gate is wrong on these rows, and what it detects."""
    out = console()
    source = found["calibration"]
    trained = f", {source['trained_now']} of them trained now" if source["trained_now"] else ""
    out.print(f"{found['study']}: noise measured on {escape(source['source'])}{trained}", soft_wrap=not out.is_terminal)
    out.print(slice_table(found["slices"]))
    nights = _table(
        f"{found['nights']} nights of {found['tests']} datasets each; in brackets: 95% interval of the simulation",
        *("night", "keep anything", "kept", "of them wrong", "of them harm a guard", "helpful kept", "pairs each"),
    )
    for name, label in (("null", "all useless"), ("mixed", "a quarter helpful")):
        night = found[name]
        nights.add_row(
            label,
            _share(night["nights_keeping"]),
            str(night["kept"]["hits"]),
            _share(night["false_keeps"]),
            _share(night["guard_harmed"]),
            _share(night["power"]),
            f"{night['pairs']['mean']:.1f}",
        )
    out.print(nights)
    alone = _table(
        f"one dataset, tested as the first of a study, {found['decisions']} times each, up to "
        f"{found['pairs_at_most']} pairs",
        *("what a dataset does", "kept", "dropped", "undecided", "pairs"),
    )
    for row in found["planted"]:
        alone.add_row(
            _does(row), *(_share(row[name]) for name in ("kept", "dropped", "undecided")), f"{row['pairs']['mean']:.1f}"
        )
    out.print(alone)
    out.print(found["verdict"])


def _does(row: Mapping[str, Any]) -> str:
    text = f"{row['gain']:+g} on one target"
    if row["guard"] is not None:
        text += f", {row['guard']:+g} on a guard (wrong to keep)"
    return text if row["helpful"] or row["guard"] is not None else f"{text} (wrong to keep)"


def _share(share: Mapping[str, Any]) -> str:
    if not share["of"]:
        return "–"
    return f"{share['share']:.0%} ({100 * share['low']:.0f}–{100 * share['high']:.0f})"


def _number(value: float) -> str:
    """Three places for shares, three digits for what is larger."""
    return f"{value:.3f}" if value < 10 else f"{value:.3g}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for name in columns:
        table.add_column(name, justify="left" if name in _LEFT or name == "night" else "right")
    return table
