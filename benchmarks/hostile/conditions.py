"""`where` strings: of everything that DuckDB knows, nested, long, with any text in it."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from autodc.data.where import _connection, select
from benchmarks.hostile.target import outcome
from benchmarks.hostile.texts import hostile

ROWS = 50
METADATA = pd.DataFrame(
    {
        "x": np.linspace(0, 1, ROWS),
        "n": np.arange(ROWS),
        "s": ["aab", "'); DROP TABLE", None, "1,5 €", "%_\\"] * (ROWS // 5),
        "j": ['{"a": [1, {"b": "c"}]}'] * ROWS,
        "t": pd.date_range("2024-01-01", periods=ROWS, freq="h"),
        "flag": np.arange(ROWS) % 2 == 0,
    }
)
TARGET = np.array(["cat", "dog"] * (ROWS // 2))
SECONDS = 20.0
"""No condition of this length may take longer on fifty rows."""
MEGABYTES = 1500
"""Nor may the process have grown by more, over all cases."""

_QUERY = "SELECT DISTINCT function_name FROM duckdb_functions() ORDER BY 1"
FUNCTIONS = [name for (name,) in _connection(os.getpid()).cursor().execute(_QUERY).fetchall()]
_TYPES = "SELECT DISTINCT type_name FROM duckdb_types() ORDER BY 1"
TYPES = [name for (name,) in _connection(os.getpid()).cursor().execute(_TYPES).fetchall()] + ["INT[]", "VARCHAR(9)"]
OPERATORS = [
    "+",
    "-",
    "*",
    "/",
    "//",
    "%",
    "**",
    "^",
    "&",
    "|",
    "<<",
    ">>",
    "||",
    "=",
    "<>",
    "<",
    ">",
    "<=",
    ">=",
    "AND",
    "OR",
    "LIKE",
    "ILIKE",
    "GLOB",
    "~",
    "!~",
    "^@",
    "@>",
    "->",
    "->>",
    "::",
    "IN",
    "IS",
]
_START = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

quoted = hostile.map(lambda text: "'" + text.replace("'", "''") + "'")
leaves = (
    st.sampled_from(
        ("x", "n", "s", "j", "t", "flag", "target", "NULL", "true", "1", "-1", "1000000000", "1e308", "'a'")
    )
    | st.sampled_from(("*", "?", "$1", "#1", "current_date", "rowid", "examples", "[1]", "{'a': 1}", "(SELECT 1)"))
    | quoted
    | st.integers().map(str)
)


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(inner, max_size=4).map(", ".join)
    return (
        st.builds("{}({})".format, st.sampled_from(FUNCTIONS), several)
        | st.builds("({} {} {})".format, inner, st.sampled_from(OPERATORS), inner)
        | st.builds("CAST({} AS {})".format, inner, st.sampled_from(TYPES))
        | st.builds("CASE {} WHEN {} THEN {} END".format, inner, inner, inner)
        | st.builds("{} BETWEEN {} AND {}".format, inner, inner, inner)
        | st.builds("{} IN ({})".format, inner, several)
        | st.builds("NOT {}".format, inner)
        | st.builds("[{}]".format, several)
        | st.builds("{}[{}]".format, inner, inner)
    )


expressions = st.recursive(leaves, _larger, max_leaves=10)
many = st.builds(
    lambda piece, count, close: piece * count + "x" + close * count,
    st.sampled_from(("NOT ", "(", "lower(", "-", "x+", "s||", "CASE ", "x=1 OR ", "[", "{'a': ")),
    st.integers(1, 3000),
    st.sampled_from(("", ")", "]", "}", " WHEN 1 THEN 1 WHEN 2 THEN 2 END")),
)
spliced = st.builds("{}{}{}".format, expressions, hostile, expressions)
conditions = expressions | expressions.map("({}) = 1".format) | many | spliced | hostile


def check(case: str, folder: Path) -> str:
    """A mask, or a message; in bounded time and memory, and no file is touched."""
    here, begun = os.getcwd(), time.monotonic()
    os.chdir(folder)
    try:
        found = outcome(lambda: _mask(case))
        assert not list(folder.iterdir())
    finally:
        os.chdir(here)
    assert time.monotonic() - begun < SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - _START < MEGABYTES * 1024
    return found


def _mask(where: str) -> None:
    mask = select(where, METADATA, TARGET, place="study.yaml: slices[0].where")
    assert mask.shape == (ROWS,)
    assert mask.dtype == np.bool_
