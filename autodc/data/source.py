"""The source port: where a dataset comes from, what a reader is told and what it hands back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd
from pydantic import JsonValue

from autodc.data.dataset import Dataset
from autodc.studyfile.study import TaskKind
from autodc.table import ColumnType, Inputs

Array = np.ndarray[Any, Any]

COMMON_OPTIONS = ("target", "group", "time", "id", "map")
"""Options of every source. target: name of the column or array of targets; group: metadata column whose rows stay
together in a split; time: metadata column by which a split is one in time, the newest rows last; id: metadata column
that says which example a row is, so that rows of one id are one example and rows of another are not, however equal;
map: class label as written → class label of the base."""

UNREAD = "the stream holds targets (`{}`); they are not looked at"
"""What is said of rows that need none and bring some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRequest:
    """What a source is told."""

    name: str
    path: str
    """Absolute and local."""
    place: str
    """File and key to name in an error."""
    kind: TaskKind
    options: Mapping[str, JsonValue] = field(default_factory=dict)
    schema: Mapping[str, ColumnType] | None = None
    """Input columns of the base and their types, where it is a table; None for the base itself."""
    folder: str = ""
    """Where the study file lies, for options that name files; empty where nobody says."""
    url: str = ""
    """Where a local copy came from, or empty."""
    labelled: bool = True
    """Whether rows must have targets. Of a stream they need not: those that are there are neither read nor kept."""

    def text(self, option: str, default: str | None = None) -> str | None:
        """A text option, or its default."""
        value = self.options.get(option)
        return default if value is None else str(value)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RawRows:
    """Rows as a source found them, unchecked; `data.rows.checked` makes them a dataset."""

    x: Inputs
    y: Array | None
    metadata: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()
    likely_ids: tuple[str, ...] = ()
    """notes, likely_ids: see `Dataset`."""


class Source(Protocol):
    """Reads one dataset."""

    def read(self, targets: bool) -> Dataset:
        """Read all rows. Without `targets` they are neither read nor kept (`Dataset.y` is None): the sealed test.

        Raises DataError where the rows are missing, unreadable or no fit for the task.
        """
        ...


SourceFactory = Callable[[SourceRequest], Source]
"""What an entry point of the group `autodc.sources`, named by its suffix such as `.h5`, points at."""
