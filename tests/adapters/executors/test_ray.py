"""Ray as it fails: its processes die, it does not start, the cluster is full, gone, or was never there."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from autodc.adapters.doctor.workers import workers
from autodc.adapters.executors import open_executor
from autodc.errors import InputError, SurroundingsError
from autodc.study.driver import Interrupted
from autodc.studyfile.study import MachineSpec
from autodc.testing.executor_contract.opened import collect
from autodc.testing.jobs import Jobs, small_dataset
from autodc.testing.waiting import until
from autodc.testing.worlds.cells import write_world

pytestmark = [pytest.mark.slow(seconds=33), pytest.mark.timeout(1800)]

SLOTS = 2
HOUR = 3600.0
PATIENCE = 400.0
BUSY_AGAIN = 180.0
"""Within so many seconds after Ray's death every slot trains again, whatever died."""
COMMAND = [sys.executable, "-c", "import sys; sys.argv[0] = 'autodc'; from autodc.cli.main import main; main()"]

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

FAULT = """
import os, pathlib, sys
tries = pathlib.Path(__file__).with_name("tries")
if any("executors.pool" in word for word in sys.orig_argv):
    tries.write_text(tries.read_text() + "x" if tries.exists() else "x")
    import ray
    def init(*args, **more):
        raise Exception("The current node timed out during startup.")
    ray.init = init
"""

MUTE = """
import os, pathlib, sys
if pathlib.Path(__file__).with_name("die").exists() and any("default_worker.py" in word for word in sys.orig_argv):
    os.write(2, b"the last word of a worker\\n")
    os._exit(1)
"""


@pytest.fixture
def jobs(tmp_path: Path) -> Any:
    (tmp_path / "data").mkdir()
    return Jobs(small_dataset(tmp_path / "data"))


@pytest.fixture
def opened() -> Iterator[Any]:
    """Opens executors and closes them."""
    executors = []

    def open_one(*words: Any, **machine: Any) -> Any:
        executors.append(open_executor(MachineSpec(**{"max_concurrent": SLOTS, **machine}), notice=_notice(*words)))
        return executors[-1]

    yield open_one
    for executor in executors:
        executor.close()


