"""All datasets of a study, read, made to agree with the base, and cleared of rows that validation or test also hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

import numpy as np

from autodc import fingerprint
from autodc.data.admit import Candidate, Door, Read, fitted, like, training_digests
from autodc.data.agreement import Classes, class_labels
from autodc.data.dataset import Dataset
from autodc.data.pool import read_pool
from autodc.data.problems import OptionError
from autodc.data.sealed import Asked, Measure, misfits_of, sealed
from autodc.errors import AutodcError, DataError, InputError, each_of, raise_all
from autodc.large import taken_values
from autodc.plan.mixture import BASE
from autodc.studyfile.study import DataSpec, SourceSpec, StudySpec

Array = np.ndarray[Any, Any]

VALIDATION, TEST, POOL = "validation", "test", "pool"
STUDY_FILE = "study.yaml"
"""What a message calls the file of a spec that was in none."""
DatasetRole = Literal["base", "candidate", "pool", "validation", "test", "slice"]
ROLES: tuple[DatasetRole, ...] = ("base", "candidate", "pool", "validation", "test", "slice")
TRAINING = ("base", "candidate", "pool")
"""Roles of what goes through the door; the others are held out."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Catalogue:
    """The datasets of a study as it is opened."""

    base: Dataset
    candidates: Mapping[str, Dataset]
    validation: Dataset
    slice_sets: Mapping[str, Dataset] = field(default_factory=dict)
    """Slice → its own unit test set."""
    test: Dataset | None = None
    """Inputs and metadata; its targets are sealed."""
    pool: Dataset | None = None
    classes: Classes | None = None
    """Labels as the user knows them, in the order of their codes 0 … C−1 in every `y`."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Dataset → rows taken out of training because validation, test or a slice set holds them too."""
    kept: Mapping[str, Array] = field(default_factory=dict)
    """Dataset → positions in its source of the rows that stayed, where some were left out."""
    warnings: tuple[str, ...] = ()
    unfit: tuple[AutodcError, ...] = ()
    """Slices whose `where` cannot be read in the test set."""
    fingerprint: str = ""
    """Content of all of it, of the test set its inputs and metadata."""

    def __post_init__(self) -> None:
        if not self.fingerprint:
            object.__setattr__(self, "fingerprint", _fingerprint(self))

    def __getitem__(self, name: str) -> Dataset:
        """A training dataset by its name in a mixture."""
        return self.base if name == BASE else self.candidates[name]

    @property
    def training(self) -> dict[str, Dataset]:
        """Base, candidates and pool by name: what rows may be drawn from or made of."""
        pool = {} if self.pool is None else {POOL: self.pool}
        return {BASE: self.base, **self.candidates, **pool}

    @property
    def held(self) -> tuple[Dataset, ...]:
        """What nobody trains on."""
        return (self.validation, *((self.test,) if self.test is not None else ()), *self.slice_sets.values())

    def door(self, policy: DataSpec) -> Door:
        """The door for what is proposed from here on."""
        known = training_digests([self.base, *self.candidates.values()])
        return Door(base=_as_written(self), classes=self.classes, held=self.held, policy=policy, known=known)

    def original_target(self, dataset: Dataset) -> Array | None:
        """Targets as the user wrote them, for `where` and for people; None where they are sealed."""
        if dataset.y is None or self.classes is None:
            return dataset.y
        return taken_values(np.asarray(self.classes), dataset.y)

    def in_source(self, name: str, rows: Array) -> Array:
        """Positions of rows of a training dataset in its source, of which some rows may have been left out."""
        kept = self.kept.get(name)
        return rows if kept is None else np.asarray(kept)[rows]


