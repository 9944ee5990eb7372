"""The worlds by name: what each draws, and what is planted in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

from autodc import seeds
from autodc.studyfile.study import ParameterSpec
from benchmarks import clothes as package
from benchmarks.worlds.conditions import SCANNERS, photograph, pieces, scan
from benchmarks.worlds.planting import Planted, Sizes, Supply, plant
from benchmarks.worlds.real import PLAIN_SPACE, RealWorld

Array = np.ndarray[Any, Any]
Recipe = Sequence[tuple[str, int]]

CURES = (("cure", 0), ("cure", 1), ("cure", 2), ("interacting", 3), ("interacting", 3))
TWINS = (("duplicate", 0), ("redundant", 1), ("trade_off", 2))
NOTHING = (("mislabelled", 0), ("off_domain", 0), ("copy", 0), ("useless", 0))
TWELVE = (*CURES, *TWINS, *NOTHING)
TEN = (*CURES, *TWINS, ("mislabelled", 0), ("useless", 0))
NINE = (("cure", 0), ("cure", 1), ("cure", 2), ("cure", 3), ("pretrain_only", 0), *NOTHING)
TWENTY = (
    *(("cure", 0), ("cure", 1), ("cure", 2), ("cure", 3), ("interacting", 4), ("interacting", 4)),
    *(("duplicate", 0), ("redundant", 1), ("redundant", 2), ("trade_off", 3), ("trade_off", 0)),
    *(("mislabelled", 0), ("mislabelled", 1), ("off_domain", 0), ("off_domain", 1)),
    *(("copy", 0), ("copy", 1), ("useless", 0), ("useless", 1), ("useless", 2)),
)
FIXED = {"lr": 0.15, "momentum": 0.5, "weight_decay": 1e-3, "width": 40, "dropout": 0.0}
DIGIT_CONDITIONS = ("bold", "turned", "struck", "shifted", "mirrored", "halved", "masked")
DIGIT_SIZES, DIGIT_MARGINS = Sizes(base=300, cure=260, other=300), (0.02, 0.05)
FASHION_CONDITIONS = ("turned", "struck", "shifted", "mirrored", "screened", "halved", "masked")


def world(name: str, seed: int) -> RealWorld:
    """Draw a world. Raises KeyError for a name nobody knows."""
    return _WORLDS[name](seed)


def digits(seed: int) -> RealWorld:
    """Digits under four of seven conditions, twelve candidates."""
    return RealWorld(name="digits", seed=seed, planted=_digits("digits", seed, TWELVE))


def null(seed: int) -> RealWorld:
    """Digits under four conditions, ten candidates that are resamples of the base: nothing is to be kept."""
    return RealWorld(name="null", seed=seed, planted=_digits("null", seed, [("resample", 0)] * 10))


def fashion(seed: int) -> RealWorld:
    """Clothes (Fashion-MNIST, 14 × 14) under four of seven conditions, twelve candidates."""
    rng = seeds.generator(seed, "world", "fashion")
    conditions = [str(c) for c in rng.permutation(FASHION_CONDITIONS)[:4]]
    sizes = Sizes(base=1200, cure=600, other=700)
    return RealWorld(name="fashion", seed=seed, planted=plant(clothes(rng), conditions, sizes, TWELVE, rng))


def tabular(seed: int) -> RealWorld:
    """Digits as a table of 64 counts, read by five of seven scanners in poor repair, twenty candidates."""
    rng = seeds.generator(seed, "world", "tabular")
    conditions = [str(c) for c in rng.permutation(SCANNERS)[:5]]
    sizes = Sizes(base=300, cure=240, other=300)
    planted = plant(counts(rng), conditions, sizes, TWENTY, rng, DIGIT_MARGINS)
    return RealWorld(name="tabular", seed=seed, planted=planted)


def subsets(seed: int) -> RealWorld:
    """Digits with ten candidates that are in or out, nothing else to choose: 1,024 plans, each of them measured."""
    planted = _digits("subsets", seed, TEN)
    return RealWorld(name="subsets", seed=seed, planted=planted, space={}, fixed=FIXED, max_weight=1.0, whole=True)


def convention(seed: int) -> RealWorld:
    """Digits with small cures, and 3,600 rows whose labels have other names: of use before a fine-tuning alone."""
    staged = {"recipe": "pretrain_finetune"}
    space = {
        **PLAIN_SPACE,
        "pretrain_share": ParameterSpec(type="float", low=0.2, high=0.8, when=staged),
        "finetune_lr_factor": ParameterSpec(type="float", low=0.2, high=1.0, log=True, when=staged),
    }
    planted = _digits("convention", seed, NINE, Sizes(base=300, cure=60, other=300))
    recipes = ("concat", "pretrain_finetune")
    return RealWorld(name="convention", seed=seed, planted=planted, space=space, recipes=recipes, steps=480)


def _digits(name: str, seed: int, recipe: Recipe, sizes: Sizes = DIGIT_SIZES) -> Planted:
    rng = seeds.generator(seed, "world", name)
    conditions = [str(c) for c in rng.permutation(DIGIT_CONDITIONS)[:4]]
    return plant(digit_scans(rng), conditions, sizes, recipe, rng, DIGIT_MARGINS)


def counts(rng: np.random.Generator) -> Supply:
    """scikit-learn's 1,797 digits as 64 counts, split once by scan: 850, 430, 517."""
    digits = load_digits()
    return _supply(digits.images, digits.target, _split(digits.target, rng), scan)


def digit_scans(rng: np.random.Generator) -> Supply:
    """The same scans on a canvas of 12 × 12, ink 1 on paper 0."""
    digits = load_digits()
    images = np.pad(digits.images / 16.0, ((0, 0), (2, 2), (2, 2)))
    return _supply(images, digits.target, _split(digits.target, rng), photograph)


def clothes(rng: np.random.Generator) -> Supply:
    """Fashion-MNIST at 14 × 14: training and 500 validation pictures from its training part, 600 from its test part."""
    images, targets = package.clothes()
    train, test = rng.permutation(60_000), 60_000 + rng.permutation(10_000)
    return _supply(images, targets, (train[:8000], train[8000:8500], test[:600]), photograph)


def _split(targets: Array, rng: np.random.Generator) -> Sequence[Array]:
    order = rng.permutation(len(targets))
    return order[:850], order[850:1280], order[1280:]


def _supply(images: Array, targets: Array, split: Sequence[Array], seen: Callable[..., Array]) -> Supply:
    training, validation, test = split
    return Supply(
        targets=targets,
        training=training,
        validation=validation,
        test=test,
        take=lambda raw, condition, rng: seen(images[raw], condition, rng),
        scramble=lambda count, rng: seen(pieces(images[training], count, rng), "plain", rng),
    )


_WORLDS: Mapping[str, Callable[[int], RealWorld]] = {
    f.__name__: f for f in (digits, fashion, tabular, subsets, convention, null)
}
