"""Sheets that people fill in: what is on them, and which labels they say of rows of the pool when they come back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autodc.adapters.label_files import LabelFile, read_label_file
from autodc.data.dataset import Dataset
from autodc.errors import DataError
from autodc.propose.labels import Wanted, understood
from autodc.review.requests import CARDS, PICTURES
from autodc.table import Table
from autodc.wire.shown_pictures import pictures_of

Array = np.ndarray[Any, Any]

PIXELS = 256
"""Of the longer side of a picture to label; larger ones are thinned out."""
MOST_COLUMNS, LONGEST = 40, 2000
"""Of a sheet: columns that are shown beside ids, and characters of a cell."""
SETTLED = 2.0
"""Seconds after its last change, or a look ago, from which on a delivery is whole."""
UNFIT = "labels do not fit the rows"


def sheet(data: Dataset, ids: Sequence[str], wanted: Wanted) -> dict[str, Array]:
    """What somebody needs to label rows, as arrays for the artefact store. data: these rows; ids: how they are called.

    What the model says of them is left out, for it would be copied.
    """
    context: dict[str, list[Any]] = {}
    pictures: dict[str, Array] = {}
    if isinstance(data.x, Table):
        if data.x.kind == "table":
            context = {str(name): _cells(values) for name, values in data.x.frame().items()}
        else:
            context = {"text" if data.x.kind == "text" else "file": _cells(data.x.texts())}
    elif (shown := pictures_of(np.asarray(data.x))) is not None:
        thin = -(-max(shown.shape[1:3]) // PIXELS)
        pictures = {PICTURES: shown[:, ::thin, ::thin]}
    else:
        flat = np.asarray(data.x).reshape(len(data), -1)[:, :MOST_COLUMNS]
        context = {f"x{k}": _cells(flat[:, k]) for k in range(flat.shape[1])}
    for name, values in data.metadata.items():
        context.setdefault(str(name), _cells(values))
    cards = {
        "ids": list(ids),
        "labels": list(wanted.columns),
        "context": dict(list(context.items())[:MOST_COLUMNS]),
        "classes": [str(one) for one in wanted.classes],
    }
    return {CARDS: np.frombuffer(json.dumps(cards, ensure_ascii=False).encode(), dtype=np.uint8), **pictures}


def whole_sheet(found: LabelFile, ids: Sequence[str], wanted: Wanted, place: str) -> list[Any]:
    """One target for each id of a sheet that came back, None where nobody could tell.

    Raises DataError ADC-PROP-077 where ids are twice, missing or none that was asked for, ADC-INBX-003 where no label
    is filled in, 001 where some are not; InputError ADC-PROP-074 for labels that the study does not have.
    """
    _refuse_misfit(found, set(ids), 0, place, missing=ids)
    labels = dict(zip(found.ids, found.labels, strict=True))
    empty = [one for one in ids if _is_empty(labels[one])]
    if len(empty) == len(ids):
        hint = f"fill in the column {', '.join(wanted.columns)}; it is taken where a round ends"
        raise DataError("ADC-INBX-003", "a sheet waits for its labels", place, f"{len(empty)} lines without", hint)
    if empty:
        hint = "fill them in, ? where nobody can tell"
        got = f"{len(empty)} of {len(ids)} lines without, row {empty[0]} the first"
        raise DataError("ADC-INBX-001", "a sheet is labelled in part", place, got, hint)
    return understood([labels[one] for one in ids], ids, wanted, place)


def labels_in(
    path: Path, place: str, wanted: Wanted, ids: Iterable[str], left_out: int, *, is_growing: bool = False
) -> dict[str, Any]:
    """Id → target of all that a file of labels says so far, None where nobody can tell.

    left_out: so many rows of the pool are not drawn from, whose ids may be there too; is_growing: a last line without
    its end does not count. Raises as `whole_sheet`, and DataError ADC-PROP-076 where it cannot be read.
    """
    found = read_label_file(path, wanted.columns or ("label",), place, is_growing=is_growing)
    known = set(ids)
    _refuse_misfit(found, known, left_out, place)
    said = {
        one: label for one, label in zip(found.ids, found.labels, strict=True) if one in known and not _is_empty(label)
    }
    return dict(zip(said, understood(list(said.values()), list(said), wanted, place), strict=True))


def _refuse_misfit(found: LabelFile, known: set[str], left_out: int, place: str, missing: Sequence[str] = ()) -> None:
    there = Counter(found.ids)
    wrong: Mapping[str, list[str]] = {
        "twice": [one for one, count in there.items() if count > 1],
        "of no row that was asked for": [one for one in there if one not in known],
        "missing": [one for one in missing if one not in there],
    }
    told = []
    for how, rows in wrong.items():
        if len(rows) > (left_out if how.startswith("of no row") else 0):
            told.append(f"{len(rows)} ids {how}, such as {rows[0]}")
    if told:
        hint = "give every row of the sheet one line, with its id as it is there and ? where nobody can tell"
        raise DataError("ADC-PROP-077", UNFIT, place, "; ".join(told), hint)


def _is_empty(label: Any) -> bool:
    return isinstance(label, str) and not label.strip()


def _cells(values: Iterable[Any]) -> list[Any]:
    """Values as JSON has them, long ones cut short."""
    found = []
    for value in values:
        one = value.item() if isinstance(value, np.generic) else value
        is_plain = isinstance(one, (bool, int, str)) or (isinstance(one, float) and np.isfinite(one))
        found.append(one[:LONGEST] if isinstance(one, str) else one if is_plain else None if _no(one) else str(one))
    return found


def _no(value: Any) -> bool:
    return value is None or str(value) in ("nan", "NaT", "<NA>")
