"""Rows a second into a trial, beside a plain torch DataLoader and pandas in the same run.

    python -m benchmarks.rows                       # writes benchmarks/results/rows.md
    python -m benchmarks.rows images table --rounds 3

Every measurement begins with what lies on the disk and ends with the last batch, or with the rows that an estimator is
given; the pages of the files are warm. Ours goes the way of a training: the stored datasets are opened, rows are drawn
by weight from two of them, read and made tensors; the check of the stored files against their digests, once in a
process, is left out, and so is the training. A peer reads the same rows from one file, each once an epoch, shuffled,
with no draw by weight. Ours and the peers take turns; a ratio is of one turn, and its median is told.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.tables import table

RESULTS = Path(__file__).parent / "results" / "rows.md"
BATCH, EPOCHS, SEED = 64, 2, 1
IMAGES, FILES, ROWS = 30_000, 2_400, 150_000
SIDE = 32
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


# what lies on the disk


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


def pictures(rng: np.random.Generator, count: int, side: int) -> Any:
    """Smooth pictures with some noise, RGB."""
    from PIL import Image

    found = np.empty((count, side, side, 3), np.uint8)
    for at in range(count):
        small = Image.fromarray(rng.integers(0, 230, (6, 6, 3), dtype=np.uint8))
        found[at] = np.asarray(small.resize((side, side))) + rng.integers(0, 25, (side, side, 3), dtype=np.uint8)
    return found


def frame(rng: np.random.Generator, rows: int, categories: int) -> Any:
    """Thirty columns: numbers, one in three whole, one in three with gaps, and so many categories."""
    import pandas as pd

    columns: dict[str, Any] = {}
    for at in range(30 - categories):
        values = rng.gamma(2, 50, rows)
        if at % 3 == 1:
            values[rng.random(rows) < 0.05] = np.nan
        columns[f"n{at}"] = rng.integers(0, 10**6, rows) if at % 3 == 2 else values
    for at in range(categories):
        names = np.array([f"name {i}" for i in range(5 * 4**at)], dtype=object)
        columns[f"c{at}"] = names[rng.integers(0, len(names), rows)]
    return pd.DataFrame(columns)


# the two sides


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


def of_sklearn(parts: Any, estimator: str) -> int:
    """The rows that an estimator is fitted on."""
    from autodc.adapters.trainers import sklearn_trainer
    from autodc.adapters.trainers.options import SklearnOptions
    from autodc.trial.recipes import phases

    job = opened(parts)
    options = SklearnOptions(estimator=estimator, encode="none" if estimator == "DummyClassifier" else "auto")
    trainer = sklearn_trainer.Sklearn(options, "")
    model = trainer._first(job)
    x, _ = sklearn_trainer._rows(phases(job)[0], job)
    return int(trainer._prepared(model, x, 0).shape[0])


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


class Pictures:
    """Image files, opened one by one, as torchvision's ImageFolder and transforms do it."""

    def __init__(self, paths: list[str], targets: Any) -> None:
        self.paths, self.targets = paths, targets

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, at: int) -> Any:
        import torch
        from PIL import Image

        with open(self.paths[at], "rb") as file:
            image = Image.open(file).convert("RGB")
        if image.size != (SIDE, SIDE):
            image = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        values = torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()
        return values.to(torch.float32).div(255), self.targets[at]


# the cases


