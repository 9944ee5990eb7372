"""What a worker has in memory before it trains: what the trainer needs, and little of ours."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from autodc.adapters.executors import child, harness, prints, programs, threads
from autodc.trial.executor import TrainerRef
harness.trainer_for(TrainerRef(name="torch_tabular", options={}, folder="."))
print(*[name for name in sys.argv[1:] if name in sys.modules])
"""


@pytest.mark.slow(seconds=3)
def test_a_worker_of_a_network_has_nothing_of_search_and_statistics_in_memory() -> None:
    left_out = ["scipy", "sklearn", "optuna", "autodc.search", "autodc.gate", "autodc.diagnose", "autodc.study.journal"]
    program = [sys.executable, "-c", PROGRAM, *left_out, "torch"]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["torch"], done.stderr
