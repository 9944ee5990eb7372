"""Spec → wired study: the one place that names adapters."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, final

from autodc import fingerprint, seeds
from autodc.adapters.artefacts import ArtefactStore
from autodc.adapters.journal import SqliteJournal, open_for_reading
from autodc.adapters.sources import read_source
from autodc.adapters.trainers import check_trainer
from autodc.data.catalogue import Catalogue, build_catalogue, open_test
from autodc.data.describe import descriptors
from autodc.errors import AutodcError, InputError, Problems, SpecError, SurroundingsError, raise_all
from autodc.evaluation.metrics import Metric, find_metric
from autodc.evaluation.rehearsal import rehearse
from autodc.evaluation.slices import TEST, VALIDATION, SliceTable, part_of, test_table, validation_table
from autodc.files import damage, fill_whole
from autodc.plan.mixture import BASE
from autodc.plan.plan import Plan
from autodc.search.clusters import MANY
from autodc.search.encoding import PlanEncoding
from autodc.search.engine import SearchProblem
from autodc.search.factory import make_engine
from autodc.search.space import start_hyperparameters
from autodc.study.core import StudyCore
from autodc.study.jobs import JobMaker
from autodc.study.journal.events import StudyStarted, WarmStarted
from autodc.study.journal.state import State, fold
from autodc.study.rules import allowance
from autodc.study.rules.borrow import borrow, differences
from autodc.studyfile import codes
from autodc.studyfile.study import MachineSpec, StudySpec
from autodc.wire.leaks import LeakSearch
from autodc.wire.separate import Separation, separate

T = TypeVar("T")

JOURNAL = "journal.sqlite"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Everything a study file names, read and found to fit together. No training has been spent."""

    spec: StudySpec
    catalogue: Catalogue
    table: SliceTable
    metric: Metric
    start: Plan
    separation: Separation
    warnings: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """Identity of the study: what is asked and the content of the data; without what a warm start borrows."""
        return fingerprint.of([self.spec.fingerprint(), self.catalogue.fingerprint], kind="study")

    def identity(self, borrowed: WarmStarted | None) -> str:
        """Identity of the study with what its search was told at the start."""
        if borrowed is None:
            return self.fingerprint
        return fingerprint.of([self.fingerprint, borrowed.digest], kind="study")


def read_inputs(spec: StudySpec, out: Path | None = None) -> Inputs:
    """Read and check all that a study names. Raises every problem of its files and options at once.

    out: the folder of the study; what has begun there goes on by the rules it began with.
    """
    found: list[AutodcError] = list(
        check_trainer(
            spec.task.trainer, spec.task.options, spec.task.kind, spec.search_space, spec.recipes, spec.folder
        )
    )
    metric = _gather(found, lambda: find_metric(spec.metrics.primary, spec.task.kind, spec.folder))
    problem = search_problem(spec)
    _gather(found, lambda: make_engine(spec.search.sampler, problem, spec.seed))
    catalogue = _gather(found, lambda: build_catalogue(spec, read_source))
    table, doubts = None, list[str]()
    if catalogue is not None:
        table = _gather(found, lambda: validation_table(spec, catalogue))
        found += catalogue.unfit if table is not None else ()
        if metric is not None and table is not None:
            doubts = _gather(found, partial(_rehearsed, spec, metric, table, catalogue)) or []
    found += _seed_problems(spec)
    found += _soft_problems(spec, out)
    for error in found:
        error.place = spec.place(error.place)
    raise_all(found)
    assert metric is not None
    assert catalogue is not None
    assert table is not None
    table, separation = separate(spec, catalogue, table)
    return Inputs(
        spec=spec,
        catalogue=catalogue,
        table=table,
        metric=metric,
        start=problem.start,
        separation=separation,
        warnings=(*catalogue.warnings, *_unused(spec), *doubts, *([separation.note] if separation.note else [])),
    )


def _seed_problems(spec: StudySpec) -> list[AutodcError]:
    """A budget that cannot pay the first look of any test decides nothing."""
    budget, first = spec.budget.trainings, spec.gate.looks[0]
    if budget is None:
        return []
    calibration = allowance.calibration_runs(spec)
    apart = 2 * allowance.final_seeds(spec) + 2 * allowance.credit_seeds(spec)
    need = calibration + apart + first + max(0, first - calibration)
    if need <= budget:
        return []
    found = f"{first} pairs at the first look, {budget:g} trainings, {calibration} of them for calibration"
    hint = f"raise budget.trainings to {need:g} at least, many times that to search too, or look earlier"
    return [SpecError("ADC-GATE-001", "the budget cannot pay the first look of the gate", "gate.looks", found, hint)]


