"""Many slices, many candidates, many rows of validation: what `check` takes, and a short study to its end."""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from autodc.testing.worlds.cells import CELLS, rows, write_world
from benchmarks.night.busy import COMMAND
from benchmarks.night.part import Figures, Part

SLICES, CANDIDATES, ROWS = 1_000, 500, 10_000_000
SHORT = {"loop__rounds": 1, "search__trials_per_round": 8, "budget__trainings": 30}


def many_slices(folder: Path, count: int) -> Path:
    """Guards that each hold a stripe of the rows, beside the world's own slices."""
    edges = np.linspace(0, 1, count + 1)
    stripes = [
        {"name": f"stripe_{i}", "where": f"x1 >= {a:.6f} AND x1 < {b:.6f}", "role": "guard", "margin": 0.2}
        for i, (a, b) in enumerate(pairwise(edges))
    ]
    target = {"name": "dark", "where": "region = 'dark'", "role": "target"}
    study = write_world(folder, slices=[target, *stripes], **SHORT)
    _hold(folder, "validation", 60 * count)
    _hold(folder, "test", 60 * count)
    return study


def many_candidates(folder: Path, count: int) -> Path:
    """Candidates of forty rows each."""
    rng = np.random.default_rng(9)
    write_world(folder)
    given = []
    for i in range(count):
        np.savez(folder / "data" / f"set_{i}.npz", **_columns(rows(rng, 40, np.arange(i % CELLS, i % CELLS + 1))))
        given.append({"name": f"set_{i}", "source": f"data/set_{i}.npz"})
    return write_world(folder, data__candidates=given, **SHORT)


def many_rows(folder: Path, count: int) -> Path:
    """Validation of so many rows."""
    study = write_world(folder, **SHORT)
    _hold(folder, "validation", count)
    return study


def measured(make: Callable[[Path, int], Path], count: int, quick: bool) -> Figures:
    """`check`, and `run` to the end: calibration, search, gate, last measurement."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        study = make(folder, count // 20 if quick else count)
        machine = folder / "machine.yaml"
        machine.write_text("runner: inline\n")
        check = _timed(["check", str(study)])
        run = _timed(["run", str(study), "--machine", str(machine), "--out", str(folder / "out")])
    return {
        "`check`, s": f"{check[0]:.1f}",
        "CPU": f"{check[1]:.1f}",
        "memory, MB": f"{check[2]:.0f}",
        "`run`, 30 trainings, s": f"{run[0]:.0f}",
        "its CPU": f"{run[1]:.0f}",
        "its memory, MB": f"{run[2]:.0f}",
    }


def _timed(words: Sequence[str]) -> tuple[float, float, float]:
    """Seconds, CPU seconds with all children, and the most memory of the largest process, MB."""
    begun = time.perf_counter()
    process = subprocess.Popen([*COMMAND, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if code := os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"{words[0]} ended with {code}: {said[-2000:]}")
    return time.perf_counter() - begun, usage.ru_utime + usage.ru_stime, _megabytes(usage)


def _megabytes(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss * 1024 / 1e6


def _hold(folder: Path, name: str, count: int) -> None:
    held = rows(np.random.default_rng([8, *name.encode()]), count, np.arange(CELLS))
    np.savez(folder / "data" / f"{name}.npz", **_columns(held))


def _columns(found: Any) -> dict[str, Any]:
    """The arrays, and the second input as metadata."""
    return {**found, "x1": found["x"][:, 1]}


PART = Part(
    title="Many slices, candidates and rows",
    words="The small world with more of one thing, 30 trainings one at a time (`runner: inline`), to the report.",
    cases={
        f"{SLICES:,} slices": partial(measured, many_slices, SLICES),
        f"{CANDIDATES} candidates": partial(measured, many_candidates, CANDIDATES),
        f"{ROWS:,} rows of validation": partial(measured, many_rows, ROWS),
    },
)
