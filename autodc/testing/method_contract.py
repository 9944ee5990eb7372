"""What every method owes, as a pytest class: subclass it with one fixture, `ref`.

    class TestMyMethod(MethodContract):
        @pytest.fixture
        def ref(self) -> MethodRef:
            return MethodRef(name="mine.py:Model", folder="examples", kind="classification", row_shape=(10,))

The rows are scikit-learn's digits, 8 × 8 scans of ten classes; a method for other rows overrides `rows`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from autodc.adapters.executors.harness import run_task
from autodc.adapters.methods import make_method
from autodc.errors import AutodcError
from autodc.testing.trainer_contract import digits
from autodc.trial.executor import Completion, MethodRef, PredictTask, StoredPart

Array = np.ndarray[Any, Any]

N_ROWS = 700
"""More than one batch."""


class MethodContract:
    """Row order, shape, sameness, and that nothing but inputs is seen."""

    reads_inputs: ClassVar[bool] = True
    """Whether outputs depend on the inputs at all."""

    @pytest.fixture
    def ref(self, tmp_path: Path) -> MethodRef:
        """The method under test."""
        raise NotImplementedError

    @pytest.fixture
    def rows(self) -> Array:
        """Inputs (n, ...) to predict, more than 512 of them."""
        return digits()[0][:N_ROWS]

    @pytest.fixture
    def model(self, ref: MethodRef) -> Path | None:
        """The folder that the method reads its model from, None where it has none. It is the test's to damage."""
        return None

    def test_outputs_are_in_row_order_and_of_the_shape_that_the_task_has(self, ref: MethodRef, rows: Array) -> None:
        """Gives one finite output a row, the same where the rows come backwards (to 1e-3)."""
        found = make_method(ref).predict({"rows": rows, "backwards": rows[::-1]})
        assert set(found) == {"rows", "backwards"}
        assert found["rows"].shape == (len(rows), *(ref.row_shape or ()))
        assert found["rows"].dtype.kind == "f"
        assert np.isfinite(found["rows"]).all()
        np.testing.assert_allclose(found["backwards"][::-1], found["rows"], rtol=1e-3, atol=1e-5)
        assert (np.ptp(found["rows"], axis=0) > 0).any() == self.reads_inputs

    def test_the_same_rows_give_the_same_outputs(self, ref: MethodRef, rows: Array) -> None:
        """Gives the same bits when asked twice, and from a method that is made anew."""
        method = make_method(ref)
        first, again = (method.predict({"rows": rows})["rows"] for _ in range(2))
        assert first.tobytes() == again.tobytes()
        assert make_method(ref).predict({"rows": rows})["rows"].tobytes() == first.tobytes()

    def test_batches_give_what_the_whole_gives(self, ref: MethodRef, rows: Array) -> None:
        """Lets no row depend on the rows beside it (to 1e-3)."""
        method, cuts = make_method(ref), np.split(rows, [1, 64, 600])
        found = method.predict({str(k): batch for k, batch in enumerate(cuts)})
        whole = method.predict({"rows": rows})["rows"]
        np.testing.assert_allclose(np.concatenate([found[str(k)] for k in range(4)]), whole, rtol=1e-3, atol=1e-5)

    def test_the_inputs_are_left_alone(self, ref: MethodRef, rows: Array) -> None:
        """Writes nothing into the arrays it is given."""
        before, mine = rows.tobytes(), rows.copy()
        make_method(ref).predict({"rows": mine})
        assert mine.tobytes() == before

    def test_targets_and_metadata_are_not_seen(self, ref: MethodRef, rows: Array, tmp_path: Path) -> None:
        """Gives the same bits where targets and metadata differ, and leaves no scratch."""
        found = []
        for name, shift in (("one", 0), ("other", 1)):
            folder = tmp_path / name
            folder.mkdir()
            np.save(folder / "x.npy", rows)
            np.save(folder / "y.npy", np.arange(len(rows)) + shift)
            pd.DataFrame({"tell": np.arange(len(rows)) + shift}).to_parquet(folder / "metadata.parquet")
            found.append(self._task(ref, folder, tmp_path / "scratch"))
        assert [one.status for one in found] == ["done", "done"], found[0].error
        assert found[0].outputs["rows"].tobytes() == found[1].outputs["rows"].tobytes()
        assert not (tmp_path / "scratch").exists()

    def test_rows_of_another_shape_are_refused(self, ref: MethodRef) -> None:
        """Raises, whatever the exception; not asked of a method that reads no inputs."""
        if not self.reads_inputs:
            pytest.skip("this method does not look at its inputs")
        with pytest.raises(Exception, match=r"."):
            make_method(ref).predict({"rows": np.zeros((4, 3, 5), np.float32)})

    @pytest.mark.parametrize("harm", ["cut", "empty", "gone"])
    def test_a_damaged_model_is_told(self, ref: MethodRef, rows: Array, model: Path | None, harm: str) -> None:
        """Raises an AutodcError with code and problem where its model is cut, empty or gone."""
        if model is None:
            pytest.skip("this method has no model folder")
        for file in [file for file in model.rglob("*") if file.is_file()]:
            if harm == "gone":
                file.unlink()
            else:
                os.truncate(file, file.stat().st_size // 2 if harm == "cut" else 0)
        with pytest.raises(AutodcError) as told:
            make_method(ref).predict({"rows": rows})
        assert told.value.code.startswith("ADC-")
        assert told.value.problem

    def _task(self, ref: MethodRef, folder: Path, out: Path) -> Completion:
        part = StoredPart(name="rows", path=str(folder))
        return run_task(PredictTask(number=0, attempt=0, out=str(out), method=ref, parts=(part,)))
