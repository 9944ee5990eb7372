"""Riders an hour of a bike share in 2011 (ISLP's Bikeshare): regression, hours of one day stay together.

Base: working days from January to June. On offer: other days and seasons, and what a careless export holds under the
same name: registered riders alone, casual riders alone, the mean of the day, hours by a clock of another zone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.real.case import DAY, Case, Rows, Taker, Term
from benchmarks.real.learners import TREE_SPACE, tree_values

MONTHS = ["Jan", "Feb", "March", "April", "May", "June", "July", "Aug", "Sept", "Oct", "Nov", "Dec"]
INPUTS = [
    *("hr", "weekday", "workingday", "holiday", "month", "weather", "temp", "atemp", "hum", "windspeed", "day"),
]
SHARES = (0.33, 0.77, 0.80)
"""Up to which share of the days train, pool and tune go; the rest is held out."""
ZONE = 5
TERMS = (
    Term(name="overall", role="guard", margin=4.0),
    Term(name="spring", role="guard", margin=5.0),
    *(Term(name=name, role="target") for name in ("free_days", "later", "wet")),
)


def build(folder: Path) -> Case:
    """Build the case from the unpacked wheel."""
    return made(pd.read_csv(next(folder.rglob("Bikeshare.csv"))))


def made(table: pd.DataFrame, scale: float = 1.0) -> Case:
    """Build the case from the table of hours. scale: the share of the usual number of rows in every part."""
    table = table.reset_index(drop=True)
    table["hr"] = table.hr.astype(int)
    table["month"] = table.mnth.map({name: i + 1 for i, name in enumerate(MONTHS)})
    table["weather"] = table.weathersit.map({"clear": 0, "cloudy/misty": 1}).fillna(2)
    free, month = table.workingday == 0, table.month
    slices = {
        "spring": month.between(1, 6) & ~free,
        "free_days": free,
        "later": (month >= 7) & ~free,
        "wet": table.weather == 2,
    }
    meta = pd.DataFrame(slices).astype(np.int64)
    meta[DAY] = table.day.astype(np.int64)
    rng = np.random.default_rng(5)
    days = rng.permutation(table.day.unique())
    bounds = [round(share * len(days)) for share in SHARES]
    parts = [np.flatnonzero(table.day.isin(cut)) for cut in np.split(days, bounds)]
    train, pool, tune, held = parts
    x, y = table[INPUTS].to_numpy(np.float32), table.bikers.to_numpy(np.float64)
    rows = Taker(x, y, meta, rng.permutation(train))
    mean = table.groupby("day").bikers.transform("mean").to_numpy(np.float64)
    registered, casual = (table[name].to_numpy(np.float64) for name in ("registered", "casual"))
    work, late, summer = ~free, month.between(9, 12), month.between(7, 8)
    turn = table.day % 4

    def take(mask: Any, count: int, targets: np.ndarray | None = None) -> Rows:
        return rows.take(mask, int(count * scale), targets)

    base = take(work & (month <= 6) & (table.weather < 2), 600)
    candidates = {
        "wet_hours": take(table.weather == 2, 120),
        "free_days": take(free & (turn == 0), 150),
        "free_days_more": take(free & (turn == 1), 150),
        "casual": take(free & (turn == 2), 150, casual),
        "nights": take((table.hr < 5) & (turn != 3), 150),
        "summer": take(work & summer, 130),
        "registered": take(work & summer, 120, registered),
        "autumn": take(work & late & (turn == 0), 150),
        "autumn_more": take(work & late & (turn == 1), 100),
        "day_means": take(work & late & (turn == 2), 120, mean),
        "other_clock": take(work & late & (turn == 3), 150),
    }
    candidates["other_clock"].x[:, 0] = (candidates["other_clock"].x[:, 0] + ZONE) % 24
    return Case(
        name="bikes",
        title="riders an hour of a bike share; base: working days of January to June; days stay together",
        kind="regression",
        metric="mae",
        terms=TERMS,
        space=TREE_SPACE,
        learner=tree_values,
        base=base,
        candidates=candidates,
        pool=rows.rows(pool),
        tune=rows.rows(tune),
        held=rows.rows(held),
        rows=int(3_300 * scale),
    )
