"""For training programs in Python: the job that the trainer `command` gives a program, and its answer.

    from autodc.program import Job

    job = Job.open()
    rows = job.draw()
    model = Pipeline(...).set_params(**job.hyperparameters).fit(rows.x, rows.y)
    job.predict_with(model.predict_proba)

This file stands alone: a program whose Python has no autodc takes a copy of it along. It needs numpy, and pandas and
pyarrow for tables, texts and files.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray[Any, Any]

VARIABLE = "AUTODC_JOB"
"""The environment variable that names the job file, set for every program."""
TARGET = "y"
"""What the targets are called in a file."""
ABOUT = b"autodc"
"""Key of what a Parquet file says of itself: `{"inputs": kind, "columns": names of the inputs}`."""


class JobError(ValueError):
    """A job, or the answer to it, is not as it should be."""


@dataclass(frozen=True)
class _Content:
    """What a file holds: inputs (an array, or a DataFrame), and column → values of all that is no input."""

    kind: str
    x: Any
    rest: Mapping[str, Any]


class Rows:
    """Rows of one dataset or of several, one after another: inputs, targets and metadata columns, read when asked."""

    def __init__(self, parts: Sequence[Part], positions: Array | None = None) -> None:
        self._parts, self._positions = tuple(parts), positions

    def __len__(self) -> int:
        return sum(len(part._content.x) for part in self._parts) if self._positions is None else len(self._positions)

    @property
    def kind(self) -> str:
        """What the inputs are: arrays, table, text or files."""
        return self._parts[0]._content.kind

    @cached_property
    def x(self) -> Any:
        """The inputs: an array (n, ...), a DataFrame, a list of texts or a list of absolute paths."""
        if self.kind == "arrays":
            return self._taken([part._content.x for part in self._parts])
        frame = self._inputs()
        return frame if self.kind == "table" else frame[frame.columns[0]].tolist()

    @cached_property
    def y(self) -> Any:
        """The targets, shape (n,) or (n, ...): of classes the codes 0 … C−1, whose names `labels` tells.

        In `custom` they may be JSON values: an array of Python objects.
        """
        if any(TARGET not in part._content.rest for part in self._parts):
            raise JobError(f"{self._named()}: rows to predict have no targets")
        found = self._taken([part._content.rest[TARGET] for part in self._parts])
        return np.fromiter(map(json.loads, found), object, len(found)) if found.dtype.kind in "UTO" else found

    def arrays(self) -> tuple[Array, Array]:
        """Inputs and targets as arrays; those of a table where every column is of numbers or truth values."""
        if self.kind == "table":
            frame = self._inputs()
            if texts := [name for name in frame.columns if frame[name].dtype.kind not in "biuf"]:
                raise JobError(f"{self._named()}: the columns {', '.join(texts)} are no numbers; use frame()")
            return frame.to_numpy(dtype=float), self.y
        return np.asarray(self.x), self.y

    def frame(self) -> pd.DataFrame:
        """Everything in columns: the inputs, then, of rows to train on, `y` and the metadata."""
        if self.kind == "arrays":
            raise JobError(f"{self._named()}: the inputs are arrays, not columns; use arrays()")
        frame, rests = self._inputs(), [part._content.rest for part in self._parts]
        for name in [name for name in rests[0] if all(name in rest for rest in rests)]:
            values = self.y if name == TARGET else self._taken([rest[name] for rest in rests])
            frame[name] = values if np.ndim(values) == 1 else list(values)
        return frame

    def texts(self) -> list[str]:
        """The texts, one a row."""
        return self._only("text")

    def paths(self) -> list[str]:
        """The absolute paths of the files, one a row."""
        return self._only("files")

    def labels(self) -> Array:
        """The targets as they are written in the data: of classes their names."""
        return np.asarray(np.asarray(classes)[self.y] if (classes := self._parts[0].classes) else self.y)

    def weights(self) -> Array:
        """The weight of each row's dataset, (n,): for fits that take `sample_weight` in place of a draw."""
        return self._taken([np.full(len(part._content.x), part.weight) for part in self._parts])

    def _only(self, kind: str) -> list[str]:
        if self.kind != kind:
            raise JobError(f"{self._named()}: the inputs are {self.kind}, not {kind}")
        return list(self.x)

    def _inputs(self) -> pd.DataFrame:
        import pandas as pd

        frame: pd.DataFrame = pd.concat([part._content.x for part in self._parts], ignore_index=True)
        return frame if self._positions is None else frame.iloc[self._positions].reset_index(drop=True)

    def _taken(self, arrays: Sequence[Any]) -> Array:
        whole = np.concatenate([np.asarray(array) for array in arrays])
        return whole if self._positions is None else whole[self._positions]

    def _named(self) -> str:
        return ", ".join(part.name for part in self._parts)


