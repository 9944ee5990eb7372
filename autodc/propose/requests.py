"""What more rows of a kind would be worth where nobody here can make them: how many to ask for, at what gain and cost.

Where trainings with rows for the same weakness tell a learning curve, that is it. Where none do, a curve is weighed
from what is usual: n rows of a kind that the base lacks close n / (n + s) of the gap to other rows, s from 25 to 300 on
digits and clothes under eight conditions, whatever the size of the base (300, 1,000); and some gaps are no lack of rows
at all. How it does on conditions that it was not chosen by: benchmarks/results/requests.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from autodc.diagnose.curves import Curve, Forecast, Point, learning_curve

FLAT = 1.15
"""Twice the rows bring less than so many times the gain: asking for more is hardly worth it."""
LEAST_ROWS = 25
"""Fewer are not worth the words."""
ENOUGH = 200
"""So many are asked for at most, or as many as other kinds have in proportion, whichever is more."""
USUAL, SPREAD = 65.0, 1.0
"""Rows that close half of a gap: median, and standard deviation of its logarithm."""
CLOSED = np.array([1.0, 0.9, 0.7, 0.5, 0.3, 0.1])
CLOSED_CHANCES = np.array([0.55, 0.2, 0.1, 0.05, 0.05, 0.05])
"""Share of a gap that any number of rows closes, and how likely each is beforehand."""
_NORMAL = np.linspace(-2.4, 2.4, 13)
_NORMAL_CHANCES = np.exp(-(_NORMAL**2) / 2)
STEPS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Times the rows asked for, of which the gain is told too: a delivery may be smaller or larger."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Weakness:
    """A finding as far as a request for it needs it."""

    id: str
    is_sure: bool
    """Whether it is confirmed."""
    inside: float
    """Mean error of its rows, 0 or more."""
    difference: float
    low: float
    high: float
    """difference, low, high: how much worse they are than others, with its 95% interval."""
    share: float
    """Of all rows, those inside."""
    scale: float | None = None
    """The size of an error, None for shares of 1."""
    more_rows: Sequence[Mapping[str, Any]] = ()
    """What more rows of each dataset would do to it, as the finding tells it (diagnose.more_rows)."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is asked for, and what it would be worth."""

    finding: str
    rows: int
    gain: Mapping[str, float]
    """{low, mid, high}: by how much the mean error of all rows falls, in its unit."""
    inside: Mapping[str, float]
    """{before, low, mid, high}: the error of the rows inside now, and by how much it falls."""
    steps: tuple[Mapping[str, float], ...]
    """The same gain of all rows and inside for fewer and for more rows: {rows, low, mid, high, inside} each."""
    cost: float
    """In the unit of budget.cost, 0 where no price is known."""
    like: str | None
    """The dataset whose learning curve says so; None: it is weighed from what is usual."""
    is_sure: bool

    @property
    def rate(self) -> tuple[float, float]:
        """What orders requests."""
        return rate(self.gain["mid"], self.cost)


def rate(gain: float, cost: float) -> tuple[float, float]:
    """Gain per cost, then gain; what costs nothing is before all that does."""
    return (gain / cost if cost > 0 else (np.inf if gain > 0 else 0.0), gain)


def ask(
    weakness: Weakness, base_rows: int, *, price: float = 0.0, purse: float = np.inf, there: int | None = None
) -> Ask:
    """Say how many rows of a kind to ask for.

    base_rows: of the base; price: of a row; purse: what may be spent; there: so many rows are known that only lack
    labels. Where the purse does not pay even LEAST_ROWS, these are asked for all the same: whoever decides sees the
    cost beside the budget.
    """
    like, curve, now, most = _curve(weakness, base_rows)
    rows = _flat(curve, now, most)
    if price > 0 and rows * price > purse:
        rows = max(LEAST_ROWS, int(purse / price))
    rows = rows if there is None else min(rows, there)
    told = [_told(weakness, curve.gain(now, float(n))) for n in _sizes(rows)]
    at = next(one for one in told if one["rows"] == rows + now)
    steps = tuple({**one, "rows": one["rows"] - now} for one in told)
    return Ask(
        finding=weakness.id,
        rows=rows,
        gain={key: at[key] for key in ("low", "mid", "high")},
        inside={"before": round(weakness.inside, 6), **{key: at[f"inside_{key}"] for key in ("low", "mid", "high")}},
        steps=steps,
        cost=round(price * rows, 6),
        like=like,
        is_sure=weakness.is_sure,
    )