def _unused(spec: StudySpec) -> list[str]:
    """Keys that are read and that nothing acts on yet."""
    found = []
    if spec.data.pool is not None:
        found.append("data.pool is read and checked, no proposer draws from it yet")
    if later := [name for name in spec.loop.propose if name != "given"]:
        found.append(f"loop.propose: {', '.join(later)} does nothing yet; candidates come from data.candidates alone")
    return found


def _soft_problems(spec: StudySpec, out: Path | None) -> list[AutodcError]:
    """Under the soft score a target without a margin has nothing that holds its metric: it may fall unnoticed.

    A study that began when this was allowed goes on.
    """
    if spec.gate.score != "soft" or all(one.margin is not None for one in spec.targets):
        return []
    if out is not None and (out / JOURNAL).is_file() and _state(out / JOURNAL).started is not None:
        return []
    hint = "give it a margin, the worst loss of the metric that is tolerated; or write gate.score: metric"
    return [
        SpecError(
            codes.SOFT_MARGIN,
            f"gate.score: soft decides on probabilities, and nothing holds the metric itself on target {one.name}",
            f"slices[{i}]",
            "no margin",
            hint,
        )
        for i, one in enumerate(spec.slices)
        if one.role == "target" and one.margin is None
    ]


def _rehearsed(spec: StudySpec, metric: Metric, table: SliceTable, catalogue: Catalogue) -> list[str]:
    return rehearse(metric, table, spec.task.kind, len(catalogue.classes or ()), spec.seed)


def start_plan(spec: StudySpec) -> Plan:
    """The plan a study begins with: the base alone at the centre of the search space."""
    recipe = next((r for r in spec.recipes if r != "continue"), "concat")
    return Plan.of({BASE: 1.0}, start_hyperparameters(spec.search_space, recipe), recipe)


def search_problem(spec: StudySpec) -> SearchProblem:
    """What the search is asked, from the study file alone."""
    return SearchProblem(
        datasets=tuple(c.name for c in spec.data.candidates),
        hyperparameters=spec.search_space,
        recipes=spec.recipes,
        max_weight=spec.search.max_weight,
        targets={s.name: s.weight or 1.0 for s in spec.targets},
        guards={s.name: s.margin for s in spec.guards if s.margin is not None},
        start=start_plan(spec),
        enqueue=spec.search.enqueue,
        tradeoffs=spec.search.objectives,
        probes={c.name: c.probe for c in spec.data.candidates if c.probe is not None},
    )


def described_problem(inputs: Inputs) -> SearchProblem:
    """What the search is asked of the slices that are evidence, with what the candidates hold where they are many."""
    spec, catalogue = inputs.spec, inputs.catalogue
    problem = search_problem(spec)
    guards = {s.name for s in inputs.table.slices if s.is_evidence(spec.gate.min_rows)}
    problem = replace(
        problem,
        targets={s.name: s.weight for s in inputs.table.objective(spec.gate.min_rows)},
        guards={name: margin for name, margin in problem.guards.items() if name in guards},
    )
    if len(problem.datasets) <= MANY:
        return problem
    tags = {c.name: c.tags for c in spec.data.candidates}
    classes = len(catalogue.classes) if catalogue.classes is not None else 0
    return replace(problem, descriptors=descriptors(catalogue.base, catalogue.candidates, classes, tags, spec.seed))


