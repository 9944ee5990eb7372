"""What a study is doing, what it has spent, what is left: for `status`, the live view and the last line of a run."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from autodc.review import actions, beside, deliveries, findings, notices, requests
from autodc.review.folding import of_question
from autodc.review.result import always_failing, busy_share, spent
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
    """What the study is doing, what it has spent, what is left, what is kept so far. order: its phases."""
    now = time.time() if now is None else now
    view = view_of(state, order)
    spec, phase = view.spec, view.phase
    done = sum(t.outcome is not None for t in state.trials)
    cap = allowance.cap(view)
    comparison, account = state.open_comparison, ledger(state).to_dict()
    fails = always_failing(state)
    slots = state.sessions[-1].slots if state.sessions else 1
    return {
        "study": state.question.name,
        "finished": state.finished is not None,
        "stopped_because": state.finished.because if state.finished else None,
        "round": state.round,
        "rounds": spec.loop.rounds,
        "phase": state.phase,
        "doing": state.phase if phase is None else phase.words,
        "testing": None if comparison is None else {"subject": comparison.subject, "purpose": comparison.purpose},
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
        "seconds_left": seconds_left(state),
        "last_event_seconds_ago": round(max(0.0, now - state.sessions[-1].ended), 1) if state.sessions else None,
        "ledger": {k: v for k, v in account.items() if k not in ("comparisons", "extensions", "test_set")},
        "test_set": account["test_set"] if spec.data.test is not None else None,
        "baselines": beside.line(beside.baselines(state)),
        "simple": beside.simple_line(beside.baselines(state)),
        "findings": findings.line(state),
        "requests": [requests.short_dict(one) for one in requests.views(state)],
        "left": notices.left_over(state),
        "alarms": notices.alarms(state),
        "failing": fails,
        "inbox": deliveries.refused(state),
        "warnings": [
            *of_question(state),
            *_unread(state),
            *_failing_words(fails).values(),
            *deliveries.warnings(state),
        ],
    }


def under_way(trainings: Mapping[str, Any]) -> str:
    """How many trainings run, and how many are planned and wait for a slot. trainings: of `status`."""
    waiting = f", {trainings['waiting']} waiting" if trainings["waiting"] else ""
    return f"{trainings['under_way']} under way{waiting}"


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


def seconds_left(state: State) -> float | None:
    """A guess at the wall seconds left, from the pace so far and the trainings still allowed; None at the start."""
    ended = [t for t in state.trials if t.outcome is not None and t.outcome.ended > 0]
    if len(ended) < 4 or not state.sessions:
        return None
    view = view_of(state)
    spec, cap = view.spec, allowance.cap(view)
    if cap == float("inf"):
        rounds = spec.loop.rounds - state.round + 1
        cap = state.spent + rounds * 1.5 * spec.search.trials_per_round
    charged = sum(t.trial.fidelity for t in ended)
    each = sum(t.outcome.took for t in ended if t.outcome is not None) / charged
    share = busy_share(state) or 1.0
    return max(0.0, cap - charged) * each / (state.sessions[-1].slots * max(share, 0.1))
