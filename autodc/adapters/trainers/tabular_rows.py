"""Rows of a table as one float32 array for a network: numbers first, then codes of categories for embeddings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autodc.data.views import hashed_words, numeric
from autodc.large import some_places
from autodc.table import Inputs, Table, take
from autodc.trial.outputs import TrainerError
from autodc.trial.trainer import TrainPart

Array = np.ndarray[Any, Any]

WORDS = 64
"""Numbers that a column of text becomes, by hashing."""
MOST_CATEGORIES = 4096
"""The commonest have a code of their own; 0 stands for the others, those never seen and missing ones."""
BATCH = 16_384
MOST_SCALED, MOST_COUNTED = 200_000, 1_000_000
"""Means and deviations, and categories, are those of so many rows of a part at most, evenly."""


def described(parts: Sequence[TrainPart]) -> dict[str, Any]:
    """What is needed to read rows as the training did, as JSON: columns, their types, and the categories in order."""
    x = parts[0].x
    if not isinstance(x, Table):
        return {"n_columns": int(np.prod(x.shape[1:])), "columns": [], "vocabularies": {}}
    if x.kind != "table":
        hint = "a table has columns; text and files need another trainer, or a source that reads them as arrays"
        raise TrainerError("ADC-TRAIN-103", "these rows are no table", "torch_tabular", x.kind, hint)
    vocabularies = {name: _commonest(parts, name) for name, kind in x.schema.items() if kind == "category"}
    return {"n_columns": len(x.types), "columns": [list(one) for one in x.schema.items()], "vocabularies": vocabularies}


def n_numbers(facts: Mapping[str, Any]) -> int:
    """How many of the numbers of a row are no codes."""
    if not facts.get("columns"):
        return int(facts["n_columns"])
    return sum({"category": 0, "text": WORDS}.get(kind, 1) for _, kind in facts["columns"])


def cards(facts: Mapping[str, Any]) -> list[int]:
    """How many codes each column of categories has, 0 among them."""
    return [1 + len(known) for known in facts.get("vocabularies", {}).values()]


def encoded(x: Inputs, facts: Mapping[str, Any]) -> Array:
    """Rows as float32, shape (n, numbers + columns of categories), NaN where a number is missing."""
    if not isinstance(x, Table):
        if x.dtype.kind not in "fiub" or facts.get("columns") or int(np.prod(x.shape[1:])) != facts["n_columns"]:
            raise _unfit(facts, f"rows of {x.shape[1:]} {x.dtype}")
        return np.asarray(x).reshape(len(x), facts["n_columns"]).astype(np.float32)
    if [list(one) for one in x.schema.items()] != [list(one) for one in facts.get("columns", ())]:
        raise _unfit(facts, ", ".join(x.names))
    found, at = np.empty((len(x), n_numbers(facts) + len(facts["vocabularies"])), dtype=np.float32), 0
    code = n_numbers(facts)
    for name, kind in x.schema.items():
        if kind == "category":
            found[:, code] = _codes(x, name, facts["vocabularies"][name])
            code += 1
        elif kind == "text":
            found[:, at : at + WORDS] = hashed_words(x.texts(name), WORDS)
            at += WORDS
        else:
            found[:, at] = numeric(x, name)
            at += 1
    return found


def _codes(x: Table, name: str, vocabulary: Sequence[str]) -> Array:
    """The place of each category in a vocabulary, from 1; 0 where it is not there, or missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.index_in(x.column(name), value_set=pa.array(vocabulary, pa.large_string()))
    return 1 + np.asarray(found.fill_null(-1).to_numpy())


def moments(parts: Iterable[TrainPart], facts: Mapping[str, Any]) -> tuple[Array, Array]:
    """Mean and standard deviation of each number over the mixture, rows by weight, missing ones left out."""
    width = n_numbers(facts)
    total, mean, squares = np.zeros(width), np.zeros(width), np.zeros(width)
    for part in parts:
        weight = part.weight * max(1.0, len(part.x) / MOST_SCALED)
        for some in some_places(len(part.x), MOST_SCALED, BATCH):
            rows = encoded(part.x[some], facts)[:, :width].astype(np.float64)
            known = ~np.isnan(rows)
            count = weight * known.sum(axis=0)
            own = np.where(known, rows, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
            spread = (np.where(known, rows - own, 0.0) ** 2).sum(axis=0) * weight
            share = np.divide(count, total + count, out=np.zeros(width), where=total + count > 0)
            squares += spread + (own - mean) ** 2 * total * share
            mean += (own - mean) * share
            total += count
    scale = np.sqrt(squares / np.maximum(total, np.finfo(np.float64).tiny))
    scale[scale == 0] = 1.0
    return mean, scale


def _commonest(parts: Sequence[TrainPart], name: str) -> list[str]:
    """The categories that training rows have, the commonest first; among equals by name."""
    import pyarrow.compute as pc

    counts = Counter[str]()
    for table in (part.x for part in parts if isinstance(part.x, Table)):
        for some in some_places(len(table), MOST_COUNTED, BATCH):
            values, count = pc.value_counts(take(table.arrow.select([name]), some)[name].drop_null()).flatten()
            counts.update(dict(zip(values.to_pylist(), count.to_pylist(), strict=True)))
    ranked = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return [str(value) for value, _ in ranked[:MOST_CATEGORIES]]


def _unfit(facts: Mapping[str, Any], got: str) -> TrainerError:
    names = ", ".join(name for name, _ in facts.get("columns", ())) or f"{facts['n_columns']} numbers a row"
    return TrainerError("ADC-TRAIN-034", f"inputs do not fit, {names} are needed", "torch_tabular", got)
