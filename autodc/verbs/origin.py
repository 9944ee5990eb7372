"""`autodc why DIR NAME --row`: where a row that a model was trained on comes from, back to its source."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from autodc.data.catalogue import POOL
from autodc.data.dataset import Dataset
from autodc.errors import AutodcError, InputError, each_of
from autodc.hints import meant
from autodc.plan.mixture import BASE
from autodc.review import lineage
from autodc.study.journal.state import State
from autodc.table import Table
from autodc.verbs.folder import open_state
from autodc.wire.lineage import RunRows, origin_of, read_rows_of


def row_origin(run: str | os.PathLike[str], name: str, row: int) -> dict[str, Any]:
    """The way of a row of a training dataset back to its source, step by step, as plain data and in words.

    run: the folder of a run; name: the base, the pool or a dataset of the roster; row: its position there, from 0.
    Where sources cannot be read again, or hold something else by now, what the journal tells is told, and `notes` say
    so. Raises InputError ADC-WHY-001 for a name that is no dataset, ADC-PROP-062 for a row that is not there.
    """
    folder, state = Path(run), open_state(run)
    _refuse_unknown(state, name)
    rows, notes = _again(folder, state)
    _refuse_beyond(name, row, _count(state, rows, name))
    chain: list[dict[str, Any]] = []
    step: tuple[str, int] | None = (name, row)
    while step is not None and len(chain) <= len(state.roster) + 1:
        told, step = _step(folder, state, rows, *step)
        chain.append(told)
    if rows is not None:
        notes += [error.brief for error in rows.changed(one["dataset"] for one in chain)]
    weights = lineage.trained_on(state)
    return {
        "dataset": name,
        "row": row,
        "target": chain[0]["target"],
        "weight": weights.get(name, 0.0),
        "words": lineage.row_words(chain),
        "verdict": lineage.verdict_words(chain[0]),
        "chain": chain,
        "notes": notes,
    }


def _again(folder: Path, state: State) -> tuple[RunRows | None, list[str]]:
    """The rows of the run, where they can be read."""
    try:
        return read_rows_of(folder, state, ()), []
    except InputError as error:
        return None, [f"the sources cannot be read again: {one.brief}" for one in each_of(error)]


def _step(
    folder: Path, state: State, rows: RunRows | None, name: str, row: int
) -> tuple[dict[str, Any], tuple[str, int] | None]:
    """What is known of one row, and the row that it was made of."""
    origin, about = origin_of(folder, state, name), lineage.dataset_lineage(state, name)
    data = _data(rows, name)
    made, changed, parent = None, {}, None
    if origin is not None and origin.parent is not None and origin.position is not None:
        how = lineage.proposal_of(state, name)
        made = {"words": how.get("words", ""), "maker": how.get("maker", ""), "arguments": how.get("arguments", {})}
        changed = {key: value for key, values in origin.changed.items() if (value := values[row]) is not None}
        if (whose := int(origin.parent[row])) >= 0:
            parent = origin.parents[whose], int(origin.position[row])
    told = {
        **{key: about[key] for key in ("source", "by", "round", "finding", "verdict", "reasons", "cost", "tags")},
        "dataset": name,
        "row": row,
        "target": _target(rows, data, row),
        "source_row": None if made is not None or rows is None or data is None else rows.in_source(name, row),
        "file": "" if data is None or made is not None else _file(data, row),
        "made": made,
        "changed": changed,
        "parent": None if parent is None else {"dataset": parent[0], "row": parent[1]},
    }
    return told, parent


def _data(rows: RunRows | None, name: str) -> Dataset | None:
    """A dataset, where its rows can be had."""
    if rows is None:
        return None
    try:
        return rows.dataset(name)
    except AutodcError:
        return None


def _target(rows: RunRows | None, data: Dataset | None, row: int) -> Any:
    """What the row should be answered by, as a user writes it; None of what is no single value, or not known."""
    if rows is None or data is None or row >= len(data) or data.y is None or data.y.ndim != 1:
        return None
    y = data.y[row : row + 1]
    found = y if rows.catalogue.classes is None else [rows.catalogue.classes[int(y[0])]]
    value = found[0]
    return value.decode() if isinstance(value, bytes) else value.item() if hasattr(value, "item") else value


def _file(data: Dataset, row: int) -> str:
    """The file of a row, where every row is one."""
    if row >= len(data):
        return ""
    if isinstance(data.x, Table) and data.x.kind == "files":
        return data.x[row : row + 1].texts()[0]
    named = not isinstance(data.x, Table) and "path" in data.metadata
    return str(data.metadata["path"].iloc[row]) if named else ""


def _count(state: State, rows: RunRows | None, name: str) -> int | None:
    """How many rows a dataset had; None where nothing tells."""
    known = state.card(name).get("rows")
    if known is None and (data := _data(rows, name)) is not None:
        return len(data)
    return None if known is None else int(known)


def _refuse_unknown(state: State, name: str) -> None:
    known = [BASE, *state.candidates, *([POOL] if POOL in state.question.parts else [])]
    if name not in known:
        near = meant(name, known)
        hint = f"did you mean {near}?" if near else f"known are {', '.join(known)}"
        raise InputError("ADC-WHY-001", "the study has no such dataset", "DATASET", repr(name), hint)


def _refuse_beyond(name: str, row: int, count: int | None) -> None:
    if row < 0 or (count is not None and row >= count):
        got = f"row {row} of `{name}`"
        hint = "count rows from 0" if count is None else f"its rows are 0 to {count - 1}"
        raise InputError("ADC-PROP-062", "this dataset has no such row", "--row", got, hint)
