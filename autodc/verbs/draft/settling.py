"""The choices of a new study read as the study would read them, until all that is left fits."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import numpy as np

from autodc.data.dataset import Dataset
from autodc.errors import AutodcError, InputError, each_of
from autodc.studyfile.study import StudySpec
from autodc.verbs.draft.choices import DATA, SEED, Choices
from autodc.verbs.draft.cutting import TEST, TRAIN, VALIDATION, cut_rows
from autodc.verbs.draft.parts import write_parts
from autodc.verbs.draft.rows import FROM
from autodc.wire.inputs import Inputs, read_inputs

OVERLAPS = "ADC-DATA-024"


def settled(choices: Choices) -> tuple[Choices, Inputs]:
    """Read all as the study would, without what does not fit. Raises InputError for what cannot be left out."""
    while True:
        choices = _written(choices)
        spec = StudySpec.model_validate(choices.study()).placed(str(choices.folder))
        try:
            inputs = read_inputs(spec)
        except InputError as error:
            choices = _without(choices, error)
            continue
        pinned = _pinned(choices, inputs.catalogue.base)
        if pinned is None:
            return choices, inputs
        choices = pinned


def _pinned(choices: Choices, base: Dataset) -> Choices | None:
    """With the inputs of all rows, where the training rows alone suggest others; None where they do not."""
    wanted = tuple(name for name in choices.rows.inputs if name not in choices.aside)
    if choices.features is not None or not choices.rows.data.features or base.features == wanted:
        return None
    lost = [name for name in wanted if name not in base.features]
    if all(base.metadata[name].nunique(dropna=False) <= 1 for name in lost):
        return replace(choices, still=dict.fromkeys(lost, "the same in every training row"))
    return replace(choices, features=wanted)


def _written(choices: Choices) -> Choices:
    """With the parts that must be written: of a source that is cut, or rows without a target are left out of."""
    rows, folder = choices.rows, choices.folder / DATA
    shutil.rmtree(folder, ignore_errors=True)
    cut = None
    if choices.validation is None:
        cut = cut_rows(rows.data, rows.time, SEED, has_test=choices.test is not None)
        names, options = write_parts(rows, cut.parts, folder)
        options |= cut.options
    elif rows.cleaned:
        names, options = write_parts(rows, {TRAIN: np.arange(len(rows.data))}, folder)
    else:
        names, options = {}, {}
    return replace(choices, cut=cut, parts=names, part_options=options)


def _without(choices: Choices, error: InputError) -> Choices:
    """The same without what this error is about. Raises it where that is the source itself."""
    for one in each_of(error):
        what = f"{one.problem.partition(' (')[0]}{f': {one.got}' if one.got else ''}"
        for name, path in choices.candidates.items():
            if f"data.candidates[{name}]" in one.place:
                left = {other: file for other, file in choices.candidates.items() if other != name}
                unfit = {**choices.unfit, os.path.basename(path): what}
                return replace(choices, candidates=left, unfit=unfit)
        for part in (VALIDATION, TEST):
            held = choices.validation if part == VALIDATION else choices.test
            if f"data.{part}" in one.place and held is not None:
                unfit = {**choices.unfit, os.path.basename(held): what}
                if part == VALIDATION:
                    return replace(choices, unfit=unfit, validation=None)
                return replace(choices, unfit=unfit, test=None)
        if one.code == OVERLAPS and "data.base" in one.place and choices.overlap is None:
            return replace(choices, overlap="drop")
    raise _placed(error)


def _placed(error: InputError) -> AutodcError:
    for one in each_of(error):
        one.place = FROM if "data." in one.place else one.place
    return error
