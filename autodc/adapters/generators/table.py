"""`table`: new rows between rows of one class (SMOTE; Chawla et al. 2002), jittered, with other categories or gaps.

SMOTENC's rule holds for what is no number: a new row has the commonest category of its near rows. What is made comes
of a row of the base, so each knows its parent. `sampler` names a class of imbalanced-learn in its place.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, final

import numpy as np
import pandas as pd
from pydantic import Field

from autodc.adapters.generators.vary import refuse_unknown, varied
from autodc.large import evenly
from autodc.studyfile.values import Spec
from autodc.trial.call import CallError

Array = np.ndarray[Any, Any]

PARAMETERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "step": {"type": "float", "low": 0.0, "high": 1.0, "identity": 0.0},
    "neighbours": {"type": "int", "low": 1, "high": 15, "identity": 5},
    "jitter": {"type": "float", "low": 0.0, "high": 1.0, "identity": 0.0},
    "swap": {"type": "float", "low": 0.0, "high": 0.5, "identity": 0.0},
    "missing": {"type": "float", "low": 0.0, "high": 0.6, "identity": 0.0},
}
SAYS: Final[Mapping[str, str]] = {
    "step": "how far a row goes at most towards a near row of its class",
    "neighbours": "how many near rows it may go to",
    "jitter": "standard deviation of the noise on numbers, in those of the column",
    "swap": "share of the categories that are drawn anew, as often as the base has them",
    "missing": "share of the values that go, in columns that have gaps in the base",
}
MOST = 20_000
"""Rows of the base that neighbours are looked for among, evenly."""
Sampler = Literal["SMOTE", "SMOTENC", "SMOTEN", "BorderlineSMOTE", "SVMSMOTE", "ADASYN", "KMeansSMOTE"]


class TableOptions(Spec):
    """Options of `table`."""

    vary: tuple[str, ...] = Field(default=(), description="the parameters that may change, all where left out")
    sampler: Sampler | None = Field(
        default=None, description="of imbalanced-learn, in place of the step to a near row; needs the extra [tables]"
    )


@final
@dataclass(frozen=True, slots=True)
class TableGenerator:
    """Makes rows of rows; labels stay. Numbers of whole columns stay whole, and within what the base has."""

    options: TableOptions = field(default_factory=TableOptions)
    base: _Columns | None = None

    @property
    def parameters(self) -> Mapping[str, Mapping[str, Any]]:
        """Those that may change."""
        return varied(PARAMETERS, self.options.vary)

    def fitted(self, x: Any, y: Array) -> TableGenerator:
        """Learn the columns of the base, and which rows there are to go to."""
        refuse_unknown("table", PARAMETERS, self.options.vary)
        if self.options.sampler is not None and importlib.util.find_spec("imblearn") is None:
            hint = 'pip install "autodc-optimizer[tables]", or leave `sampler` out'
            raise CallError("ADC-PROP-023", "imbalanced-learn is not installed", "options.sampler", "", hint)
        if not isinstance(x, pd.DataFrame) and np.ndim(x) != 2:
            got = "texts or files" if isinstance(x, list) else f"arrays of shape {np.shape(x)[1:]}"
            hint = "name image or text, or a generator of your own: path/to/file.py:Object"
            raise CallError("ADC-PROP-022", "table changes columns alone", "generator", got, hint)
        some = evenly(len(y), MOST)
        return TableGenerator(self.options, _Columns.of(_frame(x).iloc[some].reset_index(drop=True), y[some]))

    def transform(
        self, x: Any, y: Array, metadata: pd.DataFrame, parameters: Mapping[str, Any], seed: int
    ) -> tuple[Any, ...]:
        """Return rows made of these. x: a frame or an array (n, columns)."""
        used = {name: about["identity"] for name, about in PARAMETERS.items()} | dict(parameters)
        rng, frame = np.random.default_rng(seed), _frame(x)
        base = self.base or _Columns.of(frame, y)
        out, position = frame.copy(), np.arange(len(frame))
        if used["step"] > 0 and self.options.sampler is not None:
            out, position = base.sampled(frame, y, self.options.sampler, int(used["neighbours"]), rng)
        elif used["step"] > 0:
            out = base.towards(frame, y, used["step"], int(used["neighbours"]), rng)
        if used["jitter"] > 0:
            out = base.jittered(out, used["jitter"], rng)
        if used["swap"] > 0:
            out = base.swapped(out, used["swap"], rng)
        if used["missing"] > 0:
            out = base.with_gaps(out, used["missing"], rng)
        made = out if isinstance(x, pd.DataFrame) else out.to_numpy(dtype=x.dtype)
        return made, y, None, position


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Columns:
    """Rows of the base and what their columns are like."""

    frame: pd.DataFrame
    y: Array
    numbers: tuple[str, ...]
    whole: frozenset[str]
    """Columns of whole numbers."""
    spread: Mapping[str, float]
    points: Array

    @classmethod
    def of(cls, frame: pd.DataFrame, y: Array) -> _Columns:
        numbers = tuple(n for n in frame.columns if frame[n].dtype.kind in "iuf")
        spread = {n: float(np.nanstd(frame[n].to_numpy(float))) if frame[n].notna().any() else 0.0 for n in numbers}
        whole = frozenset(
            n for n in numbers if frame[n].dtype.kind in "iu" or not (frame[n].dropna().to_numpy(float) % 1).any()
        )
        found = cls(frame=frame, y=y, numbers=numbers, whole=whole, spread=spread, points=np.zeros((0, 0)))
        return cls(frame=frame, y=y, numbers=numbers, whole=whole, spread=spread, points=found.placed(frame))

    @property
    def others(self) -> tuple[str, ...]:
        """Columns of categories and truth values; dates and free text stay as they are."""
        found = [n for n in self.frame.columns if n not in self.numbers and self.frame[n].dtype.kind != "M"]
        return tuple(n for n in found if self.frame[n].nunique() <= max(20, len(self.frame) // 20))

    def placed(self, frame: pd.DataFrame) -> Array:
        """Rows as points: numbers in their spread, categories that differ half the median spread apart (SMOTENC)."""
        parts = []
        for name in self.numbers:
            values = frame[name].to_numpy(float)
            middle = float(np.nanmean(self.frame[name].to_numpy(float))) if self.spread[name] else 0.0
            parts.append(np.nan_to_num((values - middle) / (self.spread[name] or 1.0)))
        for name in self.others:
            known = self.frame[name].astype(object).value_counts().index[:30]
            parts += [(frame[name].astype(object) == value).to_numpy(float) * np.sqrt(0.5) for value in known]
        return np.column_stack(parts) if parts else np.zeros((len(frame), 1))

    def towards(self, frame: pd.DataFrame, y: Array, step: float, k: int, rng: np.random.Generator) -> pd.DataFrame:
        """Each row a random part of `step` on the way to one of its k near rows of its class."""
        near = self._near(frame, y, k)
        chosen = near[np.arange(len(frame)), rng.integers(0, near.shape[1], len(frame))]
        part = rng.random(len(frame)) * step
        out = frame.copy()
        for name in self.numbers:
            here, there = frame[name].to_numpy(float), self.frame[name].to_numpy(float)[chosen]
            there = np.where(np.isnan(there), here, there)
            out[name] = self._kept(name, here + part * (there - here), frame[name])
        for name in self.others:
            here = frame[name].astype(object).to_numpy()
            common = _commonest(self.frame[name].astype(object).to_numpy(), near)
            found = [new if moves else old for new, old, moves in zip(common, here, part > step / 2, strict=True)]
            out[name] = pd.Series(found, index=frame.index, dtype=object).astype(frame[name].dtype)
        return out

    def _near(self, frame: pd.DataFrame, y: Array, k: int) -> Array:
        """Positions of k near rows of the same class, (n, k); targets that are no classes count as one."""
        from sklearn.neighbors import NearestNeighbors

        is_class = self.y.ndim == 1 and len(np.unique(self.y)) <= max(2, len(self.y) // 5)
        kinds, asked = (self.y, y) if is_class else (np.zeros(len(self.y)), np.zeros(len(frame)))
        points, near = self.placed(frame), np.zeros((len(frame), k), dtype=int)
        for kind in np.unique(asked):
            rows, there = np.flatnonzero(asked == kind), np.flatnonzero(kinds == kind)
            there = there if len(there) else np.arange(len(kinds))
            count = min(k + 1, len(there))
            found = NearestNeighbors(n_neighbors=count).fit(self.points[there]).kneighbors(points[rows])[1]
            found = there[found[:, 1:] if count > 1 else found]
            near[rows] = found[:, np.arange(k) % found.shape[1]]
        return near

    def jittered(self, frame: pd.DataFrame, jitter: float, rng: np.random.Generator) -> pd.DataFrame:
        """Noise on numbers."""
        out = frame.copy()
        for name in self.numbers:
            noise = rng.normal(0, jitter * self.spread[name], len(frame))
            if len(pd.unique(self.frame[name].dropna())) > 2:  # a flag is no measure
                out[name] = self._kept(name, frame[name].to_numpy(float) + noise, frame[name])
        return out

    def swapped(self, frame: pd.DataFrame, share: float, rng: np.random.Generator) -> pd.DataFrame:
        """Categories drawn anew."""
        out = frame.copy()
        for name in self.others:
            drawn = self.frame[name].astype(object).to_numpy()[rng.integers(0, len(self.frame), len(frame))]
            changes = rng.random(len(frame)) < share
            values = np.where(changes, drawn, frame[name].astype(object).to_numpy())
            out[name] = pd.Series(values, index=frame.index, dtype=object).astype(frame[name].dtype)
        return out

    def with_gaps(self, frame: pd.DataFrame, share: float, rng: np.random.Generator) -> pd.DataFrame:
        """Values that go, where the base has gaps too."""
        out = frame.copy()
        for name in frame.columns:
            goes = rng.random(len(frame)) < share
            if self.frame[name].isna().any():
                out[name] = frame[name].where(~goes)
        return out

    def sampled(
        self, frame: pd.DataFrame, y: Array, sampler: str, k: int, rng: np.random.Generator
    ) -> tuple[pd.DataFrame, Array]:
        """Rows that imbalanced-learn makes of these, as many of each class, and the given row nearest to each."""
        made_rows = []
        for kind, count in zip(*np.unique(y, return_counts=True), strict=True):
            made_rows.append(self._of_class(frame, y, kind, int(count), sampler, k, rng))
        order = np.concatenate([np.flatnonzero(y == kind) for kind in np.unique(y)])
        made = pd.concat(made_rows, ignore_index=True).iloc[np.argsort(order)].reset_index(drop=True)
        for name in frame.columns:
            values = self._kept(name, made[name].to_numpy(float), frame[name]) if name in self.numbers else made[name]
            made[name] = pd.Series(np.asarray(values), dtype=frame[name].dtype)
        here, there = self.placed(made), self.placed(frame)
        nearest = [
            np.argmin(((there - row) ** 2).sum(1) + 1e9 * (y != kind)) for row, kind in zip(here, y, strict=True)
        ]
        return made, np.array(nearest, dtype=int)

    def _of_class(
        self, frame: pd.DataFrame, y: Array, kind: Any, count: int, sampler: str, k: int, rng: np.random.Generator
    ) -> pd.DataFrame:
        """So many rows of one class: the base beside the given rows is what is sampled from."""
        import imblearn.over_sampling as samplers

        rows = pd.concat([frame, self.frame], ignore_index=True)
        of = np.concatenate([y, self.y])
        named: dict[str, Any] = {"random_state": int(rng.integers(2**31))}
        if sampler == "SMOTENC":
            named["categorical_features"] = list(self.others)
        present = int((of == kind).sum())
        kinds = inspect.signature(getattr(samplers, sampler)).parameters
        named["n_neighbors" if "n_neighbors" in kinds else "k_neighbors"] = max(1, min(k, present - 1))
        try:
            made = getattr(samplers, sampler)(sampling_strategy={kind: present + count}, **named)
            found: pd.DataFrame = made.fit_resample(rows, of)[0].iloc[len(rows) :]
        except ValueError as error:
            hint = "SMOTENC for categories beside numbers, SMOTEN for categories alone; none of them takes gaps"
            raise CallError("ADC-PROP-015", f"{sampler} fails", "options.sampler", str(error), hint) from None
        if not len(found):
            got = f"no row of class {kind!r}"
            raise CallError("ADC-PROP-015", f"{sampler} makes no rows", "options.sampler", got, "take another sampler")
        return found.iloc[np.arange(count) % len(found)]

    def _kept(self, name: str, values: Array, like: pd.Series[Any]) -> Any:
        """Numbers within what the base has, whole where it has whole ones, in the type of the column."""
        known = self.frame[name].to_numpy(float)
        if not np.isnan(known).all():
            values = np.clip(
                values,
                min(np.nanmin(known), np.nanmin(like.to_numpy(float), initial=np.inf)),
                max(np.nanmax(known), np.nanmax(like.to_numpy(float), initial=-np.inf)),
            )
        values = np.round(values) if name in self.whole else values
        return values.astype(np.dtype(str(like.dtype)))


def _commonest(values: Array, near: Array) -> Array:
    """The commonest of the values of near rows, shape (n,); the nearer of two as common. near: (n, k)."""
    codes, known = pd.factorize(values, use_na_sentinel=False)
    of = codes[near]
    counts = (of[:, :, None] == of[:, None, :]).sum(axis=2)
    found: Array = np.asarray(known, dtype=object)[of[np.arange(len(of)), counts.argmax(axis=1)]]
    return found


def _frame(x: Any) -> pd.DataFrame:
    """Columns of a table, or those of an array by their positions."""
    return x.reset_index(drop=True) if isinstance(x, pd.DataFrame) else pd.DataFrame(np.asarray(x))
