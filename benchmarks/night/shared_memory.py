"""Memory of one dataset that several workers of a node train on at once."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import psutil

from autodc.adapters.artefacts import ArtefactStore
from autodc.adapters.executors import open_executor
from autodc.data.dataset import Dataset
from autodc.studyfile.study import MachineSpec
from autodc.testing.waiting import until
from autodc.trial.executor import StoredPart, TrainerRef, TrainTask
from benchmarks.night.part import RUNNERS, Figures, Part

MEGABYTES, COLUMNS = 800, 100
WORKERS = (1, 2, 4)
A_WORKER = 150
PATIENCE = 300.0


def shared(workers: int, runner: Literal["actors", "ray"], quick: bool) -> Figures:
    """Each worker reads every row and holds it; then their memory is looked at."""
    megabytes = MEGABYTES // 8 if quick else MEGABYTES
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = megabytes * 10**6 // (8 * COLUMNS)
        x = np.random.default_rng(1).random((rows, COLUMNS))
        data = Dataset(name="base", x=x, y=np.zeros(rows), metadata=pd.DataFrame(index=range(rows)))
        held = Dataset(name="validation", x=x[:100].copy(), y=np.zeros(100), metadata=pd.DataFrame(index=range(100)))
        store = ArtefactStore(folder / "store")
        base, validation = (str(store.put_dataset(one)) for one in (data, held))
        del x, data
        cpus = min(1.0, psutil.cpu_count() / workers)
        executor = open_executor(MachineSpec(runner=runner, max_concurrent=workers, cpus_per_trial=cpus))
        try:
            for k in range(workers):
                executor.submit(_task(k, folder, base, validation))
            files = [folder / f"holds-{k}" for k in range(workers)]
            until(lambda: all(f.exists() and f.read_text() for f in files), "all workers hold the data", PATIENCE)
            children = [psutil.Process(int(file.read_text())) for file in files]
            training = sum(one.memory_full_info().pss for one in children) / 1e6
            beside = sum(one.parent().memory_full_info().pss for one in children) / 1e6
            (folder / "enough").write_text("")
            ended = list[str]()
            while len(ended) < workers:
                ended += [one.status for one in executor.wait(1.0)]
        finally:
            executor.close()
    if set(ended) != {"done"}:
        raise RuntimeError(f"a training ended as {ended}")
    return {
        "data, MB": str(megabytes),
        "processes that train, PSS, MB": f"{training:.0f}",
        "beyond the data, MB a worker": f"{(training - megabytes) / workers:.0f}",
        "Ray's worker processes beside them, MB each": f"{beside / workers:.0f}",
        "both, beyond the data, MB a worker": f"{(training + beside - megabytes) / workers:.0f}",
        "goal, MB a worker": str(A_WORKER),
    }


def _task(k: int, folder: Path, base: str, validation: str) -> TrainTask:
    return TrainTask(
        number=k,
        attempt=0,
        trainer=TrainerRef(name="benchmarks.night.paced:Holder", options={}, folder=str(folder)),
        kind="regression",
        n_classes=0,
        train=(StoredPart(name="base", path=base),),
        predict=(StoredPart(name="validation", path=validation),),
        hyperparameters={"folder": str(folder)},
        recipe="concat",
        seed=k,
        fidelity=1.0,
        warm_start=None,
        out=str(folder / f"out-{k}"),
    )


PART = Part(
    title="Memory of data",
    words=(
        f"One dataset of {MEGABYTES} MB ({COLUMNS} columns of decimal numbers), read to its last row and held by all "
        "workers of a node at once. PSS: what several processes share is divided among them."
    ),
    cases={
        f"{n} worker{'s' if n > 1 else ''}: {runner}": partial(shared, n, runner) for runner in RUNNERS for n in WORKERS
    },
)
