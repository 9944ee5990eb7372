"""The slice table: who is in which slice, as plain row numbers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np

from autodc.data.catalogue import Catalogue
from autodc.data.dataset import Dataset
from autodc.data.hashing import row_marks
from autodc.data.overlap import joint_clusters
from autodc.data.where import select
from autodc.errors import AutodcError, DataError, raise_all
from autodc.evaluation import objective
from autodc.evaluation.evidence import FINDING, UNDEFINED, SliceRole, counting_rows
from autodc.large import distinct_values
from autodc.studyfile.study import SliceSpec, StudySpec

Array = np.ndarray[Any, Any]

VALIDATION = "validation"
TEST = "test"


def part_of(slice_name: str) -> str:
    """Name of the part that holds a slice's own rows, where it has a file of its own."""
    return f"slice-{slice_name}"


def held_parts(catalogue: Catalogue) -> dict[str, Dataset]:
    """The parts that every training predicts: validation, and the own rows of slices that have a file of their own."""
    own = {part_of(name): data for name, data in catalogue.slice_sets.items()}
    return {VALIDATION: catalogue.validation, **own}


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slice:
    """A named set of rows of one part."""

    name: str
    role: SliceRole
    margin: float | None
    weight: float
    part: str
    """`validation`, `test`, or the slice's own part."""
    rows: Array
    """Positions in it, shape (m,), rising."""
    clusters: Array | None
    """Shape (m,), rows that count as one share a number, the same number in every slice of a table, so that a row in
    two slices is known to be one; None: every row counts and is in no other slice."""
    defined: bool = True
    """Whether the metric of the study is defined on these rows; its table says so."""

    @property
    def groups(self) -> int:
        """Clusters of rows, each of which is one observation."""
        return len(self.rows) if self.clusters is None else len(distinct_values(self.clusters))

    @property
    def counting(self) -> float:
        """Rows that count."""
        return counting_rows(len(self.rows), self.clusters)

    def only(self, part: str, rows: Array) -> Slice:
        """The same slice on these rows of a part alone. rows: rising."""
        if self.part != part:
            return self
        stays = np.isin(self.rows, rows)
        return replace(self, rows=self.rows[stays], clusters=None if self.clusters is None else self.clusters[stays])

    def of_finding(self) -> Slice:
        """The same rows as a slice that is neither target nor guard: what was made for a finding may gain there."""
        return replace(self, role=FINDING, margin=None, weight=1.0)

    def is_evidence(self, min_rows: int) -> bool:
        """Whether it has rows enough for the gate, as of SliceEvidence."""
        return self.defined and self.groups >= 2 and self.counting >= min_rows


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SliceTable:
    """All slices of a study over its held-out parts."""

    slices: tuple[Slice, ...]
    targets: Mapping[str, Array]
    """Part → targets, shape (n, ...), encoded."""
    measures: Callable[[Array], bool] | None = None
    """Whether the metric of the study is defined on rows of these targets; None: on all."""
    marks: Mapping[str, Array] = field(default_factory=dict)
    """Part → a hash of each row's inputs and target, shape (n,): by it another study knows the same row."""

    def __post_init__(self) -> None:
        if self.measures is not None:
            told = (replace(s, defined=self.measures(self.targets[s.part][s.rows])) for s in self.slices)
            object.__setattr__(self, "slices", tuple(told))

    def __getitem__(self, name: str) -> Slice:
        return next(s for s in self.slices if s.name == name)

    def only(self, part: str, rows: Array) -> SliceTable:
        """The same slices on these rows of a part alone; its other rows are still predicted. rows: rising."""
        return replace(self, slices=tuple(one.only(part, rows) for one in self.slices))

    def on(self, rows: Mapping[str, Array]) -> SliceTable:
        """The same slices on these rows of each part alone. rows: part → rising positions."""
        table = self
        for part, positions in rows.items():
            table = table.only(part, positions)
        return table

    def with_slice(self, one: Slice) -> SliceTable:
        """The same table with one slice more, of a part it has."""
        return replace(self, slices=(*self.slices, one))

    def objective(self, min_rows: int) -> tuple[Slice, ...]:
        """The targets whose weighted mean is the objective: those that are evidence; where none is, all of them."""
        return objective.counted((s for s in self.slices if s.role == "target"), lambda s: s.is_evidence(min_rows))

    def of_findings(self, names: Collection[str]) -> SliceTable:
        """The same table in which these slices are of findings."""
        return replace(self, slices=tuple(s.of_finding() if s.name in names else s for s in self.slices))

    @property
    def measured(self) -> tuple[Slice, ...]:
        """The slices on which the metric is defined."""
        return tuple(s for s in self.slices if s.defined)

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that a trainer has to predict."""
        return tuple(dict.fromkeys(s.part for s in self.slices))


def validation_table(spec: StudySpec, catalogue: Catalogue) -> SliceTable:
    """Cut validation into the slices of the study.

    Raises DataError ADC-SLICE-001 for a slice without rows, 003 for one whose rows are all one group, and what `where`
    raises; all of them at once.
    """
    problems: list[AutodcError] = []
    found: list[Slice] = []
    held = held_parts(catalogue)
    numbers = dict(zip(held, joint_clusters(list(held.values())), strict=True))
    targets = {VALIDATION: _targets(catalogue.validation)}
    for position, one in enumerate(spec.slices):
        place = f"{spec.place(f'slices[{position}].where')} (slice {one.name})"
        if one.source is not None:
            part = part_of(one.name)
            found.append(_slice(one, part, np.arange(len(held[part])), numbers[part]))
            targets[part] = _targets(held[part])
            problems += _one_group(found[-1], f"{spec.place(f'slices[{position}].source')} (slice {one.name})")
            continue
        try:
            rows = _rows(one, catalogue.validation, catalogue, place)
        except AutodcError as error:
            problems.append(error)
            continue
        if len(rows) == 0:
            problems.append(_empty(one, place, len(catalogue.validation)))
            continue
        found.append(_slice(one, VALIDATION, rows, numbers[VALIDATION]))
        problems += _one_group(found[-1], place)
    raise_all(problems)
    marks = {part: row_marks(held[part].hashes, catalogue.original_target(held[part])) for part in targets}
    return SliceTable(slices=tuple(found), targets=targets, marks=marks)


def where_problems(spec: StudySpec, validation: Dataset) -> list[AutodcError]:
    """What is wrong with the rules of slices, where validation can be read and the study as a whole cannot.

    validation: as its source gives it, with the targets that the user knows. Where the study names attributes, which
    nobody has measured then, a column that is not there may be one of these.
    """
    problems: list[AutodcError] = []
    for position, one in enumerate(spec.slices):
        if one.where is None or one.source is not None:
            continue
        place = f"{spec.place(f'slices[{position}].where')} (slice {one.name})"
        try:
            if not select(one.where, validation.columns, validation.y, place=place).any():
                problems.append(_empty(one, place, len(validation)))
        except AutodcError as error:
            if error.code != "ADC-DATA-031" or not spec.attributes:
                problems.append(error)
    return problems


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sides:
    """Which rows the search sees, and on which the gate decides: part → positions, rising. No row is on both sides."""

    explore: Mapping[str, Array]
    gate: Mapping[str, Array]


def slice_card(one: Slice, min_rows: int, explored: Slice | None = None, every: Slice | None = None) -> dict[str, Any]:
    """What the journal says of a slice. needed: where it is no evidence, how many rows it takes, or UNDEFINED.

    one: on its gate rows; explored, every: on its explore rows and on all rows, left out where rows are not cut.
    """
    return {
        "role": one.role,
        "margin": one.margin,
        "weight": one.weight,
        "rows": len(one.rows),
        "groups": one.groups,
        "counting": round(one.counting, 4),
        "needed": None if one.is_evidence(min_rows) else min_rows if one.defined else UNDEFINED,
        "explore_rows": len((explored or one).rows),
        "all_rows": len((every or one).rows),
    }


def cut_slice(one: SliceSpec, catalogue: Catalogue) -> Slice:
    """Cut one slice more out of validation, long after the others.

    Raises DataError ADC-SLICE-001 where it has no rows, 003 where they are all one group, 004 for a slice with a file
    of its own, whose rows no earlier training has predicted, and what `where` raises.
    """
    place = f"slice {one.name}"
    if one.source is not None:
        hint = "give it as a rule over the rows of validation, or begin a new study with it in its file"
        raise DataError("ADC-SLICE-004", "no training so far has predicted its rows", place, one.source, hint)
    data = catalogue.validation
    numbers, *_ = joint_clusters(list(held_parts(catalogue).values()))
    rows = _rows(one, data, catalogue, place)
    if len(rows) == 0:
        raise _empty(one, place, len(data))
    found = _slice(one, VALIDATION, rows, numbers)
    raise_all(_one_group(found, place))
    return found


def sealed_table(
    spec: StudySpec,
    catalogue: Catalogue,
    opened: Dataset,
    further: Sequence[SliceSpec] = (),
    measures: Callable[[Array], bool] | None = None,
) -> SliceTable:
    """Cut the opened test set into the same slices; a slice with no test rows is left out.

    So is one of those admitted later whose rule cannot be read there: it takes nothing from what else is measured. A
    slice with a file of its own has no rows in the test set. further: slices that were admitted while the study ran;
    measures: as of `SliceTable`.
    """
    slices = tuple(s for s in (*spec.slices, *further) if s.source is None)
    found = []
    (numbers,) = joint_clusters([opened])
    for one in slices:
        try:
            rows = _rows(one, opened, catalogue, f"slice {one.name} of the test set")
        except DataError:
            if one in spec.slices:
                raise
            continue
        if len(rows):
            found.append(_slice(one, TEST, rows, numbers))
    return SliceTable(slices=tuple(found), targets={TEST: _targets(opened)}, measures=measures)


def _empty(one: SliceSpec, place: str, rows: int) -> DataError:
    got = f"{one.where!r} matches none of {rows} validation rows"
    return DataError(
        "ADC-SLICE-001", f"slice {one.name} has no rows", place, got, "mend the expression, or leave it out"
    )


def _rows(one: SliceSpec, data: Dataset, catalogue: Catalogue, place: str) -> Array:
    if one.where is None:
        return np.arange(len(data))
    mask = select(one.where, data.columns, catalogue.original_target(data), place=place)
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
