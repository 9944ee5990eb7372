"""The result of a study as in the contract: a view of the state, nothing that is not in the journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from autodc.evaluation import objective
from autodc.gate.types import SliceLook
from autodc.plan.plan import Plan
from autodc.review import (
    beside,
    deliveries,
    findings,
    forgetting,
    labels,
    lineage,
    more_rows,
    notices,
    requests,
    unit_tests,
)
from autodc.study import direction
from autodc.study.journal import events as ev
from autodc.study.journal.records import ComparisonState
from autodc.study.journal.state import State
from autodc.study.phases.order import ORDER, view_of
from autodc.study.rules import failing
from autodc.study.rules.latest_scores import freshest
from autodc.study.rules.ledger import ledger
from autodc.study.view import spec_of

SCHEMA_VERSION = 1

Natural = Callable[[float], float]


def result(state: State) -> dict[str, Any]:
    """Return result.json without its `mlflow` entry."""
    question, plan = state.question, state.incumbent
    natural = partial(direction.natural, state)
    assert plan is not None
    verdicts = {name: state.verdict(name) for name in state.candidates}
    return {
        "schema_version": SCHEMA_VERSION,
        "study": question.name,
        "fingerprint": question.fingerprint,
        "finished": state.finished is not None,
        "stopped_because": state.finished.because if state.finished else None,
        "kept": [n for n, v in verdicts.items() if v == "keep"],
        "dropped": [n for n, v in verdicts.items() if v == "drop"],
        "undecided": [n for n, v in verdicts.items() if v == "undecided"],
        "incumbent": plan.to_dict(),
        "decisions": [decision(t) for t in state.comparisons if t.verdict is not None and t.looks],
        "baselines": beside.baselines(state),
        "validation": {"before": _validation(state, state.start, natural), "after": _validation(state, plan, natural)},
        "test": _test(state),
        **({} if state.unread is None else {"test_unread": state.unread.problem}),
        "findings": findings.findings(state),
        "more_rows": more_rows.more_rows(state),
        "gone": [one["id"] for one in findings.gone(state)],
        "labels": labels.labels_dict(state),
        "unit_tests": unit_tests.unit_tests_of(state).to_dict(),
        "candidates": {name: candidate(state, name) for name in state.candidates},
        "requests": requests.requests(state),
        "search": {"fidelity": _fidelity(state), **({"probes": _probes(state)} if state.probes else {})},
        "failing": always_failing(state),
        "recommendation": _recommendation(state, natural),
        "credit": None if state.credited is None else state.credited.credit,
        "spent": spent(state),
        "ledger": ledger(state).to_dict(),
        "pareto": pareto(state, natural),
        "left": notices.left_over(state),
        **({"forgetting": forgotten} if (forgotten := forgetting.forgetting(state)) else {}),
        **({"inbox": deliveries.refused(state)} if state.refused else {}),
        "warnings": [*notices.alarms(state), *question.warnings, *deliveries.warnings(state)],
    }


def candidate(state: State, name: str) -> dict[str, Any]:
    """Where a dataset of the roster comes from, and what it costs."""
    card = state.card(name)
    cost = float(card.get("cost") or 0.0)
    return {
        "by": lineage.maker_of(state, name),
        "finding": card.get("finding"),
        "rows": int(card.get("rows") or 0),
        "cost": _whole(cost),
        "parent": list(card.get("parent") or ()),
        "made_in_round": int(card.get("round") or 0),
        "verdict": state.verdict(name),
        **({"how": _shortened(card["how"])} if card.get("how") else {}),
        **{key: card[key] for key in ("request", "made") if card.get(key)},
        **({"control": _control(told)} if (told := state.by_chance.get(name)) is not None else {}),
    }


def _control(told: ev.ControlCompared) -> dict[str, Any]:
    """A dataset beside as many rows by chance."""
    names = ("control", "says", "gain", "difference", "low", "high", "pairs", "beside")
    own = {} if told.own is None else {"own": dict(told.own)}
    return {name: getattr(told, name) for name in names} | own


def _shortened(how: Mapping[str, Any]) -> dict[str, Any]:
    """A proposal without what is as long as its rows: the journal has it, and `autodc why --row` tells it."""
    told = how.get("arguments") or {}
    short = {key: one for key, one in told.items() if key != "rows" or isinstance(one, int)}
    return {**how, "arguments": short} if short != told else dict(how)


def always_failing(state: State) -> dict[str, Any]:
    """Kinds of plan that no training survived. datasets: no longer proposed; settings: told."""
    view = view_of(state)
    return {
        "datasets": {name: found.to_dict() for name, found in failing.datasets(view).items()},
        "settings": {found.kind: found.to_dict() for found in failing.settings(view)},
    }


def _probes(state: State) -> list[dict[str, Any]]:
    """What forked probes said, one after the other, the best first; `believed` is of all of a round so far."""
    return [
        {
            "round": one.round,
            "trainings": round(sum(state.trials[n].trial.fidelity for n in one.trials), 6),
            "believed": {n: round(v, 4) for n, v in sorted(one.believed.items(), key=lambda b: (-b[1], b[0]))},
            "leads_to": one.leads_to["mixture"],
        }
        for one in state.probes
    ]


def _fidelity(state: State) -> dict[str, Any] | None:
    """What was asked of cheap trainings, how well they rank, whether they were used; None where they are off."""
    wanted, found = spec_of(state).search.fidelity, state.fidelity
    if wanted is None:
        return None
    return {
        **wanted.model_dump(),
        "measured": found is not None,
        "correlation": None if found is None or found.correlation is None else round(found.correlation, 4),
        "interval": None if found is None or found.low is None else [round(found.low, 4), round(found.high or 1.0, 4)],
        "plans": 0 if found is None else found.pairs,
        "used": found is not None and found.used,
        "cheap_trainings": sum(t.trial.fidelity < 1 and t.trial.forks is None for t in state.trials),
    }


def pareto(state: State, natural: Natural) -> list[dict[str, Any]]:
    """The last front of a study with several objectives, best objective first; empty for other studies."""
    front = next((c.front for c in reversed(state.challengers) if c.front), ())
    return [
        {
            "trials": list(point["trials"]),
            "plan": dict(point["plan"]),
            "objective": {
                "estimate": round(natural(point["objective"]["estimate"]), 6),
                "sd": round(point["objective"]["sd"], 6),
                "observed": round(natural(point["objective"]["observed"]), 6),
            },
            "tradeoffs": {
                name: {key: None if v is None else round(v, 6) for key, v in seen.items()}
                for name, seen in point["tradeoffs"].items()
            },
        }
        for point in front
    ]


def _recommendation(state: State, natural: Natural) -> dict[str, Any] | None:
    """The objective of the incumbent as the search believed it, beside what fresh seeds measured.

    optimism: believed − measured, turned so that above 0 is too much promised; None before the end.
    """
    found = state.credited
    if found is None or found.estimate is None:
        return None
    later = {one.name for one in state.admitted if one.time > found.time}  # the search never promised anything of them
    weights = objective.weights({n: card for n, card in state.question.slices.items() if n not in later})
    seen, seeds = _fresh(state, state.incumbent)
    believed = found.estimate["mean"]
    values: dict[str, float | None] = {"validation": objective.mean(seen, weights), "test": None}
    if state.measured is not None:
        values["test"] = objective.mean({n: natural(v) for n, v in state.measured.after.items()}, weights)
    return {
        "estimate": round(natural(believed), 6),
        "sd": round(found.estimate["sd"], 6),
        "seeds": seeds,
        **{name: None if v is None else round(natural(v), 6) for name, v in values.items()},
        "optimism": {name: None if v is None else round(believed - v, 6) for name, v in values.items()},
    }


def decision(comparison: ComparisonState) -> dict[str, Any]:
    """One finished comparison as in result.json: the numbers of its last look."""
    look = comparison.typed_looks[-1]
    return {
        "round": comparison.round,
        "subject": comparison.subject,
        "kind": comparison.kind,
        "purpose": comparison.purpose,
        "members": list(comparison.members),
        "verdict": comparison.verdict,
        "reasons": list(comparison.reasons),
        "seeds": look.pairs,
        "trainings": comparison.trainings,
        "alpha": comparison.alpha,
        "slices": {name: {"role": s.role, **_measured(s), "rows": s.rows} for name, s in look.slices.items()},
        "objective": _measured(look.objective),
    }


def _measured(seen: SliceLook) -> dict[str, float | None]:
    return {"difference": seen.difference, "low": seen.low, "high": seen.high, "level": seen.level}


def spent(state: State) -> dict[str, Any]:
    """What the study has used up."""
    by_phase = dict.fromkeys((p.name for p in ORDER if p.purpose), 0.0)
    for one in state.trials:
        by_phase[one.trial.phase] = by_phase.get(one.trial.phase, 0.0) + one.trial.fidelity
    cost = state.paid
    return {
        "trainings": _whole(state.spent),
        "by_phase": {name: _whole(trainings) for name, trainings in by_phase.items()},
        "wall_seconds": round(sum(s.seconds for s in state.sessions), 3),
        "reading_seconds": round(sum(s.reading for s in state.sessions), 3),
        "busy_share": busy_share(state),
        "cost": _whole(cost),
        "comparisons": len(state.comparisons),
        "levels": round(sum(t.alpha for t in state.comparisons), 6),
    }


def busy_share(state: State) -> float | None:
    """Training seconds ÷ (slots × wall seconds from the first training to the last), summed over sessions.

    Slots are what the user allows: while a run is paused there are none.
    """
    outcomes = [t.outcome for t in state.trials if t.outcome is not None and t.outcome.ended > 0]
    busy = wall = 0.0
    for session in state.sessions:
        mine = [o for o in outcomes if session.started <= o.ended <= session.ended]
        if mine:
            busy += sum(o.took for o in mine)
            begin, end = min(o.started for o in mine), max(o.ended for o in mine)
            span = end - begin
            wall += session.mean_slots(begin, end) * min(span, session.awake or span)
    return round(min(1.0, busy / wall), 4) if wall > 0 else None


def _validation(state: State, plan: Plan | None, natural: Natural) -> Mapping[str, float]:
    """Mean of each slice over a plan's freshest trainings, as the user knows it."""
    return {name: round(natural(value), 6) for name, value in _fresh(state, plan)[0].items()}


def _fresh(state: State, plan: Plan | None) -> tuple[dict[str, float], int]:
    """Oriented mean of each slice over a plan's freshest trainings, and how many they are."""
    runs = freshest(view_of(state), plan)
    return {name: float(np.mean([r[name] for r in runs])) for name in runs[0]} if runs else {}, len(runs)


def _test(state: State) -> dict[str, Any] | None:
    if state.measured is None:
        return None
    return {
        "before": dict(state.measured.before),
        "after": dict(state.measured.after),
        "differences": dict(state.measured.differences),
        "opened_at": state.opened[state.measurements - 1].opened_at,
        "opened": len(state.opened),
        "of_incumbent": state.measured_plan == state.incumbent,
    }


def _whole(value: float) -> float | int:
    return int(value) if value == int(value) else round(value, 4)
