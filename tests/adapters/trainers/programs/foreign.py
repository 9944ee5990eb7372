"""A foreign training program: softmax regression in numpy, knows nothing of autodc but the JSON job."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

STEPS = 200


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text())
    theta = fitted(job) if job["train"] else np.load(Path(job["warm_start"]) / "theta.npy")
    out = Path(job["out"])
    np.save(out / "model" / "theta.npy", theta)
    for part in job["predict"]:
        arrays = np.load(part["path"])
        assert arrays.files == ["x"], arrays.files
        np.savez(out / f"predictions-{part['name']}.npz", outputs=softmax(flat(arrays["x"]) @ theta))


def fitted(job: Any) -> Any:
    rng = np.random.default_rng(job["seed"] % 2**32)
    parts = [(np.load(part["path"]), part["weight"]) for part in job["train"]]
    x = flat(np.concatenate([arrays["x"] for arrays, _ in parts]))
    y = np.concatenate([arrays["y"] for arrays, _ in parts])
    chance = np.concatenate([np.full(len(arrays["y"]), weight) for arrays, weight in parts])
    start = Path(job["warm_start"]) / "theta.npy" if job["warm_start"] and job["recipe"] == "continue" else None
    theta = np.load(start) if start else np.zeros((x.shape[1], y.max() + 1))
    for _ in range(max(1, round(STEPS * job["fidelity"]))):
        rows = rng.choice(len(y), 64, p=chance / chance.sum())
        probabilities = softmax(x[rows] @ theta)
        probabilities[np.arange(64), y[rows]] -= 1
        theta -= job["hyperparameters"]["lr"] * x[rows].T @ probabilities / 64
    return theta


def flat(x: Any) -> Any:
    rows = x.reshape(len(x), -1).astype(float)
    return np.concatenate([rows, np.ones((len(x), 1))], axis=1)


def softmax(scores: Any) -> Any:
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


if __name__ == "__main__":
    main()
