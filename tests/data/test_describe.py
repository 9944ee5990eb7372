"""What candidates hold in a few numbers: similar ones are near, the same content gives the same numbers."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodc.data.dataset import Dataset
from autodc.data.describe import COLUMNS, ROWS, descriptors
from autodc.search.clusters import MANY
from autodc.search.encoding import PlanEncoding
from autodc.studyfile import load
from autodc.testing.worlds.cells import write_world
from autodc.wire.inputs import read_inputs
from autodc.wire.problem import described_problem


def dataset(name: Any, rng: Any, shift: Any = 0.0, rows: Any = 40, width: Any = 6, **columns: Any) -> Any:
    x = rng.normal(shift, 1.0, (rows, width))
    frame = pd.DataFrame({c: np.full(rows, v) for c, v in columns.items()}, index=range(rows))
    return Dataset(name=name, x=x, y=(np.arange(rows) % 3), metadata=frame)


def test_similar_candidates_are_near_and_what_not_all_have_is_left_out() -> None:
    rng = np.random.default_rng(0)
    base = dataset("base", rng)
    made = {
        f"c{i}": dataset(f"c{i}", rng, 3.0 * (i % 2), year=2000.0 + i, **({"odd": 1.0} if i % 2 else {}))
        for i in range(6)
    }
    found = descriptors(base, made, 3, {"c0": ("web",), "c1": ("camera", "web")}, 7)
    assert found == descriptors(base, made, 3, {"c0": ("web",), "c1": ("camera", "web")}, 7)
    rows = np.array([found[n] for n in made])
    assert rows.shape == (6, 2 * 6 + 3 + 1 + 2)
    assert rows[:, 15] == pytest.approx(2000.0 + np.arange(6))
    assert rows[0, 16:].tolist() == [0.0, 1.0]
    assert rows[1, 16:].tolist() == [1.0, 1.0]
    means = rows[:, :6]
    assert np.linalg.norm(means[0] - means[2]) < np.linalg.norm(means[0] - means[1]) / 2


@pytest.mark.slow
def test_large_and_wide_candidates_are_drawn_from_the_same_way_every_time() -> None:
    rng = np.random.default_rng(1)
    base = dataset("base", rng, rows=12, width=COLUMNS + 10)
    made = {"wide": dataset("wide", rng, rows=ROWS + 5, width=COLUMNS + 10)}
    one, two = (descriptors(base, made, 0, {}, 3)["wide"] for _ in range(2))
    assert one == two
    assert len(one) == 2 * 12
    assert np.isfinite(one).all()


def test_a_study_of_many_candidates_is_searched_by_clusters_and_one_of_few_is_not(tmp_path: Path) -> None:
    inputs = read_inputs(load(write_world(tmp_path)))
    assert described_problem(inputs.spec, inputs.catalogue, inputs.gate, inputs.explore).descriptors == {}
    first = inputs.spec.data.candidates
    many = [first[i % len(first)].model_copy(update={"name": f"c{i}", "tags": (f"t{i % 4}",)}) for i in range(MANY + 4)]
    spec = inputs.spec.model_copy(update={"data": inputs.spec.data.model_copy(update={"candidates": tuple(many)})})
    sets = {c.name: inputs.catalogue.candidates[first[i % len(first)].name] for i, c in enumerate(many)}
    grown = dataclasses.replace(inputs, spec=spec, catalogue=dataclasses.replace(inputs.catalogue, candidates=sets))
    problem = described_problem(grown.spec, grown.catalogue, grown.gate, grown.explore)
    assert set(problem.descriptors) == set(sets)
    found = {tuple(one.tolist()) for cut in PlanEncoding(problem).space.clusters for one in cut}
    assert len(found) >= len(first)
