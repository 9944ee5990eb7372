"""What every measurement of `rows` shares: stored datasets, our ways to their batches, and the peer's loader."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BATCH, EPOCHS, SEED = 64, 2, 1
WORKERS = (0, 2)
WEIGHT = 0.5
"""Of the candidate beside the base; it has a third of the rows of both."""
Turn = Callable[[], int]
"""Something to be timed; gives how many rows it read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Lines of the table that have the same peers."""

    ours: Mapping[str, Turn]
    peers: Mapping[str, Turn]
    threads: int = 1
    """Of the trial; one is what a trial has where nobody says otherwise. DataLoader has its workers beside them."""
    afresh: Callable[[], object] = lambda: None
    """What is done before each turn, untimed."""


def stored(folder: Path, x: Any, y: Any) -> Any:
    """A job whose training rows are a base and a candidate of weight ½, stored as a study stores them."""
    import pandas as pd

    from autodc.adapters.artefacts import ArtefactStore
    from autodc.data.dataset import Dataset
    from autodc.trial.executor import StoredPart

    store, cut, parts = ArtefactStore(folder / "store"), 2 * len(x) // 3, []
    for name, rows, weight in (("base", slice(0, cut), 1.0), ("more", slice(cut, None), WEIGHT)):
        metadata = pd.DataFrame(index=range(len(y[rows])))
        path = store.put_dataset(Dataset(name=name, x=x[rows], y=y[rows], metadata=metadata))
        parts.append(StoredPart(name=name, path=str(path), weight=weight, stage="main"))
    return parts


def opened(parts: Iterable[Any]) -> Any:
    """A job of stored parts, as a worker opens them."""
    from autodc.adapters.executors.opening import open_part
    from autodc.trial.trainer import TrainingJob, TrainPart

    train = []
    for part in parts:
        x, y, metadata = open_part(part.path)
        assert y is not None
        more = {"name": part.name, "weight": part.weight, "stage": part.stage, "folder": Path(part.path)}
        train.append(TrainPart(x=x, y=y, metadata=metadata, **more))
    return TrainingJob(
        kind="classification", n_classes=10, train=tuple(train), predict={}, hyperparameters={},
        recipe="concat", seed=SEED, fidelity=1.0, warm_start=None, out=Path(tempfile.gettempdir()),
    )  # fmt: skip


def with_arrays(trainer: Any, job: Any) -> Any:
    """Image files decoded, as `torch_image` begins; of arrays and tables there is nothing to do."""
    from autodc.adapters.trainers import image_rows
    from autodc.adapters.trainers.torch_image import TorchImage

    return image_rows.of_job(job, trainer._wish) if isinstance(trainer, TorchImage) else job


def of_torch(trainer: Any, parts: Any, epochs: int) -> int:
    """All batches of a training of ours."""
    from autodc.adapters.trainers.torch_steps import batches_of_phase
    from autodc.trial.recipes import phases

    job = with_arrays(trainer, opened(parts))
    codec, phase = trainer.prepare(job).codec, phases(job)[0]
    steps = epochs * sum(round(len(part.x) * part.weight) for part in phase.parts) // BATCH
    return sum(len(x) for x, _ in batches_of_phase(codec, phase, BATCH, steps, SEED))


def of_lightning(parts: Any, epochs: int, workers: int = 0) -> int:
    """All batches of the loader that a LightningModule of ours is given."""
    from autodc.adapters.trainers.lightning_reading import facts_of
    from autodc.adapters.trainers.lightning_rows import Reading, loader
    from autodc.adapters.trainers.options import LightningOptions
    from autodc.trial.recipes import phases

    job = opened(parts)
    options = LightningOptions(module="none.py:None", workers=workers)
    phase = phases(job)[0]
    steps = epochs * sum(round(len(part.x) * part.weight) for part in phase.parts) // BATCH
    rows = loader(phase, Reading(facts_of(job, options)), options, BATCH, steps, SEED)
    return sum(len(y) for _ in range(-(-steps // len(rows))) for _, y in rows)


def loader_of(dataset: Any, workers: int, epochs: int) -> int:
    """All batches of a plain DataLoader."""
    from torch.utils.data import DataLoader

    more = {"persistent_workers": True} if workers else {}
    rows = DataLoader(dataset, batch_size=BATCH, shuffle=True, num_workers=workers, **more)
    return sum(len(x) for _ in range(epochs) for x, _ in rows)


def loaders(make: Callable[[], Any], epochs: int) -> dict[str, Turn]:
    """A plain DataLoader with each number of workers."""
    return {
        f"DataLoader, {workers} workers": lambda workers=workers: loader_of(make(), workers, epochs)  # type: ignore[misc]
        for workers in WORKERS
    }
