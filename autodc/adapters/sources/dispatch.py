"""Which adapter reads a source: by the suffix of its path, a function's name, or a plug-in's entry point."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path

from autodc.adapters.sources.folder import FolderSource
from autodc.adapters.sources.function import FunctionSource
from autodc.adapters.sources.idx import IdxSource
from autodc.adapters.sources.npz import NpzSource
from autodc.adapters.sources.remote import is_remote, local_copy
from autodc.adapters.sources.table import TableSource
from autodc.data.dataset import Dataset
from autodc.data.rows import problem
from autodc.data.source import SourceFactory, SourceRequest
from autodc.plugins import own_code
from autodc.spec.study import SourceSpec, TaskKind

ENTRY_POINTS = "autodc.sources"
FUNCTION = re.compile(r"^(?P<file>.+\.py):(?P<name>[A-Za-z_]\w*)$")
IDX_NAME = re.compile(r"[-.]idx\d-")

BUILT_IN: Mapping[str, SourceFactory] = {
    ".npz": NpzSource,
    ".parquet": TableSource,
    ".csv": TableSource,
    ".csv.gz": TableSource,
    ".gz": IdxSource,
    ".idx": IdxSource,
}


def read_source(
    spec: SourceSpec, *, folder: str, name: str, place: str, kind: TaskKind, targets: bool = True
) -> Dataset:
    """Read one dataset.

    folder: where the study file lies, for relative paths; place: file and key for messages; without `targets` they
    are neither read nor kept. Raises DataError (or Problems) for anything wrong with the source, SurroundingsError
    where a server does not answer.
    """
    if function := FUNCTION.match(spec.source):
        path = str(Path(folder, Path(function["file"]).expanduser()))
        request = SourceRequest(name=name, path=path, place=place, kind=kind, options=spec.options)
        return FunctionSource(request, function["name"]).read(targets)
    remote = is_remote(spec.source)
    path = spec.source if remote else str(Path(folder, Path(spec.source).expanduser()))
    request = SourceRequest(name=name, path=path, place=place, kind=kind, options=spec.options)
    if not remote and not Path(path).exists():
        raise problem(request, "001", "there is no such file or folder", hint=_nearby(path))
    if not remote and Path(path).is_dir():
        return FolderSource(request).read(targets)
    suffix = _suffix(request)
    if remote:
        request = local_copy(request)
    if suffix in BUILT_IN:
        return BUILT_IN[suffix](request).read(targets)
    return _plugged(request, suffix, targets)


def _suffix(request: SourceRequest) -> str:
    """The longest known suffix that fits."""
    file = re.split(r"[/\\]", request.path)[-1].casefold()
    known = _known(tuple(sys.path))
    if found := next((suffix for suffix in known if file.endswith(suffix)), None):
        return found
    if IDX_NAME.search(file):
        return ".idx"
    hint = f"known: {', '.join(sorted(known))}, a folder with a manifest, or file.py:function"
    raise problem(request, "013", "the kind of source is unknown", hint=hint)


@lru_cache(maxsize=4)
def _known(path: tuple[str, ...]) -> list[str]:
    """The suffixes that this installation reads, the longest first. path: where packages are looked for."""
    return sorted({*BUILT_IN, *(point.name for point in entry_points(group=ENTRY_POINTS))}, key=len, reverse=True)


def _plugged(request: SourceRequest, suffix: str, targets: bool) -> Dataset:
    """Read by a plug-in. Our own suffixes cannot be taken over."""
    (point, *_) = entry_points(group=ENTRY_POINTS, name=suffix)
    with own_code(lambda got: problem(request, "015", f"the plug-in `{point.value}` failed", got)):
        factory: SourceFactory = point.load()
        return factory(request).read(targets)


def _nearby(path: str) -> str:
    """The nearest names beside a path that is not there."""
    import difflib

    parent = Path(path).parent
    if not parent.is_dir():
        return f"there is no folder {parent} either; paths are relative to the study file"
    near = difflib.get_close_matches(Path(path).name, [entry.name for entry in parent.iterdir()], n=1)
    return f"did you mean `{near[0]}`?" if near else "paths are relative to the study file"
