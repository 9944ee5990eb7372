"""Which chosen rows can be held against their control by trainings that are paid: both left the same mixture alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from autodc.gate.reasons import KEPT_FINDING
from autodc.plan.plan import Plan
from autodc.propose.proposal import Proposal
from autodc.study.journal.records import ComparisonState
from autodc.study.journal.state import State
from autodc.study.view import View

HOLDS_OWN = 5
"""Studies that were begun by these rules (StudyStarted.rules) hold what the slice of a finding kept there too."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """Two plans that differ in which of two datasets is left out."""

    subject: str
    control: str
    gain: float
    """What the subject brings among all others."""
    without_control: Plan
    without_subject: Plan
    beside: tuple[str, ...]
    """What is left out with the control, where it was not left out alone."""
    by_slice: bool
    """Whether the subject was kept for what it brings on the slice of its finding, which the objective hardly shows."""
    own: str
    """The slice of its finding, where that kept it and it is one of the study; else empty."""
    own_gain: float
    """What the subject brings there."""
    seeds: tuple[int, ...]
    """Of pairs that both were trained with, and that are visible."""


def controls_of(state: State, name: str) -> tuple[str, ...]:
    """The controls on the roster that stand beside a dataset."""
    made = (Proposal.of(state.card(other)["how"]) for other in state.candidates if "how" in state.card(other))
    return tuple(one.name for one in made if name in one.control_of)


def labels_by_chance(state: State) -> frozenset[str]:
    """Datasets in which the last diagnosis that looked at labels found none that a model of their own rows knows."""
    seen = state.labels.get("training") or {}
    return frozenset(one["name"] for one in seen.get("datasets", ()) if one.get("by_chance"))


def next_contrast(view: View) -> Contrast | None:
    """The next that this round's comparisons allow and nobody has made; None where there is none."""
    state = view.state
    for name in state.kept:
        told = state.by_chance.get(name)
        if told is not None and told.round == state.round:
            continue
        for control in controls_of(state, name):
            if (found := _contrast(view, name, control)) is not None:
                return found
    return None


def _contrast(view: View, name: str, control: str) -> Contrast | None:
    state = view.state
    for mine in _alone(state, name):
        for other in (*_alone(state, control), *_among(state, control, name)):
            whole, without = _arms(mine)
            same, without_control = _arms(other)
            if whole != same or mine.generation != other.generation or not mine.looks:
                continue
            seeds = tuple(s for s in mine.seeds if _is_seen(view, without, s) and _is_seen(view, without_control, s))
            if seeds:
                by_slice, look = kept_by_slice(state, name, mine), mine.typed_looks[-1]
                own = _own(state, name) if by_slice and state.question.rules >= HOLDS_OWN else ""
                return Contrast(
                    subject=name,
                    control=control,
                    gain=mine.sign * look.objective.difference,
                    without_control=without_control,
                    without_subject=without,
                    beside=tuple(n for n in other.members if n != control),
                    by_slice=by_slice,
                    own=own if own in look.slices else "",
                    own_gain=mine.sign * look.slices[own].difference if own in look.slices else 0.0,
                    seeds=seeds,
                )
    return None


def kept_by_slice(state: State, name: str, alone: ComparisonState) -> bool:
    """Whether a dataset was kept by the slice of its finding: by its own comparison, else by one that it was in."""
    telling = [alone] if alone.verdict == "keep" else [t for t in state.comparisons if name in t.members]
    return any(t.verdict == "keep" and KEPT_FINDING in t.reasons for t in telling)


def _own(state: State, name: str) -> str:
    """The slice of a finding that a dataset declares; empty where it declares none."""
    return next((one for one in state.card(name).get("targets") or () if one in state.of_findings), "")


def _alone(state: State, name: str) -> list[ComparisonState]:
    """The comparisons of this round in which this dataset alone was in or out."""
    mine = [t for t in state.comparisons if t.round == state.round and t.members == (name,) and t.verdict is not None]
    return [t for t in mine if {*t.challenger.mixture.added} ^ {*t.incumbent.mixture.added} == {name}]


def _among(state: State, control: str, name: str) -> list[ComparisonState]:
    """Those in which it was in or out with others, but not with this dataset."""
    mine = [t for t in state.comparisons if t.round == state.round and t.verdict is not None and control in t.members]
    joint = [t for t in mine if len(t.members) > 1 and name not in t.members]
    return [t for t in joint if {*t.challenger.mixture.added} ^ {*t.incumbent.mixture.added} == {*t.members}]


def _arms(comparison: ComparisonState) -> tuple[Plan, Plan]:
    """The plan with the dataset, and the one without it."""
    arms = comparison.challenger, comparison.incumbent
    return arms if len(arms[0].mixture.added) > len(arms[1].mixture.added) else arms[::-1]


def _is_seen(view: View, plan: Plan, seed: int) -> bool:
    number = view.state.trained.get((plan, seed))
    if number is None or number >= view.horizon:
        return False
    outcome = view.state.trials[number].outcome
    return outcome is not None and outcome.status == "done"
