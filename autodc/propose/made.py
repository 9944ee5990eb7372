"""What a maker leaves in its folder: rows as they may be trained on, and where each of them comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd

from autodc import files
from autodc.table import Inputs, Table

Array = np.ndarray[Any, Any]

INPUTS, COLUMNS, TARGETS = "x.npy", "x.arrow", "y.npy"
METADATA, ORIGIN, FACTS = "metadata.parquet", "origin.parquet", "made.json"
CHANGED = "changed."
"""Columns of an origin that say what was done begin so."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where rows come from: row i of them from row `position[i]` of dataset `parents[parent[i]]`."""

    parents: tuple[str, ...] = ()
    parent: Array | None = None
    """Shape (n,), -1 where a row was made of none."""
    position: Array | None = None
    """Shape (n,), -1 where a row was made of none."""
    changed: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """What was done to each row, by name of a column of n JSON values: a parameter of a generator, the label before."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Rows that were made."""

    x: Inputs
    """Shape (n, ...), as the base has them."""
    y: Array
    """Shape (n,) or (n, k)."""
    metadata: pd.DataFrame
    """n rows; may have no columns."""
    origin: Origin = Origin()
    coded: bool = True
    """Whether `y` holds class codes as stored datasets do; False: labels as the user writes them."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What else the journal tells of them: how pure, how many were double. JSON."""


def write(folder: Path, made: Made) -> dict[str, Any]:
    """Write rows into the folder of a call and return what the call answers: how many there are, and the facts."""
    if isinstance(made.x, Table):
        made.x.write(folder / COLUMNS)
    else:
        np.save(folder / INPUTS, np.ascontiguousarray(made.x), allow_pickle=False)
    np.save(folder / TARGETS, np.asarray(made.y), allow_pickle=False)
    made.metadata.reset_index(drop=True).to_parquet(folder / METADATA)
    n = len(made.x)
    origin_frame(made.origin, n).to_parquet(folder / ORIGIN)
    facts = {"rows": n, "parents": list(made.origin.parents), "coded": made.coded, "facts": dict(made.facts)}
    files.write_whole(folder / FACTS, json.dumps(facts))
    return facts


def origin_frame(origin: Origin, n: int) -> pd.DataFrame:
    """Where n rows come from, as it is stored."""
    known = pd.DataFrame(index=range(n))
    known["parent"] = -1 if origin.parent is None else origin.parent
    known["position"] = -1 if origin.position is None else origin.position
    for name, values in origin.changed.items():
        known[f"{CHANGED}{name}"] = [json.dumps(one) for one in values]
    return known


def read(folder: Path) -> Made:
    """Read what `write` left, inputs memory-mapped."""
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    x: Inputs
    if (folder / COLUMNS).exists():
        x = Table.open(folder / COLUMNS)
    else:
        x = np.load(folder / INPUTS, mmap_mode="r", allow_pickle=False)
    metadata = pd.read_parquet(folder / METADATA)
    return Made(
        x=x,
        y=np.load(folder / TARGETS, allow_pickle=False),
        metadata=metadata if len(metadata.columns) else pd.DataFrame(index=range(len(x))),
        origin=read_origin(folder / ORIGIN, tuple(facts["parents"])),
        coded=bool(facts["coded"]),
        facts=facts["facts"],
    )


def read_origin(path: Path, parents: tuple[str, ...]) -> Origin:
    """Read where rows come from, as `write` and the store of a study keep it. parents: the datasets it counts."""
    known = pd.read_parquet(path)
    changed = {
        str(name).removeprefix(CHANGED): tuple(json.loads(one) for one in known[name])
        for name in known.columns
        if str(name).startswith(CHANGED)
    }
    return Origin(
        parents=parents, parent=known["parent"].to_numpy(), position=known["position"].to_numpy(), changed=changed
    )
