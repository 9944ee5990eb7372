"""What SOURCE holds: its rows, the kind of task they make, and the options a study reads them by."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np
from pydantic import JsonValue

from autodc.adapters.sources.dispatch import BUILT_IN, read_source
from autodc.adapters.sources.table import TableSource
from autodc.adapters.sources.urls import is_remote
from autodc.data.dataset import Dataset
from autodc.data.source import SourceRequest
from autodc.plan.mixture import BASE
from autodc.studyfile.study import SourceSpec, TaskKind
from autodc.table import Table
from autodc.verbs.draft.learner import Form

FROM, TARGET = "--from", "--target"
LABEL = "label"
"""What targets without a name are called."""
FARTHEST = 5
"""A source that is more folders up than this is named by its whole path."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """A source that was read."""

    source: str
    """Absolute path, URL or function."""
    kind: TaskKind
    form: Form
    data: Dataset
    target: tuple[str, ...]
    """Columns of targets, empty where they are none."""
    options: Mapping[str, JsonValue]
    """Of every dataset like this one."""
    aside: Mapping[str, str] = field(default_factory=dict)
    """Column that is no input → why."""
    time: str | None = None
    """Column by which the rows may be cut in time."""
    lost: int = 0
    """Rows without a target."""
    cleaned: bool = False
    """Whether `source` is a copy without them."""
    is_table: bool = False
    named: str = ""
    """How a person calls the source."""

    @property
    def columns(self) -> tuple[str, ...]:
        """What its inputs are called in the source: a column of images is named by an option."""
        image = self.options.get("image")
        return self.inputs if image is None else (str(image),)

    @property
    def group(self) -> str | None:
        """The column whose rows belong together."""
        value = self.options.get("group")
        return None if value is None else str(value)

    @property
    def classes(self) -> dict[str, int]:
        """Class → rows, the most first; empty where targets are none."""
        if self.kind != "classification" or self.data.y is None:
            return {}
        labels, counts = np.unique(self.data.y, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        return {str(labels[i]): int(counts[i]) for i in order}

    @property
    def inputs(self) -> tuple[str, ...]:
        """Columns that are inputs."""
        return self.data.features or (self.data.x.names if isinstance(self.data.x, Table) else ())


def is_table_name(path: str) -> bool:
    """Whether a source is a table, by its suffix."""
    name = path.casefold()
    known = max((suffix for suffix in BUILT_IN if name.endswith(suffix)), key=len, default="")
    return bool(known) and BUILT_IN[known] is TableSource and not Path(path).is_dir()


def request_of(path: str, place: str = FROM, options: Mapping[str, JsonValue] | None = None) -> SourceRequest:
    """A request for a source outside of any study."""
    return SourceRequest(name=BASE, path=path, place=place, kind="classification", options=options or {})


def read_as(source: str, kind: TaskKind, options: Mapping[str, JsonValue], **more: Any) -> Dataset:
    """Read one dataset as a study would."""
    spec = SourceSpec(source=source, options=dict(options))
    return read_source(spec, folder=os.getcwd(), name=BASE, place=FROM, kind=kind, **more)


def listed(value: JsonValue) -> list[Any]:
    """One value or several, as a list."""
    return [] if value is None else value if isinstance(value, list) else [value]


def shown_source(path: str, folder: Path) -> str:
    """A source as a study file in a folder names it: relative where they lie near each other."""
    if is_remote(path) or not os.path.isabs(path):
        return path
    file, mark, name = path.rpartition(":") if ".py:" in path else (path, "", "")
    real = os.path.join(os.path.realpath(os.path.dirname(file)), os.path.basename(file))
    near = os.path.relpath(real, os.path.realpath(folder))
    return (near if near.count(os.pardir) < FARTHEST else real) + mark + name
