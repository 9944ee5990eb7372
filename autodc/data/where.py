"""Which rows a slice means: one SQL boolean expression over metadata columns, evaluated with nothing else in reach."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, lru_cache
from threading import Event, Thread
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from autodc.data import where_allowed
from autodc.data.columns import NO_VALUES
from autodc.data.problems import did_you_mean
from autodc.data.rows import RESERVED
from autodc.data.where_allowed import DEEPEST, shown
from autodc.errors import DataError
from autodc.values import texts

Array = np.ndarray[Any, Any]

MEMORY_LIMIT = "1GB"
LOCKED = (
    "SET GLOBAL TimeZone = 'UTC'",
    "SET GLOBAL enable_external_access = false",
    "SET GLOBAL python_enable_replacements = false",
    "SET GLOBAL autoinstall_known_extensions = false",
    "SET GLOBAL autoload_known_extensions = false",
    "SET GLOBAL allow_community_extensions = false",
    "SET GLOBAL preserve_insertion_order = true",
    "SET GLOBAL threads = 1",
    f"SET GLOBAL memory_limit = '{MEMORY_LIMIT}'",
    f"SET GLOBAL max_expression_depth = {DEEPEST}",
    "SET GLOBAL lock_configuration = true",
)
"""GLOBAL: cursors are sessions of their own, and some settings are a session's."""
SECONDS = 60.0
"""How long the evaluation of one condition may take; 10 million rows take one or two."""
NUMBER = re.compile(r"\s*[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?\s*", re.IGNORECASE)
WHOLE_OR_DECIMAL = re.compile(r"U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|DECIMAL.*")
"""DuckDB's types to which it rounds text that is compared with them."""
BARE = re.compile(r"""(\w+|"[^"]+")\s*(==?|<>|!=|[<>]=?)\s*([^\W\d][^'()=<>]*|\d{4}-\d{2}-\d{2}[^'()=<>]*)""")
"""A column compared with something that is not in quotes: words, or a date."""
LISTED = re.compile(r"""(\w+|"[^"]+")\s+((?:NOT\s+)?IN)\s*\(([^()]+)\)""", re.IGNORECASE)
"""A column among several values."""
MESSAGE = 300
"""Characters of what DuckDB says that are told: it may quote a value of any length."""
TOO_DEEP = "Max expression depth"
TEXT_HINT = "text that is no number cannot be compared with one; TRY_CAST(column AS DOUBLE) makes it missing instead"


