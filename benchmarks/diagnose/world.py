"""Planted failures on Fashion-MNIST: a model that never saw three conditions, and validation rows that have them.

A setting is drawn by its number: three conditions are *planted* (absent from the base that the model was trained on,
present in validation), three are *benign* (present in both). One network is trained per setting, in seconds, and kept
on disk, so that every benchmark of diagnosis looks at the same models:

    world = setting(3)
    view = world.view("pixels")             # what a finder sees of 6,000 validation rows
    truth = world.truth                     # planted condition → mask over these rows, where the model truly fails
    stream = world.draw(5000, {"dark": .3}, seed=1)     # fresh rows, of any shares and conditions

What attributes a view has: `pixels` cheap measures of the pictures; `given` also what a camera's log would say of each
condition, with errors; `blind` nothing that has to do with the planted conditions, only logs of the benign ones.
Every kind has two distractors, `hour` and `device`. The images are those of `benchmarks/clothes.py`.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

import joblib
import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from autodc import seeds
from autodc.diagnose.view import View
from benchmarks.clothes import images
from benchmarks.diagnose.conditions import CONDITIONS, photograph
from benchmarks.diagnose.measures import measures

Array = np.ndarray[Any, Any]
Attributes = Literal["pixels", "given", "blind"]

CLASSES = ("top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")
BASE, VALIDATION = 6000, 6000
PLANTED, BENIGN = 3, 3
SHARES = (0.04, 0.09)
"""Of the validation rows, under each planted condition; a benign one has as many there, and .1 of the base."""
FAILS = 0.15
"""A planted condition counts where the model's error is so much above that on plain pictures."""
HIDDEN, EPOCHS = 64, 14
DIMENSIONS = 24
"""Of each embedding."""
LOG_ERROR = 0.15
"""Standard deviation of what a log says of a strength, which is 0 without the condition."""
VERSION = 1
"""Of what lies on disk."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pictures:
    """Rows as they were taken. x: (n, 28, 28) bytes; y: (n,) class numbers; condition: (n,) names, `plain` for none;
    strength: (n,) in .3 … 1, 0 where plain; source: (n,) which image of the package; hour, device say nothing."""

    x: Array
    y: Array
    condition: Array
    strength: Array
    source: Array
    hour: Array
    device: Array

    def __len__(self) -> int:
        return len(self.y)


class Network:
    """One hidden layer on pixels less their mean."""

    def __init__(self, base: Pictures, seed: int) -> None:
        self.network = MLPClassifier((HIDDEN,), batch_size=64, max_iter=EPOCHS, random_state=seed, alpha=1e-3)
        self.network.n_iter_no_change = EPOCHS
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # it stops after EPOCHS, as meant
            self.network.fit(_flat(base.x), base.y)
        self.of_hidden = PCA(DIMENSIONS, random_state=0).fit(self.hidden(base.x))
        self.of_pixels = PCA(DIMENSIONS, random_state=0).fit(_flat(base.x))

    def probabilities(self, x: Array) -> Array:
        """Shape (n, 10)."""
        return np.asarray(self.network.predict_proba(_flat(x)))

    def hidden(self, x: Array) -> Array:
        """The penultimate layer, shape (n, HIDDEN)."""
        return np.asarray(np.maximum(_flat(x) @ self.network.coefs_[0] + self.network.intercepts_[0], 0))

    def embeddings(self, x: Array) -> dict[str, Array]:
        """`model`: principal components of the penultimate layer; `pca`: those of the pixels; of the base both."""
        return {
            "model": self.of_hidden.transform(self.hidden(x)).astype(np.float32),
            "pca": self.of_pixels.transform(_flat(x)).astype(np.float32),
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Setting:
    """One drawn world and its model."""

    number: int
    planted: tuple[str, ...]
    benign: tuple[str, ...]
    base: Pictures
    validation: Pictures
    model: Network

    @cached_property
    def probabilities(self) -> Array:
        """Of the validation rows, shape (n, 10)."""
        return self.model.probabilities(self.validation.x)

    @cached_property
    def error(self) -> Array:
        """1 where the class is wrong, shape (n,)."""
        return np.asarray((self.probabilities.argmax(1) != self.validation.y).astype(float))

    @cached_property
    def truth(self) -> dict[str, Array]:
        """Planted condition → the validation rows that have it, where the model truly fails on them."""
        plain = self.error[self.validation.condition == "plain"].mean()
        masks = {name: self.validation.condition == name for name in self.planted}
        return {name: mask for name, mask in masks.items() if self.error[mask].mean() - plain >= FAILS}

    def view(self, attributes: Attributes = "pixels") -> View:
        """What a finder sees of the validation rows."""
        return self.view_of(self.validation, attributes)

    def view_of(self, rows: Pictures, attributes: Attributes = "pixels") -> View:
        """The same of other rows, those of a stream for one."""
        p = self.probabilities if rows is self.validation else self.model.probabilities(rows.x)
        error = (p.argmax(1) != rows.y).astype(float)
        names = np.array(CLASSES, dtype=object)
        return View(
            ids=np.arange(len(rows)),
            error=error,
            failed=error > 0,
            target=names[rows.y],
            prediction=names[p.argmax(1)],
            attributes=self.attributes(rows, attributes),
            groups=np.arange(len(rows)),
            probabilities=p,
            classes=CLASSES,
            embeddings=self.model.embeddings(rows.x),
            x=rows.x,
        )

    def attributes(self, rows: Pictures, kind: Attributes) -> pd.DataFrame:
        """Columns as the module says; numbers, and `device` as text."""
        distractors = pd.DataFrame({"hour": rows.hour, "device": rows.device})
        rng = np.random.default_rng(seeds.child(int(rows.source[:9].sum()), "log"))
        logged = {"pixels": (), "given": (*self.planted, *self.benign), "blind": self.benign}[kind]
        log = {f"{n}_log": _logged(rows, n, rng) for n in sorted(logged)}
        seen = [] if kind == "blind" else [measures(rows.x)]
        return pd.concat([*seen, pd.DataFrame(log, index=distractors.index), distractors], axis=1)

    def draw(self, rows: int, shares: Mapping[str, float], seed: int, *, twice: bool = False) -> Pictures:
        """Fresh rows under these shares of conditions, the rest plain; of images that neither base nor validation has.

        twice: each image may be taken more than once, for streams longer than what is left of the images.
        """
        rng = np.random.default_rng(seeds.child(seed, "stream", self.number))
        free = np.setdiff1d(np.arange(len(images()[1])), np.concatenate([self.base.source, self.validation.source]))
        if rows > len(free) and not twice:
            raise ValueError(f"{len(free)} images are left, {rows} were asked for")
        return take(rng.choice(free, rows, replace=rows > len(free)), shares, rng)


@cache
def setting(number: int) -> Setting:
    """The setting of this number, from disk where it was made before."""
    content = "".join(Path(__file__).with_name(f).read_text() for f in ("world.py", "conditions.py"))
    key = hashlib.sha256(f"{VERSION}{content}".encode()).hexdigest()[:12]
    file = cache_folder() / f"setting-{number}-{key}.joblib"
    if file.is_file():
        return joblib.load(file)
    made = _made(number)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f".{os.getpid()}")
    joblib.dump(made, part, compress=1)
    part.replace(file)
    return made


def settings(count: int) -> Sequence[Setting]:
    """The first so many."""
    return [setting(number) for number in range(count)]


def cache_folder() -> Path:
    """Where models lie: AUTODC_BENCHMARKS, or a folder of the user's cache."""
    return Path(os.environ.get("AUTODC_BENCHMARKS", Path.home() / ".cache" / "autodc-benchmarks")) / "diagnose"


