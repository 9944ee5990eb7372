"""A dataset: a named, immutable table of examples with a content fingerprint, in memory or memory-mapped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from autodc import fingerprint
from autodc.data.columns import arrow_names, where_they_lie
from autodc.data.hashing import column_digest, content_of, row_hashes
from autodc.large import BESIDE, taken_columns, taken_values
from autodc.large import taken as rows_taken
from autodc.table import Inputs, Table

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dataset:
    """Examples of one source."""

    name: str
    x: Inputs
    """Inputs, shape (n, ...)."""
    y: Array | None
    """Targets, shape (n,) or (n, ...), or None where they are sealed or unknown."""
    metadata: pd.DataFrame
    """n rows, one column per metadata column, never the target."""
    groups: Array | None = None
    """Shape (n,): rows of one group stay together."""
    time: str = ""
    """The metadata column that says when a row is of, where the user names it."""
    id: str = ""
    """The metadata column that says which example a row is, where the user names it."""
    likely_ids: tuple[str, ...] = ()
    """Metadata columns that look like one."""
    fingerprint: str = field(default="")
    attributes: pd.DataFrame | None = None
    """n rows, one column per attribute that was measured of them; they are not content. None: nothing was measured."""
    notes: tuple[str, ...] = ()
    """What a person should know of how it was read, one sentence each; they are not content."""
    _hashes: Array | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.fingerprint:
            object.__setattr__(self, "fingerprint", content_fingerprint(self))

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, {len(self)} rows, x {self.inputs}, {self.fingerprint[:12]})"

    @property
    def inputs(self) -> str:
        """What an input is, in a few words."""
        if isinstance(self.x, Table):
            count = self.x.shape[1]
            return f"{count} column{'s' if count != 1 else ''}" if self.x.kind == "table" else self.x.kind
        return f"{'×'.join(str(n) for n in self.x.shape[1:]) or 'scalar'} {self.x.dtype}"

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the columns that are inputs, empty where the inputs are no table."""
        return self.x.names if isinstance(self.x, Table) and self.x.kind == "table" else ()

    @property
    def columns(self) -> pd.DataFrame:
        """What a condition may name: the metadata, the attributes, and the text that is the input, where it lies."""
        found = self.metadata
        if self.attributes is not None:
            found = found.assign(**{str(name): values for name, values in self.attributes.items()})
        if not isinstance(self.x, Table) or self.x.kind != "text" or self.x.names[0] in found:
            return found
        name = self.x.names[0]
        return found.assign(**{name: pd.Series(pd.arrays.ArrowExtensionArray(self.x.column(name)))})

    @property
    def hashes(self) -> Array:
        """`row_hashes` of the inputs, worked out once."""
        if self._hashes is None:
            object.__setattr__(self, "_hashes", row_hashes(self.x))
        assert self._hashes is not None
        return self._hashes

    def take(self, rows: Sequence[int] | Array, name: str | None = None) -> Dataset:
        """Return the rows at these positions, in this order, as a dataset of its own."""
        index = np.asarray(rows)
        x = rows_taken(self.x, index)
        taken = replace(
            self,
            name=name or self.name,
            x=x,
            y=None if self.y is None else taken_values(self.y, index),
            metadata=self._metadata(x, index),
            groups=None if self.groups is None else taken_values(self.groups, index),
            attributes=None if self.attributes is None else self.attributes.iloc[index].reset_index(drop=True),
            fingerprint="",
        )
        if self._hashes is not None:
            object.__setattr__(taken, "_hashes", taken_values(self._hashes, index))
        return taken

    def _metadata(self, x: Inputs, index: Array) -> pd.DataFrame:
        """The metadata of some rows; large columns of Arrow's stay in a file."""
        import pyarrow as pa

        large = {name: self.metadata[name].array.__arrow_array__() for name in arrow_names(self.metadata)}
        if sum(column.nbytes for column in large.values()) <= BESIDE:
            large = {}
        small = self.metadata.drop(columns=list(large))
        if not large:
            return small.iloc[index].reset_index(drop=True)
        found = {str(name): small[name].array.take(index) for name in small}
        inputs = {name: x.column(name) for name in self.features if isinstance(x, Table)}
        same = [name for name in inputs if name in large and inputs[name].type == large[name].type]
        others = pa.table({name: column for name, column in large.items() if name not in same})
        columns: dict[str, Any] = {**found, **where_they_lie(pa.table({name: inputs[name] for name in same}))}
        columns |= where_they_lie(taken_columns(others, index)) if others.num_columns else {}
        whole = pd.DataFrame(
            {name: columns[name] for name in map(str, self.metadata)}, index=pd.RangeIndex(len(index)), copy=False
        )
        whole.attrs = dict(self.metadata.attrs)
        return whole


def content_fingerprint(data: Dataset) -> str:
    """Fingerprint inputs, targets, metadata and groups; the name is not content."""
    parts = [("x", content_of(data.x))]
    if data.y is not None:
        parts.append(("y", fingerprint.of_array(data.y)))
    if data.groups is not None:
        parts.append(("groups", fingerprint.of_array(data.groups)))
    inputs = set(data.features)
    others = [name for name in data.metadata.columns if name not in inputs]
    parts += [(f"metadata.{name}", column_digest(data.metadata[name])) for name in others]
    return fingerprint.of_parts("dataset", parts)
