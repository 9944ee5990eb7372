"""The attributes of a study: its enrichers, fitted to its base, and what they measure of any of its datasets.

Values are kept in the cache folder by content, piece by piece: of the enricher, of the base where it was fitted to it,
of the rows.
They are no part of a dataset's content and go to no trainer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, final

import numpy as np
import pandas as pd

from autodc import fingerprint
from autodc.adapters.enrichers import fitting
from autodc.adapters.enrichers.embedding import NAMED, EmbeddingEnricher
from autodc.adapters.enrichers.spaces import Space
from autodc.data.attributes import Enricher, Rows, empty_columns, joined
from autodc.data.catalogue import Catalogue
from autodc.data.dataset import Dataset
from autodc.data.hashing import content_of
from autodc.data.sealed import Measure
from autodc.data.where import select
from autodc.errors import AutodcError, DataError, InputError, each_of, raise_all
from autodc.studyfile.study import SliceSpec, StudySpec
from autodc.table import Inputs
from autodc.wire.measuring import Measuring, Named, Pieces, guarded, metadata_digest, named
from autodc.wire.workers import Workers

Array = np.ndarray[Any, Any]

KEPT = 1
"""Version of what is kept."""


@final
@dataclass(kw_only=True, eq=False)
class Enrichment:
    """The enrichers of a study and the base that they are fitted to."""

    named: tuple[Named, ...]
    base: Dataset
    targets: Array | None
    """Of the base, as the user wrote them."""
    given: frozenset[str]
    """Columns of metadata of base and validation, in small letters; what we measure ourselves gives way to them."""
    folder: str = ""
    workers: Workers | None = None
    """Where a user's own enrichers run, and ours where there is much to measure; None: in this process."""
    _fitted: dict[str, Enricher] = field(default_factory=dict)

    def frame(self, data: Dataset) -> pd.DataFrame:
        """The attributes of a dataset, one column a measure. Raises all that is wrong with enrichers at once."""
        pieces, problems, parts = Pieces.of(data), list[AutodcError](), []
        for one in self.named:
            try:
                parts.append((one.enricher.name, one.place, self._of(one, pieces)))
            except InputError as error:
                problems += each_of(error)
        raise_all(problems)
        return joined(parts, data.metadata)

    def look(self, space: Space, x: Inputs) -> None:
        """Let workers look at rows for their coordinates in a space, where that costs milliseconds each."""
        self._measuring.look(space, x)

    def notes(self, frame: pd.DataFrame, name: str) -> tuple[str, ...]:
        """What a person should know of the attributes of a dataset."""
        empty = empty_columns(frame)
        return (f"attributes of {name} without a single value: {', '.join(empty)}",) if empty else ()

    def _of(self, one: Named, pieces: Pieces) -> pd.DataFrame:
        about = [f"{KEPT}", one.content]
        if one.looks_at_base:
            about += self._base_content
            about += [metadata_digest(self.base)] if not one.is_ours else []
        if isinstance(one.enricher, EmbeddingEnricher):
            for rows in (one.enricher.known(self.base.x), pieces.data.x):
                self.look(one.enricher.space(self.base.x), rows)
        found = self._measuring.frame(one, pieces, about, partial(self._ready, one))
        if not one.is_ours:
            return found
        return found.rename(columns={c: f"{one.name}_{c}" for c in found.columns if c.casefold() in self.given})

    @cached_property
    def _measuring(self) -> Measuring:
        return Measuring(base=self.base, targets=self.targets, folder=self.folder, workers=self.workers, stored={})

    @cached_property
    def _base_content(self) -> list[str]:
        """Inputs and targets of the base; of large arrays it takes seconds."""
        return [content_of(self.base.x), "" if self.targets is None else fingerprint.of_array(self.targets)]

    def _ready(self, one: Named) -> Enricher:
        if one.place not in self._fitted:
            base = Rows(x=self.base.x, metadata=self.base.metadata) if one.is_ours else guarded(self.base)
            self._fitted[one.place] = one.ready(base, self.targets, self.folder)
        return self._fitted[one.place]


def enrichment_of(
    spec: StudySpec,
    base: Dataset,
    targets: Array | None,
    validation: Dataset | None,
    workers: Workers | None = None,
    *,
    quick: bool = False,
) -> Enrichment:
    """The enrichers that the study names; where it names none, those of ours that fit its inputs and need no network.

    targets: the base's, as the user wrote them; quick: without those that can wait (`can_wait`). Raises all that is
    wrong with them at once: ADC-ATTR-001, 002, and 011 for one that cannot measure such inputs.
    """
    problems, found = list[AutodcError](), []
    for at, name in enumerate(spec.attributes or fitting(base.x)):
        place = f"attributes[{at}]"
        try:
            found.append(named(name, spec.folder, place, base.x, networks=bool(spec.attributes)))
        except InputError as error:
            problems += each_of(error)
    raise_all(problems)
    if quick:
        found = [one for one in found if not can_wait(one, spec, base.x)]
    given = {str(c).casefold() for data in (base, validation) if data is not None for c in data.metadata.columns}
    return Enrichment(
        named=tuple(found),
        base=base,
        targets=targets,
        given=frozenset(given),
        folder=spec.folder,
        workers=workers,
    )


