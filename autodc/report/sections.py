"""The page's tables: what review tells, each row with its drawing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autodc.report import charts
from autodc.review import beside, tables, together, views
from autodc.review.account import account
from autodc.review.numbers import Numbers
from autodc.review.simple import simple
from autodc.review.wording import PURPOSES, VERDICTS
from autodc.study.journal.records import ComparisonState
from autodc.study.journal.state import State
from autodc.study.phases.order import ORDER
from autodc.study.rules.last import INCUMBENT

PHASES = {phase.name: phase.purpose for phase in ORDER if phase.purpose}

FOREST = 340.0
"""Width of an interval among all decisions, in pixels."""
NAMED = 5
"""So many members of a comparison are told by a number."""

KINDS = {"dataset": "dataset", "tuning": "settings alone", "bundle": "several together", "block": "several as one"}


def verdicts(state: State) -> list[dict[str, Any]]:
    """Rows of the verdict table, kept ones first."""
    order = {"keep": 0, "undecided": 1, "drop": 2}
    rows = sorted(views.verdict_rows(state), key=lambda r: order[r["verdict"]])
    scale = charts.difference_scale(rows)
    slices = state.question.slices
    for row in rows:
        margin = slices.get(row["slice"], {}).get("margin") if row["slice"] else None
        row |= {"bar": charts.bar(row, scale, margin), "tags": _tags(state, row["members"])}
    return rows


def _tags(state: State, names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag for name in names for tag in state.card(name).get("tags", ())))


def slice_rows(state: State, result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row a slice, all values on one scale."""
    rows = tables.slice_rows(state, result)
    values = [v for row in rows for side in ("validation", "test") for v in row[side] if v is not None]
    scale = charts.value_scale(values)
    differences = charts.difference_scale(row["difference"] for row in rows if row["difference"] is not None)
    for row in rows:
        row |= {
            "drawn": [charts.dumbbell(row[side][0], row[side][1], scale) for side in ("validation", "test")],
            "bar": None if row["difference"] is None else charts.bar(row["difference"], differences, row["margin"]),
            "ends": (scale.low, scale.high),
        }
    return rows


def gained(result: Mapping[str, Any], numbers: Numbers) -> dict[str, Any] | None:
    """The account of the gain; None where there is none."""
    found = account(result, numbers)
    if found is None:
        return None
    scale = charts.difference_scale([*found["parts"], *found["kept"]])
    drawn = {part: [{**row, "bar": charts.bar(row, scale)} for row in found[part]] for part in ("parts", "kept")}
    return found | drawn


def beside_rows(result: Mapping[str, Any], numbers: Numbers) -> list[dict[str, Any]]:
    """The end and the obvious baselines, each with the interval by which the end is ahead."""
    found = beside.rows(result["baselines"], numbers)
    scale = charts.difference_scale(found)
    return [{**row, "bar": charts.bar(row, scale)} for row in found]


def levels(state: State) -> list[dict[str, Any]]:
    """The end, the obvious and the simple as lines of the progress plot, on its rows; red: better than the end."""
    told = (None if state.credited is None else state.credited.baselines) or {}
    found = {arm: told.get(arm, {}) for arm in (*beside.NAMES, *state.simple)}
    found |= {arm: {**found[arm], "objective": one["objective"]} for arm, one in simple(state).items()}
    tones = {arm: "bad" if (one.get("high") or 0.0) < 0 else "open" for arm, one in found.items()}
    tones[INCUMBENT] = "end"
    return [
        {"name": beside.name(arm), "value": one["objective"], "tone": tones[arm]}
        for arm, one in found.items()
        if one.get("objective") is not None
    ]


def evidence(state: State) -> list[dict[str, Any]]:
    """Every candidate with its card, its paragraph and all its comparisons, in the order of the study file."""
    found = (views.why(state, name) for name in state.candidates)
    return [one | {"comparisons": [_drawn(c) for c in one["comparisons"]]} for one in found]


def forest(state: State) -> list[dict[str, Any]]:
    """Every comparison that has ended, what having its members does to the targets together, on one wide scale."""
    ended = [one for one in state.comparisons if one.verdict is not None and one.looks]
    rows = [(one, together.estimate(one)) for one in ended]
    told = [
        {
            "round": one.round,
            "subject": one.subject if len(one.members) < NAMED else f"{len(one.members)} together",
            "asks": PURPOSES[one.purpose],
            "verdict": one.verdict,
            "word": _found(one),
            "difference": seen.difference,
            "low": seen.low,
            "high": seen.high,
        }
        for one, seen in rows
    ]
    scale = charts.difference_scale(told, FOREST)
    return [{**row, "bar": charts.bar(row, scale)} for row in told]


def _found(one: ComparisonState) -> str:
    """The verdict in a word; of a comparison that only asked whether something may leave, what it said of that."""
    return "stays" if one.asks_only else VERDICTS[one.verdict or "undecided"]


def others(state: State) -> list[dict[str, Any]]:
    """The comparisons that were not about one dataset alone: settings, and several datasets together."""
    return [_drawn(views.comparison_view(one)) for one in state.comparisons if one.kind != "dataset"]


def _drawn(shown: Mapping[str, Any]) -> dict[str, Any]:
    rows = [[*look["slices"].items(), (views.TOGETHER, look["objective"])] for look in shown["looks"]]
    scale = charts.difference_scale(seen for table in rows for _, seen in table)
    looks = [
        {**look, "rows": [_row(name, seen, scale) for name, seen in table]}
        for look, table in zip(shown["looks"], rows, strict=True)
    ]
    return {**shown, "looks": looks, "kind_words": KINDS.get(shown["kind"], shown["kind"])}


def _row(name: str, seen: Mapping[str, Any], scale: charts.Scale) -> dict[str, Any]:
    return {**seen, "name": name, "bound": _bound(seen), "bar": charts.bar(seen, scale, seen["margin"])}


def _bound(seen: Mapping[str, Any]) -> float | None:
    """The bound where it decides: that of the targets together does not where a single target has passed."""
    z, bound = seen["z"], seen["bound"]
    passed = seen["gained"] == "improved" and z is not None and bound is not None and z < bound
    return None if passed else bound
