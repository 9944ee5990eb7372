"""A slice on which the metric is not defined is no evidence: it passes nothing, fails nothing, and is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodc
from autodc.errors import InputError
from autodc.evaluation.scores import score
from autodc.review import views
from autodc.review.notices import slice_alarms
from autodc.studyfile.study import MachineSpec
from autodc.verbs.outputs import open_result
from autodc.wire.inputs import read_inputs
from autodc.wire.study import started_event

Write = Any


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a study of two classes, with a candidate that teaches the second half of the rows, and load it."""

    def put(name: str, rows: int, seed: int, halves: tuple[int, ...]) -> None:
        rng = np.random.default_rng(seed)
        half = rng.choice(halves, rows)
        x = rng.normal(size=(rows, 4)).astype(np.float32)
        y = (x[:, 0] * np.where(half == 1, -1, 1) + 0.5 * rng.normal(size=rows) > 0).astype(int)
        x[:, 3] = half
        np.savez(tmp_path / f"{name}.npz", x=x, y=y, half=half)

    def made(slices: Any, **metrics: Any) -> autodc.StudySpec:
        for i, (name, halves) in enumerate({"base": (0,), "turned": (1,), "held": (0, 1), "test": (0, 1)}.items()):
            put(name, 300, i, halves)
        return autodc.StudySpec.model_validate(
            {
                "schema_version": 1,
                "name": "curves",
                "task": {
                    "kind": "classification",
                    "trainer": "sklearn",
                    "options": {"estimator": "RandomForestClassifier", "params": {"n_estimators": 10}},
                },
                "data": {
                    "base": {"source": "base.npz"},
                    "candidates": [{"name": "turned", "source": "turned.npz"}],
                    "validation": {"source": "held.npz"},
                    "test": {"source": "test.npz"},
                },
                "metrics": {"primary": "roc_auc", **metrics},
                "slices": slices,
                "loop": {"rounds": 1},
                "search": {"trials_per_round": 4},
                "budget": {"trainings": 24},
                "tracking": {"uri": "none"},
            }
        ).placed(str(tmp_path))

    return made


TURNED = {"name": "turned_half", "role": "target", "where": "half = 1"}
SECOND = {"name": "second", "role": "guard", "where": "target = 1", "margin": 0.05}


def test_it_is_known_before_a_training_and_its_rows_say_nothing(write: Write) -> None:
    inputs = read_inputs(write([TURNED, SECOND]))
    card = started_event(inputs).slices["second"]
    assert card["needed"] == 0
    (told,) = slice_alarms({"second": card, "turned_half": started_event(inputs).slices["turned_half"]})[-1:]
    assert "the metric is not defined on its rows" in told
    assert "gate.min_rows" not in told
    rng = np.random.default_rng(0)
    outputs = {"validation": rng.dirichlet([1, 1], len(inputs.table.targets["validation"]))}
    found = score(inputs.table, inputs.metric, "classification", outputs, gate=inputs.gate, explore=inputs.explore)
    assert set(found.slices) == set(found.explore) == {"turned_half"}
    assert not inputs.gate["second"].is_evidence(2)


def test_a_study_without_a_target_it_is_defined_on_is_refused(write: Write) -> None:
    with pytest.raises(InputError, match="ADC-METRIC-072") as caught:
        read_inputs(write([{**TURNED, "where": "target = 0"}]))
    assert "two classes" in caught.value.hint


@pytest.mark.slow
def test_a_study_with_one_decides_by_the_others_and_tells_of_it(write: Write, tmp_path: Path) -> None:
    autodc.run(write([TURNED, SECOND]), MachineSpec(runner="inline"), tmp_path / "out")
    state, content = open_result(tmp_path / "out")
    assert content["kept"] == ["turned"]
    assert set(content["test"]["before"]) == set(content["validation"]["after"]) == {"turned_half"}
    (look,) = views.why(state, "turned")["comparisons"][0]["looks"][-1:]
    assert look["slices"]["second"]["state"] == "no evidence: the metric is not defined on its rows"
