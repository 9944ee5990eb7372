from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from autodc.testing.waiting import PATIENCE, until

DRIVER = """
import sys
from pathlib import Path
from autodc.adapters.executors import LocalExecutor
from autodc.testing.jobs import Jobs, small_dataset

folder = Path(sys.argv[1])
executor = LocalExecutor(1)
executor.submit(Jobs(small_dataset(folder))(sys.argv[2], seconds=3600, pid_file=str(folder / "pid")))
executor.wait()
"""


@pytest.mark.slow
@pytest.mark.parametrize("act", ["sleep", "hang"])
def test_the_training_dies_with_its_driver(tmp_path: Path, act: Any) -> None:
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, str(tmp_path), act])
    file = tmp_path / "pid"
    until(lambda: file.exists() and file.read_text() != "", "it trains", PATIENCE)
    training = psutil.Process(int(file.read_text()))
    assert os.getsid(training.pid) != os.getsid(driver.pid), "Ctrl-C would reach the training"
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    until(lambda: not training.is_running() or training.status() == psutil.STATUS_ZOMBIE, "it is gone", PATIENCE)
