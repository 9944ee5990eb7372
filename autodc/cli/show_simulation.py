"""What `simulate` showed of nights whose truth is known. Tables on stdout, from what --json prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from autodc.cli.show_before import print_slices
from autodc.cli.terminal import Column, console, print_table

NONE = "–"
"""Where there is nothing to count."""
_LEFT = frozenset({"night", "what is counted", "what a dataset does"})
_DROP = {"kept": 2, "of them harm a guard": 1, "pairs each": 3}
"""What is left out first where the terminal is narrow: the highest number."""


def show_simulation(found: Mapping[str, Any]) -> None:
    """How often the gate is wrong on these rows, and what it detects."""
    out = console()
    source = found["calibration"]
    trained = f", {source['trained_now']} of them trained now" if source["trained_now"] else ""
    how = "assumed, not measured: nothing moves in" if found["deterministic"] else "measured on"
    out.print(f"{found['study']}: noise {how} {source['source']}{trained}", soft_wrap=not out.is_terminal)
    print_slices(out, found["slices"])
    (_show_together if found["evidence"] == "together" else _show_each)(out, found)
    out.print(found["verdict"])


def _show_together(out: Console, found: Mapping[str, Any]) -> None:
    useless, mixed = found["useless"], found["mixed"]
    nights, many = found["nights"], found["datasets"]
    twins = found["substitutes"]
    rows = [
        ["useless", "keep any dataset", useless["keeping"]],
        ["", "keep settings, no better", useless["tuning"]],
        *([f"small, {one['gain']:+g} together", "keep any", one["found"]] for one in found["joint"]),
        [f"two alike, {twins['gain']:+g} each", "keep one or both", twins["one"]],
        ["all kinds", "cures kept", mixed["cures"]],
        ["", "cures kept on their own", mixed["alone"]],
        ["", "small helpers kept", mixed["small"]],
        ["", "useless kept, in a block", mixed["useless"]],
        ["", "harmful kept", mixed["harmful"]],
        ["", "undecided, of all", mixed["undecided"]],
    ]
    title = f"{nights} nights of {many} datasets of each kind; in brackets: 95% interval"
    shares = [[night, what, _share(share)] for night, what, share in rows if share["of"]]
    print_table(out, _columns("night", "what is counted", "share"), shares, title)
    reached = [
        [f"{one['gain']:+g}", f"{one['reached']['mean']:+.2g}", *(_gain(one, n) for n in ("seen", "true"))]
        for one in found["joint"]
    ]
    names = ("small together", "kept of it", "seemed", "in truth")
    print_table(out, _columns(*names), reached, "mean gains; the last two: of the whole, where it was shown")
    each = f"{useless['trainings']['mean']:.0f} where all are useless, {mixed['trainings']['mean']:.0f} with all kinds"
    out.print(f"trainings of the gate a night: {each}", soft_wrap=not out.is_terminal)


def _gain(one: Mapping[str, Any], name: str) -> str:
    return f"{one[name]['mean']:+.2g}" if one["found"]["hits"] else NONE


def _show_each(out: Console, found: Mapping[str, Any]) -> None:
    names = ("night", "keep anything", "kept", "of them wrong", "of them harm a guard", "helpful kept", "pairs each")
    rows = []
    for name, label in (("null", "all useless"), ("mixed", "a quarter helpful")):
        night = found[name]
        rows.append(
            [
                label,
                _share(night["nights_keeping"]),
                str(night["kept"]["hits"]),
                _share(night["false_keeps"]),
                _share(night["guard_harmed"]),
                _share(night["power"]),
                f"{night['pairs']['mean']:.1f}",
            ]
        )
    many = f"{found['nights']} nights of {found['tests']} datasets each"
    print_table(out, _columns(*names), rows, f"{many}; in brackets: 95% interval of the simulation")
    alone = [
        [_does(row), *(_share(row[name]) for name in ("kept", "dropped", "undecided")), f"{row['pairs']['mean']:.1f}"]
        for row in found["planted"]
    ]
    effects = ("what a dataset does", "kept", "dropped", "undecided", "pairs")
    first = f"one dataset, compared as the first of a study, {found['decisions']} times each"
    print_table(out, _columns(*effects), alone, f"{first}, up to {found['pairs_at_most']} pairs")


def _does(row: Mapping[str, Any]) -> str:
    text = f"{row['gain']:+g} on one target"
    if row["guard"] is not None:
        text += f", {row['guard']:+g} on a guard (wrong to keep)"
    return text if row["helpful"] or row["guard"] is not None else f"{text} (wrong to keep)"


def _share(share: Mapping[str, Any]) -> str:
    if not share["of"]:
        return NONE
    return f"{share['share']:.0%} ({100 * share['low']:.0f}–{100 * share['high']:.0f})"


def _columns(*names: str) -> list[Column]:
    return [Column(name=name, right=name not in _LEFT, drop=_DROP.get(name, 0)) for name in names]
