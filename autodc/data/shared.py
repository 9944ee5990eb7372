"""What a training dataset shares with held-out sets, marked and in words: rows, ids that say nothing, groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autodc.data.copies import Copies, copies_of, example_pair
from autodc.data.dataset import Dataset
from autodc.data.hashing import among
from autodc.large import distinct_values

Array = np.ndarray[Any, Any]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

OVERLAP = "training rows are in the held-out data"
OVERLAP_HINT = (
    "say `data.overlap: drop` and they are left out of training (up to `data.max_overlap`, now {:g} of the rows, that "
    "is done unasked), or `data.overlap: allow` where equal rows are different examples, or take them out of the file; "
    "a column that tells examples apart is named by options: {{id: column}}"
)
NOTHING_LEFT_HINT = "nothing would be left to train on; say `data.overlap: allow`, or name other data"
NAMED = 3
"""Groups and ids that are named where several are shared."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SharedRows:
    """Training rows that held-out sets also hold."""

    rows: Mask
    """Shape (n,)."""
    copies: str
    """What there is to say of them, empty where there are none."""
    example: str
    """One of them and its like."""
    warnings: tuple[str, ...]
    """About rows that only look like it."""


def shared_rows(own: Dataset, held: Sequence[Dataset], unasked: float) -> SharedRows:
    """Mark the rows of a training dataset that are rows of held-out sets.

    unasked: up to this share equal rows are left out without asking whether chance explains them: that costs nothing.
    """
    equal = np.any([among(own.hashes, other.hashes) for other in held], axis=0) if held else np.zeros(len(own), bool)
    few = bool(equal.sum() <= unasked * len(own))
    found = {other.name: copies_of(own, other, unasked=few) for other in held}
    rows = np.any([one.rows for one in found.values()], axis=0) if found else equal
    first = next((other for other in held if found[other.name].rows.any()), None)
    return SharedRows(
        rows=rows,
        copies=_also_in(own, rows, found) if rows.any() else "",
        example="" if first is None else _example(own, first, found[first.name]),
        warnings=(*_coincidences(own, found), *_other_ids(own, found), *_reused_ids(own, held, found)),
    )


def shared_groups(own: Dataset, held: Iterable[Dataset]) -> tuple[str, ...]:
    """Say where a group has rows in training and in a held-out set: not the same rows, but related ones."""
    if own.groups is None:
        return ()
    mine, warnings = own.groups.astype(str), []
    for other in held:
        if other.groups is None:
            continue
        theirs = other.groups.astype(str)
        if len(both := np.intersect1d(mine, theirs)):
            here, there = int(np.isin(mine, both).sum()), int(np.isin(theirs, both).sum())
            warnings.append(
                f"{len(both)} of {len(distinct_values(mine))} groups of `{own.name}` are also in `{other.name}` "
                f"({_some(both)}: {here} and {there} rows): related rows are learned and tested on; to know how the "
                "model does on groups it never saw, keep each group on one side"
            )
    return tuple(warnings)


def _also_in(own: Dataset, rows: Mask, found: Mapping[str, Copies]) -> str:
    others = ", ".join(f"`{name}` ({int(one.rows.sum())}{_how(one)})" for name, one in found.items() if one.rows.any())
    count = int(rows.sum())
    return f"{count} of {len(own)} rows ({count / len(own):.1%}) of `{own.name}` are also in {others}"


def _how(found: Copies) -> str:
    by_id = found.ids is not None and found.ids.decides and bool((found.rows & found.ids.shared).any())
    return f", the same `{found.ids.column}`" if by_id and found.ids is not None else ""


def _example(own: Dataset, other: Dataset, found: Copies) -> str:
    pair = example_pair(own, other, found)
    return "" if pair is None else f"row {pair[0]} of `{own.name}` is row {pair[1]} of `{other.name}`"


def _coincidences(own: Dataset, found: Mapping[str, Copies]) -> Iterable[str]:
    if equal := ", ".join(f"{one.by_chance} of `{name}`" for name, one in found.items() if one.by_chance):
        yield (
            f"rows of `{own.name}` have the same inputs as rows of held-out data ({equal}); rows as coarse as these "
            "are equal by chance: they are taken for different examples and stay"
        )


def _other_ids(own: Dataset, found: Mapping[str, Copies]) -> Iterable[str]:
    for name, one in found.items():
        if one.by_id and one.ids is not None:
            yield (
                f"{one.by_id} rows of `{own.name}` have the same inputs as rows of `{name}` and another "
                f"`{one.ids.column}`: they are taken for different examples and stay"
            )


def _reused_ids(own: Dataset, held: Sequence[Dataset], found: Mapping[str, Copies]) -> Iterable[str]:
    for other in held:
        ids = found[other.name].ids
        if ids is None or not ids.reused:
            continue
        values = own.metadata[ids.column][ids.shared].astype(str).unique()
        what = f"{len(values)} values of `{ids.column}` in `{own.name}` are also in `{other.name}`, with other inputs"
        shown = f"{what} ({_some(values)})"
        if ids.asked:
            yield f"{shown}: as ids they make these rows the same examples; is it the right column?"
            continue
        yield (
            f"{shown}: either each file counts its own, or these are the same things at another time, and options: "
            f"{{group: {ids.column}}} says so; rows are told apart by their inputs"
        )


def _some(values: Array) -> str:
    return ", ".join(str(value) for value in values[:NAMED]) + (", …" if len(values) > NAMED else "")
