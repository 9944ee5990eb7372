"""What is found of a machine: limits of control groups, cores, memory, files, threads, the clock, disks, versions."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet

from autodc.adapters.doctor import here
from autodc.adapters.doctor.clock import Reading, clock, judged
from autodc.adapters.doctor.disks import disk
from autodc.adapters.doctor.gpu import gpus
from autodc.adapters.doctor.limits import Limits, limits
from autodc.adapters.doctor.versions import compared, versions
from autodc.studyfile.study import MachineSpec

GIB = 2**30
CORES = len(os.sched_getaffinity(0))
BOUND = Reading(wall=1_800_000_000.0, steady=50.0)


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_the_narrowest_group_binds(tmp_path: Path) -> None:
    group = "sys/fs/cgroup/kube/pod"
    root = tree(
        tmp_path,
        {
            "proc/self/cgroup": "0::/kube/pod/box\n",
            f"{group}/box/cpu.max": "max 100000\n",
            f"{group}/cpu.max": "150000 100000\n",
            f"{group}/box/memory.max": "max\n",
            f"{group}/memory.max": f"{8 * GIB}\n",
            f"{group}/memory.current": f"{5 * GIB}\n",
            f"{group}/memory.stat": f"anon 5\ninactive_file {2 * GIB}\n",
        },
    )
    assert limits(root) == Limits(cores=1.5, memory=8 * GIB, used=3 * GIB)


def test_groups_of_the_first_version_bind_too(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "proc/self/cgroup": "5:memory:/box\n4:cpu,cpuacct:/box\n1:name=systemd:/\n",
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "50000\n",
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/memory/box/memory.limit_in_bytes": f"{GIB}\n",
            "sys/fs/cgroup/memory/box/memory.usage_in_bytes": "1000\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        },
    )
    assert limits(root) == Limits(cores=0.5, memory=GIB, used=1000)


def test_without_groups_there_is_no_limit(tmp_path: Path) -> None:
    assert limits(tmp_path) == Limits()


def test_cores_that_a_group_takes_away_are_told_with_what_fits() -> None:
    assert here.cores(MachineSpec(), Limits()).status == "ok"
    found = here.cores(MachineSpec(max_concurrent=8, cpus_per_trial=2), Limits(cores=min(CORES, 5) - 0.5))
    assert found.status == "warn"
    assert "want 16" in found.found
    assert ("max_concurrent" in found.mend) is (CORES > 2)
    assert here.cores(MachineSpec(address="auto", max_concurrent=800), Limits()).status == "ok"


def test_memory_is_held_against_the_trainings_at_once() -> None:
    assert here.memory(MachineSpec(runner="inline"), Limits()).status == "ok"
    much = here.memory(MachineSpec(memory_per_trial=1e15, max_concurrent=2), Limits())
    assert (much.status, much.mend) == ("warn", "more memory")
    some = here.memory(MachineSpec(memory_per_trial=GIB, max_concurrent=2), Limits(memory=3 * GIB, used=GIB // 2))
    assert (some.status, some.mend.split(" in ")[0]) == ("warn", "max_concurrent: 1")
    assert here.memory(MachineSpec(), Limits(memory=GIB, used=GIB - 1)).status == "fail"


def test_no_shared_memory_is_told(tmp_path: Path) -> None:
    assert here.shared_memory(MachineSpec(), tmp_path / "shm").status == "warn"


def test_few_open_files_are_told() -> None:
    code = (
        "import resource as r; r.setrlimit(r.RLIMIT_NOFILE, (1024, 2048))\n"
        "from autodc.adapters.doctor.here import descriptors\n"
        "from autodc.studyfile.study import MachineSpec\n"
        "print(descriptors(MachineSpec()).status, descriptors(MachineSpec(runner='inline')).status)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["warn", "ok"]


def test_what_binds_all_trainings_to_the_same_cores_is_told_and_other_counts_do_no_harm() -> None:
    assert here.threads(MachineSpec(), {"OMP_PROC_BIND": "true"}).mend == "unset OMP_PROC_BIND"
    assert here.threads(MachineSpec(), {"OMP_PROC_BIND": "false"}).status == "ok"
    told = here.threads(MachineSpec(cpus_per_trial=2), {"OMP_NUM_THREADS": "16"})
    assert (told.status, told.found) == ("ok", "2 a training, whatever OMP_NUM_THREADS=16 says")


def test_a_gpu_that_is_asked_for_and_is_not_there_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpus(MachineSpec(), {}).status == "ok"
    assert gpus(MachineSpec(gpus_per_trial=1), {}).status == "fail"
    assert gpus(MachineSpec(gpus_per_trial=1, address="auto"), {}).status == "ok"


def test_gpus_are_named_as_their_driver_names_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\necho NVIDIA A\necho NVIDIA A\n")
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert gpus(MachineSpec(), {}).found == "2 × NVIDIA A; unused: gpus_per_trial is 0"
    hidden = gpus(MachineSpec(gpus_per_trial=1), {"CUDA_VISIBLE_DEVICES": ""})
    assert (hidden.status, hidden.mend) == ("fail", "unset CUDA_VISIBLE_DEVICES")
    driver.write_text("#!/bin/sh\necho no devices were found\nexit 6\n")
    assert "no devices" in gpus(MachineSpec(gpus_per_trial=1), {}).found


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def lives(name: str) -> dict[str, str]:
        monkeypatch.setenv("TZ", name)
        time.tzset()
        return {"TZ": name}

    yield lives
    monkeypatch.undo()
    time.tzset()


def test_the_clock_of_this_machine_is_well(tmp_path: Path, zone: Any) -> None:
    found = clock(tmp_path, zone("UTC"))
    assert found.status == "ok", found


def test_a_zone_that_nobody_knows_is_told(zone: Any) -> None:
    later = Reading(wall=BOUND.wall + 1, steady=BOUND.steady + 1)
    assert judged(BOUND, later, 0.0, 0.0, zone("Europe/Zurch")).status == "warn"
    assert judged(BOUND, later, 0.0, 0.0, zone("Europe/Zurich")).status == "ok"
    assert judged(BOUND, later, 0.0, 0.0, zone("UTC0")).status == "ok"


@pytest.mark.parametrize(
    ("moved", "newest", "apart", "status"),
    [
        (0.0, 0.0, 0.0, "ok"),
        (0.7, 0.0, 0.0, "warn"),
        (-3.0, 0.0, 0.0, "warn"),
        (0.0, 0.0, 90.0, "warn"),
        (0.0, 0.0, -90.0, "warn"),
        (0.0, BOUND.wall + 10 * 86400, 0.0, "fail"),
    ],
)
def test_a_clock_that_is_off_is_told(zone: Any, moved: float, newest: float, apart: float, status: str) -> None:
    later = Reading(wall=BOUND.wall + 1 + moved, steady=BOUND.steady + 1)
    assert judged(BOUND, later, newest, apart, zone("UTC")).status == status


def test_a_disk_is_looked_at_where_a_folder_will_be(tmp_path: Path) -> None:
    found = disk("disk: runs", tmp_path / "runs" / "night", "elsewhere")
    assert str(tmp_path) in found.found
    assert "free" in found.found
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_takes_nothing_fails(tmp_path: Path) -> None:
    assert disk("disk: runs", Path("/proc/nothing"), "elsewhere").status == "fail"
    (tmp_path / "runs").write_text("")
    assert disk("disk: runs", tmp_path / "runs", "elsewhere").found.endswith("is a file, not a folder")


def test_versions_are_those_that_are_installed_against_the_ranges_of_the_project() -> None:
    found = {check.name: check for check in versions(MachineSpec())}
    assert {"autodc", "python", "sqlite", "numpy", "torch", "ray", "mlflow"} == set(found)
    assert found["numpy"].found == metadata.version("numpy")
    assert [name for name, check in found.items() if check.status != "ok"] == []
    old = compared("ray", "2.44.0", SpecifierSet(">=2.60,<3"))
    assert (old.status, "2.44.0" in old.found, "ray" in old.mend) == ("warn", True, True)
