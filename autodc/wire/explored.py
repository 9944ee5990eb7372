"""What finders are shown: the explore rows of a study with their attributes, and what a model predicts of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import pandas as pd

from autodc.adapters.enrichers import fitting
from autodc.adapters.enrichers.spaces import NETWORKS, spaces_of
from autodc.data.columns import NO_VALUES
from autodc.data.dataset import Dataset
from autodc.data.overlap import joint_clusters
from autodc.diagnose.view import LEAST_GROUPS, View, failed_rows
from autodc.errors import AutodcError, InputError, each_of
from autodc.evaluation.metrics import probabilities
from autodc.evaluation.slices import VALIDATION, held_parts
from autodc.studyfile.study import StudySpec
from autodc.table import Inputs as Rows
from autodc.table import Table
from autodc.wire.annotators import annotator_columns
from autodc.wire.attributes import Enrichment, enrichment_for
from autodc.wire.inputs import Inputs
from autodc.wire.measuring import are_few
from autodc.wire.separate import diagnosis_of
from autodc.wire.workers import Workers

Array = np.ndarray[Any, Any]


COORDINATE = re.compile(r"[a-z0-9]+_\d+")
"""What coordinates of an embedding are called among the attributes: no condition for people. Clusters have them."""


EMBEDDING = "embedding"
"""The enricher of spaces. Where a study names it, networks that are installed look at the rows, milliseconds each,
once; where it does not, principal components or TF-IDF do."""

MANY_GROUPS, MANY_NUMBERS = 50, 12
"""Of a column that groups rows, more values than that say which, and no rule over them holds of new ones; of numbers
fewer will do, for a range of them is a range of names."""

BESIDE_BASE = frozenset(
    {
        *("unseen", "rarity", "rarest", "rarest_column", "distance"),
        *("embedding_distance", "nearest_label", "nearest_share", "nearest_target", "nearest_spread"),
    }
)
"""Measures of how unlike the base a row is. Where a model fails, rows are often unlike it, whatever the reason: as a
condition or cause that buries what is truly there to be known. They are looked at where the study names them."""


def refuse_uncut(inputs: Inputs) -> None:
    """Raise InputError ADC-DIAG-001 where search and gate see the same rows, 002 where too few are for diagnosis."""
    if inputs.separation.is_cut:
        rows = len(inputs.separation.explore)
        refuse_few(inputs, rows, rows)
        return
    hint = "give data.explore_share, 0.4 say, and validation rows enough that a target can show something on the rest"
    raise InputError(
        "ADC-DIAG-001",
        "no rows of validation are set apart for diagnosis",
        inputs.spec.place("data.explore_share"),
        inputs.separation.note or f"data.explore_share is {inputs.spec.data.explore_share:g}",
        hint,
    )


def refuse_few(inputs: Inputs, rows: int, groups: int) -> None:
    """Raise InputError ADC-DIAG-002 where explore rows in so many groups are too few to be cut in two."""
    if groups < LEAST_GROUPS:
        raise InputError(
            "ADC-DIAG-002",
            "too few rows are set apart for diagnosis: what is found on one half could not be confirmed on the other",
            inputs.spec.place("data.validation"),
            f"{rows} explore rows in {groups} groups, {LEAST_GROUPS} needed",
            "give more validation rows, or a larger data.explore_share",
        )


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """What is known of the explore rows, whatever a model predicts of them."""

    attributes: pd.DataFrame
    embeddings: Mapping[str, Array]
    groups: Array
    notes: tuple[Mapping[str, str], ...] = ()
    """{code, got}: what could not be measured; finders go on without it."""


def known_of(inputs: Inputs, workers: Workers | None = None) -> Known:
    """Measure the explore rows. workers: where, None: in this process. An enricher that fails is a note."""
    catalogue, rows = inputs.catalogue, inputs.separation.explore
    held = held_parts(catalogue)
    own = dict(zip(held, joint_clusters(list(held.values())), strict=True))[VALIDATION]
    attributes, embeddings, notes = measured_alike(inputs, catalogue.validation.take(rows), workers)
    return Known(
        attributes=attributes,
        embeddings=embeddings,
        groups=np.unique(own[rows], return_inverse=True)[1].ravel(),
        notes=notes,
    )


def measured_alike(
    inputs: Inputs, data: Dataset, workers: Workers | None = None
) -> tuple[pd.DataFrame, dict[str, Array], tuple[Mapping[str, str], ...]]:
    """Attributes and places of rows as they are measured of explore rows, and notes of what could not be."""
    catalogue = inputs.catalogue
    networks = EMBEDDING in inputs.spec.attributes
    enrichment = enrichment_for(_asked(inputs), catalogue, workers)
    spaces = spaces_of(catalogue.base.x, networks=networks)
    for space in spaces:
        enrichment.look(space, data.x)
    try:
        attributes, notes = _columns(inputs, data, enrichment), list[Mapping[str, str]]()
    except InputError as error:
        attributes = _columns(inputs, replace(data, attributes=pd.DataFrame(index=range(len(data)))), enrichment)
        notes = [{"code": one.code, "got": one.brief} for one in each_of(error)]
    return attributes, {space.name: space.of(data.x) for space in spaces}, tuple(notes)


def measure_ahead(inputs: Inputs, workers: Workers) -> None:
    """Measure the explore rows and the pool where that takes long, so that it is kept before anything is trained.

    In the midst of a night calls would wait behind trainings. What is wrong with it is told by the diagnosis.
    """
    rows, base = inputs.separation.explore, inputs.catalogue.base.x
    spaces = spaces_of(base, networks=EMBEDDING in inputs.spec.attributes)
    pool = inputs.catalogue.pool if "pool" in inputs.spec.loop.propose else None
    takes_long = not are_few(base, len(rows)) or any(space.name in NETWORKS for space in spaces)
    takes_long |= pool is not None and not are_few(pool.x, len(pool))
    if inputs.separation.is_cut and inputs.spec.loop.findings and takes_long:
        with suppress(AutodcError):
            known_of(inputs, workers)
            if pool is not None:
                measured_alike(inputs, pool, workers)


def explored(inputs: Inputs, outputs: Mapping[str, Array], known: Known) -> View:
    """The explore rows as finders see them. outputs: part → what the model predicts, row order.

    An error is 1 where the class is wrong; of values and images the absolute error; in a custom task the metric of the
    row, turned so that up is worse.
    """
    spec, catalogue = inputs.spec, inputs.catalogue
    seen = diagnosis_of(catalogue, inputs.separation, outputs, spec.task.kind, inputs.metric)
    is_classification = catalogue.classes is not None
    error = np.asarray(seen.failed, dtype=float) if seen.failed is not None else -seen.scores
    classes = tuple(catalogue.classes or ())
    return View(
        ids=seen.ids,
        error=error,
        failed=failed_rows(error, is_classification=is_classification),
        target=np.asarray(seen.targets),
        prediction=np.asarray(classes)[seen.outputs.argmax(axis=1)] if is_classification else np.asarray(seen.outputs),
        attributes=known.attributes,
        groups=known.groups,
        probabilities=probabilities(seen.outputs) if is_classification else None,
        classes=classes,
        embeddings=known.embeddings,
        x=seen.x,
    )


def measure_of(inputs: Inputs) -> Callable[[Rows], pd.DataFrame]:
    """What measures inputs that were changed: the columns of a table, and what enrichers say of them."""
    spec, catalogue = _asked(inputs), inputs.catalogue
    enrichment = enrichment_for(spec, catalogue)

    def measured(x: Rows) -> pd.DataFrame:
        own = x.frame() if isinstance(x, Table) and x.kind == "table" else pd.DataFrame(index=pd.RangeIndex(len(x)))
        frame = enrichment.frame(Dataset(name="changed", x=x, y=None, metadata=own))
        told = [name for name in frame.columns if inputs.spec.attributes or name not in BESIDE_BASE]
        return pd.concat([own, frame[told].reset_index(drop=True)], axis=1)

    return measured


def asked_attributes(inputs: Inputs) -> tuple[str, ...]:
    """The enrichers that measure rows for diagnosis."""
    return tuple(_asked(inputs).attributes)


def _asked(inputs: Inputs) -> StudySpec:
    """The study with the enrichers it names, or those of ours that measure its inputs as they are."""
    spec = inputs.spec
    if spec.attributes:
        return spec
    named = tuple(name for name in fitting(inputs.catalogue.base.x) if name != EMBEDDING)
    return spec.model_copy(update={"attributes": named})


def _many_groups(inputs: Inputs, metadata: pd.DataFrame) -> set[str]:
    """The column that groups rows, where it has too many values to be a condition: it names patients, scans, days."""
    column = inputs.spec.data.validation.group or ""
    if column not in metadata:
        return set()
    most = MANY_NUMBERS if pd.api.types.is_numeric_dtype(metadata[column].dtype) else MANY_GROUPS
    return {column} if metadata[column].nunique() > most else set()


def _columns(inputs: Inputs, data: Dataset, enrichment: Enrichment) -> pd.DataFrame:
    """Metadata and attributes of explore rows as conditions name them.

    Without lists and records, and what only tells which row it is, where it lies in a space, or how people label it.
    """
    measured = enrichment.frame(data) if data.attributes is None else data.attributes
    frame = pd.concat([data.metadata.reset_index(drop=True), measured.reset_index(drop=True)], axis=1)
    names = {data.id, *data.likely_ids} - {""}
    dates = [name for name in frame.columns if pd.api.types.is_datetime64_any_dtype(frame[name])]
    axes = [str(name) for name in measured if COORDINATE.fullmatch(str(name))]
    beside = [] if inputs.spec.attributes else [str(name) for name in measured if name in BESIDE_BASE]
    people = annotator_columns(data.metadata)
    names |= _many_groups(inputs, data.metadata)
    left_out = {*names, *dates, *axes, *beside, *people, *data.metadata.attrs.get(NO_VALUES, {})}
    return frame.drop(columns=[name for name in frame.columns if name in left_out])
