"""Contenders side by side: what each is and scores, and paired differences on the rows that they have in common.

A row is the same where inputs and target are the same, wherever it lies. Rows that one of the searches saw are left
out: only those count that the gate decides on in both studies. The statistics are the gate's: pairs × rows, both of
them samples, the noise of seeds moderated by the calibration runs of both studies. Trainings with the same seed are a
pair; where two studies share no seed, the first training of one is paired with the first of the other, and the seeds
are noise like any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autodc.errors import AutodcError
from autodc.evaluation.slices import Slice, SliceTable
from autodc.gate.noise import OBJECTIVE, Pools, weighted_rows
from autodc.review import contender
from autodc.review.contender import Contender
from autodc.stats.variance import Prior
from autodc.study import direction, membership
from autodc.study.beside import INTERVAL_LEVEL, bounded
from autodc.study.journal.records import TrialState
from autodc.study.phases.order import view_of
from autodc.study.rules.comparisons import draws
from autodc.study.rules.latest_scores import scored_trials

Array = np.ndarray[Any, Any]

LEAST = 2
"""Observations without which there is no variance over rows."""


def side_by_side(contenders: Sequence[Contender]) -> dict[str, Any]:
    """Return `studies`, the `verdicts` on each dataset, and `differences` of every other one against the first."""
    studies = [contender.told(one) for one in contenders]
    datasets = dict.fromkeys(name for one in studies for name in one["verdicts"])
    return {
        "studies": studies,
        "verdicts": {name: {s["label"]: s["verdicts"].get(name) for s in studies} for name in datasets},
        "differences": [difference(one, contenders[0]) for one in contenders[1:]],
    }


def difference(one: Contender, reference: Contender) -> dict[str, Any]:
    """By how much one is better than the reference, slice by slice and together; up is better. Or why nobody knows."""
    found: dict[str, Any] = {"of": one.label, "beside": reference.label, "comparable": False, "why": ""}
    if why := _hindrance(one, reference):
        return {**found, "why": why}
    try:
        return {**found, **_compared(one, reference)}
    except AutodcError as error:
        return {**found, "why": str(error)}


def _hindrance(one: Contender, reference: Contender) -> str:
    """Why the rows of two contenders cannot be held against each other; empty where they can."""
    for side in (reference, one):
        if side.table is None:
            return f"{side.label}: {side.why}"
    measures = [(side.state.question.metric.get("name"), direction.better(side.state)) for side in (reference, one)]
    if measures[0] != measures[1]:
        return f"they are measured by different metrics: {measures[0][0]} and {measures[1][0]}"
    for side in (reference, one):
        if not side.freshest:
            return f"{side.label}: no training of it has come to an end"
    return ""


def _compared(one: Contender, reference: Contender) -> dict[str, Any]:
    shared, left_out = _shared_rows(one, reference)
    if not shared:
        return {"why": "they have no rows in common that decide in both", "left_out": left_out}
    ours = _cut(one, {name: rows[0] for name, rows in shared.items()})
    theirs = _cut(reference, {name: rows[1] for name, rows in shared.items()})
    pairs, by = _pairs(one, reference)
    if not pairs:
        return {"why": "no two trainings of theirs can be paired", "left_out": left_out}
    pools = _pools(one, ours, reference, theirs)
    fresh = draws(one.plan) or draws(reference.plan)
    mine, its = [a for a, _ in pairs], [b for _, b in pairs]
    moved = {s.name: one.scores(mine, ours[s.name], ours) - reference.scores(its, s, theirs) for s in theirs.slices}
    slices = {
        s.name: {
            "role": s.role,
            **_bounded(pools, s.name, moved[s.name], s.clusters, fresh),
            "rows": len(s.rows),
        }
        for s in theirs.slices
    }
    targets = [s for s in theirs.slices if s.role == "target"]
    together = None
    if targets:
        rows, clusters = weighted_rows([(moved[s.name], s.clusters, s.weight) for s in targets])
        together = {**_bounded(pools, OBJECTIVE, rows, clusters, fresh), "rows": rows.shape[1]}
    return {
        "comparable": True,
        "pairs": len(pairs),
        "paired_by": by,
        "level": INTERVAL_LEVEL,
        "slices": slices,
        "objective": together,
        "left_out": left_out,
        "searched_on": _searched_on(one, reference),
    }


def _searched_on(one: Contender, reference: Contender) -> list[str]:
    """Those whose search saw the rows that are compared, a study once."""
    sides = [reference] if one.state is reference.state else [reference, one]
    return [side.label for side in sides if not side.is_cut]


def _shared_rows(one: Contender, reference: Contender) -> tuple[dict[str, tuple[Array, Array]], dict[str, str]]:
    """Slice → positions of the same rows on either side, by the order of the reference; and what is left out, why."""
    assert one.table is not None
    assert reference.table is not None
    ours, theirs = ({s.name: s for s in side.table.slices} for side in (one, reference) if side.table is not None)
    left_out = dict.fromkeys(theirs.keys() - ours.keys(), f"only {reference.label} has it")
    left_out |= dict.fromkeys(ours.keys() - theirs.keys(), f"only {one.label} has it")
    found: dict[str, tuple[Array, Array]] = {}
    keys = _keys_by_part(one.table), _keys_by_part(reference.table)
    for name, mine in ((n, s) for n, s in theirs.items() if n in ours):
        other = ours[name]
        if not (mine.defined and other.defined):
            left_out[name] = "the metric is not defined on its rows"
            continue
        same = _matched(keys[0][other.part][other.rows], keys[1][mine.part][mine.rows])
        rows, its = other.rows[same[0]], mine.rows[same[1]]
        told = replace(mine, rows=its, clusters=None if mine.clusters is None else mine.clusters[same[1]])
        if told.groups < LEAST or not told.is_evidence(reference.min_rows):
            left_out[name] = _too_few(told, mine, other, reference.min_rows)
            continue
        found[name] = rows, its
    return found, left_out


def _too_few(told: Slice, mine: Slice, other: Slice, least: int) -> str:
    """Why the rows that two slices share are no evidence."""
    if not len(told.rows):
        return "no row of it decides in both"
    of = min(len(mine.rows), len(other.rows))
    return f"{len(told.rows)} of its {of} rows decide in both, too few: {least} that count are needed"


def _keys_by_part(table: SliceTable) -> dict[str, Array]:
    """Part → a number a row; copies of a row are told apart by which of them it is."""
    found = {}
    for part, marks in table.marks.items():
        order = np.argsort(marks, kind="stable")
        ordered = marks[order]
        begins = np.concatenate([[True], ordered[1:] != ordered[:-1]]) if len(marks) else np.zeros(0, dtype=bool)
        first = np.maximum.accumulate(np.where(begins, np.arange(len(marks)), 0))
        which = np.empty(len(marks), dtype=np.uint64)
        which[order] = (np.arange(len(marks)) - first).astype(np.uint64)
        found[part] = marks + which * np.uint64(0x9E3779B97F4A7C15)
    return found


def _matched(ours: Array, theirs: Array) -> tuple[Array, Array]:
    """Places of what both have, by the order of the second."""
    _, a, b = np.intersect1d(ours, theirs, assume_unique=True, return_indices=True)
    order = np.argsort(b)
    return a[order], b[order]


def _cut(one: Contender, rows: Mapping[str, Array]) -> SliceTable:
    """The slices of a contender on these rows, in this order."""
    assert one.table is not None
    return membership.restricted(one.table, rows)


def _pairs(one: Contender, reference: Contender) -> tuple[list[tuple[TrialState, TrialState]], str]:
    """Trainings of both as pairs: with the same seed, else in the order they were planned."""
    fresh, every = (_by_seed(one.freshest), _by_seed(reference.freshest)), (_all(one), _all(reference))
    for ours, theirs in (fresh, every):
        if both := [(ours[seed], theirs[seed]) for seed in theirs if seed in ours]:
            return both, "seed"
    return list(zip(one.freshest, reference.freshest, strict=False)), "order"


def _all(one: Contender) -> dict[int, TrialState]:
    trials = scored_trials(view_of(one.state), one.plan)
    return _by_seed([t for t in trials if t.trial.fidelity == 1.0 and t.outcome is not None and t.outcome.arrays])


def _by_seed(trials: Sequence[TrialState]) -> dict[int, TrialState]:
    return {t.trial.seed: t for t in trials}


def _pools(one: Contender, ours: SliceTable, reference: Contender, theirs: SliceTable) -> Pools:
    """What the calibration runs of both studies say of noise on these rows; of one study, once."""
    every = [_pool(reference, theirs)]
    if one.state.question != reference.state.question:
        every.append(_pool(one, ours))
    names = dict.fromkeys(name for pool in every for name in pool.slices)
    return Pools(slices={name: _joined([pool.of(name) for pool in every]) for name in names})


def _pool(one: Contender, table: SliceTable) -> Pools:
    trials = [t for t in one.state.trials if t.trial.phase == "calibration" and t.outcome and t.outcome.arrays]
    if len(trials) < 2:
        return Pools()
    return Pools.calibrated(
        {s.name: one.scores(trials, s, table) for s in table.slices},
        {s.name: s.clusters for s in table.slices},
        {s.name: s.weight for s in table.slices if s.role == "target"},
    )


def _joined(priors: Sequence[Prior]) -> Prior:
    """The noise of a difference of two trainings, one of each study: the mean of what both say of theirs."""
    known = [p for p in priors if p.df > 0]
    if not known:
        return contender.NOTHING
    return Prior(
        seed=float(np.mean([p.seed for p in known])),
        residual=float(np.mean([p.residual for p in known])),
        df=sum(p.df for p in known),
    )


def _bounded(pools: Pools, name: str, rows: Array, clusters: Array | None, fresh: bool) -> dict[str, Any]:
    """Mean and interval; one pair has none where nothing tells the noise of trainings like these."""
    pool = pools.of(name)
    vouched = not fresh and pools.speaks(name, float(np.mean(np.square(rows))))
    if len(rows) > 1 or (vouched and pool.df > 0):
        return dict(bounded(rows, clusters, pool, vouched=vouched))
    return {"difference": float(rows.mean()), "low": None, "high": None}
