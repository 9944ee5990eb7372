"""The state of a study: `fold(events)` and nothing else. Applying an event is the only way it changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, final

from autodc.errors import InputError, SurroundingsError
from autodc.gate.retreat import costliest
from autodc.gate.types import Look, upcast
from autodc.plan.plan import Plan
from autodc.plan.trial import Outcome, Phase, Trial
from autodc.study.journal import events as ev
from autodc.study.journal.records import ComparisonState, Extension, Session, TrialState
from autodc.studyfile.study import StudySpec

__all__ = ["ComparisonState", "Extension", "Session", "State", "TrialState", "fold", "stays"]

RETREATS = 2
"""How many members a challenger may give up, one by one, where its guards alone fail it as a whole."""


@final
@dataclass(slots=True)
class State:
    """All that is known of a study. Read it; only `apply` changes it.

    borrowed: trainings of another study that the search knows;
    horizon: outcomes 0 … horizon − 1 are visible to decisions; incumbent: the best plan kept so far;
    decisions: dataset → the last finished test of it alone;
    challenger: the plan the gate is pruning in this round, or None; trained: (plan, seed) → number of the trial that
    may serve any comparison, the last one where it was run again; attempts: how often it was run;
    planned: (phase, round) → trainings, each by its fidelity; spent: all of them; limit: what the clock allows in this
    session; paced: whether a clock ever set one, so that quotas of before are no measure; held: trials that the disk
    refused; failures: numbers of the trainings that failed; works: dataset → the first training with it that did not;
    suggested: numbers of the trials whose plan the search suggested; again: (fidelity, suggested trial) → the number
    of its training there; fidelity: how well cheap trainings rank plans, None before it is measured;
    model: the trial whose model `continue` goes on from; warm: the one the incumbent itself continued;
    extensions: changes of the study file since it began; asked: the user's wish to open the test set now;
    measured, measured_plan: the last reading of the test set, and the incumbent it was of; measurements: how many
    readings; due: whether a reading is still to come; unread: why the last one failed;
    lost: trial → why what it left is trained again; restored: what was.
    """

    started: ev.StudyStarted | None = None
    borrowed: ev.WarmStarted | None = None
    spec: StudySpec | None = None
    trials: list[TrialState] = field(default_factory=list)
    comparisons: list[ComparisonState] = field(default_factory=list)
    decisions: dict[str, ComparisonState] = field(default_factory=dict)
    sessions: list[Session] = field(default_factory=list)
    challengers: list[ev.ChallengerProposed] = field(default_factory=list)
    moves: list[ev.IncumbentMoved] = field(default_factory=list)
    trained: dict[tuple[Plan, int], int] = field(default_factory=dict)
    attempts: dict[tuple[Plan, int], int] = field(default_factory=dict)
    planned: dict[tuple[Phase, int], float] = field(default_factory=dict)
    spent: float = 0.0
    suggested: list[int] = field(default_factory=list)
    again: dict[tuple[float, int], int] = field(default_factory=dict)
    fidelity: ev.FidelityMeasured | None = None
    horizon: int = 0
    round: int = 0
    phase: str = ""
    phases: list[ev.PhaseStarted] = field(default_factory=list)
    start: Plan | None = None
    incumbent: Plan | None = None
    model: int = 0
    warm: int | None = None
    challenger: Plan | None = None
    limit: ev.BudgetLimited | None = None
    paced: bool = False
    held: set[int] = field(default_factory=set)
    failures: list[int] = field(default_factory=list)
    lost: dict[int, str] = field(default_factory=dict)
    restored: list[ev.OutcomeRestored] = field(default_factory=list)
    works: dict[str, int] = field(default_factory=dict)
    extensions: list[Extension] = field(default_factory=list)
    asked: ev.TestOpeningAsked | None = None
    opened: list[ev.TestSetOpened] = field(default_factory=list)
    measured: ev.TestSetMeasured | None = None
    measured_plan: Plan | None = None
    measurements: int = 0
    due: bool = True
    unread: ev.TestSetUnread | None = None
    credited: ev.GainCredited | None = None
    finished: ev.StudyFinished | None = None

    def apply(self, event: ev.Event) -> None:
        """Take one event in."""
        horizon = getattr(event, "horizon", None)
        if horizon is not None:
            self.horizon = max(self.horizon, horizon)
        if self.sessions and event.time and not isinstance(event, _BETWEEN):
            self.sessions[-1].ended = max(self.sessions[-1].ended, event.time)
            self.sessions[-1].awake = max(self.sessions[-1].awake, event.awake)
        _APPLY.get(type(event), _ignore)(self, event)

    @property
    def question(self) -> ev.StudyStarted:
        """The first event. Raises InputError ADC-JRNL-003 where the journal has none."""
        if self.started is None:
            hint = "give the folder of a study that has begun; `autodc run` begins one, or goes on with it"
            raise InputError("ADC-JRNL-003", "the journal has no study in it", hint=hint)
        return self.started

    @property
    def candidates(self) -> tuple[str, ...]:
        """Names of the candidates, in the order of the study file."""
        return tuple(n for n, d in self.question.datasets.items() if d.get("candidate"))

    @property
    def kept(self) -> tuple[str, ...]:
        """The datasets of the incumbent beside the base, in the order of the study file."""
        added = self.incumbent.mixture.added if self.incumbent else ()
        return tuple(n for n in self.candidates if n in added)

    @property
    def objective(self) -> dict[str, float]:
        """The target slices whose weighted mean is the objective, with their weights: those that are evidence."""
        targets = {n: s for n, s in self.question.slices.items() if s.get("role") == "target"}
        counted = {n: s for n, s in targets.items() if s.get("needed") is None} or targets
        return {n: float(s.get("weight") or 1.0) for n, s in counted.items()}

    @property
    def keeps(self) -> int:
        """How many tests said keep so far."""
        return sum(t.verdict == "keep" for t in self.comparisons)

    @property
    def generation(self) -> int:
        """How often the incumbent has moved in this round."""
        return sum(m.round == self.round for m in self.moves)

    @property
    def open_comparison(self) -> ComparisonState | None:
        """The comparison under way, if any."""
        return self.comparisons[-1] if self.comparisons and self.comparisons[-1].verdict is None else None

    @property
    def pending(self) -> list[Trial]:
        """Trials to be trained, for the first time or because what they left is lost, in order of number."""
        return [t.trial for t in self.trials if t.outcome is None or t.trial.number in self.lost]

    def charged(self, phase: Phase, round_number: int) -> float:
        """Trainings planned in a phase of a round, each by its fidelity."""
        return self.planned.get((phase, round_number), 0.0)

    def count(self, phase: Phase) -> int:
        """Trials planned in a phase, over all rounds."""
        return sum(t.trial.phase == phase for t in self.trials)

    def decided(self, dataset: str) -> ComparisonState | None:
        """The last finished test of a dataset of its own, or None."""
        return self.decisions.get(dataset)

    def verdict(self, dataset: str) -> str:
        """keep where the incumbent has it, else what its last test says, else undecided.

        A dataset that passed inside a challenger which then failed as a whole is undecided.
        """
        if dataset in self.kept:
            return "keep"
        last = self.decided(dataset)
        return "drop" if last is not None and last.verdict == "drop" else "undecided"


def stays(verdict: str, kept: bool) -> bool:
    """Whether a member stays in the challenger: a new one only when kept, an old one unless it is shown useless."""
    return verdict == "keep" or (kept and verdict == "undecided")


def fold(events: Iterable[ev.Event]) -> State:
    """Return the state after these events. Raises SurroundingsError ADC-JRNL-007 for one that cannot have been."""
    state = State()
    for number, event in enumerate(events, 1):
        try:
            state.apply(event)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            got = f"event {number}, {event.kind}: {type(error).__name__}: {error}"
            hint = "restore it from a copy, or give another --out"
            raise SurroundingsError("ADC-JRNL-007", "the journal is damaged", "journal.sqlite", got, hint) from error
    return state


_BETWEEN = (ev.StudyExtended, ev.TestOpeningAsked, ev.SessionStarted)
"""Events that come before a session begins: they are no work of the one before."""


def _ignore(state: State, event: Any) -> None:
    """Events that are news for readers alone change nothing."""


def _started(state: State, event: ev.StudyStarted) -> None:
    state.started = event
    state.spec = StudySpec.model_validate(event.spec)
    state.start = state.incumbent = Plan.from_dict(event.start)


def _metric(state: State, event: ev.MetricTold) -> None:
    state.started = replace(state.question, metric=event.metric)


def _extended(state: State, event: ev.StudyExtended) -> None:
    spent = sum(t.share for t in state.comparisons)
    state.extensions.append(
        Extension(
            time=event.time, changed=event.changed, taken=len(state.comparisons), spent=spent, trials=len(state.trials)
        ),
    )
    state.started = replace(
        state.question,
        fingerprint=event.fingerprint,
        spec=event.spec,
        datasets=event.datasets,
        slices=event.slices,
        parts=event.parts,
        warnings=event.warnings,
    )
    state.spec = StudySpec.model_validate(event.spec)
    state.limit = None
    if state.finished is not None:
        state.finished = state.asked = None
        state.phase = "extended"


def _asked(state: State, event: ev.TestOpeningAsked) -> None:
    state.asked, state.due, state.finished = event, True, None
    if state.phase == "test":
        state.phase = "asked"


def _borrowed(state: State, event: ev.WarmStarted) -> None:
    state.borrowed = event


def _session(state: State, event: ev.SessionStarted) -> None:
    state.sessions.append(Session(started=event.time, ended=event.time, slots=event.slots, until=event.until))
    state.limit = None


def _phase(state: State, event: ev.PhaseStarted) -> None:
    state.round, state.phase = event.round, event.phase
    state.phases.append(event)
    if event.phase == "credit":
        state.credited = None
    if event.phase != "gate":
        state.challenger = None


def _planned(state: State, event: ev.TrialPlanned) -> None:
    trial = Trial.from_dict(event.trial)
    if trial.number != len(state.trials):
        raise ValueError(f"trials are numbered without gaps, found {trial.number}")
    in_pair = trial.phase in ("calibration", "gate")
    attempt = state.attempts.get((trial.plan, trial.seed), 0) if in_pair else 0
    state.trials.append(TrialState(trial=trial, round=event.round, origin=event.origin, of=event.of, attempt=attempt))
    state.planned[trial.phase, event.round] = state.charged(trial.phase, event.round) + trial.fidelity
    state.spent += trial.fidelity
    if trial.phase == "search":
        root = trial.number if event.of is None else event.of
        state.again[trial.fidelity, root] = trial.number
        if event.of is None:
            state.suggested.append(trial.number)
    if in_pair:
        state.trained[trial.plan, trial.seed] = trial.number
        state.attempts[trial.plan, trial.seed] = attempt + 1


def _finished(state: State, event: ev.TrialFinished) -> None:
    one = state.trials[event.number]
    one.outcome = Outcome.from_dict(event.outcome)
    if one.outcome.status == "failed":
        state.failures.append(event.number)
    elif one.outcome.status == "done":
        for name in one.trial.plan.mixture.added:
            state.works[name] = min(event.number, state.works.get(name, event.number))


def _held_up(state: State, event: ev.TrialHeldUp) -> None:
    state.held.add(event.number)


def _fidelity(state: State, event: ev.FidelityMeasured) -> None:
    state.fidelity = event


def _proposed(state: State, event: ev.ChallengerProposed) -> None:
    state.challengers.append(event)
    state.challenger = Plan.from_dict(event.plan)


def _opened(state: State, event: ev.ComparisonOpened) -> None:
    keeps = state.keeps
    state.comparisons.append(
        ComparisonState(
            id=event.id,
            round=event.round,
            subject=event.subject,
            kind=event.subject_kind,
            purpose=event.purpose,  # type: ignore[arg-type]
            challenger=Plan.from_dict(event.challenger),
            incumbent=Plan.from_dict(event.incumbent),
            members=tuple(event.members),
            alpha=event.alpha,
            share=event.alpha / (1 + keeps) if event.share is None else event.share,
            keeps=keeps,
            generation=sum(m.round == event.round for m in state.moves),
        )
    )


def _look(state: State, event: ev.LookTaken) -> None:
    comparison = state.comparisons[event.comparison]
    comparison.looks.append(upcast(event.look))
    comparison.seeds = tuple(event.seeds)


def _verdict(state: State, event: ev.VerdictReached) -> None:
    comparison = state.comparisons[event.comparison]
    comparison.verdict, comparison.reasons, comparison.trainings = event.verdict, tuple(event.reasons), event.trainings
    if comparison.kind == "dataset":
        state.decisions[comparison.subject] = comparison
    if comparison.purpose == "removal" and not stays(event.verdict, comparison.subject in state.kept):
        state.challenger = comparison.incumbent
    if comparison.purpose == "whole" and (name := _given_up(state, comparison)) is not None:
        state.challenger = comparison.challenger.without(name)


def _given_up(state: State, comparison: ComparisonState) -> str | None:
    """The member that a whole challenger gives up where its guards alone failed it; at most RETREATS a round."""
    mine = [t for t in state.comparisons if t.round == comparison.round]
    if not comparison.looks or sum(t.purpose == "whole" for t in mine) > RETREATS:
        return None
    removals = [t for t in mine if t.purpose == "removal" and t.subject in comparison.members and t.looks]
    return costliest(Look.from_dict(comparison.looks[-1]), {t.subject: Look.from_dict(t.looks[-1]) for t in removals})


def _moved(state: State, event: ev.IncumbentMoved) -> None:
    state.moves.append(event)
    state.incumbent = Plan.from_dict(event.plan)
    state.model, state.warm = event.model, event.warm


def _limited(state: State, event: ev.BudgetLimited) -> None:
    state.limit, state.paced = event, True


def _test_opened(state: State, event: ev.TestSetOpened) -> None:
    state.opened.append(event)


def _measured(state: State, event: ev.TestSetMeasured) -> None:
    state.measured, state.measured_plan = event, state.incumbent
    state.measurements += 1
    state.due, state.unread = False, None


def _unread(state: State, event: ev.TestSetUnread) -> None:
    state.unread = event


def _credited(state: State, event: ev.GainCredited) -> None:
    state.credited = event


def _lost(state: State, event: ev.OutcomeLost) -> None:
    state.lost[event.number] = event.why


def _restored(state: State, event: ev.OutcomeRestored) -> None:
    del state.lost[event.number]
    one = state.trials[event.number]
    assert one.outcome is not None
    one.outcome = replace(one.outcome, arrays=event.arrays)
    state.restored.append(event)


def _over(state: State, event: ev.StudyFinished) -> None:
    state.finished = event


_APPLY: dict[type[ev.Event], Any] = {
    ev.StudyStarted: _started,
    ev.MetricTold: _metric,
    ev.StudyExtended: _extended,
    ev.TestOpeningAsked: _asked,
    ev.WarmStarted: _borrowed,
    ev.SessionStarted: _session,
    ev.PhaseStarted: _phase,
    ev.TrialPlanned: _planned,
    ev.TrialFinished: _finished,
    ev.TrialHeldUp: _held_up,
    ev.FidelityMeasured: _fidelity,
    ev.ChallengerProposed: _proposed,
    ev.ComparisonOpened: _opened,
    ev.LookTaken: _look,
    ev.VerdictReached: _verdict,
    ev.IncumbentMoved: _moved,
    ev.BudgetLimited: _limited,
    ev.TestSetOpened: _test_opened,
    ev.TestSetMeasured: _measured,
    ev.TestSetUnread: _unread,
    ev.GainCredited: _credited,
    ev.OutcomeLost: _lost,
    ev.OutcomeRestored: _restored,
    ev.StudyFinished: _over,
}
