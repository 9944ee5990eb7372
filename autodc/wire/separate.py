"""Sets rows of validation apart for diagnosis, so that who looks at single rows never sees those the gate decides on.

A proposer that has seen the gate's failures one by one makes data for just these rows, and the gate then finds a gain
that new rows would not show (1.3 points in our trials, DESIGN §11.10). Halving the rows costs power, though, so it is
asked for, and not done where a slice would become too small.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import pandas as pd

from autodc import seeds
from autodc.data.catalogue import Catalogue
from autodc.data.overlap import joint_clusters
from autodc.data.split import split
from autodc.errors import DataError
from autodc.evaluation.slices import VALIDATION, Slice, SliceTable
from autodc.gate.power import smallest_difference
from autodc.gate.thresholds import GUARD_ALPHA
from autodc.studyfile.study import StudySpec
from autodc.wire.assumed import POWER, RESIDUAL_VARIANCE, SEED_SD, SHARES

Array = np.ndarray[Any, Any]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Separation:
    """Who sees which rows of validation."""

    share: float
    diagnosis: Array
    gate: Array
    """diagnosis, gate: positions, rising."""
    note: str = ""
    """Why it was not cut, or empty."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {"share": self.share, "diagnosis": len(self.diagnosis), "gate": len(self.gate), "note": self.note}


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Diagnosis:
    """The diagnosis split as a diagnoser may have it.

    No row of it is in a slice, an objective or a comparison of the gate.
    """

    ids: Array
    """Positions in validation, shape (n,)."""
    x: Array
    """inputs."""
    targets: Array
    """As the user wrote them."""
    metadata: pd.DataFrame
    """n rows."""
    groups: Array | None
    """Shape (n,) or None."""
    outputs: Array | None
    """Predictions of a training of the incumbent, shape (n, …), None where they are not kept (images)."""
    scores: Array
    """Shape (n,), the probability given to the truth, or minus the absolute error."""
    failed: Array | None
    """Shape (n,), whether the class is wrong, None outside classification."""


def separate(spec: StudySpec, catalogue: Catalogue, table: SliceTable) -> tuple[SliceTable, Separation]:
    """Cut validation by `data.diagnosis_share`; return the slices of the rows that are the gate's, and who sees what.

    Related rows (one group, the same inputs) stay on one side; what a slice's own file also holds is the gate's alone.
    Where the cut would leave a slice with fewer than gate.min_rows, or unable to certify its margin, nothing is cut.
    """
    rows = np.arange(len(catalogue.validation))
    share = spec.data.diagnosis_share
    whole = Separation(share=share, diagnosis=rows[:0], gate=rows)
    if share == 0:
        return table, whole
    try:
        diagnosis, gate = split(catalogue.validation, share, seeds.integer(spec.seed, "diagnosis"))
    except DataError as error:
        return table, _not_cut(whole, error.problem)
    cut = table.only(VALIDATION, gate)
    small = [problem for one in cut.slices if (problem := _too_small(spec, one))]
    if small:
        return table, _not_cut(whole, "; ".join(small))
    return cut, Separation(share=share, diagnosis=_unshared(catalogue, diagnosis), gate=gate)


def diagnosis_of(catalogue: Catalogue, separation: Separation, arrays: dict[str, Array]) -> Diagnosis:
    """Return the diagnosis split with what one training of the incumbent made of it. arrays: as `score` kept them."""
    rows = separation.diagnosis
    data = catalogue.validation.take(rows)
    outputs = arrays.get(f"{VALIDATION}.outputs")
    mine = None if outputs is None else outputs[rows]
    targets = catalogue.original_target(data)
    assert targets is not None
    is_class = catalogue.classes is not None and mine is not None and data.y is not None
    return Diagnosis(
        ids=rows,
        x=data.x,
        targets=targets,
        metadata=data.metadata,
        groups=data.groups,
        outputs=mine,
        scores=np.asarray(arrays[f"{VALIDATION}.soft"][rows], dtype=float),
        failed=np.asarray(mine.argmax(axis=1) != data.y) if is_class and mine is not None else None,
    )


def _too_small(spec: StudySpec, one: Slice) -> str:
    """Why a slice is too small for the gate; empty where it is not."""
    counting = one.counting
    if counting < spec.gate.min_rows:
        return f"slice {one.name} would have {counting:.0f} rows that count, fewer than gate.min_rows"
    if one.margin is None or spec.metrics.primary not in SHARES:
        return ""
    pairs = float(spec.gate.looks[-1])
    loss = smallest_difference(counting, SEED_SD**2, RESIDUAL_VARIANCE, pairs, GUARD_ALPHA, POWER)
    if loss <= one.margin:
        return ""
    return f"slice {one.name} could certify a loss below {loss:.3g} at best, its margin is {one.margin:g}"


def _not_cut(whole: Separation, why: str) -> Separation:
    note = (
        f"validation is too small to set {whole.share:.0%} of it apart for diagnosis: {why}. It is not cut, so whoever "
        "looks at its rows one by one looks at the rows that decide"
    )
    return replace(whole, note=note)


def _unshared(catalogue: Catalogue, diagnosis: Array) -> Array:
    """The diagnosis rows of which no slice with a file of its own holds a relative."""
    own = list(catalogue.slice_sets.values())
    if not own:
        return diagnosis
    numbers, *others = joint_clusters([catalogue.validation, *own])
    return diagnosis[~np.isin(numbers[diagnosis], np.concatenate(others))]
