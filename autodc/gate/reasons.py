"""Why the gate decided as it did: every code, its sentence, and a paragraph for a person. Codes are never reused."""

from __future__ import annotations

from collections.abc import Mapping

from autodc.gate.power import LARGEST
from autodc.gate.types import Look, SliceLook

KEPT = "ADC-G001"
KEPT_OBJECTIVE = "ADC-G002"
HARM_GUARD = "ADC-G010"
HARM_ANCHOR = "ADC-G011"
HARM_OBJECTIVE = "ADC-G012"
NO_CHANGE = "ADC-G013"
FUTILE_TARGET = "ADC-G020"
FUTILE_OBJECTIVE = "ADC-G021"
FUTILE_GUARD = "ADC-G022"
OPEN_TARGET = "ADC-G030"
OPEN_OBJECTIVE = "ADC-G031"
OPEN_GUARD = "ADC-G032"
OPEN_ANCHOR = "ADC-G033"
AT_CAP = "ADC-G034"
SATURATED = "ADC-G035"
TOO_GOOD = "ADC-G040"
MISSING_SLICE = "ADC-G050"
NOT_FINITE = "ADC-G051"
TOO_FEW_ROWS = "ADC-G052"
LOST_PAIR = "ADC-G053"
TOO_FEW_PAIRS = "ADC-G054"
NO_TARGET = "ADC-G055"
NOT_CALIBRATED = "ADC-G056"
GO_ON = "ADC-G060"

SENTENCES: dict[str, str] = {
    KEPT: "A target slice got better by more than chance explains, the targets together are better, and every guard "
    "is within its margin.",
    KEPT_OBJECTIVE: "No single target stands out, but the targets together got better by more than chance explains, "
    "and every guard is within its margin.",
    HARM_GUARD: "A guarded slice got worse by more than its margin.",
    HARM_ANCHOR: "A guarded slice is worse than at the start of the study by more than the whole study tolerates.",
    HARM_OBJECTIVE: "The targets together got worse.",
    NO_CHANGE: "Nothing changed: every row of every slice scores as before.",
    FUTILE_TARGET: "No target slice gained enough for more trainings to be likely to show it.",
    FUTILE_OBJECTIVE: "What one target gains another loses: the targets together are unlikely to be shown better.",
    FUTILE_GUARD: "A guarded slice is unlikely to be shown within its margin.",
    OPEN_TARGET: "A target may have gained, but the evidence does not reach the bound that guards against luck.",
    OPEN_OBJECTIVE: "It is not settled whether the targets together are better.",
    OPEN_GUARD: "It is not settled whether a guarded slice is within its margin.",
    OPEN_ANCHOR: "It is not settled whether a guarded slice is within what is tolerated since the start of the study.",
    AT_CAP: "The last look that was planned is reached.",
    SATURATED: "More seeds would hardly add to what the rows of these slices can show.",
    TOO_GOOD: "The gain looks too good: hundreds of rows got better and next to none worse, in all slices; look for "
    "validation rows or their answers in the training data first.",
    MISSING_SLICE: "A slice of the study was not measured, so nothing can pass.",
    NOT_FINITE: "A score is not a number, so nothing can pass.",
    TOO_FEW_ROWS: "A slice has too few rows to decide anything.",
    LOST_PAIR: "A training of a pair failed each time it was run, or the slices were not measured on the same "
    "trainings: a pair is lost, so nothing can pass.",
    TOO_FEW_PAIRS: "There are fewer pairs of trainings than the first look needs.",
    NO_TARGET: "There is no target slice, so nothing can be shown to improve.",
    NOT_CALIBRATED: "The noise of a slice was never calibrated and one pair cannot tell it.",
    GO_ON: "The evidence so far does not decide; more pairs of trainings may.",
}
"""One sentence a code, for people who know no statistics."""

FAR_BOUND = 20.0
"""A bound of more standard errors than this is not told as a number: nobody can picture it."""


