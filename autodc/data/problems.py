"""What is wrong with a source, in words that name its key, its file and the rows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from autodc.data.source import COMMON_OPTIONS, SourceRequest
from autodc.errors import DataError, raise_all
from autodc.hints import meant
from autodc.masking import MASK, secret_options

Array = np.ndarray[Any, Any]

SHOWN = 8
"""So many rows or columns are listed."""
LONGEST = 160
"""Characters of a path that are shown."""


class OptionError(DataError):
    """An option of a source is wrong; who knows the study file says where it stands."""

    option = ""


def problem(
    request: SourceRequest, number: str, text: str, got: str = "", hint: str = "", *, option: str = ""
) -> DataError:
    """A problem of a source, with its key and its file. option: the one it is about."""
    for secret in secret_options(request.options):
        got = got.replace(secret, MASK)
    kind = OptionError if option else DataError
    found = kind(f"ADC-DATA-{number}", f"{text} ({shown_path(request)})", request.place, got, hint)
    if isinstance(found, OptionError):
        found.option = option
    return found


def shown_path(request: SourceRequest) -> str:
    """The file or URL of a source as a message names it, from the working folder where it lies below that.

    What nobody would read to the end is cut.
    """
    path = request.url or request.path
    if not request.url and (near := os.path.relpath(path)).split(os.sep)[0] != os.pardir:
        path = near
    path = path if len(path) <= LONGEST else f"{path[: LONGEST // 2]}…{path[-LONGEST // 4 :]}"
    return path.replace("\0", "\\0").replace("\n", "\\n")


def refuse_doubles(request: SourceRequest, names: Sequence[str]) -> None:
    """Raise DataError ADC-DATA-017 where two columns have one name."""
    if doubles := sorted({name for name in names if names.count(name) > 1}):
        raise problem(request, "017", "columns of the same name", ", ".join(doubles), "give each a name of its own")


def refuse_unknown_options(request: SourceRequest, known: Sequence[str]) -> None:
    """Raise where an option is neither common nor one of these."""
    names = [*COMMON_OPTIONS, *known]
    raise_all(
        problem(request, "012", f"unknown option `{key}`", hint=_or_one_of(key, names), option=key)
        for key in request.options
        if key not in names
    )


def missing_name(request: SourceRequest, number: str, what: str, name: str, names: Iterable[object]) -> DataError:
    """A column or array that is not there, with the nearest that is."""
    option = next((key for key, value in request.options.items() if value == name), "")
    hint = _or_one_of(name, [str(n) for n in names])
    return problem(request, number, f"there is no {what} `{name}`", hint=hint, option=option)


def did_you_mean(name: str, names: Sequence[str]) -> str:
    """A question with the nearest name, or nothing."""
    found = meant(name, names)
    return f"did you mean `{found}`?" if found else ""


def _or_one_of(name: str, names: Sequence[str]) -> str:
    return did_you_mean(name, names) or f"there are: {', '.join(names[:30]) or 'none'}"


def listed(rows: Array) -> str:
    """The first of these row numbers."""
    return ", ".join(str(int(row)) for row in rows[:SHOWN]) + (", …" if len(rows) > SHOWN else "")


def sample(values: Array) -> str:
    """The first values, as Python writes them."""
    return ", ".join(repr(value) for value in values.ravel()[:3].tolist())


def not_finite(values: Array, names: Sequence[str] = ()) -> str:
    """Where values are NaN or infinite, in words; empty where all are finite."""
    if values.dtype.kind != "f":
        return ""
    bad = ~np.isfinite(values.reshape(len(values), -1))
    rows = np.flatnonzero(bad.any(axis=1))
    if not len(rows):
        return ""
    shown = listed(rows)
    columns = [names[int(i)] for i in np.flatnonzero(bad.any(axis=0))] if names else []
    where = f" in column {', '.join(columns[:SHOWN])}" if columns else ""
    return f"{len(rows)} of {len(values)} rows{where} (row {shown})"
