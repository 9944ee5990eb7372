"""Which adapter reads a source: by the suffix of its path, a function's name, or a plug-in's entry point."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from autodc.adapters.sources.files import exists, nearby, regular_file
from autodc.adapters.sources.folder import FolderSource
from autodc.adapters.sources.function import FunctionSource
from autodc.adapters.sources.idx import IdxSource
from autodc.adapters.sources.npz import NpzSource
from autodc.adapters.sources.remote import local_copy
from autodc.adapters.sources.shards import ShardSource, is_range
from autodc.adapters.sources.table import TableSource
from autodc.adapters.sources.urls import is_remote, named_path, normal
from autodc.data.dataset import Dataset
from autodc.data.problems import problem
from autodc.data.source import SourceFactory, SourceRequest
from autodc.errors import InputError
from autodc.hints import suggest
from autodc.plugins import FORMS, SOURCES, installed, own_code
from autodc.studyfile.study import SourceSpec, TaskKind
from autodc.table import ColumnType

FUNCTION = re.compile(r"^(?P<file>.+\.py):(?P<name>[A-Za-z_]\w*)$")
IN_MODULE = re.compile(r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$")
IDX_NAME = re.compile(r"[-.]idx\d-")

BUILT_IN: Mapping[str, SourceFactory] = {
    ".npz": NpzSource,
    ".parquet": TableSource,
    ".csv": TableSource,
    ".tsv": TableSource,
    ".csv.gz": TableSource,
    ".csv.zip": TableSource,
    ".json": TableSource,
    ".json.gz": TableSource,
    ".jsonl": TableSource,
    ".ndjson": TableSource,
    ".jsonl.gz": TableSource,
    ".ndjson.gz": TableSource,
    ".tar": ShardSource,
    ".tar.gz": ShardSource,
    ".tgz": ShardSource,
    ".gz": IdxSource,
    ".idx": IdxSource,
}


def read_source(
    spec: SourceSpec,
    *,
    folder: str,
    name: str,
    place: str,
    kind: TaskKind,
    targets: bool = True,
    schema: Mapping[str, ColumnType] | None = None,
    labelled: bool = True,
) -> Dataset:
    """Read one dataset.

    folder: where the study file lies, for relative paths; place: file and key for messages; without `targets` they
    are neither read nor kept; schema: the input columns of the base and their types; labelled: whether there must
    be targets. Raises DataError (or Problems) for anything wrong with the source, SurroundingsError where a server does
    not answer.
    """
    ask = partial(
        SourceRequest,
        name=name,
        place=place,
        kind=kind,
        options=spec.options,
        schema=schema,
        folder=folder,
        labelled=labelled,
    )
    if function := FUNCTION.match(spec.source):
        path = os.path.join(folder, os.path.expanduser(function["file"]))
        return FunctionSource(ask(path=path), function["name"]).read(targets)
    if is_remote(spec.source):
        return _read_remote(ask(path=normal(spec.source, folder)), targets)
    path = os.path.join(folder, os.path.expanduser(spec.source))
    request = ask(path=path)
    if is_range(path):
        return ShardSource(request).read(targets)
    if not exists(request):
        if IN_MODULE.match(spec.source):
            return FunctionSource(request, spec.source).read(targets)
        regular_file(request, "there is no such file or folder", nearby(path))
    if Path(path).is_dir():
        return FolderSource(request).read(targets)
    regular_file(request)
    return _read(request, suffix_of(request), targets)


def suffix_of(request: SourceRequest) -> str:
    """The longest known suffix of a file, or of what a URL names. Raises DataError 013 where none is known."""
    path = str(request.path)
    names = (named_path(path), path) if is_remote(path) else (path,)
    known = sorted({*BUILT_IN, *installed(SOURCES)}, key=len, reverse=True)
    for name in names:
        file = re.split(r"[/\\]", name)[-1].casefold()
        if found := next((suffix for suffix in known if file.endswith(suffix)), None):
            return found
        if IDX_NAME.search(file):
            return ".idx"
    hint = suggest(Path(names[0]).suffix, sorted(known), "known", forms=f"a folder, {FORMS}")
    raise problem(request, "013", "the kind of source is unknown", hint=hint)


def _read_remote(request: SourceRequest, targets: bool) -> Dataset:
    """Read a file at a URL; a copy that cannot be read is not kept."""
    suffix = suffix_of(request)
    copy = local_copy(request, suffix)
    try:
        data = _read(copy.request, suffix, targets)
    except InputError:
        copy.drop()
        raise
    return replace(data, notes=(*data.notes, *copy.notes))


def _read(request: SourceRequest, suffix: str, targets: bool) -> Dataset:
    if suffix in BUILT_IN:
        return BUILT_IN[suffix](request).read(targets)
    return _plugged(request, suffix, targets)


def _plugged(request: SourceRequest, suffix: str, targets: bool) -> Dataset:
    """Read by a plug-in. Our own suffixes cannot be taken over."""
    point = installed(SOURCES)[suffix]
    with own_code(lambda got: problem(request, "015", f"the plug-in `{point.value}` failed", got)):
        factory: SourceFactory = point.load()
        return factory(request).read(targets)
