"""Rows are measured piece by piece: what is kept is read, a user's own code and what is large goes to workers.

So a table or folder larger than memory never lies in this process, all cores measure, and an enricher that crashes
ends a process of its own.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd

from autodc import fingerprint
from autodc.adapters.artefacts import open_part
from autodc.adapters.enrichers import built_in, fitting
from autodc.adapters.enrichers.cache import kept_frames
from autodc.adapters.enrichers.looks import ROWS, SEEN
from autodc.adapters.enrichers.spaces import Space
from autodc.data.attributes import AttributeProblem, Enricher, Rows, measured, stacked
from autodc.data.dataset import Dataset
from autodc.data.hashing import column_digest, content_of
from autodc.data.own_enricher import content_of_enricher, own_enricher
from autodc.errors import InputError, each_of, raise_all
from autodc.plugins import own_code
from autodc.studyfile.names import ENRICHERS
from autodc.table import Inputs, Table, row_bytes
from autodc.trial.call import Call

if TYPE_CHECKING:  # a worker imports this file, and no more than it needs
    import pyarrow as pa

    from autodc.wire.workers import Workers

Array = np.ndarray[Any, Any]

MOST_ROWS, MOST_FILES, MOST_BYTES = 4096, 256, 16 << 20
"""Rows of a piece at most, of files so many, and bytes."""
FEW_ROWS, FEW_FILES, FEW_BYTES = 8192, 64, 8 << 20
"""Measures of ours take less time for so many than a process to start in, so they are taken in this one."""
NOT_HERE = frozenset({"lost", "surroundings"})
"""Ends of a call that say nothing of what it does: it may be done in this process."""
MEASURE = "autodc.wire.measuring:measure"
LOOK = "autodc.adapters.enrichers.looks:look"
BASE, FRAME, METADATA, TARGETS = "base", "frame.parquet", "metadata.arrow", "targets.npy"
FITTED = "fitted"
"""The file of an enricher of ours that was fitted here by some thousand rows: workers need none of the base."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Named:
    """An enricher as the study file names it."""

    name: str
    place: str
    enricher: Any
    content: str
    """What its values depend on, but for the rows."""
    is_ours: bool

    @property
    def looks_at_base(self) -> bool:
        """Whether it is fitted to the base first."""
        return callable(getattr(self.enricher, "fitted", None))

    def ready(self, base: Rows, targets: Array | None, folder: str) -> Enricher:
        """It, fitted to the base. Raises InputError ADC-ATTR-010."""
        found: Any = self.enricher
        if self.looks_at_base:
            problem = f"enricher {found.name} fails when it is fitted to the base"
            with own_code(lambda got: AttributeProblem("ADC-ATTR-010", problem, self.place, got), folder):
                found = found.fitted(base, targets)
        return found  # type: ignore[no-any-return]


def named(name: str, folder: str, place: str, x: Inputs, *, networks: bool) -> Named:
    """Load an enricher. x: inputs of the study. Raises InputError ADC-ATTR-001, 002, 011."""
    if name not in ENRICHERS:
        own = own_enricher(name, folder, place)
        content = content_of_enricher(name, own, folder)
        return Named(name=name, place=place, enricher=own, content=content, is_ours=False)
    fits = fitting(x)
    if name not in fits:
        what = x.kind if isinstance(x, Table) else f"arrays of shape {x.shape[1:]}"
        problem = f"enricher {name} cannot measure the inputs of this study"
        raise AttributeProblem("ADC-ATTR-011", problem, place, what, f"those of ours that can: {', '.join(fits)}")
    ours: Any = built_in(name, networks=networks)
    return Named(name=name, place=place, enricher=ours, content=f"{name} {ours.content}", is_ours=True)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pieces:
    """The rows of a dataset, piece by piece."""

    data: Dataset
    where: tuple[slice, ...]
    content: tuple[list[str], ...]
    """Of each: what it is known by, inputs and metadata."""

    @classmethod
    def of(cls, data: Dataset) -> Pieces:
        """Cut a dataset; at least one piece, for the columns of no rows."""
        size = _size(data.x)
        where = tuple(slice(at, min(at + size, len(data))) for at in range(0, max(1, len(data)), size))
        content = tuple([content_of(data.x[piece]), metadata_digest(data, piece)] for piece in where)
        return cls(data=data, where=where, content=content)

    def rows(self, place: int) -> Rows:
        """A piece as an enricher sees it; nobody who measures it can change the dataset."""
        return guarded(self.data, self.where[place])

    def are_few(self, places: Sequence[int]) -> bool:
        """Whether these pieces are measured faster than a process starts."""
        return are_few(self.data.x, sum(self.where[at].stop - self.where[at].start for at in places))


