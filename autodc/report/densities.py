"""Where the marks lie that show failing beside passing rows over the attributes of a rule, and words beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from markupsafe import Markup

from autodc.report.charts import Scale
from autodc.report.pictures import png
from autodc.review.findings import Errors
from autodc.review.numbers import count
from autodc.review.rule_words import rule_words

Array = np.ndarray[Any, Any]

WIDTH, HEIGHT, FLOOR, TOP, EDGE = 340.0, 132.0, 108.0, 8.0, 8.0
"""Of the drawing of one attribute, in pixels."""
SIDE, MAP_LEFT, MAP_TOP = 240.0, 8.0, 8.0
"""Of the map of two."""
FEW, MANY = (170, 182, 196), (196, 48, 38)
"""Colours of the least and of the largest error of a map, which stand out from a light and from a dark page."""
SOLID = 215
"""Of 255: how solid a map is."""


def drawn_lying(told: Mapping[str, Any]) -> dict[str, Any]:
    """What the template needs of diagnose.failure_positions.FailurePositions in its JSON form."""
    along = [_values(one) if one["values"] else _curves(one) for one in told["along"]]
    return {
        "is_share": told["is_share"],
        "fail": "rows that fail" if told["is_share"] else "the fifth of the rows with the largest error",
        "passing": "rows that pass" if told["is_share"] else "all other rows",
        "along": along,
        "map": _map(told) if told["error"] else None,
        "parts": _parts(told),
    }


def _curves(one: Mapping[str, Any]) -> dict[str, Any]:
    edges = one["edges"]
    across = Scale(low=edges[0], high=edges[-1], start=EDGE, end=WIDTH - EDGE)
    up = Scale(low=0, high=max(*one["failing"], *one["passing"]), start=FLOOR, end=TOP)
    middles = [(a + b) / 2 for a, b in pairwise(edges)]
    return {
        "kind": "curves",
        "attribute": one["attribute"],
        "width": WIDTH,
        "height": HEIGHT,
        "floor": FLOOR,
        "top": TOP,
        "left": EDGE,
        "right": WIDTH - EDGE,
        "failing": _path(middles, one["failing"], across, up),
        "passing": _path(middles, one["passing"], across, up),
        "band": _band(one, across),
        "marks": _bounds(one, across),
        "ends": [_said(edges[0], edges), _said(edges[-1], edges)],
        "words": _words(one, _peaks(one, middles)),
        "left_out": one["left_out"],
    }


def _path(x: Sequence[float], y: Sequence[float], across: Scale, up: Scale) -> str:
    """The line of a density, as SVG writes it."""
    return "M" + " L".join(f"{across.at(a):g} {up.at(b):g}" for a, b in zip(x, y, strict=True))


def _band(one: Mapping[str, Any], across: Scale) -> dict[str, float] | None:
    """The range that the rule asks for, cut to what is drawn; at least a line."""
    if one["low"] is None and one["high"] is None:
        return None
    start = across.start if one["low"] is None else across.at(one["low"])
    end = across.end if one["high"] is None else across.at(one["high"])
    return {"x": start, "width": max(round(end - start, 1), 2.0)}


def _bounds(one: Mapping[str, Any], across: Scale) -> list[dict[str, Any]]:
    """Bounds of the rule that lie within what is drawn, with their numbers."""
    found = []
    for side in ("low", "high"):
        value = one[side]
        if value is not None and across.low < value < across.high:
            at = across.at(value)
            anchor = "start" if at < WIDTH / 5 else ("end" if at > 4 * WIDTH / 5 else "middle")
            found.append({"x": at, "words": f"{value:.4g}".replace("-", "−"), "anchor": anchor})
    return found


def _values(one: Mapping[str, Any]) -> dict[str, Any]:
    largest = max(*one["failing"], *one["passing"], 1e-9)
    rows = [
        {
            "value": value,
            "chosen": value in one["chosen"],
            "failing": f"{a:.0%}",
            "passing": f"{b:.0%}",
            "failing_width": round(100 * a / largest, 1),
            "passing_width": round(100 * b / largest, 1),
        }
        for value, a, b in zip(one["values"], one["failing"], one["passing"], strict=True)
    ]
    return {"kind": "values", "attribute": one["attribute"], "rows": rows, "words": _words(one, ""), "left_out": 0}


def _words(one: Mapping[str, Any], more: str) -> str:
    """What the drawing shows, for whoever does not see it."""
    if one["inside"] is None:
        return more
    failing, passing = one["inside"]
    said = f"{rule_words(one['rule'])}: {_percent(failing)} of failing and {_percent(passing)} of passing rows"
    return f"{said}. {more}".rstrip()


def _percent(share: float) -> str:
    return "under 1%" if 0 < share < 0.005 else f"{share:.0%}"


def _peaks(one: Mapping[str, Any], middles: Sequence[float]) -> str:
    """Where either side lies densest."""
    failing, passing = (_said(middles[int(np.argmax(one[side]))], middles) for side in ("failing", "passing"))
    if failing == passing:
        return f"Both lie densest near {failing}."
    return f"Failing rows lie densest near {failing}, passing rows near {passing}."


def _said(value: float, among: Sequence[float]) -> str:
    """A number as exact as the width of what is drawn allows."""
    wide = abs(among[-1] - among[0]) or 1.0
    digits = max(0, 1 - int(np.floor(np.log10(wide))))
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−") if digits < 6 else f"{value:.3g}"


def _map(told: Mapping[str, Any]) -> dict[str, Any] | None:
    first, second = told["along"]
    error = np.array([np.nan if v is None else v for v in told["error"]], dtype=float).reshape(told["shape"])
    if not np.isfinite(error).any():
        return None
    across = Scale(low=first["edges"][0], high=first["edges"][-1], start=MAP_LEFT, end=MAP_LEFT + SIDE)
    up = Scale(low=second["edges"][0], high=second["edges"][-1], start=MAP_TOP + SIDE, end=MAP_TOP)
    low, high = float(np.nanmin(error)), float(np.nanmax(error))
    box = None
    if first["inside"] is not None and second["inside"] is not None:
        x = _band(first, across) or {"x": MAP_LEFT, "width": SIDE}
        top = up.end if second["high"] is None else up.at(second["high"])
        bottom = up.start if second["low"] is None else up.at(second["low"])
        box = {**x, "y": top, "height": max(round(bottom - top, 1), 2.0)}
    numbers = Errors([low, high], told["is_share"])
    return {
        "size": SIDE + 2 * MAP_LEFT,
        "side": SIDE,
        "left": MAP_LEFT,
        "top": MAP_TOP,
        "image": _picture(error, low, high),
        "box": box,
        "x": {"name": first["attribute"], "ends": [_said(first["edges"][k], first["edges"]) for k in (0, -1)]},
        "y": {"name": second["attribute"], "ends": [_said(second["edges"][k], second["edges"]) for k in (0, -1)]},
        "low": numbers.plain(low),
        "high": numbers.plain(high),
    }


def _picture(error: Array, low: float, high: float) -> Markup:
    """The map as an address that loads nothing: the first attribute to the right, the second upwards."""
    part = np.nan_to_num((error - low) / ((high - low) or 1.0)).T[::-1, :, None]
    colour = np.array(FEW) * (1 - part) + np.array(MANY) * part
    there = np.where(np.isnan(error), 0, SOLID).T[::-1, :, None]
    return png(np.concatenate([colour, there], axis=2).round())


def _parts(told: Mapping[str, Any]) -> list[dict[str, str]]:
    """Rows that meet both conditions, one alone, or none, with their errors in words."""
    if not told["parts"]:
        return []
    first, second = (rule_words(one["rule"]) for one in told["along"])
    names = {(1, 1): "both", (1, 0): f"only {first}", (0, 1): f"only {second}", (0, 0): "neither"}
    numbers = Errors([one["error"] for one in told["parts"] if one["error"] is not None], told["is_share"])
    return [
        {
            "name": names[int(one["first"]), int(one["second"])],
            "rows": count(one["rows"], "row"),
            "error": "–" if one["error"] is None else numbers.plain(one["error"]),
        }
        for one in told["parts"]
    ]
