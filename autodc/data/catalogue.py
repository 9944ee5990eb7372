"""All datasets of a study, read, made to agree with the base, and cleared of rows that validation or test also hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from autodc import fingerprint
from autodc.data.agreement import KINDS, Classes, agreed, class_labels, encoded
from autodc.data.chance import copied
from autodc.data.dataset import Dataset
from autodc.data.overlap import exact, numbered, row_hashes
from autodc.data.where import select
from autodc.errors import AutodcError, DataError, InputError, Problems, raise_all
from autodc.plan.mixture import BASE
from autodc.studyfile.study import DataSpec, SourceSpec, StudySpec

Array = np.ndarray[Any, Any]

Read = Callable[..., Dataset]
"""`read(source_spec, *, folder, name, place, kind, targets) -> Dataset`: adapters.sources.read_source or a stand-in."""

VALIDATION, TEST, POOL = "validation", "test", "pool"
STUDY_FILE = "study.yaml"
Role = Literal["base", "candidate", "pool", "validation", "test", "slice"]
ROLES: tuple[Role, ...] = ("base", "candidate", "pool", "validation", "test", "slice")
TRAINING = ("base", "candidate", "pool")
OVERLAP = "training rows are in the held-out data"
SHOWN = 8
MEND = "Rows are counted from 0; of the targets it was only asked whether they fit, so the test set stays sealed"
OVERLAP_HINT = (
    "the model would be tested on what it learned; take these rows out of training, or say `data.overlap: drop` and "
    "they are left out for you (`data.max_overlap`, now {:g}, is the share up to which that is done unasked), or "
    "`data.overlap: allow` where equal rows are different examples"
)
NOTHING_LEFT_HINT = "nothing would be left to train on; name other data, or say `data.overlap: allow`"
UNASKED = 0.01
"""Equal rows up to this share, and to `data.max_overlap`, are left out without asking whether chance explains them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Catalogue:
    """The datasets of a study.

    classes: labels as the user knows them, in the order of their codes 0 … C−1 in every `y`, or None;
    test: inputs and metadata, targets sealed; slice_sets: slice name → its own unit test set;
    left_out: dataset → rows taken out of training because validation, test or a slice set holds the same inputs;
    unfit: slices whose `where` cannot be read in the test set;
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
    unfit: tuple[AutodcError, ...] = ()
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
    """Read every dataset of the study once; the targets of the test set stay sealed, it is only asked whether they fit.

    file: the name of the study file, for messages. Raises DataError or Problems with all that is wrong: sources that
    cannot be read, shapes, types or classes the base does not have, training rows that validation or test also hold.
    """
    entries = _entries(spec, file)
    raise_all(_name_problems(entries))
    rows, problems, asked = _read_all(spec, entries, read)
    base = rows.get(entries[0])
    if base is None:
        raise_all(problems)
    assert base is not None
    rows, classes, disagreements = _agree(rows, base, spec)
    rows, left_out, warnings, overlaps = _without_overlap(rows, spec.data)
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
            *asked.warnings,
        ),
        unfit=tuple(asked.unfit),
    )


def open_test(spec: StudySpec, read: Read, catalogue: Catalogue, file: str = STUDY_FILE) -> Dataset:
    """Read the test set with its targets, encoded as the base's. To be called once, after it is journalled.

    Raises DataError ADC-DATA-028 where the rows are no longer those that were sealed, and all of `build_catalogue`.
    """
    if spec.data.test is None or catalogue.test is None:
        raise ValueError("the study has no test set")
    place = _place(spec, "data.test", file)
    kind = spec.task.kind
    data = read(spec.data.test, folder=spec.folder, name=TEST, place=place, kind=kind, targets=True)
    raise_all(_misfits(data, catalogue.original_target(catalogue.base), place))
    base = catalogue.base if catalogue.classes is None else replace(catalogue.base, y=np.asarray(catalogue.classes))
    data, problems = agreed(data, base, place)
    raise_all(problems)
    if replace(data, y=None, fingerprint="").fingerprint != catalogue.test.fingerprint:
        hint = "put its inputs and metadata back as they were when the study began (labels alone may be mended)"
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
    found += [("candidate", c.name, f"data.candidates[{i}]", c) for i, c in enumerate(data.candidates)]
    found += [("pool", POOL, "data.pool", data.pool), ("validation", VALIDATION, "data.validation", data.validation)]
    found.append(("test", TEST, "data.test", data.test))
    for i, part in enumerate(spec.slices):
        if part.source is not None:
            source = SourceSpec(source=part.source, options=part.options)
            found.append(("slice", part.name, f"slices[{i}].source", source))
    return [
        _Entry(role=role, name=name, place=_place(spec, key, file, name), source=source)
        for role, name, key, source in found
        if source is not None
    ]


def _place(spec: StudySpec, key: str, file: str, name: str = "") -> str:
    """Where a source stands in the study file, and which it is; `file` names the file of a spec that was in none."""
    above, listed, below = key.partition("[")
    if (found := spec.place(key)) != key:
        return f"{found} ({name})" if listed else found
    return f"{file}: {above}[{name}]{below.partition(']')[2]}" if listed else f"{file}: {key}"


def _name_problems(entries: Iterable[_Entry]) -> list[AutodcError]:
    seen = {(BASE, "candidate"), (POOL, "candidate"), (VALIDATION, "candidate"), (TEST, "candidate")}
    problems: list[AutodcError] = []
    for entry in entries:
        if (entry.name, entry.role) in seen:
            hint = "give it another name"
            problems.append(DataError("ADC-DATA-027", "this name is taken", entry.place, f"`{entry.name}`", hint))
        seen.add((entry.name, entry.role))
    return problems


@dataclass(slots=True)
class _Asked:
    """What the sealed test set answered. warnings: slices without rows there; unfit: those `where` cannot read."""

    warnings: list[str] = field(default_factory=list)
    unfit: list[AutodcError] = field(default_factory=list)


def _read_all(spec: StudySpec, entries: Iterable[_Entry], read: Read) -> tuple[_Rows, list[AutodcError], _Asked]:
    """Read all sources, going on past those that cannot be read."""
    rows: _Rows = {}
    problems: list[AutodcError] = []
    asked = _Asked()
    for entry in entries:
        try:
            if entry.role == "test":
                base = next((data for other, data in rows.items() if other.role == "base"), None)
                rows[entry], misfits = _sealed(spec, entry, read, base, asked)
                problems += misfits
            else:
                rows[entry] = _of(entry, spec, read, targets=True)
        except InputError as error:
            problems += _each(error)
    return rows, problems, asked


def _of(entry: _Entry, spec: StudySpec, read: Read, *, targets: bool) -> Dataset:
    kind = spec.task.kind
    return read(entry.source, folder=spec.folder, name=entry.name, place=entry.place, kind=kind, targets=targets)


def _each(error: InputError) -> list[AutodcError]:
    return list(error.problems) if isinstance(error, Problems) else [error]


def _sealed(
    spec: StudySpec, entry: _Entry, read: Read, base: Dataset | None, asked: _Asked
) -> tuple[Dataset, list[AutodcError]]:
    """The test set without its targets, and what of them does not fit. Nothing else that depends on them goes on."""
    try:
        whole = _of(entry, spec, read, targets=True)
    except InputError as error:
        return _of(entry, spec, read, targets=False), [_discreet(one) for one in _each(error)]
    sealed = replace(whole, y=None, fingerprint="")
    if base is None or (misfits := _misfits(whole, base.y, entry.place)):
        return sealed, [] if base is None else misfits
    _ask_slices(spec, whole, asked)
    return sealed, []


def _misfits(test: Dataset, known: Array | None, place: str) -> list[AutodcError]:
    """Which targets of the test set are not such as the base has; `known` are the base's, as the user wrote them."""
    y = test.y
    assert y is not None
    assert known is not None
    if y.shape[1:] != known.shape[1:]:
        got = f"{y.shape[1:] or 'one value'} a row, the base has {known.shape[1:] or 'one value'}"
        return [DataError("ADC-DATA-022", "targets of the test set of another shape than the base's", place, got)]
    kinds = ["i" if values.dtype.kind in "iu" else values.dtype.kind for values in (y, known)]
    is_label = y.ndim == 1 and kinds[1] != "f"
    labels = np.unique(known) if is_label else known[:0]
    if kinds[0] != kinds[1]:
        odd = ~np.isin(y.astype(str), labels.astype(str)) if is_label else np.zeros(len(y), dtype=bool)
        where = f"{_at(odd)}: " if odd.any() else ""
        got = f"{where}{KINDS.get(kinds[0], kinds[0])}, the base has {KINDS.get(kinds[1], kinds[1])}"
        hint = f"write them as the base does; {MEND}"
        return [DataError("ADC-DATA-022", "targets of the test set of another type than the base's", place, got, hint)]
    odd = ~np.isin(y, labels) if is_label else np.zeros(len(y), dtype=bool)
    if not odd.any():
        return []
    got = f"{_at(odd)}: {', '.join(map(repr, np.unique(y[odd]).tolist()[:SHOWN]))}"
    hint = (
        f"the base has {', '.join(map(repr, labels.tolist()))}; mend these labels, or rename with options: "
        f"{{map: {{old: new}}}}. {MEND}"
    )
    return [DataError("ADC-DATA-023", "the test set has classes that the base does not have", place, got, hint)]


