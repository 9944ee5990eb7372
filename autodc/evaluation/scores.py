"""What a set of predictions scores on a slice table, what is kept of it per row, and two arms as paired differences.

Slice values are derived: from what is kept per row any slice of the same part has its value, also one that is cut long
after the training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from autodc import values
from autodc.evaluation.evidence import SliceEvidence
from autodc.evaluation.metrics import Metric, soft_rows
from autodc.evaluation.slices import Slice, SliceTable
from autodc.studyfile.study import StudySpec, TaskKind

Array = np.ndarray[Any, Any]

WIDE = 1000
"""A prediction of more numbers than that is an image."""

HIT_BYTES = 0.25
"""What a row of hits and misses takes on disk, compressed."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """What one set of predictions scores."""

    slices: Mapping[str, float]
    soft: Mapping[str, float]
    """slices, soft: slice → oriented mean on the rows that decide."""
    explore: Mapping[str, float]
    explore_soft: Mapping[str, float]
    """explore, explore_soft: slice → oriented mean on the rows that the search sees, empty where rows are not cut."""
    arrays: Mapping[str, Array]
    """What is kept per row."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """What is kept per row beside what comparisons on the metric need. soft: the soft score; outputs: predictions."""

    soft: bool = True
    outputs: bool = True

    @classmethod
    def of(cls, spec: StudySpec) -> Keep:
        """What a study needs of every training. Who looks at single rows has the predictions of a few by themselves."""
        return cls(soft=spec.gate.score == "soft", outputs=False)


def kept_bytes(table: SliceTable, metric: Metric, kind: TaskKind, width: int, keep: Keep) -> float:
    """About how much disk a training takes for its scores per row. width: numbers a prediction has."""
    a_row = 0.0
    if metric.is_mean:
        a_row += HIT_BYTES if metric.name == "accuracy" else 4
    if keep.soft and kind != "custom":
        a_row += 4
    if not metric.is_mean or (keep.outputs and kind != "image_to_image"):
        a_row += 4 * width
    return a_row * sum(len(table.targets[part]) for part in table.parts)


def outputs_bytes(table: SliceTable, width: int) -> float:
    """About how much disk the predictions of one training take. width: numbers a prediction has."""
    return float(sum(len(table.targets[part]) for part in table.parts) * width * (2 if width > WIDE else 4))


def kept_outputs(outputs: Mapping[str, Array], parts: Sequence[str]) -> dict[str, Array]:
    """Predictions as they are kept: images, which are only looked at, with half the digits."""
    found = {}
    for part in parts:
        predicted = values.kept(outputs[part])
        wide = predicted.dtype.kind == "f" and predicted[0].size > WIDE
        found[part] = predicted.astype(np.float16) if wide else predicted
    return found


def rows_kept(arrays: Mapping[str, Array], part: str) -> int:
    """Of how many rows of a part a training kept something."""
    kept = (arrays.get(f"{part}.{what}") for what in ("score", "outputs", "soft"))
    return next((len(array) for array in kept if array is not None), 0)


def score(
    table: SliceTable,
    metric: Metric,
    kind: TaskKind,
    outputs: Mapping[str, Array],
    keep: Keep = Keep(),
    gate: SliceTable | None = None,
    explore: SliceTable | None = None,
) -> Scores:
    """Score predictions on every slice. outputs: part → predictions in row order; keep: what is kept of each row.

    gate, explore: the same slices on the rows that decide and on those the search sees, where rows are cut.
    """
    arrays: dict[str, Array] = {}
    soft_of: dict[str, Array] = {}
    for part in table.parts:
        predicted, truth = outputs[part], table.targets[part]
        if kind != "custom":
            soft_of[part] = soft_rows(kind, predicted, truth).astype(np.float32)
        if keep.soft and part in soft_of:
            arrays[f"{part}.soft"] = soft_of[part]
        if metric.is_mean:
            rows = metric.rows(predicted, truth)
            if rows.shape != (len(truth),):
                raise ValueError(f"it gives {rows.shape} for {len(truth)} rows: one number a row is needed")
            arrays[f"{part}.score"] = _small(rows)
        if not metric.is_mean or (keep.outputs and kind != "image_to_image"):
            arrays[f"{part}.outputs"] = values.kept(predicted)
    given = arrays | {f"{part}.outputs": outputs[part] for part in table.parts}
    given |= {f"{part}.soft": rows for part, rows in soft_of.items()}
    decide, soft = means(table if gate is None else gate, metric, given)
    seen, seen_soft = ({}, {}) if explore is None else means(explore, metric, given)
    return Scores(slices=decide, soft=soft, explore=seen, explore_soft=seen_soft, arrays=arrays)


def means(table: SliceTable, metric: Metric, arrays: Mapping[str, Array]) -> tuple[dict[str, float], dict[str, float]]:
    """Metric of the slices that have rows on which it is defined, and soft score of those with rows, where kept."""
    some = [one for one in table.slices if len(one.rows)]
    return (
        {one.name: slice_value(table, metric, one, arrays) for one in some if one.defined},
        {one.name: m for one in some if (m := soft_value(one, arrays)) is not None},
    )


def soft_value(one: Slice, arrays: Mapping[str, Array]) -> float | None:
    """The mean soft score of a slice, from what `score` kept of a training; None where it kept none."""
    rows = arrays.get(f"{one.part}.soft")
    return None if rows is None else float(rows[one.rows].mean(dtype=float))


def slice_value(table: SliceTable, metric: Metric, one: Slice, arrays: Mapping[str, Array]) -> float:
    """The oriented metric of a slice, from what `score` kept of a training."""
    if metric.is_mean:
        return float(arrays[f"{one.part}.score"][one.rows].mean(dtype=float))
    return metric.value(arrays[f"{one.part}.outputs"][one.rows], table.targets[one.part][one.rows])


def _small(rows: Array) -> Array:
    """Hits and misses as bytes, the same numbers in a quarter of the room; anything else as decimal numbers."""
    small = rows.astype(np.float32)
    with np.errstate(invalid="ignore"):
        whole = small.astype(np.int8)
    return whole if np.array_equal(whole, small) else small


def row_scores(table: SliceTable, metric: Metric, one: Slice, arrays: Mapping[str, Array], soft: bool) -> Array:
    """One oriented number per row of a slice, shape (m,), from what `score` kept; 0 where the metric is not defined."""
    if soft:
        return np.asarray(arrays[f"{one.part}.soft"][one.rows], dtype=float)
    if not one.defined:
        return np.zeros(len(one.rows))
    if metric.is_mean:
        return np.asarray(arrays[f"{one.part}.score"][one.rows], dtype=float)
    return metric.rows(arrays[f"{one.part}.outputs"][one.rows], table.targets[one.part][one.rows])


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairedOutputs:
    """Two arms on the same seeds: the arrays `score` kept, one a pair, None where that training failed."""

    challenger: Sequence[Mapping[str, Array] | None]
    incumbent: Sequence[Mapping[str, Array] | None]
    start: Sequence[Mapping[str, Array] | None] = ()
    """Arrays of the campaign's start, to hold guards against it as well."""
    declared: frozenset[str] = frozenset()
    """Targets meant to be helped."""


