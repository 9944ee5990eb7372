from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

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


def _wait_for(condition: Any, seconds: Any = 200.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("act", ["sleep", "hang"])
def test_the_training_dies_with_its_driver(tmp_path: Path, act: Any) -> None:
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, str(tmp_path), act])
    file = tmp_path / "pid"
    _wait_for(lambda: file.exists() and file.read_text() != "")
    training = psutil.Process(int(file.read_text()))
    assert os.getsid(training.pid) != os.getsid(driver.pid), "Ctrl-C would reach the training"
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    _wait_for(lambda: not training.is_running() or training.status() == psutil.STATUS_ZOMBIE)
