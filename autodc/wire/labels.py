"""Labels of a study that look wrong: of the explore rows of validation, of training rows, and between its datasets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import pandas as pd

from autodc import seeds
from autodc.adapters.enrichers import embeddings_of, in_one_spread
from autodc.data.catalogue import VALIDATION, Catalogue
from autodc.data.dataset import Dataset
from autodc.data.overlap import joint_clusters
from autodc.diagnose.by_chance import Learnable, by_chance, learnable
from autodc.diagnose.check import plain
from autodc.diagnose.conventions import Convention, Conventions, label_conventions
from autodc.diagnose.cross_validation import cross_validated
from autodc.diagnose.labels import CODE, LEAST_ROWS, Labels, Suspect, wrong_labels
from autodc.diagnose.matching_rows import Labelled, agreeing
from autodc.diagnose.own_rows import told as of_labels
from autodc.diagnose.own_rows import unseen
from autodc.diagnose.view import View
from autodc.diagnose.wrong_numbers import wrong_numbers
from autodc.large import distinct_values, evenly, joined
from autodc.plan.mixture import BASE
from autodc.studyfile.study import StudySpec
from autodc.table import Inputs as RowInputs
from autodc.table import Table
from autodc.wire.inputs import Inputs

Array = np.ndarray[Any, Any]

MOST, MOST_FILES = 3000, 1000
"""Rows of training, and of validation, that are looked at; and where each is a file to be opened."""
LISTED, SHOWN = 200, 12
"""Suspects that are listed, the surest first, and rows that are shown on a page."""
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_NO_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """What was found of the labels of one dataset."""

    name: str
    labels: Labels
    known: Learnable | None
    """How well a model of its own rows knows its labels."""
    is_by_chance: bool = False

    @property
    def is_told(self) -> bool:
        """Whether labels are wrong beyond what overlap of classes explains."""
        return self.labels.status == "found" or self.is_by_chance

    def to_dict(self) -> dict[str, Any]:
        """JSON form, without the suspects."""
        found = {key: value for key, value in self.labels.to_dict().items() if key not in ("suspects", "datasets")}
        known = None if self.known is None else round(self.known.auc, 4)
        count = {"suspects": len(self.labels.suspects), "sure": sum(one.sure for one in self.labels.suspects)}
        code = CODE if self.is_told else None
        return {**found, "code": code, "name": self.name, "auc": known, "by_chance": self.is_by_chance, **count}


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Rows with labels, in one space, that are to be judged."""

    datasets: tuple[Dataset, ...]
    """As many rows of each; of training the base first. Their inputs lie in `x`."""
    x: RowInputs
    """The inputs of all of them, one after the other."""
    ids: tuple[Array, ...]
    """Position of each row in its file."""
    units: tuple[Array, ...]
    """What is one observation, over all of them."""
    embedding: tuple[Array, ...]
    """Shape (n, d) each."""
    of: int
    """Rows that there are."""

    @classmethod
    def of_datasets(cls, every: Sequence[Dataset], ids: Sequence[Array], of: int) -> Rows:
        """Place rows in the space of all of them together, without networks.

        What one dataset does not know sets rows apart too, or what is new in another would look like its rows. Columns
        of numbers lie each in its own spread or all in one, as pixels do: whichever knows more labels of the datasets
        by rows of their own.
        """
        together = joined([one.x for one in every])
        ends = np.cumsum([len(one) for one in every])
        units = tuple(joint_clusters(every))
        embedding = _knowing([one.y for one in every], units, [np.split(p, ends[:-1]) for p in _spaces(together)])
        here = [replace(one, x=together[end - len(one) : end]) for one, end in zip(every, ends.tolist(), strict=True)]
        return cls(datasets=tuple(here), x=together, ids=tuple(ids), units=units, embedding=embedding, of=of)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelsSeen:
    """What was found of the labels of some rows: of each dataset, and the suspects of all of them."""

    judged: tuple[Judged, ...]
    suspects: tuple[Suspect, ...]
    """`row` is a place among the rows; the surest first, LISTED at most."""
    rows: View
    """All rows that were looked at, what a model of rows like them says as predictions."""
    of: int
    """Rows that there are; more than were looked at where these are a sample."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form; a suspect's `row` is its position in its file."""
        suspects = [{**one.to_dict(), "row": int(self.rows.ids[one.row])} for one in self.suspects]
        told = [one for one in self.judged if one.is_told]
        applies = [one for one in self.judged if one.labels.status != "not_applicable" or one.is_by_chance]
        return {
            "status": "found" if told else "passed" if applies else "not_applicable",
            "reason": None if applies else self.judged[0].labels.reason,
            "rows": len(self.rows),
            "of": self.of,
            "datasets": [one.to_dict() for one in self.judged],
            "suspects": suspects,
        }

    @property
    def shown(self) -> Array:
        """Places of the rows that a reader is shown: of those that are told, the surest."""
        return np.array([one.row for one in self.suspects if one.sure][:SHOWN], dtype=int)


