"""The benchmark of GPUs says so where there is none, and that is no failure."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.slow(seconds=4)
def test_without_a_gpu_nothing_is_measured() -> None:
    hidden = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu"], capture_output=True, text=True, check=False, env=hidden
    )
    assert (done.returncode, done.stdout) == (0, "no GPU here that torch sees: nothing is measured\n"), done.stderr
