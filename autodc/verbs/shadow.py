"""Reads an unlabelled stream of production, says where the model likely fails on it, and picks rows to label."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, final

import numpy as np
from pydantic import JsonValue

from autodc import seeds
from autodc.adapters.journal import JOURNAL, state_of
from autodc.adapters.sources.stream import PLACE, Piece, Stream
from autodc.data.catalogue import Catalogue
from autodc.data.dataset import Dataset
from autodc.data.overlap import joint_clusters
from autodc.diagnose.shadow.columns import Columns
from autodc.diagnose.shadow.features import Featurer
from autodc.diagnose.shadow.mine import CHUNK, Learned, Mined, StreamFeatures, mine
from autodc.diagnose.unlabelled import Unlabelled
from autodc.diagnose.view import failed_rows
from autodc.errors import DataError, InputError
from autodc.evaluation.metrics import probabilities, soft_rows
from autodc.files import disk_told
from autodc.masking import masked
from autodc.review.findings import last_looked
from autodc.review.shadow import left_out_words
from autodc.studyfile.study import SourceSpec, StudySpec
from autodc.table import Table
from autodc.verbs.labelling import ADDED, Labels, write_sheet
from autodc.verbs.predicting import Predictor, predicting
from autodc.verbs.shadow_rows import Attributes, attributes_with, fetched, noted, summing_up, with_predicted
from autodc.wire.inputs import Inputs, read_inputs

Array = np.ndarray[Any, Any]
Told = Callable[[str, int, int], None]

PICKS = 200
LEAST_ROWS = 60
"""Rows of validation with fewer of which nothing is learnt."""
RESULT = "shadow.json"
MOST_SHARES = 20
"""Conditions that are told to be over- or under-represented."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowResult:
    """What was found in a stream."""

    folder: Path
    """Where the sheet lies."""
    content: Mapping[str, Any]
    """As `shadow.json` and `--json` have it."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return dict(self.content)


def shadow(
    spec: StudySpec,
    model: str,
    stream: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    pick: int = PICKS,
    options: Mapping[str, JsonValue] | None = None,
    progress: Told = lambda what, done, total: None,
) -> ShadowResult:
    """Mine an unlabelled stream for rows on which a method likely fails, and write a sheet to label them.

    model: a METHOD; stream: any source, without targets, or a folder of several files, which may be larger than
    memory; out: a folder that is made; pick: how many rows to label; options: how the stream is read, beside what the
    options of the base say. Validation rows that the search sees teach what a failure looks like; those that decide
    stay unseen. Raises InputError for a study, method or stream that cannot be read: then nothing is written.
    """
    folder = Path(out).absolute()
    _refuse(folder, pick)
    progress("reading the study", 0, 1)
    inputs = read_inputs(spec)
    catalogue = inputs.catalogue
    source = Stream(
        spec=SourceSpec(source=os.fspath(stream), options=dict(options or {})),
        folder=os.getcwd(),
        kind=spec.task.kind,
        base=catalogue.base,
        base_options=spec.data.base.options,
    )
    pieces = _new(source.pieces())
    first = next(pieces)
    seed = seeds.integer(spec.seed, "shadow")
    attributes = attributes_with(spec, catalogue)
    with predicting(spec, catalogue, model) as predictor:
        progress("predicting validation", 0, 1)
        featurer, learned = _learned(inputs, predictor, attributes, first.data, seed, _findings(spec, model))
        progress("reading and predicting the stream", 0, 1)
        predict = partial(_outputs, inputs, predictor)
        classes = catalogue.classes or ()
        seen, notes = noted(itertools.chain([first], pieces), predict, attributes, featurer, learned, classes)
    progress("telling failures apart", 0, 1)
    mined = mine(learned, seen, pick, _held(catalogue, attributes, learned), seed)
    rows = fetched(source, _wanted(mined), seen.content)
    content = _content(inputs, model, os.fspath(stream), learned, mined, seen, notes)
    labels = Labels.of(spec.data.base.options, catalogue, featurer.columns)
    with _whole(folder) as unfinished:
        content |= write_sheet(unfinished, rows, mined, seen, learned, labels, content)
        content["out"] = str(folder)
        (unfinished / RESULT).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return ShadowResult(folder=folder, content=content)


def option_values(words: Sequence[str]) -> dict[str, JsonValue]:
    """Options as a person gives them, KEY=VALUE, the value in JSON or plain text. Raises InputError ADC-SHDW-005."""
    found: dict[str, JsonValue] = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not sign or not key:
            raise InputError("ADC-SHDW-005", "an option is KEY=VALUE", "--option", word, "as in text=body")
        try:
            found[key] = json.loads(value)
        except ValueError:
            found[key] = value
    return found


def _refuse(folder: Path, pick: int) -> None:
    if pick < 1:
        raise InputError("ADC-SHDW-002", "there must be a row to pick", "--pick", str(pick), "give 1 or more")
    if os.path.lexists(folder):
        got = "a folder" if folder.is_dir() else "a file"
        hint = "name a folder that is not there yet; labels that somebody has filled in are never written over"
        raise InputError("ADC-SHDW-001", "the output folder exists", "--out", f"{folder}: {got}", hint)


def _new(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The pieces of a stream that no sheet was written of; raises DataError ADC-SHDW-006."""
    for piece in pieces:
        if taken := [name for name in ADDED if name in piece.data.metadata]:
            problem = "the stream has columns that shadow mode writes itself: it is an earlier sheet or pool"
            hint = "name the stream that it was picked from, or leave these columns out"
            raise DataError("ADC-SHDW-006", problem, f"{PLACE} ({piece.file})", ", ".join(taken), hint)
        yield piece


