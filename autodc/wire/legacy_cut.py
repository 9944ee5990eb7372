"""The cut of studies that were begun before search and gate had rows of their own; they go on by it to the end.

`data.diagnosis_share` set rows of validation apart for diagnosis; search and gate shared the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np

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


def former_cut(spec: StudySpec, catalogue: Catalogue, table: SliceTable) -> tuple[Array, Array] | None:
    """Rows of validation for diagnosis, and those of search and gate; None where it was too small to be cut."""
    try:
        diagnosis, others = split(catalogue.validation, spec.data.explore_share, seeds.integer(spec.seed, "diagnosis"))
    except DataError:
        return None
    if any(_is_too_small(spec, one) for one in table.only(VALIDATION, others).slices):
        return None
    own = list(catalogue.slice_sets.values())
    if own:
        numbers, *of_slices = joint_clusters([catalogue.validation, *own])
        diagnosis = diagnosis[~np.isin(numbers[diagnosis], np.concatenate(of_slices))]
    return diagnosis, others


def _is_too_small(spec: StudySpec, one: Slice) -> bool:
    if one.counting < spec.gate.min_rows:
        return True
    if one.margin is None or spec.metrics.primary not in SHARES:
        return False
    pairs = float(spec.gate.looks[-1])
    return smallest_difference(one.counting, SEED_SD**2, RESIDUAL_VARIANCE, pairs, GUARD_ALPHA, POWER) > one.margin
