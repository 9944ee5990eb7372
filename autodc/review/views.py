"""The verdicts of a study and the evidence behind them, as plain data for the terminal, the page and --json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autodc.errors import InputError
from autodc.evaluation.evidence import FINDING
from autodc.gate import reasons
from autodc.gate.types import Look
from autodc.hints import meant
from autodc.review import actions, by_chance, labels, notices, requests, together
from autodc.review.explain import advice, explain, found_words
from autodc.review.reasons import sentence
from autodc.review.wording import PURPOSES
from autodc.study.journal.records import ComparisonState
from autodc.study.journal.state import State
from autodc.study.phases.order import view_of
from autodc.study.rules import failing

TOGETHER = "(targets together)"
"""What the objective is called among slices."""

_OVER = {
    "until": "the time was over",
    "budget.wall_clock": "the time was over",
    "budget.trainings": "the budget of trainings ended",
    "stopped": "the study was ended by hand",
}


def verdict_rows(state: State) -> list[dict[str, Any]]:
    """One row a candidate: verdict, the slice that tells most, its difference with interval, pairs, reason.

    Candidates that one comparison decided together, with the same verdict, share a row; `members` names them.
    """
    groups: dict[tuple[Any, ...], list[str]] = {}
    for name in state.candidates:
        comparison = together.telling(state, name)
        joint = comparison is not None and together.is_joint(comparison) and comparison.looks
        key = (comparison.id, state.verdict(name)) if joint and comparison is not None else (name,)
        groups.setdefault(key, []).append(name)
    return [_shared_row(state, names) for names in groups.values()]


def _shared_row(state: State, names: list[str]) -> dict[str, Any]:
    rows = [_verdict_row(state, name) for name in names]
    if len(rows) == 1:
        return rows[0]
    weights = {row["weight"] for row in rows}
    return rows[0] | {
        "dataset": ", ".join(names),
        "members": names,
        "rows": sum(row["rows"] for row in rows),
        "cost": sum(row["cost"] or 0 for row in rows),
        "weight": weights.pop() if len(weights) == 1 else None,
    }


def _verdict_row(state: State, name: str) -> dict[str, Any]:
    comparison = together.telling(state, name)
    fails = failing.datasets(view_of(state)).get(name)
    row: dict[str, Any] = {
        "dataset": name,
        "members": [name],
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
        look = comparison.typed_looks[-1]
        slice_name = "together" if together.is_joint(comparison) else telling_slice(look)
        seen = together.estimate(comparison) if together.is_joint(comparison) else look.slices[slice_name]
        row |= {
            "slice": slice_name,
            "difference": seen.difference,
            "low": seen.low,
            "high": seen.high,
            "level": seen.level,
            "pairs": look.pairs,
            "reasons": list(comparison.reasons),
            "why": next(iter(together.why(comparison)), ""),
        }
        if comparison.verdict == "keep" and name not in state.kept:
            row["why"] = _passed(state, comparison)
    return row


def _untested(state: State, name: str) -> str:
    """Why no comparison of a dataset has ended."""
    if state.open_comparison is not None and state.finished is None and state.open_comparison.subject == name:
        return "it is being compared"
    if state.finished is None:
        return "it was not compared yet"
    over = _OVER.get(state.finished.because, "the study ended")
    return f"the search found no mixture in which it seemed to help, and {over} before it was compared"


def _passed(state: State, comparison: ComparisonState) -> str:
    """Why a dataset that passed its own comparison is not in the model."""
    if comparison.purpose == "addition":
        ended = "is" if state.finished is None else "was"
        return f"It helped the incumbent of then; beside the one that came after it, it {ended} not compared again yet."
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
    return "It helped, but the study ended before the challenger it is part of was compared as a whole."


def telling_slice(look: Look) -> str:
    """The slice that says most about a look: a harmed guard, else the target with the largest statistic."""
    counted = {name: seen for name, seen in look.slices.items() if seen.needed is None} or look.slices
    harmed = [n for n, s in counted.items() if s.harmed]
    if harmed:
        return harmed[0]
    targets = [n for n, s in counted.items() if s.role == "target"]
    if reasons.KEPT_FINDING in look.reasons:
        targets = [n for n, s in counted.items() if s.role == FINDING and s.gained == "improved"]
    return max(targets or counted, key=lambda n: counted[n].ahead)


def why(state: State, name: str) -> dict[str, Any]:
    """The evidence behind one verdict: every comparison of a dataset, every look, in numbers and in words.

    name: a candidate, or the subject of another comparison (`tuning`, a bundle). Raises InputError ADC-WHY-001 for a
    name that is neither.
    """
    mine = [t for t in state.comparisons if name in (t.subject, *t.members)]
    if name not in state.candidates and not mine:
        known = [*state.candidates, *dict.fromkeys(t.subject for t in state.comparisons)]
        near = meant(name, known)
        hint = f"did you mean {near}?" if near else f"known are {', '.join(known)}"
        raise InputError("ADC-WHY-001", "the study has no such dataset", "DATASET", repr(name), hint)
    candidate = name in state.candidates
    return {
        "dataset": name,
        "verdict": state.verdict(name) if candidate else mine[-1].verdict,
        "in_incumbent": name in state.kept,
        "card": dict(state.card(name)),
        "summary": _summary(state, name, mine),
        "alarms": notices.alarms(state),
        "comparisons": [comparison_view(t) for t in mine],
        "search": _effect(state, name),
        "labels": labels.words_about(state.labels, name),
        "promise": requests.about_delivery(state, name),
        "chance": by_chance.sentence(state, name),
        "expected": actions.of_dataset(state, name) if candidate else "",
    }


def _summary(state: State, name: str, mine: list[ComparisonState]) -> str:
    candidate = name in state.candidates
    comparison = together.telling(state, name) if candidate else mine[-1]
    if comparison is None or not comparison.looks:
        return f"{name} is undecided: {_verdict_row(state, name)['why']}." if candidate else ""
    look = comparison.typed_looks[-1]
    if candidate and together.is_joint(comparison):
        return together.summary(state, name, comparison)
    text = explain(look, name, comparison.verdict)
    for code in comparison.reasons:
        if code not in look.reasons:
            text += f" {sentence(code, comparison.beside)}"
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
        "members": list(comparison.members),
        "beside": list(comparison.beside),
        "combined": comparison.combined,
        "reasons": [
            {"code": code, "text": text}
            for code, text in zip(comparison.reasons, together.why(comparison), strict=True)
        ],
        "alpha": comparison.alpha,
        "share": comparison.share,
        "trainings": comparison.trainings,
        "seeds": list(comparison.seeds),
        "challenger": comparison.challenger.to_dict(),
        "incumbent": comparison.incumbent.to_dict(),
        "looks": [_look_view(look) for look in comparison.typed_looks],
    }


def _look_view(look: Look) -> dict[str, Any]:
    """A look with what was found of each slice in words, as `state`."""
    view = look.to_dict()
    for name, seen in look.slices.items():
        view["slices"][name]["state"] = found_words(seen)
    view["objective"]["state"] = found_words(look.objective, together=True)
    return view | {"advice": advice(look)}


def evidence_rows(look: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The slices of a look as of `comparison_view`, and below them the targets together where they are several."""
    targets = sum(seen["role"] == "target" and seen["needed"] is None for seen in look["slices"].values())
    return [*look["slices"].items(), *([(TOGETHER, look["objective"])] if targets > 1 else [])]


def _effect(state: State, name: str) -> Mapping[str, float] | None:
    for proposed in reversed(state.challengers):
        if name in proposed.effects:
            return dict(proposed.effects[name])
    return None
