"""Many rows at once: loaded by as many threads as there are cores into one array, which may be larger than memory."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any, TypeVar

import numpy as np

from autodc.errors import AutodcError, DataError, raise_all
from autodc.large import room

Array = np.ndarray[Any, Any]
Value = TypeVar("Value")
Load = Callable[[int], Array]
Told = Callable[[int, DataError], AutodcError]
"""Row and what is wrong with it, as an error that names both."""

MAX_PROBLEMS = 10
UNLIKE = "ADC-DATA-019"
ROWS_A_TASK = 32


def stacked(count: int, load: Load, told: Told, threads: int | None = None) -> Array:
    """Load rows into one array, in memory or beyond it. Raises all that is wrong with them, ten at most.

    load: a row as an array; it may raise DataError. All rows have the shape and type of the first that can be read.
    threads: as many as there are cores where it is left out.
    """
    problems: list[AutodcError] = []
    with quiet():
        for first in range(count):
            try:
                like = load(first)
                break
            except DataError as error:
                problems.append(told(first, error))
                if len(problems) == MAX_PROBLEMS:
                    raise_all(problems)
        else:
            raise_all(problems)
            raise AssertionError("there are no rows to load")
        whole = room((count, *like.shape), like.dtype)
        whole[first] = like

        def fill(row: int) -> None:
            array = load(row)
            if (array.shape, array.dtype) != (like.shape, like.dtype):
                raise _unlike(array, like)
            whole[row] = array

        for row, failure in _failures(range(first + 1, count), fill, threads):
            problems.append(told(row, failure))
            if len(problems) == MAX_PROBLEMS or failure.code == UNLIKE:
                break
    raise_all(problems)
    return whole


def each(count: int, load: Callable[[int], Value], told: Told) -> list[Value]:
    """Load rows as a list. Raises all that is wrong with them, ten at most."""
    values: list[Any] = [None] * count

    def fill(row: int) -> None:
        values[row] = load(row)

    problems: list[AutodcError] = []
    with quiet():
        for row, error in _failures(range(count), fill):
            problems.append(told(row, error))
            if len(problems) == MAX_PROBLEMS:
                break
    raise_all(problems)
    return values


def quiet() -> warnings.catch_warnings[None]:
    """Pillow warns of images that are large but not too large, and of tags it cannot read: nobody is to mend those."""
    return warnings.catch_warnings(action="ignore")


def _unlike(array: Array, like: Array) -> DataError:
    got = f"{array.shape} {array.dtype}; before: {like.shape} {like.dtype}"
    height, width = (*like.shape, 1, 1)[:2]
    hint = (
        f"options: {{size: [{height}, {width}], mode: {_mode_of_both(array, like)}}} makes all images of one size and "
        "mode (each is turned as its camera noted)"
    )
    return DataError(UNLIKE, "files of different shape or type", "", got, hint)


def _mode_of_both(one: Array, other: Array) -> str:
    """A mode that loses nothing of the colours of two images."""
    if one.ndim == other.ndim == 2:
        return (
            "L"
            if one.dtype == other.dtype == np.uint8
            else "I;16"
            if {one.dtype.kind, other.dtype.kind} == {"u"}
            else "F"
        )
    return "RGB"


def _failures(rows: range, work: Callable[[int], None], threads: int | None = None) -> Iterator[tuple[int, DataError]]:
    """Do the work of all rows in parallel; give the rows that failed, in order. Who stops to listen stops the work."""
    stop = Event()

    def some(part: range) -> list[tuple[int, DataError]]:
        failed = []
        for row in part:
            if stop.is_set():
                break
            try:
                work(row)
            except DataError as error:
                failed.append((row, error))
        return failed

    parts = (rows[at : at + ROWS_A_TASK] for at in range(0, len(rows), ROWS_A_TASK))
    with ThreadPoolExecutor(threads or cores()) as pool:
        try:
            for failed in pool.map(some, parts):
                yield from failed
        finally:
            stop.set()


def cores() -> int:
    """The cores that this process may use; in a task its share of them."""
    share = os.environ.get("LOKY_MAX_CPU_COUNT", "")
    here = len(os.sched_getaffinity(0))
    return max(1, min(here, int(share)) if share.isdigit() else here)
