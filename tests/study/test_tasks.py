"""Predictions and calls: journalled ahead, run again after a death, answered once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodc.adapters.executors import open_executor
from autodc.errors import SurroundingsError
from autodc.study import tasks
from autodc.study.journal.events import TaskFinished, TaskPlanned
from autodc.studyfile.study import MachineSpec
from autodc.trial.executor import CallTask, Executor, MethodRef, PredictTask, StoredPart

OBJECTS = """
import os, signal
from pathlib import Path

import numpy as np


class Double:
    def predict(self, x):
        return 2.0 * np.asarray(x, dtype=float).reshape(len(x), -1)[:, 0]


def noted(call):
    with open(call.arguments["log"], "a") as log:
        log.write("called ")
    np.save(call.out / "x.npy", call.parts["rows"].x * call.arguments["times"])
    return {"rows": len(call.parts["rows"].x), "targets": call.parts["rows"].y is not None}


def dies_once(call):
    (call.out / "half.txt").write_text("half")
    marker = Path(call.arguments["marker"])
    if not marker.exists():
        marker.write_text("was here")
        os.kill(os.getpid(), signal.SIGKILL)
    names = sorted(file.name for file in call.out.iterdir())
    (call.out / "whole.txt").write_text("whole")
    return names


def no_json(call):
    return {"x": object()}
"""

X = np.arange(12.0).reshape(6, 2)


@pytest.fixture
def executor() -> Iterator[Executor]:
    opened = open_executor(MachineSpec(runner="inline"))
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the objects above and stored rows without targets."""
    (tmp_path / "objects.py").write_text(OBJECTS)
    (tmp_path / "rows").mkdir()
    np.save(tmp_path / "rows" / "x.npy", X)
    return tmp_path


def _call(folder: Path, name: str, **arguments: Any) -> CallTask:
    rows = StoredPart(name="rows", path=str(folder / "rows"))
    return CallTask(
        number=0,
        attempt=0,
        out=str(folder / "made"),
        object=f"objects.py:{name}",
        folder=str(folder),
        arguments=arguments,
        parts=(rows,),
    )


def _prediction(folder: Path) -> PredictTask:
    method = MethodRef(name="objects.py:Double", folder=str(folder), kind="regression", row_shape=())
    rows = StoredPart(name="rows", path=str(folder / "rows"))
    return PredictTask(number=0, attempt=0, out=str(folder / "scratch"), method=method, parts=(rows,))


def _noted(folder: Path, times: float = 3.0) -> CallTask:
    return _call(folder, "noted", log=str(folder / "log"), times=times)


def test_a_call_answers_with_json_and_files(world: Callable[..., Any], executor: Executor, folder: Path) -> None:
    answer = tasks.run(world().open([]), executor, _noted(folder))
    assert (answer.status, answer.value) == ("done", {"rows": 6, "targets": False})
    assert list(answer.files) == ["x.npy"]
    np.testing.assert_array_equal(np.load(folder / "made" / "x.npy"), 3 * X)


def test_a_prediction_answers_with_outputs_and_leaves_nothing(
    world: Callable[..., Any], executor: Executor, folder: Path
) -> None:
    answer = tasks.run(world().open([]), executor, _prediction(folder))
    assert answer.status == "done", answer.error
    np.testing.assert_array_equal(answer.outputs["rows"], 2 * X[:, 0])
    assert answer.predict_ms > 0
    assert not (folder / "scratch").exists()


def test_a_task_is_journalled_before_it_runs_and_its_answer_before_it_is_used(
    world: Callable[..., Any], executor: Executor, folder: Path
) -> None:
    rows: list[Any] = []
    core = world().open(rows)
    before = len(rows)
    tasks.Tasks(core, executor).submit(_noted(folder))
    assert [kind for kind, *_ in rows[before:]] == [TaskPlanned.__name__]
    executor.cancel()
    tasks.run(core, executor, _noted(folder))
    assert [kind for kind, *_ in rows[before:]] == [TaskPlanned.__name__, TaskFinished.__name__]


def test_what_was_answered_is_not_asked_again_after_a_restart(
    world: Callable[..., Any], executor: Executor, folder: Path
) -> None:
    hand, rows = world(), list[Any]()
    first = tasks.run(hand.open(rows), executor, _noted(folder))
    predicted = tasks.run(hand.open(rows), executor, _prediction(folder))
    again = hand.open(rows)
    assert tasks.run(again, executor, _noted(folder)) == first
    same = tasks.run(again, executor, _prediction(folder))
    np.testing.assert_array_equal(same.outputs["rows"], predicted.outputs["rows"])
    assert (folder / "log").read_text() == "called "
    assert len(again.state.tasks) == 2
    tasks.run(again, executor, _noted(folder, times=4.0))
    assert (folder / "log").read_text() == "called called "


@pytest.mark.parametrize("harm", ["gone", "changed"])
def test_an_answer_that_is_lost_or_damaged_is_made_again_under_its_number(
    world: Callable[..., Any], executor: Executor, folder: Path, harm: str
) -> None:
    hand, rows = world(), list[Any]()
    first = tasks.run(hand.open(rows), executor, _noted(folder))
    file = folder / "made" / "x.npy"
    _ = file.unlink() if harm == "gone" else file.write_bytes(file.read_bytes()[:-1] + b"?")
    core = hand.open(rows)
    assert tasks.run(core, executor, _noted(folder)).files == first.files
    np.testing.assert_array_equal(np.load(file), 3 * X)
    assert len(core.state.tasks) == 1


@pytest.mark.slow
def test_a_child_killed_in_the_middle_is_replaced_and_the_task_begun_afresh(
    world: Callable[..., Any], executor: Executor, folder: Path
) -> None:
    answer = tasks.run(world().open([]), executor, _call(folder, "dies_once", marker=str(folder / "marker")))
    assert (answer.status, answer.attempts) == ("done", 2), answer.error
    assert answer.value == ["half.txt"]
    assert sorted(answer.files) == ["half.txt", "whole.txt"]


@pytest.mark.slow
def test_a_child_killed_once_too_often_is_told_and_the_next_run_goes_on(
    world: Callable[..., Any], executor: Executor, folder: Path
) -> None:
    rows: list[Any] = []
    task = _call(folder, "dies_once", marker=str(folder / "marker"))
    first = tasks.run(world().open(rows), executor, task, retries=0)
    assert first.status == "crashed"
    assert "SIGKILL" in first.error
    assert not (folder / "made").exists()
    assert tasks.run(world().open(rows), executor, task).status == "done"


@pytest.mark.parametrize(
    ("name", "words"), [("no_json", "ADC-TASK-001"), ("missing", "has no missing"), ("X", "has no X")]
)
def test_a_bad_call_has_failed_with_its_words(
    world: Callable[..., Any], executor: Executor, folder: Path, name: str, words: str
) -> None:
    answer = tasks.run(world().open([]), executor, _call(folder, name))
    assert answer.status == "failed"
    assert words in answer.error


def test_rows_that_are_gone_are_put_in_place_or_end_the_run(
    world: Callable[..., Any], executor: Executor, folder: Path
) -> None:
    def restore() -> bool:
        np.save(folder / "rows" / "x.npy", X)
        return True

    (folder / "rows" / "x.npy").unlink()
    with pytest.raises(SurroundingsError, match="ADC-RUN-007"):
        tasks.run(world().open([]), executor, _noted(folder))
    assert tasks.run(world().open([]), executor, _noted(folder), restore=restore).status == "done"
