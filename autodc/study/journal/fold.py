"""How events change the state. It folds and decides nothing: a change of any rule leaves what a journal means alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from autodc.errors import SurroundingsError
from autodc.plan.plan import Plan
from autodc.plan.trial import Outcome, Trial
from autodc.study.journal import events as ev
from autodc.study.journal.collection import no_collection
from autodc.study.journal.fold_gate import GATE_HANDLERS, forget_outputs
from autodc.study.journal.records import PAIRED, DiagnosisState, Extension, Session, TaskState, TrialState
from autodc.study.journal.state import State


def fold(events: Iterable[ev.Event]) -> State:
    """Return the state after these events. Raises SurroundingsError ADC-JRNL-007 for one that cannot have been."""
    state = State()
    fold_further(state, enumerate(events, 1))
    return state


def fold_further(state: State, events: Iterable[tuple[int, ev.Event]]) -> int:
    """Take in the events that follow, each with its position; the position of the last, 0 where there is none."""
    number = 0
    with no_collection():
        for number, event in events:
            try:
                apply(state, event)
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
                got = f"event {number}, {event.kind}: {type(error).__name__}: {error}"
                hint = "restore it from a copy, or give another --out"
                problem = "the journal is damaged"
                raise SurroundingsError("ADC-JRNL-007", problem, "journal.sqlite", got, hint) from error
    return number


def apply(state: State, event: ev.Event) -> None:
    """Take one event in."""
    horizon = getattr(event, "horizon", None)
    if horizon is not None and horizon > state.horizon:
        state.horizon = horizon
    if state.sessions and event.time and not isinstance(event, _BETWEEN):
        session = state.sessions[-1]
        session.ended, session.awake = max(session.ended, event.time), max(session.awake, event.awake)
    if not event.news:
        HANDLERS[type(event)](state, event)


_BETWEEN = (ev.StudyExtended, ev.TestOpeningAsked, ev.SessionStarted, ev.RowsTold, ev.MilestoneNamed)
"""Events that come before a session begins: they are no work of the one before."""


def _started(state: State, event: ev.StudyStarted) -> None:
    state.started = event
    state.start = state.incumbent = Plan.from_dict(event.start)
    _candidates_of_old(state, event)


def _metric(state: State, event: ev.MetricTold) -> None:
    state.started = replace(state.question, metric=event.metric)


def _rows(state: State, event: ev.RowsTold) -> None:
    state.rows = event.arrays


def _milestone(state: State, event: ev.MilestoneNamed) -> None:
    state.milestones[event.name] = event


def _extended(state: State, event: ev.StudyExtended) -> None:
    state.extensions.append(
        Extension(
            time=event.time,
            changed=event.changed,
            taken=state.taken,
            spent=state.risked,
            trials=len(state.trials),
        ),
    )
    state.started = replace(
        state.question,
        fingerprint=event.fingerprint,
        spec=event.spec,
        datasets=event.datasets,
        slices={**event.slices, **{one.name: one.card for one in state.admitted}},
        parts=event.parts,
        warnings=event.warnings,
    )
    _candidates_of_old(state, event)
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
    told = {name: getattr(event, name) for name in ("slots", "until", "reading", "command", "machine", "environment")}
    known = Session(started=event.time, ended=event.time, turns=[(event.time, event.slots)], **told)
    state.sessions.append(known)
    state.folder = event.folder or state.folder
    state.limit = None


def _slots(state: State, event: ev.SlotsSet) -> None:
    session = state.sessions[-1]
    session.turns.append((event.time, 0 if event.paused else event.slots))
    session.slots = event.slots
    session.paused = (session.paused or event.time) if event.paused else None


def _phase(state: State, event: ev.PhaseStarted) -> None:
    state.round, state.phase = event.round, event.phase
    state.phases.append(event)
    if event.phase == "credit":
        state.credited = None
    if event.phase == "test":
        state.baselines = None
    if event.phase != "gate":
        state.challenger = None
        forget_outputs(state)


def _planned(state: State, event: ev.TrialPlanned) -> None:
    trial = Trial.from_dict(event.trial)
    if trial.number != len(state.trials):
        raise ValueError(f"trials are numbered without gaps, found {trial.number}")
    in_pair = trial.phase in PAIRED
    attempt = state.attempts.get((trial.plan, trial.seed), 0) if in_pair else 0
    state.trials.append(TrialState(trial=trial, round=event.round, origin=event.origin, of=event.of, attempt=attempt))
    state.planned[trial.phase, event.round] = state.charged(trial.phase, event.round) + trial.fidelity
    state.spent += trial.fidelity
    if trial.phase == "search" and trial.forks is None:
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
        if one.outcome.outputs:
            state.outputs.setdefault(one.trial.plan, one.outcome.outputs)
        for name in one.trial.plan.mixture.added:
            if event.number < state.works.setdefault(name, event.number):
                state.works[name] = event.number


def _task_planned(state: State, event: ev.TaskPlanned) -> None:
    if event.number != len(state.tasks):
        raise ValueError(f"tasks are numbered without gaps, found {event.number}")
    state.tasks.append(TaskState(number=event.number, work=event.work, digest=event.digest))


def _task_finished(state: State, event: ev.TaskFinished) -> None:
    state.tasks[event.number].answer = event.answer


def _candidates_of_old(state: State, event: ev.StudyStarted | ev.StudyExtended) -> None:
    """Before datasets were admitted by events of their own, the question itself held the candidates."""
    state.roster |= {name: card for name, card in event.datasets.items() if card.get("candidate")}


def _admitted(state: State, event: ev.DatasetAdmitted) -> None:
    if event.name in state.roster:
        raise ValueError(f"dataset {event.name} was admitted before")
    state.roster[event.name] = event.card
    state.refused = {key: one for key, one in state.refused.items() if one.name != event.name}


def _refused(state: State, event: ev.DeliveryRefused) -> None:
    if event.problems:
        state.refused[event.delivered] = event
    else:
        state.refused.pop(event.delivered, None)


def _proposed(state: State, event: ev.ProposalsMade) -> None:
    state.proposed.setdefault(event.round, []).append(event)


def _by_chance(state: State, event: ev.ControlCompared) -> None:
    state.by_chance[event.subject] = event


def _unmade(state: State, event: ev.ProposalRefused) -> None:
    state.unmade[event.name] = event


def _lost(state: State, event: ev.OutcomeLost) -> None:
    state.lost[event.number] = event.why


def _restored(state: State, event: ev.OutcomeRestored) -> None:
    del state.lost[event.number]
    one = state.trials[event.number]
    assert one.outcome is not None
    one.outcome = replace(one.outcome, arrays=event.arrays)
    state.restored.append(event)


def _slice(state: State, event: ev.SliceAdmitted) -> None:
    """The slice is one of the question; every training that ended before has its value there, as if it had been."""
    state.admitted.append(event)
    state.started = replace(state.question, slices={**state.question.slices, event.name: event.card})
    for number, value in event.values.items():
        one = state.trials[int(number)]
        assert one.outcome is not None
        before = one.outcome
        one.outcome = replace(
            before,
            slices={**before.slices, event.name: value},
            soft=_with(before.soft, event, event.soft, number),
            explore=_with(before.explore, event, event.explore, number),
            explore_soft=_with(before.explore_soft, event, event.explore_soft, number),
        )


def _with(
    values: Mapping[str, float], event: ev.SliceAdmitted, admitted: Mapping[str, float], number: str
) -> Mapping[str, float]:
    """Values of the slices with that of the admitted one, where the training has it."""
    return {**values, event.name: admitted[number]} if number in admitted else values


def _held_up(state: State, event: ev.TrialHeldUp) -> None:
    state.held.add(event.number)


def _fidelity(state: State, event: ev.FidelityMeasured) -> None:
    state.fidelity = event


def _baselines(state: State, event: ev.BaselinesChosen) -> None:
    state.baselines = event


def _probes(state: State, event: ev.ProbesMeasured) -> None:
    state.probes.append(event)


def _limited(state: State, event: ev.BudgetLimited) -> None:
    state.limit, state.paced = event, True


def _simple(state: State, event: ev.BaselineMeasured) -> None:
    state.simple[event.name] = Outcome.from_dict(event.outcome)


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


def _diagnosed(state: State, event: ev.DiagnosisMade) -> None:
    state.diagnoses.append(DiagnosisState(made=event, plan=Plan.from_dict(event.plan)))


def _found(state: State, event: ev.FindingMade) -> None:
    if event.id in state.findings:
        raise ValueError(f"finding {event.id} was made before")
    state.findings[event.id] = event
    state.diagnoses[-1].ids.append(event.id)


def _requested(state: State, event: ev.RequestMade) -> None:
    if event.id in state.requests:
        raise ValueError(f"request {event.id} was made before")
    state.requests[event.id] = event


def _over(state: State, event: ev.StudyFinished) -> None:
    state.finished = event


HANDLERS: dict[type[ev.Event], Callable[[State, Any], None]] = {
    **GATE_HANDLERS,
    ev.StudyStarted: _started,
    ev.MetricTold: _metric,
    ev.MilestoneNamed: _milestone,
    ev.RowsTold: _rows,
    ev.StudyExtended: _extended,
    ev.TestOpeningAsked: _asked,
    ev.WarmStarted: _borrowed,
    ev.SessionStarted: _session,
    ev.SlotsSet: _slots,
    ev.PhaseStarted: _phase,
    ev.TrialPlanned: _planned,
    ev.TrialFinished: _finished,
    ev.TrialHeldUp: _held_up,
    ev.SliceAdmitted: _slice,
    ev.OutcomeLost: _lost,
    ev.OutcomeRestored: _restored,
    ev.DatasetAdmitted: _admitted,
    ev.DeliveryRefused: _refused,
    ev.ProposalsMade: _proposed,
    ev.ProposalRefused: _unmade,
    ev.ControlCompared: _by_chance,
    ev.TaskPlanned: _task_planned,
    ev.TaskFinished: _task_finished,
    ev.FidelityMeasured: _fidelity,
    ev.ProbesMeasured: _probes,
    ev.BudgetLimited: _limited,
    ev.BaselinesChosen: _baselines,
    ev.BaselineMeasured: _simple,
    ev.TestSetOpened: _test_opened,
    ev.TestSetMeasured: _measured,
    ev.TestSetUnread: _unread,
    ev.GainCredited: _credited,
    ev.DiagnosisMade: _diagnosed,
    ev.FindingMade: _found,
    ev.RequestMade: _requested,
    ev.StudyFinished: _over,
}
