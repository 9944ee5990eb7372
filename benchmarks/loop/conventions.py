"""A synthetic set with another labelling convention: which recipe gains from it, and which is misled.

    OMP_NUM_THREADS=1 python -m benchmarks.loop.conventions    # writes benchmarks/results/conventions.md

Few real rows are the base; many rows of the same kind, drawn over (blurred, of other contrast, noisy), are the
synthetic set, with the labels of two classes swapped (or right, as a control). Every recipe trains the same network
for the same steps, with the same seeds; the test rows are real. No parameter is searched: all are the defaults.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from autodc.trial.executor import TrainerRef
from benchmarks.clothes import clothes
from benchmarks.diagnose.rows import digits
from benchmarks.loop.training import outputs, part
from benchmarks.tables import table

Array = np.ndarray[Any, Any]

PAGE = Path(__file__).resolve().parents[1] / "results" / "conventions.md"
SEEDS, STEPS = 5, 300
SIZES = {"digits": (150, 900, 700), "Fashion-MNIST": (300, 2000, 2000)}
"""Rows of the base, of the synthetic set, and of the test."""
SWAPPED = {"digits": (4, 9), "Fashion-MNIST": (2, 4)}
"""4 and 9; pullover and coat."""
WAYS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "base alone": ("concat", {}),
    "concat": ("concat", {}),
    "pretrain_finetune": ("pretrain_finetune", {}),
    "label_adapt": ("label_adapt", {}),
    "adapt": ("adapt", {}),
    "curriculum, synthetic first": ("curriculum", {"curriculum_order": "synthetic_first"}),
    "curriculum, base first": ("curriculum", {"curriculum_order": "base_first"}),
}


@cache
def supply() -> dict[str, tuple[Array, Array]]:
    return {"digits": digits(), "Fashion-MNIST": clothes()}


def main() -> None:
    began, rows = time.perf_counter(), []
    for world in SIZES:
        for convention in ("swapped", "right"):
            found = {way: [one(world, convention, way, seed) for seed in range(SEEDS)] for way in WAYS}
            plain = np.array(found["concat"])
            for way, values in found.items():
                overall, both = np.array(values).T
                ahead = "–" if way == "concat" else f"{int((overall > plain[:, 0]).sum())} of {SEEDS}"
                rows.append([world, convention, way, told(overall), told(both), ahead])
    head = ["rows", "labels of the synthetic set", "recipe", "accuracy", "on the two classes", "ahead of concat"]
    text = __doc__.split("\n\n", 1)  # type: ignore[union-attr]
    page = [
        "# Another labelling convention",
        "`OMP_NUM_THREADS=1 python -m benchmarks.loop.conventions`: " + text[1].split("\n\n", 1)[1].replace("\n", " "),
        f"Mean and standard deviation of {SEEDS} seeds (other rows, other network); `small_cnn`, {STEPS} steps, "
        f"{os.cpu_count()} cores, {time.perf_counter() - began:.0f} s in all.",
        table(head, rows),
    ]
    PAGE.write_text("\n\n".join(page) + "\n", encoding="utf-8")
    print(page[-1])


def one(world: str, convention: str, way: str, seed: int, **more: Any) -> tuple[float, float]:
    """Accuracy on the test rows, and on those of the two classes."""
    rng = np.random.default_rng([seed, list(SIZES).index(world)])
    x, y = supply()[world]
    n_base, n_made, n_test = SIZES[world]
    order = rng.permutation(len(x))[: n_base + n_made + n_test]
    base, made, test = np.split(order, [n_base, n_base + n_made])
    labels = y[made].copy()
    if convention == "swapped":
        a, b = SWAPPED[world]
        labels = np.where(y[made] == a, b, np.where(y[made] == b, a, labels))
    recipe, settings = WAYS[way]
    parts = [part("base", x[base], y[base])]
    if way != "base alone":
        stage = "pretrain" if recipe == "pretrain_finetune" else "main"
        parts.append(part("made", drawn_over(x[made], rng), labels, stage=stage, tags=("synthetic",)))
    truth, held = y[test], {"test": x[test].astype(np.float32)}
    trainer = TrainerRef(name="torch_image", options={"steps": STEPS}, folder=".")
    found = outputs(trainer, parts, held, {**settings, **more}, seed, classes=10, recipe=recipe)
    right = found["test"].argmax(axis=1) == truth
    return float(right.mean()), float(right[np.isin(truth, SWAPPED[world])].mean())


def drawn_over(x: Array, rng: np.random.Generator) -> Array:
    """Images as a simple renderer would make them: softer, of less contrast, noisy."""
    soft = sum(np.roll(x, by, axis=axis) for axis in (1, 2) for by in (-1, 1)) / 8 + x / 2
    return np.asarray(0.2 + 0.6 * soft + rng.normal(0, 0.05, x.shape))


def told(values: Array) -> str:
    return f"{values.mean():.3f} ± {values.std(ddof=1):.3f}"


if __name__ == "__main__":
    main()
