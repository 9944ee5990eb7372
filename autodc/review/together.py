"""What was decided of several datasets at once: which comparison speaks for a dataset, and its words."""

from __future__ import annotations

import math
from dataclasses import replace

from scipy.special import stdtrit

from autodc.gate import reasons
from autodc.gate.advice import MOST_ROWS
from autodc.gate.power import rows_for_whole
from autodc.gate.questions import LEAVING
from autodc.gate.types import SliceLook
from autodc.review.explain import advice, costs_words, number
from autodc.review.numbers import count, listed
from autodc.review.reasons import sentence
from autodc.study.journal.records import ComparisonState
from autodc.study.journal.state import State

LEVEL = 0.9
"""Of the interval of several together."""

_OPENINGS = {
    "keep": "{name} was kept{others}.",
    "drop": "{name} was dropped{others}.",
    "undecided": "{name} is undecided{others}: not kept, and not shown to be useless either.",
}


def telling(state: State, name: str) -> ComparisonState | None:
    """The finished comparison that a dataset's verdict rests on; None where none was about it.

    Of what is kept its own keep, else that of its block; of what is not, the one that decided it, else the last that it
    had a part in.
    """
    ended = [t for t in state.comparisons if t.verdict is not None and name in (t.subject, *t.members)]
    alone = [t for t in ended if t.kind == "dataset" and t.subject == name and not t.asks_only]
    kept = [t for t in ended if t.verdict == "keep"]
    if name in state.kept:
        own = [t for t in kept if t in alone] or [t for t in kept if t.kind == "block"] or kept
        if own:
            return own[-1]
    decided = state.decided(name)
    if decided is not None:
        return decided
    return next(reversed(alone or ended), None)


def is_joint(comparison: ComparisonState) -> bool:
    """Whether it is told as one of the targets together: of several datasets, or of one that was asked to leave."""
    return len(comparison.members) > 1 or comparison.pairs is not None or comparison.purpose in LEAVING


def why(comparison: ComparisonState) -> list[str]:
    """The sentences of its reasons."""
    several = len(comparison.members) > 1
    return [sentence(code, comparison.beside, several) for code in comparison.reasons]


def estimate(comparison: ComparisonState) -> SliceLook:
    """What having the members does to the targets together, with its 90% interval, as its last look on rows says.

    Turned where the challenger is the one without them.
    """
    seen = comparison.typed_looks[-1].objective
    mean = comparison.sign * seen.difference
    if seen.standard_error is None or seen.df is None:
        return replace(seen, difference=mean, low=None, high=None, level=LEVEL)
    reach = float(stdtrit(seen.df, 0.5 + LEVEL / 2)) * seen.standard_error
    return replace(seen, difference=mean, low=mean - reach, high=mean + reach, level=LEVEL)


def rows_words(seen: SliceLook) -> str:
    """How many rows would show what was measured, where nothing else says what would settle it."""
    if seen.standard_error is None:
        return ""
    rows = rows_for_whole(seen.difference, seen.standard_error, seen.rows)
    if not seen.rows < rows < MOST_ROWS * seen.rows:
        return ""
    wanted = count(math.ceil(rows), "row")
    return f"A true gain of this size would be shown in 95% of nights with about {wanted} instead of {seen.rows}."


def summary(state: State, name: str, comparison: ComparisonState) -> str:
    """One paragraph on a dataset that was decided with others."""
    look, members = comparison.typed_looks[-1], comparison.members
    others = [m for m in members if m != name]
    with_them = f" together with {listed(others)}" if others else ""
    parts = [_OPENINGS[state.verdict(name)].format(name=name, others=with_them)]
    seen = estimate(comparison)
    span = ", with no interval that could be told"
    if seen.low is not None and seen.high is not None:
        span = f" ({seen.level:.0%} interval {number(seen.low)} to {number(seen.high)})"
    these = f"These {len(members)} together" if others else "With it"
    parts.append(
        f"{these}: {number(seen.difference)}{span} on the targets together, of "
        f"{count(look.pairs, 'pair')} of trainings on {count(seen.rows, 'row')}."
    )
    parts += [*why(comparison), *costs_words(look)]
    if comparison.verdict == "keep" and others and reasons.NOT_APART not in comparison.reasons:
        parts.append("It is a claim about all of them at once: what one of them is worth alone, nobody has shown.")
    if comparison.verdict == "undecided":
        parts.append(advice(look) or rows_words(seen))
    return " ".join(part for part in parts if part)
