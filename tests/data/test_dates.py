"""Dates as people write them: each spelling that means one day, and none that may mean two."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from autodc.adapters.sources.kinds import column_type
from autodc.data.times import dates


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        (["2012-01-31", "2012-02-01"], ["2012-01-31", "2012-02-01"]),
        (["2012/01/31", "2012/2/1"], ["2012-01-31", "2012-02-01"]),
        (["2012/01/31 13:30", "2012/2/1 00:00"], ["2012-01-31 13:30", "2012-02-01"]),
        (["2012/01/31 13:30:05", None], ["2012-01-31 13:30:05", None]),
    ],
)
def test_a_spelling_that_means_one_day_is_a_date(spelling: Any, expected: Any) -> None:
    column = pd.Series(spelling)
    assert column_type(column) == "date"
    pd.testing.assert_series_equal(dates(column), pd.Series(pd.to_datetime(expected, utc=True, format="mixed")))


@pytest.mark.parametrize("spelling", [["1/2/2012", "3/4/2012"], ["2012/13/31", "2012/1/1"], ["2012/1/31x", "2012/1/1"]])
def test_one_that_may_mean_two_is_none(spelling: Any) -> None:
    assert column_type(pd.Series(spelling)) != "date"
