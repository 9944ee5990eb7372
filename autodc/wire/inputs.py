"""Everything a study file names, read and checked; no training has been spent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, final

from autodc import fingerprint
from autodc.adapters.generators import generator_problem
from autodc.adapters.journal import JOURNAL, state_of
from autodc.adapters.methods import baseline_problems
from autodc.adapters.sources import read_source
from autodc.adapters.trainers.checking import check_trainer, fork_problems, input_problems
from autodc.data.admit import Candidate, Read
from autodc.data.catalogue import VALIDATION, Catalogue, build_catalogue
from autodc.data.dataset import Dataset
from autodc.errors import AutodcError, InputError, SpecError, each_of, file_of, in_reading_order, raise_all
from autodc.evaluation.metrics import Metric, find_metric
from autodc.evaluation.rehearsal import rehearse
from autodc.evaluation.slices import Sides, SliceTable, validation_table, where_problems
from autodc.plan.plan import Plan
from autodc.propose import Given, Proposer
from autodc.search.engine import SearchProblem
from autodc.search.factory import make_engine
from autodc.study.journal.events import WarmStarted
from autodc.study.journal.state import State
from autodc.study.phases.order import set_apart
from autodc.study.rules import affordable, allowance, probing
from autodc.study.view import spec_of
from autodc.studyfile import codes
from autodc.studyfile.study import SourceSpec, StudySpec
from autodc.wire.attributes import columns_for, enriched
from autodc.wire.oracles import about_oracle, oracle_problems
from autodc.wire.problem import search_problem
from autodc.wire.separate import Separation, separate, told_of_cut
from autodc.wire.workers import Workers

T = TypeVar("T")

GIVEN = "given"
PROPOSERS: Mapping[str, Callable[[StudySpec], Proposer]] = {GIVEN: Given}
"""What `loop.propose` names."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Everything a study file names, read and found to fit together. No training has been spent."""

    spec: StudySpec
    catalogue: Catalogue
    table: SliceTable
    """The slices on all held-out rows."""
    metric: Metric
    start: Plan
    candidates: tuple[Candidate, ...]
    """What was proposed before the first training, all of it let in."""
    separation: Separation
    warnings: tuple[str, ...]

    @property
    def sides(self) -> Sides | None:
        """Who sees which rows; None where they are not cut."""
        return self.separation.sides if self.separation.is_cut else None

    @property
    def explore(self) -> SliceTable:
        """The slices on the rows that the search sees."""
        return self.table.on(self.separation.sides.explore)

    @property
    def gate(self) -> SliceTable:
        """The slices on the rows that decide."""
        return self.table.on(self.separation.sides.gate)

    @property
    def fingerprint(self) -> str:
        """Identity of the study: what is asked and the content of the data; without what a warm start borrows."""
        parts = [self.spec.fingerprint(), self.catalogue.fingerprint]
        if self.spec.attributes:  # measured values are no content, but who is in a slice is part of the question
            parts += [
                fingerprint.of([s.name, s.part, fingerprint.of_array(s.rows)], kind="slice") for s in self.table.slices
            ]
        return fingerprint.of(parts, kind="study")

    def identity(self, borrowed: WarmStarted | None) -> str:
        """Identity of the study with what its search was told at the start."""
        if borrowed is None:
            return self.fingerprint
        return fingerprint.of([self.fingerprint, borrowed.digest], kind="study")


