"""All datasets of a study, read, made to agree with the base, and cleared of rows that validation or test also hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from autodc import fingerprint
from autodc.data.agreement import Classes, agreed, class_labels, encoded
from autodc.data.dataset import Dataset
from autodc.data.mixture import BASE
from autodc.data.overlap import exact, row_hashes
from autodc.errors import AutodcError, DataError, InputError, Problems, raise_all
from autodc.spec.study import SourceSpec, StudySpec

Array = np.ndarray[Any, Any]

Read = Callable[..., Dataset]
"""`read(source_spec, *, folder, name, place, kind, targets) -> Dataset`: adapters.sources.read_source or a stand-in."""

VALIDATION, TEST, POOL = "validation", "test", "pool"
STUDY_FILE = "study.yaml"
Role = Literal["base", "candidate", "pool", "validation", "test", "slice"]
ROLES: tuple[Role, ...] = ("base", "candidate", "pool", "validation", "test", "slice")
TRAINING = ("base", "candidate", "pool")
OVERLAP = "training rows are in the held-out data"
OVERLAP_HINT = (
    "the model would be tested on what it learned; take these rows out of training, or raise `data.max_overlap` "
    "(now {:g}): rows up to that share are left out for you"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Catalogue:
    """The datasets of a study.

    classes: labels as the user knows them, in the order of their codes 0 … C−1 in every `y`, or None;
    test: inputs and metadata, targets sealed; slice_sets: slice name → its own unit test set;
    left_out: dataset → rows taken out of training because validation, test or a slice set holds the same inputs;
    fingerprint: content of all of it (of the test set its inputs and metadata).
    """

    base: Dataset
    candidates: Mapping[str, Dataset]
    validation: Dataset
    slice_sets: Mapping[str, Dataset] = field(default_factory=dict)
    test: Dataset | None = None
    pool: Dataset | None = None
    classes: Classes | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    fingerprint: str = ""

    def __post_init__(self) -> None:
        if not self.fingerprint:
            object.__setattr__(self, "fingerprint", _fingerprint(self))

    def __getitem__(self, name: str) -> Dataset:
        """A training dataset by its name in a mixture."""
        return self.base if name == BASE else self.candidates[name]

    def original_target(self, dataset: Dataset) -> Array | None:
        """Targets as the user wrote them, for `where` and for people; None where they are sealed."""
        if dataset.y is None or self.classes is None:
            return dataset.y
        return np.asarray(self.classes)[dataset.y]


def build_catalogue(spec: StudySpec, read: Read, file: str = STUDY_FILE) -> Catalogue:
    """Read every dataset of the study once; the targets of the test set stay sealed.

    file: the name of the study file, for messages. Raises DataError or Problems with all that is wrong: sources that
    cannot be read, shapes, types or classes the base does not have, training rows that validation or test also hold.
    """
    entries = _entries(spec, file)
    raise_all(_name_problems(entries))
    rows, problems = _read_all(spec, entries, read)
    base = rows.get(entries[0])
    if base is None:
        raise_all(problems)
    assert base is not None
    rows, classes, disagreements = _agree(rows, base, spec)
    rows, left_out, warnings, overlaps = _without_overlap(rows, spec.data.max_overlap)
    raise_all([*problems, *disagreements, *overlaps])
    by_role = {role: {e.name: data for e, data in rows.items() if e.role == role} for role in ROLES}
    return Catalogue(
        base=by_role["base"][BASE],
        candidates=by_role["candidate"],
        validation=by_role["validation"][VALIDATION],
        slice_sets=by_role["slice"],
        test=by_role["test"].get(TEST),
        pool=by_role["pool"].get(POOL),
        classes=classes,
        left_out=left_out,
        warnings=(
            *_notes(rows),
            *warnings,
            *_copies({**by_role["base"], **by_role["candidate"]}),
            *_shared_groups(rows),
        ),
    )


def open_test(spec: StudySpec, read: Read, catalogue: Catalogue, file: str = STUDY_FILE) -> Dataset:
    """Read the test set with its targets, encoded as the base's. To be called once, after it is journalled.

    Raises DataError ADC-DATA-028 where the rows are no longer those that were sealed, and all of `build_catalogue`.
    """
    if spec.data.test is None or catalogue.test is None:
        raise ValueError("the study has no test set")
    place = f"{file}: data.test"
    kind = spec.task.kind
    data = read(spec.data.test, folder=spec.folder, name=TEST, place=place, kind=kind, targets=True)
    base = catalogue.base if catalogue.classes is None else replace(catalogue.base, y=np.asarray(catalogue.classes))
    data, problems = agreed(data, base, place)
    raise_all(problems)
    if replace(data, y=None, fingerprint="").fingerprint != catalogue.test.fingerprint:
        hint = "put the file back as it was when the study began, or begin a new study"
        raise DataError("ADC-DATA-028", "the test set has changed since it was sealed", place, "", hint)
    return data if catalogue.classes is None else encoded(data, catalogue.classes, place)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One dataset of the study file: what it is for, its name, its key and its source."""

    role: Role
    name: str
    place: str
    source: SourceSpec

    def __hash__(self) -> int:
        return hash((self.role, self.name))


_Rows = dict[_Entry, Dataset]


def _entries(spec: StudySpec, file: str) -> list[_Entry]:
    """Every dataset in the order of the file, the base first."""
    data = spec.data
    found: list[tuple[Role, str, str, SourceSpec | None]] = [("base", BASE, "data.base", data.base)]
    found += [("candidate", c.name, f"data.candidates[{c.name}]", c) for c in data.candidates]
    found += [("pool", POOL, "data.pool", data.pool), ("validation", VALIDATION, "data.validation", data.validation)]
    found.append(("test", TEST, "data.test", data.test))
    for part in spec.slices:
        if part.source is not None:
            source = SourceSpec(source=part.source, options=part.options)
            found.append(("slice", part.name, f"slices[{part.name}].source", source))
    return [
        _Entry(role=role, name=name, place=f"{file}: {key}", source=source)
        for role, name, key, source in found
        if source is not None
    ]


