"""A training program of one's own, as the trainer `command` calls it: a small network in numpy.

    python train.py job.json

It reads the job, draws every dataset by its weight, trains, and writes predictions in row order. A job with nothing to
train on names a model of before as `warm_start`, which predicts.
"""

import json
import sys
from pathlib import Path

import numpy as np

BATCH, FULL_STEPS, MOMENTUM = 64, 400, 0.9


def main():
    job = json.loads(Path(sys.argv[1]).read_text())
    hyper, rng = job["hyperparameters"], np.random.default_rng(job["seed"])
    if job["train"]:
        parts = [(np.load(part["path"]), part["weight"]) for part in job["train"]]
        x = np.concatenate([flat(rows["x"]) for rows, _ in parts])
        y = np.concatenate([rows["y"] for rows, _ in parts]).astype(int)
        chance = np.concatenate([np.full(len(rows["y"]), weight) for rows, weight in parts])
        model = train(x, y, chance / chance.sum(), hyper, rng, max(1, round(FULL_STEPS * job["fidelity"])))
    else:
        model = list(np.load(Path(job["warm_start"]) / "weights.npz").values())
    out = Path(job["out"])
    (out / "model").mkdir(exist_ok=True)
    np.savez(out / "model" / "weights.npz", *model)
    for part in job["predict"]:
        outputs = softmax(forward(model, flat(np.load(part["path"])["x"]))[1])
        np.savez(out / f"predictions-{part['name']}.npz", outputs=outputs)


def train(x, y, chance, hyper, rng, steps):
    """Stochastic gradient descent with momentum on one hidden layer."""
    width, classes = int(hyper["width"]), int(y.max()) + 1
    model = [
        rng.normal(0, np.sqrt(2 / x.shape[1]), (x.shape[1], width)),
        np.zeros(width),
        rng.normal(0, np.sqrt(1 / width), (width, classes)),
        np.zeros(classes),
    ]
    speed = [np.zeros_like(part) for part in model]
    for step in range(steps):
        rows = rng.choice(len(y), BATCH, p=chance)
        hidden, scores = forward(model, x[rows])
        error = softmax(scores)
        error[np.arange(BATCH), y[rows]] -= 1
        back = (error @ model[2].T) * (hidden > 0)
        slopes = [x[rows].T @ back, back.sum(0), hidden.T @ error, error.sum(0)]
        rate = hyper["lr"] * (1 - step / steps)
        for part, pace, slope in zip(model, speed, slopes, strict=True):
            pace *= MOMENTUM
            pace -= rate * (slope / BATCH + hyper["l2"] * part)
            part += pace
    return model


def forward(model, x):
    hidden = np.maximum(x @ model[0] + model[1], 0)
    return hidden, hidden @ model[2] + model[3]


def softmax(scores):
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def flat(x):
    return x.reshape(len(x), -1).astype(float)


if __name__ == "__main__":
    main()
