"""The generator port: who makes rows with exact characteristics, out of nothing or of rows of the base.

What a generator gives is looked at before anything rests on it: its rows are as the base has them, or it is refused.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, final, runtime_checkable

import numpy as np
import pandas as pd

from autodc.data.columns import NO_VALUES, plain
from autodc.data.rows import RESERVED
from autodc.plugins import own_code
from autodc.propose.input_conformance import as_inputs
from autodc.propose.parameters import Parameter, Setting, declared
from autodc.propose.synthetic import test_set
from autodc.table import Inputs, Table
from autodc.trial.call import CallError

__all__ = ["Asked", "Base", "Batch", "Generator", "Transform", "is_generator", "test_set"]

Array = np.ndarray[Any, Any]

Answer = tuple[Any, Any, Any]
"""Inputs, targets, metadata: a mapping of columns, a DataFrame, or None."""

NEEDS = (
    "a generator has `parameters` and generate(parameters, rows, seed), or transform(x, y, metadata, parameters, "
    "seed), which return (x, y, metadata); autodc.testing.generator_contract holds it to all"
)
SHOWN = 5
"""So many labels that are not known are told."""


@runtime_checkable
class Generator(Protocol):
    """Makes rows out of nothing: a simulator, a renderer."""

    @property
    def parameters(self) -> Mapping[str, Mapping[str, Any]]:
        """Name → {type, low, high, log, step, choices} as in a search space; `identity`: the value of no effect."""
        ...

    def generate(self, parameters: Setting, rows: int, seed: int) -> Answer:
        """Return rows with these characteristics: the same arguments, the same rows.

        parameters: a value for every one that is declared. Inputs are as the base has them: an array (rows, ...), a
        frame of a table's columns, texts, or paths of files or pictures as arrays; targets as the user writes them.
        """
        ...


@runtime_checkable
class Transform(Protocol):
    """Makes rows of rows of the base: row i of row i.

    It may have `fitted(x, y)`, which looks at the whole base once and returns the transform for a study with it.
    """

    @property
    def parameters(self) -> Mapping[str, Mapping[str, Any]]:
        """As a generator's."""
        ...

    def transform(self, x: Any, y: Array, metadata: pd.DataFrame, parameters: Setting, seed: int) -> Answer:
        """Return as many rows with these characteristics: the same arguments, the same rows.

        x: as `Generator.generate` returns them. Metadata None: as they were. A fourth item, where there is one, says
        of which of the rows each row comes, shape (n,), -1 of none.
        """
        ...


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Base:
    """What rows that are made must be like."""

    x: Inputs
    """Some rows of the base, one at least."""
    y: Array
    """Targets of these rows as the user writes them."""
    metadata: pd.DataFrame
    classes: tuple[Any, ...] = ()
    """The labels as the user writes them, in the order of their codes; empty where targets are values."""

    def given(self, rows: Array) -> tuple[Any, Array, pd.DataFrame]:
        """Rows at these positions as a transform is given them."""
        x = self.x[rows]
        metadata = self.metadata.iloc[rows].reset_index(drop=True)
        return (x.for_estimator() if isinstance(x, Table) else np.array(x)), np.array(self.y[rows]), metadata


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """Rows of one setting."""

    x: Inputs
    y: Array
    """Class codes where there are classes, else values."""
    metadata: pd.DataFrame
    position: Array
    """Shape (n,): the row of the base that each comes of, -1 of none."""