def compare(table: SliceTable, metric: Metric, pairs: PairedOutputs, soft: bool = False) -> dict[str, SliceEvidence]:
    """Turn two arms into paired differences, slice by slice. A failed training leaves a row of NaN: a lost pair.

    soft: targets are judged on the soft score, and each has the metric itself beside it as a guard.
    """
    evidence: dict[str, SliceEvidence] = {}
    for one in table.slices:
        on_soft = soft and one.role == "target"
        evidence[one.name] = _evidence(table, metric, one, pairs, on_soft)
        if on_soft and one.margin is not None:
            guard = _evidence(table, metric, one, pairs, soft=False)
            beside = replace(guard, name=f"{one.name}.metric", role="guard", declared=False)
            evidence[beside.name] = beside
    return evidence


def _evidence(table: SliceTable, metric: Metric, one: Slice, pairs: PairedOutputs, soft: bool) -> SliceEvidence:
    def rows(arm: Sequence[Mapping[str, Array] | None]) -> list[Array]:
        lost = np.full(len(one.rows), np.nan)
        return [lost if a is None else row_scores(table, metric, one, a, soft) for a in arm]

    challenger = np.array(rows(pairs.challenger)).reshape(len(pairs.challenger), len(one.rows))
    incumbent = np.array(rows(pairs.incumbent)).reshape(len(pairs.incumbent), len(one.rows))
    anchor = None
    if pairs.start:
        start = np.array(rows(pairs.start))
        count = min(len(challenger), len(start))
        anchor = challenger[:count] - start[:count]
    return SliceEvidence(
        name=one.name,
        role=one.role,
        weight=one.weight,
        margin=None if soft else one.margin,
        declared=one.name in pairs.declared,
        differences=challenger - incumbent,
        clusters=one.clusters,
        anchor=anchor,
        defined=one.defined or soft,
    )