@final
@dataclass(kw_only=True, eq=False)
class Measuring:
    """Measures datasets of a study with this base. workers: where, None: all of it in this process."""

    base: Dataset
    targets: Array | None
    folder: str
    workers: Workers | None
    stored: dict[str, Any]
    """What workers read of the base, once it was put there."""

    def frame(self, one: Named, pieces: Pieces, about: Sequence[str], ready: Callable[[], Enricher]) -> pd.DataFrame:
        """What an enricher gives of the rows, n rows.

        about: what its values depend on but for the rows; ready: it, fitted, for what is measured in this process.
        Raises AttributeProblem.
        """
        keys = [[*about[:2], *content, *about[2:]] for content in pieces.content]

        def made(places: Sequence[int]) -> Iterator[tuple[int, pd.DataFrame]]:
            left = list(places)
            if self._goes_to_workers(one, pieces, places):
                for place, frame in self._on_workers(one, pieces, places, ready):
                    left.remove(place)
                    yield place, frame
            for place in left:
                rows, first = pieces.rows(place), pieces.where[place].start
                yield place, measured(one.enricher.name, ready(), rows, one.place, self.folder, first=first)

        return stacked(one.enricher.name, kept_frames(keys, made), one.place)

    def look(self, space: Space, x: Inputs) -> None:
        """Let workers look at what a space needs for these rows; what they cannot is done when it is asked for."""
        look = space.look
        if look is None or self.workers is None:
            return
        for rows in space.looked_at(x):
            if not (missing := look.missing(rows)) or len(missing) == 1:
                continue
            pieces = list(look.pieces(rows))
            starts = np.cumsum([0, *map(len, pieces)])
            if (part := self.workers.put(ROWS, rows)) is None:
                return
            about = {"name": look.name, "low": look.low, "high": look.high}
            asked = [about | {"first": int(starts[at]), "last": int(starts[at + 1])} for at in missing]
            for place, end, out in self.workers.call(LOOK, self.folder, asked, [part]):
                if end.status == "done":
                    look.keep(pieces[missing[place]], np.load(out / SEEN, allow_pickle=False))

    def _goes_to_workers(self, one: Named, pieces: Pieces, places: Sequence[int]) -> bool:
        if self.workers is None or not sum(pieces.where[at].stop - pieces.where[at].start for at in places):
            return False
        if one.is_ours:
            return one.name != "embedding" and not pieces.are_few(places)
        return True

    def _on_workers(
        self, one: Named, pieces: Pieces, places: Sequence[int], ready: Callable[[], Enricher]
    ) -> Iterator[tuple[int, pd.DataFrame]]:
        """What workers measure of these pieces; nothing of those that the surroundings took from them."""
        assert self.workers is not None
        rows = _stored(self.workers, ROWS, pieces.data, None, beside=not one.is_ours)
        base = self._base() if one.looks_at_base and not one.is_ours else _NOTHING
        if rows is None or base is None:
            return
        about = {"name": one.name, "place": one.place, "folder": self.folder, ROWS: rows.beside, BASE: base.beside}
        if one.looks_at_base and one.is_ours:
            fitted = self.workers.scratch() / FITTED
            fitted.write_bytes(pickle.dumps(ready()))
            about[FITTED] = str(fitted)
        asked = [about | {"first": pieces.where[at].start, "last": pieces.where[at].stop} for at in places]
        parts = [one.part for one in (rows, base) if one.part is not None]
        for at, end, out in self.workers.call(MEASURE, self.folder, asked, parts):
            if end.status in NOT_HERE:
                continue
            if end.status != "done":
                raise _ended(one, end.status, end.error)
            if end.value:
                raise_all([AttributeProblem(*problem) for problem in end.value])
            yield places[at], pd.read_parquet(out / FRAME)

    def _base(self) -> _Stored | None:
        if BASE not in self.stored:
            assert self.workers is not None
            self.stored[BASE] = _stored(self.workers, BASE, self.base, self.targets, beside=True)
        found: _Stored | None = self.stored[BASE]
        return found


def measure(call: Call) -> list[tuple[str, ...]] | None:
    """Measure some rows on a worker, into FRAME; or say what is wrong with the enricher: code, problem, place, …."""
    asked, first = call.arguments, int(call.arguments["first"])
    try:
        base, fitted = _folder(call.parts.get(BASE)), str(asked.get(FITTED, ""))
        ready = _loaded(asked["name"], asked["folder"], asked["place"], base, str(asked[BASE]), fitted)
        x = call.parts[ROWS].x
        rows = _rows(x[first : int(asked["last"])], str(asked[ROWS]), first)
        frame = measured(ready.name, ready, rows, asked["place"], asked["folder"], first=first)
    except InputError as error:
        return [(p.code, p.problem, p.place, p.got, p.hint) for p in each_of(error)]
    frame.to_parquet(call.out / FRAME, index=False)
    return None


