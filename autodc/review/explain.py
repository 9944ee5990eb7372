"""The words of a verdict: one paragraph for a person, a few words for a table, and what would settle it."""

from __future__ import annotations

from collections.abc import Mapping

from autodc.evaluation.evidence import FINDING, UNDEFINED
from autodc.gate.noise import OBJECTIVE
from autodc.gate.types import Cost, Gained, Held, Leak, LeakKind, Leaks, Look, Settling, SliceLook
from autodc.review.reasons import sentence
from autodc.review.wording import of_finding

FAR_BOUND = 20.0
"""A bound of more standard errors than this is not told as a number: nobody can picture it."""

_GAINED: dict[Gained, str] = {"improved": "improved", "not_shown": "not shown", "not_tested": "not asked"}
_TOGETHER: dict[Gained, str] = {"improved": "better", "not_shown": "not shown better", "not_tested": "not asked"}
_HELD: dict[Held, str] = {"holds": "holds", "harmed": "harmed", "not_settled": "not settled"}
_HELD_SINCE: dict[Held, str] = {
    "holds": "it holds since the start of the study",
    "harmed": "since the start of the study it is harmed",
    "not_settled": "since the start of the study it is not settled",
}
_LEAKS: dict[LeakKind, str] = {
    "exact": "copies of validation rows",
    "near": "near copies",
    "group": "shared groups",
    "id": "shared ids",
    "column": "a column that tells the label",
}
"""What a search for leaks looks for."""


def explain(look: Look, subject: str, verdict: str | None = None) -> str:
    """Tell one verdict in one paragraph, with its numbers; `verdict` defaults to that of the look.

    The targets that improved are told in full, or where none did the one that came nearest; the others in passing.
    """
    word = verdict or look.verdict
    opening = {
        "keep": f"{subject} was kept.",
        "drop": f"{subject} was dropped.",
        "undecided": f"{subject} is undecided: it was not kept, and not shown to be useless either.",
        None: f"{subject} is still being compared.",
    }[word]
    parts = [opening, *filter(None, map(sentence, look.reasons))]
    if look.leaks is not None:
        parts.append(leaks_words(look.leaks))
    pairs = "one pair of trainings" if look.pairs == 1 else f"{look.pairs} pairs of trainings with the same seeds"
    parts.append(f"This rests on {pairs}.")
    counted = {name: seen for name, seen in look.slices.items() if seen.needed is None}
    targets = {name: seen for name, seen in counted.items() if seen.role == "target"}
    telling = _telling(targets)
    parts += [_target(name, targets[name]) for name in telling]
    parts += _passing({name: seen for name, seen in targets.items() if name not in telling})
    own = {name: seen for name, seen in counted.items() if seen.is_own}
    parts += [_target(name, seen) for name, seen in own.items()]
    if len(targets) > 1 or own:
        parts.append(_objective(look.objective))
    parts += [_guard(name, seen) for name, seen in counted.items() if seen.margin is not None]
    parts += costs_words(look)
    parts += [_no_evidence(name, seen) for name, seen in look.slices.items() if seen.needed is not None]
    if words := advice(look):
        parts.append(words)
    return " ".join(parts)


def advice(look: Look) -> str:
    """What would decide what is undecided, in one paragraph; empty where that is not known, or nothing is open."""
    missing = [f"Not measured: {', '.join(look.unmeasured)}."] if look.unmeasured else []
    return " ".join([*missing, *map(_settled_by, look.settling)]) or look.advice


def _settled_by(one: Settling) -> str:
    label = "The objective" if one.name == OBJECTIVE else f"`{one.name}`"
    ways = []
    if one.pairs is not None:
        ways.append(f"about {one.pairs} pairs instead of {one.pairs_now}")
    if one.rows is not None:
        ways.append(f"about {one.rows} rows instead of {one.rows_now} at {one.pairs_at_most} pairs")
    if not ways:
        return f"{label} cannot be settled by a reasonable number of rows or pairs at the difference seen."
    return f"{label} would be settled by {' or '.join(ways)}, if the difference is what it seems."


def number(value: float) -> str:
    """A difference with its sign, three digits; what is rounding alone is 0."""
    return "0" if abs(value) < 1e-9 else f"{value:+.3g}"


def found_words(seen: SliceLook, together: bool = False) -> str:
    """What was found of a slice, in a few words for a table. together: it is the weighted mean of the targets."""
    if seen.needed is not None:
        return f"no evidence: {too_few(seen.rows, seen.groups, seen.counting, seen.needed)}"
    words = [] if seen.gained is None else [(_TOGETHER if together else _GAINED)[seen.gained]]
    if seen.step is not None:
        words.append(_HELD[seen.step])
    if seen.since_start is not None:
        words.append(f"{_HELD[seen.since_start]} since the start")
    if seen.certifiable is not None and seen.holds:
        words.append("as far as its rows can tell")
    return "; ".join(words) or "not decided"


def too_few(rows: int, groups: int | None, counting: float | None, needed: int) -> str:
    """How many observations a slice has of how many it takes: 13 groups in 260 rows, 20 needed."""
    if needed == UNDEFINED:
        return "the metric is not defined on its rows"
    if groups is None or groups >= rows:
        return f"{rows} {'row' if rows == 1 else 'rows'}, {needed} needed"
    of = f"{groups} {'group' if groups == 1 else 'groups'} in {rows} rows"
    if groups >= needed and counting is not None:
        return f"{of}, of so uneven sizes that they count as {counting:.3g}, {needed} needed"
    return f"{of}, {needed} needed"


