"""Study file → wired study: opened, started warm, its jobs given their data.

What it names is read and checked in `inputs`, what its search is asked stands in `problem`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from autodc import fingerprint, seeds
from autodc.adapters.artefacts import COLUMNS, ArtefactStore
from autodc.adapters.executors.prints import LOGS, drop_worker_logs
from autodc.adapters.journal import JOURNAL, SqliteJournal, state_of
from autodc.adapters.links import linked
from autodc.adapters.sources import read_source
from autodc.adapters.trainers.registry import opens_files
from autodc.data.admit import Candidate, facts
from autodc.data.catalogue import Catalogue, open_test
from autodc.data.dataset import Dataset
from autodc.errors import AutodcError, DataError, InputError, SurroundingsError
from autodc.evaluation.scores import means
from autodc.evaluation.slices import (
    TEST,
    VALIDATION,
    Slice,
    SliceTable,
    cut_slice,
    held_parts,
    part_of,
    sealed_table,
    slice_card,
)
from autodc.files import damage, fill_whole
from autodc.plan.mixture import BASE
from autodc.plan.trial import Outcome
from autodc.search.encoding import PlanEncoding
from autodc.search.engine import SearchEngine, SearchProblem
from autodc.search.factory import make_engine
from autodc.study.core import StudyCore
from autodc.study.jobs import JobMaker
from autodc.study.journal.events import RULES, DatasetAdmitted, StudyStarted, WarmStarted
from autodc.study.journal.state import State
from autodc.study.phases.order import view_of
from autodc.study.phases.tools import Workshop
from autodc.study.ports import ArtefactLost
from autodc.study.rules.borrow import borrow, differences
from autodc.studyfile.study import MachineSpec, SliceSpec, StudySpec
from autodc.table import Table
from autodc.trial import order
from autodc.wire.admitting import DATASETS, MADE, PICTURES, Entrance, admitted_event, let_in, stored_dataset
from autodc.wire.attributes import measured_for
from autodc.wire.composing import Composer
from autodc.wire.inputs import Inputs, begun
from autodc.wire.leaks import LeakSearch
from autodc.wire.problem import described_problem, search_problem

if TYPE_CHECKING:
    from autodc.wire.diagnosis import ExploreDiagnoser


def started_event(inputs: Inputs, borrowed: WarmStarted | None = None) -> StudyStarted:
    """The event that fixes the question. borrowed: what the search is told of another study."""
    spec, catalogue = inputs.spec, inputs.catalogue
    least, sides = spec.gate.min_rows, zip(inputs.gate.slices, inputs.explore.slices, inputs.table.slices, strict=True)
    return StudyStarted(
        fingerprint=inputs.identity(borrowed),
        name=spec.name,
        spec=spec.shown(),
        datasets={BASE: facts(catalogue.base, catalogue.left_out.get(BASE, 0))},
        slices={s.name: slice_card(s, least, explored, every) for s, explored, every in sides},
        start=inputs.start.to_dict(),
        metric={"name": inputs.metric.name, "better": inputs.metric.better},
        warnings=(*inputs.warnings, *_about_borrowed(borrowed)),
        parts=_held_fingerprints(catalogue),
        rules=RULES,
    )


def given_events(inputs: Inputs) -> tuple[DatasetAdmitted, ...]:
    """The events by which what was proposed before the first training joins the roster."""
    catalogue = inputs.catalogue
    return tuple(
        admitted_event(one, catalogue.candidates[one.name], catalogue.left_out.get(one.name, 0))
        for one in inputs.candidates
    )


def warm_start(inputs: Inputs, out: Path | None = None) -> WarmStarted | None:
    """What the search is told of another study, None where nothing is asked.

    out: the folder of the study; one that was begun has it in its own journal and needs the other folder no more.
    Raises InputError ADC-WARM-001 where there is no study, 002 where the two cannot share trainings, 003 where
    the study has begun without them.
    """
    spec = inputs.spec
    if spec.search.warm_start is None:
        return None
    place = spec.place("search.warm_start")
    if out is not None and (known := begun(out)) is not None:
        if known.borrowed is None:
            hint = "choose another folder, or leave search.warm_start out to go on with this one"
            raise InputError("ADC-WARM-003", "this study began without a warm start", place, str(out), hint)
        return known.borrowed
    folder = Path(spec.folder, spec.search.warm_start).expanduser()
    if not (folder / JOURNAL).is_file():
        hint = "name the folder of a run (its --out), relative to the study file"
        raise InputError("ADC-WARM-001", "there is no study to start warm from", place, str(folder), hint)
    other = view_of(state_of(folder))
    if found := differences(other, started_event(inputs), spec):
        hint = "trainings can be shared only where all of it is the same; leave search.warm_start out to begin afresh"
        raise InputError("ADC-WARM-002", f"another question was asked in {folder}", place, "; ".join(found), hint)
    ours = {event.name: event.card for event in given_events(inputs)}
    store = ArtefactStore(folder / "outcomes")
    return borrow(other, ours, PlanEncoding(search_problem(spec)), lambda outcome: _seen(inputs, store, outcome))


def _seen(
    inputs: Inputs, store: ArtefactStore, outcome: Outcome
) -> tuple[Mapping[str, float], Mapping[str, float]] | None:
    """What this study's search may see of a training of another one, whose search may have seen other rows."""
    if not outcome.arrays or not (inputs.separation.is_cut or outcome.explore):
        return outcome.slices, outcome.soft
    try:
        arrays = store.get(outcome.arrays)
    except ArtefactLost:
        return None
    return means(inputs.explore, inputs.metric, arrays)


