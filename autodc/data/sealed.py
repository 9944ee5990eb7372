"""The sealed test set: read with its targets out of sight, it is only asked whether they fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from autodc.data.agreement import KINDS, counted, kind_of
from autodc.data.dataset import Dataset
from autodc.data.problems import SHOWN, listed
from autodc.data.where import select
from autodc.errors import AutodcError, DataError, InputError, each_of
from autodc.studyfile.study import StudySpec
from autodc.values import is_json

Array = np.ndarray[Any, Any]

Measure = Callable[[Dataset, Dataset], Dataset]
"""Gives a dataset its attributes: of base and dataset the dataset with them."""

MEND = "Rows are counted from 0; of the targets it was only asked whether they fit, so the test set stays sealed"


@dataclass(slots=True)
class Asked:
    """What the sealed test set answered."""

    warnings: list[str] = field(default_factory=list)
    """Slices without rows there."""
    unfit: list[AutodcError] = field(default_factory=list)
    """Slices whose `where` cannot be read there."""


def sealed(
    spec: StudySpec,
    read: Callable[[bool], Dataset],
    place: str,
    base: Dataset | None,
    asked: Asked,
    measure: Measure | None = None,
) -> tuple[Dataset, list[AutodcError]]:
    """The test set without its targets, and what of them does not fit. Nothing else that depends on them goes on.

    read: the rows, with or without targets; measure: as of `build_catalogue`, given the rows without.
    """
    try:
        whole = read(True)
    except InputError as error:
        return read(False), [_discreet(one) for one in each_of(error)]
    rows = replace(whole, y=None, fingerprint="")
    if base is None or (misfits := misfits_of(spec, whole, base.y, place)):
        return rows, [] if base is None else misfits
    columns = (rows if measure is None else measure(base, rows)).columns
    _ask_slices(spec, whole, columns, asked)
    return rows, []


def misfits_of(spec: StudySpec, test: Dataset, known: Array | None, place: str) -> list[AutodcError]:
    """Which targets of the test set are not such as the base has; `known` are the base's, as the user wrote them."""
    y = test.y
    assert y is not None
    assert known is not None
    if is_json(known):
        return []
    if y.shape[1:] != known.shape[1:]:
        got = f"{y.shape[1:] or 'one value'} a row, the base has {known.shape[1:] or 'one value'}"
        return [DataError("ADC-DATA-022", "targets of the test set of another shape than the base's", place, got)]
    kinds = (kind_of(y), kind_of(known))
    is_label = spec.task.kind == "classification"
    labels = counted(known)[0] if is_label else known[:0]
    if kinds[0] != kinds[1]:
        odd = ~np.isin(y.astype(str), labels.astype(str)) if is_label else np.zeros(len(y), dtype=bool)
        where = f"{_at(odd)}: " if odd.any() else ""
        got = f"{where}{KINDS.get(kinds[0], kinds[0])}, the base has {KINDS.get(kinds[1], kinds[1])}"
        hint = f"write them as the base does; {MEND}"
        return [DataError("ADC-DATA-022", "targets of the test set of another type than the base's", place, got, hint)]
    odd = ~np.isin(y, labels) if is_label else np.zeros(len(y), dtype=bool)
    if not odd.any():
        return []
    got = f"{_at(odd)}: {', '.join(map(repr, np.unique(y[odd]).tolist()[:SHOWN]))}"
    hint = (
        f"the base has {', '.join(map(repr, labels.tolist()))}; mend these labels, or rename with options: "
        f"{{map: {{old: new}}}}. {MEND}"
    )
    return [DataError("ADC-DATA-023", "the test set has classes that the base does not have", place, got, hint)]


def _at(odd: Array) -> str:
    rows = np.flatnonzero(odd)
    return f"{len(rows)} of {len(odd)} rows (row {listed(rows)})"


def _discreet(error: AutodcError) -> AutodcError:
    """What is wrong with sealed targets, without a sample of them."""
    got, hint = error.got.split(", such as")[0], "; ".join(part for part in (error.hint, MEND) if part)
    return DataError(error.code, f"the test set: {error.problem}", error.place, got, hint)


def _ask_slices(spec: StudySpec, test: Dataset, columns: pd.DataFrame, asked: Asked) -> None:
    """Which slices have rows in the test set. Of a `where` that fails on its targets no value is told."""
    empty = []
    cut = [(position, one) for position, one in enumerate(spec.slices) if one.source is None]
    for position, one in cut:
        place = f"{spec.place(f'slices[{position}].where')} (slice {one.name} of the test set)"
        try:
            found = one.where is None or select(one.where, columns, test.y, place=place).any()
        except DataError as error:
            got = f"{one.where!r}" if error.code == "ADC-DATA-034" else error.got
            asked.unfit.append(DataError(error.code, error.problem, error.place, got, error.hint))
            continue
        empty += [] if found else [one.name]
    if len(empty) == len(cut) and not asked.unfit:
        asked.warnings.append("no slice has rows in the test set: opening it will measure nothing")
    else:
        asked.warnings += [f"slice {name} has no rows in the test set: it is not measured there" for name in empty]
