"""What comes back of a task on an executor: outputs, files, errors in words."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from autodc.adapters.executors.harness import run_task
from autodc.testing.executor_contract.opened import Opened, run_all
from autodc.testing.jobs import ROWS, Jobs
from autodc.trial.executor import Executor, TrainerRef


class Answers(Opened):
    """Every task comes back once, as it would here."""

    def test_nothing_under_way_gives_nothing(self, executor: Executor) -> None:
        assert executor.slots >= 1
        assert executor.wait() == []
        assert executor.wait(0.01) == []

    def test_every_job_comes_back_once_as_it_would_train_here(self, executor: Executor, jobs: Jobs) -> None:
        submitted = [jobs() for _ in range(12)]
        completions = run_all(executor, submitted)
        assert sorted(c.number for c in completions) == [job.number for job in submitted]
        assert executor.wait() == []
        for completion in completions:
            here = run_task(next(job for job in submitted if job.number == completion.number))
            assert completion.status == here.status == "done"
            assert completion.outputs["validation"].tobytes() == here.outputs["validation"].tobytes()
            assert 0 < completion.started <= completion.ended

    def test_a_trainer_that_raises_is_a_failed_trial_with_its_words(self, executor: Executor, jobs: Jobs) -> None:
        (completion,) = run_all(executor, [jobs("raise")])
        assert completion.status == "failed"
        assert "the loss is not a number, as planned" in completion.error
        assert completion.outputs == {}

    @pytest.mark.parametrize("act", ["nan", "short"])
    def test_bad_answers_are_failed_trials(self, executor: Executor, jobs: Jobs, act: str) -> None:
        (completion,) = run_all(executor, [jobs(act)])
        assert completion.status == "failed"
        assert "validation" in completion.error

    def test_an_unknown_trainer_is_a_failed_trial(self, executor: Executor, jobs: Jobs) -> None:
        trainer = TrainerRef(name="no_such_trainer", options={}, folder=".")
        (completion,) = run_all(executor, [replace(jobs(), trainer=trainer)])
        assert completion.status == "failed"
        assert "no_such_trainer" in completion.error

    def test_scratch_goes_and_the_model_stays_where_asked(self, executor: Executor, jobs: Jobs) -> None:
        kept, dropped, failed = jobs(keep_model=True), jobs(), jobs("raise", keep_model=True)
        Path(kept.out).mkdir()
        (Path(kept.out) / "left-over.txt").write_text("from an attempt before")
        run_all(executor, [kept, dropped, failed])
        assert sorted(entry.name for entry in Path(kept.out).iterdir()) == ["digests.json", "model"]
        assert (Path(kept.out) / "model" / "seed.txt").read_text() == str(kept.seed)
        assert not Path(dropped.out).exists()
        assert not Path(failed.out).exists()

    @pytest.mark.parametrize("threads", [1, 2])
    def test_a_training_sees_its_share_of_cores(self, executor: Executor, jobs: Jobs, threads: int) -> None:
        (completion,) = run_all(executor, [jobs("threads", threads=threads)])
        assert set(completion.outputs["validation"].tolist()) == {float(threads)}

    def test_a_trainer_that_leaves_is_a_failed_trial_that_says_so(self, executor: Executor, jobs: Jobs) -> None:
        (completion,) = run_all(executor, [jobs("leave")])
        assert completion.status == "failed"
        assert "SystemExit(0)" in completion.error
        assert [c.status for c in run_all(executor, [jobs()])] == ["done"]

    def test_data_that_is_gone_is_no_fault_of_the_plan(self, executor: Executor, jobs: Jobs) -> None:
        (first,) = run_all(executor, [jobs("delete")])
        assert first.status == "done"
        (second,) = run_all(executor, [jobs()])
        assert (second.status, second.missing) == ("surroundings", True)

    def test_what_a_method_learns_from_is_data_like_any_other(self, executor: Executor, jobs: Jobs) -> None:
        task = jobs.prediction()
        shutil.rmtree(jobs.folder / "base")
        (completion,) = run_all(executor, [task])
        assert (completion.status, completion.missing) == ("surroundings", True)

    def test_a_kept_model_that_is_damaged_is_not_gone_on_from(self, executor: Executor, jobs: Jobs) -> None:
        first = jobs(keep_model=True)
        model = Path(first.out) / "model"
        assert [c.status for c in run_all(executor, [first, jobs()])] == ["done", "done"]
        assert run_all(executor, [jobs(warm_start=str(model))])[0].status == "done"
        (model / "seed.txt").write_text("999")
        (second,) = run_all(executor, [jobs(warm_start=str(model))])
        assert (second.status, second.missing) == ("surroundings", True)
        assert "seed.txt is damaged" in second.error

    def test_how_long_a_training_took_is_told(self, executor: Executor, jobs: Jobs) -> None:
        (completion,) = run_all(executor, [jobs("sleep", seconds=0.2)])
        assert 0.2 <= completion.seconds <= completion.ended - completion.started + 0.1

    def test_predictions_and_calls_come_back_as_trainings_do(self, executor: Executor, jobs: Jobs) -> None:
        call, prediction = jobs.call(), jobs.prediction()
        training = jobs(number=call.number)
        found = {one.work: one for one in run_all(executor, [call, training, prediction])}
        assert {one.status for one in found.values()} == {"done"}, found
        assert found["call"].value == {"parts": ["validation"], "threads": 1}
        assert (Path(call.out) / "made.txt").read_text() == "made"
        assert list(found["call"].files) == ["made.txt"]
        mean = np.load(jobs.folder / "base" / "y.npy").mean()
        assert found["prediction"].outputs["validation"].tolist() == [mean] * ROWS
        assert found["training"].number == call.number
        assert not (Path(prediction.out)).exists()

    def test_a_call_that_raises_has_failed_and_leaves_nothing(self, executor: Executor, jobs: Jobs) -> None:
        task = jobs.call("raise")
        (completion,) = run_all(executor, [task])
        assert (completion.work, completion.status) == ("call", "failed")
        assert "the loss is not a number, as planned" in completion.error
        assert not Path(task.out).exists()