def _spaces(x: RowInputs) -> list[Array]:
    """Coordinates of rows in every space that asks no network."""
    return [*embeddings_of(x, x, networks=False).values(), *in_one_spread(x)]


def _knowing(targets: Sequence[Any], units: Sequence[Array], spaces: Sequence[Sequence[Array]]) -> tuple[Array, ...]:
    """The first of the spaces in which most labels are those of the nearest row of their dataset and another unit.

    A dataset is asked of its own labels alone: which space it is tells nothing of how two of them differ.
    """
    classes = all(np.asarray(y).ndim == 1 and np.asarray(y).dtype.kind != "f" for y in targets)
    if len(spaces) == 1 or not classes:
        return tuple(spaces[0])
    known = [
        sum(agreeing(p, np.asarray(y), own) for p, y, own in zip(space, targets, units, strict=True))
        for space in spaces
    ]
    return tuple(spaces[int(np.argmax(known))])


def validation_rows(inputs: Inputs, rows: View) -> Rows:
    """The explore rows of validation; of very many some, evenly. rows: as finders see them."""
    some = rows.ids[evenly(len(rows), most_rows(inputs.catalogue))]
    return Rows.of_datasets([inputs.catalogue.validation.take(some, VALIDATION)], [some], len(rows))


def training_rows(inputs: Inputs, joined: Sequence[Dataset] = ()) -> Rows:
    """Rows of the base and of every candidate, as many of each, evenly. joined: candidates not in the study file."""
    catalogue = inputs.catalogue
    every = (catalogue.base, *catalogue.candidates.values(), *joined)
    chosen = [evenly(len(one), n) for one, n in zip(every, _shared(every, most_rows(catalogue)), strict=True)]
    some = [one.take(rows, one.name) for one, rows in zip(every, chosen, strict=True)]
    ids = [catalogue.in_source(one.name, rows) for one, rows in zip(every, chosen, strict=True)]
    return Rows.of_datasets(some, ids, sum(map(len, every)))


def wrong_in(inputs: Inputs, seen: Rows, model: Mapping[int, Any] | None = None) -> LabelsSeen:
    """Find rows whose class or number is likely wrong; a model of other rows of its own judges each dataset.

    Not by the model that is diagnosed: where it fails as a rule it is sure of another class, and rows of a kind that it
    does not know would all be suspects. model: position of a row → what it predicts; of suspects those come first on
    which it agrees.
    """
    classes = tuple(inputs.catalogue.classes or ())
    seed = seeds.integer(inputs.spec.seed, "labels")
    if not classes:
        return _wrong_numbers_in(seen, seed)
    codes = [np.asarray(one.y) for one in seen.datasets]
    shares = [
        unseen(points, own, units, len(classes), seed)
        for own, points, units in zip(codes, seen.embedding, seen.units, strict=True)
    ]
    names = [one.name for one in seen.datasets]
    known = [learnable(*one) for one in zip(names, codes, shares, seen.units, strict=True)]
    careless = by_chance([one for one in known if one is not None])
    judged, suspects, first = list[Judged](), list[Suspect](), 0
    for name, own, said, units, ids, level in zip(names, codes, shares, seen.units, seen.ids, known, strict=True):
        found_here = of_labels(wrong_labels(np.asarray(classes)[own], said, classes, groups=units, learned=True))
        judged.append(Judged(name=name, labels=found_here, known=level, is_by_chance=name in careless))
        agreed = {
            one.row for one in found_here.suspects if model and str(model.get(int(ids[one.row]))) == str(one.likely)
        }
        order = sorted(found_here.suspects, key=lambda one: (not one.sure, one.row not in agreed, -one.score))
        suspects += [replace(one, row=one.row + first, dataset=name) for one in order]
        first += len(own)
    suspects.sort(key=lambda one: not one.sure)
    every, said = np.concatenate(codes), np.concatenate(shares)
    names_of = np.asarray(classes)
    error = (said.argmax(axis=1) != every).astype(float)
    rows = replace(
        _view(seen, names_of[every], names_of[said.argmax(axis=1)], error), probabilities=said, classes=classes
    )
    return LabelsSeen(judged=tuple(judged), suspects=tuple(suspects[:LISTED]), rows=rows, of=seen.of)


