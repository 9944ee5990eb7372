"""What an estimator gets of a table: numbers it takes as they are lie as the table has them, gaps among them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import HistGradientBoostingClassifier

from autodc.adapters.trainers.encoding import encoder_of
from autodc.table import Table


def test_numbers_that_an_estimator_takes_with_gaps_are_given_to_it_untouched() -> None:
    frame = pd.DataFrame(load_breast_cancer().data, columns=[f"n{at}" for at in range(30)])
    frame.iloc[::7, 3] = np.nan
    frame["whole"] = np.arange(len(frame))
    table = Table.of("table", frame, ["number"] * 30 + ["integer"])
    encoder = encoder_of(HistGradientBoostingClassifier(), "auto", table, is_own=False, scale=None)
    assert encoder is not None
    np.testing.assert_array_equal(encoder.fit_transform(table[:400]), frame[:400].to_numpy(float))
    np.testing.assert_array_equal(encoder.transform(table[400:]), frame[400:].to_numpy(float))
    assert encoder.names == tuple(frame.columns)
    assert encoder.categorical == [False] * 31
