"""Results as a notebook shows them: a few lines and tables, without scripts, in the colours of the notebook."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autodc.report.page import PAGE, environment
from autodc.review.numbers import Numbers, duration, listed

VERDICTS = ("kept", "dropped", "undecided")


def result_html(content: Mapping[str, Any], folder: str) -> str:
    """A study: what was kept, its slices, its decisions, what it cost."""
    sides = [content["validation"], content["test"] or {"before": {}, "after": {}}]
    values = [v for side in sides for when in ("before", "after") for v in side[when].values()]
    numbers = Numbers.for_values(values or [0.0])
    used = content["spent"]
    state = f"finished ({content['stopped_because']})" if content["finished"] else "not finished"
    lines = [f"{name}: {listed(content[name], 'nothing')}" for name in VERDICTS]
    lines.append(f"{used['trainings']:g} trainings, {duration(used['wall_seconds'])}, cost {used['cost']:g}; {state}")
    lines.append(f"report: {Path(folder) / PAGE}")
    names = dict.fromkeys(name for side in sides for when in ("before", "after") for name in side[when])
    slices = [
        [name, *(numbers.plain(side[when].get(name)) for side in sides for when in ("before", "after"))]
        for name in names
    ]
    decided = [
        [
            one["subject"],
            one["verdict"],
            numbers.signed(one["objective"]["difference"]),
            numbers.span(one["objective"]["low"], one["objective"]["high"]),
            one["seeds"],
        ]
        for one in content["decisions"]
    ]
    plan = content["incumbent"]
    mixture = [[name, f"{weight:g}", plan["stages"].get(name, "")] for name, weight in plan["mixture"].items()]
    return _page(
        f"study {content['study']}",
        lines,
        [
            ("slices", ["slice", "validation before", "after", "test before", "after"], slices, 1),
            ("decisions", ["subject", "verdict", "difference", "interval", "pairs"], decided, 2),
            ("the model at the end is trained on", ["dataset", "weight", "stage"], mixture, 1),
        ],
    )


def compared_html(content: Mapping[str, Any]) -> str:
    """Runs side by side."""
    studies = content["studies"]
    values = [s["value"] for one in studies for s in one["slices"].values()]
    numbers = Numbers.for_values(values or [0.0])
    labels = [one["label"] for one in studies]
    slices = dict.fromkeys(name for one in studies for name in one["slices"])
    datasets = dict.fromkeys(name for one in studies for name in one["mixture"])
    found = [
        (
            "slices, with 95% intervals",
            ["slice", *labels],
            [[name, *(_value(one["slices"].get(name), numbers) for one in studies)] for name in slices],
            1,
        ),
        (
            "mixtures",
            ["dataset", *labels],
            [[n, *(f"{one['mixture'][n]:g}" if n in one["mixture"] else "" for one in studies)] for n in datasets],
            1,
        ),
    ]
    lines = []
    for one in content["differences"]:
        title = f"{one['of']} against {one['beside']}"
        if not one["comparable"]:
            lines.append(f"{title}: not comparable row by row: {one['why']}")
            continue
        rows = [
            [name, numbers.signed(seen["difference"]), numbers.span(seen["low"], seen["high"]), seen["rows"]]
            for name, seen in one["slices"].items()
        ]
        found.append((f"{title}, up is better", ["slice", "difference", "95% interval", "rows"], rows, 1))
    return _page(" beside ".join(labels), lines, found)


def _value(seen: Mapping[str, Any] | None, numbers: Numbers) -> str:
    if seen is None:
        return ""
    value = numbers.plain(seen["value"])
    return value if seen["low"] is None else f"{value} ({numbers.plain(seen['low'])} to {numbers.plain(seen['high'])})"


def _page(title: str, lines: list[str], tables: list[tuple[str, list[str], list[list[Any]], int]]) -> str:
    shown = [{"title": t, "head": head, "rows": rows, "numbers": n} for t, head, rows, n in tables if rows]
    return environment().get_template("notebook.html.j2").render(title=title, lines=lines, tables=shown)
