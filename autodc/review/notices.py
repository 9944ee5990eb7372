"""What a person must be told of a study whatever came of it.

Slices that say nothing, a learner that never varies, what an end left undecided. Words made of the state; nothing
reads them back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autodc.evaluation.evidence import UNDEFINED
from autodc.gate.reasons import TOO_GOOD
from autodc.review import explain
from autodc.study.journal.state import State
from autodc.study.phases.order import view_of
from autodc.study.rules import allowance, costs, ledger
from autodc.study.view import spec_of
from autodc.studyfile.study import StudySpec

ADVICE_SHOWN = 3
"""Of how many undecided datasets it is told what would settle them."""
ROUNDING, SOFT_ROUNDING = 1e-6, 1e-4
"""Shares by which the metric and the soft score of a slice may differ in trainings that are the same: rows come in
another order, and an iteration stops a little elsewhere."""


def alarms(state: State) -> list[str]:
    """What takes force from every verdict of the study, worst first."""
    if state.started is None:
        return []
    found = slice_alarms(state.question.slices)
    same = identical_calibrations(state)
    if same and view_of(state).has_start:
        found.append(
            f"the {same} calibration trainings are identical: this learner is deterministic. Intervals leave out what "
            "another draw of training rows would do; bag it to see it too"
        )
    return found + cost_alarms(state)


def cost_alarms(state: State) -> list[str]:
    """Limits that nothing was held to, and those that the model of the end breaks after all."""
    limits, start = spec_of(state).metrics.most, costs.of_start(state)
    unheld = [name for name in limits if start.get(name) and not any(start[name])]
    found = [f"metrics.limits.{name} limits nothing: the trainer does not measure it" for name in unheld]
    if state.finished is None or state.incumbent is None or state.incumbent == state.start:
        return found
    end = costs.of_plan(state, state.incumbent, len(state.trials))
    return found + [
        f"the model of the end costs {one.times:.3g} times the {name} of the start, where metrics.limits allows "
        f"{one.allowed:g}: no comparison showed it, all its trainings do"
        for name, one in end.items()
        if one.surely > one.allowed
    ]


def slice_alarms(slices: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The slices that are no evidence. slices: the cards of `StudyStarted`."""
    silent = {name: card for name, card in slices.items() if card.get("needed") is not None}
    found = []
    if (targets := [n for n, c in slices.items() if c["role"] == "target"]) and set(targets) <= set(silent):
        found.append("no target slice has rows enough to show anything: nothing can be kept")
    guards = [n for n, c in slices.items() if c["margin"] is not None]
    if guards and set(guards) <= set(silent):
        found.append("no guard has rows enough to show anything: nothing is guarded")
    return found + [_of_slice(name, card) for name, card in silent.items()]


def _of_slice(name: str, card: Mapping[str, Any]) -> str:
    few = explain.too_few(card["rows"], card.get("groups"), card.get("counting"), card["needed"])
    if card["rows"] < (every := card.get("all_rows", card["rows"])):
        few = f"of its {every} rows {card['explore_rows']} are for the search and {card['rows']} decide, {few}"
    few += ", so fewer than gate.min_rows" if card["needed"] != UNDEFINED else ""
    what = "it is left out of what should improve"
    if card["role"] == "guard":
        what = "it guards nothing, harm to it would not be seen"
    elif card["margin"] is not None:
        what += " and guards nothing"
    return f"slice {name} is no evidence: {few}; {what}"


def identical_calibrations(state: State) -> int:
    """How many calibration trainings came out the same on every slice; 0 where they vary.

    The metric is compared to within rounding, and with it the soft score, which moves where a probability does: a
    learner that has every row right with every seed is not deterministic for that.
    """
    ended = [t for t in state.trials if t.trial.phase == "calibration" and t.outcome is not None]
    runs = [(t.trial.seed, t.outcome) for t in ended if t.outcome is not None and t.outcome.slices]
    if len({seed for seed, _ in runs}) < 2:
        return 0
    same = all(
        _spread([outcome.slices[name] for _, outcome in runs]) <= ROUNDING
        and _spread([outcome.soft.get(name, 0.0) for _, outcome in runs]) <= SOFT_ROUNDING
        for name in runs[0][1].slices
    )
    return len(runs) if same else 0


def _spread(values: list[float]) -> float:
    """Range of values as a share of the largest."""
    return (max(values) - min(values)) / max(*map(abs, values), 1e-12)


def left_over(state: State) -> dict[str, Any] | None:
    """What a finished study left undecided though trainings were left, and what would settle it; else None.

    trainings: None where nothing bounds them; settle: what to add to the command that ran the study, or empty.
    """
    undecided = [n for n in state.candidates if state.verdict(n) == "undecided"] if state.started else []
    if state.finished is None or not undecided or state.finished.because not in ("rounds", "findings", "expected"):
        return None
    view = view_of(state)
    spec, room = view.spec, allowance.cap(view) - state.spent
    if room < allowance.LEAST_ROUND:
        return None
    trainings = None if room == float("inf") else room
    settle = [f"--set loop.rounds={spec.loop.rounds + 1}"] if _may_go_on(spec, state) else []
    suspects = [n for n in undecided if (last := state.decided(n)) is not None and TOO_GOOD in last.reasons]
    if suspects and settle:
        settle.append(f"--set 'gate.trust=[{', '.join(suspects)}]'")
    advice = {n: a for n in undecided if (a := _advice(state, n))}
    return {
        "undecided": undecided,
        "trainings": trainings,
        "settle": settle,
        "advice": advice,
        "text": _left_words(undecided, trainings, settle, list(advice.items())),
    }


def _left_words(undecided: list[str], trainings: float | None, settle: list[str], advice: list[tuple[str, str]]) -> str:
    names = ", ".join(undecided)
    much = "no limit of trainings was reached" if trainings is None else f"{trainings:g} trainings were left unspent"
    text = f"{names} {'is' if len(undecided) == 1 else 'are'} undecided, and {much}"
    if settle:
        text += f"; the same command with `{settle[0]}` goes on with another round"
        if settle[1:]:
            text += f", and `{settle[1]}` takes what looked like a leak for none"
    else:
        text += "; its error budget is used up, so it takes a new study, with more rows or gate.planned_tests"
    for name, words in advice[:ADVICE_SHOWN]:
        text += f". {name}: {words.removesuffix('.')}"
    return text


def _may_go_on(spec: StudySpec, state: State) -> bool:
    """Whether the error budget has comparisons left for another round."""
    longer = spec.model_copy(update={"loop": spec.loop.model_copy(update={"rounds": spec.loop.rounds + 1})})
    return not ledger.is_used_up(longer, state)


def _advice(state: State, name: str) -> str:
    """What would settle a dataset, as its last look said."""
    last = state.decided(name)
    return "" if last is None or not last.looks else explain.advice(last.typed_looks[-1])