def open_study(
    inputs: Inputs,
    out: Path,
    notice: Callable[[str], None] = lambda words: None,
    entrance: Entrance | None = None,
) -> tuple[StudyCore, SqliteJournal]:
    """Open the study in its folder, or go on where it stopped. Raises InputError for a folder of another study.

    notice: told in words what was delivered to the inbox and is not taken; entrance: of `entrance_of`, where more
    joins by it.
    """
    from autodc.wire.diagnosis import ExploreDiagnoser  # slow to import, and who reads a run needs none of it
    from autodc.wire.oracle_file import arrivals_of  # as slow

    spec = inputs.spec
    if out.exists() and not out.is_dir():
        raise InputError("ADC-RUN-004", "the output is a file, not a folder", "--out", str(out), "name a folder")
    borrowed = warm_start(inputs, out)
    journal, store = SqliteJournal(out / JOURNAL), ArtefactStore(out / "outcomes")
    joined = ArtefactStore(out / DATASETS)

    def read_joined(name: str) -> Dataset:
        return stored_dataset(joined, study.state, name)

    def parents(name: str) -> tuple[str, ...]:
        return tuple(study.state.card(name).get("parent") or ())

    diagnoser = ExploreDiagnoser(inputs, store, read_joined)
    entrance = entrance or Entrance(inputs, joined)
    try:
        _refuse_lost_events(journal, out)
        study = StudyCore(
            spec,
            started_event(inputs, borrowed),
            given=given_events(inputs),
            journal=journal,
            store=store,
            table=inputs.table,
            sides=inputs.sides,
            metric=inputs.metric,
            problem=described_problem(spec, inputs.catalogue, inputs.gate, inputs.explore),
            engine=partial(engine_of, spec),
            cut=partial(cut, inputs),
            open_test=partial(_open_test, inputs),
            leaks=LeakSearch(inputs.catalogue, read_joined, parents),
            borrowed=borrowed,
            diagnoser=diagnoser,
            maker=_workshop(inputs, joined, diagnoser, out, entrance),
            arrivals=arrivals_of(inputs, joined, notice, entrance),
        )
    except AutodcError:
        journal.close()
        raise
    return study, journal


def _workshop(
    inputs: Inputs, joined: ArtefactStore, diagnoser: ExploreDiagnoser, out: Path, entrance: Entrance
) -> Workshop | None:
    """What makes data for what was found; None where the study file lets nothing be made."""
    if not inputs.spec.loop.makes_data:
        return None
    from autodc.wire.proposing import Making  # slow to import

    return Making(inputs, joined, diagnoser, out / MADE, entrance)


def engine_of(spec: StudySpec, problem: SearchProblem) -> SearchEngine:
    """The engine that the study file names, over a problem."""
    return make_engine(spec.search.sampler, problem, seeds.integer(spec.seed, "engine"), spec.folder)


def entrance_of(inputs: Inputs, out: Path) -> Entrance:
    """The door to all that joins a study while it runs."""
    return Entrance(inputs, ArtefactStore(out / DATASETS))


def admit(entrance: Entrance, study: StudyCore, out: Path, candidate: Candidate) -> None:
    """Let a dataset in while the study runs: through the door, on disk, and from the next round on in the search.

    entrance: that with which the study was opened. Raises DataError for what the door refuses, 027 for a name that is
    taken, ADC-PROP-007 for rows that are there already.
    """
    if candidate.name in (BASE, *study.state.candidates):
        raise DataError("ADC-DATA-027", "this name is taken", candidate.place, f"`{candidate.name}`", "choose another")
    found = entrance.admit(candidate, study.state, "ADC-PROP-007")
    study.admit(let_in(ArtefactStore(out / DATASETS), candidate, found))


def _refuse_lost_events(journal: SqliteJournal, out: Path) -> None:
    """An empty journal beside what trainings left is one that lost its events: to begin anew would hide that."""
    lies = next((name for name in ("result.json", "outcomes") if (out / name).exists()), "")
    if lies and journal.path.exists() and not journal.last:
        raise SurroundingsError(
            "ADC-JRNL-080",
            "the journal is empty, but the folder has a study's results",
            str(journal.path),
            f"{lies} beside it",
            "restore the journal from a copy, or give another --out",
        )


