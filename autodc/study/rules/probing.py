"""Forked probes in a study: what is forked when, what it is charged, and what the round makes of it.

A round begins with a probe of its incumbent: every candidate that is not kept is a fork of one training of it. What
the forks say makes a mixture, which is trained once and probed in its turn, and so on; then the sampler goes on, told
what was found. A probe comes in several trainings, each with its share of the candidates, that workers make side by
side; the round waits for all of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from autodc import seeds
from autodc.evaluation import objective
from autodc.plan.plan import Plan
from autodc.plan.trial import Forks
from autodc.search import forked
from autodc.study.journal import events as ev
from autodc.study.journal.records import TrialState
from autodc.study.rules import allowance, pairs, planning
from autodc.study.view import View

AFTER, STEPS, BATCH = 0.6, 0.1, 0.125
"""A probe forks after this share of a training, each fork goes on for this share, with this share of its batches."""

AT_ONCE = 50
"""Datasets that are forks of one training."""

MOST = 3
"""Probes of one round."""

SHARE = 0.5
"""Of the trainings that a round has for search, those that probes may take."""

PROBE, PROBED = "probe", "probed"
"""Origins of a training that is forked, and of one whose mixture probes made."""


def is_under_way(view: View, round_number: int) -> bool:
    """Whether this round still probes: then nothing else is planned for it."""
    state = view.state
    if view.spec.search.probes == "none" or state.phase != "search" or state.round != round_number:
        return False
    done = _done(view)
    return bool(_forking(view)) or _untrained(view) or (len(done) < MOST and _goes_on(done) and _affordable(view))


def training(view: View) -> ev.TrialPlanned | None:
    """The next training of the probe under way, or of the mixture the last one made; None: it waits."""
    done = _done(view)
    if _untrained(view):
        key = _key(view, Plan.from_dict(done[-1].leads_to), PROBED)
        return planning.training(view, key, "search", PROBED)
    names = _unforked(view)[:AT_ONCE]
    if not names:
        return None
    plan = Plan.from_dict(done[-1].leads_to) if done else view.incumbent
    if plan.recipe == "continue" and view.state.model >= view.horizon:
        return None
    forks = Forks(datasets=names, after=AFTER, steps=STEPS, batch=BATCH)
    return planning.training(view, _key(view, plan, PROBE), "search", PROBE, forks=forks)


def measured(view: View) -> ev.ProbesMeasured | None:
    """What a probe said, as soon as all of its trainings are visible."""
    if view.spec.search.probes == "none" or not (mine := _forking(view)):
        return None
    if mine[-1].trial.number >= view.horizon or _unforked(view):
        return None
    changes = {n: dict(c) for one in mine if one.outcome is not None for n, c in one.outcome.forks.items()}
    beliefs = forked.believed([*(_objective(view, one.changes) for one in _done(view)), _objective(view, changes)])
    out, kept = pairs.excluded(view), view.incumbent
    chosen = forked.mixture({n: v for n, v in beliefs.items() if n not in out}, view.spec.search.max_weight)
    weights = {**kept.mixture.to_dict(), **chosen}
    return ev.ProbesMeasured(
        round=view.state.round,
        horizon=view.horizon,
        plan=mine[0].trial.plan.to_dict(),
        trials=tuple(one.trial.number for one in mine),
        changes=changes,
        believed=beliefs,
        leads_to=Plan.of(weights, dict(kept.hyperparameters), kept.recipe, kept.pretrain).to_dict(),
    )


def made(view: View) -> int:
    """How many trainings were planned because probes made their mixture: no sampler suggested them."""
    if view.spec.search.probes == "none":
        return 0
    return sum(view.state.trials[n].origin == PROBED for n in view.state.suggested)


def price(count: int) -> float:
    """What a probe of so many datasets takes, in full trainings."""
    return math.ceil(count / AT_ONCE) * (AFTER + STEPS) + count * STEPS


def _done(view: View) -> list[ev.ProbesMeasured]:
    return [one for one in view.state.probes if one.round == view.state.round]


def _forking(view: View) -> list[TrialState]:
    """The trainings of the probe under way, in order."""
    known = {number for one in view.state.probes for number in one.trials}
    mine = (t for t in view.state.trials if t.trial.forks is not None and t.round == view.state.round)
    return [one for one in mine if one.trial.number not in known]


def _unforked(view: View) -> tuple[str, ...]:
    """The datasets that the probe under way, or the next one, has still to fork; none where no training is left."""
    taken = {n for one in _forking(view) if one.trial.forks is not None for n in one.trial.forks.datasets}
    left = [n for n in _candidates(view) if n not in taken]
    return tuple(left) if allowance.left(view) >= price(min(len(left), AT_ONCE)) else ()


def _candidates(view: View) -> list[str]:
    out = pairs.excluded(view) | frozenset(view.state.kept)
    return [n for n in view.state.candidates if n not in out]


def _untrained(view: View) -> bool:
    """Whether the mixture that the last probe made is still to be trained."""
    done, state = _done(view), view.state
    if not done or _forking(view) or not _goes_on(done) or allowance.left(view) < 1:
        return False
    return sum(t.origin == PROBED and t.round == state.round for t in state.trials) < len(done)


def _goes_on(done: list[ev.ProbesMeasured]) -> bool:
    """Whether the last probe, if any, said something, and made another mixture than it was taken from."""
    return not done or (bool(done[-1].changes) and done[-1].leads_to != done[-1].plan)


def _affordable(view: View) -> bool:
    """Whether the search's share of the round pays one more probe."""
    state, need = view.state, price(len(_candidates(view)))
    spent = sum(t.trial.fidelity for t in state.trials if t.trial.forks is not None and t.round == state.round)
    most = SHARE * allowance.search_quota(view, state.round)
    return need > 0 and spent + need <= most and allowance.left(view) >= need + 1


def _objective(view: View, changes: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    weights = objective.weights(view.state.question.slices)
    found = {name: objective.mean(change, weights) for name, change in changes.items()}
    return {name: value for name, value in found.items() if value is not None}


def _key(view: View, plan: Plan, origin: str) -> tuple[Plan, int]:
    """A seed for every probe of a round, which all of its trainings share, and one for what it led to."""
    return plan, seeds.integer(view.spec.seed, "search", origin, view.state.round, len(_done(view)))
