"""A Ray of our own as it fails: its processes die, it does not start, its run is ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from autodc.adapters.executors import open_executor
from autodc.errors import InputError, SurroundingsError
from autodc.study.driver import Interrupted
from autodc.studyfile.study import MachineSpec
from autodc.testing.executor_contract.opened import collect
from autodc.testing.waiting import until
from tests.adapters.executors.on_ray import (
    COMMAND,
    PATIENCE,
    SLOTS,
    all_slots_train,
    below,
    command_of,
    environment,
    pool,
    slow_study,
)

pytestmark = [pytest.mark.slow(seconds=33), pytest.mark.timeout(1800)]

BUSY_AGAIN = 180.0
"""Within so many seconds after Ray's death every slot trains again, whatever died."""

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
        all_slots_train(executor, jobs)
        waiting = jobs()
        executor.submit(waiting)
        told.clear()
        (pool() if victim == "pool" else below(pool(), victim)).kill()
        completions = collect(executor, SLOTS + 1)
        assert [c.status for c in completions if c.number != waiting.number] == ["lost"] * SLOTS
        assert [c.status for c in completions if c.number == waiting.number] == ["done"]
        all_slots_train(executor, jobs, BUSY_AGAIN)
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

    def test_closing_leaves_nothing_of_ray_behind(self, executor: Any) -> None:
        left = [pool(), *pool().children(recursive=True)]
        assert len(left) > 3
        executor.close()
        until(
            lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in left),
            "all is gone",
            PATIENCE,
        )


def test_asked_to_stop_while_ray_starts_it_stops_and_leaves_nothing() -> None:
    with pytest.raises(Interrupted):
        open_executor(MachineSpec(), stop=lambda: True)
    assert not [p for p in psutil.Process().children() if "autodc.adapters.executors.pool" in command_of(p)]


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
    opened(told.append, runner="actors")
    (tmp_path / "die").touch()

    def heard() -> bool:
        """One that had begun before, and has its name later, is killed at a later look."""
        for process in pool().children(recursive=True):
            if (name := command_of(process)[0]).startswith("ray::") and "Agent" not in name:
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


@pytest.mark.parametrize("moment", ["training", "starting"])
def test_sigterm_ends_a_run_on_ray_with_130_and_the_command_to_go_on(tmp_path: Path, moment: Any) -> None:
    words = slow_study(tmp_path, {})
    (tmp_path / "slow").touch()
    process = subprocess.Popen(
        [*COMMAND, *words], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
    )
    driver = psutil.Process(process.pid)
    if moment == "training":
        until((tmp_path / "begun").exists, "it trains", PATIENCE)
    else:
        until(
            lambda: any("autodc.adapters.executors.pool" in command_of(p) for p in driver.children()),
            "Ray starts",
            PATIENCE,
        )
    left = driver.children(recursive=True)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert "stopped; the journal is whole. Go on with" in err
    assert "StackTrace" not in err
    until(lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in left), "all is gone", PATIENCE)


@pytest.mark.parametrize("runner", ["ray", "actors"])
def test_modules_of_the_working_directory_shadow_nothing(tmp_path: Path, runner: Any) -> None:
    words = slow_study(tmp_path, {"runner": runner})
    here = tmp_path / "here"
    here.mkdir()
    for name in ("numpy", "pandas", "torch", "typing", "psutil", "yaml"):
        (here / f"{name}.py").write_text(f"raise SystemExit('not the real {name}')\n")
    words[1] = os.path.relpath(words[1], here)
    command = [COMMAND[0], "-P", *COMMAND[1:], *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=here, env=environment())
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["finished"]