def job_maker(inputs: Inputs, state: State, machine: MachineSpec, out: Path, *, own_loop: bool = False) -> JobMaker:
    """Put every dataset on disk once, by content, and say how jobs reach it.

    own_loop: whoever trains has the study open and gives predictions in the order of the held-out rows; others are
    handed them in an order that tells nothing.
    """
    work = out / "work"
    store = ArtefactStore(Path(machine.cache_dir).expanduser() if machine.cache_dir else work / "data")
    later = ArtefactStore(out / DATASETS)
    catalogue = inputs.catalogue
    held = held_parts(catalogue)
    if catalogue.test is not None:
        held[TEST] = catalogue.test
    mixed = None if own_loop else order.seed_of(inputs.spec.seed)
    training = [catalogue.base, *catalogue.candidates.values()]
    stored = {data.fingerprint: str(store.put_dataset(data)) for data in training}
    if not opens_files(inputs.spec.task.trainer, inputs.spec.task.options):
        for data in training:
            linked(data.x, store.path, training=True)
        for data in held.values():
            linked(data.x, store.path)

    def read(name: str) -> Dataset:
        known = name == BASE or name in catalogue.candidates
        return catalogue[name] if known else stored_dataset(later, state, name)

    composer = Composer(state, out, store, read)

    def restore() -> bool:
        again = [store.restore(data) for data in training]
        held_again = [store.restore(data, inputs_only=True, mixed=mixed) for data in held.values()]
        return any([*again, *held_again, composer.restore()])

    return JobMaker(
        spec=inputs.spec,
        machine=machine,
        n_classes=len(catalogue.classes or ()),
        classes=catalogue.classes or (),
        state=state,
        folder=lambda content: stored.get(content) or str(later.folder(content)),
        composed=composer,
        held={part: str(store.put_dataset(data, inputs_only=True, mixed=mixed)) for part, data in held.items()},
        mixed=mixed,
        work=work / "trials",
        models=out / "models",
        pool=lambda: "" if catalogue.pool is None else str(store.put_dataset(catalogue.pool)),
        made=out / MADE,
        restore=restore,
        lost_model=lambda number: damage(out / "models" / f"trial-{number}"),
    )


def tidy(study: StudyCore, out: Path) -> None:
    """Keep the incumbent's model, and those that trainings of an extended study may go on from; drop the scratch."""
    models, state = out / "models", study.state
    last = [t.trial.number for t in state.trials if t.trial.plan == state.incumbent]
    kept = next((models / f"trial-{n}" for n in reversed(last) if (models / f"trial-{n}").is_dir()), None)
    if kept is not None:
        shutil.rmtree(models / "incumbent", ignore_errors=True)
        model = kept / "model" if (kept / "model").is_dir() else kept
        fill_whole(models / "incumbent", lambda folder: shutil.copytree(model, folder, dirs_exist_ok=True))
    needed = (state.model, state.warm) if "continue" in study.spec.recipes else ()
    for folder in models.glob("trial-*"):
        if folder.name not in {f"trial-{n}" for n in needed}:
            shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(out / "work", ignore_errors=True)
    for folder in (out / MADE).glob("*"):
        if not _named_from(folder, study.state, out):
            shutil.rmtree(folder, ignore_errors=True)
    drop_worker_logs(out / LOGS)


def _named_from(made: Path, state: State, out: Path) -> bool:
    """Whether a dataset names pictures where their maker wrote them, as those that earlier code let in do."""
    if made.name not in state.roster or not (made / PICTURES).is_dir():
        return False
    stored = out / DATASETS / str(state.card(made.name)["fingerprint"]) / COLUMNS
    return stored.exists() and any(f"/{made.name}/{PICTURES}/" in path for path in Table.open(stored).texts())


def _about_borrowed(borrowed: WarmStarted | None) -> tuple[str, ...]:
    if borrowed is None:
        return ()
    left = "; ".join(f"{n} {why}" for why, n in borrowed.left_out.items())
    words = f"the search began with {len(borrowed.observations)} trainings of study {borrowed.study}"
    return (f"{words}{f'; left out: {left}' if left else ''}",)


def _open_test(inputs: Inputs, further: Sequence[SliceSpec] = ()) -> SliceTable:
    spec, catalogue = inputs.spec, inputs.catalogue
    data = open_test(spec, read_source, catalogue)
    assert catalogue.test is not None
    data = measured_for(further, spec, catalogue, replace(data, attributes=catalogue.test.attributes))
    return sealed_table(spec, catalogue, data, further, inputs.table.measures)


def cut(inputs: Inputs, one: SliceSpec) -> Slice:
    """A slice of validation, cut while the study runs; its rule may name what we measure though the study does not."""
    catalogue = inputs.catalogue
    validation = measured_for((one,), inputs.spec, catalogue, catalogue.validation)
    return cut_slice(one, replace(catalogue, validation=validation))


def _held_fingerprints(catalogue: Catalogue) -> dict[str, str]:
    """Identity of what nobody trains on, of the test set its inputs and metadata, and of the classes."""
    held = {VALIDATION: catalogue.validation, TEST: catalogue.test, "pool": catalogue.pool}
    held |= {part_of(name): data for name, data in catalogue.slice_sets.items()}
    found = {name: data.fingerprint for name, data in held.items() if data is not None}
    return {**found, "classes": fingerprint.of([str(c) for c in catalogue.classes or ()], kind="classes")}
