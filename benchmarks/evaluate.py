"""What `autodc evaluate` adds to calling the same method in a loop, on Fashion-MNIST.

    python -m benchmarks.evaluate                   # writes benchmarks/results/evaluate.md
    python -m benchmarks.evaluate --rows 2000 --rounds 1

The loop is a program of its own that does the least that answers the question: it reads the validation rows, makes the
method, calls it with 512 rows at a time and prints the accuracy. `evaluate` is the whole command, on one core as the
loop is. They take turns. Of both the whole process is told, and the calls of the method alone: of `evaluate` with all
that it calls for times alone. Wall seconds are the least of the rounds, CPU seconds too: a busy machine adds to both.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.tables import table

DATA = Path("/usr/share/datasets/fashion-mnist")
RESULTS = Path(__file__).parent / "results" / "evaluate.md"
BASE = 2_500
METHODS = {
    "Centroids": "nearest mean picture, matrix products",
    "Edges": "a rule: ten scipy filters a picture, one picture after the other, then the nearest mean",
    "Forest": "scikit-learn, 300 trees",
    "Machine": "scikit-learn, RBF support vectors on 784 pixels",
}
CODE = """
from pathlib import Path
import joblib, numpy as np
from scipy import ndimage
HERE = Path(__file__).parent

class Centroids:
    def __init__(self):
        self.means = np.load(HERE / "means.npy")
    def predict(self, x):
        flat = x.reshape(len(x), -1).astype(np.float32)
        return -((flat ** 2).sum(1)[:, None] - 2 * flat @ self.means.T + (self.means ** 2).sum(1)) / 1e5

class Edges(Centroids):
    def predict(self, x):
        out = []
        for one in np.asarray(x, np.float32):
            for size in (1, 2, 3, 4, 5):
                one = one - 0.01 * ndimage.gaussian_gradient_magnitude(one, size)
                one = one + 0.001 * ndimage.median_filter(one, 5)
            out.append(super().predict(one[None])[0])
        return np.stack(out)

class Forest:
    def __init__(self):
        self.model = joblib.load(HERE / "forest.joblib")
    def predict(self, x):
        return self.model.predict_proba(x.reshape(len(x), -1))

class Machine:
    def __init__(self):
        self.model = joblib.load(HERE / "machine.joblib")
    def predict(self, x):
        return self.model.decision_function(x.reshape(len(x), -1) / 255)
"""
LOOP = """
import json, sys, time
import numpy as np
import methods
with np.load("validation.npz") as held:
    x, y = held["x"], held["y"]
method = getattr(methods, sys.argv[1])()
started = time.perf_counter()
outputs = np.concatenate([method.predict(x[k:k + 512]) for k in range(0, len(x), 512)])
seconds = time.perf_counter() - started
print(json.dumps({"value": float((outputs.argmax(1) == y).mean()), "seconds": seconds}))
"""


def images(name: str) -> Any:
    raw = gzip.decompress((DATA / f"{name}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((DATA / f"{name}-labels-idx1-ubyte.gz").read_bytes())
    return np.frombuffer(raw, np.uint8, offset=16).reshape(-1, 28, 28), np.frombuffer(labels, np.uint8, offset=8)


def write(folder: Path, rows: int) -> None:
    """The study, the methods, and the models that two of them read."""
    import joblib
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.svm import SVC

    x, y = images("train")
    x, y = x[:BASE], y[:BASE].astype(int)
    held, truth = images("t10k")
    np.savez(folder / "base.npz", x=x, y=y)
    np.savez(folder / "validation.npz", x=held[:rows], y=truth[:rows].astype(int), half=np.arange(rows) % 2)
    flat = x.reshape(BASE, -1).astype(np.float32)
    np.save(folder / "means.npy", [flat[y == k].mean(axis=0) for k in range(10)])
    joblib.dump(RandomForestClassifier(300, random_state=0).fit(flat, y), folder / "forest.joblib")
    joblib.dump(SVC(C=10, gamma="scale").fit(flat / 255, y), folder / "machine.joblib")
    (folder / "methods.py").write_text(CODE)
    (folder / "loop.py").write_text(LOOP)
    study = {
        "schema_version": 1,
        "name": "clothes",
        "task": {"kind": "classification", "trainer": "sklearn", "options": {"estimator": "GaussianNB"}},
        "data": {"base": {"source": "base.npz"}, "validation": {"source": "validation.npz"}},
        "metrics": {"primary": "accuracy"},
        "slices": [
            {"name": "overall", "role": "target"},
            *({"name": f"class{k}", "where": f"target = {k}", "role": "guard", "margin": 0.02} for k in range(10)),
        ],
        "tracking": {"uri": "none"},
    }
    (folder / "study.yaml").write_text(json.dumps(study))


def called(folder: Path, *words: str) -> tuple[dict[str, Any], float, float]:
    """What a command printed as JSON, its wall seconds, and the CPU seconds of it and all below it."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(done.stdout), wall, cpu


