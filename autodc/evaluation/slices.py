"""The slice table: who is in which slice, as plain row numbers, and what a set of predictions scores there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from autodc.data.catalogue import Catalogue
from autodc.data.dataset import Dataset
from autodc.data.overlap import joint_clusters
from autodc.data.where import select
from autodc.errors import AutodcError, DataError, raise_all
from autodc.evaluation.evidence import SliceEvidence, counting_rows
from autodc.evaluation.metrics import Metric, soft_rows
from autodc.studyfile.study import Role, SliceSpec, StudySpec, TaskKind

Array = np.ndarray[Any, Any]

VALIDATION = "validation"
TEST = "test"
HIT_BYTES = 0.25
"""What a row of hits and misses takes on disk, compressed."""


def part_of(slice_name: str) -> str:
    """Name of the part that holds a slice's own rows, where it has a file of its own."""
    return f"slice-{slice_name}"


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slice:
    """A named set of rows of one part.

    part: `validation`, `test`, or the slice's own part; rows: positions in it, shape (m,), rising;
    clusters: shape (m,), rows that count as one share a number, the same number in every slice of a table, so that a
    row in two slices is known to be one; None: every row counts and is in no other slice.
    """

    name: str
    role: Role
    margin: float | None
    weight: float
    part: str
    rows: Array
    clusters: Array | None

    @property
    def groups(self) -> int:
        """Clusters of rows, each of which is one observation."""
        return len(self.rows) if self.clusters is None else len(np.unique(self.clusters))

    @property
    def counting(self) -> float:
        """Rows that count."""
        return counting_rows(len(self.rows), self.clusters)

    def is_evidence(self, min_rows: int) -> bool:
        """Whether it has rows enough for the gate, as of SliceEvidence."""
        return self.groups >= 2 and self.counting >= min_rows


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SliceTable:
    """All slices of a study over its held-out parts. targets: part → targets, shape (n, ...), encoded."""

    slices: tuple[Slice, ...]
    targets: Mapping[str, Array]

    def __getitem__(self, name: str) -> Slice:
        return next(s for s in self.slices if s.name == name)

    def only(self, part: str, rows: Array) -> SliceTable:
        """The same slices on these rows of a part alone; its other rows are still predicted. rows: rising."""
        cut = []
        for one in self.slices:
            stays = np.isin(one.rows, rows) if one.part == part else np.ones(len(one.rows), dtype=bool)
            clusters = None if one.clusters is None else one.clusters[stays]
            cut.append(replace(one, rows=one.rows[stays], clusters=clusters))
        return SliceTable(slices=tuple(cut), targets=self.targets)

    def objective(self, min_rows: int) -> tuple[Slice, ...]:
        """The targets whose weighted mean is the objective: those that are evidence; where none is, all of them."""
        targets = tuple(s for s in self.slices if s.role == "target")
        return tuple(s for s in targets if s.is_evidence(min_rows)) or targets

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that a trainer has to predict."""
        return tuple(dict.fromkeys(s.part for s in self.slices))


def validation_table(spec: StudySpec, catalogue: Catalogue) -> SliceTable:
    """Cut validation into the slices of the study.

    Raises DataError ADC-SLICE-001 for a slice without rows, 003 for one whose rows are all one group, and what `where`
    raises; all of them at once.
    """
    return _table(spec, catalogue, catalogue.validation, VALIDATION)


def test_table(spec: StudySpec, catalogue: Catalogue, opened: Dataset) -> SliceTable:
    """Cut the opened test set into the same slices; a slice with no test rows is left out.

    A slice with a file of its own has no rows in the test set.
    """
    slices = tuple(s for s in spec.slices if s.source is None)
    found = []
    (numbers,) = joint_clusters([opened])
    for one in slices:
        rows = _rows(one, opened, catalogue, f"slice {one.name} of the test set")
        if len(rows):
            found.append(_slice(one, TEST, rows, numbers))
    return SliceTable(slices=tuple(found), targets={TEST: _targets(opened)})


def _table(spec: StudySpec, catalogue: Catalogue, data: Dataset, part: str) -> SliceTable:
    problems: list[AutodcError] = []
    found: list[Slice] = []
    targets = {part: _targets(data)}
    held = {part: data, **{part_of(name): own for name, own in catalogue.slice_sets.items()}}
    numbers = dict(zip(held, joint_clusters(list(held.values())), strict=True))
    for position, one in enumerate(spec.slices):
        place = f"{spec.place(f'slices[{position}].where')} (slice {one.name})"
        if one.source is not None:
            own = catalogue.slice_sets[one.name]
            found.append(_slice(one, part_of(one.name), np.arange(len(own)), numbers[part_of(one.name)]))
            targets[part_of(one.name)] = _targets(own)
            problems += _one_group(found[-1], f"{spec.place(f'slices[{position}].source')} (slice {one.name})")
            continue
        try:
            rows = _rows(one, data, catalogue, place)
        except AutodcError as error:
            problems.append(error)
            continue
        if len(rows) == 0:
            problems.append(
                DataError(
                    "ADC-SLICE-001",
                    f"slice {one.name} has no rows",
                    place,
                    f"{one.where!r} matches none of {len(data)} validation rows",
                    "mend the expression, or leave the slice out",
                )
            )
            continue
        found.append(_slice(one, part, rows, numbers[part]))
        problems += _one_group(found[-1], place)
    raise_all(problems)
    return SliceTable(slices=tuple(found), targets=targets)


def _rows(one: SliceSpec, data: Dataset, catalogue: Catalogue, place: str) -> Array:
    if one.where is None:
        return np.arange(len(data))
    mask = select(one.where, data.metadata, catalogue.original_target(data), place=place)
    return np.flatnonzero(mask)


def _slice(one: SliceSpec, part: str, rows: Array, numbers: Array) -> Slice:
    return Slice(
        name=one.name,
        role=one.role,
        margin=one.margin,
        weight=one.weight or 1.0,
        part=part,
        rows=rows,
        clusters=numbers[rows],
    )


def _one_group(one: Slice, place: str) -> list[AutodcError]:
    """Rows of one group, or copies of one row, are one observation: nothing can be said of the next one."""
    if one.groups > 1:
        return []
    rows = f"{len(one.rows)} row{'s' if len(one.rows) > 1 else ''}, one group"
    hint = "widen the slice until it has rows of many groups, or leave it out"
    return [DataError("ADC-SLICE-003", f"the rows of slice {one.name} are all one group", place, rows, hint)]


def _targets(data: Dataset) -> Array:
    if data.y is None:
        raise DataError("ADC-SLICE-002", f"the targets of {data.name} are sealed")
    return np.asarray(data.y)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """What one set of predictions scores. slices, soft: slice → oriented mean; arrays: what is kept per row."""

    slices: Mapping[str, float]
    soft: Mapping[str, float]
    arrays: Mapping[str, Array]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """What is kept per row beside what comparisons on the metric need. soft: the soft score, where the gate decides on
    it or somebody looks at single rows; outputs: the predictions, for the latter."""

    soft: bool = True
    outputs: bool = True

    @classmethod
    def of(cls, spec: StudySpec) -> Keep:
        """What a study needs of every training."""
        looked_at = spec.data.diagnosis_share > 0
        return cls(soft=looked_at or spec.gate.score == "soft", outputs=looked_at)


def kept_bytes(table: SliceTable, metric: Metric, kind: TaskKind, width: int, keep: Keep) -> float:
    """About how much disk a training takes for its scores per row. width: numbers a prediction has."""
    a_row = 0.0
    if metric.is_mean:
        a_row += HIT_BYTES if metric.name == "accuracy" else 4
    if keep.soft:
        a_row += 4
    if not metric.is_mean or (keep.outputs and kind != "image_to_image"):
        a_row += 4 * width
    return a_row * sum(len(table.targets[part]) for part in table.parts)


def rows_kept(arrays: Mapping[str, Array], part: str) -> int:
    """Of how many rows of a part a training kept something."""
    kept = (arrays.get(f"{part}.{what}") for what in ("score", "outputs", "soft"))
    return next((len(array) for array in kept if array is not None), 0)


def score(
    table: SliceTable, metric: Metric, kind: TaskKind, outputs: Mapping[str, Array], keep: Keep = Keep()
) -> Scores:
    """Score predictions on every slice. outputs: part → predictions in row order; keep: what is kept of each row."""
    arrays: dict[str, Array] = {}
    soft_of: dict[str, Array] = {}
    for part in table.parts:
        predicted, truth = outputs[part], table.targets[part]
        soft_of[part] = soft_rows(kind, predicted, truth).astype(np.float32)
        if keep.soft:
            arrays[f"{part}.soft"] = soft_of[part]
        if metric.is_mean:
            rows = metric.rows(predicted, truth)
            if rows.shape != (len(truth),):
                raise ValueError(f"it gives {rows.shape} for {len(truth)} rows: one number a row is needed")
            arrays[f"{part}.score"] = _small(rows)
        if not metric.is_mean or (keep.outputs and kind != "image_to_image"):
            arrays[f"{part}.outputs"] = np.asarray(predicted, dtype=np.float32)
    slices, soft = {}, {}
    for one in table.slices:
        soft[one.name] = float(soft_of[one.part][one.rows].mean(dtype=float))
        if metric.is_mean:
            slices[one.name] = float(arrays[f"{one.part}.score"][one.rows].mean(dtype=float))
        else:
            slices[one.name] = metric.value(outputs[one.part][one.rows], table.targets[one.part][one.rows])
    return Scores(slices=slices, soft=soft, arrays=arrays)


def _small(rows: Array) -> Array:
    """Hits and misses as bytes, the same numbers in a quarter of the room; anything else as decimal numbers."""
    small = rows.astype(np.float32)
    with np.errstate(invalid="ignore"):
        whole = small.astype(np.int8)
    return whole if np.array_equal(whole, small) else small


def row_scores(table: SliceTable, metric: Metric, one: Slice, arrays: Mapping[str, Array], soft: bool) -> Array:
    """One oriented number per row of a slice, shape (m,), from what `score` kept."""
    if soft:
        return np.asarray(arrays[f"{one.part}.soft"][one.rows], dtype=float)
    if metric.is_mean:
        return np.asarray(arrays[f"{one.part}.score"][one.rows], dtype=float)
    return metric.rows(arrays[f"{one.part}.outputs"][one.rows], table.targets[one.part][one.rows])


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairedOutputs:
    """Two arms on the same seeds: the arrays `score` kept, one a pair, None where that training failed.

    start: arrays of the campaign's start, to hold guards against it as well; declared: targets meant to be helped.
    """

    challenger: Sequence[Mapping[str, Array] | None]
    incumbent: Sequence[Mapping[str, Array] | None]
    start: Sequence[Mapping[str, Array] | None] = ()
    declared: frozenset[str] = frozenset()


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
            evidence[f"{one.name}.metric"] = SliceEvidence(
                name=f"{one.name}.metric",
                role="guard",
                weight=one.weight,
                margin=one.margin,
                declared=False,
                differences=guard.differences,
                clusters=one.clusters,
                anchor=guard.anchor,
            )
    return evidence


def _evidence(table: SliceTable, metric: Metric, one: Slice, pairs: PairedOutputs, soft: bool) -> SliceEvidence:
    def rows(arm: Sequence[Mapping[str, Array] | None]) -> list[Array]:
        lost = np.full(len(one.rows), np.nan)
        return [lost if a is None else row_scores(table, metric, one, a, soft) for a in arm]

    challenger = np.array(rows(pairs.challenger)).reshape(len(pairs.challenger), len(one.rows))
    incumbent = np.array(rows(pairs.incumbent)).reshape(len(pairs.incumbent), len(one.rows))
    start = np.array(rows(pairs.start)) if pairs.start else None
    anchor = None
    if start is not None:
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
    )
