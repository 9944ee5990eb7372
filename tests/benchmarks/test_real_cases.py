"""The real cases on small made-up tables of the same columns: no row is in two parts, what is meant to be wrong is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.real.case import DAY, OVERALL, Case, Rows
from benchmarks.real.cases import bikes, census, digits, films, flights, text

Array = np.ndarray[Any, Any]


def people(rng: np.random.Generator) -> Case:
    count = 4_000
    table = pd.DataFrame({name: rng.integers(0, 5, count) for name in census.COLUMNS})
    table["age"] = rng.integers(18, 80, count)
    table["wage"], table["gain"] = rng.random(count), rng.random(count)
    table["weeks"], table["year"] = 52, rng.choice([94, 95], count)
    table["cow"] = rng.choice(["Private", "Self-employed-incorporated", "Federal government"], count, p=[0.6, 0.2, 0.2])
    table["sex"], table["race"] = rng.choice(["Female", "Male"], count), rng.choice(["Black", "White"], count)
    table["edu"] = rng.choice(census.SCHOOLING, count)
    table["income"] = rng.choice(["- 50000.", "50000+."], count)
    return census.made(table, scale=0.02)


def hours(rng: np.random.Generator) -> Case:
    count = 365 * 24
    day = np.repeat(np.arange(1, 366), 24)
    month = np.minimum((day - 1) // 30, 11)
    riders = rng.integers(1, 300, count)
    table = pd.DataFrame(
        {
            "day": day,
            "hr": np.tile(np.arange(24), 365),
            "mnth": np.array(bikes.MONTHS)[month],
            "weekday": day % 7,
            "workingday": (day % 7 < 5).astype(int),
            "holiday": 0,
            "weathersit": rng.choice(["clear", "cloudy/misty", "light rain/snow"], count, p=[0.6, 0.3, 0.1]),
            **{name: rng.random(count) for name in ("temp", "atemp", "hum", "windspeed")},
            "casual": riders // 3,
            "registered": riders - riders // 3,
            "bikers": riders,
        }
    )
    return bikes.made(table, scale=0.5)


def movies(rng: np.random.Generator) -> Case:
    count = 6_000
    names = np.array([f"The film {i} {word}" for i, word in enumerate(rng.choice(["a b", "c"], count))])
    table = pd.DataFrame(
        {"title": names, "year": rng.integers(1910, 2005, count), "length": rng.integers(1, 200, count)}
    )
    table["votes"], table["budget"] = rng.choice([5, 100, 2000], count), rng.choice([np.nan, 1e6], count)
    table["rating"], table["mpaa"] = rng.uniform(1, 10, count), None
    for kind in films.KINDS:
        table[kind] = (rng.random(count) < (0.7 if kind == "Drama" else 0.35)).astype(int)
    for grade in films.GRADES:
        table[grade] = rng.random(count)
    return films.made(table, scale=0.05)


def planes(rng: np.random.Generator) -> Case:
    count = 30_000
    when = pd.Timestamp("2013-01-01") + pd.to_timedelta(rng.integers(0, 365, count), "D")
    table = pd.DataFrame({"year": 2013, "month": when.month, "day": when.day, "hour": rng.integers(5, 23, count)})
    table["minute"], table["distance"] = rng.integers(0, 60, count), rng.uniform(100, 4000, count)
    table["sched_arr_time"] = rng.integers(0, 24, count) * 100
    table["dep_delay"] = rng.normal(20, 60, count)
    table["arr_delay"] = table.dep_delay + rng.normal(0, 15, count)
    table["carrier"], table["dest"] = rng.choice(["UA", "EV"], count), rng.choice(["LAX", "BOS"], count)
    table["origin"] = rng.choice(["EWR", "JFK", "LGA"], count)
    key = ["origin", "year", "month", "day", "hour"]
    weather = table[key].drop_duplicates().assign(temp=50.0, wind_speed=5.0, precip=0.1, visib=9.0, pressure=np.nan)
    weather.loc[::2, "pressure"] = 1000.0
    return flights.made(table, weather, scale=0.05)


def images(rng: np.random.Generator) -> Case:
    scans = rng.integers(0, 17, (900, 64)).astype(float), rng.integers(0, 10, 900)
    pens = rng.integers(0, 101, (1_400, 16)).astype(float), rng.integers(0, 10, 1_400)
    return digits.made(scans, np.arange(900) < 600, pens, scale=0.1)


def snippets(rng: np.random.Generator) -> Case:
    words = [f"word{i}" for i in range(60)]
    rows = [
        (domain, float(rng.choice([-1, 1])), " ".join([*rng.choice(words, 12), f"row{i}"]), [1, -1])
        for i, domain in enumerate(np.repeat(list(text.CUTS), 800))
    ]
    table = pd.DataFrame(rows, columns=["domain", "mean", "text", "ratings"])
    return text.made(table, lambda _: {"compound": 1.0}, scale=0.1)


MADE: dict[str, Callable[[np.random.Generator], Case]] = {
    "census": people,
    "bikes": hours,
    "films": movies,
    "flights": planes,
    "digits": images,
    "text": snippets,
}


@pytest.fixture(scope="module")
def cases() -> dict[str, Case]:
    return {name: make(np.random.default_rng(1)) for name, make in MADE.items()}


def parts(case: Case) -> dict[str, Rows]:
    return {"base": case.base, **case.candidates, "pool": case.pool, "tune": case.tune, "held": case.held}


@pytest.mark.parametrize("name", MADE)
def test_no_row_is_in_two_parts(cases: dict[str, Case], name: str) -> None:
    found = parts(cases[name])
    rows = np.concatenate([rows.x for part, rows in found.items() if part not in ("other_clock", "pens_turned")])
    assert len(np.unique(rows, axis=0)) == len(rows)
    assert np.isfinite(rows).all()
    assert all(len(rows) > 0 and len(rows.x) == len(rows.y) == len(rows.meta) for rows in found.values())


@pytest.mark.parametrize("name", MADE)
def test_a_case_is_what_a_study_needs(cases: dict[str, Case], name: str) -> None:
    case = cases[name]
    assert 6 <= len(case.candidates) <= 12
    assert 2 <= len(case.space) <= 5
    assert case.targets
    for term in case.terms:
        for rows in (case.validation(0), case.held):
            assert term.name == OVERALL or rows.meta[term.name].sum() > 0
        assert term.role == "target" or term.margin


@pytest.mark.parametrize("name", MADE)
def test_a_night_draws_its_own_rows_of_the_pool_and_the_same_ones_again(cases: dict[str, Case], name: str) -> None:
    case = cases[name]
    first, again, other = case.validation(0), case.validation(0), case.validation(1)
    assert np.array_equal(first.x, again.x)
    assert len(first) != len(other) or not np.array_equal(first.x, other.x)
    pool = {row.tobytes() for row in case.pool.x}
    assert {row.tobytes() for row in first.x} <= pool


@pytest.mark.parametrize("name", ["bikes", "flights"])
def test_days_stay_together(cases: dict[str, Case], name: str) -> None:
    case = cases[name]
    night = case.validation(3)
    counts, whole = night.meta[DAY].value_counts(), case.pool.meta[DAY].value_counts()
    assert all(whole[day] == count for day, count in counts.items())
    held, pool, train = (set(rows.meta[DAY]) for rows in (case.held, case.pool, case.base))
    assert not held & pool
    assert not train & (held | pool)


def test_flights_are_learned_before_they_are_judged(cases: dict[str, Case]) -> None:
    case = cases["flights"]
    last = max(rows.meta[DAY].max() for rows in (case.base, *case.candidates.values()))
    assert last < min(rows.meta[DAY].min() for rows in (case.tune, case.pool, case.held))


def test_another_quantity_stands_under_the_same_name(cases: dict[str, Case]) -> None:
    riders, stars = cases["bikes"].candidates, cases["films"].candidates["five_stars"]
    assert riders["casual"].y.mean() < 0.5 * riders["free_days"].y.mean()
    assert len(np.unique(riders["day_means"].y)) < 0.5 * len(riders["day_means"].y)
    assert stars.y.max() <= 5.0 < cases["films"].candidates["comedies"].y.max()


def test_the_case_without_candidates_is_the_same_otherwise(cases: dict[str, Case]) -> None:
    case = cases["text"]
    left = case.without("amazon_auto", called="less", title="less")
    assert set(case.candidates) - set(left.candidates) == {"amazon_auto"}
    assert left.held is case.held
    assert left.digest != case.digest


def test_a_weight_says_how_often_a_row_is_trained_on(cases: dict[str, Case]) -> None:
    case = cases["census"]
    counted: list[int] = []

    def learner(x: Array, y: Array, hyper: Any, seed: int) -> Callable[[Array], Array]:
        counted.append(len(y))
        return lambda rows: np.zeros((len(rows), 2))

    same = {key: getattr(case, key) for key in case.__dataclass_fields__}
    counting = Case(**{**same, "learner": learner})
    for weights in ({}, {"black": 1.0}, {"black": 0.5}, {"black": 2.0}):
        _ = counting.train(case.start.of(weights, {}), 3)
    extra = np.array(counted) - len(case.base)
    assert list(extra) == [
        0,
        len(case.candidates["black"]),
        len(case.candidates["black"]) // 2,
        2 * len(case.candidates["black"]),
    ]