def _wrong_numbers_in(seen: Rows, seed: int) -> LabelsSeen:
    """The same of numbers: those that lie far from what a model of other rows of their dataset says."""
    given = [np.asarray(one.y, dtype=float) for one in seen.datasets]
    said = [
        cross_validated(points, own, units, seed)
        if len(distinct_values(units)) >= LEAST_ROWS
        else np.full(len(own), np.nan)
        for own, points, units in zip(given, seen.embedding, seen.units, strict=True)
    ]
    judged, suspects, first = list[Judged](), list[Suspect](), 0
    for one, own, told, units in zip(seen.datasets, given, said, seen.units, strict=True):
        found = _few(len(own)) if np.isnan(told).any() else wrong_numbers(own, told, groups=units)
        judged.append(Judged(name=one.name, labels=found, known=None))
        suspects += [replace(s, row=s.row + first, dataset=one.name) for s in found.suspects]
        first += len(own)
    suspects.sort(key=lambda one: -one.score)
    every, answers = np.concatenate(given), np.concatenate(said)
    rows = _view(seen, every, answers, np.abs(every - answers))
    return LabelsSeen(judged=tuple(judged), suspects=tuple(suspects[:LISTED]), rows=rows, of=seen.of)


def _few(rows: int) -> Labels:
    return Labels(status="not_applicable", rows=rows, reason="there are too few rows")


def conventions_of(inputs: Inputs, seen: Rows) -> Conventions:
    """Find the candidates that label rows otherwise than the base labels rows like them."""
    classes = np.asarray(inputs.catalogue.classes)
    parts = [
        Labelled(name=one.name, target=classes[np.asarray(one.y)], embedding=points, groups=units)
        for one, points, units in zip(seen.datasets, seen.embedding, seen.units, strict=True)
    ]
    return label_conventions(parts, beside_first=True)


def convention_dict(spec: StudySpec, one: Convention) -> dict[str, Any]:
    """JSON form, with the line of a study file that would reconcile the two as `yaml`, empty where none does.

    Of a candidate `labels`, with what it has there already; of the base an option of its source.
    """
    found = one.to_dict()
    if not one.labels:
        return {**found, "yaml": ""}
    if one.of == BASE:
        return {**found, "yaml": f"options: {{map: {_flow(one.labels)}}}"}
    return {**found, "yaml": f"labels: {_flow(_composed(spec, str(one.of), one.labels))}"}


def _view(seen: Rows, target: Array, prediction: Array, error: Array) -> View:
    names = np.concatenate([np.full(len(one), one.name, dtype=object) for one in seen.datasets])
    metadata = pd.concat([one.metadata for one in seen.datasets], ignore_index=True)
    told = pd.DataFrame({"dataset": names}) if len(seen.datasets) > 1 else pd.DataFrame(index=metadata.index)
    return View(
        ids=np.concatenate(seen.ids),
        error=error,
        failed=error > 0,
        target=target,
        prediction=prediction,
        attributes=pd.concat([told, metadata.drop(columns=list(told), errors="ignore")], axis=1),
        groups=np.concatenate(seen.units),
        x=seen.x,
    )


def most_rows(catalogue: Catalogue) -> int:
    """Rows that are looked at."""
    return MOST_FILES if isinstance(catalogue.base.x, Table) and catalogue.base.x.kind == "files" else MOST


def _shared(every: Sequence[Dataset], left: int) -> list[int]:
    """How many rows of each: as many, or all it has; `left` in all."""
    found = [0] * len(every)
    for k, at in enumerate(sorted(range(len(every)), key=lambda n: len(every[n]))):
        found[at] = min(len(every[at]), left // (len(every) - k))
        left -= found[at]
    return found


def _composed(spec: StudySpec, name: str, labels: Mapping[Any, Any]) -> dict[str, Any]:
    """The labels of a candidate, those it has already first, brought to the names of the base."""
    names = {str(key): plain(value) for key, value in labels.items()}
    candidate = next((one for one in spec.data.candidates if one.name == name), None)
    known = {} if candidate is None else {**_mapping(candidate.options.get("map")), **candidate.labels}
    before = {str(old): names.get(str(new), new) for old, new in known.items()}
    made = {str(new) for new in known.values()}
    return {**before, **{old: new for old, new in names.items() if old not in before and old not in made}}


def _mapping(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _flow(labels: Mapping[Any, Any]) -> str:
    """A mapping in one line of YAML."""
    return "{" + ", ".join(f"{_scalar(str(key))}: {_scalar(plain(value))}" for key, value in labels.items()) + "}"


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _WORD.fullmatch(value) and value.casefold() not in _NO_WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)
