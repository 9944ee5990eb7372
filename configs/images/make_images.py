"""Write the images of this study: scikit-learn's 1,797 digits as photographs of many sizes and modes, in folders.

    python make_images.py [FOLDER]

One subfolder a class below `train`, `val`, `test` and four folders on offer, and `meta.csv` about all of them. The
scans are split once, by scan: 800 for training, 430 for validation, 567 for the test.
"""

import csv
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

FOLDER = Path(__file__).resolve().parent / "photographs"
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
PLAIN, CHALK, TILTED = "plain", "chalk", "tilted"
FORMS = (("png", "L"), ("png", "P"), ("jpg", "RGB"), ("bmp", "L"), ("png", "RGBA"))
"""End of the name, and pillow's mode."""


def main(folder=FOLDER):
    order = np.random.default_rng(8).permutation(1797)
    training, validation, test = order[:800], order[800:1230], order[1230:]
    base, rest = training[:350], training[350:]
    rows = [
        *photographs(folder, "train", base, PLAIN, seed=1),
        *photographs(folder, "extra_chalk", rest[:240], CHALK, seed=2),
        *photographs(folder, "extra_tilted", rest[210:], TILTED, seed=3),
        *photographs(folder, "extra_careless", rest[100:300], CHALK, seed=4, labels=np.roll),
        *photographs(folder, "extra_again", base[:200], PLAIN, seed=1),
    ]
    for name, scans, seed in (("val", validation, 5), ("test", test, 6)):
        for kind in (PLAIN, CHALK, TILTED):
            rows += photographs(folder, name, scans, kind, seed)
    with (folder / "meta.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["file", "scan", "surface", "angle"])
        table.writerows(rows)
    print(f"{len(rows)} images in {folder}")


def photographs(folder, name, scans, kind, seed, labels=None):
    """Photograph scans; labels: np.roll gives each the digit of another. Rows of meta.csv."""
    digits = load_digits()
    written = digits.target[scans] if labels is None else labels(digits.target[scans], 1)
    for scan, digit in zip(scans, written, strict=True):
        rng = np.random.default_rng([seed, int(scan), len(kind)])
        image, surface, angle = photograph(digits.images[scan], kind, rng)
        end, mode = FORMS[rng.integers(len(FORMS))]
        path = folder / name / WORDS[digit] / f"{scan:04d}-{kind}.{end}"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.convert(mode).save(path)
        yield f"{name}/{WORDS[digit]}/{path.name}", scan, surface, angle


def photograph(scan, kind, rng):
    """Ink on paper or chalk on a board, from further away or nearer, upright or tilted."""
    angle = int(rng.integers(30, 50) * rng.choice([-1, 1]) if kind == TILTED else rng.integers(-8, 9))
    light = rng.uniform(0.6, 1.0)
    side = int(rng.integers(16, 49))
    paper = np.pad(255 - scan * 14, 2, constant_values=255).astype(np.uint8)
    image = Image.fromarray(paper).resize((side, side), Image.Resampling.BICUBIC)
    image = image.rotate(angle, Image.Resampling.BICUBIC, fillcolor=255)
    seen = 255.0 - np.asarray(image) if kind == CHALK else np.asarray(image)
    noisy = np.clip(np.round(seen * light + rng.normal(0, 4, (side, side))), 0, 255).astype(np.uint8)
    return Image.fromarray(noisy), "board" if kind == CHALK else "paper", angle


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