def _learned(
    inputs: Inputs,
    predictor: Predictor,
    attributes: Attributes,
    beginning: Dataset,
    seed: int,
    found: Mapping[str, Unlabelled],
) -> tuple[Featurer, Learned]:
    """Learn from validation what a failure looks like.

    beginning: of the stream, for the columns that it has too; found: confirmed findings, by id.
    """
    catalogue, explore = inputs.catalogue, inputs.separation.explore
    validation = catalogue.validation
    if len(explore) < LEAST_ROWS:
        got = f"{len(explore)} of {len(validation)} rows of validation"
        hint = f"{LEAST_ROWS} are needed; add rows to validation, or raise data.explore_share"
        raise InputError("ADC-SHDW-003", "there are too few rows to learn failures from", "data.validation", got, hint)
    outputs = _outputs(inputs, predictor, validation)
    frame = attributes(validation)
    columns = Columns.shared(
        frame, attributes(beginning), _aside(inputs), summing_up(inputs.spec, validation.metadata, frame)
    )
    is_classification = catalogue.classes is not None
    base = catalogue.base
    labels, labels_of = (base.y, catalogue.classes or ()) if is_classification else (None, ())
    about = base.x.frame() if isinstance(base.x, Table) else base.metadata  # inputs alone are looked at there
    featurer = Featurer.of(columns, base.x, about, labels, seed=seed)
    known, layout = featurer.features(outputs, frame, validation.x)
    failed = failed_rows(_errors(inputs, outputs, explore), is_classification=is_classification)
    groups = joint_clusters([validation])[0][explore]
    frame = with_predicted(frame, outputs.argmax(axis=1) if is_classification else np.zeros(len(outputs)), labels_of)
    return featurer, Learned.of(known, layout, frame, explore, failed, groups, seed, found)


def _findings(spec: StudySpec, model: str) -> dict[str, Unlabelled]:
    """What the study found and confirmed of its incumbent, where the method is its run folder, by id."""
    folder = next((one for one in (Path(model), Path(spec.folder, model)) if (one / JOURNAL).is_file()), None)
    if folder is None:
        return {}
    state = state_of(folder)
    looked = last_looked(state)
    every = [] if looked is None else [state.findings[name] for name in looked.ids]
    sure = [one for one in every if one.basis == "attributes" and one.status == "confirmed"]
    return {one.id: Unlabelled.of(one.rule, one.told) for one in sure}