def read_inputs(
    spec: StudySpec, out: Path | None = None, workers: Workers | None = None, *, quick: bool = False
) -> Inputs:
    """Read and check all that a study names. Raises every problem of its files and options at once.

    out: the folder of the study; what has begun there goes on by the rules it began with; workers: where attributes
    are measured, None: in this process; quick: without attributes that a network gives and no slice names.
    """
    wished = "explore_share" in spec.data.model_fields_set
    former = _former(out)
    spec = spec if former is None else _as_begun(spec, former)
    problem, candidates = search_problem(spec), proposed(spec)
    found = list(named_problems(spec, problem))
    metric = gather(found, lambda: find_metric(spec.metrics.primary, spec.task.kind, spec.folder))
    seen: list[Dataset] = []
    catalogue = gather(
        found, lambda: read_catalogue(spec, partial(_remembered, seen), candidates, workers, quick=quick)
    )
    table, doubts = None, list[str]()
    if catalogue is not None:
        found += input_problems(spec.task.trainer, spec.task.options, catalogue.base.x, spec.folder)
        table = gather(found, lambda: validation_table(spec, catalogue))
        found += catalogue.unfit if table is not None else ()
        if metric is not None and table is not None:
            table = replace(table, measures=metric.measures if metric.needs else None)
            doubts = gather(found, partial(_rehearsed, spec, metric, table, catalogue)) or []
    elif seen:
        found += where_problems(spec, seen[0])
    found += seed_problems(spec)
    found += soft_problems(spec, out)
    raise_all(placed(spec, found))
    assert metric is not None
    assert catalogue is not None
    assert table is not None
    separation = separate(spec, catalogue, table, wished=wished, former=former is not None)
    _refuse_unmeasured(spec, metric, table, separation)
    return Inputs(
        spec=spec,
        catalogue=catalogue,
        table=table,
        metric=metric,
        start=problem.start,
        candidates=candidates,
        separation=separation,
        warnings=(
            *catalogue.warnings,
            *_unused(spec),
            *about_oracle(spec, catalogue),
            *_unpaid_probes(spec),
            *affordable.unpaid(spec),
            *doubts,
            *told_of_cut(spec, table, separation),
        ),
    )


def named_problems(spec: StudySpec, problem: SearchProblem) -> list[AutodcError]:
    """What is wrong with trainer, its options and hyperparameters, with the sampler, and with generators."""
    task = spec.task
    found: list[AutodcError] = [
        *check_trainer(task.trainer, task.options, task.kind, spec.search_space, spec.recipes, spec.folder)
    ]
    if spec.search.probes == "fork":
        found += fork_problems(task.trainer, spec.folder)
    gather(found, lambda: make_engine(spec.search.sampler, problem, spec.seed, spec.folder))
    for at, one in enumerate(spec.data.generators):
        wrong = generator_problem(one.generator, one.options, spec.folder, f"data.generators[{at}]")
        found += [] if wrong is None else [wrong]
    return [*found, *baseline_problems(spec.baselines, spec.folder, task.kind), *oracle_problems(spec)]


def _former(out: Path | None) -> State | None:
    """The study in this folder, where it was begun before search and gate had rows of their own."""
    state = None if out is None else begun(out)
    return None if state is None or state.question.rules else state


def _as_begun(spec: StudySpec, state: State) -> StudySpec:
    """Such a study goes on as it began, where its file says nothing of that."""
    then, told = spec_of(state), spec.data.model_fields_set
    data = {} if "explore_share" in told else {"explore_share": then.data.explore_share}
    gate = {} if "evidence" in spec.gate.model_fields_set else {"evidence": then.gate.evidence}
    return spec.model_copy(
        update={"data": spec.data.model_copy(update=data), "gate": spec.gate.model_copy(update=gate)}
    )


def seed_problems(spec: StudySpec) -> list[AutodcError]:
    """A budget that cannot pay the first look of any test decides nothing."""
    budget, first = spec.budget.trainings, spec.gate.looks[0]
    if budget is None:
        return []
    calibration = allowance.calibration_runs(spec)
    need = set_apart(spec) + first + max(0, first - calibration)
    if need <= budget:
        return []
    found = f"{first} pairs at the first look, {budget:g} trainings, {calibration} of them for calibration"
    hint = f"raise budget.trainings to {need:g} at least, many times that to search too, or look earlier"
    return [SpecError("ADC-GATE-001", "the budget cannot pay the first look of the gate", "gate.looks", found, hint)]


def _unused(spec: StudySpec) -> list[str]:
    """Keys that are read and that nothing acts on as the file is."""
    found = []
    if spec.data.pool is not None and "pool" not in spec.loop.propose:
        found.append("data.pool is read and checked, and nobody draws from it: loop.propose does not name pool")
    if spec.data.pool is None and "pool" in spec.loop.propose:
        found.append("loop.propose names pool, and there is no data.pool to draw from")
    if spec.data.generators and "generate" not in spec.loop.propose:
        found.append("data.generators are checked, and nobody asks them: loop.propose does not name generate")
    if not spec.data.generators and "generate" in spec.loop.propose:
        found.append("loop.propose names generate, and there are no data.generators to ask")
    return found


