"""Trainings of another study as observations of this one: for the search alone, never evidence for the gate.

Two studies can share them where base, validation, slices, metric and trainer are the same. Datasets are the same where
their content is, whatever they are called; those the other study did not know have weight 0 in its trainings.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from autodc import fingerprint
from autodc.evaluation.slices import TEST
from autodc.plan.mixture import BASE
from autodc.plan.plan import Plan, Value
from autodc.plan.trial import Outcome
from autodc.search.encoding import PlanEncoding
from autodc.study.direction import better
from autodc.study.journal import events as ev
from autodc.study.memory import told, tradeoffs
from autodc.study.view import View
from autodc.studyfile.study import StudySpec

UNKNOWN, RECIPE, OUTSIDE, CONTINUED = (
    "with datasets that are not in this study",
    "with another recipe",
    "outside the search space",
    "that went on from a model",
)
LOST = "whose scores a row are lost"
"""Why a training is left out, in words that follow its number."""

ALIKE = 1e-3
"""Hyperparameters are the same up to this relative difference: numbers are rounded on the way."""


Seen = Callable[[Outcome], tuple[Mapping[str, float], Mapping[str, float]] | None]
"""Metric and soft score of each slice of a training, on the rows that this study's search may see; None where lost."""


def differences(other: View, started: ev.StudyStarted, spec: StudySpec) -> list[str]:
    """What keeps two studies from sharing trainings, in words; empty where nothing does."""
    theirs, there = other.state.question, other.spec
    found = []
    if theirs.datasets[BASE].get("fingerprint") != started.datasets[BASE].get("fingerprint"):
        found.append("the base")
    if not theirs.parts:
        found.append("validation: its journal is of an older autodc and does not say which rows it was")
    elif any(theirs.parts.get(part) != digest for part, digest in started.parts.items() if part != TEST):
        found.append("validation or a slice with a file of its own")
    if there.metrics.primary != spec.metrics.primary:
        found.append(f"the metric: {there.metrics.primary}, here {spec.metrics.primary}")
    elif (way := started.metric.get("better", better(other.state))) != better(other.state):
        found.append(f"the metric: {spec.metrics.primary} is better when {better(other.state)}, here when {way}")
    if there.task != spec.task:
        found.append("the task: kind, trainer or its options")
    known = {one.name: one.where for one in there.slices}
    differ = [one.name for one in spec.slices if one.name not in known or known[one.name] != one.where]
    if differ:
        found.append(f"slices: {', '.join(differ)}")
    return found


def borrow(other: View, given: Mapping[str, Mapping[str, Any]], encoding: PlanEncoding, seen: Seen) -> ev.WarmStarted:
    """Take over what another study trained. given: cards of this study's candidates; seen: what its search may see.

    Every training that is left out is counted.
    """
    ours = {card["fingerprint"]: name for name, card in reversed(list(given.items()))}
    theirs = {n: ours.get(card.get("fingerprint")) for n, card in other.state.roster.items()}
    taken: list[dict[str, Any]] = []
    left_out: Counter[str] = Counter()
    for one in other.state.trials:
        if (outcome := told(other, one)) is None:
            continue
        plan = _renamed(one.trial.plan, theirs)
        if why := _misfit(plan, one.trial.warm_start, encoding):
            left_out[why] += 1
            continue
        if (scores := seen(outcome)) is None:
            left_out[LOST] += 1
            continue
        assert plan is not None
        taken.append(
            {
                "plan": plan.to_dict(),
                "seed": one.trial.seed,
                "values": dict(scores[0]),
                "soft": dict(scores[1]),
                "fidelity": one.trial.fidelity,
                "tradeoffs": tradeoffs(outcome, one.trial.fidelity),
            }
        )
    return ev.WarmStarted(
        study=other.state.question.name,
        source=other.state.question.fingerprint,
        observations=tuple(taken),
        left_out=dict(left_out),
        digest=fingerprint.of(json.loads(json.dumps(taken)), kind="warm-start"),
    )


def _renamed(plan: Plan, names: Mapping[str, str | None]) -> Plan | None:
    """The plan in the names of this study; None where it has a dataset that is unknown here."""
    if any(names.get(n) is None for n in plan.mixture.added):
        return None
    called = {BASE: BASE} | {n: str(names[n]) for n in plan.mixture.added}
    weights = {called[n]: w for n, w in plan.mixture}
    return Plan.of(weights, dict(plan.hyperparameters), plan.recipe, frozenset(called[n] for n in plan.pretrain))


def _misfit(plan: Plan | None, warm: int | None, encoding: PlanEncoding) -> str:
    if plan is None:
        return UNKNOWN
    if warm is not None or plan.recipe == "continue":
        return CONTINUED
    if plan.recipe not in encoding.problem.recipes:
        return RECIPE
    back = dict(encoding.plan(encoding.row(plan)).hyperparameters)
    mine = dict(plan.hyperparameters)
    return "" if mine.keys() == back.keys() and all(_alike(mine[n], back[n]) for n in mine) else OUTSIDE


def _alike(a: Value, b: Value) -> bool:
    numbers = [isinstance(v, (int, float)) and not isinstance(v, bool) for v in (a, b)]
    return abs(float(a) - float(b)) <= ALIKE * max(abs(float(a)), abs(float(b))) if all(numbers) else a == b
