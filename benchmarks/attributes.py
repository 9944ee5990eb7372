"""Which measures tell changed pictures from unchanged ones, and how long measuring takes, on Fashion-MNIST.

python -m benchmarks.attributes
"""

from __future__ import annotations

import gzip
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import ndimage
from sklearn.metrics import roc_auc_score

from autodc.adapters.enrichers import built_in
from autodc.data.attributes import Rows, measured

Array = np.ndarray[Any, Any]

IMAGES = Path("/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz")
RESULTS = Path(__file__).parent / "results" / "attributes.md"
ROWS = 2000
Y, X = np.mgrid[0:28, 0:28]


def changed(x: Array, rng: np.random.Generator) -> dict[str, Array]:
    small = ndimage.zoom(x, (1, 0.6, 0.6), order=1)
    return {
        "dark": x * rng.uniform(0.3, 0.6, (len(x), 1, 1)),
        "bright": 1 - (1 - x) * rng.uniform(0.4, 0.7, (len(x), 1, 1)),
        "low contrast": 0.5 + (x - 0.5) * 0.4,
        "blurred": ndimage.gaussian_filter(x, (0, 1.2, 1.2)),
        "noise": x + rng.normal(0, 0.12, x.shape),
        "single pixels": np.where(rng.random(x.shape) < 0.05, 1.0, x),
        "turned by 30°": ndimage.rotate(x, 30, axes=(2, 1), reshape=False, order=1),
        "small": np.pad(small, ((0, 0), (5, 28 - 5 - small.shape[1]), (5, 28 - 5 - small.shape[2]))),
        "moved": np.roll(x, 5, axis=2) * (X >= 5),
        "inverted": 1 - x,
        "black bar": np.where((X > 10) & (X < 16), 0.0, x),
        "grey patch": np.where((abs(X - 14) < 5) & (abs(Y - 14) < 5), 0.5, x),
        "stripes": x + 0.25 * ((X // 2) % 2),
        "frame": np.where((X < 2) | (X > 25) | (Y < 2) | (Y > 25), 0.8, x),
        "coarse pixels": x[:, ::4, ::4].repeat(4, 1).repeat(4, 2),
        "upside down": x[:, ::-1],
    }


def main() -> None:
    raw = np.frombuffer(gzip.decompress(IMAGES.read_bytes()), np.uint8, offset=16).reshape(-1, 28, 28)[:ROWS]
    base = Rows(x=raw, metadata=pd.DataFrame(index=range(ROWS)))
    ours: Any = built_in("image").fitted(base, None)

    def measures(x: Array) -> pd.DataFrame:
        pixels = (np.clip(x, 0, 1) * 255).astype(np.uint8)
        return measured("image", ours, Rows(x=pixels, metadata=base.metadata), "")

    measures(raw[:50] / 255)
    start = time.process_time()
    plain = measures(raw / 255)
    seconds = time.process_time() - start
    lines = []
    for name, x in changed(raw / 255, np.random.default_rng(0)).items():
        other, found = measures(x), {}
        for column in plain:
            values = np.nan_to_num(np.r_[plain[column], other[column]])
            area = roc_auc_score(np.repeat([0, 1], ROWS), values)
            found[column] = max(area, 1 - area)
        best = sorted(found, key=found.__getitem__, reverse=True)[:3]
        lines.append(f"| {name} | {', '.join(f'{one} {found[one]:.2f}' for one in best)} |")
    text = "\n".join(
        [
            "# Attributes",
            "",
            "`python -m benchmarks.attributes`, "
            f"{platform.processor() or platform.machine()}, {ROWS} pictures of Fashion-MNIST.",
            "",
            f"`image` takes {1000 * seconds / ROWS:.2f} CPU-ms a picture of 28 × 28 for {plain.shape[1]} measures.",
            "",
            "Which single measure best tells changed pictures from the same pictures unchanged (area under the curve):",
            "",
            "| change | the three best measures |",
            "| --- | --- |",
            *lines,
        ]
    )
    RESULTS.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
