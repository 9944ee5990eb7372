"""What `where` may say, what it may not, and that nothing else is in its reach."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodc.data.where import select
from autodc.errors import DataError
from autodc.testing.waiting import PATIENCE

ROWS = 3000
PLACE = "study.yaml: slices[dark].where"
METADATA = pd.DataFrame(
    {
        "brightness": np.linspace(0, 1, ROWS),
        "Camera": ["left", "right", None] * (ROWS // 3),
        "taken at": pd.date_range("2024-01-01", periods=ROWS, freq="h"),
        "flag": np.arange(ROWS) % 2 == 0,
        "maybe": np.where(np.arange(ROWS) % 5 == 0, np.nan, 1.0),
        "tag": pd.array([1, None, 3] * (ROWS // 3), dtype="Int64"),
    }
)
TARGET = np.array(["cat", "dog", "cow"] * (ROWS // 3))


def chosen(where: Any, target: Any = TARGET) -> Any:
    return select(where, METADATA, target, place=PLACE)


def refused(where: Any, target: Any = TARGET) -> Any:
    with pytest.raises(DataError) as caught:
        chosen(where, target)
    assert caught.value.place == PLACE
    return caught.value


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("brightness < 0.2", METADATA.brightness < 0.2),
        ("camera = 'left'", METADATA.Camera == "left"),
        ("Camera <> 'left'", METADATA.Camera == "right"),
        ("Camera IS NULL", METADATA.Camera.isna()),
        ("NOT (Camera = 'left')", METADATA.Camera == "right"),
        ("\"taken at\" >= '2024-02-01'", METADATA["taken at"] >= "2024-02-01"),
        ("flag", METADATA.flag),
        ("maybe > 0", METADATA.maybe > 0),
        ("tag = 3", (METADATA.tag == 3).fillna(False)),
        ("target = 'dog'", TARGET == "dog"),
        ("target IN ('dog', 'cow') AND brightness BETWEEN 0.1 AND 0.2",
         np.isin(TARGET, ["dog", "cow"]) & METADATA.brightness.between(0.1, 0.2)),
        ("CASE WHEN flag THEN brightness > 0.5 ELSE FALSE END", METADATA.flag & (METADATA.brightness > 0.5)),
        ("lower(Camera) LIKE 'le%' -- a comment", METADATA.Camera == "left"),
        ("regexp_matches(Camera, '^r')", METADATA.Camera == "right"),
        ("CAST(flag AS INTEGER) = 1", METADATA.flag),
        ("coalesce(Camera, 'none') = 'none'", METADATA.Camera.isna()),
        ("true", np.ones(ROWS, bool)),
        ("Camera = NULL", np.zeros(ROWS, bool)),
    ],
)  # fmt: skip
def test_conditions(where: Any, expected: Any) -> None:
    mask = chosen(where)
    assert mask.dtype == np.bool_
    np.testing.assert_array_equal(mask, np.asarray(expected, dtype=bool))


NUMBERS = pd.DataFrame({"text": ["9.50", "10", "10.49", " 7 "], "n": [9, 10, 11, 7], "x": [9.5, 10, 10.49, 7]})


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("text = 10", [1]),
        ("10 <> text", [0, 2, 3]),
        ("text IN (10, 7)", [1, 3]),
        ("text NOT IN (10, '7')", [0, 2]),
        ("text > 9 AND text < 10.2", [0, 1]),
        ("text BETWEEN 9 AND 10", [0, 1]),
        ("trim(text) = 10", [1]),
        ("text = n", [1, 3]),
        ("CASE text WHEN 10 THEN true ELSE false END", [1]),
        ("n = '10.4'", []),
        ("n > '9.6'", [1, 2]),
        ("n IN ('10.4', '11')", [2]),
        ("n + 1 = '11.4'", []),
        ("n = '1e1'", [1]),
        ("x = '10'", [1]),
        ("text = '10'", [1]),
        ("text > '9'", [0]),
        ("n IS NOT DISTINCT FROM '10.4'", []),
        ("CAST(text AS INTEGER) = 10", [0, 1, 2]),
    ],
)
def test_text_and_numbers_are_compared_without_rounding(where: Any, found: Any) -> None:
    assert np.flatnonzero(select(where, NUMBERS, None, place=PLACE)).tolist() == found


def test_labels_of_text_and_numbers() -> None:
    target = np.array(["9.50", "10", "10.49", "7"])
    assert select("target = 10", NUMBERS, target, place=PLACE).tolist() == [False, True, False, False]


def test_text_that_is_no_number_is_refused_with_the_way_out() -> None:
    problem = refused("Camera = 3")
    assert problem.code == "ADC-DATA-034"
    assert "TRY_CAST" in problem.hint
    assert not chosen("TRY_CAST(Camera AS DOUBLE) = 3").any()


def test_numeric_targets_and_no_metadata() -> None:
    mask = select("target > 1", pd.DataFrame(index=range(4)), np.array([0, 1, 2, 3]), place=PLACE)
    assert mask.tolist() == [False, False, True, True]


@pytest.mark.parametrize(
    ("where", "nearest"),
    [("brigthness < 1", "`brightness`"), ("CAMRA = 'x'", "`Camera`"), ("tagret = 'x'", "`target`")],
)
def test_an_unknown_column_is_named_with_the_nearest(where: Any, nearest: Any) -> None:
    problem = refused(where)
    assert problem.code == "ADC-DATA-031"
    assert where.split()[0] in problem.problem
    assert nearest in problem.hint


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ("brightness", "ADC-DATA-032"),
        ("'text'", "ADC-DATA-032"),
        ("NULL", "ADC-DATA-032"),
        (" ", "ADC-DATA-030"),
        ("(flag, flag)", "ADC-DATA-033"),
        ("brightness <", "ADC-DATA-030"),
        ("brightness < 0.2 dark", "ADC-DATA-030"),
        ("1=1; drop table x", "ADC-DATA-030"),
        ("1=1); drop table examples; --", "ADC-DATA-030"),
        ("true) FROM examples --", "ADC-DATA-030"),
        ("true), (false", "ADC-DATA-030"),
        ("true) UNION SELECT (true", "ADC-DATA-030"),
        ("true LIMIT 1", "ADC-DATA-030"),
        ("SELECT true", "ADC-DATA-033"),
        ("EXISTS (SELECT 1)", "ADC-DATA-033"),
        ("brightness IN (SELECT 1)", "ADC-DATA-033"),
        ("brightness > (FROM examples)", "ADC-DATA-033"),
        ("EXISTS (FROM read_text('/etc/passwd'))", "ADC-DATA-033"),
        ("EXISTS (FROM '/etc/passwd')", "ADC-DATA-033"),
        ("read_text('/etc/passwd') = ''", "ADC-DATA-033"),
        ("getenv('HOME') = ''", "ADC-DATA-033"),
        ("current_setting('threads') = 1", "ADC-DATA-033"),
        ("random() < 0.5", "ADC-DATA-033"),
        ('now() > "taken at"', "ADC-DATA-033"),
        ("current_date > '2020-01-01'", "ADC-DATA-031"),
        ("rowid < 5", "ADC-DATA-031"),
        ("examples.flag", "ADC-DATA-031"),
        ("count(*) > 1", "ADC-DATA-033"),
        ("avg(brightness) > 0.1", "ADC-DATA-033"),
        ("row_number() OVER () < 5", "ADC-DATA-033"),
        ("COLUMNS(*) > 0", "ADC-DATA-033"),
        ("brightness < ?", "ADC-DATA-033"),
        ("nosuchfunction(flag)", "ADC-DATA-033"),
        ("length(repeat(Camera, 1000000000)) > 1", "ADC-DATA-033"),
        ("Camera COLLATE NOCASE = 'LEFT'", "ADC-DATA-033"),
        ("[x FOR x IN [flag]][1]", "ADC-DATA-033"),
        ("Camera > 3", "ADC-DATA-034"),
        ("CAST(Camera AS INTEGER) = 1", "ADC-DATA-034"),
    ],
)
def test_anything_but_one_condition_is_refused(where: Any, code: Any) -> None:
    assert refused(where).code == code


def test_local_variables_and_frames_are_out_of_reach() -> None:
    frame = pd.DataFrame({"secret": [1]})
    assert refused("EXISTS (FROM frame)").code == "ADC-DATA-033"
    assert refused("frame.secret = 1").code == "ADC-DATA-031"
    assert len(frame) == 1


def test_a_sealed_target_and_a_target_of_images() -> None:
    assert refused("target = 'dog'", None).code == "ADC-DATA-035"
    assert refused("target = 1", np.zeros((ROWS, 2, 2))).code == "ADC-DATA-035"
    assert chosen("flag", None).sum() == ROWS // 2


def test_columns_that_differ_in_case_alone() -> None:
    frame = pd.DataFrame({"A": [1, 2], "a": [2, 1]})
    assert select("a = 1", frame, None, place=PLACE).tolist() == [False, True]
    with pytest.raises(DataError, match="case alone"):
        select("a = 1 AND A = 2", frame, None, place=PLACE)


def test_a_forked_process_has_a_database_of_its_own() -> None:
    chosen("flag")
    child = os.fork()
    if child == 0:
        os._exit(0 if chosen("flag").sum() == ROWS // 2 else 1)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert os.waitstatus_to_exitcode(status) == 0
            return
    os.kill(child, 9)
    pytest.fail("the child hangs")


@pytest.mark.parametrize(
    ("where", "mended"),
    [
        ("city = Berlin", "city = 'Berlin'"),
        ('city = "Berlin"', "city = 'Berlin'"),
        ("Berlin = city", "'Berlin' = city"),
        ("population > 3 AND city <> Berlin", "population > 3 AND city <> 'Berlin'"),
        ("city IN (Berlin, 'Bonn')", "city IN ('Berlin', 'Bonn')"),
        ("city IN (Berlin, Bonn)", "city IN ('Berlin', 'Bonn')"),
        ("city NOT IN (Bonn, 'Bad Bonn', \"Berlin\")", "city NOT IN ('Bonn', 'Bad Bonn', 'Berlin')"),
        ("city IN (New York, 'Bonn')", "city IN ('New York', 'Bonn')"),
        ("city = Berlin OR city = Bonn AND population > 3", "city = 'Berlin' OR city = 'Bonn' AND population > 3"),
        ("city = New York", "city = 'New York'"),
        ("target = cat", "target = 'cat'"),
    ],
)
def test_a_value_without_quotes_is_told_in_quotes(where: Any, mended: Any) -> None:
    rows = pd.DataFrame({"city": ["Berlin", "New York"], "population": [3, 8]})
    with pytest.raises(DataError) as caught:
        select(where, rows, np.array(["cat", "dog"]), place="slices[0].where")
    assert caught.value.hint == f"text stands in quotes: {mended}"
    assert select(mended, rows, np.array(["cat", "dog"]), place="").dtype == bool


def test_a_slip_in_the_name_of_a_column_is_still_told_so() -> None:
    with pytest.raises(DataError, match="did you mean `city`"):
        select("citty = 'Berlin'", pd.DataFrame({"city": ["Berlin"]}), None, place="")
