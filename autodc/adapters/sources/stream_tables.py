"""Streams of tables: rows of a Parquet or JSON Lines file without targets, a piece at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from autodc.adapters.sources.jsonlfile import is_jsonl, jsonl_pieces
from autodc.adapters.sources.kinds import refuse_lost_inputs, typed, typed_table
from autodc.adapters.sources.parquetfile import parquet_pieces
from autodc.adapters.sources.pictures import image_inputs
from autodc.adapters.sources.tablefile import read_names
from autodc.adapters.sources.target_columns import target_names, vectors_of
from autodc.data.dataset import Dataset
from autodc.data.problems import missing_name, problem, refuse_unknown_options
from autodc.data.rows import checked
from autodc.data.source import UNREAD, RawRows, SourceRequest
from autodc.table import Inputs, Table

OF_TABLES = ("features", "types", "text", "image", "size", "mode", "separator", "decimal", "encoding")
"""Options of a table that say what its inputs are."""


def table_pieces(request: SourceRequest, base: Dataset, rows: int) -> Iterator[Dataset]:
    """Rows of a Parquet or JSON Lines file."""
    refuse_unknown_options(request, ("metadata", *OF_TABLES))
    names = read_names(request)
    if not names:
        raise problem(request, "009", "there are no rows")
    target = target_names(request, names)
    read = [name for name in names if name not in target]
    text = request.text("text")
    as_text = {name for name, kind in (request.schema or {}).items() if kind in ("category", "text")}
    as_text |= {text} if text else set()
    if is_jsonl(request):
        frames = jsonl_pieces(request, read, rows, tuple(as_text))
    else:
        frames = parquet_pieces(request, read, rows)
    seen, notes = 0, ((UNREAD.format(", ".join(target)),) if target else ())
    for frame in frames:
        if len(frame):
            x, metadata = _inputs(request, base, frame, seen)
            yield checked(request, RawRows(x=x, y=None, metadata=metadata, notes=notes), targets=False)
        seen += len(frame)
    if not seen:
        raise problem(request, "009", "there are no rows")


def _inputs(request: SourceRequest, base: Dataset, frame: pd.DataFrame, first: int) -> tuple[Inputs, pd.DataFrame]:
    """Inputs of the kind of the base, and what is said beside them."""
    names = [str(name) for name in frame.columns]
    if (image := request.text("image")) is not None:
        if image not in names:
            raise missing_name(request, "004", "column of images", image, names)
        x, _ = image_inputs(request, frame[image].tolist(), lambda row: f"row {first + row}")
        return x, frame.drop(columns=[image])
    if isinstance(base.x, Table) and base.x.kind == "text":
        text = request.text("text") or base.x.names[0]
        if text not in names:
            raise missing_name(request, "004", "column of text", text, names)
        return Table.of("text", {text: typed(request, text, frame[text], "text")}, ("text",)), frame.drop(
            columns=[text]
        )
    if request.schema is not None:
        refuse_lost_inputs(request, request.schema, names)
        return typed_table(request, frame, request.schema), frame
    return _vectors(request, frame)


def _vectors(request: SourceRequest, frame: pd.DataFrame) -> tuple[Inputs, pd.DataFrame]:
    """The one column of lists of numbers, where the inputs are arrays."""
    wish = request.options.get("features")
    wanted = [str(name) for name in wish] if isinstance(wish, list) else [str(name) for name in frame.columns]
    found = {name: vectors for name in wanted if name in frame and (vectors := vectors_of(frame[name])) is not None}
    if len(found) != 1:
        got = f"columns {', '.join(map(str, frame.columns))}; lists of numbers: {', '.join(found) or 'none'}"
        hint = "the base has arrays: one column of lists of numbers holds them; name it with the option features"
        raise problem(request, "020", "the stream has other inputs than the base", got, hint)
    ((name, x),) = found.items()
    return x, frame.drop(columns=[name])
