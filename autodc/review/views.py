"""What there is to show of a study, as plain data: the one door to the terminal, the page and --json."""

from __future__ import annotations

import difflib
import math
import time
from collections.abc import Mapping
from typing import Any

from autodc.errors import InputError
from autodc.gate.reasons import SENTENCES, ahead, explain, found_words
from autodc.gate.types import Look, SliceLook
from autodc.review import notices
from autodc.review.result import always_failing, busy_share, spent
from autodc.study.journal.state import ComparisonState, State
from autodc.study.phases.decide import OUT_OF_BUDGET, STOPPED
from autodc.study.rules import allowance, failing
from autodc.study.rules.ledger import ledger

PURPOSES = {
    "removal": "the challenger with it against the same without it",
    "addition": "the incumbent with it against the incumbent",
    "whole": "the whole challenger against the incumbent",
}
"""What the two arms of a test were, in words."""

_EXTRA = {
    OUT_OF_BUDGET: "The budget of trainings ended before the next look at the evidence could be paid.",
    STOPPED: "The study was ended by hand, to open the test set, before the evidence decided.",
    failing.ALWAYS_FAILS: "Every training with it failed, so it was not proposed any more.",
}

_OVER = {
    "until": "the time was over",
    "budget.wall_clock": "the time was over",
    "budget.trainings": "the budget of trainings ended",
    "stopped": "the study was ended by hand",
}


def sentence(code: str) -> str:
    """What a reason code means, for people who know no statistics."""
    return SENTENCES.get(code) or _EXTRA.get(code, "")


def verdict_rows(state: State) -> list[dict[str, Any]]:
    """One row a candidate: verdict, the slice that tells most, its difference with interval, pairs, reason."""
    return [_verdict_row(state, name) for name in state.candidates]


def _verdict_row(state: State, name: str) -> dict[str, Any]:
    comparison = _telling_test(state, name)
    fails = failing.datasets(state).get(name)
    row: dict[str, Any] = {
        "dataset": name,
        "verdict": state.verdict(name),
        "rows": state.card(name)["rows"],
        "cost": state.card(name).get("cost", 0),
        "weight": state.incumbent.mixture.weight(name) if state.incumbent else 0.0,
        "slice": None,
        "difference": None,
        "low": None,
        "high": None,
        "level": None,
        "pairs": 0,
        "reasons": [] if fails is None else [failing.ALWAYS_FAILS],
        "why": _untested(state, name) if fails is None else f"every training with it failed: {fails.error}",
    }
    if comparison is not None and comparison.looks:
        look = comparison.looks[-1]
        slice_name = telling_slice(look)
        seen = look["slices"][slice_name]
        row |= {
            "slice": slice_name,
            "difference": seen["difference"],
            "low": seen["low"],
            "high": seen["high"],
            "level": seen.get("level"),
            "pairs": look["pairs"],
            "reasons": list(comparison.reasons),
            "why": sentence(comparison.reasons[0]) if comparison.reasons else "",
        }
        if comparison.verdict == "keep" and name not in state.kept:
            row["why"] = _passed(state, comparison)
    return row


def _untested(state: State, name: str) -> str:
    """Why no test of a dataset has ended."""
    if state.open_comparison is not None and state.finished is None and state.open_comparison.subject == name:
        return "it is being tested"
    if state.finished is None:
        return "it was not tested yet"
    over = _OVER.get(state.finished.because, "the study ended")
    return f"the search found no mixture in which it seemed to help, and {over} before it was tested"


def _passed(state: State, comparison: ComparisonState) -> str:
    """Why a dataset that passed its own test is not in the model."""
    if comparison.purpose == "addition":
        ended = "is" if state.finished is None else "was"
        return f"It helped the incumbent of then; beside the one that came after it, it {ended} not tested again yet."
    whole = [
        t
        for t in state.comparisons
        if t.id > comparison.id and t.round == comparison.round and t.purpose == "whole" and t.verdict
    ]
    if any(t.verdict == "keep" and comparison.subject not in t.members for t in whole):
        return "It helped, but with it the whole challenger cost a guard too much, so it was given up for the others."
    if whole:
        return "It helped inside a challenger that was not better as a whole, so it is not in the model."
    if state.finished is None:
        return "It helped; whether the challenger it is part of is better as a whole is still to be shown."
    return "It helped, but the study ended before the challenger it is part of was tested as a whole."


def _telling_test(state: State, name: str) -> ComparisonState | None:
    """The test that a dataset's verdict rests on."""
    mine = [t for t in state.comparisons if t.kind == "dataset" and t.subject == name and t.verdict is not None]
    keeps = [t for t in mine if t.verdict == "keep"]
    return keeps[-1] if name in state.kept and keeps else (mine[-1] if mine else None)


def telling_slice(look: Mapping[str, Any]) -> str:
    """The slice that says most about a look: a harmed guard, else the target with the largest statistic."""
    slices = {name: SliceLook(**seen) for name, seen in look["slices"].items()}
    counted = {name: seen for name, seen in slices.items() if seen.needed is None} or slices
    harmed = [n for n, s in counted.items() if s.harmed]
    if harmed:
        return str(harmed[0])
    targets = [n for n, s in counted.items() if s.role == "target"]
    return str(max(targets or counted, key=lambda n: ahead(counted[n])))


