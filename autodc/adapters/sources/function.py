"""A user's own object: a function that returns inputs, targets and metadata, or a source of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd

from autodc.adapters.sources.files import nearby, regular_file
from autodc.adapters.sources.kinds import column_type, refuse_lost_inputs, typed_table, what_it_holds
from autodc.data.dataset import Dataset
from autodc.data.problems import problem, refuse_doubles
from autodc.data.rows import checked
from autodc.data.source import COMMON_OPTIONS, RawRows, SourceRequest
from autodc.errors import SpecError
from autodc.plugins import IMPORT_FAILED, is_path, load_object, own_code, told
from autodc.table import Inputs, Table
from autodc.values import boxed


@final
class FunctionSource:
    """Calls the function with the options as keyword arguments, all but the common ones.

    function: its name in the file of the request, or `package.module:name`. A class with `read` is made with the
    request and reads by itself, as what an entry point of `autodc.sources` names does.
    """

    def __init__(self, request: SourceRequest, function: str) -> None:
        self._request, self._function = request, function

    def read(self, targets: bool) -> Dataset:
        """Call the function; without `targets` what it returns as targets is dropped unread."""
        request, folder = self._request, str(Path(self._request.path).parent)
        found = self._loaded(folder)
        with own_code(lambda got: problem(request, "015", f"`{self._function}` failed", got), folder):
            if isinstance(found, type) and hasattr(found, "read"):
                data: Dataset = found(request).read(targets)
                return data
            answer = found(**{key: value for key, value in request.options.items() if key not in COMMON_OPTIONS})
        if not isinstance(answer, tuple | list) or len(answer) not in (2, 3):
            got = f"{type(answer).__name__}" + (f" of {len(answer)}" if isinstance(answer, tuple | list) else "")
            raise problem(request, "016", f"`{self._function}` returns inputs, targets, metadata (or None)", got)
        x, y, metadata = (*answer, None)[:3]
        if y is None and request.labelled:
            raise problem(request, "005", f"`{self._function}` returned no targets")
        raw = RawRows(
            x=self._inputs(x),
            y=self._targets(y) if targets else None,
            metadata=self._frame(metadata),
        )
        return checked(request, raw, targets=targets)

    def _loaded(self, folder: str) -> Callable[..., Any]:
        request, name = self._request, self._function
        if not is_path(name):
            regular_file(request, hint=nearby(request.path))
            name = f"{Path(request.path).name}:{name}"
        try:
            found: Callable[..., Any] = load_object(name, folder, "")
        except SpecError as error:
            if error.got and error.code == IMPORT_FAILED:
                raise problem(request, "015", f"`{self._function}` failed", error.got) from error
            raise problem(request, "001", f"there is no function `{self._function}`", hint=error.hint) from None
        if not callable(found):
            raise problem(request, "001", f"`{self._function}` is no function", type(found).__name__)
        return found

    def _inputs(self, x: Any) -> Inputs:
        """A frame as a table, text as text, all else as an array."""
        if isinstance(x, Table):
            return x
        if isinstance(x, pd.DataFrame):
            return self._table(x.set_axis([str(name) for name in x.columns], axis=1).reset_index(drop=True))
        if isinstance(x, list | tuple | pd.Series | np.ndarray) and len(x) and _is_text(x):
            return Table.of_texts(list(x))
        return self._array(x, "inputs")

    def _table(self, frame: pd.DataFrame) -> Table:
        request, names = self._request, list(frame.columns)
        refuse_doubles(request, names)
        if request.schema is not None:
            refuse_lost_inputs(request, request.schema, names)
            return typed_table(request, frame, request.schema)
        kinds = {name: column_type(frame[name]) for name in names}
        if odd := [f"`{name}` ({what_it_holds(frame[name])})" for name, kind in kinds.items() if kind is None]:
            raise problem(request, "010", "inputs hold no single values", ", ".join(odd), "return them as metadata")
        return typed_table(request, frame, {name: kind for name, kind in kinds.items() if kind is not None})

    def _frame(self, metadata: object) -> pd.DataFrame | None:
        if metadata is None or (isinstance(metadata, Mapping) and not metadata):
            return None
        if isinstance(metadata, pd.DataFrame):
            return metadata.reset_index(drop=True)
        try:
            return pd.DataFrame(dict(metadata))  # type: ignore[call-overload]
        except Exception as error:  # somebody else's object: whatever it raises is told
            got = f"{type(metadata).__name__}: {told(error)}"
            raise problem(self._request, "016", "metadata is a dict of columns, a DataFrame or None", got) from None

    def _targets(self, values: Any) -> Any:
        """Anything array-like; in a custom task a list is one of anything."""
        lists = self._request.kind == "custom" and isinstance(values, list | tuple)
        return boxed(values) if lists else self._array(values, "targets")

    def _array(self, values: Any, what: str) -> np.ndarray[Any, Any]:
        """Anything array-like: arrays, lists, frames, tensors."""
        try:
            return np.asarray(values)
        except Exception as error:  # as above
            raise problem(self._request, "016", f"{what} are no array", told(error)) from None


def _is_text(values: Any) -> bool:
    return all(isinstance(value, str) for value in values)
