"""A program that joins by `autodc.program` and a flag: softmax regression, one weighted draw an epoch."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from foreign import flat, softmax

from autodc.program import Job

EPOCHS, BATCH = 16, 32


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=2.0)
    parser.add_argument("--job", type=Job.open)
    args = parser.parse_args()
    job = args.job
    theta = np.load(job.warm_start / "theta.npy") if job.warm_start and job.recipe == "continue" else None
    stages = ("pretrain", "main") if job.recipe == "pretrain_finetune" else (None,)
    for stage in stages if job.train else ():
        if stage is None or any(part.stage == stage for part in job.train):
            theta = fitted(job, theta, stage, args.lr)
    np.save(job.model / "theta.npy", theta)
    job.predict_with(lambda x: softmax(flat(x) @ theta))


def fitted(job: Job, theta: Any, stage: str | None, lr: float) -> Any:
    for epoch in range(max(1, round(EPOCHS * job.fidelity))):
        rows = job.draw(epoch, stage)
        x, y = flat(rows.x), rows.y
        theta = np.zeros((x.shape[1], len(job.classes) or 10)) if theta is None else theta
        for start in range(0, len(y), BATCH):
            batch = slice(start, start + BATCH)
            errors = softmax(x[batch] @ theta)
            errors[np.arange(len(errors)), y[batch]] -= 1
            theta = theta - lr * x[batch].T @ errors / BATCH
    return theta


if __name__ == "__main__":
    main()
