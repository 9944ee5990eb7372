"""Tables for networks and for estimators, beside a plain DataLoader and pandas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rows_shared import EPOCHS, Case, loaders, of_lightning, of_torch, opened, stored

ROWS = 150_000


def tables(folder: Path) -> list[Case]:
    rng = np.random.default_rng(0)
    mixes = {"30 numbers": 0, "24 numbers, 6 categories": 6}
    return [case for what, categories in mixes.items() for case in _of_table(folder, what, categories, rng)]


def _of_table(folder: Path, what: str, categories: int, rng: np.random.Generator) -> list[Case]:
    import pandas as pd
    import torch
    from torch.utils.data import TensorDataset

    from autodc.adapters.trainers.options import TorchTabularOptions
    from autodc.adapters.trainers.torch_tabular import TorchTabular
    from autodc.table import Table

    place = folder / f"with{categories}"
    place.mkdir(parents=True)
    columns, y = frame(rng, ROWS, categories), rng.integers(0, 10, ROWS)
    types: Any = [
        "category" if c[0] == "c" else "integer" if d.kind == "i" else "number" for c, d in columns.dtypes.items()
    ]
    parts = stored(place, Table.of("table", columns, types), y)
    path = place / "table.parquet"
    columns.to_parquet(path, index=False)
    np.save(place / "y.npy", y)

    def values() -> Any:
        read = pd.read_parquet(path)
        for name in read.columns:
            if name.startswith("c"):
                read[name] = read[name].astype("category").cat.codes
        return read.to_numpy(np.float32)

    def dataset() -> Any:
        return TensorDataset(torch.from_numpy(values()), torch.from_numpy(np.load(place / "y.npy")))

    name = f"table of {what}"
    networks = {
        f"{name}, torch_tabular": lambda: of_torch(TorchTabular(TorchTabularOptions(), ""), parts, EPOCHS),
        f"{name}, lightning": lambda: of_lightning(parts, EPOCHS),
    }
    given = {f"{name}, frame of an sklearn trainer": lambda: of_sklearn(parts, "DummyClassifier")}
    boosting = {f"{name}, encoded for histogram boosting": lambda: of_sklearn(parts, "HistGradientBoostingClassifier")}
    by_hand = {"pandas, to_numpy": lambda: len(values())}
    if categories:
        by_hand = {"pandas, OrdinalEncoder": lambda: encoded(path)}
    return [
        Case(ours=networks, peers=loaders(dataset, EPOCHS)),
        Case(ours=given, peers={"pandas, read_parquet": lambda: len(pd.read_parquet(path))}),
        Case(ours=boosting, peers=by_hand),
    ]


def encoded(path: Path) -> int:
    """The rows that histogram boosting would be fitted on, encoded by hand."""
    import pandas as pd
    from sklearn.compose import make_column_transformer
    from sklearn.preprocessing import OrdinalEncoder

    read = pd.read_parquet(path)
    categories = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        encoded_missing_value=np.nan,
        max_categories=254,
    )
    names = [name for name in read.columns if name.startswith("c")]
    return len(make_column_transformer((categories, names), remainder="passthrough").fit_transform(read))


def frame(rng: np.random.Generator, rows: int, categories: int) -> Any:
    """Thirty columns: numbers, one in three whole, one in three with gaps, and so many categories."""
    import pandas as pd

    columns: dict[str, Any] = {}
    for at in range(30 - categories):
        values = rng.gamma(2, 50, rows)
        if at % 3 == 1:
            values[rng.random(rows) < 0.05] = np.nan
        columns[f"n{at}"] = rng.integers(0, 10**6, rows) if at % 3 == 2 else values
    for at in range(categories):
        names = np.array([f"name {i}" for i in range(5 * 4**at)], dtype=object)
        columns[f"c{at}"] = names[rng.integers(0, len(names), rows)]
    return pd.DataFrame(columns)


def of_sklearn(parts: Any, estimator: str) -> int:
    """The rows that an estimator is fitted on."""
    from autodc.adapters.trainers import sklearn_trainer
    from autodc.adapters.trainers.options import SklearnOptions
    from autodc.trial.recipes import phases

    job = opened(parts)
    options = SklearnOptions(estimator=estimator, encode="none" if estimator == "DummyClassifier" else "auto")
    trainer = sklearn_trainer.Sklearn(options, "")
    model = trainer._first(job)
    x, _ = sklearn_trainer._rows(phases(job)[0], job)
    return int(trainer._prepared(model, x, 0).shape[0])
