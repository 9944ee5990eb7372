"""How the features of linear models are made of the columns of a space: worked out once, whatever rows come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

if TYPE_CHECKING:
    from autodc.search.space import Space

Array = np.ndarray[Any, Any]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """How features are made of columns: positions among the features, and what is known of each before a row is."""

    of: Array
    """The column of every feature."""
    staged: slice | Array
    """Features that are the strength of a dataset that has two stages: in either, and in the second."""
    stage: Array
    """The column of the stage of each."""
    later: Array
    """Whether each is that in the second alone."""
    numbers: Array
    chosen: Array
    """Features that are a contrast of a choice."""
    choice: Array
    """The choice of each."""
    share: Array
    """One over the number of choices of each."""
    counted: Array
    """Features that are 0 where their column does not count."""


def runs_of(columns: Array) -> list[slice]:
    """Rising columns as the stretches that follow one another: those are looked at without a copy."""
    parts = np.split(columns, np.flatnonzero(np.diff(columns) != 1) + 1)
    return [slice(int(part[0]), int(part[-1]) + 1) for part in parts if len(part)]


def feature_columns(space: Space) -> Columns:
    """What is known of the features of a space before a row is."""
    of, stage, choice = np.array(space.features_of, dtype=int).reshape(len(space.features_of), 3).T
    kinds = np.array([space.dimensions[i].kind for i in of], dtype="<U6")
    staged, chosen = np.flatnonzero(stage >= 0), np.flatnonzero(kinds == "choice")
    return Columns(
        of=of,
        staged=runs_of(staged)[0] if len(runs_of(staged)) == 1 else staged,
        stage=stage[staged],
        later=choice[staged] == 1,
        numbers=np.flatnonzero(kinds == "number"),
        chosen=chosen,
        choice=choice[chosen],
        share=1.0 / np.array([max(len(space.dimensions[i].choices), 1) for i in of[chosen]], dtype=float),
        counted=np.flatnonzero(kinds != "weight"),
    )


def feature_plan(space: Space) -> list[tuple[int, int, int]]:
    """(dimension, column of its stage or −1, choice) for every feature."""
    stage = {space.dimensions[i].stage_of: int(i) for i in space.stages}
    plan: list[tuple[int, int, int]] = []
    for i, dimension in enumerate(space.dimensions):
        if dimension.stage_of or (dimension.kind == "choice" and len(dimension.choices) < 2):
            continue
        if dimension.kind == "weight" and dimension.name in stage:
            plan += [(i, stage[dimension.name], 0), (i, stage[dimension.name], 1)]
        elif dimension.kind == "choice":
            skip = 1 if len(dimension.choices) == 2 else 0
            plan += [(i, -1, k) for k in range(skip, len(dimension.choices))]
        else:
            plan.append((i, -1, 0))
    return plan