def started_event(inputs: Inputs, borrowed: WarmStarted | None = None) -> StudyStarted:
    """The event that fixes the question. borrowed: what the search is told of another study."""
    spec, catalogue = inputs.spec, inputs.catalogue
    datasets: dict[str, Any] = {BASE: _card(catalogue, BASE)}
    for candidate in spec.data.candidates:
        datasets[candidate.name] = {
            **_card(catalogue, candidate.name),
            "candidate": True,
            "cost": candidate.cost,
            "tags": list(candidate.tags),
            "targets": None if candidate.targets is None else list(candidate.targets),
            "source": candidate.source,
        }
    return StudyStarted(
        fingerprint=inputs.identity(borrowed),
        name=spec.name,
        spec=spec.shown(),
        datasets=datasets,
        slices={
            s.name: {
                "role": s.role,
                "margin": s.margin,
                "weight": s.weight,
                "rows": len(s.rows),
                "groups": s.groups,
                "counting": round(s.counting, 4),
                "needed": None if s.is_evidence(spec.gate.min_rows) else spec.gate.min_rows,
            }
            for s in inputs.table.slices
        },
        start=inputs.start.to_dict(),
        metric={"name": inputs.metric.name, "better": inputs.metric.better},
        warnings=(*inputs.warnings, *_about_borrowed(borrowed)),
        parts=_held_fingerprints(catalogue),
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
    if out is not None and (out / JOURNAL).is_file() and (known := _state(out / JOURNAL)).started is not None:
        if known.borrowed is None:
            hint = "choose another folder, or leave search.warm_start out to go on with this one"
            raise InputError("ADC-WARM-003", "this study began without a warm start", place, str(out), hint)
        return known.borrowed
    folder = Path(spec.folder, spec.search.warm_start).expanduser()
    if not (folder / JOURNAL).is_file():
        hint = "name the folder of a run (its --out), relative to the study file"
        raise InputError("ADC-WARM-001", "there is no study to start warm from", place, str(folder), hint)
    other, cold = _state(folder / JOURNAL), started_event(inputs)
    if found := differences(other, cold, spec):
        hint = "trainings can be shared only where all of it is the same; leave search.warm_start out to begin afresh"
        raise InputError("ADC-WARM-002", f"another question was asked in {folder}", place, "; ".join(found), hint)
    return borrow(other, cold, PlanEncoding(search_problem(spec)))


def open_study(inputs: Inputs, out: Path) -> tuple[StudyCore, SqliteJournal]:
    """Open the study in its folder, or go on where it stopped. Raises InputError for a folder of another study."""
    spec = inputs.spec
    if out.exists() and not out.is_dir():
        raise InputError("ADC-RUN-004", "the output is a file, not a folder", "--out", str(out), "name a folder")
    borrowed = warm_start(inputs, out)
    journal = SqliteJournal(out / JOURNAL)
    try:
        _refuse_lost_events(journal, out)
        study = StudyCore(
            spec,
            started_event(inputs, borrowed),
            journal=journal,
            store=ArtefactStore(out / "outcomes"),
            table=inputs.table,
            metric=inputs.metric,
            engine=make_engine(spec.search.sampler, described_problem(inputs), seeds.integer(spec.seed, "engine")),
            open_test=partial(_open_test, inputs),
            leaks=LeakSearch(inputs.catalogue),
            borrowed=borrowed,
        )
    except AutodcError:
        journal.close()
        raise
    return study, journal


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


def job_maker(inputs: Inputs, machine: MachineSpec, out: Path) -> JobMaker:
    """Put every dataset on disk once, by content, and say how jobs reach it."""
    work = out / "work"
    store = ArtefactStore(Path(machine.cache_dir).expanduser() if machine.cache_dir else work / "data")
    catalogue = inputs.catalogue
    held = {VALIDATION: catalogue.validation, **{part_of(n): d for n, d in catalogue.slice_sets.items()}}
    if catalogue.test is not None:
        held[TEST] = catalogue.test
    training = {BASE: catalogue.base, **catalogue.candidates}

    def restore() -> bool:
        again = [store.restore(data) for data in training.values()]
        return any([*again, *(store.restore(data, inputs_only=True) for data in held.values())])

    return JobMaker(
        spec=inputs.spec,
        machine=machine,
        n_classes=len(catalogue.classes) if catalogue.classes is not None else 0,
        datasets={name: str(store.put_dataset(data)) for name, data in training.items()},
        held={part: str(store.put_dataset(data, inputs_only=True)) for part, data in held.items()},
        work=work / "trials",
        models=out / "models",
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


def _state(journal: Path) -> State:
    reader = open_for_reading(journal)
    try:
        return fold(event for _, event in reader.read())
    finally:
        reader.close()


def _about_borrowed(borrowed: WarmStarted | None) -> tuple[str, ...]:
    if borrowed is None:
        return ()
    left = "; ".join(f"{n} {why}" for why, n in borrowed.left_out.items())
    words = f"the search began with {len(borrowed.observations)} trainings of study {borrowed.study}"
    return (f"{words}{f'; left out: {left}' if left else ''}",)


def _open_test(inputs: Inputs) -> SliceTable:
    data = open_test(inputs.spec, read_source, inputs.catalogue)
    return test_table(inputs.spec, inputs.catalogue, data)


def _held_fingerprints(catalogue: Catalogue) -> dict[str, str]:
    """Identity of what nobody trains on, of the test set its inputs and metadata, and of the classes."""
    held = {VALIDATION: catalogue.validation, TEST: catalogue.test, "pool": catalogue.pool}
    held |= {part_of(name): data for name, data in catalogue.slice_sets.items()}
    found = {name: data.fingerprint for name, data in held.items() if data is not None}
    return {**found, "classes": fingerprint.of([str(c) for c in catalogue.classes or ()], kind="classes")}


def _card(catalogue: Catalogue, name: str) -> dict[str, Any]:
    data = catalogue[name]
    return {"rows": len(data), "fingerprint": data.fingerprint, "left_out": catalogue.left_out.get(name, 0)}


def _gather(problems: list[AutodcError], make: Callable[[], T]) -> T | None:
    """Make a thing, or add what is wrong with it to the problems."""
    try:
        return make()
    except Problems as error:
        problems.extend(error.problems)
    except InputError as error:
        problems.append(error)
    return None