def can_wait(one: Named, spec: StudySpec, x: Inputs) -> bool:
    """Whether an enricher asks a network about each row and no slice needs that. x: inputs of the base."""
    if not isinstance(one.enricher, EmbeddingEnricher) or not one.enricher.asks_a_network(x):
        return False
    return not any(NAMED.search(part.where or "") for part in spec.slices)


def measured_later(spec: StudySpec, catalogue: Catalogue) -> tuple[str, ...]:
    """The enrichers that a quick look leaves out."""
    if not spec.attributes:
        return ()
    return tuple(one.name for one in enrichment_for(spec, catalogue).named if can_wait(one, spec, catalogue.base.x))


def enrichment_for(
    spec: StudySpec, catalogue: Catalogue, workers: Workers | None = None, *, quick: bool = False
) -> Enrichment:
    """The same for the datasets of a study. workers: where they are measured, None: in this process."""
    base = catalogue.base
    return enrichment_of(spec, base, catalogue.original_target(base), catalogue.validation, workers, quick=quick)


def attributes_of(spec: StudySpec, catalogue: Catalogue, data: Dataset, workers: Workers | None = None) -> pd.DataFrame:
    """The metadata of any dataset of a study joined with its attributes: n rows, never the target.

    Where the study names no attributes, those of ours that fit its inputs are measured.
    """
    found = data.attributes
    if found is None:
        found = enrichment_for(spec, catalogue, workers).frame(data)
    return pd.concat([data.metadata.reset_index(drop=True), found.reset_index(drop=True)], axis=1)


def enriched(
    spec: StudySpec, catalogue: Catalogue, workers: Workers | None = None, *, quick: bool = False
) -> Catalogue:
    """The datasets of a study with the attributes of all that is held out, so that `where` may name them.

    Candidates and pool are measured when somebody asks (`attributes_of`). Raises all that is wrong at once.
    """
    found = enrichment_for(spec, catalogue, workers, quick=quick)
    problems: list[AutodcError] = []
    notes: list[str] = []

    def measured_of(data: Dataset) -> Dataset:
        try:
            frame = found.frame(data)
        except InputError as error:
            told = {(one.code, one.place) for one in problems}  # of one dataset is enough
            problems.extend(one for one in each_of(error) if (one.code, one.place) not in told)
            return data
        notes.extend(found.notes(frame, data.name))
        return replace(data, attributes=frame)

    held = {
        "validation": measured_of(catalogue.validation),
        "test": None if catalogue.test is None else measured_of(catalogue.test),
        "slice_sets": {name: measured_of(data) for name, data in catalogue.slice_sets.items()},
    }
    raise_all(problems)
    return replace(catalogue, **held, warnings=(*catalogue.warnings, *notes))  # type: ignore[arg-type]


def measured_for(slices: Sequence[SliceSpec], spec: StudySpec, catalogue: Catalogue, data: Dataset) -> Dataset:
    """A dataset of a study with its attributes, where the rule of one of these slices names a column that it lacks."""
    if not any(_measures_missing(one, data) for one in slices):
        return data
    return replace(data, attributes=enrichment_for(spec, catalogue).frame(data))


def columns_for(spec: StudySpec, workers: Workers | None = None, *, quick: bool = False) -> Measure:
    """What gives a dataset its attributes before the study is put together: of base and dataset the dataset with them.

    Whatever is wrong with an enricher is told when validation is measured; the dataset stays then as it is.
    """
    return partial(_with_columns, spec, workers, quick)


def _measures_missing(one: SliceSpec, data: Dataset) -> bool:
    """Whether the rule of a slice names a column that these rows do not have, and nothing was measured of them yet."""
    if one.where is None or data.attributes is not None:
        return False
    try:
        select(one.where, data.columns, None if data.y is None else np.asarray(data.y), place=one.name)
    except DataError as error:
        return error.code == "ADC-DATA-031"
    return False


def _with_columns(spec: StudySpec, workers: Workers | None, quick: bool, base: Dataset, data: Dataset) -> Dataset:
    try:
        frame = enrichment_of(spec, base, base.y, data, workers, quick=quick).frame(data)
    except InputError:
        return data
    return replace(data, attributes=frame)
