"""Synthetic test sets: rows of known characteristics in a file, as a unit test of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from autodc import seeds
from autodc.data.rows import RESERVED
from autodc.propose.parameters import declared, narrowed, spread
from autodc.trial.call import CallError

Array = np.ndarray[Any, Any]


def test_set(
    generator: Any,
    path: str | Path,
    *,
    rows: int = 200,
    seed: int = 0,
    parameters: Mapping[str, Any] | None = None,
    settings: int = 20,
    base: tuple[Any, Any] | None = None,
) -> pd.DataFrame:
    """Write a synthetic test set, to be named as `slices: - source:`; return its metadata, a column a parameter.

    generator: a Generator, or a Transform with `base`, the (x, y) it transforms, which no model has trained on; path:
    .npz for arrays, .parquet for tables and texts; parameters: values or [low, high], left out: all that is declared;
    settings: how many are drawn, of as many rows each. Raises CallError as a study would.
    """
    place = f"{type(generator).__name__}"
    ranges = narrowed(declared(generator.parameters, place), parameters or {}, place)
    drawn = spread(ranges, max(1, min(settings, rows)), seed)
    shares = np.array_split(np.arange(rows), len(drawn))
    of = None if base is None else (base[0], np.asarray(base[1]))
    parents = seeds.generator(seed, "test_set").permutation(len(of[1])) if of is not None else None
    parts = []
    for at, (setting, share) in enumerate(zip(drawn, shares, strict=True)):
        number = seeds.integer(seed, "test_set", at)
        if of is not None and parents is not None:
            chosen = parents[share % len(parents)]
            x = of[0].iloc[chosen] if isinstance(of[0], pd.DataFrame) else _picked(of[0], chosen)
            nothing = pd.DataFrame(index=range(len(chosen)))
            answer = generator.transform(x, of[1][chosen], nothing, setting, number)
        else:
            answer = generator.generate(setting, len(share), number)
        metadata = pd.DataFrame(dict(answer[2]) if answer[2] is not None else {}, index=range(len(share)))
        parts.append((answer[0], np.asarray(answer[1]), metadata.assign(**setting)))
    metadata = pd.concat([part[2] for part in parts], ignore_index=True)
    _written([part[0] for part in parts], np.concatenate([part[1] for part in parts]), metadata, Path(path), place)
    return metadata


test_set.__test__ = False  # type: ignore[attr-defined]


def _picked(x: Any, rows: Array) -> Any:
    return x[rows] if isinstance(x, np.ndarray) else [x[row] for row in rows]


def _written(parts: Sequence[Any], y: Array, metadata: pd.DataFrame, path: Path, place: str) -> None:
    if clash := [str(n) for n in metadata.columns if n in ("x", "y") or str(n).casefold() == RESERVED]:
        raise CallError(
            "ADC-PROP-016",
            "a column of metadata has a name that is taken",
            place,
            ", ".join(clash),
            "call it otherwise",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npz":
        texts = {n: metadata[n].astype(str) if metadata[n].dtype == object else metadata[n] for n in metadata.columns}
        columns = {str(n): np.asarray(v.to_numpy(), dtype=str if v.dtype == object else None) for n, v in texts.items()}
        np.savez(path, x=np.concatenate([np.asarray(part) for part in parts]), y=y, **cast(dict[str, Any], columns))
        return
    if isinstance(parts[0], pd.DataFrame):
        inputs = pd.concat(parts, ignore_index=True)
    else:
        inputs = pd.DataFrame({"text": [text for part in parts for text in part]})
    names = [n for n in metadata.columns if n not in inputs.columns]
    pd.concat([inputs, metadata[names]], axis=1).assign(y=y).to_parquet(path, index=False)
