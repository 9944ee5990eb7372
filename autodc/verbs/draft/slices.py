"""Which slices a study begins with, and margins that their rows can certify before anything has been trained."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autodc.evaluation.slices import Slice, validation_table
from autodc.gate.power import smallest_difference
from autodc.gate.thresholds import GUARD_ALPHA
from autodc.studyfile.study import SliceSpec, StudySpec
from autodc.verbs.draft.columns import Proposed, proposed_slices
from autodc.verbs.noise import slice_rows
from autodc.wire.assumed import POWER, RESIDUAL_SHARE, SEED_SHARE, SHARES
from autodc.wire.inputs import Inputs
from autodc.wire.separate import separate

MOST = 6
"""Slices beside the whole."""
LEAST = 36
"""Rows of validation that a slice should have, of which the gate has 24."""
WIDEST = 0.15
"""A guard that can only certify so much, of a metric between 0 and 1, guards nothing."""
WIDEST_SPREAD = 0.5
"""The same of other metrics, in standard deviations of their scores."""
SPARE = 1.05
"""A margin is so much wider than what the rows certify, and rounded up."""
TURNS = 3
"""Rows are cut again for other slices, so margins are looked at again so often."""


def add_slices(inputs: Inputs, taken: Sequence[str], no: Sequence[str], *, in_time: bool) -> StudySpec:
    """The study with a guard for each value of columns with few, each with a margin that it can hold.

    inputs: of the study with the slice `overall` alone. taken: columns that are inputs; no: columns that are for
    something else; in_time: the rows are cut in time, so that months are on one side, and no slices.
    """
    catalogue = inputs.catalogue
    beside = [] if catalogue.test is None else [catalogue.test.metadata]
    beside += [catalogue.base.metadata] if in_time else []
    found = proposed_slices(catalogue.validation.metadata, taken, no, LEAST, beside)
    chosen: list[Proposed] = []
    for column in dict.fromkeys(one.column for one in found):
        own = [one for one in found if one.column == column]
        if len(chosen) + len(own) <= MOST:
            chosen += own
    margins = {one.name: 1.0 for one in chosen}
    for _ in range(TURNS):
        spec = _with(inputs.spec, chosen, margins)
        need = _certified(inputs, spec)
        kept = [one for one in chosen if need[one.name] is not None]
        done = kept == chosen and all(need[one.name] <= margins[one.name] < 1.0 for one in chosen)  # type: ignore[operator]
        if done:
            break
        chosen = [one for one in kept if sum(two.column == one.column for two in kept) > 1]
        margins = {one.name: rounded_up(float(need[one.name] or 0.0) * SPARE) for one in chosen}
    return _with(inputs.spec, chosen, margins)


def rounded_up(value: float) -> float:
    """A number of two digits that is no smaller, in steps of 5 where it is small."""
    if value <= 0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(value)) - 1) * (5 if value * 10 ** -math.floor(math.log10(value)) > 2 else 1)
    return float(f"{math.ceil(value / step - 1e-9) * step:.6g}")


def _with(spec: StudySpec, chosen: Sequence[Proposed], margins: dict[str, float]) -> StudySpec:
    guards = [SliceSpec(name=o.name, where=o.where, role="guard", margin=margins[o.name]) for o in chosen]
    first = [one for one in spec.slices if one.where is None]
    return spec.model_copy(update={"slices": (*first, *guards)})


def _certified(inputs: Inputs, spec: StudySpec) -> dict[str, float | None]:
    """Slice → the smallest loss that its rows can certify; None where that guards nothing, or the rows are too few."""
    table = validation_table(spec, inputs.catalogue)
    cut = replace(inputs, spec=spec, table=table, separation=separate(spec, inputs.catalogue, table, wished=False))
    evidence = {one.name: one for one in cut.gate.slices}
    if spec.metrics.primary in SHARES:
        can, widest = {row["name"]: row.get("certifies") for row in slice_rows(cut, None)}, WIDEST
    else:
        spread = _spread(inputs)
        can, widest = {name: _from(one, spread, spec) for name, one in evidence.items()}, WIDEST_SPREAD * spread
    enough = {name: one.is_evidence(spec.gate.min_rows) for name, one in evidence.items()}
    return {n: v if v is not None and enough.get(n, True) and v <= widest else None for n, v in can.items()}


def _from(one: Slice, spread: float, spec: StudySpec) -> float:
    if not one.counting:
        return math.inf
    seed, residual = (SEED_SHARE * spread) ** 2, RESIDUAL_SHARE * spread**2
    return smallest_difference(one.counting, seed, residual, float(spec.gate.looks[-1]), GUARD_ALPHA, POWER)


def _spread(inputs: Inputs) -> float:
    """Standard deviation over rows of the error of who always says the median: no model's is known yet."""
    y: Any = inputs.catalogue.validation.y
    values = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
    return float(np.abs(values - np.median(values, axis=0)).mean(axis=1).std())
