"""An existing train.py: a Dataset that opens images by the paths of a CSV file, flags, and a printed accuracy.

It joins with a template of its arguments and five lines. The images are scikit-learn's scans of digits.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_digits

BEFORE = '''\
"""python train.py --data train.csv --val val.csv --lr 0.01 --epochs 3"""

import argparse

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Scans(Dataset):
    def __init__(self, table):
        self.paths, self.labels = table["path"].tolist(), table["label"].tolist()

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, i):
        with Image.open(self.paths[i]) as image:
            pixels = np.asarray(image.convert("L"), dtype=np.float32) / 255
        return torch.from_numpy(pixels).flatten(), int(self.labels[i])


def predict(model, data):
    model.eval()
    with torch.no_grad():
        return torch.cat([model(x).softmax(1) for x, _ in DataLoader(data, batch_size=500)])


parser = argparse.ArgumentParser()
parser.add_argument("--data")
parser.add_argument("--val")
parser.add_argument("--lr", type=float, default=0.01)
parser.add_argument("--epochs", type=int, default=3)
args = parser.parse_args()

table = pd.read_csv(args.data)
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
for epoch in range(args.epochs):
    for x, y in DataLoader(Scans(table), batch_size=32, shuffle=True):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
if args.val:
    val = pd.read_csv(args.val)
    accuracy = (predict(model, Scans(val)).argmax(1).numpy() == val["label"]).mean()
    print(f"val_acc {accuracy:.4f}")
'''
CHANGES = [
    ("from PIL import Image\n", "from PIL import Image\nfrom autodc.program import Job\n"),
    ('"--data")\n', '"--data")\nparser.add_argument("--job", type=Job.open)\n'),
    (
        "table = pd.read_csv(args.data)\n",
        'table = args.job.draw().frame().rename(columns={"y": "label"}) if args.job else pd.read_csv(args.data)\n',
    ),
    (
        "if args.val:\n",
        "if args.job:\n    args.job.predict_with(lambda paths: predict(model, "
        'Scans(pd.DataFrame({"path": paths, "label": 0}))))\nif args.val:\n',
    ),
]
STUDY = """\
schema_version: 1
name: scans

task:
  kind: classification
  trainer: command
  options: {argv: [python, train.py, --lr, "{lr}", --epochs, "{epochs}", --job, "{job}"]}

data:
  base: {source: train.csv, options: {image: path, target: label}}
  candidates:
    - {name: faint, source: faint.csv, options: {image: path, target: label}}
  validation: {source: val.csv, options: {image: path, target: label}}

metrics: {primary: accuracy}

slices:
  - {name: overall, role: target}
  - {name: dark, where: "ink = 'dark'", role: guard, margin: 0.1}

search_space:
  lr: {type: float, low: 3.0e-3, high: 3.0e-2, log: true}
  epochs: {type: int, low: 2, high: 6}

recipes: [concat]
loop: {rounds: 1}
search: {trials_per_round: 2}
budget: {trainings: 9}
tracking: {uri: none}
"""


def joined() -> str:
    """The script as the person changed it."""
    script = BEFORE
    for old, new in CHANGES:
        assert script.count(old) == 1, old
        script = script.replace(old, new)
    return script


@pytest.fixture
def script(desk: Path) -> Path:
    """train.py, images of 8 × 8 pixels, and tables that name them."""
    scans = load_digits()
    at = 0
    for name, count in (("train", 300), ("faint", 200), ("val", 500)):
        (desk / "scans" / name).mkdir(parents=True)
        rows = []
        for i in range(at, at + count):
            faint = name == "faint" or (name == "val" and i % 2 == 0)
            path = f"scans/{name}/{i}.png"
            Image.fromarray((scans.images[i] * (4 if faint else 15)).astype(np.uint8)).save(desk / path)
            rows.append((path, scans.target[i], "faint" if faint else "dark"))
        pd.DataFrame(rows, columns=["path", "label", "ink"]).to_csv(desk / f"{name}.csv", index=False)
        at += count
    (desk / "train.py").write_text(joined())
    (desk / "study.yaml").write_text(STUDY)
    return desk


def test_five_lines_and_no_more(glue: Callable[[str, str], int]) -> None:
    assert glue(BEFORE, joined()) == 5


@pytest.mark.slow
def test_check_is_green(script: Path, check: Callable[..., Any]) -> None:
    assert check()["can_keep"]


@pytest.mark.slow(seconds=50)
def test_it_runs_to_the_end_and_is_still_a_script(script: Path, run: Callable[..., Any]) -> None:
    night = run()
    assert set(night.result["incumbent"]["hyperparameters"]) == {"lr", "epochs"}
    assert night.result["validation"]["after"]["dark"] > 0.6
    words = [sys.executable, "train.py", "--data", "train.csv", "--val", "val.csv"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert float(done.stdout.removeprefix("val_acc ")) > 0.2
