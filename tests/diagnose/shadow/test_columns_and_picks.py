"""Which columns are attributes, how they are encoded, and which rows are picked."""

from __future__ import annotations

import numpy as np
import pandas as pd

from autodc.diagnose.shadow.columns import Columns
from autodc.diagnose.shadow.features import proxies
from autodc.diagnose.shadow.pick import pick


def frame(count: int = 200) -> pd.DataFrame:
    r = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "hour": r.integers(0, 24, count),
            "device": r.choice(["a", "b"], count),
            "flash": r.random(count) < 0.5,
            "taken": pd.date_range("2026-01-01", periods=count, freq="7h").strftime("%Y-%m-%dT%H:%M:%S"),
            "name": [f"picture {i}" for i in range(count)],
            "gone": r.normal(size=count),
            "mixed": r.normal(size=count),
        }
    )


def test_columns_that_both_have_are_attributes_and_dates_say_hour_and_day() -> None:
    known = frame()
    stream = frame().drop(columns="gone").assign(mixed="warm", new=1)
    found = Columns.shared(known, stream, skip=["hour"])
    assert found.names == ["device", "flash", "taken (hour)", "taken (weekday)"]
    assert found.left_out == {"name": "names", "gone": "lost", "mixed": "another type"}
    codes = found.encode(
        pd.DataFrame(
            {"device": ["a", "c", None], "flash": [True, False, None], "taken": ["2026-01-01T05:00", None, "x"]}
        )
    )
    assert codes[1, 0] == 2  # a device that validation does not have
    assert np.isnan(codes[2, :2]).all()
    assert codes[0, 2:].tolist() == [5, 3]
    assert np.isnan(codes[1:, 2:]).all()


def test_proxies_say_how_sure_a_classifier_is() -> None:
    values, names, predicted = proxies(np.array([[0.5, 0.3, 0.2], [0.98, 0.01, 0.01]]), is_classification=True)
    column = {name: values[:, at] for at, name in enumerate(names)}
    assert column["log-odds"][0] == np.float32(0.0)
    assert column["margin"][0] < column["margin"][1]
    assert column["entropy"][0] > column["entropy"][1]
    assert predicted is not None
    assert values[:, predicted].tolist() == [0, 0]


def test_picks_are_likely_failures_of_several_conditions_and_what_is_new_each_content_once() -> None:
    r = np.random.default_rng(1)
    count = 2000
    failure = r.uniform(0, 0.5, count)
    condition = np.full(count, -1)
    condition[:300], failure[:300] = 0, r.uniform(0.8, 0.9, 300)  # one condition could fill the sheet
    condition[300:400], failure[300:400] = 1, r.uniform(0.6, 0.7, 100)
    newness = r.normal(size=count)
    newness[1900:] += 6
    content = np.arange(count)
    content[:20] = content[0]
    found = pick(100, failure, newness, condition, content, r.integers(0, 3, count))
    rows = np.array([one.row for one in found])
    assert len(found) == len(set(content[rows])) == 100
    likely = [one for one in found if one.why == "likely failure"]
    assert len(likely) == 60
    assert sum(one.condition == 0 for one in likely) == 24
    assert sum(one.condition == 1 for one in likely) == 24
    assert np.mean([one.row >= 1900 for one in found if one.why == "new condition"]) > 0.8
    each = pick(100, failure, newness, condition, content, r.integers(0, 3, count), findings=[1, 2])
    assert sum(one.condition == 1 for one in each if one.why == "likely failure") >= 15
    condition[500:600], failure[500:600] = 2, 0.01  # a finding that is hardly likely to fail here
    each = pick(100, failure, newness, condition, content, r.integers(0, 3, count), findings=[1, 2])
    assert sum(one.condition == 2 for one in each) >= 15
    assert len({one.row for one in each}) == 100
    assert [one.row for one in pick(5000, failure[:30], newness[:30], condition[:30], content[:30], condition[:30])]
