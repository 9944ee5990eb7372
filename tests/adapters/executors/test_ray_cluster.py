"""A cluster of somebody else: full, left as it was, blind for a folder, gone, or never there."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from autodc.adapters.doctor.workers import workers
from autodc.adapters.executors import open_executor
from autodc.errors import SurroundingsError
from autodc.studyfile.study import MachineSpec
from autodc.testing.executor_contract.opened import collect
from autodc.testing.jobs import lives
from autodc.testing.waiting import until
from tests.adapters.executors.on_ray import (
    COMMAND,
    PATIENCE,
    SLOTS,
    all_slots_train,
    below,
    command_of,
    environment,
    slow_study,
)

pytestmark = [pytest.mark.slow(seconds=45), pytest.mark.timeout(1800)]

CLUSTER = """
import os, sys
import ray
held = int(sys.argv[1])
ray.init(address="local", num_cpus=2, include_dashboard=False, object_store_memory=80 * 2**20, log_to_driver=False)
class Holder:
    def ping(self): pass
holders = [ray.remote(num_cpus=1)(Holder).remote() for _ in range(held)]
ray.get([h.ping.remote() for h in holders])
print(ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.readline()
for h in holders: ray.kill(h)
sys.stdin.readline()
"""


@contextlib.contextmanager
def cluster(held: int = 0, apart: tuple[str, ...] = ()) -> Iterator[Any]:
    """A Ray of somebody else's: its process, and its address. held: cores that others hold until a line comes."""
    process = subprocess.Popen(
        [*apart, sys.executable, "-c", CLUSTER, str(held)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"},
    )
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.communicate("\n\n", timeout=PATIENCE)


def test_an_address_where_nobody_listens_is_told_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(SurroundingsError, match="refused") as raised:
        open_executor(MachineSpec(address=f"127.0.0.1:{port}"))
    assert (raised.value.code, raised.value.place) == ("ADC-EXEC-021", f"machine file: address 127.0.0.1:{port}")


def test_a_port_that_is_no_ray_is_told_within_its_minute() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(SurroundingsError) as raised:
        open_executor(MachineSpec(address=f"127.0.0.1:{server.getsockname()[1]}"))
    assert raised.value.code == "ADC-EXEC-021"


class TestOneCluster:
    """One cluster through all of it, from the hour when others hold it to its end."""

    @pytest.fixture(scope="class")
    @classmethod
    def hidden(cls, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[str, ...]]:
        """A folder that the cluster does not see, and the words before its command that hide it, where that can be."""
        folder = tmp_path_factory.mktemp("hidden")
        words = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"', str(folder))
        try:
            subprocess.run([*words, "true"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            return folder, ()
        return folder, words

    @pytest.fixture(scope="class")
    @classmethod
    def running(cls, hidden: tuple[Path, tuple[str, ...]]) -> Iterator[Any]:
        with cluster(held=SLOTS, apart=hidden[1]) as started:
            yield started

    def test_a_full_cluster_is_told_and_waited_for(self, opened: Any, jobs: Any, running: Any) -> None:
        process, address = running
        told: list[str] = []
        executor = opened(told.append, address=address)
        assert executor.slots == SLOTS
        executor.submit(jobs())
        until(lambda: told, "the user is told", PATIENCE)
        assert told[0].startswith("0 of 2 workers are there (0 of 2 CPU free")
        process.stdin.write("\n")
        process.stdin.flush()
        assert [c.status for c in collect(executor, 1)] == ["done"]
        until(lambda: told[-1] == "all 2 workers are there", "the user is told the end of it", PATIENCE)

    def test_a_cluster_is_left_as_it_was(self, opened: Any, jobs: Any, running: Any) -> None:
        process, address = running
        looked = workers(MachineSpec(address=address))
        assert (looked.status, address in looked.found, "2 at once" in looked.found) == ("ok", True, True), looked
        executor = opened(address=address)
        executor.submit(jobs())
        assert [c.status for c in collect(executor, 1)] == ["done"]
        executor.close()
        assert below(psutil.Process(process.pid), "raylet").is_running()

    def test_one_that_does_not_see_the_runs_folder_ends_with_3_and_no_training_has_failed(
        self, tmp_path: Path, running: Any, hidden: tuple[Path, tuple[str, ...]]
    ) -> None:
        folder, hiding = hidden
        if not hiding:
            pytest.skip("no second view of the disk can be made here")
        words = slow_study(tmp_path, {"address": running[1]}, folder)
        done = subprocess.run([*COMMAND, *words], capture_output=True, text=True, check=False, env=environment())
        assert done.returncode == 3, done.stderr
        assert str(folder) in done.stderr
        assert socket.gethostname() in done.stderr
        assert "make room" not in done.stderr
        with sqlite3.connect(folder / "journal.sqlite") as journal:
            assert journal.execute("SELECT count(*) FROM events WHERE kind = 'TrialFinished'").fetchone() == (0,)

        (tmp_path / "machine.yaml").write_text("max_concurrent: 2\n")
        again = subprocess.run([*COMMAND, *words], capture_output=True, text=True, check=False, env=environment())
        assert again.returncode == 0, again.stderr
        assert json.loads(again.stdout)["finished"]

    def test_it_goes_and_does_not_come_back(self, opened: Any, jobs: Any, running: Any) -> None:
        ends_the_run_with_3(opened, jobs, running, "gcs_server")


def test_a_cluster_whose_node_dies_alone_does_not_come_back_to_ray_tune_either(opened: Any, jobs: Any) -> None:
    with cluster() as running:
        ends_the_run_with_3(opened, jobs, running, "raylet", runner="ray")


def test_plain_actors_work_on_beside_a_raylet_that_is_gone_and_leave_nothing_behind(opened: Any, jobs: Any) -> None:
    with cluster() as (process, address):
        executor = opened(address=address)
        all_slots_train(executor, jobs)
        executor.cancel()
        below_it = psutil.Process(process.pid).children(recursive=True)
        workers = [one.pid for one in below_it if command_of(one)[0].startswith("ray::_Host")]
        assert len(workers) == SLOTS
        below(psutil.Process(process.pid), "raylet").kill()
        for _ in range(3 * SLOTS):
            executor.submit(jobs("sleep", seconds=1.0))
        assert [one.status for one in collect(executor, 3 * SLOTS)] == ["done"] * 3 * SLOTS
        executor.close()
        until(lambda: not any(map(lives, workers)), "all workers are gone", PATIENCE)


def ends_the_run_with_3(opened: Any, jobs: Any, running: Any, victim: str, **machine: Any) -> None:
    process, address = running
    executor = opened(address=address, **machine)
    all_slots_train(executor, jobs)
    executor.cancel()
    below(psutil.Process(process.pid), victim).kill()
    with pytest.raises(SurroundingsError) as raised:
        work_for_ever(executor, jobs)
    assert (raised.value.code, raised.value.exit_code) == ("ADC-EXEC-075", 3)
    assert address in raised.value.place


def work_for_ever(executor: Any, jobs: Any) -> None:
    while True:
        if not executor.wait(1.0):
            executor.submit(jobs("sleep", seconds=1.0))
