"""What the process that holds Ray is given, and what it makes of it; no Ray is started here."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autodc.adapters.executors.deaths import DEATHS_PER_SLOT, Orders, WorkerDeaths
from autodc.adapters.executors.link import PROOF, DriverAddress, TaskServer, Worker, proof, unseen
from autodc.adapters.executors.pool import last_line, refusal, room
from autodc.adapters.executors.ray_process import environment
from autodc.adapters.executors.task_queue import TaskQueue
from autodc.studyfile.study import MachineSpec


@pytest.mark.parametrize(
    ("nodes", "wanted", "slots"),
    [
        ([{"CPU": 4}, {"CPU": 4}], {"cpus_per_trial": 3}, 2),
        ([{"CPU": 4}, {"CPU": 4}], {"cpus_per_trial": 8}, 0),
        ([{"CPU": 16}, {"CPU": 2, "GPU": 2}], {"gpus_per_trial": 1}, 2),
        ([{"CPU": 16}], {"gpus_per_trial": 1}, 0),
        ([{"CPU": 16, "GPU": 2}], {"gpus_per_trial": 0.6}, 2),
        ([{"CPU": 16, "GPU": 2}], {"gpus_per_trial": 0.5}, 4),
        ([{"CPU": 16, "GPU": 3}], {"gpus_per_trial": 2}, 1),
        ([{"CPU": 0.3}], {"cpus_per_trial": 0.1}, 3),
        ([{"object_store_memory": 1e9}], {}, 0),
        ([], {}, 0),
    ],
)
def test_trials_are_counted_node_by_node(nodes: Any, wanted: Any, slots: Any) -> None:
    assert room(nodes, MachineSpec(**wanted)) == slots


def test_ray_gets_no_working_directory_and_relative_paths_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    paths = environment({"PYTHONPATH": f"lib:{os.pathsep}/opt/more"}, ours=True)["PYTHONPATH"].split(os.pathsep)
    assert str(tmp_path / "lib") in paths
    assert "/opt/more" in paths
    assert "" not in paths
    assert str(tmp_path) not in paths
    assert all(map(os.path.isabs, paths))


def test_programs_of_the_user_find_the_modules_beside_them() -> None:
    assert "PYTHONSAFEPATH" not in environment({}, ours=True)


@pytest.mark.parametrize(
    ("given", "ours", "mode"),
    [
        ({}, True, "token"),
        ({}, False, "disabled"),
        ({"RAY_AUTH_TOKEN": "t"}, False, "token"),
        ({"RAY_AUTH_TOKEN_PATH": "/t"}, False, "token"),
        ({"RAY_AUTH_MODE": "disabled"}, True, "disabled"),
    ],
)
def test_how_ray_authenticates_is_said_outright(given: Any, ours: Any, mode: Any) -> None:
    made = environment(given, ours)
    assert made["RAY_AUTH_MODE"] == mode
    assert ("RAY_AUTH_TOKEN" in made) == ("RAY_AUTH_TOKEN" in given or (ours and mode == "token"))


def test_what_the_user_set_of_ray_stays() -> None:
    assert environment({"RAY_worker_register_timeout_seconds": "7"}, ours=True)[
        "RAY_worker_register_timeout_seconds"
    ] == ("7")


def test_the_last_line_is_of_the_worker_that_spoke_last(tmp_path: Path) -> None:
    for name, text, at in [
        ("worker-a.err", "old\n", 1),
        ("worker-b.err", "Traceback\nModuleNotFoundError: No module named 'autodc'\n\n:job_id:01000000\n", 3),
        ("worker-c.err", "\n", 4),
        ("worker-d.out", "not an error\n", 5),
        ("raylet.err", "said before a worker had a file\n", 2),
    ]:
        (tmp_path / name).write_text(text)
        os.utime(tmp_path / name, (at, at))
    assert last_line(tmp_path) == "ModuleNotFoundError: No module named 'autodc'"


def test_no_worker_no_last_line(tmp_path: Path) -> None:
    assert last_line(tmp_path / "nowhere") == ""


@pytest.mark.parametrize(
    ("address", "where"), [(None, "this machine"), ("10.0.0.9:6379", "machine file: address 10.0.0.9:6379")]
)
def test_a_start_that_fails_is_told_in_one_line_and_exits_with_3(address: Any, where: Any) -> None:
    error = refusal(address, "Exception: timed out\nduring startup")
    assert (error.code, error.exit_code) == ("ADC-EXEC-021", 3)
    message, hint = str(error).splitlines()
    assert message.startswith(where)
    assert "Exception: timed out during startup" in message
    assert hint.strip()


def test_deaths_in_a_row_are_given_up_once_with_the_last_word() -> None:
    given_up = []
    deaths = WorkerDeaths(Orders(), 2, lambda deaths, why: given_up.append((deaths, why)))
    for k in range(2 * DEATHS_PER_SLOT + 3):
        deaths.died(f"death {k}")
    assert given_up == [(2 * DEATHS_PER_SLOT, f"death {2 * DEATHS_PER_SLOT - 1}")]
    assert not deaths.may_start()


def test_a_job_that_ends_makes_good_for_the_deaths_before_it() -> None:
    given_up = []
    orders = Orders()
    deaths = WorkerDeaths(orders, 1, lambda deaths, why: given_up.append(deaths))
    for k in range(4 * DEATHS_PER_SLOT):
        orders.ended = k
        deaths.died("now and then")
    assert given_up == []


def test_a_path_is_missing_where_it_is_not_there(tmp_path: Path) -> None:
    there, gone = str(tmp_path), str(tmp_path / "gone")
    assert unseen((there, gone)) == [gone]


@pytest.mark.parametrize("found", [None, "of another driver"])
def test_a_folder_of_the_same_name_on_another_disk_is_not_the_drivers(tmp_path: Path, found: Any) -> None:
    file = tmp_path / PROOF
    if found is not None:
        file.write_text(found)
    assert unseen((), (str(file), "mine")) == [str(tmp_path)]
    file.write_text("mine")
    assert unseen((), (str(file), "mine")) == []


def test_the_proof_does_not_show_the_key() -> None:
    assert proof(b"secret") != proof(b"other")
    assert "secret" not in proof(b"secret")


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Any]:
    """A driver's end of the line, and what a worker must know to call it."""
    queue = TaskQueue()
    server = TaskServer(queue, "127.0.0.1")
    logs = tmp_path / "logs"
    logs.mkdir()
    yield queue, DriverAddress(address=server.address, key=server.key, log_folder=str(logs))
    queue.close()
    server.close()


