"""A cluster that a node joins and leaves while a run is at work on it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autodc.adapters.control import Control
from autodc.adapters.executors import open_executor
from autodc.adapters.executors.controlled import Controlled
from autodc.studyfile.study import MachineSpec
from autodc.testing.executor_contract.opened import collect
from autodc.testing.jobs import Jobs, small_dataset
from autodc.testing.waiting import PATIENCE, until

pytestmark = [pytest.mark.slow(seconds=45), pytest.mark.timeout(1800)]

HOUR = 3600.0
CLUSTER = """
import sys
from ray.cluster_utils import Cluster
memory = 80 * 2**20
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": memory})
print(cluster.address, flush=True)
sys.stdin.readline()
node = cluster.add_node(num_cpus=1, object_store_memory=memory)
sys.stdin.readline()
cluster.remove_node(node)
sys.stdin.readline()
cluster.shutdown()
"""


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A cluster of one core: at the first line a node of another joins, at the second it leaves."""
    environment = {**os.environ, "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
    words = [sys.executable, "-c", CLUSTER]
    process = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )
    yield process
    process.communicate("\n\n\n", timeout=PATIENCE)


def test_a_run_follows_a_cluster_that_grows_and_shrinks(tmp_path: Path, cluster: Any) -> None:
    (tmp_path / "data").mkdir()
    jobs, told, journalled = Jobs(small_dataset(tmp_path / "data")), list[str](), list[Any]()
    address = cluster.stdout.readline().strip()
    opened = open_executor(MachineSpec(address=address), notice=told.append)
    executor = Controlled(opened, Control(tmp_path), lambda **answer: journalled.append(answer))
    try:
        assert executor.slots == 1
        files = [tmp_path / f"pid-{k}" for k in range(2)]
        for file in files:
            executor.submit(jobs("sleep", seconds=HOUR, pid_file=str(file)))
        until(lambda: any(file.exists() for file in files), "the first trains", PATIENCE)

        _say(cluster)
        until(lambda: all(file.exists() for file in files), "both train", PATIENCE)
        executor.look()
        assert executor.slots == 2

        _say(cluster)
        until(lambda: executor.slots == 1, "the driver knows", PATIENCE)
        assert [one.status for one in collect(opened, 1)] == ["lost"]
        executor.look()
        of_nodes = [words for words in told if words.startswith("nodes")]
        assert of_nodes == ["nodes joined: slots are 2 now", "nodes left: slots are 1 now"]
        assert [(one["slots"], one["asked"]) for one in journalled] == [(2, ""), (1, "")]
    finally:
        executor.close()


def _say(process: Any) -> None:
    process.stdin.write("\n")
    process.stdin.flush()