def _unpaid_probes(spec: StudySpec) -> list[str]:
    """Probes that are asked for and that no round can pay."""
    count, budget = len(spec.data.candidates), allowance.asked(spec)
    room = max(0.0, budget - set_apart(spec))
    each = min(spec.search.trials_per_round, allowance.SEARCH_SHARE * room / spec.loop.rounds)
    if spec.search.probes == "none" or not count or probing.price(count) <= probing.SHARE * each:
        return []
    return [
        f"search.probes: a probe of {count} candidates takes {probing.price(count):.3g} trainings, more than "
        f"{probing.SHARE:.0%} of the {each:.3g} that a round has for search, so none is made; raise "
        "search.trials_per_round or budget.trainings"
    ]


def soft_problems(spec: StudySpec, out: Path | None) -> list[AutodcError]:
    """Under the soft score a target without a margin has nothing that holds its metric: it may fall unnoticed.

    A study that began when this was allowed goes on.
    """
    if spec.gate.score != "soft" or all(one.margin is not None for one in spec.targets):
        return []
    if out is not None and begun(out) is not None:
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


def _refuse_unmeasured(spec: StudySpec, metric: Metric, table: SliceTable, separation: Separation) -> None:
    """Raise where the metric is defined on no target, on the rows that the search sees or on those that decide."""
    for side, rows in (("decide", separation.sides.gate), ("the search sees", separation.sides.explore)):
        if metric.needs and not any(one.role == "target" for one in table.on(rows).measured):
            problem = f"{metric.name} is not defined on any target slice, on its rows that {side}"
            needs = {
                "classes": "its rows need two classes",
                "spread": "its targets need two different values in every output",
                "masks": "its targets are masks: whole numbers from 0 up",
            }[metric.needs]
            raise InputError("ADC-METRIC-072", problem, spec.place("metrics.primary"), metric.name, needs)


def _rehearsed(spec: StudySpec, metric: Metric, table: SliceTable, catalogue: Catalogue) -> list[str]:
    return rehearse(metric, table, spec.task.kind, len(catalogue.classes or ()), spec.seed)


def placed(spec: StudySpec, problems: Iterable[AutodcError]) -> list[AutodcError]:
    """The problems with the places of their keys, in reading order."""
    found = list(problems)
    for error in found:
        error.place = spec.place(error.place)
    return in_reading_order(found, file_of(spec.place("schema_version")))


def gather(problems: list[AutodcError], make: Callable[[], T]) -> T | None:
    """Make a thing, or add what is wrong with it to the problems."""
    try:
        return make()
    except InputError as error:
        problems.extend(each_of(error))
    return None


def _remembered(seen: list[Dataset], source: SourceSpec, **how: Any) -> Dataset:
    """Read a source; validation is kept, for what is to be said of it where another cannot be read."""
    data = read_source(source, **how)
    if how["name"] == VALIDATION:
        seen.append(data)
    return data


def proposed(spec: StudySpec) -> tuple[Candidate, ...]:
    """What may be trained on from the start: what the study file gives, whatever else `loop.propose` names."""
    budget = spec.budget.cost if spec.budget.cost is not None else float("inf")
    names = [name for name in dict.fromkeys((GIVEN, *spec.loop.propose)) if name in PROPOSERS]
    return tuple(one for name in names for one in PROPOSERS[name](spec).propose(None, budget, spec.seed))


def read_catalogue(
    spec: StudySpec,
    read: Read = read_source,
    candidates: Sequence[Candidate] | None = None,
    workers: Workers | None = None,
    *,
    quick: bool = False,
) -> Catalogue:
    """Read every dataset of a study, and measure the attributes that it names of what is held out.

    candidates: left out, what is proposed before the first training.
    """
    every = proposed(spec) if candidates is None else candidates
    if not spec.attributes:
        return build_catalogue(spec, read, every)
    built = build_catalogue(spec, read, every, columns_for(spec, workers, quick=quick))
    return enriched(spec, built, workers, quick=quick)


def begun(folder: Path) -> State | None:
    """The study that was begun in a folder; None where there is none."""
    state = state_of(folder) if (folder / JOURNAL).is_file() else None
    return None if state is None or state.started is None else state