class Part(Rows):
    """One dataset to train on, or one set of rows to predict."""

    def __init__(self, entry: Mapping[str, Any], classes: Sequence[Any]) -> None:
        super().__init__([self])
        self.name, self.path, self.format = str(entry["name"]), str(entry["path"]), str(entry["format"])
        self.weight, self.stage = float(entry.get("weight", 1.0)), str(entry.get("stage", "main"))
        """weight: how often each row is to be drawn an epoch; stage: pretrain or main."""
        self.tags, self.named = tuple(str(tag) for tag in entry.get("tags", ())), tuple(entry.get("named", ()))
        """tags: `synthetic` where rows were made; named: under label_adapt codes of the classes for its loss."""
        self.classes, self._ranks = tuple(classes), entry.get("ranks")

    @cached_property
    def ranks(self) -> Array:
        """Of a curriculum by difficulty the place of each row among all, (n,) in (0, 1]: the first ones are low."""
        return np.zeros(len(self)) if self._ranks is None else np.asarray(np.load(self._ranks, allow_pickle=False))

    def __repr__(self) -> str:
        return f"Part({self.name!r}, {self.format}, weight {self.weight:g}, stage {self.stage})"

    @cached_property
    def _content(self) -> _Content:
        return _parquet(self.path) if self.format == "parquet" else _npz(self.path)


@dataclass(frozen=True)
class Leg:
    """One leg of a recipe: its datasets with their weights, its share of the budget, a factor on the learning rate."""

    parts: tuple[Part, ...]
    share: float
    lr_factor: float
    frozen_layers: float  # leading ones that do not learn: below 1 a share of them, from 1 on their number
    shares: tuple[tuple[float, float], ...] = ()
    """By difficulty: from which share of the leg on (the first) which share of the rows is in; empty where all are."""

    def rows_in(self, part: Part, done: float) -> Array:
        """The rows of a part that are drawn from once so much of this leg is done, by their number."""
        share = max((rows for begun, rows in self.shares if begun <= done + 1e-9), default=1.0)
        return np.arange(len(part)) if share >= 1 else np.flatnonzero(part.ranks <= share + 1e-12)