def _name_problems(entries: Iterable[_Entry]) -> list[AutodcError]:
    seen = {(BASE, "candidate"), (POOL, "candidate"), (VALIDATION, "candidate"), (TEST, "candidate")}
    problems: list[AutodcError] = []
    for entry in entries:
        if (entry.name, entry.role) in seen:
            hint = "give it another name"
            problems.append(DataError("ADC-DATA-027", "this name is taken", entry.place, f"`{entry.name}`", hint))
        seen.add((entry.name, entry.role))
    return problems


def _read_all(spec: StudySpec, entries: Iterable[_Entry], read: Read) -> tuple[_Rows, list[AutodcError]]:
    """Read all sources, going on past those that cannot be read."""
    rows: _Rows = {}
    problems: list[AutodcError] = []
    for entry in entries:
        try:
            rows[entry] = read(
                entry.source,
                folder=spec.folder,
                name=entry.name,
                place=entry.place,
                kind=spec.task.kind,
                targets=entry.role != "test",
            )
        except InputError as error:
            problems += error.problems if isinstance(error, Problems) else [error]
    return rows, problems


def _agree(rows: _Rows, base: Dataset, spec: StudySpec) -> tuple[_Rows, Classes | None, list[AutodcError]]:
    """Give every dataset the base's order of columns, dtype and class codes; collect what does not agree."""
    problems: list[AutodcError] = []
    classes: Classes | None = None
    if spec.task.kind == "classification":
        classes = class_labels(base, next(iter(rows)).place)
    good: _Rows = {}
    for entry, data in rows.items():
        data, found = agreed(data, base, entry.place)
        problems += found
        try:
            if not found:
                good[entry] = data if classes is None or data.y is None else encoded(data, classes, entry.place)
        except DataError as problem:
            problems.append(problem)
    return good, classes, problems


def _without_overlap(rows: _Rows, allowed: float) -> tuple[_Rows, dict[str, int], list[str], list[AutodcError]]:
    """Take rows that held-out sets also hold out of training; more than `allowed` of a dataset is a problem."""
    held = {entry: row_hashes(data.x) for entry, data in rows.items() if entry.role not in TRAINING}
    cleared, left_out = dict(rows), {}
    warnings: list[str] = []
    problems: list[AutodcError] = []
    for entry, data in rows.items():
        if entry.role not in TRAINING:
            continue
        own = row_hashes(data.x)
        shared = {other.name: exact(own, theirs) for other, theirs in held.items()}
        copies = np.any(list(shared.values()), axis=0) if shared else np.zeros(len(data), dtype=bool)
        count = int(copies.sum())
        if not count:
            continue
        whom = ", ".join(f"`{other}` ({int(mask.sum())})" for other, mask in shared.items() if mask.any())
        text = f"{count} of {len(data)} rows ({count / len(data):.1%}) of `{entry.name}` are also in {whom}"
        limit = 1.0 if entry.role == "pool" else allowed
        if count > limit * len(data) or count == len(data):
            problems.append(DataError("ADC-DATA-024", OVERLAP, entry.place, text, OVERLAP_HINT.format(allowed)))
            continue
        left_out[entry.name] = count
        warnings.append(f"{text}; they are left out of training")
        cleared[entry] = data.take(np.flatnonzero(~copies))
    return cleared, left_out, warnings, problems


def _notes(rows: _Rows) -> list[str]:
    """What the sources have to say of how they were read."""
    return [f"`{entry.name}`: {note}" for entry, data in rows.items() for note in data.notes]


def _copies(training: Mapping[str, Dataset]) -> list[str]:
    """Say which training datasets are the same rows twice."""
    first: dict[str, str] = {}
    warnings = []
    for name, data in training.items():
        same = fingerprint.of_parts("rows", [("x", fingerprint.of_array(data.x)), ("y", _target_digest(data))])
        if same in first:
            warnings.append(f"`{name}` has the same rows as `{first[same]}`")
        first.setdefault(same, name)
    return warnings


def _shared_groups(rows: _Rows) -> list[str]:
    """Say where a group has rows in training and in a held-out set: not the same rows, but related ones."""
    found = {entry: set(data.groups.tolist()) for entry, data in rows.items() if data.groups is not None}
    warnings = []
    for entry, own in found.items():
        for other, theirs in found.items():
            if entry.role in TRAINING and other.role not in TRAINING and (count := len(own & theirs)):
                text = f"{count} of {len(own)} groups of `{entry.name}` are also in `{other.name}`"
                warnings.append(f"{text}: related rows are learned and tested on")
    return warnings


def _target_digest(data: Dataset) -> str:
    return "" if data.y is None else fingerprint.of_array(data.y)


def _fingerprint(catalogue: Catalogue) -> str:
    parts = [("base", catalogue.base.fingerprint), ("validation", catalogue.validation.fingerprint)]
    parts += [(f"candidate.{name}", data.fingerprint) for name, data in catalogue.candidates.items()]
    parts += [(f"slice.{name}", data.fingerprint) for name, data in catalogue.slice_sets.items()]
    parts += [(name, data.fingerprint) for name, data in (("test", catalogue.test), ("pool", catalogue.pool)) if data]
    parts.append(("classes", fingerprint.of([str(c) for c in catalogue.classes or ()], kind="classes")))
    return fingerprint.of_parts("catalogue", parts)
