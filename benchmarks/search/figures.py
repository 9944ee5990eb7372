"""From rows to numbers: trainings to a goal with censored runs kept, and what was asked of us."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.search.campaign import UNSEEN
from benchmarks.search.costs import CostRecord
from benchmarks.search.rows import Row
from benchmarks.search.runs import Record
from benchmarks.tables import mean

NEAR = 0.9
PLAIN = ("digits", "fashion")
PLAIN_SHARES = ((60, 0.93), (80, 0.98), (160, 1.03))
K60_SHARES = ((80, 0.88, 0.25), (160, 0.95, 0.28))
Demand = tuple[str, str, str, str, bool | None]
"""World, measure, target, what was measured, and whether it was met: None where nothing was measured."""


def demands(known: Sequence[Row]) -> Iterator[Demand]:
    """Every figure that was asked for, in order."""
    for unseen in (False, True):
        where = "digits and Fashion-MNIST" + (", seeds 901 and 902" if unseen else "")
        ours, tpe = of(known, PLAIN, "mixture", unseen), of(known, PLAIN, "tpe-multivariate", unseen)
        for stop, target in PLAIN_SHARES:
            where_, measure, asked, found, met = _least(where, ours, stop, target)
            yield where_, measure, asked, f"{found}; TPE {mean(_best([tpe], stop))}", met
        if ours and tpe:
            yield from _pace(where, ours, tpe)
    for stop, target, ahead in K60_SHARES:
        ours = of(known, ["K60"], "mixture")
        yield _least("synthetic K=60", ours, stop, target)
        theirs = _best([of(known, ["K60"], p) for p in ("tpe", "tpe-multivariate")], stop)
        lead = float(np.mean(shares(ours, stop)) - np.mean(theirs)) if ours and len(theirs) else None
        found = "–" if lead is None else f"{lead:+.2f}"
        yield "synthetic K=60", f"ahead of TPE at {stop}", f"≥ {ahead}", found, None if lead is None else lead >= ahead
    yield _least("synthetic K=200", of(known, ["K200"], "mixture"), 200, 0.75)
    yield _least("synthetic K=20, noise tripled", of(known, ["K20-noisy"], "mixture"), 80, 0.82)
    for row in sorted((r for r in known if isinstance(r, CostRecord)), key=lambda r: r.candidates):
        where, asked = f"K={row.candidates}, {row.trials:,} trials", f"≤ {row.target:.0f}"
        yield where, "CPU ms a proposal", asked, f"{row.mean:.0f}", row.mean <= row.target


def _pace(where: str, ours: Sequence[Record], tpe: Sequence[Record]) -> Iterator[Demand]:
    """How soon, and how honest."""
    middle, text = median_to(ours)
    theirs, their_text = min(median_to(tpe), median_to(tpe, own=True))
    third = (theirs if np.isfinite(theirs) else max(r.stops[-1] for r in tpe)) / 3
    yield where, "trainings to 90%, median", "≤ 55", text, middle <= 55
    yield where, "the same as a part of TPE's", "≤ a third", f"{text} of {their_text}", middle <= third
    ends = [[(r.optimism, r.stops) for r in ours], [(r.own_optimism, r.stops) for r in tpe]]
    last, luck = (
        [o for each, stops in runs for s, o in zip(stops, each, strict=True) if s in (80, 160) and o is not None]
        for runs in ends
    )
    if last and luck:
        found = f"{np.mean(last):+.3f}; TPE's best trial {np.mean(luck):+.3f}"
        yield where, "optimism at 80 and 160", "within ± .01", found, bool(abs(np.mean(last)) <= 0.01)


def _least(where: str, runs: Sequence[Record], stop: int, target: float) -> Demand:
    found = shares(runs, stop)
    met = bool(found.mean() >= target) if len(found) else None
    return where, f"mean share at {stop}", f"≥ {target:.2f}", mean(found), met


def _best(peers: Sequence[Sequence[Record]], stop: int) -> Sequence[float]:
    """The shares of the peer and the answer, recommended or own, with the best mean."""
    found = [v for runs in peers for own in (False, True) if len(v := shares(runs, stop, own))]
    return max(found, key=np.mean, default=[])


def of(known: Sequence[Row], worlds: Sequence[str], peer: str, unseen: bool = False) -> list[Record]:
    """The runs of a peer in these worlds, at seeds that were tuned on or at those that were not."""
    found = [r for r in known if isinstance(r, Record) and r.world in worlds and r.peer == peer]
    return [r for r in found if (r.seed in UNSEEN) == unseen]


def shares(runs: Sequence[Record], stop: int, own: bool = False) -> np.ndarray:
    """The share of every run at a stop; empty where they were not asked there."""
    return np.array([(r.own if own else r.share)[r.stops.index(stop)] for r in runs if stop in r.stops])


def trainings_to(run: Record, own: bool = False) -> float:
    """Trainings until the answer closes 90% of the gap, on straight lines between stops; inf where it never does."""
    before, low = 0, 0.0
    for stop, value in zip(run.stops, run.own if own else run.share, strict=True):
        if value >= NEAR:
            return before + (stop - before) * (NEAR - low) / (value - low) if low < NEAR else float(before)
        before, low = stop, value
    return float("inf")


def median_to(runs: Sequence[Record], own: bool = False) -> tuple[float, str]:
    """Median trainings to 90%, with runs that never got there counted as later than their end."""
    middle = float(np.median([trainings_to(r, own) for r in runs]))
    return middle, f"{middle:.0f}" if np.isfinite(middle) else f"> {max(r.stops[-1] for r in runs)}"