def in_order(asks: Sequence[Ask]) -> list[Ask]:
    """What is sure first, then what gains most per cost, then what gains most."""
    return sorted(asks, key=lambda one: (not one.is_sure, *(-part for part in one.rate), one.finding))


def _curve(weakness: Weakness, base_rows: int) -> tuple[str | None, Curve, float, float]:
    """The dataset that tells the curve, the curve, rows of it that there are, and the most that are asked for."""
    scale = weakness.scale or 1.0
    for one in weakness.more_rows:
        if one["known"] and one["chance"] >= 0.5 and one["dataset"] != "base" and one.get("points"):
            points = [Point(**point) for point in one["points"]]
            return str(one["dataset"]), learning_curve(points, scale), float(one["now"]), max(1.0, float(one["more"]))
    most = min(float(base_rows), max(float(ENOUGH), weakness.share * base_rows))
    return None, _usual(weakness), 0.0, most


def _usual(weakness: Weakness) -> Curve:
    """All curves that are usual: by the rows that close half of the gap, its size, and how much of it ever closes."""
    tiny = 1e-6 * (weakness.scale or 1.0)
    gap, error = max(weakness.difference, tiny), max((weakness.high - weakness.low) / 3.92, tiny)
    if not weakness.is_sure:
        gap *= max(0.1, 1 - (error / gap) ** 2)  # what was only suspected looks larger than it is
    at, size, closed = (one.ravel() for one in np.meshgrid(*map(np.arange, _GRID), indexing="ij"))
    gaps = np.clip(gap + error * _NORMAL[size], 0.0, weakness.inside)
    weight = _NORMAL_CHANCES[at] * _NORMAL_CHANCES[size] * CLOSED_CHANCES[closed]
    return Curve(
        points=(Point(rows=0.0, error=weakness.inside),),
        start=np.full(len(at), weakness.inside),
        scale=USUAL * np.exp(SPREAD * _NORMAL[at]),
        speed=np.ones(len(at)),
        floor=1 - CLOSED[closed] * gaps / max(weakness.inside, tiny),
        weight=weight / weight.sum(),
        noise=error,
    )


_GRID = (len(_NORMAL), len(_NORMAL), len(CLOSED))


def _flat(curve: Curve, now: float, most: float) -> int:
    """The fewest round number of rows, up to `most`, from which twice as many bring hardly more."""
    known = _round_numbers(most)
    for n in known:
        if curve.gain(now, 2.0 * n).mid < FLAT * curve.gain(now, float(n)).mid:
            return n
    return known[-1]


def _round_numbers(most: float) -> list[int]:
    """25, 50, 100, 200, 500 … up to `most`, at least the first."""
    found, power = [LEAST_ROWS, 50], 100
    while power <= most:
        found += [times * power for times in (1, 2, 5)]
        power *= 10
    return [n for n in found if n <= most] or [LEAST_ROWS]


def _sizes(rows: int) -> list[int]:
    return sorted({max(1, round(times * rows)) for times in STEPS} | {rows})


def _told(weakness: Weakness, gain: Forecast) -> dict[str, float]:
    """A forecast of the rows inside as one of all rows: a gain is no more than the error that there is."""
    most = weakness.inside
    inside = {key: float(np.clip(getattr(gain, key), -most, most)) for key in ("low", "mid", "high")}
    if not weakness.is_sure:
        inside["low"] = min(inside["low"], 0.0)
    found = {key: round(weakness.share * value, 6) for key, value in inside.items()}
    return {"rows": gain.rows, **found, **{f"inside_{key}": round(value, 6) for key, value in inside.items()}}
