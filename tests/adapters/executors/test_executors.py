import pytest

from autodc.adapters.executors import InlineExecutor, LocalExecutor, open_executor
from autodc.spec.study import MachineSpec
from autodc.testing.executor_contract import ExecutorContract
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
