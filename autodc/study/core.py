"""A study that is open: ask for trials, tell what came of them, read the result. The journal is written ahead."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, final

import numpy as np
import threadpoolctl

from autodc.errors import AutodcError, InputError
from autodc.evaluation.metrics import Metric
from autodc.evaluation.slices import Sides, SliceTable
from autodc.plan.plan import Plan
from autodc.plan.trial import Outcome, Trial
from autodc.search.engine import SearchEngine, SearchProblem
from autodc.study import membership
from autodc.study.assess import EvidenceAssessor, LookForLeaks, OpenTest
from autodc.study.direction import guessed
from autodc.study.journal import events as ev
from autodc.study.journal.fold import fold
from autodc.study.journal.records import PAIRED
from autodc.study.loop import Finished, Loop, Step, Waiting
from autodc.study.phases.order import ORDER
from autodc.study.phases.phase import Phase
from autodc.study.phases.tools import Diagnoser, Tools, Workshop
from autodc.study.ports import Arrivals, ArtefactLost, ArtefactStore, Journal
from autodc.study.recording import Recorder
from autodc.study.refusals import (
    refuse_no_test_set,
    refuse_other_direction,
    refuse_second_opening,
    refuse_unknown_phase,
    refuse_unpaid_opening,
)
from autodc.study.rules import ledger, losses
from autodc.study.rules.extend import extension
from autodc.study.scoring import Scorer
from autodc.study.slicing import Cut, Slices
from autodc.study.tasks import Answer
from autodc.study.view import View
from autodc.studyfile.study import SliceSpec, StudySpec
from autodc.trial.executor import Completion

Array = np.ndarray[Any, Any]

RESTS = 4
"""In studies that were begun by these rules (StudyStarted.rules) a recipe with nothing to do is plain training."""
BOUNDARIES = ("diagnose", "search", "sweep")
"""Phases before which a round ends: datasets that were proposed meanwhile join the roster."""


@final
class StudyCore:
    """One study over its journal.

    Every event is durable before it is used. Opening a journal that has events goes on where it stopped: trials that
    were planned and have no outcome are handed out again by the first `ask`, with the same number and seed.
    """

    def __init__(
        self,
        spec: StudySpec,
        started: ev.StudyStarted,
        *,
        journal: Journal,
        store: ArtefactStore,
        table: SliceTable,
        metric: Metric,
        problem: SearchProblem,
        engine: Callable[[SearchProblem], SearchEngine],
        given: Sequence[ev.DatasetAdmitted] = (),
        sides: Sides | None = None,
        cut: Cut | None = None,
        open_test: OpenTest | None = None,
        leaks: LookForLeaks | None = None,
        borrowed: ev.WarmStarted | None = None,
        diagnoser: Diagnoser | None = None,
        arrivals: Arrivals | None = None,
        maker: Workshop | None = None,
        order: tuple[Phase, ...] = ORDER,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open. A changed study file or changed data extends the study, where that may be (study/rules/extend.py).

        table: all held-out rows; sides: who sees which of them, left out where they are not cut;
        problem: what the search is asked of the datasets that are known now; engine: the engine of a problem, for the
        roster may grow; given: the candidates of the study file, which join the roster before the first training;
        diagnoser: looks at where the incumbent fails, left out where nothing does; arrivals: what is delivered while
        it runs; maker: makes data for what was found, left out where nothing is made.
        Raises InputError ADC-RUN-002 where the journal belongs to another study, 012 and 013 as `extension` does,
        020 where it has a phase that is not in the order, 060 where its metric was turned round.
        """
        self._spec, self._store = spec, store
        self._metric = metric
        self.state = fold(event for _, event in journal.read())
        self._recorder = Recorder(journal, store, self.state, clock, monotonic)
        refuse_unknown_phase(self.state, order)
        if self.state.started is None:
            self.record(started, *given, *([] if borrowed is None else [borrowed]))
        else:
            refuse_other_direction(self.state, metric)
            if guessed(self.state):
                self.record(ev.MetricTold(metric=started.metric))
        if self.state.question.fingerprint != started.fingerprint:
            self.record(*extension(self.state, started, given))
        else:  # those that a journal was cut short of
            self.record(*(one for one in given if one.name not in self.state.roster))
        self._slices = Slices(table, cut, self.state, sides)
        self._scorer = Scorer(spec, self._slices, metric, store)
        self._assessor = EvidenceAssessor(self._slices, metric, store, open_test, leaks)
        self._problem, self._engine, self._order = problem, engine, order
        self._diagnoser, self._arrivals, self._maker = diagnoser, arrivals, maker
        self._proposed: list[ev.DatasetAdmitted] = []
        self._loop = self._looped()
        self._again: list[Trial] = list(self.state.pending)
        self._libraries = threadpoolctl.ThreadpoolController()

    @property
    def spec(self) -> StudySpec:
        """What is studied."""
        return self._spec

    @property
    def view(self) -> View:
        """What is visible of it now."""
        return self._loop.view

    @property
    def store(self) -> ArtefactStore:
        """Where arrays lie."""
        return self._store

    def record(self, *events: ev.Event) -> None:
        """Journal events, then apply them."""
        self._recorder.record(*events)

    def together(self) -> AbstractContextManager[None]:
        """What is recorded inside is written at the end, synced once: see `Recorder.together`."""
        return self._recorder.together()

    def ask(self, n: int = 1) -> list[Trial]:
        """Return up to n trials to train now.

        Fewer than n: the next ones wait for outcomes, or the study is over. A trial comes again where its outcome is
        lost and needed.

        Decisions are worked out on one thread: their matrices are small, the other cores are training, and the sums
        then come out the same on any machine. Raises SurroundingsError where the journal cannot be written.
        """
        trials: list[Trial] = []
        try:
            with self._libraries.limit(limits=1), self.together():
                self._ask(n, trials)
        except BaseException:
            self._again = [*trials, *self._again]
            raise
        return trials

    def _ask(self, n: int, trials: list[Trial]) -> None:
        """Go on until there are n trials, or nothing more for now. Trials alone are written together."""
        while len(trials) < n:
            if self._again:
                trials.append(self._again.pop(0))
                continue
            step = self._step()
            if isinstance(step, (Waiting, Finished)):
                if self._again:
                    continue
                break
            if isinstance(step, ev.PhaseStarted) and step.phase in BOUNDARIES and self._joined():
                continue
            self.record(step)
            if isinstance(step, ev.TrialPlanned):
                trials.append(self.state.trials[-1].trial)
                continue
            self._recorder.write()
            if isinstance(step, ev.SliceAdmitted):
                self._sliced(step)
            elif isinstance(step, (ev.ProbesMeasured, ev.DatasetAdmitted)):
                self._loop = self._looped()

    def _joined(self) -> bool:
        """Whether anything joins the roster of what was proposed or delivered since a round ended last."""
        joining, self._proposed = [*self._proposed, *self._delivered()], []
        self.record(*joining)
        if joining:
            self._loop = self._looped()
        return bool(joining)

    def _delivered(self) -> list[ev.DatasetAdmitted]:
        """What was delivered and fits; why the rest does not is journalled."""
        arrived = [] if self._arrivals is None else self._arrivals.arrived(self.state)
        self.record(*(one for one in arrived if isinstance(one, ev.DeliveryRefused)))
        return [one for one in arrived if isinstance(one, ev.DatasetAdmitted)]

    def take_up(self) -> tuple[str, ...]:
        """A finished study goes on where something that fits was delivered since; what that is.

        Its error ledger goes on as after any extension; where nothing is left of it, nothing is taken up.
        """
        state = self.state
        if self._arrivals is None or not self.finished or ledger.is_used_up(self._spec, state):
            return ()
        joining, asked = self._delivered(), state.question
        if names := tuple(one.name for one in joining):
            same = {key: getattr(asked, key) for key in ("fingerprint", "spec", "datasets", "slices", "parts")}
            changed = {"data.inbox": [[], list(names)]}
            self.record(ev.StudyExtended(**same, warnings=asked.warnings, changed=changed))
            self.admit(*joining)
            self._loop = self._looped()
        return names

    def _looped(self) -> Loop:
        """The loop over the roster as it is; trainings of before have weight 0 for what is new."""
        self.record(*membership.news(self._slices, self._metric, self._store, self.state))
        rules = self.state.question.rules
        inert = self._problem.inert if rules >= RESTS else frozenset[str]()
        problem = replace(self._problem, datasets=self.state.candidates, plain=rules >= 1, inert=inert)
        if self.state.probes and (believed := self.state.probes[-1].believed):
            problem = replace(problem, probes=believed, probed=True)
        if self.state.admitted:
            problem = self._slices.asked(problem, self._spec.gate.min_rows)
        engine = self._engine(problem)
        tools = Tools(engine, self._assessor, diagnoser=self._diagnoser, maker=self._maker, own_slice=self._own_slice)
        return Loop(self._spec, self.state, tools, self._order)

    def _step(self) -> Step:
        """The next step. What it needs and is lost is trained again first.

        Where it cannot measure the test set, the journal says why before the error goes on.
        """
        try:
            return self._loop.step()
        except ArtefactLost as error:
            self._lose_with(error)
            return Waiting()
        except AutodcError as error:
            if self.state.unmeasured:
                self.record(ev.TestSetUnread(code=error.code, problem=str(error)))
            raise

    def admit(self, *datasets: ev.DatasetAdmitted) -> None:
        """Let datasets into the roster where the round under way ends: the next one searches them and judges them.

        What the study never comes to, since no round is left, is not journalled. They came through data/admit.py.
        """
        self._proposed += datasets

    def open_test(self, force: bool = False) -> None:
        """Ask to open the sealed test set now: search and gate stop where they are, the last measurement follows.

        What is on its way already is not asked for twice. force: open it though it was opened before. Raises
        InputError ADC-RUN-014 without a test set, 015 where it was opened before, 016 where no training can be paid.
        """
        state = self.state
        refuse_no_test_set(self._spec)
        under_way = state.asked is not None or (self.view.closes(state.phase) and state.due)
        if state.unmeasured or (under_way and state.finished is None):
            return
        refuse_second_opening(state, force)
        refuse_unpaid_opening(self.view)
        self.record(ev.TestOpeningAsked(forced=bool(state.opened)))

    def tell(self, trial: Trial, outcome: Outcome) -> None:
        """Journal the outcome of a trial. The first one told counts; a later duplicate is ignored.

        Raises InputError ADC-RUN-003 for a trial this study never planned, SurroundingsError ADC-DISK-013 where one
        whose outcome is lost fails when it is trained again.
        """
        known = self.state.trials[trial.number] if trial.number < len(self.state.trials) else None
        if known is None or known.trial != trial:
            raise InputError("ADC-RUN-003", "this study never planned that trial", got=f"trial {trial.number}")
        if known.outcome is None:
            self.record(ev.TrialFinished(number=trial.number, outcome=outcome.to_dict()))
        elif trial.number in self.state.lost and (restored := losses.restored(known, outcome)) is not None:
            self.record(restored)

    def lose(self, number: int, why: str) -> None:
        """Journal that what a trial left is lost: the next `ask` hands it out again."""
        if number not in self.state.lost:
            self.record(ev.OutcomeLost(number=number, why=why))
            self._again.append(self.state.trials[number].trial)

    def _lose_with(self, error: ArtefactLost) -> None:
        """Lose the outcome that was found lost, and those that the same decision needs and are lost too."""
        for number in losses.lost_with(self.state, error.address, self._store):
            self.lose(number, str(error))
        if not self.state.lost:
            raise error

    def score(self, trial: Trial, completion: Completion) -> Outcome:
        """Score a finished training on every validation row, and store what comparisons need.

        completion.outputs: part → predictions in row order. Outputs on the sealed test set are stored, not scored.
        A completion that is not `done`, or has outputs that are not finite, is a failed trial.
        """
        if trial.forks is not None:
            return self._scorer.probe(completion, trial.forks)
        phase = self.view.named(trial.phase)
        soft = phase is not None and phase.keeps_soft
        return self._scorer.outcome(completion, soft=soft, shown=self._is_shown(trial))

    def measured(self, name: str, completion: Completion) -> None:
        """Journal what a simple baseline scores on every validation row, or why it does not."""
        outcome = self._scorer.outcome(completion, soft=False, shown=False)
        self.record(ev.BaselineMeasured(name=name, outcome=outcome.to_dict()))

    def _is_shown(self, trial: Trial) -> bool:
        """Whether predictions are kept: of the first training in a pair of every plan that may be an incumbent.

        What was polished was in no pair: of the first training of it. First is the least number, whatever ends first,
        so that a diagnosis sees the same on any number of workers.
        """
        state, plan = self.state, trial.plan
        known = state.trials[trial.number].outcome
        if known is not None and known.outputs:  # it is lost, and trained again
            return True
        if not (trial.phase in PAIRED or plan == state.incumbent) or plan in state.outputs:
            return False
        before = (t for t in state.trials[: trial.number] if t.trial.plan == plan and t.outcome is None)
        return not any(t.trial.phase in PAIRED or plan == state.incumbent for t in before)

    def made(self, name: str, answer: Answer) -> None:
        """Hand on what came of making a proposal that is awaited (`state.awaited`); the next `ask` lets it in."""
        if self._maker is not None:
            self._maker.ended(name, answer)

    def admit_slice(self, one: SliceSpec) -> None:
        """A slice joins the study. Raises InputError as `Slices.admission` does."""
        event = self._slices.admission(one, self.state, self._metric, self._store, self._spec.gate.min_rows)
        self.record(event)
        self._sliced(event)

    def _own_slice(self, one: Mapping[str, Any]) -> ev.SliceAdmitted:
        """How the slice of a finding joins: what is made for the finding may gain there."""
        spec, least = SliceSpec(name=one["name"], where=one["where"], role="target"), self._spec.gate.min_rows
        return self._slices.admission(spec, self.state, self._metric, self._store, least, one["finding"])

    def _sliced(self, event: ev.SliceAdmitted) -> None:
        """A slice that joined is in the tables, and the loop goes on with it."""
        self._slices.take(event)
        self._loop = self._looped()

    def outputs(self, plan: Plan) -> Mapping[str, Array] | None:
        """Predictions of one training of the start or the incumbent, part → row order; None where none ended yet."""
        address = self.state.outputs.get(plan)
        return None if address is None else self._store.get(address)

    @property
    def finished(self) -> bool:
        """Whether nothing is left to train or decide."""
        return self.state.finished is not None
