"""How a slice joins a study that runs: the test set is cut by its rule too, once it is opened."""

from __future__ import annotations

import numpy as np

from autodc.data.where import select
from autodc.errors import DataError, InputError
from autodc.study.core import StudyCore
from autodc.studyfile.study import SliceSpec
from autodc.wire.attributes import measured_for
from autodc.wire.inputs import Inputs
from autodc.wire.study import cut


def admit_slice(inputs: Inputs, core: StudyCore, one: SliceSpec) -> None:
    """Let a slice join.

    Raises what `StudyCore.admit_slice` does, and InputError ADC-DIAG-015 where only the test set cannot read its rule.
    """
    if one.name not in core.state.question.slices and all(a.name != one.name for a in core.state.admitted):
        cut(inputs, one)
        refuse_unreadable(inputs, one)
    core.admit_slice(one)


def refuse_unreadable(inputs: Inputs, one: SliceSpec) -> None:
    """Raise InputError ADC-DIAG-015 where the test set lacks what the rule of a slice names, or has it otherwise.

    The targets of the test set stay sealed: a rule that names them is tried with others of their kind.
    """
    test = inputs.catalogue.test
    if test is None or one.where is None:
        return
    test = measured_for((one,), inputs.spec, inputs.catalogue, test)
    try:
        known = inputs.catalogue.original_target(inputs.catalogue.validation)
        target = None if known is None or not len(known) else np.resize(known, (len(test), *known.shape[1:]))
        select(one.where, test.columns, target, place=one.name)
    except DataError as error:
        raise InputError(
            "ADC-DIAG-015",
            "the rule of this slice cannot be read on the test set, which is cut into the same slices in the end",
            f"slice {one.name}",
            f"{one.where}: {error.brief}",
            "take another rule or finding, or begin a new study whose test set has the column as validation has it",
        ) from None
