"""What a training prints is in its log and not on the terminal, and it has the share of cores that it was given."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from autodc.adapters.executors import InlineExecutor
from autodc.adapters.executors.prints import KEPT_LOGS, LOG_BYTES, close_log, drop_worker_logs
from autodc.testing.executor_contract.opened import run_all
from autodc.testing.jobs import Jobs, small_dataset
from autodc.trial.executor import PRINTED, TrainerRef

PROGRAMS = Path(__file__).parent / "programs"
TALKER = TrainerRef(name="talks.py:Talker", options={}, folder=str(PROGRAMS))
WAYS = ("of Python", "of its stderr", "of C", "of a descriptor", "of a program")


@pytest.fixture(params=["child", "inline"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "child":
        executor, logs = request.getfixturevalue("child")
        for file in logs.glob("trial-*"):
            file.unlink()
        return executor, logs
    return InlineExecutor(tmp_path / "logs"), tmp_path / "logs"


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    return Jobs(small_dataset(tmp_path))


def test_all_that_is_printed_is_in_the_log_and_nothing_on_the_terminal(
    opened: Any, jobs: Jobs, capfd: pytest.CaptureFixture[str]
) -> None:
    executor, logs = opened
    (completion,) = run_all(executor, [jobs(trainer=TALKER)])
    assert completion.status == "done"
    assert completion.error == ""
    printed = (logs / "trial-1-1.log").read_text()
    assert sorted(printed.splitlines()) == sorted(WAYS)
    assert capfd.readouterr() == ("", "")
    print("the study goes on")
    print("and says so", file=sys.stderr)
    assert capfd.readouterr() == ("the study goes on\n", "and says so\n")


def test_what_a_program_prints_is_in_the_log_too(child: Any, jobs: Jobs) -> None:
    executor, logs = child
    code = "import sys; print('epoch 1'); sys.exit('out of data: {job}')"
    program = TrainerRef(name="command", options={"argv": [sys.executable, "-c", code]}, folder=str(PROGRAMS))
    (completion,) = run_all(executor, [jobs(trainer=program, number=33)])
    assert completion.status == "failed"
    printed = (logs / "trial-33-1.log").read_text()
    assert "epoch 1" in printed
    assert "out of data" in printed


def test_a_training_that_fails_tells_what_it_printed_last(opened: Any, jobs: Jobs) -> None:
    executor, logs = opened
    (completion,) = run_all(executor, [jobs("raise", trainer=TALKER, lines=30)])
    told, _, printed = completion.error.partition(PRINTED)
    assert "it is over" in told.splitlines()[-1]
    assert printed.splitlines()[-1].startswith("line 29")
    assert len(printed.splitlines()) < 20
    assert "line 3 " in (logs / "trial-1-1.log").read_text()


def test_a_training_that_prints_nothing_leaves_no_log(opened: Any, jobs: Jobs) -> None:
    executor, logs = opened
    run_all(executor, [jobs()])
    assert not list(logs.glob("trial-*"))


def test_a_log_keeps_its_end(opened: Any, jobs: Jobs) -> None:
    executor, logs = opened
    run_all(executor, [jobs(trainer=TALKER, lines=3 * LOG_BYTES // 100)])
    log = (logs / "trial-1-1.log").read_text()
    assert len(log) <= LOG_BYTES + 100
    first, *rest = log.splitlines()
    assert "left out" in first
    assert rest[-1].startswith(f"line {3 * LOG_BYTES // 100 - 1} ")


@pytest.mark.slow
def test_a_process_that_dies_has_its_last_words_in_log_and_error(child: Any, jobs: Jobs) -> None:
    executor, logs = child
    (completion,) = run_all(executor, [jobs("exit", number=77)])
    assert "last words of the trainer" in completion.error
    assert (logs / "trial-77-1.log").read_text() == "last words of the trainer\n"


def test_the_newest_logs_stay_and_those_of_workers_go(tmp_path: Path) -> None:
    logs = [tmp_path / f"trial-{number}-0.log" for number in range(KEPT_LOGS + 5)]
    for at, log in enumerate(logs):
        log.write_text("talk")
        os.utime(log, (at, at))
    (tmp_path / "worker-12.log").write_text("talk")
    close_log(logs[-1])
    drop_worker_logs(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(logs[5:])


def test_without_a_log_the_study_goes_on(tmp_path: Path, jobs: Jobs) -> None:
    (tmp_path / "taken").write_text("a file where the folder of logs should be")
    (completion,) = run_all(InlineExecutor(tmp_path / "taken"), [jobs("raise", trainer=TALKER)])
    assert completion.error.endswith("of a program") or "of C" in completion.error


@pytest.mark.slow
def test_every_library_has_the_share_of_cores_that_the_task_was_given(child: Any, jobs: Jobs) -> None:
    pytest.importorskip("lightgbm")
    pytest.importorskip("torch")
    (completion,) = run_all(child[0], [jobs.call(object="threads.py:threads_seen", folder=str(PROGRAMS), threads=1)])
    assert completion.status == "done", completion.error
    seen = completion.value
    assert seen["more"] == 0, "LightGBM started threads beyond the share"
    assert (seen["pools"], seen["torch"], seen["arrow"]) == ([1], [1, 1], 1)
