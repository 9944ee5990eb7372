"""Reads a stream twice: once to note what is known of every row, once more for the rows that somebody is to see."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import IO, Any, Self, final

import numpy as np
import pandas as pd

from autodc.adapters.enrichers import fitting
from autodc.adapters.enrichers.registry import measures
from autodc.adapters.sources.stream import PLACE, Piece, Stream
from autodc.data.catalogue import Catalogue
from autodc.data.dataset import Dataset
from autodc.diagnose.shadow.columns import Columns
from autodc.diagnose.shadow.conditions import PREDICTED, which
from autodc.diagnose.shadow.features import Featurer
from autodc.diagnose.shadow.mine import Learned, StreamFeatures
from autodc.errors import DataError
from autodc.files import disk_told
from autodc.large import cache_folder
from autodc.review.shadow import left_out_words
from autodc.studyfile.study import StudySpec
from autodc.table import Inputs, Table, join
from autodc.wire.attributes import enrichment_for

Array = np.ndarray[Any, Any]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Some rows of a stream, in the order in which they were asked for."""

    x: Inputs
    metadata: pd.DataFrame
    rows: Array
    """Their positions in the stream."""
    files: tuple[str, ...]
    content: Array
    """Hashes of the inputs."""

    def __len__(self) -> int:
        return len(self.rows)


PLACES = ("embedding_distance", "nearest_label", "nearest_share", "nearest_target", "nearest_spread")
COORDINATES = ("pca_", "svd_", "lite0_", "e5_")
Attributes = Callable[[Dataset], pd.DataFrame]
"""Metadata and measured attributes of rows, n rows."""


def attributes_with(spec: StudySpec, catalogue: Catalogue) -> Attributes:
    """What is known of rows: the inputs of a table, columns that validation has too, and what enrichers measure.

    Where the study names no enrichers, those of ours that fit its inputs. Places in an embedding are left to the
    features themselves, but for files, of which nothing else would say where they lie.
    """
    x = catalogue.base.x
    is_files = isinstance(x, Table) and x.kind == "files"
    named = spec.attributes or tuple(name for name in fitting(x) if name != "embedding" or is_files)
    enrichment = enrichment_for(spec.model_copy(update={"attributes": named}), catalogue)
    known = set(catalogue.validation.metadata)

    def measured(data: Dataset) -> pd.DataFrame:
        own = data.metadata
        shared = replace(data, metadata=own[[name for name in own if name in known]], fingerprint=data.fingerprint)
        found = enrichment.frame(shared)
        inputs = [data.x.frame()] if isinstance(data.x, Table) and data.x.kind == "table" else []
        frame = pd.concat([shared.metadata.reset_index(drop=True), found, *inputs], axis=1)
        return frame.loc[:, ~frame.columns.duplicated()]

    return measured


def summing_up(spec: StudySpec, given: pd.DataFrame, frame: pd.DataFrame) -> tuple[str, ...]:
    """The attributes that say how unusual a row is and not in what, where nobody asked for them by name."""
    if spec.attributes:
        return ()
    ours = measures()["table"]
    names = {*ours, *(f"table_{name}" for name in ours), *PLACES}
    measured = [str(name) for name in frame if name not in given]
    return tuple(name for name in measured if name in names or name.startswith(COORDINATES))


