"""What SOURCE holds: its rows, the kind of task they make, and the options a study reads them by."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd
from pydantic import JsonValue

from autodc.adapters.sources.central import READABLE
from autodc.adapters.sources.dispatch import BUILT_IN, read_source
from autodc.adapters.sources.inputs import choose
from autodc.adapters.sources.listing import is_image
from autodc.adapters.sources.remote import local_copy
from autodc.adapters.sources.savedfile import is_saved, saved_request
from autodc.adapters.sources.table import TableSource, read_names, read_table
from autodc.adapters.sources.urls import is_remote, named_path, normal
from autodc.data.dataset import Dataset
from autodc.data.source import SourceRequest
from autodc.errors import DataError, InputError
from autodc.plan.mixture import BASE
from autodc.studyfile.study import SourceSpec, TaskKind
from autodc.table import Table
from autodc.verbs.draft.asked import kind_of, names_classes, target_columns
from autodc.verbs.draft.columns import group_column, time_column, why_left_out
from autodc.verbs.draft.learner import Form

Array = np.ndarray[Any, Any]

FROM = "--from"
FEW_INPUTS = 3
"""Text beside fewer other inputs than this is what there is to learn from."""
LONGEST_SIDE, SHORTEST_SIDE, STEP = 64, 16, 8
LOOKED_AT = 300
"""Files whose sizes are looked at."""
KINDS: tuple[TaskKind, ...] = ("classification", "regression", "image_to_image")
KNOWN = 0.5
"""A table is about the files of a folder if it knows so large a share of them."""
MOST_TABLES = 20
LABEL = "label"


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


def read_rows(source: str, target: Sequence[str], scratch: Path) -> Rows:
    """Read a source. scratch: a folder for a copy without the rows that have no target.

    Raises InputError and all that a source raises.
    """
    if is_remote(source):
        path = named_path(source)
        if not is_table_name(path):
            return replace(_other(source, target), named=os.path.basename(path))
        copy = local_copy(request_of(normal(source, os.getcwd())), "".join(Path(path).suffixes[-2:]))
        try:
            return replace(_table(copy.request.path, target, scratch), named=os.path.basename(path))
        except InputError:
            copy.drop()
            raise
    is_table = (is_table_name(source) and os.path.isfile(source)) or is_saved(source)
    rows = _table(source, target, scratch) if is_table else _other(source, target)
    return replace(rows, named=os.path.basename(source))


def read_as(source: str, kind: TaskKind, options: Mapping[str, JsonValue], **more: Any) -> Dataset:
    """Read one dataset as a study would."""
    spec = SourceSpec(source=source, options=dict(options))
    return read_source(spec, folder=os.getcwd(), name=BASE, place=FROM, kind=kind, **more)


def _table(source: str, asked: Sequence[str], scratch: Path) -> Rows:
    request = request_of(source)
    told = saved_request(request).options if is_saved(source) else {}
    names = read_names(request)
    target = target_columns(names, asked or [str(one) for one in _listed(told.get("target"))], FROM)
    targets = read_table(request, list(target))
    if not len(targets):
        raise InputError("ADC-INIT-005", "there are no rows", FROM, os.path.basename(source))
    known = targets.notna().all(axis=1).to_numpy()
    if not known.any():
        raise InputError("ADC-INIT-004", f"target `{', '.join(target)}` has no value in any row", "--target")
    kind = kind_of(targets[known], "--target")
    if not known.all():
        clean = scratch / "rows.parquet"
        read_table(request, names)[known].to_parquet(clean, index=False)
        request, source = request_of(str(clean)), str(clean)
    options: dict[str, JsonValue] = {"target": list(target) if len(target) > 1 else target[0]}
    frame = read_table(request, [name for name in names if name not in target])
    group = group_column(frame, target)
    options |= {"group": group} if group else {}
    if image := _images(frame, source, told.get("image")):
        options = {**options, **image}
        data = read_as(source, kind, {key: value for key, value in options.items() if key not in ("size", "mode")})
        return Rows(
            source=source,
            kind=kind,
            form="images",
            data=data,
            target=target,
            options=options,
            time=None if group else time_column(frame, target),
            lost=int((~known).sum()),
            cleaned=not known.all(),
            is_table=True,
        )
    choice = choose(frame, (*target, group), ())
    others = [name for name in frame.columns if name not in (*choice.features, group)]
    aside = {name: why_left_out(name, frame[name]) for name in others}
    time = None if group else time_column(frame, target)
    if text := _free_text(request, [name for name in choice.features if name != time], frame):
        options, aside = {**options, "text": text}, {}
    if not choice.features:
        got = ", ".join(f"{name} ({why})" for name, why in aside.items()) or "the target alone"
        raise InputError("ADC-INIT-006", "there is no column to learn from", FROM, got)
    own = {"metadata": list(aside)} if aside and not text else {}
    data = read_as(source, kind, {**options, **own})
    rows = Rows(
        source=source,
        kind=kind,
        form="text" if text else "table",
        data=data,
        target=target,
        options=options,
        aside=aside,
        time=time,
        lost=int((~known).sum()),
        cleaned=not known.all(),
        is_table=True,
    )
    return rows if isinstance(data.x, Table) else replace(rows, form="vectors" if data.x.ndim == 2 else "images")


def _free_text(request: SourceRequest, features: Sequence[str], frame: pd.DataFrame) -> str | None:
    """The column of text that is what there is to learn from, if there is one."""
    from autodc.adapters.sources.kinds import column_type

    texts = [name for name in features if column_type(frame[name]) == "text"]
    if not texts or len(features) - len(texts) >= FEW_INPUTS:
        return None
    return max(texts, key=lambda name: float(frame[name].astype(str).str.len().mean()))


def _images(frame: pd.DataFrame, source: str, told: JsonValue) -> dict[str, JsonValue] | None:
    """Options for a column of images: paths beside the table, bytes, or records of both; None where there is none."""
    folder = source if os.path.isdir(source) else os.path.dirname(source)
    for name in [told] if told else frame.columns:
        cells = frame[name].dropna()[:: max(1, len(frame) // LOOKED_AT)].tolist()
        held = [cell.get("bytes") or cell.get("path") if isinstance(cell, Mapping) else cell for cell in cells]
        if not held or not all(isinstance(one, bytes) or (isinstance(one, str) and is_image(one)) for one in held):
            continue
        files = [io.BytesIO(one) if isinstance(one, bytes) else os.path.join(folder, one) for one in held]
        if shape := picture_shape(files):
            return {"image": str(name), **shape}
    return None


def _other(source: str, asked: Sequence[str]) -> Rows:
    """A folder, arrays, a URL or a function: read as the first kind of task that its targets fit."""
    options: dict[str, JsonValue] = {} if not asked else {"target": list(asked) if len(asked) > 1 else asked[0]}
    if not asked and (table := _table_about(source)):
        options = {"metadata": table}
    first: DataError | None = None
    for kind in KINDS:
        try:
            data = read_as(source, kind, options)
        except DataError as error:
            if first is None and error.code != "ADC-DATA-011":
                raise
            first = first or error
            continue
        return _as_read(source, kind, options, data)
    assert first is not None
    raise first


def _table_about(source: str) -> str | None:
    """The table beside a folder of classes that knows more of its files, absolute; None where there is none."""
    if not os.path.isdir(source) or is_saved(source) or any(entry.is_file() for entry in os.scandir(source)):
        return None
    above = os.path.dirname(source)
    for folder in dict.fromkeys((above, os.path.dirname(above))):
        for path in sorted(entry.path for entry in os.scandir(folder) if entry.is_file())[:MOST_TABLES]:
            if not path.casefold().endswith(READABLE):
                continue
            with contextlib.suppress(InputError):
                known = read_as(source, "classification", {"metadata": path}).metadata.drop(columns="path")
                if known.shape[1] and known.notna().any(axis=1).mean() >= KNOWN:
                    return path
    return None


def _as_read(source: str, kind: TaskKind, options: dict[str, JsonValue], data: Dataset) -> Rows:
    assert data.y is not None
    if kind == "classification" and data.y.dtype.kind in "iu" and not names_classes(data.y.astype(np.float64)):
        data, kind = read_as(source, "regression", options), "regression"
    assert data.y is not None
    if kind == "classification" and len(np.unique(data.y)) < 2:
        got = f"{data.y[0]!r} alone"
        raise InputError("ADC-INIT-004", "the target is the same in every row", FROM, got, "there is nothing to learn")
    target = tuple(str(name) for name in _listed(options.get("target")))
    if data.metadata.shape[1] and (group := group_column(data.metadata, (*target, "path"))):
        options = {**options, "group": group}
        data = read_as(source, kind, options)
    form: Form = "table"
    if not isinstance(data.x, Table):
        form = "vectors" if data.x.ndim == 2 else "images"
    elif data.x.kind == "text":
        form = "text"
    elif data.x.kind == "files":
        shape = picture_shape(data.x.texts())
        form = "files" if shape is None else "images"
        options = options if shape is None else {**options, **shape}
    time = None if options.get("group") else time_column(data.metadata, target)
    return Rows(source=source, kind=kind, form=form, data=data, target=target, options=options, time=time)


def _listed(value: JsonValue) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def picture_shape(paths: Sequence[str | io.BytesIO]) -> dict[str, JsonValue] | None:
    """`size` and `mode` for images of these files; None where they are no images."""
    from PIL import Image

    sizes, modes = [], set[str]()
    for path in paths[:: max(1, len(paths) // LOOKED_AT)][:LOOKED_AT]:
        try:
            with Image.open(path) as image:
                sizes.append((image.height, image.width))
                modes.add(image.mode)
        except (OSError, ValueError, Image.DecompressionBombError):
            continue
    if not sizes:
        return None
    height, width = (float(side) for side in np.median(sizes, axis=0))
    scale = min(1.0, LONGEST_SIDE / max(height, width))
    size: list[JsonValue] = [max(SHORTEST_SIDE, STEP * round(side * scale / STEP)) for side in (height, width)]
    return {"size": size, "mode": "L" if modes <= {"1", "L", "LA", "I", "I;16", "F"} else "RGB"}


def shown_source(path: str, folder: Path) -> str:
    """A source as a study file in a folder names it: relative where they lie near each other."""
    if is_remote(path) or not os.path.isabs(path):
        return path
    file, mark, name = path.rpartition(":") if ".py:" in path else (path, "", "")
    real = os.path.join(os.path.realpath(os.path.dirname(file)), os.path.basename(file))
    near = os.path.relpath(real, os.path.realpath(folder))
    return (near if near.count(os.pardir) < 5 else real) + mark + name