@dataclass(frozen=True)
class Job:
    """One training as the program is told of it, and where its answer goes."""

    hyperparameters: Mapping[str, Any]
    recipe: str
    """concat, pretrain_finetune, continue, or another that options.recipes names."""
    seed: int
    fidelity: float
    """The share of a full training to spend."""
    warm_start: Path | None
    out: Path
    train: tuple[Part, ...]
    """The datasets to train on; none where there is only to predict, with the model of `warm_start`."""
    predict: tuple[Part, ...]
    kind: str
    """classification, regression, image_to_image or custom; empty where the job does not say."""
    classes: tuple[Any, ...] = field(default=())
    """The names of the classes, in the order of their codes and of the columns of scores."""
    legs: tuple[Leg, ...] = field(default=())
    """The recipe cut into legs; none where there is nothing to train on."""

    @classmethod
    def open(cls, path: str | os.PathLike[str] | None = None) -> Job:
        """Read a job file. path: left out, the one autodc started this program for, or an argument that names one."""
        file = Path(path if path is not None else _asked())
        try:
            told = json.loads(file.read_text(encoding="utf-8"))
            classes, start = tuple(told.get("classes") or ()), told["warm_start"]
            how = {name: told[name] for name in ("hyperparameters", "recipe", "seed", "fidelity")}
            how |= {"warm_start": None if start is None else Path(start), "out": Path(told["out"])}
            train, predict = (tuple(Part(entry, classes) for entry in told[name]) for name in ("train", "predict"))
            legs = tuple(_leg(one, told["train"], classes) for one in told.get("legs", ()))
            return cls(**how, train=train, predict=predict, kind=told.get("kind", ""), classes=classes, legs=legs)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise JobError(f"{file} is no job file: {type(error).__name__}: {error}") from None

    @property
    def model(self) -> Path:
        """The folder for the model."""
        folder = self.out / "model"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def rows(self, stage: str | None = None) -> Rows:
        """Every row of every dataset once; `weights()` says how much each is to count. stage: of these alone."""
        return Rows(self._of(stage))

    def draw(self, epoch: int = 0, stage: str | None = None, leg: Leg | None = None, done: float = 1.0) -> Rows:
        """The rows of one epoch, shuffled: each dataset as often as its weight says. Every epoch draws anew.

        leg: of the recipe, in place of a stage; done: how much of it is, for a curriculum by difficulty.
        """
        parts = self._of(stage) if leg is None else list(leg.parts)
        rng = np.random.default_rng([self.seed, epoch])
        starts = np.cumsum([0, *map(len, parts)])
        into = [np.arange(len(part)) if leg is None else leg.rows_in(part, done) for part in parts]
        drawn = [own[epoch_rows(p.weight, len(own), rng)] + s for p, own, s in zip(parts, into, starts)]  # noqa: B905
        return Rows(parts, rng.permutation(np.concatenate(drawn).astype(np.int64)))

    def predict_with(self, predict: Callable[[Any], Any]) -> None:
        """Write what a function predicts for the inputs of every part, in row order."""
        for part in self.predict:
            self.write(part, predict(part.x))

    def answer(self, outputs: Mapping[str, Any]) -> None:
        """Write the outputs of every part, by name."""
        for part in self.predict:
            if part.name not in outputs:
                raise JobError(f"there are no outputs for {part.name}, only for {', '.join(outputs) or 'nothing'}")
            self.write(part, outputs[part.name])

    def write(self, part: Part | str, outputs: Any) -> None:
        """Write the outputs of one part: class scores (n, C), values (n, ...), images; in `custom` any JSON values.

        Raises JobError where they are not one finite output a row.
        """
        name = part if isinstance(part, str) else part.name
        known = {one.name: one for one in self.predict}
        if name not in known:
            raise JobError(f"there is nothing called {name} to predict, only {', '.join(known)}")
        file, count = self.out / f"predictions-{name}", len(known[name])
        outputs = outputs.detach().cpu() if hasattr(outputs, "detach") else outputs
        if self.kind in ("custom", "") and not hasattr(outputs, "dtype"):
            lines = "".join(f"{line}\n" for line in _json_lines(outputs, count, name))
            _whole(file.with_name(f"{file.name}.jsonl"), lambda stream: stream.write(lines.encode()))
            return
        array = _checked(np.asarray(outputs), count, name)
        if self.classes and array.shape != (count, len(self.classes)):
            raise JobError(f"{name}: a score a class is needed, shape {(count, len(self.classes))}, not {array.shape}")
        _whole(file.with_name(f"{file.name}.npz"), lambda stream: np.savez(stream, outputs=array))

    def _of(self, stage: str | None) -> list[Part]:
        if not (parts := [part for part in self.train if stage in (None, part.stage)]):
            raise JobError("there is nothing to train on" + (f" in stage {stage}" if stage else ""))
        return parts