@final
@dataclass(kw_only=True, eq=False)
class Asked:
    """A generator as it is asked: it runs, and what it gives is checked."""

    name: str
    """How the study calls it."""
    generator: Any
    base: Base
    folder: str = ""
    """Of the study file; files of the user's are told relative to it."""
    out: Path | None = None
    """Where pictures go that a generator of files gives as arrays."""

    def __post_init__(self) -> None:
        self.place = f"data.generators.{self.name}"
        if not is_generator(self.generator):
            got = f"a {type(self.generator).__name__}"
            raise CallError("ADC-PROP-011", "this is no generator", self.place, got, NEEDS)
        with self._guarded():
            told = self.generator.parameters
        self.parameters: dict[str, Parameter] = declared(told, self.place)

    @property
    def transforms(self) -> bool:
        """Whether it makes rows of rows of the base."""
        return callable(getattr(self.generator, "transform", None))

    def fit(self) -> None:
        """Let a transform look at the base."""
        if callable(getattr(self.generator, "fitted", None)):
            x = self.base.x.for_estimator() if isinstance(self.base.x, Table) else self.base.x
            with self._guarded():
                self.generator = self.generator.fitted(x, self.base.y)

    def rows(self, setting: Setting, parents: Array, seed: int) -> Batch:
        """As many rows as there are parents, of these rows of the base where it transforms.

        Raises CallError ADC-PROP-015 to 020.
        """
        with self._guarded():
            if self.transforms:
                answer = self.generator.transform(*self.base.given(parents), dict(setting), seed)
            else:
                answer = self.generator.generate(dict(setting), len(parents), seed)
        if not isinstance(answer, tuple | list) or not 2 <= len(answer) <= 4:
            got = f"a {type(answer).__name__}" + (f" of {len(answer)}" if isinstance(answer, tuple | list) else "")
            raise self._wrong(got)
        x, y, metadata, position = [*answer, None, None][:4]
        self._count(x, y, metadata, len(parents))
        return Batch(
            x=as_inputs(x, self.base.x, self.place, self.out),
            y=self._targets(y),
            metadata=self._metadata(metadata, parents),
            position=self._positions(position, parents),
        )

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """Run the generator's code inside; what ours refuses by itself stays as it is told."""
        problem = f"generator {self.name} fails"
        try:
            with own_code(lambda got: CallError("ADC-PROP-015", problem, self.place, got), self.folder):
                yield
        except CallError as error:
            if not isinstance(own := error.__cause__, CallError):
                raise
            raise CallError(own.code, own.problem, f"{self.place}.{own.place}", own.got, own.hint) from None

    def _wrong(self, got: str) -> CallError:
        problem = f"generator {self.name} gives no (x, y, metadata)"
        return CallError("ADC-PROP-016", problem, self.place, got, NEEDS)

    def _count(self, x: Any, y: Any, metadata: Any, count: int) -> None:
        try:
            counts = {"inputs": len(x), "targets": len(y)}
            if isinstance(metadata, pd.DataFrame):
                counts["metadata"] = len(metadata)
            elif metadata is not None:
                counts |= {f"metadata.{name}": len(values) for name, values in metadata.items()}
        except (TypeError, AttributeError) as error:
            raise self._wrong(str(error)) from None
        if odd := [f"{n} {what}" for what, n in counts.items() if n != count]:
            problem = f"generator {self.name} gives another number of rows than was asked for"
            raise CallError("ADC-PROP-017", problem, self.place, f"{', '.join(odd)} for {count} rows")

    def _targets(self, y: Any) -> Array:
        values = np.asarray(y)
        if not self.base.classes:
            same = values.dtype.kind in "fiub" and values.shape[1:] == self.base.y.shape[1:]
            if not same or not np.isfinite(values.astype(float)).all():
                problem = f"generator {self.name} gives targets that are no values as the base has them"
                got = f"{values.dtype} of shape {values.shape}"
                raise CallError("ADC-PROP-020", problem, self.place, got, "finite numbers, one a row")
            return values.astype(self.base.y.dtype)
        code = {_label(one): at for at, one in enumerate(self.base.classes)}
        known = [code.get(_label(one), -1) for one in values.tolist()]
        if -1 in known:
            strange = list(dict.fromkeys(repr(v) for v, k in zip(values.tolist(), known, strict=True) if k < 0))
            problem = f"generator {self.name} gives labels that the base does not have"
            hint = f"labels of the base: {', '.join(map(repr, self.base.classes[:20]))}"
            raise CallError("ADC-PROP-020", problem, self.place, ", ".join(strange[:SHOWN]), hint)
        return np.array(known, dtype=np.int64)

    def _metadata(self, metadata: Any, parents: Array) -> pd.DataFrame:
        if metadata is None:
            kept = self.base.metadata.iloc[parents] if self.transforms else pd.DataFrame(index=range(len(parents)))
            return kept.reset_index(drop=True)
        try:
            found = pd.DataFrame({name: _values(column) for name, column in metadata.items()})
            found = plain(found if len(found.columns) else pd.DataFrame(index=range(len(parents))))
        except (TypeError, ValueError) as error:
            raise self._wrong(f"metadata: {error}") from None
        bad = [str(n) for n in found.columns if not isinstance(n, str) or not n.strip() or n.casefold() == RESERVED]
        if bad := [*bad, *found.attrs.pop(NO_VALUES, {})]:
            raise self._wrong(f"columns of metadata that cannot be named or have no single values: {', '.join(bad)}")
        features = self.base.x.names if isinstance(self.base.x, Table) and self.base.x.kind == "table" else ()
        return found.drop(columns=[n for n in found.columns if n in features])

    def _positions(self, position: Any, parents: Array) -> Array:
        if not self.transforms:
            return np.full(len(parents), -1)
        if position is None:
            return parents
        at = np.asarray(position)
        if at.shape != parents.shape or at.dtype.kind not in "iu" or at.max(initial=-1) >= len(parents):
            raise self._wrong(f"a fourth item of shape {at.shape} that says no rows it was given")
        return np.where(at >= 0, parents[at], -1)


def is_generator(found: object) -> bool:
    """Whether an object has what a generator or a transform has."""
    made = any(callable(getattr(found, name, None)) for name in ("generate", "transform"))
    return made and hasattr(found, "parameters")


def _label(value: Any) -> Any:
    """A label as it is compared: 3 and 3.0 are one, and so are a NumPy number and Python's; texts are texts."""
    value = value.item() if isinstance(value, np.generic) else value
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _values(column: Any) -> Any:
    return column.to_numpy() if isinstance(column, pd.Series) else list(column)