def leaks_words(leaks: Leaks) -> str:
    """What was looked for, and what was found where."""
    where = ", ".join(leaks.datasets)
    if leaks.found:
        return f"Found: {'; '.join(_leak(one) for one in leaks.found)}."
    looked = [_LEAKS[kind] for kind in leaks.looked]
    return f"Looked for in {where}, and not found: {', '.join(looked)}."


def costs_words(look: Look) -> list[str]:
    """What a challenger costs beside the start, one sentence for each cost that is limited."""
    return [_cost(name, one) for name, one in look.costs.items()]


def _cost(name: str, one: Cost) -> str:
    unit = {"predict_ms": " ms a row to predict", "train_seconds": " seconds to train", "model_mb": " MB of model"}
    text = f"It takes {one.challenger:.3g}{unit.get(name, '')}, {one.times:.3g} times the start's {one.start:.3g}; "
    allowed = f"metrics.limits.{name} allows {one.allowed:g} times"
    if one.surely > one.allowed:
        return f"{text}{allowed} (95% sure of {one.surely:.3g} or more)."
    if one.times > one.allowed:
        return f"{text}{allowed}, and chance alone may explain the rest (95% sure of {one.surely:.3g} or more)."
    return f"{text}{allowed}."


def _leak(one: Leak) -> str:
    of = f"{one.rows} of the {one.of} validation rows that got better"
    return {
        "exact": f"`{one.dataset}` holds {of}, with their answers",
        "near": f"`{one.dataset}` holds near copies of {of}, with their answers",
        "group": f"`{one.dataset}` has rows of the groups of {of}",
        "id": f"`{one.dataset}` has the ids, in column {one.column}, of {of}",
        "column": f"column {one.column} of the inputs tells the label in `{one.dataset}` and of {of}",
    }[one.kind]


def _telling(targets: Mapping[str, SliceLook]) -> list[str]:
    improved = [name for name, seen in targets.items() if seen.gained == "improved"]
    asked = [name for name, seen in targets.items() if seen.bound is not None] or list(targets)
    return improved or sorted(asked, key=lambda name: -targets[name].ahead)[:1]


def _rows(seen: SliceLook) -> str:
    if seen.groups is None or seen.groups >= seen.rows:
        return f"{seen.rows} rows"
    return f"{seen.rows} rows in {seen.groups} groups"


def _target(name: str, seen: SliceLook) -> str:
    what = f"`{name}`" if seen.role != FINDING else f"the {of_finding(name)}"
    text = f"On {what} ({_rows(seen)}) the difference is {_span(seen)}"
    if seen.z is not None and seen.bound is not None:
        text += f", {_against(seen, seen.z, seen.bound)}"
    elif seen.pairs == 1 and not seen.vouched:
        text += ", of one pair whose noise nothing tells"
    elif seen.gained == "not_tested" and not seen.declared:
        text += ", a slice it was not meant for"
    return text + "."


def _passing(others: Mapping[str, SliceLook]) -> list[str]:
    if not others:
        return []
    told = ", ".join(f"`{name}` {number(seen.difference)}" for name, seen in others.items())
    return [f"Not shown to gain: {told}."]


def _objective(seen: SliceLook) -> str:
    state = "not decided" if seen.gained is None else _TOGETHER[seen.gained]
    return f"The weighted mean of the targets: {number(seen.difference)}{_floor(seen)}, {state}."


def _against(seen: SliceLook, z: float, bound: float) -> str:
    """A statistic beside its bound; a bound that hardly any data could cross is told as what it is: too few pairs."""
    if z < bound and bound > FAR_BOUND:
        few = "one pair" if seen.pairs == 1 else f"{seen.pairs} pairs"
        return f"{z:.1f} times its noise: {few} can show only a far larger gain"
    return f"{z:.1f} times its noise (standard error) where {bound:.1f} times were needed"


def _guard(name: str, seen: SliceLook) -> str:
    margin = seen.margin or 0.0
    verbs: dict[Held, str] = {"holds": "holds", "harmed": "is harmed", "not_settled": "is not settled"}
    found = verbs[seen.step or "not_settled"]
    since = ""
    if seen.anchor is not None:
        since = f"; since the start of the study {number(seen.anchor)}"
        if seen.since_start is not None and seen.since_start != seen.step:
            since = f"; {_HELD_SINCE[seen.since_start]}: {number(seen.anchor)}"
    change = f"{number(seen.difference)}{_floor(seen)}"
    told = f"The guard `{name}` ({_rows(seen)}) {found}: {change}; a loss up to {margin:g} is tolerated{since}."
    return told + _reach(seen)


def _reach(seen: SliceLook) -> str:
    """What is asked of a guard whose rows cannot certify its margin."""
    if seen.certifiable is None:
        return ""
    return (
        f" Its rows could certify a margin of {seen.certifiable:.2g}, not this one; asked of it is what a change that "
        "harms nobody passes in 19 of 20 nights."
    )


def _no_evidence(name: str, seen: SliceLook) -> str:
    assert seen.needed is not None
    few = too_few(seen.rows, seen.groups, seen.counting, seen.needed)
    what = "it is not among the targets that should improve"
    if seen.role == "guard":
        what = "it guards nothing, and harm to it would not be seen"
    elif seen.margin is not None:
        what += " and guards nothing"
    return f"`{name}` is no evidence ({few}): {what}."


def _floor(seen: SliceLook) -> str:
    """How bad it may be, as certain as the gate asks."""
    if seen.low is None:
        return ", with no interval that could be told"
    return f" ({0.5 + seen.level / 2:.0%} sure of {number(seen.low)} or better)"


def _span(seen: SliceLook) -> str:
    if seen.low is None or seen.high is None:
        return f"{number(seen.difference)}, with no interval that could be told"
    return f"{number(seen.difference)} ({seen.level:.0%} interval {number(seen.low)} to {number(seen.high)})"
