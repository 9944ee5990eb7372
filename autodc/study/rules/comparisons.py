"""What a comparison is meant to show, and how like it is to those whose noise is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autodc.plan.plan import Plan
from autodc.study.journal.records import ComparisonState
from autodc.study.journal.state import State


def declared(state: State, comparison: ComparisonState) -> frozenset[str]:
    """The targets that the members of a comparison are meant to help; all of them where one does not say.

    With them the slices of findings for which members were made, where gate rows alone are asked: the rules were found
    on explore rows.
    """
    everything = frozenset(name for name, card in state.question.slices.items() if card["role"] == "target")
    meant = [state.card(name).get("targets") for name in state.candidates if name in comparison.members]
    own = frozenset(state.of_findings)
    named = frozenset(name for targets in meant for name in targets or ())
    if not meant or any(t is None for t in meant):
        named = everything | (named & own)
    return named - own if comparison.all_rows else named


def to_join(state: State, made: Sequence[Mapping[str, Any]] = ()) -> Mapping[str, Any] | None:
    """The next slice of a finding that data are meant to help and the study has not; else None.

    made: those that what is made here declares; a delivery declares one as `own` of its card.
    """
    every = (*(card["own"] for card in state.roster.values() if card.get("own")), *made)
    return next((one for one in every if one["name"] not in state.question.slices), None)


def pooled(state: State) -> list[ComparisonState]:
    """The comparisons that add to the pool of noise."""
    ended = [c for c in state.comparisons if c.verdict is not None]
    return [c for c in ended if c.looks and c.looks[-1]["pairs"] >= 2]


def is_novel(state: State, comparison: ComparisonState) -> bool:
    """Whether a comparison has a dataset, or settings, that no training behind the pool of noise had."""
    known = [state.start, *(arm for c in pooled(state) for arm in (c.challenger, c.incumbent))]
    names = {name for plan in known if plan is not None for name in plan.mixture.added}
    settings = {(plan.recipe, plan.hyperparameters) for plan in known if plan is not None}
    arms = comparison.challenger, comparison.incumbent
    return any((a.recipe, a.hyperparameters) not in settings or not names.issuperset(a.mixture.added) for a in arms)


def draws(plan: Plan) -> bool:
    """Whether a plan draws some of a dataset's rows anew with each seed: a weight is no whole number."""
    return any(not float(weight).is_integer() for _, weight in plan.mixture)
