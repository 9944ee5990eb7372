"""Who is in which slice, as arrays that lie beside the scores: told once by a study, read back without its data.

Of every part (`validation`, or the own rows of a slice that has a file of its own), with n rows each:

    PART.slice.NAME  bool     the rows of slice NAME
    PART.gate        bool     the rows that the gate decides on; left out where search and gate see the same rows
    PART.clusters    int64    rows with the same number are one observation; -1: in no slice
    PART.marks       uint64   a hash of inputs and target, by which another study knows the row
    PART.targets              encoded, only where the metric is no mean over rows
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from autodc.evaluation.evidence import UNDEFINED
from autodc.evaluation.metrics import Metric
from autodc.evaluation.slices import Slice, SliceTable
from autodc.study.journal import events as ev
from autodc.study.journal.state import State
from autodc.study.ports import ArtefactStore
from autodc.study.slicing import Slices

Array = np.ndarray[Any, Any]

SLICE = ".slice."
"""Between a part and the name of a slice of it."""


def told(slices: Slices, metric: Metric) -> dict[str, Array]:
    """Return who is in which slice of a study as it is now."""
    found: dict[str, Array] = {}
    for one in slices.table.slices:
        size = len(slices.table.targets[one.part])
        found[f"{one.part}{SLICE}{one.name}"] = _mask(one.rows, size)
        if one.clusters is not None:
            numbers = found.setdefault(f"{one.part}.clusters", np.full(size, -1, dtype=np.int64))
            numbers[one.rows] = one.clusters
        if slices.sides is not None:
            found[f"{one.part}.gate"] = _mask(slices.sides.gate[one.part], size)
    for part in slices.table.parts:
        if part in slices.table.marks:
            found[f"{part}.marks"] = slices.table.marks[part]
        if not metric.is_mean:
            found[f"{part}.targets"] = slices.table.targets[part]
    return found


def news(slices: Slices, metric: Metric, store: ArtefactStore, state: State) -> tuple[ev.RowsTold, ...]:
    """What the journal is to be told, where it does not say who is in which slice, or said it of other slices."""
    address = store.put(told(slices, metric))
    return () if address == state.rows else (ev.RowsTold(arrays=address),)


def table_of(state: State, arrays: Mapping[str, Array]) -> SliceTable:
    """Return the slices of a study on the rows that its gate decides on. arrays: as `told` gave them."""
    slices: list[Slice] = []
    targets: dict[str, Array] = {}
    for key, mask in arrays.items():
        part, is_slice, name = key.partition(SLICE)
        if not is_slice:
            continue
        targets[part] = arrays.get(f"{part}.targets", np.zeros(len(mask)))
        card = state.question.slices[name]
        rows = np.flatnonzero(mask & arrays.get(f"{part}.gate", np.ones(len(mask), dtype=bool)))
        numbers = arrays.get(f"{part}.clusters")
        slices.append(
            Slice(
                name=name,
                role=card["role"],
                margin=card.get("margin"),
                weight=float(card.get("weight") or 1.0),
                part=part,
                rows=rows,
                clusters=None if numbers is None else numbers[rows],
                defined=card.get("needed") != UNDEFINED,
            )
        )
    order = {name: at for at, name in enumerate(state.question.slices)}
    marks = {part: arrays[f"{part}.marks"] for part in targets if f"{part}.marks" in arrays}
    table = SliceTable(slices=tuple(sorted(slices, key=lambda s: order[s.name])), targets=targets, marks=marks)
    return table.of_findings(state.of_findings)


def restricted(table: SliceTable, rows: Mapping[str, Array]) -> SliceTable:
    """The same slices with these rows each, in this order; slices that are not named are left out."""
    kept = []
    for one in table.slices:
        if one.name in rows:
            place = np.searchsorted(one.rows, rows[one.name])
            kept.append(
                replace(one, rows=rows[one.name], clusters=None if one.clusters is None else one.clusters[place])
            )
    return replace(table, slices=tuple(kept))


def _mask(rows: Array, size: int) -> Array:
    mask = np.zeros(size, dtype=bool)
    mask[rows] = True
    return mask