def _leg(told: Mapping[str, Any], train: Sequence[Mapping[str, Any]], classes: Sequence[Any]) -> Leg:
    weights = {one["name"]: one["weight"] for one in told["parts"]}
    parts = tuple(Part({**e, "weight": weights[e["name"]]}, classes) for e in train if e["name"] in weights)
    shares = tuple((float(begun), float(rows)) for begun, rows in told.get("shares") or ())
    return Leg(parts, told["share"], told["lr_factor"], told["frozen_layers"], shares)


def epoch_rows(weight: float, n_rows: int, rng: np.random.Generator) -> Array:
    """Draw the rows of one dataset for one epoch: exactly round(weight × n_rows) of them, unshuffled.

    Every row comes floor(weight) times; the rest is drawn without replacement, so each row comes
    floor(weight) or floor(weight) + 1 times and `weight` times on average over epochs.
    """
    total = round(weight * n_rows)
    whole, rest = divmod(total, n_rows) if n_rows else (0, 0)
    rows = np.tile(np.arange(n_rows), whole)
    return np.concatenate([rows, rng.permutation(n_rows)[:rest]]) if rest else rows


def _asked() -> str:
    if (named := os.environ.get(VARIABLE) or next((a for a in sys.argv[1:] if a.endswith(".json")), None)) is None:
        raise JobError(f"no job: this program was not started by autodc ({VARIABLE} is not set); name a job file")
    return named


def _npz(path: str) -> _Content:
    with np.load(path, allow_pickle=False) as arrays:
        return _Content("arrays", arrays["x"], {name: arrays[name] for name in arrays.files if name != "x"})


def _parquet(path: str) -> _Content:
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    about = json.loads(table.schema.metadata[ABOUT])
    frame = table.to_pandas()
    rest = {name: frame[name] for name in frame.columns if name not in about["columns"]}
    if TARGET in rest:
        rest[TARGET] = _values(table[TARGET].combine_chunks())
    return _Content(about["inputs"], frame[about["columns"]], rest)


def _values(column: Any) -> Array:
    """A column as an array; lists of a fixed length, at any depth, become axes."""
    sizes: list[int] = []
    while hasattr(column.type, "list_size"):
        sizes.append(column.type.list_size)
        column = column.flatten()
    values: Array = column.to_numpy(zero_copy_only=False)
    return values.reshape([-1, *sizes])


def _checked(array: Array, count: int, name: str) -> Array:
    if array.dtype.kind not in "fiub":
        raise JobError(f"{name}: outputs are numbers, not {array.dtype}")
    if array.shape[:1] != (count,):
        raise JobError(f"{name}: one output a row is needed, {count} of them, not shape {array.shape}")
    bad = np.flatnonzero(~np.isfinite(array).all(axis=tuple(range(1, array.ndim))))
    if len(bad):
        raise JobError(f"{name}: outputs are finite; row {bad[0]} holds NaN or infinity, {len(bad)} rows in all")
    return array


def _json_lines(outputs: Iterable[Any], count: int, name: str) -> list[str]:
    """One JSON value a row; arrays and tensors in it become lists."""
    lines = []
    for row, value in enumerate(outputs):
        try:
            lines.append(json.dumps(value, default=lambda one: one.tolist(), allow_nan=False))
        except (TypeError, ValueError, AttributeError) as error:
            raise JobError(f"{name}, row {row}: no JSON value: {error}") from None
    if len(lines) != count:
        raise JobError(f"{name}: one output a row is needed, {count} of them, not {len(lines)}")
    return lines


def _whole(path: Path, write: Callable[[Any], object]) -> None:
    unfinished = path.with_name(f".{path.name}")
    with unfinished.open("wb") as stream:
        write(stream)
    unfinished.replace(path)
