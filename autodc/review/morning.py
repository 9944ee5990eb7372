"""What a tired person asks first in the morning, as plain values.

What was kept, whether the sealed test agrees, where the model is, what comes next, what it cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, final

from autodc.review import beside, story
from autodc.review.concerns import Concern
from autodc.review.next_night import next_night
from autodc.review.numbers import Numbers, count, duration, short
from autodc.study.journal.state import State
from autodc.study.phases.order import view_of
from autodc.study.rules.latest_scores import freshest
from autodc.study.view import spec_of

MODEL = "models/incumbent"
"""Below the folder of a run."""

Tone = Literal["good", "bad", "open"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Whether the sealed test says what the validation rows said."""

    tone: Tone
    """Bad: it does not, or the end is worse than the obvious."""
    word: str
    """In one or two words."""


def morning(
    state: State, result: Mapping[str, Any], numbers: Numbers, concerns: Sequence[Concern], folder: str
) -> dict[str, Any]:
    """The five answers. folder: of the run, as a person would name it."""
    doubts = sum(one.tone == "bad" for one in concerns)
    return {
        "counts": [
            {"verdict": verdict, "number": len(result[key])}
            for verdict, key in (("keep", "kept"), ("drop", "dropped"), ("undecided", "undecided"))
        ],
        "doubts": doubts,
        "notes": len(concerns) - doubts,
        "test": {
            **asdict(agreement(state, result)),
            "gain": story.gain(state, result, numbers),
            "beside": beside.line(result["baselines"], numbers),
            "behind": [row["name"] for row in beside.rows(result["baselines"], numbers) if row["standing"] == "behind"],
        },
        "model": _model(state, result, folder),
        "next": asdict(next_night(state, folder)),
        "cost": _cost(state, result),
    }


def agreement(state: State, result: Mapping[str, Any]) -> Agreement:
    """Read the sealed test beside the verdicts."""
    test = result["test"]
    if test is None:
        if spec_of(state).data.test is None:
            return Agreement(tone="open", word="there is none")
        if state.unread is not None:
            return Agreement(tone="bad", word="could not be read")
        return Agreement(tone="open" if state.finished is None else "bad", word="not opened")
    if not test.get("of_incumbent", True):
        return Agreement(tone="bad", word="of another model")
    if _is_worse(state, test) or _is_behind(result):
        return Agreement(tone="bad", word="does not agree")
    targets = [seen for name, seen in test["differences"].items() if _role(state, name) == "target"]
    better = any(seen["low"] > 0 for seen in targets)
    if not state.kept:
        return Agreement(tone="good" if better else "open", word="better settings" if better else "no gain")
    if better:
        return Agreement(tone="good", word="agrees")
    if all(seen["difference"] <= 0 for seen in targets):
        return Agreement(tone="bad", word="does not confirm")
    return Agreement(tone="open", word="cannot tell")


def _is_worse(state: State, test: Mapping[str, Any]) -> bool:
    """Whether a target is shown worse, or a guard lost more than its margin."""
    for name, seen in test["differences"].items():
        margin = state.question.slices.get(name, {}).get("margin")
        if margin is not None and seen["difference"] < -margin:
            return True
        if _role(state, name) == "target" and seen["high"] < 0:
            return True
    return False


def _is_behind(result: Mapping[str, Any]) -> bool:
    found = result["baselines"] or {}
    return any(found[arm].get("standing") == "behind" for arm in beside.shown(found))


def _role(state: State, name: str) -> str:
    return str(state.question.slices.get(name, {}).get("role", ""))


def _model(state: State, result: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """Where it is, how to load it, and what it is."""
    mixture = result["incumbent"]["mixture"]
    facts = [f"trained on {count(len(mixture), 'dataset')}"]
    facts += _weighs(state)
    return {
        "there": state.finished is not None,
        "path": MODEL,
        "folder": folder,
        "load": f'autodc.load_model("{folder}")',
        "facts": facts,
    }


def _weighs(state: State) -> list[str]:
    """Size and time of a prediction, where the trainer measured them."""
    outcomes = [t.outcome for t in state.trials if t.trial.plan == state.incumbent and t.outcome is not None]
    measured = [one for one in outcomes if one.status == "done"]
    if not measured or not freshest(view_of(state), state.incumbent):
        return []
    size, pace = measured[-1].model_mb, measured[-1].predict_ms
    return [*([f"{size:.3g} MB"] if size else []), *([f"{pace:.2g} ms a row"] if pace else [])]


def _cost(state: State, result: Mapping[str, Any]) -> dict[str, str]:
    spent = result["spent"]
    failed = sum(t.outcome is not None and t.outcome.status == "failed" for t in state.trials)
    asked = spec_of(state).budget.trainings
    of = f" of {asked:g}" if asked is not None else ""
    busy = spent["busy_share"]
    slots = max((one.most for one in state.sessions), default=0)
    return {
        "trainings": f"{spent['trainings']:g}{of}",
        "failed": f"{failed} failed" if failed else "",
        "time": duration(spent["wall_seconds"]),
        "busy": "–" if busy is None else f"{busy:.0%}",
        "slots": count(slots, "worker"),
        "money": short(spent["cost"]) if spent["cost"] else "0",
    }
