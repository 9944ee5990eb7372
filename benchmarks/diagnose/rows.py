"""Real rows for the benchmarks of diagnosis: digits, a table and texts, as coordinates and classes."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

Array = np.ndarray[Any, Any]

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


@cache
def digits() -> tuple[Array, Array]:
    """scikit-learn's digits on a canvas of 12 × 12: (1797, 12, 12) of 0 to 1, and classes."""
    found = load_digits()
    return np.pad(found.images / 16.0, ((0, 0), (2, 2), (2, 2))), found.target


@cache
def census() -> pd.DataFrame:
    """All tables of configs/census but the careless one."""
    folder = CONFIGS / "census" / "data"
    parts = [pd.read_csv(path) for path in sorted(folder.glob("*.csv"))]
    parts += [pd.read_parquet(path) for path in sorted(folder.glob("*.parquet")) if path.stem != "careless"]
    return pd.concat(parts, ignore_index=True)


def coordinates(table: pd.DataFrame) -> Array:
    """Numbers, and a column for each common category, standardised."""
    wide = pd.get_dummies(table.drop(columns="income"), dummy_na=False, dtype=float)
    wide = wide.loc[:, wide.nunique() > 1].fillna(wide.median())
    return ((wide - wide.mean()) / wide.std()).clip(-5, 5).to_numpy(float)


@cache
def reviews() -> tuple[Array, Array]:
    """Sentences of configs/reviews in 50 coordinates (TF-IDF, SVD), and 0 or 1; the careless ones apart."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    folder = CONFIGS / "reviews" / "data"
    parts = [pd.read_json(path, lines=True) for path in sorted(folder.glob("*.jsonl"))]
    parts += [pd.read_parquet(path) for path in sorted(folder.glob("*.parquet"))]
    names = [path.stem for path in [*sorted(folder.glob("*.jsonl")), *sorted(folder.glob("*.parquet"))]]
    table = pd.concat([part for part, name in zip(parts, names, strict=True) if name != "careless"], ignore_index=True)
    wide = TfidfVectorizer(min_df=3, ngram_range=(1, 2), sublinear_tf=True).fit_transform(table["text"])
    return TruncatedSVD(50, random_state=0).fit_transform(wide), (table["label"] == "positive").to_numpy(int)
