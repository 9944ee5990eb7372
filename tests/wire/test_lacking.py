"""Validation has rows of a kind that the base lacks: told of texts, tables and pictures, and not told where none is."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from autodc.diagnose.view import View as Rows
from autodc.propose.pool_missing import Lack
from autodc.studyfile import load
from autodc.wire.inputs import Inputs, read_inputs
from autodc.wire.lacking import lacking

Array = np.ndarray[Any, Any]
CONFIGS = Path(__file__).resolve().parents[2] / "configs"
USUAL, OTHER = 1000, 200
"""Rows of the kind that all have, and of the one that the base lacks: half in validation, half in the pool."""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@dataclass(frozen=True)
class World:
    inputs: Inputs
    other: Array
    """Which rows of the pool are of the other kind."""
    share: float
    """Of the explore rows that are of it."""

    def lack(self, taken: Array, barred: Array) -> Lack:
        explore = self.inputs.separation.explore
        nothing = np.zeros(len(explore))
        rows = Rows(
            ids=explore,
            error=nothing,
            failed=nothing > 0,
            target=nothing,
            prediction=nothing,
            attributes=pd.DataFrame(index=range(len(explore))),
            groups=nothing,
        )
        found = lacking(self.inputs, rows, taken, barred, 1)
        assert found is not None
        return found


def sentences() -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Of reviews of films, and of products."""
    films, products = (
        pd.read_json(CONFIGS / "reviews" / "data" / f"{name}.jsonl", lines=True) for name in ("base", "products")
    )
    return films[["text", "label"]], products[["text", "label"]], {"text": "text", "target": "label"}


def people() -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Of a census: men, and women."""
    men, women = (pd.read_csv(CONFIGS / "census" / "data" / f"{name}.csv") for name in ("base", "women"))
    return men, women, {"target": "income"}


def scans() -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Of digits, and of others that lie on their side."""
    x, y = load_digits(return_X_y=True)
    turned = np.rot90(x.reshape(-1, 8, 8), axes=(1, 2)).reshape(-1, 64)
    usual, other = (pd.DataFrame(rows).assign(label=y) for rows in (x, turned))
    return usual[OTHER:], other[:OTHER], {}


EACH = pytest.mark.parametrize(
    "rows", [pytest.param(sentences, marks=pytest.mark.slow), people, pytest.param(scans, marks=pytest.mark.slow)]
)


def world(folder: Path, rows: tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]], *, lacks: bool) -> World:
    """Two fifths of what is usual in the base, a quarter in validation, the rest in the pool."""
    *kinds, options = rows
    usual, other = (one.sample(frac=1, random_state=1)[:most] for one, most in zip(kinds, (USUAL, OTHER), strict=True))
    ends = [0, 2 * len(usual) // 5, 13 * len(usual) // 20, len(usual)]
    base, seen, pool = (usual[low:high] for low, high in pairwise(ends))
    half = len(other) // 2
    parts = {"base": base, "validation": pd.concat([seen, other[:half]]) if lacks else seen}
    parts["pool"] = pd.concat([pool, other[half:]])
    for name, frame in parts.items():
        if options:
            frame.to_parquet(folder / f"{name}.parquet")
        else:
            x = frame.drop(columns="label").to_numpy(np.float32).reshape(-1, 8, 8)
            np.savez(folder / f"{name}.npz", x=x, y=frame["label"].to_numpy())
    suffix = "parquet" if options else "npz"
    study = {
        "schema_version": 1,
        "name": "lacking",
        "task": {"kind": "classification", "trainer": "sklearn", "options": {"estimator": "DummyClassifier"}},
        "data": {name: {"source": f"{name}.{suffix}", "options": options} for name in parts},
        "metrics": {"primary": "accuracy"},
        "slices": [{"name": "overall", "role": "target"}],
        "loop": {"rounds": 2, "propose": ["pool"]},
        "tracking": {"uri": "none"},
    }
    (folder / "study.yaml").write_text(json.dumps(study))
    inputs = read_inputs(load(folder / "study.yaml"))
    share = float((inputs.separation.explore >= len(seen)).mean())
    return World(inputs, np.arange(len(parts["pool"])) >= len(pool), share)


@EACH
def test_what_the_base_lacks_is_told_found_in_the_pool_and_lacks_no_more(
    tmp_path: Path, rows: Callable[[], Any]
) -> None:
    made = world(tmp_path, rows(), lacks=True)
    none = np.zeros(len(made.other), dtype=bool)
    found = made.lack(np.zeros(0, dtype=int), none)
    assert 0 < found.low < found.share < made.share + 0.1
    assert found.low < made.share
    first = np.argsort(-found.like, kind="stable")[: int(made.other.sum())]
    assert made.other[first].mean() > 0.7
    again = made.lack(np.sort(first), np.isin(np.arange(len(none)), first))
    assert again.share < found.share / 2
    assert (again.like[first] == 0).all()


@EACH
def test_nothing_is_told_where_validation_is_like_the_base(tmp_path: Path, rows: Callable[[], Any]) -> None:
    made = world(tmp_path, rows(), lacks=False)
    assert made.lack(np.zeros(0, dtype=int), np.zeros(len(made.other), dtype=bool)).low <= 0