def status(state: State, now: float | None = None) -> dict[str, Any]:
    """What the study is doing, what it has spent, what is left, what is kept so far."""
    now = time.time() if now is None else now
    spec = state.spec
    assert spec is not None
    done = sum(t.outcome is not None for t in state.trials)
    cap = allowance.cap(spec, state)
    comparison, account = state.open_comparison, ledger(state).to_dict()
    fails = always_failing(state)
    return {
        "study": state.question.name,
        "finished": state.finished is not None,
        "stopped_because": state.finished.because if state.finished else None,
        "round": state.round,
        "rounds": spec.loop.rounds,
        "phase": state.phase,
        "testing": None if comparison is None else {"subject": comparison.subject, "purpose": comparison.purpose},
        "trainings": {
            "done": done,
            "under_way": len(state.trials) - done,
            "failed": sum(t.outcome is not None and t.outcome.status == "failed" for t in state.trials),
            "budget": None if cap == float("inf") else cap,
        },
        "kept": list(state.kept),
        "verdicts": {n: state.verdict(n) for n in state.candidates},
        "spent": spent(state),
        "seconds_left": seconds_left(state),
        "last_event_seconds_ago": round(max(0.0, now - state.sessions[-1].ended), 1) if state.sessions else None,
        "ledger": {k: v for k, v in account.items() if k not in ("comparisons", "extensions", "test_set")},
        "test_set": account["test_set"] if spec.data.test is not None else None,
        "left": notices.left_over(state),
        "alarms": notices.alarms(state),
        "failing": fails,
        "warnings": [*state.question.warnings, *_unread(state), *_failing_words(fails).values()],
    }


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
    spec = state.spec
    if spec is None or state.finished is None or state.finished.because not in ("until", "budget.wall_clock"):
        return ""
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
    spec = state.spec
    ended = [t for t in state.trials if t.outcome is not None and t.outcome.ended > 0]
    if spec is None or len(ended) < 4 or not state.sessions:
        return None
    cap = allowance.cap(spec, state)
    if cap == float("inf"):
        rounds = spec.loop.rounds - state.round + 1
        cap = state.spent + rounds * 1.5 * spec.search.trials_per_round
    charged = sum(t.trial.fidelity for t in ended)
    each = sum(t.outcome.took for t in ended if t.outcome is not None) / charged
    share = busy_share(state) or 1.0
    return max(0.0, cap - charged) * each / (state.sessions[-1].slots * max(share, 0.1))


def why(state: State, name: str) -> dict[str, Any]:
    """The evidence behind one verdict: every test of a dataset, every look, in numbers and in words.

    name: a candidate, or the subject of another test (`tuning`, a bundle). Raises InputError ADC-WHY-001 for a name
    that is neither.
    """
    tests = [t for t in state.comparisons if t.subject == name or (name in t.members and t.purpose == "whole")]
    if name not in state.candidates and not tests:
        known = [*state.candidates, *dict.fromkeys(t.subject for t in state.comparisons)]
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
        raise InputError("ADC-WHY-001", "the study has no such dataset", "DATASET", repr(name), hint)
    candidate = name in state.candidates
    return {
        "dataset": name,
        "verdict": state.verdict(name) if candidate else tests[-1].verdict,
        "in_incumbent": name in state.kept,
        "card": dict(state.card(name)),
        "summary": _summary(state, name, tests),
        "alarms": notices.alarms(state),
        "comparisons": [comparison_view(t) for t in tests],
        "search": _effect(state, name),
    }


def _summary(state: State, name: str, tests: list[ComparisonState]) -> str:
    candidate = name in state.candidates
    comparison = _telling_test(state, name) if candidate else tests[-1]
    if comparison is None or not comparison.looks:
        return f"{name} is undecided: {_verdict_row(state, name)['why']}." if candidate else ""
    look = Look.from_dict(comparison.looks[-1])
    text = explain(look, name, comparison.verdict)
    for code in comparison.reasons:
        if code not in look.reasons:
            text += f" {sentence(code)}"
    if candidate and comparison.verdict == "keep" and name not in state.kept:
        text += f" It is undecided all the same. {_passed(state, comparison)}"
    return text


def comparison_view(comparison: ComparisonState) -> dict[str, Any]:
    """One comparison of the gate with every look at its evidence."""
    return {
        "id": comparison.id,
        "round": comparison.round,
        "subject": comparison.subject,
        "kind": comparison.kind,
        "purpose": comparison.purpose,
        "arms": PURPOSES[comparison.purpose],
        "verdict": comparison.verdict,
        "reasons": [{"code": c, "text": sentence(c)} for c in comparison.reasons],
        "alpha": comparison.alpha,
        "trainings": comparison.trainings,
        "seeds": list(comparison.seeds),
        "challenger": comparison.challenger.to_dict(),
        "incumbent": comparison.incumbent.to_dict(),
        "looks": [_look_view(look) for look in comparison.looks],
    }


def _look_view(look: Mapping[str, Any]) -> dict[str, Any]:
    """A look with what was found of each slice in words, as `state`."""
    slices = {name: {**seen, "state": found_words(SliceLook(**seen))} for name, seen in look["slices"].items()}
    objective = {**look["objective"], "state": found_words(SliceLook(**look["objective"]), together=True)}
    return {**look, "slices": slices, "objective": objective}


def _effect(state: State, name: str) -> Mapping[str, float] | None:
    for proposed in reversed(state.challengers):
        if name in proposed.effects:
            return dict(proposed.effects[name])
    return None
