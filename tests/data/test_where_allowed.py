"""What a condition may call, and that nothing of it can make much out of little or take for ever."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodc.data import where_allowed
from autodc.data.where import _connection, select
from autodc.errors import DataError

ROWS = 40
METADATA = pd.DataFrame(
    {
        "x": np.linspace(0, 1, ROWS),
        "n": np.arange(ROWS),
        "s": ["aab", "abc", None, "1,5 €"] * (ROWS // 4),
        "j": ['{"a": 1, "b": [1, 2]}'] * ROWS,
        "t": pd.date_range("2024-01-01", periods=ROWS, freq="h"),
    }
)


def rows(where: str, **limits: Any) -> list[int]:
    return np.flatnonzero(select(where, METADATA, None, place="slices[0].where", **limits)).tolist()


def refused(where: str, **limits: Any) -> DataError:
    with pytest.raises(DataError) as caught:
        rows(where, **limits)
    return caught.value


@pytest.mark.parametrize(
    "where",
    [
        "s LIKE 'a%' AND s NOT LIKE '%c'",
        "s LIKE 'a_b'",
        "s ILIKE 'A%b'",
        "s GLOB 'a*b'",
        "regexp_matches(s, '^AA', 'i')",
        "s SIMILAR TO 'aa.'",
        "s[1:2] = 'aa'",
        "left(s, 2) = 'aa' AND length(s) = 3",
        "replace(s, 'aa', 'x') = 'xb'",
        "regexp_replace(s, '[^b]', '', 'g') = 'b' AND starts_with(s, 'aa')",
        "TRY_CAST(replace(s, ',', '.') AS DOUBLE) IS NULL AND s = 'aab'",
        "regexp_extract(s, '(a+)b', 1) = 'aa'",
        "if(s = 'aab', true, false)",
        "json_extract_string(j, '$.b[0]') = '1' AND j ->> '$.a' = '1' AND s = 'aab'",
        "CAST(n AS VARCHAR) = '0' OR n % 4 = 0",
    ],
)
def test_what_filters_are_made_of_works(where: str) -> None:
    assert rows(where) == list(range(0, ROWS, 4))


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("hour(t) = 3 AND t < DATE '2024-01-02'", [3]),
        ("date_part('hour', t) = 3 AND extract(day FROM t) = 1", [3]),
        ("t - INTERVAL 1 DAY >= TIMESTAMP '2024-01-01 13:00'", [37, 38, 39]),
        ("strftime(t, '%H:%M') = '03:00'", [3, 27]),
        ("date_trunc('day', t) = DATE '2024-01-02' AND n < 26", [24, 25]),
        ("round(x * 39) BETWEEN 2 AND 3", [2, 3]),
        ("greatest(n, 37) = n", [37, 38, 39]),
        ("n IN (1, 2) OR n = 5", [1, 2, 5]),
        ("CASE n WHEN 7 THEN true WHEN 8 THEN x > 2 ELSE false END", [7]),
        ("coalesce(s, 'none') = 'none' AND n < 7", [2, 6]),
        (f"n IN ({', '.join(str(i) for i in range(2, 9000))}) AND n < 4", [2, 3]),
    ],
)
def test_numbers_dates_and_long_lists(where: str, found: list[int]) -> None:
    assert rows(where) == found


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("bitstring", "length(bitstring(s, 1000000000)) > 1"),
        ("set_bit", "set_bit(s, 1, 1) IS NULL"),
        ("repeat", "repeat(s, 1000000000) = s"),
        ("lpad", "lpad(s, 1000000000, 'x') = s"),
        ("rpad", "rpad(s, 1000000000, 'x') = s"),
        ("format", "format('{:>1000000000}', s) = s"),
        ("printf", "printf('%1000000000d', n) = s"),
        ("range", "length(range(1000000000)) = n"),
        ("list_value", "length([n, n]) = 2"),
        ("string_split", "length(string_split(s, '')) = 2"),
        ("regexp_extract_all", "length(regexp_extract_all(s, '.')) = 2"),
        ("row", "(n, x) = (1, 1)"),
        ("||", "s || s = s"),
        ("concat", "concat(s, s) = s"),
        ("hex", "hex(hex(s)) = s"),
        ("json_object", "json_object('a', s) = s"),
        ("<<", "n << 60 > 1"),
        ("levenshtein", "levenshtein(s, j) > 1"),
        ("sleep_ms", "sleep_ms(1) IS NULL"),
        ("write_log", "write_log(s) IS NULL"),
        ("error", "error(s) IS NULL"),
        ("getvariable", "getvariable('a') = s"),
        ("random", "random() < 0.1"),
        ("read_text", "read_text('/etc/passwd') = s"),
        ("nextval", "nextval('a') = n"),
        ("to_json", "to_json(s) = s"),
    ],
)
def test_a_function_that_no_filter_needs_is_named(name: str, where: str) -> None:
    problem = refused(where)
    assert (problem.code, problem.problem) == ("ADC-DATA-033", f"`where` may not call `{name}`")
    assert problem.hint


@pytest.mark.parametrize(
    ("where", "hint"),
    [
        ("s LIKE j", "in quotes"),
        ("s ILIKE '%a%a%a%a%b'", "regexp_matches"),
        ("s LIKE '%a%a%a%a_b'", "regexp_matches"),
        ("s GLOB '*a*a*a*a*b'", "regexp_matches"),
        (f"s LIKE '{'a' * 201}'", "200 characters"),
        ("regexp_matches(s, j)", "in quotes"),
        ("regexp_matches(s, '((a{1,90}){1,90})')", "1,000"),
        ("s SIMILAR TO 'a{99999999999}'", "1,000"),
        (f"regexp_matches(s, '{'a' * 201}')", "200 characters"),
        ("replace(s, 'a', 'aaaaaaaaaa') = s", "no longer"),
        ("replace(s, '', j) = s", "no longer"),
        ("regexp_replace(s, '.', '\\0\\0') = s", "take out"),
        ("strftime(t, s) = s", "in quotes"),
        (f"strftime(t, '{'%c' * 101}') = s", "200 characters"),
        ("json_extract_string(j, '$.*') = s", "one value"),
        ("lower(s) FILTER (WHERE true) = s", "lower(…)"),
        ("main.lower(s) = s", "lower(…)"),
    ],
)
def test_a_function_may_not_be_called_so_that_it_grows(where: str, hint: str) -> None:
    problem = refused(where)
    assert problem.code == "ADC-DATA-033"
    assert hint in problem.hint


@pytest.mark.parametrize("kind", ["BIT", "BLOB", "JSON", "INT[]", "INT[3]", "STRUCT(a INT)", "MAP(INT, INT)"])
def test_no_value_becomes_one_of_a_kind_that_no_filter_compares(kind: str) -> None:
    problem = refused(f"CAST(s AS {kind}) IS NULL")
    assert problem.code == "ADC-DATA-033"
    assert "VARCHAR" in problem.hint


@pytest.mark.parametrize(
    "where",
    [
        "x = " + "1" * 100_000,
        "+".join(["x"] * 200) + " > 1",
        "NOT " * 900 + "true",
        "(" * 5000 + "true" + ")" * 5000,
        "(" * 3000 + "x",
        "[" * 101 + "x",
        "(x=1) OR " * 2001 + "true",
        " OR ".join(["n=1"] * 7000),
        "CASE " * 40 + "n" + " WHEN 1 THEN 1 WHEN 2 THEN 2 END" * 40 + " = 1",
        "lower(" * 500 + "s" + ")" * 500 + " = s",
    ],
)
def test_a_condition_is_no_longer_and_no_deeper_than_people_write(where: str) -> None:
    problem = refused(where)
    assert problem.code == "ADC-DATA-036"
    assert len(str(problem)) < 1500


@pytest.mark.parametrize("where", ["true) GROUP BY (x", "true) QUALIFY (x > 1", "true) USING SAMPLE (1", "x = 1\ud800"])
def test_nothing_but_an_expression_is_read(where: str) -> None:
    assert refused(where).code == "ADC-DATA-030"


def test_a_condition_that_takes_too_long_is_given_up() -> None:
    long = pd.DataFrame({"s": ["abcd" * 50] * 50_000})
    many = " OR ".join(f"regexp_matches(s, '(a|b|c|d){{2,9}}{i}.*z')" for i in range(500))
    with pytest.raises(DataError, match="takes too long") as caught:
        select(many, long, None, place="slices[0].where", seconds=0.01)
    assert caught.value.code == "ADC-DATA-036"
    assert rows("n = 3") == [3]


def test_every_listed_function_is_there_and_depends_on_its_arguments_alone() -> None:
    query = """
        SELECT DISTINCT lower(function_name) FROM duckdb_functions()
        WHERE function_type = 'scalar' AND stability = 'CONSISTENT' AND NOT coalesce(has_side_effects, false)
    """
    known = {name for (name,) in _connection(os.getpid()).cursor().execute(query).fetchall()}
    assert (where_allowed.PLAIN | set(where_allowed.CHECKED)) - known == {"if"}


def test_a_cursor_has_every_lock() -> None:
    query = "SELECT name, value FROM duckdb_settings()"
    settings = dict(_connection(os.getpid()).cursor().execute(query).fetchall())
    assert settings["max_expression_depth"] == str(where_allowed.DEEPEST)
    names = ("enable_external_access", "python_enable_replacements", "autoload_known_extensions")
    assert {settings[name] for name in names} == {"false"}
    assert settings["lock_configuration"] == "true"