def take(source: Array, shares: Mapping[str, float], rng: np.random.Generator) -> Pictures:
    """Take pictures of these images, a share of them under each condition."""
    x, y = images()
    names = ["plain", *shares]
    weights = [1 - sum(shares.values()), *shares.values()]
    condition = np.array(names, dtype=object)[rng.choice(len(names), len(source), p=weights)]
    strength = np.where(condition == "plain", 0.0, rng.uniform(0.3, 1.0, len(source)))
    return Pictures(
        x=photograph(x[source], condition, strength, rng),
        y=y[source].astype(np.int64),
        condition=condition,
        strength=strength,
        source=source,
        hour=rng.integers(0, 24, len(source)),
        device=rng.choice(np.array(["north", "south", "yard", "van"], dtype=object), len(source)),
    )


def _made(number: int) -> Setting:
    rng = np.random.default_rng(seeds.child(number, "setting"))
    chosen = [str(name) for name in rng.permutation(list(CONDITIONS))[: PLANTED + BENIGN]]
    planted, benign = tuple(chosen[:PLANTED]), tuple(chosen[PLANTED:])
    order = rng.permutation(len(images()[1]))
    base = take(order[:BASE], dict.fromkeys(benign, 0.1), rng)
    shares = {name: float(rng.uniform(*SHARES)) for name in chosen}
    validation = take(order[BASE : BASE + VALIDATION], shares, rng)
    model = Network(base, number)
    return Setting(number=number, planted=planted, benign=benign, base=base, validation=validation, model=model)


def _logged(rows: Pictures, name: str, rng: np.random.Generator) -> Array:
    strength = np.where(rows.condition == name, rows.strength, 0.0)
    return np.asarray(np.round(strength + rng.normal(0, LOG_ERROR, len(rows)), 3))


def _flat(x: Array) -> Array:
    return x.reshape(len(x), -1).astype(np.float32) / 255 - np.float32(0.28)