def _at(odd: Array) -> str:
    rows = np.flatnonzero(odd)
    more = ", …" if len(rows) > SHOWN else ""
    return f"{len(rows)} of {len(odd)} rows (row {', '.join(map(str, rows[:SHOWN].tolist()))}{more})"


def _discreet(error: AutodcError) -> AutodcError:
    """What is wrong with sealed targets, without a sample of them."""
    got, hint = error.got.split(", such as")[0], "; ".join(part for part in (error.hint, MEND) if part)
    return DataError(error.code, f"the test set: {error.problem}", error.place, got, hint)


def _ask_slices(spec: StudySpec, test: Dataset, asked: _Asked) -> None:
    """Which slices have rows in the test set. Of a `where` that fails on its targets no value is told."""
    empty = []
    cut = [(position, one) for position, one in enumerate(spec.slices) if one.source is None]
    for position, one in cut:
        place = f"{spec.place(f'slices[{position}].where')} (slice {one.name} of the test set)"
        try:
            found = one.where is None or select(one.where, test.metadata, test.y, place=place).any()
        except DataError as error:
            got = f"{one.where!r}" if error.code == "ADC-DATA-034" else error.got
            asked.unfit.append(DataError(error.code, error.problem, error.place, got, error.hint))
            continue
        empty += [] if found else [one.name]
    if len(empty) == len(cut) and not asked.unfit:
        asked.warnings.append("no slice has rows in the test set: opening it will measure nothing")
    else:
        asked.warnings += [f"slice {name} has no rows in the test set: it is not measured there" for name in empty]


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