def build_catalogue(
    spec: StudySpec, read: Read, candidates: Sequence[Candidate], measure: Measure | None = None
) -> Catalogue:
    """Read every dataset of the study once; the targets of the test set stay sealed, it is only asked whether they fit.

    candidates: those that are proposed before the study begins; measure: for slices that name attributes. Raises
    DataError or Problems with all that is wrong: sources that cannot be read, shapes, types or classes the base does
    not have, training rows that validation or test also hold.
    """
    entries = _entries(spec, candidates)
    raise_all(_name_problems(entries))
    rows, problems, asked = _read_all(spec, entries, read, measure)
    base = rows.get(entries[0])
    if base is None:
        raise_all(problems)
    assert base is not None
    classes = class_labels(base, entries[0].place) if spec.task.kind == "classification" else None
    held, misfits = _held(rows, base, classes)
    door = Door(base=base, classes=classes, held=tuple(held.values()), policy=spec.data)
    training = {e: door.look(d, e.place, is_pool=e.role == "pool") for e, d in rows.items() if e.role in TRAINING}
    every = list(training.values())
    problems += [
        *(one for found in every for one in found.misfits),
        *misfits,
        *(one for found in every for one in found.overlaps),
    ]
    raise_all(problems)
    fit = {**{e: found.data for e, found in training.items() if found.data is not None}, **held}
    by_role = {role: {e.name: data for e, data in fit.items() if e.role == role} for role in ROLES}
    notes = [f"`{data.name}`: {note}" for data in fit.values() for note in data.notes]
    return Catalogue(
        base=by_role["base"][BASE],
        candidates=by_role["candidate"],
        validation=by_role["validation"][VALIDATION],
        slice_sets=by_role["slice"],
        test=by_role["test"].get(TEST),
        pool=by_role["pool"].get(POOL),
        classes=classes,
        left_out={e.name: found.left_out for e, found in training.items() if found.left_out},
        kept={e.name: found.kept for e, found in training.items() if found.kept is not None},
        warnings=(
            *notes,
            *(one for found in every for one in found.warnings),
            *(one for found in every for one in found.repeats),
            *(one for found in every for one in found.groups),
            *asked.warnings,
        ),
        unfit=tuple(asked.unfit),
    )


def open_test(spec: StudySpec, read: Read, catalogue: Catalogue) -> Dataset:
    """Read the test set with its targets, encoded as the base's. To be called once, after it is journalled.

    Raises DataError ADC-DATA-028 where the rows are no longer those that were sealed, and all of `build_catalogue`.
    """
    if spec.data.test is None or catalogue.test is None:
        raise ValueError("the study has no test set")
    place = place_of(spec, "data.test")
    data = read_rows(spec, spec.data.test, TEST, place, like(read, catalogue.base))
    raise_all(misfits_of(spec, data, catalogue.original_target(catalogue.base), place))
    found, problems = fitted(data, _as_written(catalogue), catalogue.classes, place)
    raise_all(problems)
    assert found is not None
    if replace(found, y=None, fingerprint="").fingerprint != catalogue.test.fingerprint:
        hint = "put its inputs and metadata back as they were when the study began (labels alone may be mended)"
        raise DataError("ADC-DATA-028", "the test set has changed since it was sealed", place, "", hint)
    return found


def place_of(spec: StudySpec, key: str, name: str = "") -> str:
    """Where a source stands in the study file, and which it is."""
    above, listed, below = key.partition("[")
    if (found := spec.place(key)) != key:
        return f"{found} ({name})" if listed else found
    return f"{STUDY_FILE}: {above}[{name}]{below.partition(']')[2]}" if listed else f"{STUDY_FILE}: {key}"


