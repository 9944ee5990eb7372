"""What an evaluation says, in words and rows, from the content that its JSON has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autodc.gate.noise import OBJECTIVE
from autodc.review.numbers import Numbers, count, listed

STANDINGS = {
    "worse": "worse",
    "slipped": "worse, in margin",
    "better": "better",
    "held": "holds",
    "open": "not shown",
    "no evidence": "too few rows",
}
"""Standing → the word of it in a table."""
TRADEOFFS = {
    "predict_ms": ("a row in a batch", "ms"),
    "row_ms": ("a row alone", "ms"),
    "batch_ms": ("a batch of {rows}", "ms"),
    "load_seconds": ("to load it", "s"),
    "memory_mb": ("peak memory", "MB"),
    "memory_added_mb": ("of which the method's", "MB"),
    "model_mb": ("size on disk", "MB"),
}


def numbers_of(content: Mapping[str, Any]) -> Numbers:
    """One precision for all values."""
    both = [content["slices"], *([content["against"]["slices"]] if content["against"] else [])]
    return Numbers.for_values([one["value"] for part in both for one in part.values() if one["value"] is not None])


def headline(content: Mapping[str, Any]) -> str:
    """The answer in a sentence."""
    against = content["against"]
    if against is None:
        name = "overall" if "overall" in content["slices"] else next(iter(content["slices"]))
        one, n = content["slices"][name], numbers_of(content)
        if one["value"] is None:
            return f"{content['metric']['name']} is not defined on {name}"
        return f"{content['metric']['name']} {n.plain(one['value'])} on {name} ({_span(n, one)})"
    worse, better = against["regressions"], against["improvements"]
    if worse:
        more = f"; better on {listed(map(called, better))}" if better else ""
        return f"A regression is shown on {listed(map(called, worse))}{more}"
    if not against["family"]["slices"]:
        return "Nothing can be shown: no slice has rows enough"
    if better:
        return f"Better on {listed(map(called, better))}; no regression is shown"
    return "No regression is shown, and no gain"


def called(name: str) -> str:
    """A slice, the objective or a limit as a sentence names it."""
    return "the objective" if name == OBJECTIVE else name


def how(content: Mapping[str, Any]) -> list[str]:
    """How the numbers were made, and what they do not say."""
    rows = content["rows"]
    parts = ", ".join(
        f"{name.removeprefix('slice-')} {number}" for name, number in rows.items() if name != "validation"
    )
    said = [
        f"Every one of {count(rows['validation'], 'validation row')} was predicted once"
        f"{f' (and of slices with rows of their own: {parts})' if parts else ''}, by every method in the same order, "
        "from its inputs alone. The sealed test set was not touched.",
        "Intervals of values are at 95% each, for new rows of the same kind and this very model: exact for shares of "
        "hits, by the jackknife where the metric is no mean over rows. Rows of one group, and copies, count as one.",
    ]
    if content["against"] is None:
        return said
    family = content["against"]["family"]
    return [
        *said,
        "Differences are method less the other on the same rows, turned so that up is better, each with a 95% interval "
        f"of its own. A regression is told where a loss beyond the margin of a guard, or any loss of another slice, is "
        f"shown at {family['alpha']:.0%}, one-sided, for {count(family['slices'], 'slice')} together (Holm); hits must "
        "pass the sign test too. So two methods that are equally good are told apart in at most "
        f"{family['alpha']:.0%} of evaluations. A guard that is shown to lose, and not more than its margin, is "
        "worse in margin: no regression. Not shown is not the same as equal: the last column says which loss "
        f"these rows would show in {family['power']:.0%} of cases.",
    ]


def slice_table(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row a slice: name, rows, value and interval of the method, value of the other and of the constant."""
    n, against, plain = numbers_of(content), content["against"], content["baselines"]["constant"]
    found = []
    for name, one in content["slices"].items():
        other = None if against is None else against["slices"][name]
        row = {"name": name, **one, "value_words": n.plain(one["value"]), "span_words": _span(n, one)}
        row |= {"constant": plain[name], "constant_words": n.plain(plain[name])}
        if other is not None:
            row |= {"other": other, "other_words": n.plain(other["value"]), "other_span_words": _span(n, other)}
        found.append(row)
    return found


def difference_table(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row a slice, and the objective: the difference, its interval, its standing in a word."""
    n = numbers_of(content)
    return [
        {
            **one,
            "name": name,
            "rows_words": "–" if name == OBJECTIVE else str(one["rows"]),
            "difference_words": n.signed(one["difference"]),
            "span_words": "–" if one["low"] is None else f"{n.signed(one['low'])} to {n.signed(one['high'])}",
            "standing_words": STANDINGS[one["standing"]],
            "chance_words": chance(one["worse"]) if one["standing"] != "no evidence" else "–",
            "shows_words": "–"
            if one["shows"] is None or one["standing"] == "no evidence"
            else n.plain(one["tolerated"] + one["shows"]),
        }
        for name, one in content["against"]["differences"].items()
    ]


def chance(value: float) -> str:
    """A chance as a person reads it."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def cost_table(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row a trade-off: what it is, and of each method its words, p50 / p95 / p99 where it is a distribution."""
    sides = [content["tradeoffs"], *([content["against"]["tradeoffs"]] if content["against"] else [])]
    return [
        {
            "name": key,
            "what": what.format(rows=sides[0]["batch_ms"]["rows"]),
            "unit": unit,
            "cells": [_cost(side[key]) for side in sides],
            "calls": [_calls(side[key]) for side in sides],
        }
        for key, (what, unit) in TRADEOFFS.items()
    ]


def limit_words(content: Mapping[str, Any]) -> list[tuple[bool, str]]:
    """Whether each limit of the study is broken, and how it stands."""
    if content["against"] is None:
        return []
    return [
        (
            one["broken"],
            f"{name}: {one['times']:.2f} times the other's, {one['allowed']:g} times are allowed"
            + (f" (surely more than {one['surely']:.2f})" if one["broken"] else ""),
        )
        for name, one in content["against"]["limits"].items()
    ]


def regression_words(content: Mapping[str, Any]) -> str:
    """The regressions with their numbers, for an error message."""
    n, against = numbers_of(content), content["against"]
    found = []
    for name in against["regressions"]:
        one = against["differences"].get(name)
        if one is None:
            found.append(f"{name} {against['limits'][name]['times']:.2f} times")
        else:
            found.append(
                f"{called(name)} {n.signed(one['difference'])} ({n.signed(one['low'])} to {n.signed(one['high'])})"
            )
    return "; ".join(found)


def _span(n: Numbers, one: Mapping[str, Any]) -> str:
    return "–" if one["low"] is None else f"{n.plain(one['low'])} to {n.plain(one['high'])}"


def _cost(value: Any) -> str:
    if value is None:
        return "not known"
    if isinstance(value, Mapping):
        return " / ".join(number(value[at], 2) for at in ("p50", "p95", "p99"))
    return number(value)


def _calls(value: Any) -> str:
    """Of how many calls a distribution is."""
    if not isinstance(value, Mapping):
        return ""
    return count(value["calls"], "call") + (", the first" if value.get("cold") else "")


def number(value: float, digits: int = 3) -> str:
    """So many digits that count, as plain decimals."""
    if value == 0:
        return "0"
    return f"{value:.0f}" if value >= 100 else f"{value:.{digits}g}" if value >= 0.001 else f"{value:.1e}"


def names(content: Mapping[str, Any]) -> Sequence[str]:
    """The methods, as they were named."""
    return [content["method"], *([content["against"]["method"]] if content["against"] else [])]