def _serve_one(call: Any, sight: Any = 0.0) -> None:
    worker = Worker(call, sight=sight)
    try:
        worker.serve_one()
    finally:
        worker.close()


def test_a_worker_that_does_not_see_the_drivers_disk_says_what_and_where_and_trains_nothing(
    line: Any, jobs: Any
) -> None:
    queue, call = line
    queue.submit(jobs(pid_file=str(jobs.folder / "pid")))
    _serve_one(call)
    (completion,) = queue.wait()
    assert completion.status == "surroundings"
    assert os.uname().nodename in completion.error
    assert str(call.log_folder) in completion.error
    assert "make room" not in completion.error
    assert not (jobs.folder / "pid").exists()


@pytest.mark.slow
def test_a_disk_that_is_late_is_waited_for(line: Any, jobs: Any) -> None:
    queue, call = line
    queue.submit(jobs())
    thread = threading.Thread(target=_serve_one, args=(call, 60.0))
    thread.start()
    with open(f"{call.log_folder}/{PROOF}", "w") as file:
        file.write(proof(call.key))
    (completion,) = queue.wait()
    thread.join()
    assert completion.status == "done"


@pytest.mark.slow
def test_what_the_driver_does_not_see_either_is_the_trainings_own_failure(line: Any, jobs: Any) -> None:
    queue, call = line
    with open(f"{call.log_folder}/{PROOF}", "w") as file:
        file.write(proof(call.key))
    job = jobs()
    (jobs.folder / "base" / "x.npy").unlink()
    (jobs.folder / "base" / "y.npy").unlink()
    (jobs.folder / "base").rmdir()
    queue.submit(job)
    _serve_one(call)
    (completion,) = queue.wait()
    assert "ADC-EXEC-078" not in completion.error
    assert completion.status != "done"
