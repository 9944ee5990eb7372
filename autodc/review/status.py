"""What a study is doing, what it has spent, what is left: for `status`, the live view and the last line of a run."""

from __future__ import annotations

import datetime
import math
import time
from collections.abc import Mapping
from typing import Any

from autodc.review import actions, beside, deliveries, findings, notices, requests
from autodc.review.folding import of_question
from autodc.review.result import always_failing, spent
from autodc.review.time_left import time_left
from autodc.study.journal.state import State
from autodc.study.phases.order import ORDER, view_of
from autodc.study.phases.phase import Phase
from autodc.study.rules import allowance
from autodc.study.rules.ledger import ledger
from autodc.study.view import spec_of


def doing(state: State) -> str:
    """Where a study under way is, in a few words."""
    view = view_of(state)
    words = state.phase if view.phase is None else view.phase.words
    if not view.has_start:
        return words
    return f"round {state.round} of {view.spec.loop.rounds}: {words} ({len(state.trials)} trainings so far)"


def status(state: State, now: float | None = None, order: tuple[Phase, ...] = ORDER) -> dict[str, Any]:
    """What the study is doing, what it has spent, what is left, what is kept so far. order: its phases.

    `running`: whether a run is under way, which the journal alone does not tell.
    """
    now = time.time() if now is None else now
    view = view_of(state, order)
    spec, phase = view.spec, view.phase
    done = sum(t.outcome is not None for t in state.trials)
    cap = allowance.cap(view)
    comparison, account = state.open_comparison, ledger(state).to_dict()
    fails = always_failing(state)
    session = state.sessions[-1] if state.sessions else None
    slots = 1 if session is None else session.slots
    left = time_left(state, now)
    return {
        "study": state.question.name,
        "finished": state.finished is not None,
        "running": None,
        "stopped_because": state.finished.because if state.finished else None,
        "round": state.round,
        "rounds": spec.loop.rounds,
        "phase": state.phase,
        "doing": state.phase if phase is None else phase.words,
        "testing": None if comparison is None else {"subject": comparison.subject, "purpose": comparison.purpose},
        "paused_since": None if session is None or session.paused is None else _moment(session.paused),
        "slots": None if session is None else slots,
        "trainings": {
            "done": done,
            "under_way": (running := min(len(state.trials) - done, slots)),
            "waiting": len(state.trials) - done - running,
            "failed": sum(t.outcome is not None and t.outcome.status == "failed" for t in state.trials),
            "budget": None if cap == float("inf") else cap,
        },
        "next": actions.line(state),
        "kept": list(state.kept),
        "verdicts": {n: state.verdict(n) for n in state.candidates},
        "spent": spent(state),
        "seconds_left": None if left is None else round(left.high, 1),
        "time_left": None if left is None else left.to_dict(),
        "last_event_seconds_ago": None if session is None else round(max(0.0, now - session.ended), 1),
        "command": "" if session is None else session.command,
        "ledger": {k: v for k, v in account.items() if k not in ("comparisons", "extensions", "test_set")},
        "test_set": account["test_set"] if spec.data.test is not None else None,
        "baselines": beside.line(beside.baselines(state)),
        "simple": beside.simple_line(beside.baselines(state)),
        "findings": findings.line(state),
        "requests": [requests.short_dict(one) for one in requests.views(state)],
        "left": notices.left_over(state),
        "alarms": notices.alarms(state),
        "unread": None if state.unread is None else state.unread.problem,
        "failing": fails,
        "inbox": deliveries.refused(state),
        "warnings": [
            *of_question(state),
            *_unread(state),
            *_failing_words(fails).values(),
            *deliveries.warnings(state),
        ],
    }


def _moment(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _unread(state: State) -> list[str]:
    if state.unread is None:
        return []
    return [f"the test set could not be measured: {state.unread.problem}; mend it, then give the same command again"]


def _failing_words(fails: Mapping[str, Any]) -> dict[str, str]:
    """One sentence a kind of plan that always fails."""
    words = {
        **{name: (one, "it is no longer proposed") for name, one in fails["datasets"].items()},
        **{name: (one, "consider taking it out of the search") for name, one in fails["settings"].items()},
    }
    return {
        name: f"every training with {name} failed ({one['trainings']} of {one['trainings']}); {then}: {one['error']}"
        for name, (one, then) in words.items()
    }


def failing_words(state: State) -> dict[str, str]:
    """One sentence a kind of plan that always fails, for those who follow a run."""
    return _failing_words(always_failing(state)) if state.failures else {}


def going_on(state: State) -> str:
    """How a study that the clock ended is taken up again; empty for any other."""
    if state.finished is None or state.finished.because not in ("until", "budget.wall_clock"):
        return ""
    spec = spec_of(state)
    asked = spec.budget.trainings
    if asked is None:
        return f"the time was over; to go on, give it another round: --set loop.rounds={spec.loop.rounds + 1}"
    if asked - state.spent < 1:
        return ""
    more = math.ceil(round(1.1 * asked, 6))
    words = f"the time was over with {asked - state.spent:g} of {asked:g} trainings unspent; to go on, give the same "
    words += f"command with a larger budget: --set budget.trainings={more}"
    if spec.data.test is not None and not state.opened:
        words += "; to open the sealed test set now: --open-test"
    return words
