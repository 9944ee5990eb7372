"""Coordinate exchange: it finds a top that needs many changes at once, and keeps what is held."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodc.search.coordinate_exchange import ascend
from autodc.search.space import Dimension, Space


def test_a_top_far_from_every_start_is_found_and_what_is_held_stays() -> None:
    weights = [Dimension(name=f"d{i}", kind="weight") for i in range(40)]
    space = Space(
        [*weights, Dimension(name="rate", kind="number"), Dimension(name="kind", kind="choice", choices=(1, 2))]
    )
    good = np.arange(40) % 3 == 0

    def value(rows: Any) -> Any:
        levels = rows[:, :40]
        return levels @ np.where(good, 1.0, -1.0) - 4 * (rows[:, 40] - 0.7) ** 2 + rows[:, 41] * (levels[:, 0] > 0.5)

    def held(rows: Any) -> Any:
        rows = np.array(rows)
        rows[:, 3] = 0.0
        return space.snap(rows)

    rows, values = ascend(space, value, np.zeros((2, 42)), held, np.random.default_rng(0), parents=1, rounds=12)
    best = rows[np.argmax(values)]
    assert (best[:40] > 0.9).tolist() == (good & (np.arange(40) != 3)).tolist()
    assert abs(best[40] - 0.7) < 0.05
    assert best[41] == 1
    assert (rows[:, 3] == 0).all()


def test_a_dimension_that_does_not_count_is_changed_together_with_what_makes_it_count() -> None:
    """A stage counts only under its recipe and where the dataset is in; each step alone gains nothing."""
    space = Space(
        [
            Dimension(name="recipe", kind="choice", choices=("concat", "two")),
            Dimension(name="d", kind="weight"),
            Dimension(name="stage", kind="choice", choices=("main", "early"), when=(("recipe", "two"),), stage_of="d"),
            Dimension(name="depth", kind="number", when=(("recipe", ["two", "three"]),)),
        ]
    )

    def value(rows: Any) -> Any:
        return 5 * rows[:, 2] - rows[:, 1] - rows[:, 0] - 2 * np.abs(rows[:, 3] - 0.5)

    rows, values = ascend(space, value, np.zeros((1, 4)), space.snap, np.random.default_rng(0), parents=1, rounds=12)
    best = rows[np.argmax(values)]
    assert (best[0], best[2]) == (1, 1)
    assert best[1] > 0
