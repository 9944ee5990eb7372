"""Opens the folder of a run again as its own study, whatever its file says by now: to look at it, to add to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autodc.errors import InputError
from autodc.study.core import StudyCore
from autodc.study.journal.state import State
from autodc.study.rules.extend import changes
from autodc.study.view import spec_of
from autodc.studyfile.study import StudySpec
from autodc.wire.inputs import Inputs, read_inputs
from autodc.wire.study import given_events, open_study, started_event, warm_start


@contextmanager
def reopened(folder: Path, state: State) -> Iterator[tuple[Inputs, StudyCore]]:
    """The study of a run, open to be written to.

    Raises what `read_again` does, and ADC-JRNL-004 while another process has it open.
    """
    inputs = read_again(folder, state)
    core, journal = open_study(inputs, folder)
    try:
        yield inputs, core
    finally:
        journal.close()


def read_again(folder: Path, state: State) -> Inputs:
    """What the study of a run names, read again.

    Raises InputError ADC-DIAG-009 where the journal is of an older autodc and does not say against which folder its
    paths are read, 010 where its data have changed since.
    """
    inputs = read_inputs(_spec(folder, state), folder)
    now = started_event(inputs, warm_start(inputs, folder))
    if moved := [c.key for c in changes(state, now, given_events(inputs))]:
        hint = "put the data back as they were, or go on with the study by `autodc run` first"
        raise InputError("ADC-DIAG-010", "this run was made with other data", str(folder), ", ".join(moved), hint)
    return inputs


def _spec(folder: Path, state: State) -> StudySpec:
    """The study as the journal has it. Where it cuts its rows as is usual, nobody asked for that cut."""
    if not state.folder:
        raise InputError(
            "ADC-DIAG-009",
            "the journal does not say where the study file lies: it was begun by an older autodc",
            str(folder),
            "no folder of a study file",
            f"diagnose the model of this run on its study: autodc diagnose STUDY --method {folder}",
        )
    spec = spec_of(state)
    data = spec.data
    if data.explore_share == type(data).model_fields["explore_share"].default:
        unasked = data.model_copy()
        unasked.model_fields_set.discard("explore_share")
        spec = spec.model_copy(update={"data": unasked})
    return spec.placed(state.folder)
