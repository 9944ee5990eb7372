"""Tables, `.parquet`, `.csv` and `.tsv`: columns are inputs, one is the target, the others are metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import numpy as np
import pandas as pd

from autodc.adapters.sources.glimpse import image_columns
from autodc.adapters.sources.inputs import choose, likely_ids, still_of
from autodc.adapters.sources.kinds import (
    column_type,
    refuse_lost_inputs,
    typed,
    typed_table,
    wanted_types,
    what_it_holds,
)
from autodc.adapters.sources.parquetfile import is_parquet, parquet_index
from autodc.adapters.sources.pictures import image_inputs, image_targets
from autodc.adapters.sources.pieces import is_large, is_still, read_pieces, sampled
from autodc.adapters.sources.tablefile import cells_of, read_names, read_table, table_notes
from autodc.adapters.sources.target_columns import target_array, target_names, vectors_of
from autodc.data.columns import array_of
from autodc.data.dataset import Dataset
from autodc.data.problems import missing_name, problem, refuse_unknown_options
from autodc.data.rows import checked
from autodc.data.source import RawRows, SourceRequest
from autodc.errors import DataError, raise_all
from autodc.plan.mixture import BASE
from autodc.table import ColumnType, Inputs, Table

OPTIONS = ("features", "metadata", "types", "text", "image", "size", "mode", "separator", "decimal", "encoding")


@final
class TableSource:
    """A table. Inputs are the columns of `features`, else all but target, group, time, id and `metadata`.

    Left out unless asked for are an index of the rows, what looks like an id, and what is the same in every row. With
    `text` the inputs are one column of text. Every column but the target is metadata too, so `where` may name inputs.
    The base fixes columns and types; others are read as it is.
    """

    def __init__(self, request: SourceRequest) -> None:
        self._request = request

    def read(self, targets: bool) -> Dataset:
        """Read the columns; without `targets` theirs are not read."""
        request = self._request
        refuse_unknown_options(request, OPTIONS)
        names = read_names(request)
        if not names:
            raise problem(request, "009", "there are no columns")
        target = target_names(request, names)
        wanted = self._columns("features", names), self._columns("metadata", names) or []
        if (image := request.text("image")) is not None:
            return self._of_images(image, names, target, targets)
        text = request.text("text")
        if text is not None and text not in names:
            raise missing_name(request, "004", "column of text", text, names)
        types = wanted_types(request, names)
        if text is None and is_parquet(request) and is_large(request):
            return self._in_pieces(names, target, types, *wanted, targets=targets)
        as_text = {name for name, kind in {**types, **(request.schema or {})}.items() if kind in ("category", "text")}
        read = [name for name in names if targets or name not in target]
        table = read_table(request, read, tuple(as_text | ({text} if text else set())))
        if not len(table):
            raise problem(request, "009", "there are no rows")
        x, notes = self._inputs(table, target, text, types, *wanted)
        metadata = table.drop(columns=[*target, *([text] if text else [])], errors="ignore")
        no_ids = (*(x.names if isinstance(x, Table) else ()), str(request.options.get("group")))
        raw = RawRows(
            x=x,
            y=target_array(table, target, request) if targets else None,
            metadata=metadata,
            # the inputs of all others have to be the base's
            notes=(*table_notes(request, names), *(notes if request.name == BASE else ())),
            likely_ids=likely_ids(metadata, no_ids) if request.name == BASE else (),
        )
        return checked(request, raw, targets=targets)

    def _in_pieces(
        self,
        names: list[str],
        target: list[str],
        types: dict[str, ColumnType],
        features: list[str] | None,
        metadata: list[str],
        *,
        targets: bool,
    ) -> Dataset:
        """A file larger than memory: columns are chosen by a sample of its rows, and inputs stay on the disk."""
        request, notes, some = self._request, tuple[str, ...](), None
        if request.schema is None:
            some = sampled(request, [name for name in names if name not in target])
            chosen, notes = self._features(some, target, features, metadata, types)
            if features is None and (moving := [name for name in still_of(some) if not is_still(request, name)]):
                chosen, notes = self._features(some, target, [*chosen, *moving], metadata, types)
            found = {name: types.get(name) or column_type(some[name]) for name in chosen}
            raise_all(self._no_values(some, name, len(chosen)) for name, kind in found.items() if kind is None)
            schema = {name: kind for name, kind in found.items() if kind is not None}
        else:
            schema = self._schema_of_base(names, features)
        wanted = [name for name in names if name not in schema and (targets or name not in target)]
        x, columns = read_pieces(request, schema, wanted)
        of_target = {name: columns.pop(name) for name in target if targets}
        likely: tuple[str, ...] = ()
        if request.name == BASE and some is not None:
            likely = likely_ids(some[[*columns]], (*schema, str(request.options.get("group"))))
        raw = RawRows(
            x=x,
            y=_large_targets(request, of_target) if targets else None,
            metadata=pd.DataFrame(columns, index=pd.RangeIndex(len(x)), copy=False),
            notes=notes if request.name == BASE else (),
            likely_ids=likely,
        )
        return checked(request, raw, targets=targets)

    def _of_images(self, image: str, names: list[str], target: list[str], targets: bool) -> Dataset:
        """A column of images, as paths, bytes or records of both; all others but the target are metadata."""
        request = self._request
        if image not in names:
            raise missing_name(request, "004", "column of images", image, names)
        pictures = request.kind == "image_to_image"
        apart = {image, *(target if pictures or not targets else ())}
        table = read_table(request, [name for name in names if name not in apart])
        cells = cells_of(request, image)
        if not len(cells):
            raise problem(request, "009", "there are no rows")
        x, notes = image_inputs(request, cells, _row)
        y = None
        if targets:
            y = image_targets(request, cells_of(request, target[0]), _row) if pictures else target_array(table, target)
        notes = (*table_notes(request, names), *notes)
        metadata = table.drop(columns=target, errors="ignore")
        return checked(request, RawRows(x=x, y=y, metadata=metadata, notes=notes), targets=targets)

    def _inputs(
        self,
        table: pd.DataFrame,
        target: list[str],
        text: str | None,
        types: dict[str, ColumnType],
        features: list[str] | None,
        metadata: list[str],
    ) -> tuple[Inputs, tuple[str, ...]]:
        request = self._request
        if text is not None:
            return Table.of("text", {text: typed(request, text, table[text], "text")}, ("text",)), ()
        if request.schema is not None:
            return self._as_the_base(table, features), ()
        chosen, notes = self._features(table, target, features, metadata, types)
        if len(chosen) == 1 and (vectors := vectors_of(table[chosen[0]])) is not None:
            return vectors, notes
        found = {name: types.get(name) or column_type(table[name]) for name in chosen}
        raise_all(self._no_values(table, name, len(chosen)) for name, kind in found.items() if kind is None)
        return typed_table(request, table, {name: kind for name, kind in found.items() if kind is not None}), notes

    def _as_the_base(self, table: pd.DataFrame, features: list[str] | None) -> Inputs:
        """The columns of the base, whatever stands beside them."""
        schema = self._schema_of_base([str(name) for name in table.columns], features)
        return typed_table(self._request, table, schema)

    def _schema_of_base(self, names: list[str], features: list[str] | None) -> dict[str, ColumnType]:
        request, schema = self._request, dict(self._request.schema or {})
        refuse_lost_inputs(request, schema, names)
        if features is not None and set(features) != set(schema):
            got = f"{', '.join(features)}; the base: {', '.join(schema)}"
            raise problem(request, "020", "other input columns than the base's", got, "leave `features` to the base")
        return schema

    def _no_values(self, table: pd.DataFrame, name: str, inputs: int) -> DataError:
        known = table[name].dropna()
        got = f"column `{name}`, such as {str(known.iloc[0])[:60]!r}"
        if inputs == 1 and what_it_holds(known) == "lists":
            sizes = known.map(len)
            if gaps := np.flatnonzero(table[name].isna()).tolist():
                got = f"column `{name}`: no list in row {gaps[0]}"
            elif (other := sizes[sizes != sizes.iloc[0]]).size:
                got = (
                    f"column `{name}`: {sizes.iloc[0]} in row {sizes.index[0]}, {other.iloc[0]} in row {other.index[0]}"
                )
            hint = "make them lists of numbers, all of one length, in every row"
            return problem(self._request, "010", "an input column holds lists that make no array", got, hint)
        hint = "leave it out with options: {metadata: [...]}, or make it the only feature where it is a list of numbers"
        return problem(self._request, "010", "an input column holds no single values", got, hint)

    def _no_image(self, name: str) -> DataError:
        """A column of images that nobody named: as text or bytes it says nothing, and beside others it may be meant."""
        hint = (
            f"say options: {{image: {name}}} (with size: [h, w], mode: RGB too, all are read as arrays of one size); "
            f"or, to learn from the other columns alone, options: {{metadata: [{name}]}}"
        )
        text = "a column holds images, and `image` does not name it"
        return problem(self._request, "093", text, f"column `{name}`", hint)

    def _columns(self, option: str, names: list[str]) -> list[str] | None:
        value = self._request.options.get(option)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            raise problem(self._request, "012", f"`{option}` is a list of columns", got=repr(value))
        wanted = [str(name) for name in value]
        raise_all(missing_name(self._request, "004", "column", name, names) for name in wanted if name not in names)
        return wanted

    def _features(
        self,
        table: pd.DataFrame,
        target: list[str],
        wanted: list[str] | None,
        metadata: list[str],
        types: Mapping[str, ColumnType],
    ) -> tuple[list[str], tuple[str, ...]]:
        request, group = self._request, self._request.text("group")
        if wanted is None:
            aside = {*target, group, *map(request.text, ("time", "id")), *metadata, *types}
            if images := image_columns(request, table, aside):
                raise self._no_image(images[0])
            index = parquet_index(request) if is_parquet(request) else ()
            choice = choose(table, (*target, group, *map(request.text, ("time", "id")), *metadata), index, types)
            if not choice.features and len(choice.odd) == 1 and vectors_of(table[choice.odd[0]]) is not None:
                return choice.odd, ()
            if not choice.features:
                hint = "name the input columns with options: {features: [...]}"
                raise problem(request, "004", "there is no column to learn from", "; ".join(choice.notes), hint)
            return choice.features, choice.notes
        if both := [name for name in target if name in wanted]:
            raise problem(request, "012", "the target is among the features", got=f"`{both[0]}`")
        return list(dict.fromkeys(wanted)), ()


def _row(row: int) -> str:
    return f"row {row}"


def _large_targets(request: SourceRequest, columns: Mapping[str, pd.Series[Any]]) -> np.ndarray[Any, Any]:
    """Targets of a file larger than memory: one column stays in a file where nobody gave it a type."""
    names = list(columns)
    if len(names) == 1 and names[0] not in wanted_types(request, names):
        column = columns[names[0]]
        found = array_of(column) if isinstance(column.dtype, pd.ArrowDtype) else None
        if found is not None:
            return found
    return target_array(read_table(request, names), names, request)