@pytest.fixture
def cluster() -> Iterator[Any]:
    """Starts Rays of somebody else's; returns the process, and the address. hidden: a folder it does not see."""
    processes = []

    def start(held: Any = 0, hidden: Any = None) -> Any:
        environment = {**os.environ, "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
        apart = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"', str(hidden)] if hidden else []
        process = subprocess.Popen(
            [*apart, sys.executable, "-c", CLUSTER, str(held)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        processes.append(process)
        return process, process.stdout.readline().strip()

    yield start
    for process in processes:
        process.communicate("\n\n", timeout=PATIENCE)


def _notice(told: Any = None) -> Any:
    return told.append if told is not None else lambda words: None


def _all_slots_train(executor: Any, jobs: Any, seconds: Any = PATIENCE) -> None:
    files = [jobs.folder / f"busy-{jobs.made}-{k}" for k in range(executor.slots)]
    for file in files:
        executor.submit(jobs("sleep", seconds=HOUR, pid_file=str(file)))
    until(lambda: all(f.exists() and f.read_text() != "" for f in files), "all slots train", seconds)


def _work_for_ever(executor: Any, jobs: Any) -> None:
    while True:
        if not executor.wait(1.0):
            executor.submit(jobs("sleep", seconds=1.0))


def _command(process: Any) -> Any:
    try:
        return process.cmdline() or [""]
    except psutil.Error:
        return [""]


def _below(process: Any, word: Any) -> Any:
    """The process below `process` that has `word` in its command line's beginning."""
    found = [p for p in process.children(recursive=True) if word in os.path.basename(_command(p)[0])]
    assert found, f"no {word} below {process}"
    return found[0]


def _pool() -> Any:
    (pool,) = [p for p in psutil.Process().children() if "autodc.adapters.executors.pool" in _command(p)]
    return pool


class TestDeaths:
    """One executor through all the deaths, one after another, as a bad night would have it."""

    @pytest.fixture(scope="class")
    @classmethod
    def told(cls) -> Any:
        return []

    @pytest.fixture(scope="class")
    @classmethod
    def executor(cls, told: Any) -> Iterator[Any]:
        opened = open_executor(MachineSpec(max_concurrent=SLOTS), notice=told.append)
        yield opened
        opened.close()

    @pytest.mark.parametrize("victim", ["DashboardAgent", "RuntimeEnvAgent", "raylet", "gcs_server", "pool"])
    def test_every_slot_trains_again_and_only_what_was_under_way_is_lost(
        self, executor: Any, told: Any, jobs: Any, victim: Any
    ) -> None:
        _all_slots_train(executor, jobs)
        waiting = jobs()
        executor.submit(waiting)
        told.clear()
        (_pool() if victim == "pool" else _below(_pool(), victim)).kill()
        completions = collect(executor, SLOTS + 1)
        assert [c.status for c in completions if c.number != waiting.number] == ["lost"] * SLOTS
        assert [c.status for c in completions if c.number == waiting.number] == ["done"]
        _all_slots_train(executor, jobs, BUSY_AGAIN)
        assert [words.split(" (")[0] for words in told] == ["Ray died", "Ray is back"]
        executor.cancel()

    def test_the_driver_never_imports_ray(self, executor: Any) -> None:
        assert executor.slots == SLOTS
        done = subprocess.run(
            [sys.executable, "-c", "import sys, autodc.adapters.executors.cluster; print('ray' in sys.modules)"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == "False"


def test_closing_leaves_nothing_of_ray_behind(opened: Any) -> None:
    executor = opened()
    pool = _pool()
    below = [pool, *pool.children(recursive=True)]
    assert len(below) > 3
    executor.close()
    until(
        lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in below), "all is gone", PATIENCE
    )


def test_asked_to_stop_while_ray_starts_it_stops_and_leaves_nothing() -> None:
    with pytest.raises(Interrupted):
        open_executor(MachineSpec(), stop=lambda: True)
    assert not [p for p in psutil.Process().children() if "autodc.adapters.executors.pool" in _command(p)]


def test_whatever_ray_raises_at_its_start_is_tried_again_and_then_exit_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(FAULT)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    told = []
    with pytest.raises(SurroundingsError, match="The current node timed out during startup") as raised:
        open_executor(MachineSpec(), notice=told.append)
    assert (raised.value.code, raised.value.exit_code) == ("ADC-EXEC-021", 3)
    assert (tmp_path / "tries").read_text() == "xx"
    assert len(told) == 1


def test_workers_that_die_at_their_start_are_told_with_their_last_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: Any
) -> None:
    (tmp_path / "sitecustomize.py").write_text(MUTE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    told = []
    opened(told, runner="actors")
    (tmp_path / "die").touch()

    def heard() -> bool:
        """One that had begun before, and has its name later, is killed at a later look."""
        for process in _pool().children(recursive=True):
            if (name := _command(process)[0]).startswith("ray::") and "Agent" not in name:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        return any("the last word of a worker" in words for words in told)

    until(heard, "the user is told", PATIENCE)


def test_a_gpu_that_no_node_has_is_told_at_the_start() -> None:
    if os.path.exists("/dev/nvidia0"):
        pytest.skip("this machine has one")
    with pytest.raises(InputError, match="1 GPU on one node") as raised:
        open_executor(MachineSpec(gpus_per_trial=1))
    assert raised.value.code == "ADC-EXEC-022"


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


def test_a_full_cluster_is_told_and_waited_for(opened: Any, jobs: Any, cluster: Any) -> None:
    process, address = cluster(held=2)
    told = []
    executor = opened(told, address=address)
    assert executor.slots == SLOTS
    executor.submit(jobs())
    until(lambda: told, "the user is told", PATIENCE)
    assert told[0].startswith("0 of 2 workers are there (0 of 2 CPU free")
    process.stdin.write("\n")
    process.stdin.flush()
    assert [c.status for c in collect(executor, 1)] == ["done"]
    until(lambda: told[-1] == "all 2 workers are there", "the user is told the end of it", PATIENCE)


@pytest.mark.parametrize("victim", ["gcs_server", "raylet"])
def test_a_cluster_that_goes_and_does_not_come_back_ends_the_run_with_3(
    opened: Any, jobs: Any, cluster: Any, victim: Any
) -> None:
    process, address = cluster()
    executor = opened(address=address)
    _all_slots_train(executor, jobs)
    executor.cancel()
    _below(psutil.Process(process.pid), victim).kill()
    with pytest.raises(SurroundingsError) as raised:
        _work_for_ever(executor, jobs)
    assert (raised.value.code, raised.value.exit_code) == ("ADC-EXEC-075", 3)
    assert address in raised.value.place


def test_a_cluster_is_left_as_it_was(opened: Any, jobs: Any, cluster: Any) -> None:
    process, address = cluster()
    looked = workers(MachineSpec(address=address))
    assert (looked.status, address in looked.found, "2 at once" in looked.found) == ("ok", True, True), looked
    executor = opened(address=address)
    executor.submit(jobs())
    assert [c.status for c in collect(executor, 1)] == ["done"]
    executor.close()
    assert _below(psutil.Process(process.pid), "raylet").is_running()


def _study(folder: Any, machine: Any) -> Any:
    """A study whose trainer, named by a relative path, takes its time, and what the command needs to run it."""
    (folder / "slow.py").write_text(
        "import pathlib, time\n"
        "from autodc.testing.worlds.cells import CellTrainer\n"
        "class Slow:\n"
        "    def train(self, job):\n"
        "        pathlib.Path(__file__).with_name('begun').touch()\n"
        "        if pathlib.Path(__file__).with_name('slow').exists():\n"
        "            time.sleep(3600)\n"
        "        return CellTrainer().train(job)\n"
    )
    study = write_world(folder, budget__trainings=24, loop__rounds=1, task__trainer="slow.py:Slow")
    (folder / "machine.yaml").write_text(yaml.safe_dump({"max_concurrent": 2, **machine}))
    return ["run", str(study), "--machine", str(folder / "machine.yaml"), "--out", str(folder / "out"), "--json"]


def _environment() -> Any:
    root = str(Path(__file__).parents[3])
    return {**os.environ, "PYTHONPATH": root, "OMP_NUM_THREADS": "1"}


@pytest.mark.parametrize("moment", ["training", "starting"])
def test_sigterm_ends_a_run_on_ray_with_130_and_the_command_to_go_on(tmp_path: Path, moment: Any) -> None:
    words = _study(tmp_path, {})
    (tmp_path / "slow").touch()
    process = subprocess.Popen(
        [*COMMAND, *words], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environment()
    )
    driver = psutil.Process(process.pid)
    if moment == "training":
        until((tmp_path / "begun").exists, "it trains", PATIENCE)
    else:
        until(
            lambda: any("autodc.adapters.executors.pool" in _command(p) for p in driver.children()),
            "Ray starts",
            PATIENCE,
        )
    below = driver.children(recursive=True)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert "stopped; the journal is whole. Go on with" in err
    assert "StackTrace" not in err
    until(
        lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in below), "all is gone", PATIENCE
    )


@pytest.mark.parametrize("runner", ["ray", "actors"])
def test_modules_of_the_working_directory_shadow_nothing(tmp_path: Path, runner: Any) -> None:
    words = _study(tmp_path, {"runner": runner})
    here = tmp_path / "here"
    here.mkdir()
    for name in ("numpy", "pandas", "torch", "typing", "psutil", "yaml"):
        (here / f"{name}.py").write_text(f"raise SystemExit('not the real {name}')\n")
    words[1] = os.path.relpath(words[1], here)
    command = [COMMAND[0], "-P", *COMMAND[1:], *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=here, env=_environment())
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["finished"]


def test_a_cluster_that_does_not_see_the_runs_folder_ends_with_3_and_no_training_has_failed(
    tmp_path: Path, cluster: Any
) -> None:
    hidden = tmp_path / "out"
    hidden.mkdir()
    try:
        subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", str(hidden)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no second view of the disk can be made here")
    _, address = cluster(hidden=hidden)
    words = _study(tmp_path, {"address": address})
    done = subprocess.run([*COMMAND, *words], capture_output=True, text=True, check=False, env=_environment())
    assert done.returncode == 3, done.stderr
    assert str(hidden) in done.stderr
    assert socket.gethostname() in done.stderr
    assert "make room" not in done.stderr
    with sqlite3.connect(hidden / "journal.sqlite") as journal:
        assert journal.execute("SELECT count(*) FROM events WHERE kind = 'TrialFinished'").fetchone() == (0,)

    (tmp_path / "machine.yaml").write_text("max_concurrent: 2\n")
    again = subprocess.run([*COMMAND, *words], capture_output=True, text=True, check=False, env=_environment())
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["finished"]
