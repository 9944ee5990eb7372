"""Write the tables of this study: scikit-learn's 1,797 digits as 64 counts a row, read by scanners in poor repair.

    python configs/tabular/make_data.py

The scans are split once, by scan: 800 for training, 430 for validation, 567 for the test. The tables go to `data/`.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

FOLDER = Path(__file__).resolve().parent / "data"
CELLS = [f"c{row}{column}" for row in range(8) for column in range(8)]


def tables():
    """File name → table: the 64 counts, the digit, the scan, the scanner's gain and the rows it reads."""
    order = np.random.default_rng(21).permutation(1797)
    training, validation, test = order[:800], order[800:1230], order[1230:]
    base, rest = read(training[:400], 1.0, 8, seed=1), training[400:]
    weak, short = read(rest[:250], 0.35, 8, seed=2), read(rest[150:], 1.0, 5, seed=3)
    crossed = read(rest[100:300], 0.35, 8, seed=4)
    crossed["digit"] = np.roll(crossed["digit"], 1)
    return {
        "base.csv": base,
        "scanner_2.csv": weak,
        "scanner_3.parquet": crossed,
        "scanner_4.parquet": short,
        "scanner_5.csv": base.iloc[:250],
        "validation.parquet": held(validation, seed=5),
        "test.parquet": held(test, seed=6),
    }


def held(scans, seed):
    """Every scan once plain, once with a weak gain and once with rows missing."""
    parts = [read(scans, gain, rows, seed) for gain, rows in ((1.0, 8), (0.35, 8), (1.0, 5))]
    return pd.concat(parts, ignore_index=True)


def read(scans, gain, rows, seed):
    """What a scanner makes of these scans: counts times its gain, with noise, 0 below the last row it reads."""
    digits = load_digits()
    rng = np.random.default_rng([seed, rows])
    gains = gain * rng.uniform(0.8, 1.2, len(scans))
    counts = digits.images[scans] * gains[:, None, None] + rng.normal(0, 0.7, (len(scans), 8, 8))
    counts[:, rows:] = 0
    table = pd.DataFrame(np.clip(np.round(counts), 0, 20).astype(np.int64).reshape(-1, 64), columns=CELLS)
    return table.assign(digit=digits.target[scans], scan=scans, gain=np.round(gains, 3), rows_read=rows)


def main():
    FOLDER.mkdir(exist_ok=True)
    for name, table in tables().items():
        if name.endswith(".csv"):
            table.to_csv(FOLDER / name, index=False)
        else:
            table.astype(dict.fromkeys(CELLS, np.uint8)).to_parquet(FOLDER / name, index=False)


if __name__ == "__main__":
    main()