def measured(folder: Path, method: str, rounds: int) -> list[str]:
    verb = "import sys; sys.argv[0] = 'autodc'; from autodc.cli import main; main()"
    asked = ("evaluate", "study.yaml", "--method", f"methods.py:{method}", "--threads", "1", "--json", "--out", "out")
    loops, evaluations = [], []
    for _ in range(rounds):
        loops.append(called(folder, sys.executable, "loop.py", method))
        evaluations.append(called(folder, sys.executable, "-c", verb, *asked))
        assert evaluations[-1][0]["slices"]["overall"]["value"] == loops[-1][0]["value"]
    calls = min(one[0]["seconds"] for one in loops)
    costs = [one[0]["tradeoffs"] for one in evaluations]
    ours = min(one["predict_seconds"] + one["timing_seconds"] for one in costs)
    wall = [min(one[1] for one in of) for of in (loops, evaluations)]
    cpu = [min(one[2] for one in of) for of in (loops, evaluations)]
    return [
        f"`{method}`: {METHODS[method]}",
        f"{calls:.2f} s",
        f"{ours:.2f} s",
        f"{ours / calls:.2f}",
        f"{wall[0]:.1f} s",
        f"{wall[1]:.1f} s",
        f"{wall[1] / wall[0]:.2f}",
        f"{cpu[1] / cpu[0]:.2f}",
        f"{cpu[1] - cpu[0]:.1f} s",
    ]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=10_000)
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--methods", nargs="*", default=list(METHODS))
    given = options.parse_args()
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    with tempfile.TemporaryDirectory(prefix="autodc-bench-") as scratch:
        folder = Path(scratch)
        write(folder, given.rows)
        lines = [measured(folder, method, given.rounds) for method in given.methods]
    header = ["method", "calls in the loop", "calls of evaluate", "ratio", "loop, whole", "evaluate, whole", "ratio"]
    header += ["ratio of CPU", "CPU added"]
    asked = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    text = "\n".join(
        [
            "# Evaluate beside a plain loop",
            "",
            f"`python -m benchmarks.evaluate --rows {given.rows} --rounds {given.rounds}`, commit {commit}, "
            f"{os.cpu_count()} cores ({platform.machine()}), load {os.getloadavg()[1]:.1f} at the end.",
            "",
            f"{given.rows} validation rows of Fashion-MNIST, eleven slices, one core each. The loop reads the rows, "
            "calls the method with 512 at a time and prints the accuracy; `evaluate` gives intervals, timings, peak "
            "memory and a page with pictures as well. Target: at most 1.2 times the loop. What `evaluate` adds beside "
            "the calls does not grow with what the method costs, so the ratio of the whole falls with it. Where the "
            "load is above the number of cores, only the columns of CPU can be trusted.",
            "",
            table(header, lines),
        ]
    )
    RESULTS.write_text(text.rstrip() + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