def read_rows(
    spec: StudySpec, source: SourceSpec, name: str, place: str, read: Read, *, targets: bool = True
) -> Dataset:
    """Read one source of a study, unchecked against the others."""
    return read(source, folder=spec.folder, name=name, place=place, kind=spec.task.kind, targets=targets)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One dataset of the study: what it is for, its name, its key and how its rows are read."""

    role: DatasetRole
    name: str
    place: str
    rows: Callable[..., Dataset]

    def __hash__(self) -> int:
        return hash((self.role, self.name))


_Rows = dict[_Entry, Dataset]


def _entries(spec: StudySpec, candidates: Iterable[Candidate]) -> list[_Entry]:
    """Every dataset in the order of the file, the base first."""

    def entry(role: DatasetRole, name: str, key: str, source: SourceSpec) -> _Entry:
        place = place_of(spec, key, name)
        return _Entry(role=role, name=name, place=place, rows=partial(read_rows, spec, source, name, place))

    data = spec.data
    found = [entry("base", BASE, "data.base", data.base)]
    found += [_Entry(role="candidate", name=c.name, place=c.place, rows=c.rows) for c in candidates]
    if data.pool is not None:
        place = place_of(spec, "data.pool", POOL)
        found.append(_Entry(role="pool", name=POOL, place=place, rows=partial(read_pool, spec, data.pool, place)))
    found.append(entry("validation", VALIDATION, "data.validation", data.validation))
    found += [entry("test", TEST, "data.test", data.test)] if data.test is not None else []
    for i, part in enumerate(spec.slices):
        if part.source is not None:
            source = SourceSpec(source=part.source, options=part.options)
            found.append(entry("slice", part.name, f"slices[{i}].source", source))
    return found


def _name_problems(entries: Iterable[_Entry]) -> list[AutodcError]:
    seen = {(BASE, "candidate"), (POOL, "candidate"), (VALIDATION, "candidate"), (TEST, "candidate")}
    problems: list[AutodcError] = []
    for entry in entries:
        if (entry.name, entry.role) in seen:
            hint = "give it another name"
            problems.append(DataError("ADC-DATA-027", "this name is taken", entry.place, f"`{entry.name}`", hint))
        seen.add((entry.name, entry.role))
    return problems


def _read_all(
    spec: StudySpec, entries: Sequence[_Entry], read: Read, measure: Measure | None
) -> tuple[_Rows, list[AutodcError], Asked]:
    """Read all sources, going on past those that cannot be read."""
    rows: _Rows = {}
    problems: list[AutodcError] = []
    asked = Asked()
    for entry in entries:
        try:
            if entry.role == "test":
                only = partial(_with_targets, entry, read)
                rows[entry], misfits = sealed(spec, only, entry.place, rows.get(entries[0]), asked, measure)
                problems += misfits
            else:
                rows[entry] = entry.rows(read)
                read = like(read, rows[entry]) if entry is entries[0] else read
        except InputError as error:
            problems += (_at_its_line(spec, entry, one) for one in each_of(error))
    return rows, problems, asked


def _at_its_line(spec: StudySpec, entry: _Entry, error: AutodcError) -> AutodcError:
    """What is wrong with a source at the line of its path, or of the option that it is about."""
    if error.place == entry.place:
        keys = {("slice", one.name): f"slices[{i}]" for i, one in enumerate(spec.slices)}
        keys |= {("candidate", one.name): f"data.candidates[{i}]" for i, one in enumerate(spec.data.candidates)}
        below = f"options.{error.option}" if isinstance(error, OptionError) else "source"
        key = keys.get((entry.role, entry.name), f"data.{entry.role}")
        error.place = place_of(spec, f"{key}.{below}", entry.name)
    return error


def _with_targets(entry: _Entry, read: Read, targets: bool) -> Dataset:
    return entry.rows(read, targets=targets)


def _held(rows: _Rows, base: Dataset, classes: Classes | None) -> tuple[_Rows, list[AutodcError]]:
    """What is held out, as the base's; and what of it does not agree with the base."""
    held: _Rows = {}
    problems: list[AutodcError] = []
    for entry, data in rows.items():
        if entry.role in TRAINING:
            continue
        fit, found = fitted(data, base, classes, entry.place)
        problems += found
        if fit is not None:
            held[entry] = fit
    return held, problems


def _as_written(catalogue: Catalogue) -> Dataset:
    """The base with targets as the user writes them; of classes, one of each."""
    base, classes = catalogue.base, catalogue.classes
    return base if classes is None else replace(base, y=np.asarray(classes))


def _fingerprint(catalogue: Catalogue) -> str:
    parts = [("base", catalogue.base.fingerprint), ("validation", catalogue.validation.fingerprint)]
    parts += [(f"candidate.{name}", data.fingerprint) for name, data in catalogue.candidates.items()]
    parts += [(f"slice.{name}", data.fingerprint) for name, data in catalogue.slice_sets.items()]
    parts += [(name, data.fingerprint) for name, data in (("test", catalogue.test), ("pool", catalogue.pool)) if data]
    parts.append(("classes", fingerprint.of([str(c) for c in catalogue.classes or ()], kind="classes")))
    return fingerprint.of_parts("catalogue", parts)
