"""The end beside the obvious, the base and everything tuned, and the simple: for result, terminal, page and MLflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from autodc.review.numbers import Numbers, count
from autodc.review.simple import COMPARED, by_interval, called, rounded, simple
from autodc.study.journal.state import State
from autodc.study.rules.last import BASE_TUNED, EVERYTHING_TUNED, INCUMBENT

NAMES = {INCUMBENT: "end", EVERYTHING_TUNED: "everything in, tuned", BASE_TUNED: "base, tuned"}
"""Arm → what a reader calls it, in the order they are told."""

ROWS = {"test": "the sealed test set", "gate": "the gate rows of validation"}

_NO_TARGET = "no target slice has rows there"

Standing = Literal["ahead", "behind", "level", "same", "failed"]
"""How the end stands to a baseline: shown better, shown worse, neither; it is the same plan; or nobody knows."""


def baselines(state: State) -> dict[str, dict[str, Any]] | None:
    """The arms for result.json, without the tuned ones before they are measured; None where nothing is.

    objective: as the user knows the metric, None where no training of it came to an end; difference, low, high: the end
    minus it, up is better for the end, on the seeds that both have.
    """
    rows, told = measured(state)
    chosen = state.baselines
    arms = () if told is None or chosen is None else (BASE_TUNED, EVERYTHING_TUNED, INCUMBENT)
    found = {arm: _arm(state, arm, rows, (told or {}).get(arm, {})) for arm in arms}
    return {**found, **simple(state)} or None


def measured(state: State) -> tuple[str, Mapping[str, Any] | None]:
    """On which rows the arms are told, and what was measured there: the sealed test where it is of the incumbent."""
    if state.measured is not None and state.measured.baselines and state.measured_plan == state.incumbent:
        return "test", state.measured.baselines
    return "gate", None if state.credited is None else state.credited.baselines


def _arm(state: State, arm: str, rows: str, seen: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"objective": rounded(seen.get("objective")), "rows": rows, "seeds": seen.get("seeds", 0)}
    values, ahead = seen.get("values", {}), seen.get("slices", {})
    if arm != INCUMBENT:
        found |= {key: rounded(seen.get(key)) for key in COMPARED}
        found |= _plan(state, arm)
        found["standing"] = _standing(state, arm, seen)
        if found["standing"] == "failed":
            found["error"] = _NO_TARGET if seen.get("seeds") else error(state, arm)
    found["slices"] = {
        name: {"value": rounded(value), **{key: _rounded_any(v) for key, v in ahead.get(name, {}).items()}}
        for name, value in values.items()
    }
    return found


def _plan(state: State, arm: str) -> dict[str, Any]:
    plan = {} if state.baselines is None else state.baselines.plans.get(arm, {})
    return {key: plan.get(key) for key in ("mixture", "recipe", "hyperparameters")}


def _standing(state: State, arm: str, seen: Mapping[str, Any]) -> Standing:
    if not seen.get("seeds") or ("slices" in seen and "difference" not in seen):
        return "failed"
    assert state.incumbent is not None
    assert state.baselines is not None
    if state.baselines.plans[arm] == state.incumbent.to_dict():
        return "same"
    return by_interval(seen)


def error(state: State, arm: str) -> str:
    """Why nothing was measured of a baseline."""
    chosen = state.baselines
    if chosen is None or arm not in chosen.plans:
        return "the search knows no settings for it"
    plan = chosen.plans[arm]
    ended = [t.outcome for t in state.trials if t.trial.phase == "test" and t.trial.plan.to_dict() == plan]
    failed = [outcome.error.strip() for outcome in ended if outcome is not None and outcome.status != "done"]
    if failed:
        return failed[-1] or "its trainings failed"
    return "no training was left for it" if not chosen.seeds else "it was not trained before the time was over"


def line(found: Mapping[str, Mapping[str, Any]] | None, numbers: Numbers | None = None) -> str:
    """In one line: end 0.661 · everything in, tuned 0.634 · base, tuned 0.605; empty where nothing is known."""
    return _line(found or {}, shown(found or {}), numbers)


def simple_line(found: Mapping[str, Mapping[str, Any]] | None, numbers: Numbers | None = None) -> str:
    """The same of the simple baselines: linear 0.571 · constant 0.102."""
    return _line(found or {}, simple_shown(found or {}), numbers)


def _line(found: Mapping[str, Mapping[str, Any]], arms: Sequence[str], numbers: Numbers | None) -> str:
    known = [found[arm]["objective"] for arm in arms if found[arm]["objective"] is not None]
    numbers = numbers or Numbers.for_values(known)
    return " · ".join(f"{name(arm)} {_value(found[arm], numbers)}" for arm in arms)


def name(arm: str) -> str:
    """What a reader calls an arm, or a simple baseline."""
    return NAMES.get(arm) or called(arm)


def shown(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The arms that are told: where nothing can be put in, everything tuned is the base tuned."""
    if INCUMBENT not in found:
        return []
    same = found[EVERYTHING_TUNED]["mixture"] == found[BASE_TUNED]["mixture"]
    return [arm for arm in NAMES if not (same and arm == EVERYTHING_TUNED)]


def simple_shown(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The simple baselines, in the order of the study file."""
    return [arm for arm in found if arm not in NAMES]


def _value(one: Mapping[str, Any], numbers: Numbers) -> str:
    return "not measured" if one["objective"] is None else numbers.plain(one["objective"])


def rows(found: Mapping[str, Mapping[str, Any]] | None, numbers: Numbers) -> list[dict[str, Any]]:
    """One row an arm for a table: what it scored, and in words how the end stands to it."""
    if not found:
        return []
    return [
        {
            "arm": arm,
            "name": name(arm),
            "rows": found[arm]["rows"],
            "value": _value(found[arm], numbers),
            "seeds": found[arm]["seeds"],
            "standing": found[arm].get("standing"),
            "words": "" if arm == INCUMBENT else _words(found[arm], numbers),
            **{key: found[arm].get(key) for key in COMPARED},
        }
        for arm in (*shown(found), *simple_shown(found))
    ]


def _words(one: Mapping[str, Any], numbers: Numbers) -> str:
    if one["standing"] == "failed":
        return f"not measured: {one['error']}"
    if one["standing"] is None:
        return ""
    if one["standing"] == "same":
        return "the end is this very plan"
    ahead = f"the end is {numbers.plain(one['difference'])} ahead"
    if one["difference"] < 0:
        ahead = f"the end is {numbers.plain(-one['difference'])} behind"
    if one["low"] is None:
        return f"{ahead}, of {count(one['seeds'], 'seed')} that nothing tells the interval of"
    span = f"95% interval {numbers.span(one['low'], one['high'])}"
    return f"{ahead} ({span})"


def _rounded_any(value: Any) -> Any:
    return rounded(value) if isinstance(value, float) else value
