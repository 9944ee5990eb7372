"""Many rows at once: loaded by as many workers as there are cores into one array, which may be larger than memory."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from itertools import chain
from threading import Event
from typing import Any, TypeVar

import numpy as np

from autodc.adapters.pictures.decode import Picture
from autodc.adapters.pictures.parts import LeftToParent, in_parts, processes
from autodc.errors import AutodcError, DataError, raise_all
from autodc.large import room

Array = np.ndarray[Any, Any]
Value = TypeVar("Value")
Load = Callable[[int], Array | Picture]
Told = Callable[[int, DataError], AutodcError]
"""Row and what is wrong with it, as an error that names both."""

MAX_PROBLEMS = 10
UNLIKE = "ADC-DATA-019"


def stacked(
    count: int, load: Load, told: Told, threads: int | None = None, frames: dict[int, int] | None = None
) -> Array:
    """Load rows into one array, in memory or beyond it. Raises all that is wrong with them, ten at most.

    load: a row as an array or a picture; it may raise DataError. All rows have the shape and type of the first that can
    be read. It may run in a forked process: what else it changes is lost. threads: as many as there are cores where it
    is left out; of many rows, processes. frames: gets row → pictures of its file where these are several.
    """
    problems: list[AutodcError] = []
    with quiet():
        for first in range(count):
            try:
                like, more = _parted(load(first))
                break
            except DataError as error:
                problems.append(told(first, error))
                if len(problems) == MAX_PROBLEMS:
                    raise_all(problems)
        else:
            raise_all(problems)
            raise AssertionError("there are no rows to load")
        forks = processes(count, threads or cores())
        whole = room((count, *like.shape), like.dtype, shared=forks > 0)
        whole[first] = like

        def fill(row: int) -> int:
            array, more = _parted(load(row))
            if (array.shape, array.dtype) != (like.shape, like.dtype):
                raise _unlike(array, like)
            whole[row] = array
            return more

        for row, value in chain([(first, more)], _done(range(first + 1, count), fill, threads, forks)):
            if not isinstance(value, DataError):
                if value > 1 and frames is not None:
                    frames[row] = value
                continue
            problems.append(told(row, value))
            if len(problems) == MAX_PROBLEMS or value.code == UNLIKE:
                break
    raise_all(problems)
    return whole


def each(count: int, load: Callable[[int], Value], told: Told) -> list[Value]:
    """Load rows as a list. Raises all that is wrong with them, ten at most. load: as that of `stacked`."""
    values, problems = list[Value](), list[AutodcError]()
    with quiet():
        for row, value in _done(range(count), load, None, processes(count, cores())):
            if not isinstance(value, DataError):
                values.append(value)
                continue
            problems.append(told(row, value))
            if len(problems) == MAX_PROBLEMS:
                break
    raise_all(problems)
    return values


def quiet() -> warnings.catch_warnings[None]:
    """Pillow warns of images that are large but not too large, and of tags it cannot read: nobody is to mend those."""
    return warnings.catch_warnings(action="ignore")


def _parted(loaded: Array | Picture) -> tuple[Array, int]:
    """Values, and how many pictures the file holds."""
    return (loaded.values, loaded.frames) if isinstance(loaded, Picture) else (loaded, 1)


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


def _done(
    rows: range, work: Callable[[int], Value], threads: int | None, forks: int
) -> Iterator[tuple[int, Value | DataError]]:
    """What the work of each row gives, or how it failed, in order. Who stops to listen stops the work."""
    stop = Event()

    def some(part: range) -> list[Value | DataError | LeftToParent]:
        done: list[Value | DataError | LeftToParent] = []
        for row in part:
            if stop.is_set():
                break
            try:
                done.append(work(row))
            except (DataError, LeftToParent) as error:
                done.append(error)
        return done

    row = rows.start
    try:
        for part in in_parts(rows, some, threads or cores(), forks):
            for value in part:
                here = some(range(row, row + 1))[0] if isinstance(value, LeftToParent) else value
                assert not isinstance(here, LeftToParent)
                yield row, here
                row += 1
    finally:
        stop.set()


def cores() -> int:
    """The cores that this process may use; in a task its share of them."""
    share = os.environ.get("LOKY_MAX_CPU_COUNT", "")
    here = len(os.sched_getaffinity(0))
    return max(1, min(here, int(share)) if share.isdigit() else here)
