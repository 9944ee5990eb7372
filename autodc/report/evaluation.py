"""Writes the page of an evaluation: one file that loads nothing and runs no script."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from markupsafe import Markup

from autodc.files import write_whole
from autodc.report import charts
from autodc.report.findings import drawn_rows
from autodc.report.page import environment
from autodc.report.pictures import png
from autodc.review import evaluation

Array = np.ndarray[Any, Any]

GROUPS = {
    "behind": "Rows on which it is most behind the other",
    "ahead": "Rows on which it is most ahead of the other",
    "furthest": "Rows on which it is furthest from the truth",
}
HIDDEN = -9.0
"""Where a mark lies that is not to be seen."""


class Beside(Protocol):
    """Rows that are shown with what one method says of them, or two (`wire.side_by_side`)."""

    @property
    def group(self) -> str:
        """Why they are shown."""
        ...

    @property
    def part(self) -> str:
        """Where they are from."""
        ...

    @property
    def mine(self) -> Mapping[str, Array]:
        """The exhibit with what the method says."""
        ...

    @property
    def other(self) -> Mapping[str, Array] | None:
        """The same with what the other says."""
        ...


def write_evaluation(path: Path, content: Mapping[str, Any], shown: Sequence[Beside]) -> Path:
    """Write the page and return its path. content: of the evaluation, with `command`, the same once more."""
    write_whole(path, render(content, shown))
    return path


def render(content: Mapping[str, Any], shown: Sequence[Beside]) -> str:
    """Return the page as text."""
    against = content["against"]
    told = {
        "content": content,
        "against": against,
        "names": evaluation.names(content),
        "headline": evaluation.headline(content),
        "how": evaluation.how(content),
        "slices": _slices(content),
        "differences": [] if against is None else _differences(content),
        "costs": evaluation.cost_table(content),
        "limits": evaluation.limit_words(content),
        "galleries": [_gallery(one) for one in shown],
        "downloads": _downloads(content),
        "tone": "" if against is None else ("bad" if against["regressions"] else "good"),
    }
    return environment().get_template("evaluation.html.j2").render(told)


def _slices(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The slice table, each value drawn with its interval, that of the constant as a line."""
    rows = evaluation.slice_table(content)
    known = [one for row in rows for one in (row, row.get("other"), {"value": row["constant"]}) if one]
    values = [end for one in known for end in (one["value"], one.get("low"), one.get("high")) if end is not None]
    scale = charts.value_scale(values)
    for row in rows:
        sides = [row, *([row["other"]] if "other" in row else [])]
        row["bars"] = [_bar(one, row["constant"], scale) for one in sides if one["value"] is not None]
        row["ends"] = (scale.low, scale.high)
    return rows


def _bar(one: Mapping[str, Any], constant: float | None, scale: charts.Scale) -> dict[str, Any]:
    """A value with its interval, as the marks of the page draw it."""
    return {
        "width": charts.BAR_WIDTH,
        "zero": HIDDEN if constant is None else scale.at(constant),
        "low": scale.at(one["low"]),
        "high": scale.at(one["high"]),
        "point": scale.at(one["value"]),
        "cut_low": False,
        "cut_high": False,
        "margin": None,
        "tone": "plain",
    }


def _differences(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = evaluation.difference_table(content)
    scale = charts.difference_scale(rows)
    tones = {"worse": "bad", "slipped": "open", "better": "good", "held": "good"}
    for row in rows:
        drawn = charts.bar(row, scale, row["tolerated"] or None)
        row["bar"] = None if drawn is None else {**drawn, "tone": tones.get(row["standing"], "open")}
    return rows


def _gallery(one: Beside) -> dict[str, Any]:
    """Cards of one group with what both say."""
    mine = drawn_rows(one.mine)
    cards = [*mine["failing"], *mine["passing"]]
    others = None
    if one.other is not None:
        drawn = drawn_rows(one.other)
        others = [*drawn["failing"], *drawn["passing"]]
    for k, card in enumerate(cards):
        card["other"] = None if others is None else others[k]
        card["pictures"] = _pictures(one, k)
    where = "" if one.part == "validation" else f" ({one.part.removeprefix('slice-')})"
    return {"words": GROUPS[one.group] + where, "kind": mine["kind"], "cards": cards, "columns": mine["columns"]}


def _pictures(one: Beside, k: int) -> list[dict[str, Any]]:
    """Input, output of either, truth, and how far either is from it."""
    sides = [("", one.mine), *([(" of the other", one.other)] if one.other is not None else [])]
    found = [("input", one.mine.get("inputs"))]
    found += [(f"output{of}", side.get("predictions")) for of, side in sides]
    found += [("truth", one.mine.get("truths"))]
    found += [(f"error{of}", side.get("errors")) for of, side in sides]
    return [{"name": name, "source": png(pictures[k])} for name, pictures in found if pictures is not None]


def _downloads(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The numbers as files that are in the page itself."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    differences = {} if content["against"] is None else content["against"]["differences"]
    told = ("value", "low", "high", "rows", "groups")
    apart = ("difference", "low", "high", "standing", "worse", "shows")
    writer.writerow(["slice", *told, *(f"difference_{name}" if name != "difference" else name for name in apart)])
    for name in dict.fromkeys([*content["slices"], *differences]):
        one, moved = content["slices"].get(name, {}), differences.get(name, {})
        writer.writerow([name, *(one.get(key) for key in told), *(moved.get(key) for key in apart)])
    whole = json.dumps(content, indent=2, allow_nan=False)
    return [
        {"name": "evaluation.json", "source": _data(whole, "application/json")},
        {"name": "slices.csv", "source": _data(table.getvalue(), "text/csv")},
    ]


def _data(text: str, kind: str) -> Markup:
    return Markup(f"data:{kind};charset=utf-8;base64,") + base64.b64encode(text.encode()).decode()
