"""`autodc diagnose`: where a model fails and why, on rows the gate never decides by; and a finding made a slice."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np

from autodc.adapters.artefacts import ArtefactStore
from autodc.adapters.executors import shared_child
from autodc.adapters.finders.registry import finders_of
from autodc.diagnose.decoder import Components
from autodc.diagnose.finder import Finder
from autodc.diagnose.view import View as Rows
from autodc.errors import AutodcError, InputError
from autodc.masking import masked
from autodc.report.diagnosis import PAGE
from autodc.review import findings as told
from autodc.review.labels import seen_by
from autodc.review.promoted import promoted_words
from autodc.study.core import StudyCore
from autodc.study.journal import events as ev
from autodc.study.journal.state import State
from autodc.study.phases.order import view_of
from autodc.study.ports import ArtefactLost
from autodc.study.rules.more_rows import of_slices
from autodc.studyfile.study import LoopSpec, MachineSpec, SliceSpec, StudySpec
from autodc.verbs.diagnosed import NOTHING_MORE, DiagnosisResult, write_page
from autodc.verbs.folder import open_state
from autodc.verbs.models import START, predicted, trained_once
from autodc.verbs.more_data import Asked, trained_more, unasked, with_more
from autodc.verbs.nearest import nearest, refuse_unused
from autodc.verbs.reopening import read_again, reopened
from autodc.verbs.run import exhibits_of, written_again
from autodc.verbs.sizes import offers_of
from autodc.wire.annotators import USUAL
from autodc.wire.checks import Checks, labels_seen
from autodc.wire.diagnosis import Looked, as_events, look, looks, with_more_rows
from autodc.wire.explored import explored, known_of, refuse_uncut
from autodc.wire.inputs import Inputs, read_inputs
from autodc.wire.promoting import admit_slice
from autodc.wire.workers import Workers, local_workers

Array = np.ndarray[Any, Any]
Announce = Callable[[str], None]

MODEL = Path("models") / "incumbent"
"""Below the folder of a run."""


def diagnose(
    study: StudySpec | str | os.PathLike[str],
    machine: MachineSpec | None = None,
    out: str | os.PathLike[str] | None = None,
    *,
    method: str | None = None,
    promote: str | None = None,
    quick: bool = False,
    finders: Sequence[str | Finder] = (),
    curves: bool = False,
    offers: Sequence[str] = (),
    annotators: Sequence[str] = (),
    decoder: str = Components.name,
    stage: Announce = lambda words: None,
    stop: Callable[[], bool] = lambda: False,
) -> DiagnosisResult:
    """Say where a model fails, and write a page of it.

    study: a spec: its start is trained once, or `method` predicts; the folder of a run: its incumbent; out: folder of
    the page, left out: `diagnosis` in a run's folder, else `runs/<name>-diagnosis`; method: a METHOD that is diagnosed
    instead of the start; promote: a finding of a run that becomes a target slice of it; quick: without looking for the
    nearest inputs on which the model succeeds, for which it is asked again and again, and without labels of training
    rows; of a run without all labels, for then no data are read; finders: who looks beside the usual ones, `sliceline`,
    `path/to/file.py:Object`, an installed name, or a `Finder`; a run is looked at anew then, and what is found joins
    its journal; curves: of a study, the start is trained on parts of the base too, so that it can be said what more
    rows would do; offers: NAME=ROWS each, a candidate that is a sample of so many rows, told what all of it would be
    worth; annotators: names or shell patterns of metadata columns that hold labels of several people, left out: those
    called `annotator…`; decoder: in which the nearest pictures and other arrays are looked for, `pca` or `vae`. The
    same study, model and finders, the same findings. Raises InputError ADC-DIAG-001 and 002 where validation has no
    rows for it, 006 to 015, 023 to 025 of a finder, 046 to 048 where the decoder is none for these inputs, 058 and 060.
    """
    wishes = _Wishes(quick=quick, finders=tuple(finders), annotators=tuple(annotators) or USUAL, decoder=decoder)
    if isinstance(study, StudySpec):
        if promote is not None:
            hint = "run the study, then: autodc diagnose DIR --promote FINDING"
            raise InputError(
                "ADC-DIAG-013", "a finding is promoted in a run, not in a file", "--promote", promote, hint
            )
        more = Asked(curves=curves, offers=tuple(offers))
        if more and method is not None:
            raise unasked("what more rows would do is asked of the start of a study, not of a method", method)
        with shared_child(), local_workers(stop) as workers:
            return _of_study(study, machine, out, method, wishes, more, workers, stage, stop)
    if curves or offers:
        hint = "a run tells what more rows would do by the trainings it has; name the study file to train for it"
        raise unasked("learning curves are trained on a study file", str(study), hint)
    if method is not None:
        hint = "name the study file to diagnose a method on, or leave --method out for the model of this run"
        raise InputError("ADC-DIAG-014", "a run is diagnosed with its own model", "--method", method, hint)
    with shared_child():
        return _of_run(Path(study), out, promote, replace(wishes, quick=quick or promote is not None), stage, stop)


def _of_study(
    spec: StudySpec,
    machine: MachineSpec | None,
    out: str | os.PathLike[str] | None,
    method: str | None,
    wishes: _Wishes,
    more: Asked,
    workers: Workers,
    stage: Announce,
    stop: Callable[[], bool],
) -> DiagnosisResult:
    finders = finders_of(wishes.finders, spec.folder)
    stage("reading the data")
    inputs = read_inputs(spec, workers=workers)
    refuse_uncut(inputs)
    refuse_unused(wishes.decoder, inputs)
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
        looked = look(inputs, outputs, _most(spec), known, finders=finders)
        told_more = dict(NOTHING_MORE)
        if more:
            told_more, looked = trained_more(inputs, looked, more, offers, outputs, machine, Path(scratch), stage, stop)
        shown = _Shown()
        made, found = as_events(looked, plan=inputs.start, trial=None, round_number=0, horizon=0, first=1, store=shown)
        near: dict[str, dict[str, Any]] = {}
        if not wishes.quick and looked.rows is not None:
            stage("looking for the nearest inputs on which it succeeds")
            model = str(Path(scratch) / START) if method is None else method
            near = nearest(inputs, looked.rows, _sure(found), model, stop, decoder=wishes.decoder, stage=stage)
    checks = labels_seen(inputs, looked.rows, wishes.quick, stage, stop, wishes.annotators)
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


def _of_run(
    folder: Path,
    out: str | os.PathLike[str] | None,
    promote: str | None,
    wishes: _Wishes,
    stage: Announce,
    stop: Callable[[], bool],
) -> DiagnosisResult:
    state, words, near = open_state(folder), "", dict[str, dict[str, Any]]()
    if promote is not None:
        told.promotable(state, promote)
    finders = finders_of(wishes.finders, state.folder)
    known = state.diagnosed(state.incumbent)
    is_known = not wishes.finders and known is not None and known.is_whole and known.made.rows > 0
    notes, checks, again = [], Checks(), None
    inputs: Inputs | None = None
    rows: Rows | None = None
    if promote is not None or not is_known:
        stage("reading the data")
        with reopened(folder, state) as (inputs, core):
            if not is_known:
                stage("looking for where it fails")
                rows = _look_again(inputs, core, folder, finders)
            if promote is not None:
                words = _promote(inputs, core, promote)
            written_again(core.state, folder)
            state = core.state
    if not wishes.quick:
        try:
            again = inputs or read_again(folder, state)
            rows = _rows_of(again, state, folder) if rows is None else rows
        except AutodcError as error:  # what is found stands in the journal
            notes.append(f"the nearest inputs on which it succeeds, and labels: {error}")
        else:
            refuse_unused(wishes.decoder, again)
            near = _nearest(again, rows, state, folder, wishes.decoder, stage, stop)
            checks = labels_seen(again, rows, wishes.quick, stage, stop, wishes.annotators)
    if checks.validation is None and checks.training is None:
        checks.recall(seen_by(state), exhibits_of(folder))
    checks.look_at_slices(state, again)
    looked = told.last_looked(state)
    result = DiagnosisResult(
        study=state.question.name,
        model=_of_which(state),
        rows=0 if looked is None else looked.made.rows,
        views=with_more(told.views(state), again, state, folder),
        notes=(*told.notes(state), *notes, *map(told.note_words, checks.notes)),
        page=(folder / PAGE if out is None else Path(out) / PAGE.name).absolute(),
        folder=folder,
        nearest=near,
        checks=checks,
        more_rows={
            **NOTHING_MORE,
            "slices": {n: [o.to_dict() for o in v] for n, v in of_slices(view_of(state)).items()},
        },
        gone=tuple(told.gone(state)),
        promoted=words,
    )
    write_page(result, exhibits_of(folder))
    return result


def _look_again(inputs: Inputs, core: StudyCore, folder: Path, finders: Sequence[Finder]) -> Rows | None:
    """Look with the predictions that are kept of the incumbent, or let its model predict again; what was looked at."""
    state = core.state
    plan = state.incumbent
    assert plan is not None
    trial = state.shown_by(plan)
    try:
        outputs = core.outputs(plan)
    except ArtefactLost:
        outputs = None
    if outputs is None:
        trial, outputs = None, predicted(inputs, str(folder.absolute()))
    looked: Looked = look(inputs, outputs, _most(inputs.spec), finders=finders, before=looks(state))
    looked = with_more_rows(looked, inputs, view_of(state), core.store)
    made, found = as_events(
        looked,
        plan=plan,
        trial=trial,
        round_number=state.round,
        horizon=state.horizon,
        first=state.next_finding,
        store=core.store,
    )
    core.record(made, *found)
    return looked.rows


def _rows_of(inputs: Inputs, state: State, folder: Path) -> Rows | None:
    """The explore rows with what the incumbent of a run predicts of them; None where they cannot be looked at."""
    assert state.incumbent is not None
    if not inputs.separation.is_cut:
        return None
    try:
        outputs = ArtefactStore(folder / "outcomes").get(state.outputs[state.incumbent])
    except (ArtefactLost, KeyError):
        if not (folder / MODEL).is_dir():
            return None
        outputs = predicted(inputs, str(folder.absolute()))
    return explored(inputs, outputs, known_of(inputs))


def _nearest(
    inputs: Inputs,
    rows: Rows | None,
    state: State,
    folder: Path,
    decoder: str,
    stage: Announce,
    stop: Callable[[], bool],
) -> dict[str, dict[str, Any]]:
    """The nearest inputs on which the model of a run succeeds; nothing where it has no model yet."""
    looked = told.last_looked(state)
    if rows is None or looked is None or looked.plan != state.incumbent or not (folder / MODEL).is_dir():
        return {}
    found = _sure([state.findings[name] for name in looked.ids])
    if not found:
        return {}
    stage("looking for the nearest inputs on which it succeeds")
    return nearest(inputs, rows, found, str(folder.absolute()), stop, decoder=decoder, stage=stage)


def _sure(found: Sequence[ev.FindingMade]) -> list[dict[str, Any]]:
    """Those that are confirmed, with the rows inside."""
    return [{"id": one.id, "ids": list(one.ids)} for one in found if one.status == "confirmed"]


def _promote(inputs: Inputs, core: StudyCore, name: str) -> str:
    """Make a finding a target slice, called as the finding where that name is free; say what that changes."""
    one = told.promotable(core.state, name)
    before = tuple(s.name for s in inputs.spec.targets) + tuple(
        a.name for a in core.state.admitted if a.rule.get("role") == "target" and not a.finding
    )
    called = f"{one.id}_finding" if one.id in core.state.question.slices else one.id
    made = SliceSpec(name=called, where=one.rule, role="target")
    admit_slice(inputs, core, made)
    return promoted_words(core.state, one, called, before)


def _most(spec: StudySpec) -> int:
    """How many findings are looked for."""
    return spec.loop.findings or int(LoopSpec().findings)


def _of_which(state: State) -> str:
    looked = told.last_looked(state)
    kept = ", ".join(state.kept)
    if looked is not None and looked.plan != state.incumbent:
        return f"the incumbent of round {looked.made.round}; another one has taken over since"
    return f"the incumbent, trained on base and {kept}" if kept else "the incumbent, trained on the base alone"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Wishes:
    """How a diagnosis is to be made; see `diagnose`."""

    quick: bool
    finders: tuple[str | Finder, ...]
    annotators: tuple[str, ...]
    decoder: str


@final
class _Shown:
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
