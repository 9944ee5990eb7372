"""`autodc diagnose`: where a model fails and why, on rows the gate never decides by."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from autodc.adapters.executors import shared_child
from autodc.diagnose.decoder import Components
from autodc.diagnose.finder import Finder
from autodc.errors import InputError
from autodc.studyfile.study import MachineSpec, StudySpec
from autodc.verbs.diagnose_options import DiagnoseOptions
from autodc.verbs.diagnose_run import diagnosis_of_run
from autodc.verbs.diagnose_study import diagnosis_of_study
from autodc.verbs.diagnosed import DiagnosisResult
from autodc.verbs.more_data import Asked, unasked
from autodc.wire.annotators import USUAL
from autodc.wire.workers import local_workers

Announce = Callable[[str], None]


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
    options = DiagnoseOptions(
        quick=quick, finders=tuple(finders), annotators=tuple(annotators) or USUAL, decoder=decoder
    )
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
            return diagnosis_of_study(study, machine, out, method, options, more, workers, stage, stop)
    if curves or offers:
        hint = "a run tells what more rows would do by the trainings it has; name the study file to train for it"
        raise unasked("learning curves are trained on a study file", str(study), hint)
    if method is not None:
        hint = "name the study file to diagnose a method on, or leave --method out for the model of this run"
        raise InputError("ADC-DIAG-014", "a run is diagnosed with its own model", "--method", method, hint)
    with shared_child():
        return diagnosis_of_run(
            Path(study), out, promote, replace(options, quick=quick or promote is not None), stage, stop
        )
