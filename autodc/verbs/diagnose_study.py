"""Diagnoses a method, or the start of a study that is trained once for it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, final

import numpy as np

from autodc.adapters.finders.registry import finders_of
from autodc.masking import masked
from autodc.report.diagnosis import PAGE
from autodc.review import findings as told
from autodc.studyfile.study import MachineSpec, StudySpec
from autodc.verbs.diagnose_options import DiagnoseOptions, confirmed_rows, findings_wanted
from autodc.verbs.diagnosed import NOTHING_MORE, DiagnosisResult, write_page
from autodc.verbs.models import START, predicted, trained_once
from autodc.verbs.more_data import Asked, trained_more
from autodc.verbs.nearest import nearest, refuse_unused
from autodc.verbs.sizes import offers_of
from autodc.wire.checks import labels_seen
from autodc.wire.diagnosis import as_events, look
from autodc.wire.explored import known_of, refuse_uncut
from autodc.wire.inputs import read_inputs
from autodc.wire.workers import Workers

Array = np.ndarray[Any, Any]
Announce = Callable[[str], None]


def diagnosis_of_study(
    spec: StudySpec,
    machine: MachineSpec | None,
    out: str | os.PathLike[str] | None,
    method: str | None,
    options: DiagnoseOptions,
    more: Asked,
    workers: Workers,
    stage: Announce,
    stop: Callable[[], bool],
) -> DiagnosisResult:
    """Say where a method fails on the data of a study. method: None: the start, trained once."""
    finders = finders_of(options.finders, spec.folder)
    stage("reading the data")
    inputs = read_inputs(spec, workers=workers)
    refuse_uncut(inputs)
    refuse_unused(options.decoder, inputs)
    offers = offers_of(inputs, more.offers)
    with tempfile.TemporaryDirectory(prefix="autodc-") as scratch:
        if method is None:
            stage("training the start once")
            outputs = trained_once(inputs, machine, Path(scratch), stop)
        else:
            stage("predicting")
            outputs = predicted(inputs, method)
        stage("looking for where it fails")
        known = known_of(inputs, workers) if inputs.separation.is_cut else None
        looked = look(inputs, outputs, findings_wanted(spec), known, finders=finders)
        told_more = dict(NOTHING_MORE)
        if more:
            told_more, looked = trained_more(inputs, looked, more, offers, outputs, machine, Path(scratch), stage, stop)
        shown = _MemoryStore()
        made, found = as_events(looked, plan=inputs.start, trial=None, round_number=0, horizon=0, first=1, store=shown)
        near: dict[str, dict[str, Any]] = {}
        if not options.quick and looked.rows is not None:
            stage("looking for the nearest inputs on which it succeeds")
            model = str(Path(scratch) / START) if method is None else method
            near = nearest(
                inputs, looked.rows, confirmed_rows(found), model, stop, decoder=options.decoder, stage=stage
            )
    checks = labels_seen(inputs, looked.rows, options.quick, stage, stop, options.annotators)
    folder = Path(out if out is not None else Path("runs") / f"{spec.name}-diagnosis").absolute()
    classes = spec.task.kind == "classification"
    views = sorted((told.view(one, classes) for one in found), key=lambda one: one["status"] != "confirmed")
    result = DiagnosisResult(
        study=spec.name,
        model="the model of the start, trained once" if method is None else masked(method),
        rows=made.rows,
        views=tuple(views),
        notes=tuple(map(told.note_words, (*made.notes, *checks.notes))),
        page=folder / PAGE.name,
        folder=None,
        nearest=near,
        checks=checks,
        more_rows=told_more,
    )
    write_page(result, shown.read)
    return result


@final
class _MemoryStore:
    """Keeps what readers are shown in memory: a study file has no folder."""

    def __init__(self) -> None:
        self._arrays: dict[str, Mapping[str, Array]] = {}

    def put(self, arrays: Mapping[str, Array]) -> str:
        """Keep."""
        address = f"{len(self._arrays) + 1}"
        self._arrays[address] = dict(arrays)
        return address

    def get(self, address: str) -> Mapping[str, Array]:
        """What was kept."""
        return self._arrays[address]

    def drop(self, address: str) -> None:
        """Forget."""
        self._arrays.pop(address, None)

    def read(self, address: str) -> Mapping[str, Array] | None:
        """What was kept, or None."""
        return self._arrays.get(address)
