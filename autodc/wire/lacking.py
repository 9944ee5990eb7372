"""What validation has and the rows of the incumbent lack, measured where neither of them is at home.

Measures and spaces of a study are fitted to its base and know its rows (of texts every word), so that they tell base
from validation where nothing is missing. Here all is fitted to free rows of the pool, and measured by what needs no
network: it is asked anew in every round, beside the trainings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from autodc import seeds
from autodc.data.dataset import Dataset
from autodc.data.overlap import joint_clusters
from autodc.diagnose.shadow.columns import Columns
from autodc.diagnose.view import View as Rows
from autodc.large import evenly
from autodc.propose.pool import FEWEST
from autodc.propose.pool_missing import Lack, lack
from autodc.table import Table
from autodc.wire.explored import measured_alike
from autodc.wire.inputs import Inputs

Array = np.ndarray[Any, Any]
Measured = tuple[pd.DataFrame, dict[str, Array]]

MOST, MOST_FILES = 20_000, 4_000
"""So many rows of each part are looked at, fewer where each is a file to read: of the base evenly, of the pool by
chance."""


def lacking(inputs: Inputs, rows: Rows, taken: Array, barred: Array, round_number: int) -> Lack | None:
    """Tell what is missing; None where it cannot be told. Its `like` has 0 for rows of the pool that are not looked at.

    rows: the explore rows; taken: positions in the pool of rows that are trained on beside the base; barred: shape
    (N,), rows of the pool that are not free.
    """
    catalogue, seed = inputs.catalogue, seeds.integer(inputs.spec.seed, "missing", round_number)
    assert catalogue.pool is not None
    free = np.flatnonzero(~barred)
    most = MOST_FILES if isinstance(catalogue.base.x, Table) and catalogue.base.x.kind == "files" else MOST
    free = np.sort(np.random.default_rng(seed).permutation(free)[:most])
    if len(free) < FEWEST:
        return None
    home = replace(catalogue.pool.take(free), y=None)
    trained = [catalogue.base.take(evenly(len(catalogue.base), most))]
    if len(taken):
        trained.append(catalogue.pool.take(evenly(taken, most)))
    explore = catalogue.validation.take(rows.ids)
    *own, seen, offered = _features(inputs, home, [*trained, explore, home])
    *units, unit = joint_clusters([*trained, explore])
    found = lack(np.concatenate(own), seen, (np.concatenate(units), unit), offered, seed)
    if found is None:
        return None
    like = np.zeros(len(barred))
    like[free] = found.like
    return replace(found, like=like)


def _features(inputs: Inputs, home: Dataset, parts: Sequence[Dataset]) -> list[Array]:
    """Attributes and places of rows side by side, fitted to others. home: these others."""
    spec = inputs.spec.model_copy(update={"attributes": ()})
    beside = replace(inputs, spec=spec, catalogue=replace(inputs.catalogue, base=home))
    found: list[Measured] = [measured_alike(beside, replace(one, attributes=None))[:2] for one in parts]
    *_, (explored, _), (offered, _) = found
    columns = Columns.shared(explored, offered)
    shared = [one for one in columns.columns if all(one.source in frame for frame, _ in found)]
    columns = replace(columns, columns=tuple(shared))
    return [
        np.column_stack([columns.encode(frame), *(places[name] for name in sorted(places))]).astype(np.float32)
        for frame, places in found
    ]