def _without_overlap(rows: _Rows, data: DataSpec) -> tuple[_Rows, dict[str, int], list[str], list[AutodcError]]:
    """Do with training rows that held-out sets also hold what `data.overlap` says."""
    held = {entry: row_hashes(own.x) for entry, own in rows.items() if entry.role not in TRAINING}
    cleared, left_out = dict(rows), {}
    warnings: list[str] = []
    problems: list[AutodcError] = []
    for entry, own in rows.items():
        if entry.role not in TRAINING:
            continue
        shared = _shared(own, {other: (rows[other], theirs) for other, theirs in held.items()}, data)
        copies = np.any([mask for mask, _ in shared.values()], axis=0) if shared else np.zeros(len(own), dtype=bool)
        count = int(copies.sum())
        text = _also_in(entry, len(own), count, {name: int(mask.sum()) for name, (mask, _) in shared.items()})
        if excused := {name: number for name, (_, number) in shared.items() if number}:
            equal = ", ".join(f"{number} of `{name}`" for name, number in excused.items())
            warnings.append(
                f"rows of `{entry.name}` have the same inputs as rows of held-out data ({equal}); so coarse a table "
                "has equal rows by chance, so they are taken for different examples and stay"
            )
        if not count:
            continue
        if data.overlap == "allow":
            warnings.append(f"{text}; `data.overlap: allow` lets them be learned and tested on")
            continue
        limit = data.max_overlap if data.overlap == "refuse" and entry.role != "pool" else 1.0
        if count > limit * len(own) or count == len(own):
            hint = NOTHING_LEFT_HINT if count == len(own) else OVERLAP_HINT.format(data.max_overlap)
            problems.append(DataError("ADC-DATA-024", OVERLAP, entry.place, text, hint))
            continue
        left_out[entry.name] = count
        warnings.append(f"{text}; they are left out of training")
        cleared[entry] = own.take(np.flatnonzero(~copies))
    return cleared, left_out, warnings, problems


def _shared(own: Dataset, held: Mapping[_Entry, tuple[Dataset, Array]], data: DataSpec) -> dict[str, tuple[Array, int]]:
    """For each held set the training rows that are copies of its own, and of how many of its rows chance made equals.

    A few equal rows are left out whatever made them equal: that costs nothing.
    """
    hashes = row_hashes(own.x)
    equal = {other: exact(hashes, theirs) for other, (_, theirs) in held.items()}
    equal = {other: mask for other, mask in equal.items() if mask.any()}
    few = min(UNASKED, data.max_overlap) * len(own)
    if not equal or np.any(list(equal.values()), axis=0).sum() <= few:
        return {other.name: (mask, 0) for other, mask in equal.items()}
    found = {}
    for other in equal:
        rows, theirs = held[other]
        mask = copied(own, rows, *numbered([hashes, theirs]))
        found[other.name] = (mask, int(exact(theirs, hashes[equal[other] & ~mask]).sum()))
    return found


def _also_in(entry: _Entry, rows: int, count: int, whom: Mapping[str, int]) -> str:
    others = ", ".join(f"`{name}` ({number})" for name, number in whom.items() if number)
    return f"{count} of {rows} rows ({count / rows:.1%}) of `{entry.name}` are also in {others}"


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
