"""A training that does to its process, its disk and its log what none should."""

import ctypes
import os
import shutil
import threading

import numpy as np

from autodc.trial.trainer import Trained

SHOUT = """
before=0
while :; do
    head -c 1048576 /dev/zero
    now=$(stat -L -c %s /proc/$$/fd/1)
    [ "$now" -gt 0 ] && [ "$now" -lt "$before" ] && exit 0
    before=$now
done
"""
"""Prints until somebody has cut what it prints to."""


class Misbehaves:
    def train(self, job):
        act = job.hyperparameters["act"]
        if act == "signal":
            os.kill(os.getpid(), int(job.hyperparameters["which"]))
        elif act == "wander":
            os.chdir(job.out)
        elif act == "vanish":
            (job.out / "here").mkdir()
            os.chdir(job.out / "here")
            shutil.rmtree(job.out / "here")
        elif act == "spin":
            for _ in range(2):
                threading.Thread(target=spin, daemon=bool(job.hyperparameters.get("daemon"))).start()
        elif act == "idle":
            threading.Thread(target=threading.Event().wait, daemon=True).start()
        elif act == "shout":
            ctypes.PyDLL(None).system(SHOUT.encode())
        elif act == "fill":
            with open(job.out / "ballast", "wb") as file:
                while True:
                    file.write(bytes(2**20))
                    file.flush()
        outputs = {name: np.full(len(x), float(os.getpid())) for name, x in job.predict.items()}
        return Trained(outputs=outputs, train_seconds=0.0, predict_ms=0.0, model_mb=0.0)


def spin():
    while True:
        sum(range(1000))
