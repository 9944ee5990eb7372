"""What more data would do, in words: of each slice, of each finding, and of a dataset on offer."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from autodc.review.numbers import Numbers
from autodc.study.journal.state import State
from autodc.study.phases.order import view_of
from autodc.study.rules.more_rows import of_slices

LIKELY = 0.5
"""Chance of a gain from which a dataset is told as one that helps."""
MOST = 2
"""Datasets that are told of a slice."""


def more_rows(state: State) -> dict[str, Any]:
    """Slice → what more rows of each dataset would do, as JSON; nothing before the study has finished."""
    return {} if state.finished is None else dict(_told(_Finished(state)))


class _Finished:
    """A study as it was when it finished: what is said of it is worked out once."""

    def __init__(self, state: State) -> None:
        self.state, self.event, self.slices = state, state.finished, len(state.admitted)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Finished) and other.event is self.event and other.slices == self.slices

    def __hash__(self) -> int:
        return id(self.event)


@functools.lru_cache(maxsize=8)
def _told(ended: _Finished) -> dict[str, Any]:
    return {name: [one.to_dict() for one in told] for name, told in of_slices(view_of(ended.state)).items()}


def slice_words(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """One sentence for each slice. found: as JSON."""
    return [f"{name}: {words}" for name, told in found.items() if (words := best_words(told))]


def best_words(told: Sequence[Mapping[str, Any]]) -> str:
    """Which datasets would help, and how much; empty where nothing was measured."""
    if not told:
        return ""
    some = [one for one in told if one["chance"] >= LIKELY][:MOST]
    if some:
        return "; ".join(words(one) for one in some)
    known = [one["dataset"] for one in told if one["known"]]
    if not known:
        return "trainings of so few sizes tell hardly anything of more rows"
    nothing = f"{known[0]} are not" if len(known) == 1 else f"none of {len(known)} datasets are"
    return f"more rows of {nothing} likely to help; at the most {words(told[0])}"


def words(one: Mapping[str, Any]) -> str:
    """So many more rows of a dataset would bring the error from here to there."""
    before, after = one["before"], one["after"]
    numbers = Numbers.for_values((before["mid"], after["high"]))

    def said(value: float) -> str:
        return f"{value:.1%}" if one["share"] else numbers.plain(value)

    many = f"{one['more']:,.0f} {'more rows' if one['now'] else 'rows'} of {one['dataset']}"
    span = f"{said(after['low'])} to {said(after['high'])}"
    unsure = "" if one["known"] else ", hardly known from so few sizes"
    return f"{many} would bring the error from {said(before['mid'])} to {said(after['mid'])} ({span}{unsure})"


def offer_words(one: Mapping[str, Any]) -> str:
    """What a dataset on offer would be worth. one: {name, share, slices: {slice: Worth as JSON}}."""
    told = []
    for name, seen in one["slices"].items():
        gain = seen["gain"]
        numbers = Numbers.for_values((gain["low"], gain["high"]))
        span = [f"{100 * gain[k]:+.1f}".replace("-", "−") if one["share"] else numbers.signed(gain[k]) for k in _PARTS]
        told.append(f"{name} {span[0]}{' points' if one['share'] else ''} ({span[1]} to {span[2]})")
    seen = next(iter(one["slices"].values()), {"rows": 0, "sampled": 0})
    head = (
        f"{one['name']} at {seen['rows']:,} rows, from trainings on {seen['sampled']:,} of them, would lower the error"
    )
    return f"{head}: {', '.join(told)}"


_PARTS = ("mid", "low", "high")
