"""Write the photographs of this study: scikit-learn's 1,797 digits by day, at night and in rain, and CSV files of them.

    python make_images.py [FOLDER]

The scans are split once, by scan: 800 for training, 430 for validation, 567 for the test. Photographs go to `photos/`.
"""

import csv
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

FOLDER = Path(__file__).resolve().parent
DAY, NIGHT, RAIN = "day", "night", "rain"


def main(folder=FOLDER):
    (folder / "photos").mkdir(parents=True, exist_ok=True)
    order = np.random.default_rng(12).permutation(1797)
    training, validation, test = order[:800], order[800:1230], order[1230:]
    base, rest = training[:350], training[350:]
    write(folder, "train", [(base, DAY)], seed=1)
    write(folder, "night", [(rest[:240], NIGHT)], seed=2)
    write(folder, "rain", [(rest[210:], RAIN)], seed=3)
    write(folder, "careless", [(rest[40:300], NIGHT), (rest[40:240], RAIN)], seed=4, wrong=True)
    for name, scans, seed in (("validation", validation, 5), ("test", test, 6)):
        write(folder, name, [(scans, kind) for kind in (DAY, NIGHT, RAIN)], seed)


def write(folder, name, parts, seed, wrong=False):
    """One CSV file of photographs; wrong: each has the label of another."""
    digits = load_digits()
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["path", "label", "scan", "light", "drops"])
        for scans, kind in parts:
            labels = np.roll(digits.target[scans], 1) if wrong else digits.target[scans]
            for scan, label in zip(scans, labels, strict=True):
                rng = np.random.default_rng([seed, int(scan), len(kind)])
                image, light, drops = photograph(digits.images[scan], kind, rng)
                path = f"photos/{name}-{kind}-{scan:04d}.png"
                image.save(folder / path)
                table.writerow([path, label, scan, round(light, 3), drops])


def photograph(scan, kind, rng):
    """A digit from further away or nearer; the dark has noise, drops lie over the ink."""
    side = int(rng.integers(16, 41))
    light = float(rng.uniform(0.08, 0.2) if kind == NIGHT else rng.uniform(0.7, 1.0))
    drops = int(rng.integers(3, 7)) if kind == RAIN else 0
    seen = np.pad(scan / 16, 1)
    for left in rng.choice(10, drops, replace=False):
        top = rng.integers(0, 5)
        seen[top : top + 5, left] = 1 - 0.5 * seen[top : top + 5, left]
    image = Image.fromarray((seen * 255).astype(np.uint8)).resize((side, side), Image.Resampling.BICUBIC)
    values = np.asarray(image) * light + rng.normal(0, 4, (side, side))
    return Image.fromarray(np.clip(np.round(values), 0, 255).astype(np.uint8)), light, drops


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