def image_arrays(folder: Path) -> list[Case]:
    import torch
    from torch.utils.data import TensorDataset

    from autodc.adapters.trainers.options import TorchImageOptions
    from autodc.adapters.trainers.torch_image import TorchImage

    rng = np.random.default_rng(0)
    x, y = np.tile(pictures(rng, IMAGES // 10, SIDE), (10, 1, 1, 1)), rng.integers(0, 10, IMAGES)
    x[:, 0, 0, 0] = rng.integers(0, 255, IMAGES)
    parts = stored(folder, x, y)
    np.save(folder / "x.npy", x)
    np.save(folder / "y.npy", y)

    def dataset() -> Any:
        values = torch.from_numpy(np.load(folder / "x.npy")).permute(0, 3, 1, 2).contiguous()
        return TensorDataset(values.to(torch.float32).div(255), torch.from_numpy(np.load(folder / "y.npy")))

    trainer = TorchImage(TorchImageOptions(), "")
    ours = {
        "image arrays 32 × 32, torch_image": lambda: of_torch(trainer, parts, EPOCHS),
        "image arrays 32 × 32, lightning": lambda: of_lightning(parts, EPOCHS),
    }
    return [Case(ours=ours, peers=loaders(dataset, EPOCHS))]


def image_files(folder: Path) -> list[Case]:
    rng = np.random.default_rng(0)
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    sizes = {"32 × 32": (SIDE,), "of 40 to 160 pixels": (40, 64, 96, 160)}
    return [case for what, sides in sizes.items() for case in _of_files(folder, what, sides, rng)]


def _of_files(folder: Path, what: str, sides: Sequence[int], rng: np.random.Generator) -> list[Case]:
    import hashlib
    import shutil

    from PIL import Image

    from autodc.adapters.sources import read_source
    from autodc.adapters.trainers.options import TorchImageOptions
    from autodc.adapters.trainers.torch_image import TorchImage
    from autodc.studyfile.study import SourceSpec
    from autodc.table import Table

    place, paths = folder / what.replace(" ", ""), []
    for side in sides:
        for at, values in enumerate(pictures(rng, FILES // len(sides), side)):
            path = place / str(at % 10) / f"{side}-{at}.{'jpg' if at % 2 else 'png'}"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(values).save(path, **({"quality": 92} if at % 2 else {}))
            paths.append(str(path))
    y = rng.integers(0, 10, len(paths))
    content = [hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in paths]
    parts = stored(folder / f"of{place.name}", Table.of_files(paths, content), y)
    spec = SourceSpec(source=place.name, options={"size": [SIDE, SIDE], "mode": "RGB"})
    trainer = TorchImage(TorchImageOptions(size=(SIDE, SIDE), mode="RGB"), "")
    once, more = (loaders(lambda: Pictures(paths, y), n) for n in (1, EPOCHS))

    def forget() -> None:
        shutil.rmtree(folder / "cache", ignore_errors=True)

    def read() -> int:
        told = {"folder": str(folder), "name": "base", "place": "data.base", "kind": "classification"}
        return len(read_source(spec, **told).x)

    name = f"image files {what}"
    ours = {
        f"{name}, read by the source": read,
        f"{name}, torch_image, first trial, one epoch": lambda: of_torch(trainer, parts, 1),
    }
    later = {f"{name}, torch_image, a later trial, {EPOCHS} epochs": lambda: of_torch(trainer, parts, EPOCHS)}
    return [Case(ours=ours, peers=once, threads=2, afresh=forget), Case(ours=later, peers=more)]


def tables(folder: Path) -> list[Case]:
    rng = np.random.default_rng(0)
    mixes = {"30 numbers": 0, "24 numbers, 6 categories": 6}
    return [case for what, categories in mixes.items() for case in _of_table(folder, what, categories, rng)]


def _of_table(folder: Path, what: str, categories: int, rng: np.random.Generator) -> list[Case]:
    import pandas as pd
    import torch
    from torch.utils.data import TensorDataset

    from autodc.adapters.trainers.options import TorchTabularOptions
    from autodc.adapters.trainers.torch_tabular import TorchTabular
    from autodc.table import Table

    place = folder / f"with{categories}"
    place.mkdir(parents=True)
    columns, y = frame(rng, ROWS, categories), rng.integers(0, 10, ROWS)
    types: Any = [
        "category" if c[0] == "c" else "integer" if d.kind == "i" else "number" for c, d in columns.dtypes.items()
    ]
    parts = stored(place, Table.of("table", columns, types), y)
    path = place / "table.parquet"
    columns.to_parquet(path, index=False)
    np.save(place / "y.npy", y)

    def values() -> Any:
        read = pd.read_parquet(path)
        for name in read.columns:
            if name.startswith("c"):
                read[name] = read[name].astype("category").cat.codes
        return read.to_numpy(np.float32)

    def dataset() -> Any:
        return TensorDataset(torch.from_numpy(values()), torch.from_numpy(np.load(place / "y.npy")))

    name = f"table of {what}"
    networks = {
        f"{name}, torch_tabular": lambda: of_torch(TorchTabular(TorchTabularOptions(), ""), parts, EPOCHS),
        f"{name}, lightning": lambda: of_lightning(parts, EPOCHS),
    }
    given = {f"{name}, frame of an sklearn trainer": lambda: of_sklearn(parts, "DummyClassifier")}
    boosting = {f"{name}, encoded for histogram boosting": lambda: of_sklearn(parts, "HistGradientBoostingClassifier")}
    by_hand = {"pandas, to_numpy": lambda: len(values())}
    if categories:
        by_hand = {"pandas, OrdinalEncoder": lambda: encoded(path)}
    return [
        Case(ours=networks, peers=loaders(dataset, EPOCHS)),
        Case(ours=given, peers={"pandas, read_parquet": lambda: len(pd.read_parquet(path))}),
        Case(ours=boosting, peers=by_hand),
    ]


def encoded(path: Path) -> int:
    """The rows that histogram boosting would be fitted on, encoded by hand."""
    import pandas as pd
    from sklearn.compose import make_column_transformer
    from sklearn.preprocessing import OrdinalEncoder

    read = pd.read_parquet(path)
    categories = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        encoded_missing_value=np.nan,
        max_categories=254,
    )
    names = [name for name in read.columns if name.startswith("c")]
    return len(make_column_transformer((categories, names), remainder="passthrough").fit_transform(read))


CASES: dict[str, Callable[[Path], list[Case]]] = {"images": image_arrays, "files": image_files, "table": tables}


# measuring


def rate(turn: Turn) -> float:
    """Rows a second."""
    start = time.perf_counter()
    rows = turn()
    return rows / (time.perf_counter() - start)


def measured(case: Case, rounds: int) -> list[tuple[object, ...]]:
    """Take turns; the median rates and the median ratio to the peer whose median is best."""
    import torch

    sides = {**case.ours, **case.peers}
    rates: dict[str, list[float]] = {name: [] for name in sides}
    torch.set_num_threads(case.threads)
    for ours in case.ours.values():  # imports, and the digests of the files
        case.afresh()
        ours()
    for at in range(rounds):
        for name in list(sides)[:: 1 if at % 2 else -1]:
            case.afresh()
            rates[name].append(rate(sides[name]))
    peer = max(case.peers, key=lambda name: statistics.median(rates[name]))
    others = ", ".join(f"{name} {statistics.median(rates[name]):,.0f}" for name in case.peers if name != peer) or "–"
    return [(*_row(name, peer, rates), others) for name in case.ours]


def _row(name: str, peer: str, rates: Mapping[str, list[float]]) -> tuple[object, ...]:
    ratios = sorted(one / other for one, other in zip(rates[name], rates[peer], strict=True))
    own, other = (f"{statistics.median(rates[side]):,.0f}" for side in (name, peer))
    return name, own, other, peer, f"{statistics.median(ratios):.2f}", f"{ratios[0]:.2f} – {ratios[-1]:.2f}"


HEAD = (
    "case",
    "ours, rows/s",
    "peer, rows/s",
    "the better peer",
    "ratio, median",
    "least – most",
    "other peers, rows/s",
)
PAGE = """\
# Rows a second into a trial

`python -m benchmarks.rows` on {cores} cores, Python {python}, torch {torch}, {rounds} turns each, {seconds:.0f} s;
load of the machine before {before:.1f}, after {after:.1f}. Goal: at least 1.0 × the better peer of each line.

From what lies on the disk to the last batch, or to the rows an estimator is given; pages of files are warm. Ours goes
the way of a training: stored datasets are opened, rows drawn by weight from two of them, read and made tensors. The
peer reads the same rows from one file, shuffled, without weights. A trial has one thread, two where image files are
decoded for the first time; DataLoader has its workers beside it. A ratio is of one turn.

{table}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", help="images, files, table; all where none is named, and a page is written")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    before, start, rows = os.getloadavg()[0], time.monotonic(), list[tuple[object, ...]]()
    with tempfile.TemporaryDirectory(prefix="autodc-rows-") as root:
        for name in asked.cases or CASES:
            for case in CASES[name](Path(root) / name):
                for row in measured(case, asked.rounds):
                    rows.append(row)
                    print(*row, sep=" · ", file=sys.stderr, flush=True)
    import torch

    page = PAGE.format(
        cores=len(os.sched_getaffinity(0)), python=platform.python_version(), torch=torch.__version__,
        rounds=asked.rounds, seconds=time.monotonic() - start, before=before, after=os.getloadavg()[0],
        table=table(HEAD, rows),
    )  # fmt: skip
    if not asked.cases:
        RESULTS.write_text(page)
    print(page)


if __name__ == "__main__":
    main()
