"""From rows to numbers: means with their errors, trainings to a goal with censored runs kept, what is asked of us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.search.campaign import UNSEEN
from benchmarks.search.costs import CostRecord
from benchmarks.search.published import GOAL, ReplayRecord
from benchmarks.search.raw import Row
from benchmarks.search.runs import Record
from benchmarks.search.studies import OTHER_LABELS, StudyRecord

NEAR = 0.9
PLAIN = ("digits", "fashion")


@dataclass(frozen=True, slots=True)
class Demand:
    """One figure asked for, and what was measured: `met` is None where nothing was."""

    where: str
    measure: str
    target: str
    found: str
    met: bool | None


def of(rows: Sequence[Row], worlds: Sequence[str], peer: str, unseen: bool = False) -> list[Record]:
    """The runs of a peer in these worlds, at seeds that were tuned on or at those that were not."""
    return [
        r
        for r in rows
        if isinstance(r, Record) and r.world in worlds and r.peer == peer and (r.seed in UNSEEN) == unseen
    ]


def shares(runs: Sequence[Record], stop: int, own: bool = False) -> np.ndarray:
    """The share of every run at a stop; empty where they were not asked there."""
    return np.array([(r.own if own else r.share)[r.stops.index(stop)] for r in runs if stop in r.stops])


def mean(values: Sequence[float] | np.ndarray) -> str:
    """A mean with its standard error."""
    known = np.asarray([v for v in values if v is not None and np.isfinite(v)], dtype=float)
    if not len(known):
        return "–"
    if len(known) < 2 or float(np.ptp(known)) == 0.0:
        return f"{known.mean():.2f}"
    return f"{known.mean():.2f} ± {known.std(ddof=1) / np.sqrt(len(known)):.2f}"


def trainings_to(run: Record, goal: float = NEAR, own: bool = False) -> float:
    """Trainings until the answer closes `goal` of the gap, on straight lines between stops; inf where it never does."""
    values = run.own if own else run.share
    before, low = 0, 0.0
    for stop, value in zip(run.stops, values, strict=True):
        if value >= goal:
            return before + (stop - before) * (goal - low) / (value - low) if low < goal else float(before)
        before, low = stop, value
    return float("inf")


def median_to(runs: Sequence[Record], own: bool = False) -> tuple[float, str]:
    """Median trainings to 90%, with runs that never got there counted as later than their end."""
    if not runs:
        return float("nan"), "–"
    middle = float(np.median([trainings_to(r, own=own) for r in runs]))
    return middle, f"{middle:.0f}" if np.isfinite(middle) else f"> {max(r.stops[-1] for r in runs)}"


def first_hit(record: ReplayRecord) -> float:
    """Trainings until the recommended row closes 95% of the gap for the first time."""
    hits = [i for i, share in enumerate(record.share) if share >= GOAL]
    return float(record.first + hits[0]) if hits else float("inf")


def demands(rows: Sequence[Row]) -> list[Demand]:
    """Every figure that was asked for, in order."""
    found = [*_plain(rows, unseen=False), *_plain(rows, unseen=True), *_studies(rows)]
    found += _synthetic(rows)
    ours = [first_hit(r) for r in rows if isinstance(r, ReplayRecord) and r.method == "ours"]
    middle = float(np.median(ours)) if ours else np.nan
    found.append(_demand("RegMix replay, 17 domains", "trainings to 95%, median", "≤ 28", middle, "{:.0f}", high=28))
    for row in sorted((r for r in rows if isinstance(r, CostRecord)), key=lambda r: r.candidates):
        name = f"K={row.candidates}, {row.trials:,} trials"
        found.append(_demand(name, "CPU ms a proposal", f"≤ {row.target:.0f}", row.mean, "{:.0f}", high=row.target))
    return found


def _plain(rows: Sequence[Row], unseen: bool) -> list[Demand]:
    """The worlds of pictures with twelve candidates."""
    where = "digits and Fashion-MNIST" + (", seeds 901 and 902" if unseen else "")
    ours, tpe = of(rows, PLAIN, "mixture", unseen), of(rows, PLAIN, "tpe-multivariate", unseen)
    if unseen and not ours:
        return []
    out = []
    for stop, target in ((60, 0.93), (80, 0.98), (160, 1.03)):
        values = shares(ours, stop)
        rivals = [v for own in (False, True) if len(v := shares(tpe, stop, own))]
        beside = f"; TPE {mean(max(rivals, key=np.mean))}" if rivals else ""
        out.append(_least(where, f"mean share at {stop}", target, values, beside))
    middle, text = median_to(ours)
    theirs, their_text = min(median_to(tpe), median_to(tpe, own=True))
    end = max((r.stops[-1] for r in tpe), default=0)
    third = (theirs if np.isfinite(theirs) else end) / 3
    out.append(Demand(where, "trainings to 90%, median", "≤ 55", text, bool(middle <= 55) if ours else None))
    met = bool(middle <= third) if ours and tpe else None
    out.append(Demand(where, "the same as a part of TPE's", "≤ a third", f"{text} of {their_text}", met))
    last = [o for r in ours for s, o in zip(r.stops, r.optimism, strict=True) if s in (80, 160) and o is not None]
    luck = [o for r in tpe for s, o in zip(r.stops, r.own_optimism, strict=True) if s in (80, 160) and o is not None]
    text = f"{np.mean(last):+.3f}; TPE's best trial {np.mean(luck):+.3f}" if last and luck else "–"
    met = bool(abs(np.mean(last)) <= 0.01) if last else None
    out.append(Demand(where, "optimism at 80 and 160", "within ± .01", text, met))
    return out


def _synthetic(rows: Sequence[Row]) -> list[Demand]:
    out = []
    for stop, target, ahead in ((80, 0.88, 0.25), (160, 0.95, 0.28)):
        ours = shares(of(rows, ["K60"], "mixture"), stop)
        out.append(_least("synthetic K=60", f"mean share at {stop}", target, ours))
        peers = [of(rows, ["K60"], p) for p in ("tpe", "tpe-multivariate")]
        theirs = [v for runs in peers for own in (False, True) if len(v := shares(runs, stop, own))]
        lead = float(ours.mean() - max(v.mean() for v in theirs)) if len(ours) and theirs else np.nan
        out.append(_demand("synthetic K=60", f"ahead of TPE at {stop}", f"≥ {ahead}", lead, "{:+.2f}", low=ahead))
    out.append(_least("synthetic K=200", "mean share at 200", 0.75, shares(of(rows, ["K200"], "mixture"), 200)))
    noisy = shares(of(rows, ["K20-noisy"], "mixture"), 80)
    out.append(_least("synthetic K=20, noise tripled", "mean share at 80", 0.82, noisy))
    return out


def _studies(rows: Sequence[Row]) -> list[Demand]:
    out = []
    for unseen in (False, True):
        studies = [r for r in rows if isinstance(r, StudyRecord) and r.world in PLAIN and (r.seed in UNSEEN) == unseen]
        if not studies:
            continue
        where = "whole study, 240 trainings" + (", seeds 901 and 902" if unseen else "")
        out.append(_least(where, "share of the gap", 1.03, np.array([r.share for r in studies])))
        wrong = sum(len(r.wrong) for r in studies)
        out.append(Demand(where, "useless or harmful kept", "0", f"{wrong} in {len(studies)} studies", wrong == 0))
        kept, wanted = sum(r.cures for r in studies), sum(r.wanted for r in studies)
        text = f"{kept} of {wanted} ({kept / wanted:.0%}); of {sum(r.proposed for r in studies)} proposed"
        out.append(Demand(where, "cures kept", "≥ 95%", text, kept >= 0.95 * wanted))
    other = [r for r in rows if isinstance(r, StudyRecord) and r.world == "convention"]
    if other:
        plain = sum(OTHER_LABELS in r.kept.values() for r in other)
        first = sum(f"{OTHER_LABELS} (pretrain)" in r.kept.values() for r in other)
        text = f"{plain} of {len(other)}"
        out.append(Demand("another label convention", "kept as plain mix", "0", text, plain == 0))
        met = first >= 0.8 * len(other)
        out.append(
            Demand("another label convention", "kept as pretraining", "≥ 4 of 5", f"{first} of {len(other)}", met)
        )
    return out


def _least(where: str, measure: str, target: float, values: np.ndarray, beside: str = "") -> Demand:
    met = bool(values.mean() >= target) if len(values) else None
    return Demand(where, measure, f"≥ {target:.2f}", mean(values) + beside, met)


def _demand(
    where: str, measure: str, target: str, value: float, form: str, low: float = -np.inf, high: float = np.inf
) -> Demand:
    if np.isnan(value):
        return Demand(where, measure, target, "–", None)
    text = form.format(value) if np.isfinite(value) else "never"
    return Demand(where, measure, target, text, bool(low <= value <= high))