def select(
    where: str, metadata: pd.DataFrame, target: Array | None, *, place: str, seconds: float = SECONDS
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return a mask, shape (n,), of the rows for which `where` is true; NULL counts as false.

    target: shape (n,) as the user knows it (class labels, values; JSON values as their text), or None where it is
    sealed. seconds: after which it is given up.
    Raises DataError ADC-DATA-030 to 036, with `place`, for anything but one boolean expression over the columns that
    holds what `where_allowed` lists.
    """
    answer, tree = _parsed(where, place)
    columns = _columns(tree, where, metadata, None if target is None else texts(target), place)
    where_allowed.refuse_calls(tree, where, place)
    with _given_up_after(seconds) as cursor:
        return _evaluated(cursor, where, answer, columns, len(metadata), place)


def _parsed(where: str, place: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parse, without binding or running anything, to a statement and in it the tree of one expression."""
    where_allowed.refuse_text(where, place)
    cursor = _connection(os.getpid()).cursor()
    try:
        ((text,),) = cursor.execute("SELECT json_serialize_sql(?)", [f"SELECT (\n{where}\n)"]).fetchall()
        answer = json.loads(text)
    except (duckdb.Error, UnicodeEncodeError) as error:
        got = f"{shown(where)}: {_first_line(str(error))}"
        raise DataError("ADC-DATA-030", "`where` is no SQL expression", place, got) from None
    hint = "a condition is written like: brightness < 0.2 AND camera = 'left'"
    if not where.strip():
        raise DataError("ADC-DATA-030", "`where` is empty", place, "", f"{hint}; leave it out to mean every row")
    if TOO_DEEP in answer.get("error_message", ""):
        raise where_allowed.too_large(where, place, f"more than {DEEPEST} expressions inside each other")
    if answer.get("error"):
        raise DataError(
            "ADC-DATA-030",
            "`where` is no SQL expression",
            place,
            f"{shown(where)}: {_first_line(answer['error_message'])}",
            _of_words(where) or hint,
        )
    statements = answer["statements"]
    node = statements[0]["node"] if len(statements) == 1 else {}
    items = node.get("select_list", [])
    if len(items) != 1 or {**node, "select_list": []} != _only_selecting(os.getpid()):
        raise DataError("ADC-DATA-030", "`where` must be one SQL expression", place, shown(where), hint)
    item: dict[str, Any] = items[0]
    where_allowed.refuse_kinds(item, where, place)
    return answer, item


def _columns(tree: object, where: str, metadata: pd.DataFrame, target: Array | None, place: str) -> dict[str, Any]:
    """The columns the expression names; upper and lower case are one, as in SQL, unless the exact name exists."""
    names = [str(column) for column in metadata.columns]
    found: dict[str, Any] = {}
    no_values = metadata.attrs.get(NO_VALUES, {})
    for part in where_allowed.parts(tree):
        if part["class"] != "COLUMN_REF":
            continue
        asked = ".".join(part["column_names"])
        if asked.casefold() == RESERVED and asked not in names:
            found[RESERVED] = _usable_target(target, place)
            continue
        same = [asked] if asked in names else [name for name in names if name.casefold() == asked.casefold()]
        if len(part["column_names"]) != 1 or not same:
            hint = _unquoted(tree, where, part, [*names, RESERVED]) or did_you_mean(asked, [*names, RESERVED])
            hint = hint or f"columns: {', '.join([*names, RESERVED][:40])}"
            raise DataError("ADC-DATA-031", f"`where` names no column: `{asked}`", place, "", hint)
        if len(same) > 1 or any(name != same[0] and name.casefold() == same[0].casefold() for name in found):
            raise DataError("ADC-DATA-031", f"columns differ in case alone: {', '.join(same)}", place, asked)
        if same[0] in no_values:
            hint = "write what the slice needs of it as a column of its own, of numbers or text"
            got = f"`{same[0]}`, which holds {no_values[same[0]]}"
            raise DataError("ADC-DATA-048", "`where` names a column without single values", place, got, hint)
        found[same[0]] = metadata[same[0]]
    return found


def _unquoted(tree: object, where: str, part: dict[str, Any], names: list[str]) -> str:
    """A hint where a column is compared with what names none: a value without quotes, or in those of a name."""
    known, values = {name.casefold() for name in names}, list[str]()
    for sides in _compared(tree):
        named = [".".join(one["column_names"]) for one in sides if one.get("class") == "COLUMN_REF"]
        if any(name.casefold() in known for name in named):
            values += [name for name in named if name.casefold() not in known]
    return _quote_them(where, values) if ".".join(part["column_names"]) in values else ""


def _quote_them(where: str, values: list[str]) -> str:
    """The condition again with all these values in quotes."""
    asked = "|".join(map(re.escape, sorted(set(values), key=len, reverse=True)))
    pattern = rf"""'(?:[^']|'')*'|(?<![\w"])(?:"({asked})"|({asked}))(?![\w"])"""

    def quoted(found: re.Match[str]) -> str:
        value = found[1] or found[2]
        return found[0] if value is None else "'" + value.replace("'", "''") + "'"

    return f"text stands in quotes: {re.sub(pattern, quoted, where, flags=re.IGNORECASE)}"


def _of_words(where: str) -> str:
    """A hint where what is compared is several words, or a date, without quotes; else empty."""
    if listed := re.fullmatch(LISTED, where.strip()):
        column, sign, values = listed.groups()
        each = [_in_quotes(value.strip()) for value in values.split(",")]
        mended = f"{column} {sign} ({', '.join(each)})"
        return "" if mended.count("'") != 2 * len(each) else f"text stands in quotes: {mended}"
    bare = re.fullmatch(BARE, where.strip())
    if not bare:
        return ""
    column, sign, value = (one.strip() for one in bare.groups())
    quoted = value.strip('"').replace("'", "''")
    return f"text stands in quotes: {column} {sign} '{quoted}'"


def _in_quotes(value: str) -> str:
    """A value in the quotes of text, as it may be already."""
    return f"'{value[1:-1]}'" if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else f"'{value}'"


def _usable_target(target: Array | None, place: str) -> Array:
    if target is None:
        raise DataError("ADC-DATA-035", "`where` names the target, which is sealed or unknown here", place)
    if target.ndim != 1:
        raise DataError("ADC-DATA-035", "`where` names the target, which is no single value a row", place)
    return target


@contextmanager
def _given_up_after(seconds: float) -> Iterator[duckdb.DuckDBPyConnection]:
    """A cursor whose queries are interrupted from so many seconds on."""
    cursor, done = _connection(os.getpid()).cursor(), Event()

    def interrupt() -> None:
        wait = seconds
        while not done.wait(wait):
            cursor.interrupt()  # which does nothing between two queries, so it is done again
            wait = 0.1

    watch = Thread(target=interrupt, daemon=True)
    watch.start()
    try:
        yield cursor
    finally:
        done.set()
        watch.join()
        cursor.close()


def _evaluated(
    cursor: duckdb.DuckDBPyConnection,
    where: str,
    answer: dict[str, Any],
    columns: Mapping[str, Any],
    rows: int,
    place: str,
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    import pyarrow as pa  # slow to import, and only slices need it

    try:
        table = {name: _for_sql(values) for name, values in columns.items()}
        cursor.register("examples", pa.table({"row number": np.arange(rows), **table}))
        query = _unrounded(cursor, where, answer)
        chosen = cursor.sql(f"{query} AS chosen FROM examples").to_arrow_table()["chosen"]
    except duckdb.InterruptException:
        hint = "make what the slice needs a column of its own, or an attribute, and compare that"
        raise DataError("ADC-DATA-036", "`where` takes too long", place, shown(where), hint) from None
    except (duckdb.Error, pa.ArrowException) as error:
        got = f"{shown(where)}: {_first_line(str(error))}"
        hint = TEXT_HINT if isinstance(error, duckdb.ConversionException) else _of_words(where)
        raise DataError("ADC-DATA-034", "`where` cannot be evaluated", place, got, hint) from None
    if not pa.types.is_boolean(chosen.type):
        hint = "compare it with something: a condition is true or false for each row"
        raise DataError(
            "ADC-DATA-032", "`where` is not true or false", place, f"{shown(where)}, of type {chosen.type}", hint
        )
    return np.asarray(chosen.fill_null(False).to_numpy(), dtype=np.bool_)


def _for_sql(values: Any) -> Any:
    """A column as an Arrow array of a type that DuckDB knows."""
    import pyarrow as pa

    if isinstance(values, pd.Series) and isinstance(values.dtype, pd.CategoricalDtype):
        values = values.to_numpy()
    array = pa.array(values, from_pandas=True)
    return array.cast(pa.float32()) if pa.types.is_float16(array.type) else array


def _unrounded(cursor: duckdb.DuckDBPyConnection, where: str, answer: dict[str, Any]) -> str:
    """The query of an expression, with text and numbers compared as numbers.

    DuckDB would round text to the other side's type: '9.50' to the whole number 10, '10.004' to a price in cents. So
    text written in the expression becomes the number it stands for, and other text is compared with a float64.
    """
    node = answer["statements"][0]["node"]
    item = node["select_list"][0]
    changed = False
    for operands in list(_compared(item)):
        kinds = _types(cursor, answer, operands)
        if "VARCHAR" not in kinds or not any(WHOLE_OR_DECIMAL.fullmatch(kind) for kind in kinds):
            continue
        others = [o for o, kind in zip(operands, kinds, strict=True) if kind == "VARCHAR" and not _becomes_number(o)]
        for operand, kind in zip(operands, kinds, strict=True):
            if others and (WHOLE_OR_DECIMAL.fullmatch(kind) or any(operand is other for other in others)):
                inner = dict(operand)
                operand.clear()
                operand.update(_as_double(inner))
        changed = True
    if not changed:
        return f"SELECT (\n{where}\n)"
    ((text,),) = cursor.execute("SELECT json_deserialize_sql(?)", [json.dumps(answer)]).fetchall()
    return str(text)


def _compared(tree: object) -> Iterator[list[dict[str, Any]]]:
    """The sides of every comparison, innermost first."""
    if isinstance(tree, dict):
        for value in tree.values():
            yield from _compared(value)
        if tree.get("class") == "COMPARISON":
            yield [tree["left"], tree["right"]]
        elif tree.get("class") == "BETWEEN":
            yield [tree["input"], tree["lower"], tree["upper"]]
        elif tree.get("type") in ("COMPARE_IN", "COMPARE_NOT_IN"):
            yield tree["children"]
    elif isinstance(tree, list):
        for value in tree:
            yield from _compared(value)


def _types(cursor: duckdb.DuckDBPyConnection, answer: dict[str, Any], operands: list[dict[str, Any]]) -> list[str]:
    """DuckDB's types of some expressions, found without running them; none where they cannot be bound alone."""
    node = {**answer["statements"][0]["node"], "select_list": operands}
    statement = {**answer, "statements": [{**answer["statements"][0], "node": node}]}
    ((text,),) = cursor.execute("SELECT json_deserialize_sql(?)", [json.dumps(statement)]).fetchall()
    try:
        return [str(kind) for kind in cursor.sql(f"{text} FROM examples").types]
    except duckdb.Error:  # the whole expression will not bind either, and says so
        return []


def _becomes_number(operand: dict[str, Any]) -> bool:
    """Turn a constant of text into the number it is written as, if it is one."""
    literal = operand.get("literal", {})
    if literal.get("kind") != "STRING" or not NUMBER.fullmatch(literal["text"]):
        return False
    text = literal["text"].strip().removeprefix("+")
    literal.update(kind="INTEGER" if text.lstrip("-").isdigit() else "NUMERIC", text=text)
    return True


def _as_double(operand: dict[str, Any]) -> dict[str, Any]:
    kind = {"class": "TYPE", "type": "TYPE", "alias": "", "catalog": "", "schema": "", "type_name": "DOUBLE"}
    place = {"query_location": operand["query_location"], "query_location_length": operand["query_location_length"]}
    kind_tree = {**kind, **place, "children": [], "qualified_name": {"path": ["DOUBLE"]}}
    cast = {"class": "CAST", "type": "OPERATOR_CAST", "alias": "", **place}
    return {**cast, "child": operand, "try_cast": False, "type_expr": kind_tree}


@cache  # never let go: closing a database that came over by a fork waits for threads that did not
def _connection(process: int) -> duckdb.DuckDBPyConnection:
    """One locked, empty database in memory per process."""
    connection = duckdb.connect(":memory:")
    for statement in LOCKED:
        connection.execute(statement)
    return connection


@lru_cache(maxsize=1)
def _only_selecting(process: int) -> dict[str, Any]:
    """The tree of a statement that does nothing but evaluate expressions, without these."""
    ((text,),) = _connection(process).cursor().execute("SELECT json_serialize_sql('SELECT (true)')").fetchall()
    return {**json.loads(text)["statements"][0]["node"], "select_list": []}


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:MESSAGE] if text.strip() else ""