def with_gaps(frame: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """The same with all columns that are looked at: a batch that lacks one has gaps there."""
    gaps = {one.source: None if one.is_category else np.nan for one in columns.columns if one.source not in frame}
    return frame.assign(**gaps) if gaps else frame


def noted(
    pieces: Iterator[Piece],
    predict: Callable[[Dataset], Array],
    attributes: Attributes,
    featurer: Featurer,
    learned: Learned,
    classes: Sequence[Any],
) -> tuple[StreamFeatures, tuple[str, ...]]:
    """Predict a stream piece by piece and note what is known of each row; and what a person should know of the reading.

    classes: labels, in the order of their codes; none where outputs are no classes. Features go to a file without a
    name.
    """
    rules = tuple(one.rule for one in learned.gathered)
    notes: dict[str, None] = {}
    unread = dict[int, str]()
    with _Growing(learned.layout.width) as features:
        failure, content, condition, predicted = list[Array](), list[Array](), list[Array](), list[Array]()
        for piece in pieces:
            outputs = predict(piece.data)
            frame = with_gaps(attributes(piece.data), featurer.columns)
            made, _ = featurer.features(outputs, frame, piece.data.x)
            features.add(made)
            failure.append(learned.model.predict(made).astype(np.float32))
            content.append(np.asarray(piece.data.hashes))
            predicted.append(_predicted(outputs, featurer.is_classification))
            condition.append(which(rules, with_predicted(frame, predicted[-1], classes), unread).astype(np.int16))
            notes |= dict.fromkeys(piece.data.notes)
        seen = StreamFeatures(
            features=features.all(),
            failure=np.concatenate(failure),
            content=np.concatenate(content),
            condition=np.concatenate(condition),
            predicted=np.concatenate(predicted),
        )
    left_out = (left_out_words(learned.gathered[at].finding, why) for at, why in unread.items())
    return seen, (*notes, *left_out)


def with_predicted(frame: pd.DataFrame, predicted: Array, classes: Sequence[Any]) -> pd.DataFrame:
    """Attributes with the label that the model gives each row. predicted: codes."""
    labels = np.asarray(classes)[predicted] if len(classes) else np.asarray(predicted, dtype=float)
    return frame.assign(**{PREDICTED: labels})


def fetched(stream: Stream, rows: Sequence[int], content: Array) -> Rows:
    """Read the stream again for these rows, each once. content: the hashes of all rows as they were noted.

    Raises DataError ADC-SHDW-004 where the stream is another by now.
    """
    wanted = np.unique(np.asarray(rows, dtype=int))
    parts: list[tuple[Dataset, str]] = []
    count = 0
    for piece in stream.pieces():
        inside = wanted[(wanted >= piece.first) & (wanted < piece.first + len(piece.data))] - piece.first
        count += len(piece.data)
        if len(inside):
            parts.append((piece.data.take(inside), piece.file))
    found = np.concatenate([np.asarray(data.hashes) for data, _ in parts]) if parts else np.zeros(0)
    if count != len(content) or len(found) != len(wanted) or (found != content[wanted]).any():
        got = f"{count} rows the second time, {len(content)} the first"
        hint = "shadow reads the stream twice; let it read a copy that nobody writes to"
        raise DataError("ADC-SHDW-004", "the stream changed while it was read", PLACE, got, hint)
    data = [data for data, _ in parts]
    place = {int(row): at for at, row in enumerate(wanted)}
    order = np.array([place[int(row)] for row in rows], dtype=int)
    files = [file for data, file in parts for _ in range(len(data))]
    metadata = pd.concat([one.metadata for one in data], ignore_index=True)
    return Rows(
        x=join([one.x for one in data])[order],
        metadata=metadata.iloc[order].reset_index(drop=True),
        rows=np.asarray(rows, dtype=int),
        files=tuple(files[at] for at in order),
        content=found[order],
    )


def _predicted(outputs: Array, is_classification: bool) -> Array:
    """Classes; of anything else nothing is known that would have to be kept in balance."""
    return (outputs.argmax(axis=1) if is_classification else np.zeros(len(outputs))).astype(np.int32)


@final
class _Growing:
    """A matrix in a file without a name that grows row by row."""

    def __init__(self, width: int) -> None:
        self._width, self.rows = width, 0
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        folder = cache_folder("large")
        with disk_told(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder)
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, values: Array) -> None:
        """Put rows behind those that are there."""
        assert self._file is not None
        with disk_told(cache_folder("large")):
            self._file.write(np.ascontiguousarray(values, dtype=np.float32).data)
        self.rows += len(values)

    def all(self) -> Array:
        """All rows, shape (n, width), memory-mapped; they stay while somebody holds them."""
        assert self._file is not None
        self._file.flush()
        if not self.rows or not self._width:
            return np.zeros((self.rows, self._width), np.float32)
        return np.memmap(self._file, dtype=np.float32, mode="r", shape=(self.rows, self._width))