def explain(look: Look, subject: str, verdict: str | None = None) -> str:
    """Tell one verdict in one paragraph, with its numbers; `verdict` defaults to that of the look.

    The targets that improved are told in full, or where none did the one that came nearest; the others in passing.
    """
    word = verdict or look.verdict
    opening = {
        "keep": f"{subject} was kept.",
        "drop": f"{subject} was dropped.",
        "undecided": f"{subject} is undecided: it was not kept, and not shown to be useless either.",
        None: f"{subject} is still being tested.",
    }[word]
    parts = [opening, *(SENTENCES[code] for code in look.reasons if code in SENTENCES)]
    pairs = "one pair of trainings" if look.pairs == 1 else f"{look.pairs} pairs of trainings with the same seeds"
    parts.append(f"This rests on {pairs}.")
    targets = {name: seen for name, seen in look.slices.items() if seen.role == "target"}
    telling = _telling(targets)
    parts += [_target(name, targets[name]) for name in telling]
    parts += _passing({name: seen for name, seen in targets.items() if name not in telling})
    if len(targets) > 1:
        parts.append(_objective(look.objective))
    parts += [_guard(name, seen) for name, seen in look.slices.items() if seen.margin is not None]
    if look.advice:
        parts.append(look.advice)
    return " ".join(parts)


def number(value: float) -> str:
    """A difference with its sign, three digits; what is rounding alone is 0."""
    return "0" if abs(value) < 1e-9 else f"{value:+.3g}"


def _telling(targets: Mapping[str, SliceLook]) -> list[str]:
    improved = [name for name, seen in targets.items() if "improved" in seen.state]
    tested = [name for name, seen in targets.items() if seen.bound is not None] or list(targets)
    return improved or sorted(tested, key=lambda name: -targets[name].z)[:1]


def _target(name: str, seen: SliceLook) -> str:
    text = f"On `{name}` ({seen.rows} rows) the difference is {_span(seen)}"
    if seen.bound is not None:
        text += f", {_against(seen, seen.bound)}"
    elif not seen.declared:
        text += ", a slice it was not meant for"
    return text + "."


def _passing(others: Mapping[str, SliceLook]) -> list[str]:
    if not others:
        return []
    told = ", ".join(f"`{name}` {number(seen.difference)}" for name, seen in others.items())
    return [f"Not shown to gain: {told}."]


def _objective(seen: SliceLook) -> str:
    state = seen.state or "not decided"
    return f"The weighted mean of the targets: {number(seen.difference)}{_floor(seen)}, {state}."


def _against(seen: SliceLook, bound: float) -> str:
    """A statistic beside its bound; a bound that hardly any data could cross is told as what it is: too few pairs."""
    if seen.z < bound and bound > FAR_BOUND:
        few = "one pair" if seen.pairs == 1 else f"{seen.pairs} pairs"
        return f"{seen.z:.1f} times its noise: {few} can show only a far larger gain"
    return f"{seen.z:.1f} times its noise (standard error) where {bound:.1f} times were needed"


def _guard(name: str, seen: SliceLook) -> str:
    margin = seen.margin or 0.0
    found = "holds" if "holds" in seen.state else ("is harmed" if "harmed" in seen.state else "is not settled")
    since = f"; since the start of the study {number(seen.anchor)}" if seen.anchor is not None else ""
    change = f"{number(seen.difference)}{_floor(seen)}"
    return f"The guard `{name}` ({seen.rows} rows) {found}: {change}; a loss up to {margin:g} is tolerated{since}."


def _floor(seen: SliceLook) -> str:
    """How bad it may be, as certain as the gate asks."""
    if max(abs(seen.low), abs(seen.high)) >= LARGEST:
        return ", with no interval that could be told"
    return f" ({0.5 + seen.level / 2:.0%} sure of {number(seen.low)} or better)"


def _span(seen: SliceLook) -> str:
    if max(abs(seen.low), abs(seen.high)) >= LARGEST:
        return f"{number(seen.difference)}, with no interval that could be told"
    return f"{number(seen.difference)} ({seen.level:.0%} interval {number(seen.low)} to {number(seen.high)})"
