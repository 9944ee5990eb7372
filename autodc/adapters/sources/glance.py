"""Whether a source is there and small, found without reading it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from autodc.adapters.sources.dispatch import FUNCTION, IN_MODULE
from autodc.adapters.sources.files import exists, nearby, regular_file
from autodc.adapters.sources.urls import is_remote
from autodc.data.source import SourceRequest
from autodc.plugins import find_problem
from autodc.studyfile.study import SourceSpec, TaskKind

SMALL = 32_000_000
"""Bytes that are read in a moment."""
FEW = 2000
"""Files of a folder that are."""


def is_small(spec: SourceSpec, *, folder: str, name: str, place: str, kind: TaskKind) -> bool:
    """Whether a source is read in a moment: no function, no URL, and not much of it.

    Raises DataError, or SpecError for a function, where there is nothing to read.
    """
    path = os.path.join(folder, os.path.expanduser(spec.source))
    request = SourceRequest(name=name, path=path, place=place, kind=kind, options=spec.options)
    if FUNCTION.match(spec.source) or (IN_MODULE.match(spec.source) and not exists(request)):
        if problem := find_problem(spec.source, folder, place):
            raise problem
        return False
    if is_remote(spec.source):
        return False
    if not os.path.isdir(path):
        regular_file(request, "there is no such file or folder", nearby(path))
    size = 0
    for count, each in enumerate(_sizes(Path(path))):
        size += each
        if size > SMALL or count > FEW:
            return False
    return True


def _sizes(path: Path) -> Iterator[int]:
    """Bytes of a file, or of every file below a folder; what cannot be looked at has none."""
    if not path.is_dir():
        yield path.stat().st_size
        return
    for above, _, files in os.walk(path):
        for file in files:
            try:
                yield os.lstat(os.path.join(above, file)).st_size
            except OSError:
                yield 0
