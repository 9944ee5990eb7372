"""How events of the gate change the state: challengers, comparisons, the incumbent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autodc.plan.plan import Plan
from autodc.study.journal import events as ev
from autodc.study.journal import upcasts
from autodc.study.journal.records import ComparisonState
from autodc.study.journal.state import State


def _proposed(state: State, event: ev.ChallengerProposed) -> None:
    state.challengers.append(event)
    state.challenger = Plan.from_dict(event.plan)


def _together(state: State, event: ev.TogetherProposed) -> None:
    state.proposals.append(event)


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
            pairs=event.pairs,
            all_rows=event.all_rows,
            generation=sum(m.round == event.round for m in state.moves),
        )
    )


def _look(state: State, event: ev.LookTaken) -> None:
    comparison = state.comparisons[event.comparison]
    comparison.looks.append(event.look)
    comparison.seeds = tuple(event.seeds)


def _verdict(state: State, event: ev.VerdictReached) -> None:
    comparison = state.comparisons[event.comparison]
    comparison.verdict, comparison.reasons, comparison.trainings = event.verdict, tuple(event.reasons), event.trainings
    comparison.beside, comparison.combined = tuple(event.beside), event.combined
    if comparison.kind == "dataset" and not comparison.asks_only:
        state.decisions[comparison.subject] = comparison
    elif comparison.kind == "block" and not comparison.asks_only:
        state.decisions.update(dict.fromkeys(comparison.members, comparison))
    if event.prunes and (name := _pruned_of_old(state, comparison)) is not None:
        state.challenger = comparison.challenger.without(name)
    forget_outputs(state)


def _pruned_of_old(state: State, comparison: ComparisonState) -> str | None:
    mine = [t for t in state.comparisons if t.round == comparison.round]
    return upcasts.pruned(
        upcasts.Ended(comparison.purpose, comparison.subject, comparison.verdict, comparison.looks, comparison.members),
        [upcasts.Ended(t.purpose, t.subject, t.verdict, t.looks, t.members) for t in mine],
        kept=comparison.subject in state.kept,
    )


def _pruned(state: State, event: ev.ChallengerPruned) -> None:
    if state.challenger is None:
        raise ValueError("there is no challenger")
    state.challenger = state.challenger.without(event.dataset)


def _moved(state: State, event: ev.IncumbentMoved) -> None:
    state.moves.append(event)
    state.incumbent = Plan.from_dict(event.plan)
    state.model, state.warm = event.model, event.warm
    forget_outputs(state)


def _polished(state: State, event: ev.IncumbentPolished) -> None:
    state.polished.append(event)
    state.incumbent = Plan.from_dict(event.plan)
    forget_outputs(state)


def forget_outputs(state: State) -> None:
    """Predictions are kept of the start, of the incumbent, and of what may still become one in this round."""
    kept = {state.start, state.incumbent, state.challenger}
    over = bool(state.proposals) and state.phase != "gate"
    for one in () if over else state.comparisons:
        open_or_kept = one.verdict is None or one.verdict == "keep" or one.purpose not in ("whole", "addition")
        if one.round == state.round and open_or_kept:
            kept |= {one.challenger, one.incumbent}
    state.outputs = {plan: address for plan, address in state.outputs.items() if plan in kept}


GATE_HANDLERS: dict[type[ev.Event], Callable[[State, Any], None]] = {
    ev.ChallengerProposed: _proposed,
    ev.TogetherProposed: _together,
    ev.ComparisonOpened: _opened,
    ev.LookTaken: _look,
    ev.VerdictReached: _verdict,
    ev.ChallengerPruned: _pruned,
    ev.IncumbentMoved: _moved,
    ev.IncumbentPolished: _polished,
}
