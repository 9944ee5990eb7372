"""Trainings an hour on a GPU: the image study with several trainings sharing it, beside one process after another.

    python -m benchmarks.gpu                        # within 8 minutes; prints the table
    python -m benchmarks.gpu --cpu --seconds 30     # the same without a GPU: that the script works, no figure

Where there is no GPU it says so and exits 0. Both runs are whole studies of `autodc init --example images` that end by
the clock; a training is one that ended well, from the start of the first to the end of the last.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from autodc.study.driver import Interrupted
from benchmarks.tables import table

SECONDS = 160.0
"""Of each of the two runs: with what is before and after them eight minutes are enough."""
MOST = 12
"""So many trainings share a GPU at most; a small network fills no more of it."""
TRAININGS = 3000
"""More than either run can do: the clock ends both."""
HEAD = ("how", "at once", "trainings", "failed", "seconds", "an hour", "busy share", "GPU memory before, after")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cpu", action="store_true", help="run without a GPU, to see that the script works")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each run")
    asked = parser.parse_args()
    gpu = gpu_name()
    if not gpu and not asked.cpu:
        print("no GPU here that torch sees: nothing is measured")
        return 0
    cores = len(os.sched_getaffinity(0))
    sharing = max(1, min(MOST, cores - 1))
    share = 0.0 if asked.cpu else 1 / sharing
    machines = {
        "one process": {"runner": "inline"},
        "sharing": {"runner": "actors", "max_concurrent": sharing, "gpus_per_trial": share},
    }
    rows, hourly = [], []
    with tempfile.TemporaryDirectory(prefix="autodc-gpu-") as folder:
        study = example(Path(folder))
        for name, machine in machines.items():
            before = memory_used()
            try:
                found = night(study, Path(folder) / name.replace(" ", "-"), machine, asked.seconds)
            except Interrupted as stopped:
                print(f"{name}: {stopped}; give it more than --seconds {asked.seconds:g}", file=sys.stderr)
                return 1
            hourly.append(found["hour"])
            held = f"{before}, {memory_used()}"
            rows.append((name, found["slots"], found["done"], found["failed"], f"{found['seconds']:.0f}",
                         f"{found['hour']:.0f}", f"{found['busy']:.0%}", held))  # fmt: skip
            print(*rows[-1], sep=" · ", file=sys.stderr, flush=True)
    print(f"{gpu or 'no GPU'}, {cores} cores\n\n{table(HEAD, rows)}")
    print(f"\nsharing does {hourly[1] / hourly[0]:.1f} times the trainings an hour of one process")
    return 0


def example(folder: Path) -> Path:
    """The image study, its pictures made."""
    from autodc.verbs.init import write_example

    return Path(write_example(folder / "study", "images")["study"])


def night(study: Path, out: Path, machine: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Run a whole study until the clock ends it; what it did."""
    from autodc.studyfile import MachineSpec, load
    from autodc.verbs.run import run

    more = {"budget.trainings": TRAININGS, "search.trials_per_round": TRAININGS, "baselines": "[]"}
    spec = load(study, [f"{key}={value}" for key, value in more.items()])
    result = run(spec, MachineSpec(**machine), out, until=time.time() + seconds)
    trials = result.frame("trials")
    done = trials[trials.status == "done"]
    ends = done.ended.map(lambda when: when.timestamp())
    took = float(ends.max() - (ends - done.seconds).min())
    return {
        "slots": machine.get("max_concurrent", 1),
        "done": len(done),
        "failed": int((trials.status == "failed").sum()),
        "seconds": took,
        "hour": len(done) / took * 3600,
        "busy": result.to_dict()["spent"]["busy_share"],
    }


def gpu_name() -> str:
    """The GPU that torch sees; empty where it sees none. Asked in a process that gives it back."""
    code = "import torch; print(torch.cuda.get_device_name() if torch.cuda.is_available() else '')"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stdout.strip()


def memory_used() -> str:
    """MiB of the first GPU that are taken, as its driver says it."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return "–"
    words = [program, "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()[0]


if __name__ == "__main__":
    sys.exit(main())
