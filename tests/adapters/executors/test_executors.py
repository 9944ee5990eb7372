import pytest

from autodc.adapters.executors import InlineExecutor, LocalExecutor, open_executor, train_job
from autodc.spec.study import MachineSpec
from autodc.testing.executor_contract import ExecutorContract, Jobs, small_dataset
from autodc.trial.executor import Executor

SLOTS = 2


class TestInlineExecutor(ExecutorContract):
    supervised = False

    @classmethod
    def open_executor(cls) -> Executor:
        return InlineExecutor()


class TestLocalExecutor(ExecutorContract):
    @classmethod
    def open_executor(cls) -> Executor:
        return LocalExecutor(SLOTS)


@pytest.mark.slow
class TestTuneExecutor(ExecutorContract):
    workers = True

    @classmethod
    def open_executor(cls) -> Executor:
        return open_executor(MachineSpec(runner="ray", max_concurrent=SLOTS))


@pytest.mark.slow
class TestActorExecutor(ExecutorContract):
    workers = True

    @classmethod
    def open_executor(cls) -> Executor:
        return open_executor(MachineSpec(runner="actors", max_concurrent=SLOTS))


def test_a_disk_without_room_is_not_the_fault_of_the_plan(tmp_path):
    completion = train_job(Jobs(small_dataset(tmp_path))("full_disk"))
    assert completion.status == "surroundings"
    assert "No space left" in completion.error