def _outputs(inputs: Inputs, predictor: Predictor, data: Dataset) -> Array:
    outputs = predictor.predict(data)
    return probabilities(outputs) if inputs.catalogue.classes is not None else outputs


def _errors(inputs: Inputs, outputs: Array, rows: Array) -> Array:
    """Of validation rows, up is worse: 1 where the class is wrong; elsewhere the absolute error, or the metric's."""
    y = inputs.catalogue.validation.y
    assert y is not None
    mine, truth = outputs[rows], y[rows]
    if inputs.catalogue.classes is not None:
        return np.asarray(mine.argmax(axis=1) != truth, dtype=float)
    kind = inputs.spec.task.kind
    scores = inputs.metric.rows(mine, truth) if kind == "custom" else soft_rows(kind, mine, truth)
    return -np.asarray(scores, dtype=float)


def _aside(inputs: Inputs) -> set[str]:
    """Columns that say which row it is, and no condition."""
    data = inputs.catalogue.validation
    options = [inputs.spec.data.base.options, inputs.spec.data.validation.options]
    named = {str(one["group"]) for one in options if one.get("group")}
    named |= {data.id, *data.likely_ids, *inputs.catalogue.base.likely_ids, "path", "__key__"}
    if data.time and np.issubdtype(np.asarray(data.metadata[data.time]).dtype, np.number):
        named.add(data.time)
    return named - {""}


def _held(catalogue: Catalogue, attributes: Attributes, learned: Learned) -> dict[str, Array]:
    """The attributes of what is held out, of the test set where all are there; no target is among them."""
    columns, found = learned.layout.columns, {"validation": learned.known[:, learned.layout.attributes]}
    if catalogue.test is not None:
        frame = attributes(catalogue.test)
        if all(one.source in frame for one in columns.columns):
            found["test"] = columns.encode(frame)
    return found


def _wanted(mined: Mined) -> list[int]:
    return list(dict.fromkeys([*(one.row for one in mined.picked), *(one.row for one in mined.corners)]))


def _content(
    inputs: Inputs,
    model: str,
    stream: str,
    learned: Learned,
    mined: Mined,
    seen: StreamFeatures,
    notes: tuple[str, ...],
) -> dict[str, Any]:
    """What was found, but for what lies in files."""
    drift = {
        "warned": mined.drifts,
        "attributes": [one.attribute for one in mined.moved],
        "moved": [one.to_dict() for one in mined.moved],
        "told_apart": {"auroc": round(mined.domain.auroc, 4), "low": round(mined.domain.low, 4)},
    }
    chunks = [
        {"first": at * CHUNK, "rows": min(CHUNK, mined.rows - at * CHUNK), **one.to_dict()}
        for at, one in enumerate(mined.chunks)
    ]
    return {
        "study": inputs.spec.name,
        "model": masked(model),
        "stream": masked(stream),
        "rows": mined.rows,
        "drift": drift,
        "error": {**mined.estimate.to_dict(), "of": _of(inputs, learned), "chunks": chunks},
        "represents": [one.to_dict() for one in mined.shares[:MOST_SHARES]],
        "learned": learned.to_dict(),
        "picked": [one.row for one in mined.picked],
        "columns_left_out": dict(learned.layout.columns.left_out),
        "notes": [*(left_out_words(*one) for one in learned.left_out.items()), *notes],
    }


def _of(inputs: Inputs, learned: Learned) -> dict[str, Any]:
    """What counts as a failure."""
    if inputs.catalogue.classes is not None:
        return {"failure": "wrong class"}
    return {"failure": "large error", "share_of_validation": round(float(learned.failed.mean()), 4)}


@contextlib.contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """A folder that is there whole or not at all, for its owner alone."""
    new = [parent for parent in folder.parents if not parent.exists()]
    try:
        with disk_told(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            yield unfinished
            with disk_told(folder):
                unfinished.rename(folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    except BaseException:
        for parent in new:
            with contextlib.suppress(OSError):
                parent.rmdir()
        raise
