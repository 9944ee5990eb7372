"""Diagnoses the incumbent of a run, and makes a finding of it a slice of the study."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autodc.adapters.artefacts import ArtefactStore
from autodc.adapters.finders.registry import finders_of
from autodc.adapters.methods import INCUMBENT
from autodc.diagnose.finder import Finder
from autodc.diagnose.view import View as Rows
from autodc.errors import AutodcError
from autodc.report.diagnosis import PAGE
from autodc.review import findings as told
from autodc.review.promoted import promoted_words
from autodc.study.core import StudyCore
from autodc.study.journal.state import State
from autodc.study.phases.order import view_of
from autodc.study.ports import ArtefactLost
from autodc.study.rules.more_rows import of_slices
from autodc.studyfile.study import SliceSpec
from autodc.verbs.diagnose_options import DiagnoseOptions, confirmed_rows, findings_wanted
from autodc.verbs.diagnosed import NOTHING_MORE, DiagnosisResult, write_page
from autodc.verbs.folder import open_state
from autodc.verbs.models import predicted
from autodc.verbs.more_data import with_more
from autodc.verbs.nearest import nearest, refuse_unused
from autodc.verbs.outputs import exhibits_of, written_again
from autodc.verbs.reopening import read_again, reopened
from autodc.wire.checks import Checks, labels_seen
from autodc.wire.diagnosis import Looked, as_events, look, looks, with_more_rows
from autodc.wire.explored import explored, known_of
from autodc.wire.inputs import Inputs
from autodc.wire.promoting import admit_slice

Array = np.ndarray[Any, Any]
Announce = Callable[[str], None]


def diagnosis_of_run(
    folder: Path,
    out: str | os.PathLike[str] | None,
    promote: str | None,
    options: DiagnoseOptions,
    stage: Announce,
    stop: Callable[[], bool],
) -> DiagnosisResult:
    """Say where the incumbent fails; a run whose findings are known is not looked at anew. promote: see `diagnose`."""
    state, words, near = open_state(folder), "", dict[str, dict[str, Any]]()
    if promote is not None:
        told.promotable(state, promote)
    finders = finders_of(options.finders, state.folder)
    known = state.diagnosed(state.incumbent)
    is_known = not options.finders and known is not None and known.is_whole and known.made.rows > 0
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
    if not options.quick:
        try:
            again = inputs or read_again(folder, state)
            rows = _rows_of(again, state, folder) if rows is None else rows
        except AutodcError as error:  # what is found stands in the journal
            notes.append(f"the nearest inputs on which it succeeds, and labels: {error}")
        else:
            refuse_unused(options.decoder, again)
            near = _nearest(again, rows, state, folder, options.decoder, stage, stop)
            checks = labels_seen(again, rows, options.quick, stage, stop, options.annotators)
    if checks.validation is None and checks.training is None:
        checks.recall(state.labels, exhibits_of(folder))
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
    looked: Looked = look(inputs, outputs, findings_wanted(inputs.spec), finders=finders, before=looks(state))
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
        if not (folder / INCUMBENT).is_dir():
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
    if rows is None or looked is None or looked.plan != state.incumbent or not (folder / INCUMBENT).is_dir():
        return {}
    found = confirmed_rows([state.findings[name] for name in looked.ids])
    if not found:
        return {}
    stage("looking for the nearest inputs on which it succeeds")
    return nearest(inputs, rows, found, str(folder.absolute()), stop, decoder=decoder, stage=stage)


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


def _of_which(state: State) -> str:
    looked = told.last_looked(state)
    kept = ", ".join(state.kept)
    if looked is not None and looked.plan != state.incumbent:
        return f"the incumbent of round {looked.made.round}; another one has taken over since"
    return f"the incumbent, trained on base and {kept}" if kept else "the incumbent, trained on the base alone"