def are_few(x: Inputs, count: int) -> bool:
    """Whether measures of ours take less time for so many of these rows than a process to start in."""
    most = FEW_FILES if isinstance(x, Table) and x.kind == "files" else FEW_ROWS
    return bool(count <= most and count * row_bytes(x) <= FEW_BYTES)


def guarded(data: Dataset, piece: slice | None = None) -> Rows:
    """Rows of a dataset, which nobody who measures them can change."""
    piece = slice(0, len(data)) if piece is None else piece
    metadata = data.metadata.iloc[piece].reset_index(drop=True).copy()
    if not isinstance(data.x, np.ndarray):
        return Rows(x=data.x[piece], metadata=metadata)
    x = data.x[piece].view()
    x.flags.writeable = False
    return Rows(x=x, metadata=metadata)


def metadata_digest(data: Dataset, piece: slice | None = None) -> str:
    """What the metadata of a dataset, or of a piece of it, are known by; inputs are not among them."""
    piece, inputs = slice(0, len(data)) if piece is None else piece, set(data.features)
    names = [str(name) for name in data.metadata.columns if name not in inputs]
    return fingerprint.of_parts("metadata", [(name, column_digest(data.metadata[name].iloc[piece])) for name in names])


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """A dataset where workers can read it. beside: the folder of its metadata and targets, empty without any."""

    part: Any = None
    beside: str = ""


_NOTHING = _Stored()


def _stored(workers: Workers, name: str, data: Dataset, targets: Array | None, *, beside: bool) -> _Stored | None:
    """beside: metadata and targets too, which a user's own may look at. None where it cannot be stored."""
    if (part := workers.put(name, data.x)) is None:
        return None
    if not beside or (targets is None and not len(data.metadata.columns)):
        return _Stored(part=part)
    import pyarrow as pa

    folder = workers.scratch()
    try:
        columns = pa.Table.from_pandas(data.metadata, preserve_index=False)
        with pa.OSFile(str(folder / METADATA), "wb") as file, pa.ipc.new_file(file, columns.schema) as writer:
            writer.write_table(columns, MOST_ROWS)
        if targets is not None:
            np.save(folder / TARGETS, targets, allow_pickle=False)
    except (OSError, ValueError, TypeError):  # columns of objects of several types; Arrow's own are ValueErrors too
        return None
    return _Stored(part=part, beside=str(folder))


@lru_cache(maxsize=8)
def _loaded(name: str, folder: str, place: str, base: str, beside: str, fitted: str) -> Enricher:
    """An enricher, fitted here once, or ours from its file. base, beside: folders of what is known of the base."""
    if fitted:
        ours: Enricher = pickle.loads(Path(fitted).read_bytes())
        return ours
    x: Inputs = open_part(base)[0] if base else np.zeros((0, 1))
    one = named(name, folder, place, x, networks=False)
    targets = Path(beside, TARGETS)
    y = np.load(targets, allow_pickle=False) if beside and targets.exists() else None
    return one.ready(_rows(x, beside, 0), y, folder)


def _rows(x: Inputs, beside: str, first: int) -> Rows:
    if not beside:
        return Rows(x=x, metadata=pd.DataFrame(index=pd.RangeIndex(len(x))))
    columns = _metadata(str(Path(beside, METADATA)))
    return Rows(x=x, metadata=columns.slice(first, len(x)).to_pandas())


@lru_cache(maxsize=8)
def _metadata(path: str) -> pa.Table:
    import pyarrow as pa

    with pa.memory_map(path) as file:
        return pa.ipc.open_file(file).read_all()


def _folder(part: Any) -> str:
    return "" if part is None else str(part.folder)


def _size(x: Inputs) -> int:
    if isinstance(x, Table) and x.kind == "files":
        return MOST_FILES
    return max(1, min(MOST_ROWS, MOST_BYTES // row_bytes(x)))


def _ended(one: Named, status: str, error: str) -> AttributeProblem:
    """A call that failed by itself is one of ours that raised; else its process ended."""
    if status == "failed":
        return AttributeProblem("ADC-ATTR-003", f"enricher {one.enricher.name} fails", one.place, error)
    ways: Mapping[str, str] = {"timeout": "takes too long", "memory": "takes too much memory"}
    problem = f"enricher {one.enricher.name} {ways.get(status, 'ends the process that it runs in')}"
    hint = "it is called for some thousand rows at a time; the machine file says how much time and memory it may take"
    return AttributeProblem("ADC-ATTR-012", problem, one.place, error.splitlines()[0] if error else status, hint)
