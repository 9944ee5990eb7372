"""The model of a real run, loaded as the page says, predicts as the run did."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import autodc
from autodc.adapters.journal import state_of
from autodc.errors import InputError
from autodc.verbs.init import write_example
from autodc.verbs.run import exhibits_of


@pytest.mark.slow(seconds=8)
def test_the_loaded_model_predicts_validation_as_well_as_the_run_says(tmp_path: Path) -> None:
    write_example(str(tmp_path / "digits"), "digits")
    spec = autodc.load(tmp_path / "digits" / "study.yaml", ["budget.trainings=8", "loop.rounds=1", "tracking.uri=none"])
    result = autodc.run(spec, autodc.MachineSpec(runner="inline"), tmp_path / "out", command="autodc run study.yaml")
    model = autodc.load_model(result.folder)
    state = state_of(result.folder)
    assert state.sessions[-1].command == "autodc run study.yaml"
    assert state.sessions[-1].environment["python"]
    shape = tuple(model.inputs["shape"])
    scores = model.predict(np.zeros((3, *shape), dtype=np.float32))
    stored = exhibits_of(result.folder)(state.outputs[state.incumbent]) if state.incumbent in state.outputs else None
    assert scores.shape[0] == 3
    assert stored is None or scores.shape[1:] == stored["validation"].shape[1:]
    page = (result.folder / "report" / "index.html").read_text()
    assert "autodc run study.yaml" in page
    assert "autodc.load_model(" in page


def test_rows_of_another_kind_are_refused() -> None:
    model = autodc.Model(folder="runs/a", inputs={"kind": "table", "columns": {"hour": "number"}}, method=None)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="predicts a DataFrame with the columns hour"):
        model.predict(np.zeros((2, 3)))
    model = autodc.Model(folder="runs/a", inputs={"kind": "text"}, method=None)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="a list of texts"):
        model.predict("one text")
