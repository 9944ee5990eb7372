"""What may stand in the nested parts of a payload: checks, and the types of events made of them.

A check takes a value and raises Misfit where it is not of its shape. It says nothing of what the value means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

Check = Callable[[Any], None]


class Misfit(ValueError):
    """A value is not of the shape it should have."""


def anything(value: Any) -> None:
    """Take every JSON value."""


def text(value: Any) -> None:
    """Take text."""
    if type(value) is not str:
        raise _misfit(value, "text")


def count(value: Any) -> None:
    """Take a whole number of 0 or more."""
    if type(value) is not int or value < 0:
        raise _misfit(value, "a whole number of 0 or more")


def number(value: Any) -> None:
    """Take a number, NaN and infinity among them."""
    if type(value) is not float and type(value) is not int:
        raise _misfit(value, "a number")


def flag(value: Any) -> None:
    """Take true or false."""
    if type(value) is not bool:
        raise _misfit(value, "true or false")


def optional(check: Check) -> Check:
    """Take null, or what `check` takes."""
    return lambda value: None if value is None else check(value)


def one_of(*words: str) -> Check:
    """Take one of these words."""

    def checked(value: Any) -> None:
        if value not in words:
            raise _misfit(value, f"one of {', '.join(words)}")

    return checked


def listed(check: Check) -> Check:
    """Take a list of what `check` takes."""

    def checked(value: Any) -> None:
        if not isinstance(value, (list, tuple)):
            raise _misfit(value, "a list")
        for one in value:
            check(one)

    return checked


def named(check: Check) -> Check:
    """Take an object of any keys, whose values `check` takes."""

    def checked(value: Any) -> None:
        if not isinstance(value, Mapping):
            raise _misfit(value, "an object")
        for key, one in value.items():
            _within(key, check, one)

    return checked


def record(needed: Mapping[str, Check], further: Mapping[str, Check] | None = None, others: bool = False) -> Check:
    """Take an object with these keys; further: those it may have beside them; others: whether any other may stand."""
    known = {**needed, **(further or {})}

    def checked(value: Any) -> None:
        if not isinstance(value, Mapping):
            raise _misfit(value, "an object")
        if not value.keys() >= needed.keys():
            raise Misfit(f"{', '.join(sorted(needed.keys() - value.keys()))} is missing")
        if not others and not value.keys() <= known.keys():
            raise Misfit(f"{', '.join(sorted(map(str, value.keys() - known.keys())))} is unknown")
        for key, one in value.items():
            _within(key, known.get(key, anything), one)

    return checked


def _within(key: Any, check: Check, value: Any) -> None:
    try:
        check(value)
    except Misfit as error:
        raise Misfit(f"{key}: {error}") from None


def _misfit(value: Any, wanted: str) -> Misfit:
    shown = repr(value)
    return Misfit(f"{shown if len(shown) <= _LONGEST else type(value).__name__} is not {wanted}")


_LONGEST = 40

_PLAN = record(
    {"mixture": named(number), "stages": named(one_of("pretrain", "main")), "recipe": text},
    {"hyperparameters": named(anything)},
)
_FORKS = record({"datasets": listed(text), "after": number, "steps": number, "batch": number})
_TRIAL = record(
    {"number": count, "plan": _PLAN, "seed": count, "phase": text},
    {"fidelity": number, "warm_start": optional(count), "forks": _FORKS},
)
_OUTCOME = record(
    {"status": one_of("done", "failed", "cancelled")},
    {
        "slices": named(number),
        "soft": named(number),
        "explore": named(number),
        "explore_soft": named(number),
        "arrays": text,
        "outputs": text,
        "forks": named(named(number)),
        "forked": text,
        "train_seconds": number,
        "predict_ms": number,
        "model_mb": number,
        "started": number,
        "ended": number,
        "seconds": number,
        "attempts": count,
        "error": text,
    },
)
_HELD = optional(one_of("holds", "harmed", "not_settled"))
_OF_SLICE = record(
    {
        "role": text,
        "difference": number,
        "low": optional(number),
        "high": optional(number),
        "rows": count,
        "pairs": count,
        "standard_error": optional(number),
        "df": optional(number),
        "z": optional(number),
        "bound": optional(number),
    },
    {
        "margin": optional(number),
        "declared": flag,
        "weight": number,
        "anchor": optional(number),
        "level": number,
        "alpha": optional(number),
        "chance": optional(number),
        "gained": optional(one_of("improved", "not_shown", "not_tested")),
        "step": _HELD,
        "since_start": _HELD,
        "groups": optional(count),
        "counting": optional(number),
        "needed": optional(count),
        "vouched": flag,
        "certifiable": optional(number),
    },
)
_LEAK = record({"dataset": text, "kind": text, "rows": count, "of": count}, {"column": text})
_LEAKS = record({"datasets": listed(text), "looked": listed(text)}, {"found": listed(_LEAK), "trusted": flag})
_COST = record({"start": number, "challenger": number, "times": number, "surely": number, "allowed": number})
_LOOK = record(
    {
        "pairs": count,
        "verdict": optional(one_of("keep", "drop", "undecided")),
        "reasons": listed(text),
        "slices": named(_OF_SLICE),
        "objective": _OF_SLICE,
        "alpha": number,
    },
    {
        "advice": text,
        "settling": listed(anything),
        "unmeasured": listed(text),
        "noise": named(listed(number)),
        "leaks": optional(_LEAKS),
        "costs": named(_COST),
    },
)
_DATASET = record(
    {"rows": count, "fingerprint": text},
    {
        "candidate": flag,
        "cost": number,
        "tags": listed(text),
        "targets": optional(listed(text)),
        "source": text,
        "left_out": count,
    },
    others=True,
)
_SLICE = record(
    {"role": text, "rows": count},
    {
        "margin": optional(number),
        "weight": optional(number),
        "groups": optional(count),
        "counting": optional(number),
        "needed": optional(count),
        "explore_rows": count,
        "all_rows": count,
    },
    others=True,
)
_INTERVAL = {"difference": number, "low": number, "high": number}
_PART = record({**_INTERVAL, "slices": named(record(_INTERVAL))})
_CREDIT = record(
    {"how": text, "seeds": count, "total": _PART, "data": _PART, "hyperparameters": _PART, "interaction": _PART},
    {
        "datasets": named(record({**_INTERVAL, "how": text})),
        "against_tuned_start": optional(record({**_INTERVAL, "settings": named(anything), "how": text})),
    },
)
_OBSERVATION = record(
    {"plan": _PLAN, "seed": count, "values": named(number)},
    {"fidelity": number, "tradeoffs": named(number), "soft": named(number)},
)
_POINT = record(
    {"trials": listed(count), "plan": _PLAN, "objective": record({"estimate": number, "sd": number}, {}, others=True)},
    {"tradeoffs": named(record({"estimate": number, "observed": optional(number)}))},
)
_EFFECT = record({"gain": number, "sd": number, "weight": number}, {}, others=True)
_BELIEF = record({"gain": number, "sd": number}, {"rows": number, "guards": named(number), "cost": number}, others=True)
_PROPOSAL = record(
    {"everything": listed(text), "recommended": listed(text), "beliefs": named(_BELIEF), "margins": named(number)},
    {},
    others=True,
)
_MEASURED = record({**_INTERVAL, "rows": count, "pairs": count})
_AHEAD = {"difference": number, "low": optional(number), "high": optional(number)}
_ARM = record(
    {"seeds": count},
    {"objective": number, "values": named(number), **_AHEAD, "slices": named(record({**_AHEAD, "rows": count}))},
)
_GAP = record({"inside": number, "outside": number, **_INTERVAL})
_CAUSE = record(
    {"attribute": text, **_INTERVAL}, {"value": anything, "failing": number, "passing": number}, others=True
)
_NOTE = record({"code": text, "got": text})
_OWN_SLICE = record({"name": text, "finding": text, "where": text})
_PROMISE = record({"low": number, "mid": number, "high": number})
_INSIDE = record({"before": number, "low": number, "mid": number, "high": number})
_STEP = record({"rows": number, "low": number, "mid": number, "high": number}, {}, others=True)
_PROBLEM = record({"code": text, "problem": text, "place": text, "got": text, "hint": text})
_LOOKED = optional(record({"status": text}, {}, others=True))
_LABELS = record(
    {},
    {
        "validation": _LOOKED,
        "training": _LOOKED,
        "conventions": _LOOKED,
        "annotators": listed(anything),
        "content": named(text),
        "exhibits": named(text),
    },
)

_WEIGHED = optional(
    record(
        {"pick": text, "actions": listed(record({"kind": text, "name": text, "trainings": number}, {}, others=True))},
        {},
        others=True,
    )
)
_PROPOSED = record({"name": text, "by": text, "maker": text}, {}, others=True)

Json = Mapping[str, Any]
PlanJson = Annotated[Json, _PLAN]
"""Plan.to_dict."""
PlansJson = Annotated[Json, named(_PLAN)]
"""Name → Plan.to_dict."""
ProposalJson = Annotated[Json, _PROPOSAL]
"""gate.together.Proposal."""
TrialJson = Annotated[Json, _TRIAL]
"""Trial.to_dict."""
OutcomeJson = Annotated[Json, _OUTCOME]
"""Outcome.to_dict."""
LookJson = Annotated[Json, _LOOK]
"""gate.Look.to_dict."""
DatasetsJson = Annotated[Json, named(_DATASET)]
"""Name → card."""
ChangesJson = Annotated[Mapping[str, Mapping[str, float]], named(named(number))]
"""Dataset → slice → change."""
SlicesJson = Annotated[Json, named(_SLICE)]
"""Name → card."""
CreditJson = Annotated[Json | None, optional(_CREDIT)]
"""The account of `study.rules.credit`."""
ObservationsJson = Annotated[tuple[Json, ...], listed(_OBSERVATION)]
"""Trainings of another study."""
FrontJson = Annotated[tuple[Json, ...], listed(_POINT)]
"""The trained plans that none is believed to beat."""
EffectsJson = Annotated[Json, named(_EFFECT)]
"""Dataset → what the search believes of it."""
BaselinesJson = Annotated[Json | None, optional(named(_ARM))]
"""Arm of the last measurement → what `study.beside` tells of it."""
MeasuredJson = Annotated[Json, named(_MEASURED)]
"""Slice → difference on the test set."""
GapJson = Annotated[Mapping[str, float], _GAP]
"""diagnose.finding.Gap."""
CausesJson = Annotated[tuple[Json, ...], listed(_CAUSE)]
"""diagnose.finding.Cause, the first the likeliest."""
PromiseJson = Annotated[Mapping[str, float], _PROMISE]
"""A gain with its interval."""
InsideJson = Annotated[Mapping[str, float], _INSIDE]
"""The same of the rows of a finding, and their error before."""
StepsJson = Annotated[tuple[Mapping[str, float], ...], listed(_STEP)]
"""Gains by number of rows: propose.requests.Ask.steps."""
NotesJson = Annotated[tuple[Json, ...], listed(_NOTE)]
"""What could not be done, by code, and what was met."""
OwnSlicesJson = Annotated[tuple[Json, ...], listed(_OWN_SLICE)]
"""Slices of findings: the name, whose rule it is, and the rule."""
HeldJson = Annotated[
    Json | None, optional(record(dict.fromkeys(("gain", "difference", "low", "high"), number) | {"slice": text}))
]
"""Rows beside as many by chance on a slice."""
ProposalsJson = Annotated[tuple[Json, ...], listed(_PROPOSED)]
"""propose.proposal.Proposal each, in the order they join the roster."""
ProblemsJson = Annotated[tuple[Json, ...], listed(_PROBLEM)]
"""What was raised, one problem each: errors.AutodcError."""
LabelsJson = Annotated[Json, _LABELS]
"""What a diagnosis found of labels, of which datasets, and the addresses of the rows that are shown."""
WeighedJson = Annotated[Json | None, _WEIGHED]
"""propose.actions.Weighed."""
