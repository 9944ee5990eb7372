"""Flights out of New York in 2013 (nycflights13): the chance to land more than a quarter of an hour late,
from the timetable and the weather: log loss.

In time: trained on January to June; of July to December the odd weeks are the pool and the even weeks held out. Days
stay together. Base: large carriers out of Newark. Under the same name: late at departure, and any delay at all.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.real.case import DAY, Case, Rows, Taker, Term
from benchmarks.real.learners import TREE_SPACE, trees

LATE = 15
WEATHER = ("temp", "wind_speed", "precip", "visib", "pressure")
INPUTS = [
    *("minute_of_day", "weekday", "distance", "carrier", "origin", "dest", *WEATHER, "planned"),
]
REGIONAL = ("EV", "9E", "MQ", "YV", "OO")
TERMS = (
    Term(name="overall", role="guard", margin=0.01),
    Term(name="newark", role="guard", margin=0.015),
    *(Term(name=name, role="target") for name in ("jfk", "laguardia", "regional", "far")),
)


def build(folder: Path) -> Case:
    """Build the case from the unpacked wheel."""
    flights, weather = (
        pd.read_pickle(next(folder.rglob(f"nycflights13/{name}.pkl.compress")), compression="xz")
        for name in ("flights", "weather")
    )
    return made(flights, weather)


def made(flights: pd.DataFrame, weather: pd.DataFrame, scale: float = 1.0) -> Case:
    """Build the case from the tables of flights and of the weather an hour."""
    table = flights.dropna(subset=["arr_delay", "dep_delay"])
    key = ["origin", "year", "month", "day", "hour"]
    table = table.merge(weather.drop_duplicates(key)[[*key, *WEATHER]], "left", key)
    when = pd.to_datetime(table[["year", "month", "day"]])
    table["minute_of_day"] = table.hour * 60 + table.minute
    table["weekday"], table["date"] = when.dt.day_of_week, when.dt.day_of_year
    planned = (table.sched_arr_time // 100 * 60 + table.sched_arr_time % 100) - table.minute_of_day
    table["planned"] = planned % 1440
    codes = {c: pd.Categorical(table[c]).codes for c in ("carrier", "origin", "dest")}
    x = table.assign(**codes)[INPUTS]
    x = x.fillna(x.median()).to_numpy(np.float32)
    late = (table.arr_delay > LATE).to_numpy().astype(np.int64)
    regional, far = table.carrier.isin(REGIONAL), table.distance > 1500
    slices = {
        "newark": table.origin == "EWR",
        "jfk": table.origin == "JFK",
        "laguardia": table.origin == "LGA",
        "regional": regional,
        "far": far,
    }
    meta = pd.DataFrame(slices).astype(np.int64)
    meta[DAY] = table.date.astype(np.int64)
    order = np.random.default_rng(13).permutation(len(table))
    date = table.date.to_numpy()[order]
    week = (date - 182) // 7
    train, tune = order[date <= 165], order[(date > 165) & (date <= 181)][: int(8_000 * scale)]
    pool = order[(date > 181) & (week % 2 == 0)][: int(9_000 * scale)]
    held = order[(date > 181) & (week % 2 == 1)][: int(25_000 * scale)]
    rows = Taker(x, late, meta, train)

    def take(mask: Any, count: int, targets: np.ndarray | None = None) -> Rows:
        return rows.take(mask, int(count * scale), targets)

    month, newark = table.month, table.origin == "EWR"
    base = take(newark & ~regional & ~far, 700)
    candidates = {
        "newark_more": take(newark & ~regional & ~far, 840),
        "jfk": take((table.origin == "JFK") & ~regional, 700),
        "jfk_more": take((table.origin == "JFK") & ~regional, 700),
        "laguardia": take((table.origin == "LGA") & ~regional, 700),
        "regional": take(regional, 840),
        "far": take(far, 700),
        "winter": take(month <= 2, 700),
        "storms": take((table.precip > 0) | (table.visib < 3), 630),
        "long_waits": take(table.dep_delay > 60, 560),
        "late_departure": take(month > 2, 840, (table.dep_delay > LATE).to_numpy().astype(np.int64)),
        "any_delay": take(month > 2, 840, (table.arr_delay > 0).to_numpy().astype(np.int64)),
    }
    return Case(
        name="flights",
        title="flights that land late; base: Newark, large carriers; in time, days stay together",
        kind="classification",
        metric="log_loss",
        terms=TERMS,
        space=TREE_SPACE,
        learner=trees,
        base=base,
        candidates=candidates,
        pool=rows.rows(pool),
        tune=rows.rows(tune),
        held=rows.rows(held),
        rows=int(5_000 * scale),
        classes=2,
    )
