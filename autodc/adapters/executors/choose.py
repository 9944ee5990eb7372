"""Opens the executor that a machine file asks for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from autodc.trial.executor import Executor

if TYPE_CHECKING:
    from autodc.studyfile.study import MachineSpec


def open_executor(
    machine: MachineSpec,
    *,
    log_folder: str | None = None,
    notice: Callable[[str], None] = lambda words: None,
    stop: Callable[[], bool] = lambda: False,
) -> Executor:
    """Start the executor of `machine.runner`; log_folder gets what the training processes print, where it is given.

    notice: told in words, from any thread, what the executor meets; stop: asked while it starts, True ends that with
    study.driver.Interrupted. Raises InputError ADC-EXEC-020 where Ray is wanted and not installed, ADC-EXEC-022 where
    no trial fits, SurroundingsError ADC-EXEC-021 where Ray does not start or the cluster does not answer.
    """
    if log_folder is not None:
        Path(log_folder).mkdir(parents=True, exist_ok=True)
    if machine.runner == "inline":
        from autodc.adapters.executors.inline import LocalExecutor

        logs = None if log_folder is None else Path(log_folder)
        threads = max(1, int(machine.cpus_per_trial))
        return LocalExecutor.on_shared_child() or LocalExecutor(1, threads=threads, log_folder=logs)
    from autodc.adapters.executors import cluster

    return cluster.open_on_ray(machine, log_folder, notice, stop)
