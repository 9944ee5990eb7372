"""Findings as a page shows them: the rule, the interval drawn, the causes, and pictures, rows or text beside."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from markupsafe import Markup, escape

from autodc.report import charts
from autodc.report.densities import drawn_lying
from autodc.report.pictures import png

Array = np.ndarray[Any, Any]
Exhibits = Callable[[str], Mapping[str, Array] | None]
"""Address of an exhibit → its arrays; None where they are lost."""

PICTURES = (("inputs", "input"), ("predictions", "output"), ("truths", "truth"), ("errors", "error"))
"""Arrays of pictures in an exhibit, and what they are called."""
WAYS = {
    "columns": "the nearest passing row",
    "words": "the nearest passing text",
    "pca": "principal components of the inputs",
    "vae": "a conditional autoencoder of the inputs",
}
"""How a nearest input is looked for, in words."""
STRONGEST = 8
"""Times that a difference of pictures is made stronger at most, so that it is seen."""
VALUES_SHOWN = 3
"""Values of a row that are told below its picture."""


def drawn(
    views: Sequence[Mapping[str, Any]],
    exhibits: Exhibits,
    nearest: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> list[dict[str, Any]]:
    """The findings of one diagnosis, their intervals on one scale. nearest: finding → its counterfactuals."""
    scale = charts.difference_scale([one["error"] for one in views])
    return [
        {
            **_drawn(one, scale, exhibits(one["exhibit"]) if one["exhibit"] else None),
            "near": _near(nearest[one["id"]]) if one["id"] in nearest else None,
        }
        for one in views
    ]


def nothing(address: str) -> Mapping[str, Array] | None:
    """No exhibit is kept."""
    return None


def _drawn(one: Mapping[str, Any], scale: charts.Scale, arrays: Mapping[str, Array] | None) -> dict[str, Any]:
    causes = [dict(cause) for cause in one["causes"]]
    side = charts.difference_scale(causes)
    return {
        **one,
        "bar": _bar(one["error"], scale, "bad" if one["status"] == "confirmed" else "open"),
        "causes": [{**cause, "bar": _bar(cause, side, "open")} for cause in causes],
        "shown": None if arrays is None else drawn_rows(arrays),
    }


def _near(seen: Mapping[str, Any]) -> dict[str, Any]:
    """Counterfactuals: the table, and examples with pictures before, after and the difference."""
    scale = charts.difference_scale(seen["shifts"])
    examples = [dict(one) for one in seen["examples"]]
    pairs = [np.asarray(one, dtype=float) for one in seen.get("pictures", ((), ()))]
    changes = pairs[1] - pairs[0]
    largest = float(np.abs(changes).max(initial=0.0))
    stronger = max(1, min(STRONGEST, int(255 / largest))) if largest else 1
    for k, (before, after) in enumerate(zip(*seen.get("pictures", ((), ())), strict=True)):
        difference = np.clip(127.5 + stronger * changes[k] / 2, 0, 255).astype(np.uint8)
        sources = (("input", before), ("what would pass", after), ("difference", difference))
        if k < len(examples):
            examples[k]["pictures"] = [{"name": name, "source": png(one)} for name, one in sources]
    return {
        "by": WAYS.get(seen["by"], seen["by"]),
        "stronger": stronger,
        "tried": seen["tried"],
        "found": seen["found"],
        "shifts": [{**one, "bar": _bar(one, scale, "open")} for one in seen["shifts"]],
        "needed": list(seen.get("needed", {}).items())[:8],
        "left_out": seen.get("left_out", []),
        "examples": examples,
    }


def _bar(seen: Mapping[str, Any], scale: charts.Scale, tone: str) -> dict[str, Any]:
    """An interval in a colour of its own: here up is worse."""
    return {**(charts.bar(seen, scale) or {}), "tone": tone}


def drawn_rows(arrays: Mapping[str, Array]) -> dict[str, Any]:
    """Cards of an exhibit with their pictures, the failing ones apart from those that pass."""
    cards = cards_of(arrays)
    rows, count, words = cards["rows"], cards["failing"], cards.get("words", [])
    for k, row in enumerate(rows):
        _draw(row, k, arrays, words)
    return {
        "kind": cards["kind"],
        "failing": rows[:count],
        "passing": rows[count:],
        "columns": list(rows[0]["values"]) if rows else [],
        "words": words,
        "lying": drawn_lying(cards["lying"]) if "lying" in cards else None,
    }


def drawn_worst(arrays: Mapping[str, Array], most: int) -> tuple[str, list[dict[str, Any]]]:
    """The kind of an exhibit, and the cards of so many failing rows, the worst first; nothing else of it is drawn."""
    cards = cards_of(arrays)
    rows = cards["rows"][: min(cards["failing"], most)]
    for k, row in enumerate(rows):
        _draw(row, k, arrays, cards.get("words", []))
    return cards["kind"], rows


def cards_of(arrays: Mapping[str, Array]) -> dict[str, Any]:
    """What an exhibit tells of its rows beside their pictures."""
    return dict(json.loads(bytes(np.asarray(arrays["cards"], dtype=np.uint8))))


def card_drawn(card: Mapping[str, Any], k: int, arrays: Mapping[str, Array]) -> dict[str, Any]:
    """One card of an exhibit with what is shown of it. k: its place in the arrays."""
    row = dict(card)
    _draw(row, k, arrays, ())
    return row


def _draw(row: dict[str, Any], k: int, arrays: Mapping[str, Array], words: Sequence[str]) -> None:
    """Write into a card what is shown of it. k: its place in the arrays; words: that are marked in its text."""
    row["pictures"] = [{"name": said, "source": png(arrays[name][k])} for name, said in PICTURES if name in arrays]
    row["values"] = {name: _value(value) for name, value in row["values"].items()}
    row["few"] = list(row["values"].items())[:VALUES_SHOWN]
    row["quality"] = " · ".join(f"{name} {_value(value)}" for name, value in row.get("quality", {}).items())
    if "text" in row:
        row["text"] = _marked(row["text"], words)
    for key in ("target", "prediction"):
        if key in row:
            row[key] = _value(row[key])


def _value(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _marked(text: str, words: Sequence[str]) -> Markup:
    """The text with the telling words marked; everything in it is escaped."""
    if not words:
        return escape(text)
    pieces = re.split(rf"\b({'|'.join(map(re.escape, words))})\b", text, flags=re.IGNORECASE)
    marked = (Markup("<mark>{}</mark>").format(p) if i % 2 else escape(p) for i, p in enumerate(pieces))
    return Markup("").join(marked)
