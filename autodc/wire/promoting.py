"""Whether a finding may become a slice: the test set is cut by its rule too, once it is opened."""

from __future__ import annotations

import numpy as np

from autodc.data.where import select
from autodc.errors import DataError, InputError
from autodc.studyfile.study import SliceSpec
from autodc.wire.attributes import measured_for
from autodc.wire.inputs import Inputs


def refuse_unreadable(inputs: Inputs, one: SliceSpec) -> None:
    """Raise InputError ADC-DIAG-015 where the test set lacks what the rule of a slice names, or has it otherwise.

    No target is looked at: where the rule names the class, the labels of the study stand in for those of the test set.
    """
    test = inputs.catalogue.test
    if test is None or one.where is None:
        return
    test = measured_for((one,), inputs.spec, inputs.catalogue, test)
    classes = inputs.catalogue.classes
    stand_in = None if classes is None else np.resize(np.asarray(classes), len(test))
    try:
        select(one.where, test.columns, stand_in, place="--promote")
    except DataError as error:
        raise InputError(
            "ADC-DIAG-015",
            "the rule of this finding cannot be read on the test set, which is cut into the same slices in the end",
            "--promote",
            f"{one.name}: {one.where}: {': '.join(filter(None, (error.problem, error.got)))}",
            "promote another finding, or begin a new study whose test set has the column as validation has it",
        ) from None
