"""What the search wants trained next: of this round, or of the next one while the gate waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from autodc import seeds
from autodc.plan.mixture import BASE
from autodc.plan.plan import Plan
from autodc.search.engine import Suggestion, TellsOpening
from autodc.study.journal import events as ev
from autodc.study.phases import anchoring
from autodc.study.phases.anchoring import TUNING
from autodc.study.phases.tools import Tools
from autodc.study.rules import allowance, extend, failing, fidelity, pairs, planning, probing
from autodc.study.view import View

OPENING = ("start", "anchor", "enqueued", "screen")
"""Origins of the trials a search begins with, whatever it has seen."""

TUNING_EVERY = 4
"""One of so many search trials in the second half of a round may be a tuning trial."""

ENQUEUED = "enqueued later"
"""Origin of a trial that an extension of the study asked for."""


def is_searching(view: View) -> bool:
    """Whether the round's share of search trials is not yet planned.

    Where a clock limits the study, or did so when the round began, the share is that of what is left now.
    """
    state = view.state
    quota: float = state.allotted("search")
    if state.paced:
        quota = allowance.search_quota(view, state.round)
    return state.charged("search", state.round) < quota - allowance.CRUMB and allowance.left(view) >= 1


AHEAD = 0.5
"""This share of the next round's search may be planned while the gate waits; what joins with it is in the rest."""


def filling(view: View, tools: Tools) -> ev.TrialPlanned | None:
    """Search for the next round while the gate waits: idle workers are a defect."""
    state, upcoming = view.state, view.state.round + 1
    if state.round >= view.spec.loop.rounds:
        return None
    share = AHEAD if view.spec.gate.evidence == "together" else 1.0
    if state.charged("search", upcoming) >= share * allowance.search_quota(view, upcoming) - allowance.CRUMB:
        return None
    return training(view, tools, upcoming) if allowance.left(view) >= 1 + allowance.LEAST_ROUND else None


def beginning(view: View, tools: Tools) -> ev.TrialPlanned | None:
    """What the search of a round trains first, while its diagnosis waits for an outcome."""
    state = view.state
    if state.charged("search", state.round) >= allowance.search_quota(view, state.round) - allowance.CRUMB:
        return None
    return training(view, tools, state.round) if allowance.left(view) >= 1 else None


def training(view: View, tools: Tools, round_number: int) -> ev.TrialPlanned | None:
    """The next training of a round's search; None where its plan waits for the model it goes on from."""
    if probing.is_under_way(view, round_number):
        return probing.training(view)
    excluded = pairs.excluded(view)
    return (
        _again(view, tools, round_number, excluded)
        or _asked_for(view, round_number)
        or _suggested(view, tools, round_number, excluded)
    )


def _again(view: View, tools: Tools, round_number: int, excluded: frozenset[str]) -> ev.TrialPlanned | None:
    """A suggested plan once more, at another fidelity."""
    again = fidelity.again(view, excluded, tools.ladder)
    if again is None:
        return None
    root, level, origin = again
    trial = replace(view.state.trials[root].trial, number=len(view.state.trials), fidelity=level)
    return ev.TrialPlanned(trial=trial.to_dict(), round=round_number, horizon=view.horizon, origin=origin, of=root)


def _asked_for(view: View, round_number: int) -> ev.TrialPlanned | None:
    """A plan that no model of the search has a say in: an extension names it, or a dataset is to be heard."""
    number = len(view.state.suggested)
    if (later := _enqueued_later(view)) is not None:
        key = later, seeds.integer(view.spec.seed, "search", f"enqueued-{number}")
        return planning.training(view, key, "search", ENQUEUED, round_number=round_number)
    if (name := failing.hearing(view)) is not None:
        alone = Plan.of({BASE: 1.0, name: 1.0}, dict(view.start.hyperparameters), view.start.recipe)
        key = alone, seeds.integer(view.spec.seed, "search", f"hearing-{number}")
        return planning.training(view, key, "search", failing.HEARING, round_number=round_number)
    return None


def _suggested(view: View, tools: Tools, round_number: int, excluded: frozenset[str]) -> ev.TrialPlanned | None:
    state, number = view.state, len(view.state.suggested) - probing.made(view)
    running = tools.under_way.plans(view)
    suggestion = _free_or_anchored(view, tools, number, running, excluded)
    if state.question.rules < 1 and _tunes(view, tools, round_number, suggestion.origin, excluded):
        alone = excluded | frozenset(state.candidates) - frozenset(state.kept)
        suggestion = replace(tools.engine.suggest(number, tools.observed(view), running, alone), origin=TUNING)
    if suggestion.plan.recipe == "continue" and state.model >= view.horizon:
        return None
    return planning.training(
        view,
        (suggestion.plan, seeds.integer(view.spec.seed, "search", suggestion.seed_key)),
        "search",
        suggestion.origin,
        round_number=round_number,
        fidelity=fidelity.of_fresh(view),
    )


def _free_or_anchored(
    view: View, tools: Tools, number: int, running: Sequence[Plan], excluded: frozenset[str]
) -> Suggestion:
    """What the engine suggests: free in its opening, after it sometimes for a mixture that is held (`anchoring`).

    A suggestion takes an engine long: where it says beforehand that its opening is over, one is asked for, not two.
    """
    engine, observed, anchors = tools.engine, tools.observed(view), view.state.question.rules >= 1
    free = None
    if not (anchors and isinstance(engine, TellsOpening)) or engine.opens(number, observed):
        free = engine.suggest(number, observed, running, excluded)
    held = anchoring.anchor(view, tools) if anchors and (free is None or free.origin not in OPENING) else None
    if held is not None:
        return replace(engine.suggest(number, observed, running, excluded, mixture=held[1]), origin=held[0])
    return engine.suggest(number, observed, running, excluded) if free is None else free


def _tunes(view: View, tools: Tools, round_number: int, origin: str, excluded: frozenset[str]) -> bool:
    """Whether a trial is to tune what is kept without any new dataset, in a study of before anchors.

    It is where that may still be as good as the best plan with new ones: then base and challenger owe their
    comparison the same tuning. Where new datasets are far ahead, or nothing is known yet, it would be wasted.
    """
    state, number = view.state, len(view.state.suggested) - probing.made(view)
    settings = view.spec.search_space or len(view.spec.recipes) > 1
    if not settings or number % TUNING_EVERY != TUNING_EVERY - 1 or origin in OPENING:
        return False
    if state.charged("search", round_number) < 0.5 * allowance.search_quota(view, round_number):
        return False
    return anchoring.alone_is_close(view, tools, excluded)


def _enqueued_later(view: View) -> Plan | None:
    """The next mixture that an extension of the study asks for, with the settings of the incumbent."""
    state, wanted = view.state, extend.enqueued(view.state)
    tried = sum(t.origin == ENQUEUED for t in state.trials) if wanted else 0
    if tried >= len(wanted):
        return None
    model = view.incumbent if view.incumbent.recipe != "continue" else view.start
    weights = {BASE: 1.0, **{n: w for n, w in wanted[tried].items() if w > 0 and n != BASE}}
    return Plan.of(weights, dict(model.hyperparameters), model.recipe, model.pretrain)
