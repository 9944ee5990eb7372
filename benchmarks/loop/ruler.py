"""What the nights of planted worlds are measured by: trainings outside any study, tuned alike, and the sealed test."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd

from autodc import fingerprint, seeds
from autodc.data.dataset import Dataset
from autodc.data.hashing import row_hashes
from autodc.plan.mixture import BASE
from autodc.search.space import RECIPE, Space, dimension_of
from autodc.studyfile import load
from autodc.studyfile.study import ParameterSpec, StudySpec
from autodc.trial.executor import TrainerRef
from autodc.trial.trainer import TrainPart
from autodc.wire.inputs import read_inputs
from benchmarks.diagnose.rows import CONFIGS
from benchmarks.loop.planted import Kind, Part, Parts, Planted
from benchmarks.loop.training import outputs
from benchmarks.real.store import Store, key

Array = np.ndarray[Any, Any]

TEXT, TARGET, GROUP = "text", "label", "day"
POOL, TEST, VALIDATION = "pool", "test", "validation"
SVC: Mapping[str, Any] = {
    "trainer": "sklearn",
    "options": {"estimator": "SVC", "scale": False},
    "space": {
        "C": {"type": "float", "low": 0.3, "high": 100, "log": True},
        "gamma": {"type": "float", "low": 0.003, "high": 0.3, "log": True},
    },
}
LEARNERS: Mapping[Kind, Mapping[str, Any]] = {
    "digits": SVC,
    "fashion": SVC,
    "table": {
        "trainer": "sklearn",
        "options": {"estimator": "HistGradientBoostingClassifier", "params": {"max_iter": 60}},
        "space": {
            "learning_rate": {"type": "float", "low": 0.03, "high": 0.3, "log": True},
            "max_leaf_nodes": {"type": "int", "low": 4, "high": 32, "log": True},
            "min_samples_leaf": {"type": "int", "low": 5, "high": 40, "log": True},
        },
    },
    "text": {
        "trainer": "sklearn",
        "options": {"estimator": str(CONFIGS / "reviews" / "model.py:pipeline")},
        "space": {
            "logisticregression__C": {"type": "float", "low": 0.1, "high": 30, "log": True},
            "tfidfvectorizer__min_df": {"type": "int", "low": 1, "high": 4},
        },
    },
}
"""Kind of world → its learner, as configs/closed_loop, census and reviews have them."""
FRESH = 3
"""Trainings that the end of each arm is the mean of; those of a learner without chance are one."""


def study_spec(world: Planted, parts: Parts, folder: Path, **more: Any) -> StudySpec:
    """Write base, pool and validation into a folder, and the question: nothing tells which row is of which kind.

    more: keys that take the place of those of the study file, `data` joined with its own.
    """
    learner = LEARNERS[world.kind]
    data = {name: _written(folder, name, getattr(parts, name)) for name in (BASE, POOL, VALIDATION)}
    made = {**data, **more.pop("data", {})}
    told = {
        "schema_version": 1,
        "name": world.name,
        "seed": world.seed,
        "task": {"kind": "classification", "trainer": learner["trainer"], "options": learner["options"]},
        "metrics": {"primary": "accuracy"},
        "slices": [{"name": "overall", "role": "target"}],
        "search_space": learner["space"],
        "tracking": {"uri": "none"},
        **more,
        "data": {name: one for name, one in made.items() if one is not None},
    }
    (folder / "study.yaml").write_text(json.dumps(told, indent=1), encoding="utf-8")
    return load(folder / "study.yaml")


def _written(folder: Path, name: str, part: Part) -> dict[str, Any]:
    """Write the rows of a part as a user has them; returns the source."""
    if isinstance(part.x, np.ndarray):
        np.savez(folder / f"{name}.npz", x=part.x, y=part.y, scan=part.group)
        return {"source": f"{name}.npz", "options": {"group": "scan"}}
    options: dict[str, Any] = {"target": TARGET}
    if isinstance(part.x, pd.Series):
        frame, options = pd.DataFrame({TEXT: part.x, TARGET: part.y}), {**options, "text": TEXT}
    else:
        frame = part.x.assign(**{TARGET: part.y})
        if len(np.unique(part.group)) < len(part):
            frame, options = frame.assign(**{GROUP: part.group}), {**options, "group": GROUP}
    frame.to_parquet(folder / f"{name}.parquet", index=False)
    return {"source": f"{name}.parquet", "options": options}


@final
@dataclass(kw_only=True, eq=False)
class Ruler:
    """Trains on any rows of a world. `tuned` is what every peer does with its trainings."""

    world: Planted
    parts: Parts
    folder: Path
    store: Store
    """What was trained before, by content."""

    @cached_property
    def known(self) -> Mapping[str, Dataset]:
        """Base, pool, oracle and test as the product reads them."""
        self.folder.mkdir(parents=True, exist_ok=True)
        more = {POOL: self.parts.pool, TEST: self.parts.test}
        more |= {f"oracle-{name}": part for name, part in self.parts.oracle.items()}
        listed = [{"name": f"the-{name}", **_written(self.folder, f"the-{name}", one)} for name, one in more.items()]
        spec = study_spec(
            self.world, self.parts, self.folder, data={"candidates": listed, POOL: None, "overlap": "allow"}
        )
        catalogue = read_inputs(spec).catalogue
        found = {name.removeprefix("the-"): one for name, one in catalogue.candidates.items()}
        return {**found, BASE: catalogue.base, VALIDATION: catalogue.validation}

    def train(self, train: Sequence[TrainPart], predict: str, settings: Mapping[str, Any], seed: int) -> Array:
        """Which rows of a held part one training is right on, shape (n,) of 0 and 1."""
        rows = [(part.name, fingerprint.of_array(part.y), _content(part.x), part.weight) for part in train]
        name = key(rows, predict, self.parts.digest, dict(settings), seed, "concat")
        return self.store.array(name, lambda: self._train(train, predict, settings, seed))

    def _train(self, train: Sequence[TrainPart], predict: str, settings: Mapping[str, Any], seed: int) -> Array:
        learner, held = LEARNERS[self.world.kind], self.known[predict]
        trainer = TrainerRef(name=learner["trainer"], options=learner["options"], folder=".")
        classes = len(np.unique(self.parts.base.y))
        found = outputs(trainer, train, {predict: held.x}, settings, seed, classes=classes)
        return np.asarray(found[predict].argmax(axis=1) == held.y)

    def tuned(self, train: Sequence[TrainPart], trainings: int, name: str) -> dict[str, float]:
        """Tune on all of validation with so many trainings, settings by chance; what the best is worth on the test."""
        space = {n: ParameterSpec.model_validate(p) for n, p in LEARNERS[self.world.kind]["space"].items()}
        drawn = Space([dimension_of(n, spec) for n, spec in space.items()], {RECIPE: "concat"})
        rng = seeds.generator(self.world.seed, "peer", name)
        rows = drawn.snap(np.vstack([drawn.defaults, drawn.random(rng, max(0, trainings - 1))]))
        tried = [drawn.decode(row) for row in rows]
        tried = [{n: v for n, v in one.items() if n in space} for one in tried]
        seen = [self.train(train, VALIDATION, one, seeds.integer(0, "peer", at)).mean() for at, one in enumerate(tried)]
        return self.measured(train, tried[int(np.argmax(seen))])

    def measured(self, train: Sequence[TrainPart], settings: Mapping[str, Any]) -> dict[str, float]:
        """Accuracy on the test: of all, and of each kind of rows."""
        right = np.mean([self.train(train, TEST, settings, seeds.integer(0, "fresh", j)) for j in range(FRESH)], axis=0)
        kinds = self.parts.test.kind
        return {"all": float(right.mean())} | {str(k): float(right[kinds == k].mean()) for k in np.unique(kinds)}


def part_of(data: Dataset, rows: Array | None = None, name: str | None = None) -> TrainPart:
    """Rows of a dataset to train on, at weight 1."""
    some = data if rows is None else data.take(rows)
    assert some.y is not None
    return TrainPart(
        name=name or data.name, x=some.x, y=some.y, metadata=some.metadata, weight=1.0, stage="main", folder=Path()
    )


def _content(x: Any) -> str:
    return (
        fingerprint.of_array(np.asarray(x))
        if isinstance(x, np.ndarray)
        else fingerprint.of(row_hashes(x).tolist(), kind="rows")
    )
