"""Trains the start on parts of the base, or with parts of a dataset on offer: what more rows would do, and be worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd

from autodc import seeds
from autodc.data.dataset import Dataset
from autodc.diagnose.curves import Point, learning_curve, sample_sizes, worth
from autodc.diagnose.more_rows import LEAST, MoreRows, errors_of, of_curve
from autodc.errors import InputError
from autodc.evaluation.slices import Slice
from autodc.hints import meant
from autodc.plan.mixture import BASE
from autodc.review.numbers import listed
from autodc.studyfile.study import MachineSpec
from autodc.table import join
from autodc.verbs.models import Outputs, trained_once
from autodc.wire.inputs import Inputs

Array = np.ndarray[Any, Any]

SIZES, REPEATS = 4, 2
"""Sizes of the base, each twice the one before, the largest all of it; and trainings of each, on other rows."""
OFFERED = 3
"""Sizes of a dataset on offer, beside none of it."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """One training and what it predicts."""

    rows: int
    """Of the base; or of the dataset on offer, beside all of the base."""
    outputs: Outputs


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A candidate of the study file that is a sample of something larger."""

    name: str
    rows: int
    """Of all of it."""


def offers_of(inputs: Inputs, said: Sequence[str]) -> tuple[Offer, ...]:
    """Read NAME=ROWS. Raises InputError ADC-DIAG-058 for what is no candidate, no number, or fewer than are here."""
    found = []
    for one in said:
        name, _, rows = one.partition("=")
        known = inputs.catalogue.candidates
        if name not in known:
            near = meant(name, list(known))
            hint = f"did you mean {near}?" if near else f"the candidates of this study are {listed(known)}"
            raise InputError("ADC-DIAG-058", "what is on offer is a candidate of the study file", "--offer", one, hint)
        have = len(known[name])
        if not rows.isdecimal() or int(rows) < have:
            hint = f"write {name}=ROWS, the rows that all of it has; this sample has {have}"
            raise InputError("ADC-DIAG-058", "an offer is a name and a number of rows", "--offer", one, hint)
        found.append(Offer(name=name, rows=int(rows)))
    return tuple(found)


def trained_on_parts(
    inputs: Inputs,
    machine: MachineSpec | None,
    folder: Path,
    stop: Callable[[], bool],
    offered: str | None = None,
    whole: Outputs | None = None,
) -> tuple[Sized, ...]:
    """Train the start on parts of the base, or on all of it and parts of a candidate; the largest parts last.

    offered: the candidate; whole: what the start predicts that was trained on all of the base, where that is known.
    Raises what `trained_once` does.
    """
    data = inputs.catalogue.base if offered is None else inputs.catalogue.candidates[offered]
    sizes = sample_sizes(len(data), SIZES) if offered is None else (0, *sample_sizes(len(data), OFFERED))
    found = []
    for size in sizes:
        for repeat in range(REPEATS):
            is_whole = size == (len(data) if offered is None else 0)
            if is_whole and whole is not None and not repeat:
                found.append(Sized(rows=size, outputs=whole))
                continue
            part = data.take(_drawn(data, size, seeds.integer(inputs.spec.seed, "sizes", size, repeat)))
            base = part if offered is None else _together(inputs.catalogue.base, part)
            seed = seeds.integer(inputs.spec.seed, "sizes", repeat) if repeat else inputs.spec.seed
            asked = replace(
                inputs,
                spec=inputs.spec.model_copy(update={"seed": seed}),
                catalogue=replace(inputs.catalogue, base=replace(base, name=BASE), fingerprint=""),
            )
            where = folder / f"{offered or BASE}-{size}-{repeat}"
            found.append(Sized(rows=size, outputs=trained_once(asked, machine, where, stop)))
    return tuple(found)


def of_base(inputs: Inputs, seen: Sequence[Sized], rows: Mapping[str, Slice]) -> dict[str, MoreRows]:
    """Slice → what as many rows of the base again would do. rows: what is asked about."""
    now = float(max(one.rows for one in seen))
    found = {}
    for name, points, scale in _points(inputs, seen, rows):
        found[name] = of_curve(BASE, learning_curve(points, scale or 1.0), now, now, scale)
    return found


def of_offer(inputs: Inputs, seen: Sequence[Sized], offer: Offer, rows: Mapping[str, Slice]) -> dict[str, Any]:
    """What a dataset on offer would be worth at full size, slice by slice, as JSON."""
    told = {
        name: worth(points, offer.rows, least=LEAST * (scale or 1.0), scale=scale or 1.0).to_dict()
        for name, points, scale in _points(inputs, seen, rows)
    }
    return {"name": offer.name, "share": inputs.metric.better == "higher", "slices": told}


def explored_slices(inputs: Inputs) -> dict[str, Slice]:
    """The slices of the study on the rows that the search sees, where its metric is defined."""
    return {one.name: one for one in inputs.explore.measured if len(one.rows)}


def _points(
    inputs: Inputs, seen: Sequence[Sized], rows: Mapping[str, Slice]
) -> list[tuple[str, tuple[Point, ...], float | None]]:
    """Name, errors by rows, and their scale, of what has an error: a metric that is one, or misses something to 1."""
    found = []
    for name, one in rows.items():
        truth = inputs.table.targets[one.part][one.rows]
        scores = [inputs.metric.value(own.outputs[one.part][one.rows], truth) for own in seen]
        if (told := errors_of(scores, is_error=inputs.metric.better == "lower")) is None:
            continue
        errors, scale = told
        points = tuple(Point(rows=own.rows, error=error) for own, error in zip(seen, errors, strict=True))
        found.append((name, points, scale))
    return found


def _drawn(data: Dataset, size: int, seed: int) -> Array:
    """Rows by chance, one of each class among them as far as they go."""
    order = np.random.default_rng(seed).permutation(len(data))
    if data.y is not None and data.y.ndim == 1 and data.y.dtype.kind in "iu":
        _, first = np.unique(data.y[order], return_index=True)
        order = np.concatenate([order[np.sort(first)], np.delete(order, first)])
    return np.sort(order[:size])


def _together(base: Dataset, more: Dataset) -> Dataset:
    """Two datasets as one; of metadata what both have."""
    if not len(more):
        return base
    shared = [name for name in base.metadata.columns if name in more.metadata.columns]
    assert base.y is not None
    assert more.y is not None
    return replace(
        base,
        x=join([base.x, more.x]),
        y=np.concatenate([base.y, more.y]),
        metadata=pd.concat([base.metadata[shared], more.metadata[shared]], ignore_index=True),
        groups=None,
        attributes=None,
        fingerprint="",
    )
