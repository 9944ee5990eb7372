"""What a condition may hold: an allow list of what a filter needs, none of which can make much out of little.

A name that is not listed is refused: what a later DuckDB brings is out of reach until somebody has looked at it. What
is listed reads the values of one row; its result is hardly longer than they are, and its time linear in them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from autodc.data.problems import did_you_mean
from autodc.errors import DataError

LONGEST: Final = 100_000
"""Characters of a condition."""
MOST_PARTS: Final = 20_000
"""Columns, values, operators and functions in it."""
DEEPEST: Final = 100
"""How many of them stand inside each other."""
MOST_BRACKETS: Final = 2_000
"""Opening ones: DuckDB's parser takes seconds for so many that are not closed, and minutes for twice as many."""
LONGEST_TEXT: Final = 200
"""Characters of a pattern or format."""
MOST_REPEATS: Final = 1_000
"""To how many copies the counted repetitions of a regular expression may unfold."""
MOST_SEARCHES: Final = 3
"""How many `%` or `*` a pattern may have that is matched by trying: its time grows by the length of the text each."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


COPYING_CASE: Final = re.compile(r"\bcase\b(?!\s+when\b)", re.IGNORECASE)
WHEN: Final = re.compile(r"\bwhen\b", re.IGNORECASE)

QUOTED: Final = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/""", re.DOTALL)
"""Texts, names and comments, whose brackets are none."""

CLASSES: Final = _names("COMPARISON CONJUNCTION OPERATOR COLUMN_REF CONSTANT FUNCTION BETWEEN CASE CAST TYPE")
OPERATORS: Final = _names(
    """
    OPERATOR_NOT OPERATOR_IS_NULL OPERATOR_IS_NOT_NULL OPERATOR_COALESCE OPERATOR_TRY COMPARE_IN COMPARE_NOT_IN
    ARRAY_EXTRACT ARRAY_SLICE
    """
)
TYPES: Final = _names(
    """
    bool boolean logical tinyint int1 smallint int2 short integer int int4 signed bigint int8 long hugeint utinyint
    usmallint uinteger ubigint uhugeint float float4 real double float8 decimal numeric dec varchar text string char
    bpchar date time timestamp datetime timestamp_s timestamp_ms timestamp_us timestamp_ns timestamptz interval
    """
) | {"time with time zone", "timestamp with time zone"}
REFUSED: Final = {
    "SUBQUERY": "a subquery",
    "WINDOW": "a window function",
    "STAR": "a star",
    "PARAMETER": "a parameter",
    "LAMBDA": "a lambda",
}
"""What is refused → how it is called."""

PLAIN: Final = _names(
    """
    + - * / // % ** ^ & | xor abs ceil ceiling floor round round_even trunc sign signbit sqrt cbrt exp ln log log2
    log10 pow power mod divide add subtract multiply degrees radians pi sin cos tan asin acos atan atan2 sinh cosh
    tanh greatest least even gcd lcm isnan isinf isfinite bit_count
    if
    lower upper lcase ucase length len char_length character_length strlen octet_length left right substr substring
    array_extract array_slice reverse strip_accents nfc_normalize contains starts_with ends_with prefix suffix ^@
    instr strpos position ascii unicode ord chr hash md5
    year month day hour minute second millisecond microsecond quarter week weekofyear yearweek isoyear isodow
    dayofweek dayofmonth dayofyear weekday decade century epoch epoch_ms epoch_us date_part datepart date_trunc
    datetrunc date_diff datediff date_sub datesub dayname monthname last_day make_date make_time make_timestamp
    time_bucket to_timestamp to_years to_months to_weeks to_days to_hours to_minutes to_seconds to_milliseconds
    timezone
    json_valid json_type json_array_length
    """
)
"""Functions and operators that may be called with anything."""

Check = Callable[[Sequence[str | None]], str]
"""Of the arguments, where they are text that is written out, else None: what is wrong with them, or nothing."""


def refuse_kinds(tree: object, where: str, place: str) -> None:
    """Raise DataError for a condition of too many parts (ADC-DATA-036), or with a subquery or the like (033).

    tree: of an expression, as DuckDB's json_serialize_sql gives it.
    """
    found = list(parts(tree))
    if len(found) > MOST_PARTS:
        got = f"{len(found):,} columns, values and operators; there may be {MOST_PARTS:,}"
        raise too_large(where, place, got)
    for part in found:
        kind = part["class"]
        if kind not in CLASSES or (kind == "OPERATOR" and part["type"] not in OPERATORS):
            what = REFUSED.get(kind, str(part["type"] if kind == "OPERATOR" else kind).lower().replace("_", " "))
            hint = "a condition is written like: brightness < 0.2 AND camera = 'left'"
            raise DataError("ADC-DATA-033", f"`where` may not hold {what}", place, shown(where), hint)


def refuse_calls(tree: object, where: str, place: str) -> None:
    """Raise DataError ADC-DATA-033 for a function or a type that is not listed, or not with such arguments."""
    for part in parts(tree):
        if part["class"] == "TYPE" and _name(part) not in TYPES:
            hint = "BOOLEAN, INTEGER, BIGINT, DOUBLE, DECIMAL, VARCHAR, DATE, TIME, TIMESTAMP or INTERVAL"
            raise DataError("ADC-DATA-033", f"`where` may not make a value `{_name(part)}`", place, shown(where), hint)
        if part["class"] == "FUNCTION":
            _refuse_call(part, where, place)


def refuse_text(where: str, place: str) -> None:
    """Raise DataError ADC-DATA-036 for a condition that is too much to be parsed.

    The parser copies what stands between CASE and its first WHEN to each WHEN: nested, that doubles and doubles.
    """
    if len(where) > LONGEST:
        raise too_large(where, place, f"{len(where):,} characters; there may be {LONGEST:,}")
    deepest = opened = depth = 0
    for bracket in re.findall(r"[(\[{)\]}]", QUOTED.sub(" ", where)):
        opens = bracket in "([{"
        depth, opened = depth + (1 if opens else -1), opened + opens
        deepest = max(deepest, depth)
    if deepest > DEEPEST or opened > MOST_BRACKETS:
        got = (
            f"{opened:,} opening brackets, {deepest:,} inside each other; there may be {MOST_BRACKETS:,} and {DEEPEST}"
        )
        raise too_large(where, place, got)
    cases, whens = len(COPYING_CASE.findall(where)), len(WHEN.findall(where))
    if cases > 1 and cases * math.log(max(whens, cases) / cases) > math.log(MOST_PARTS):
        raise too_large(where, place, f"{cases} times CASE value WHEN; CASE WHEN condition takes less")


def parts(tree: object) -> Iterator[dict[str, Any]]:
    """Every expression inside one, outermost first."""
    if isinstance(tree, dict):
        if "class" in tree:
            yield tree
        for value in tree.values():
            yield from parts(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from parts(value)


def shown(where: str) -> str:
    """A condition as a message shows it: nobody reads a long one to its end."""
    return repr(where) if len(where) <= 400 else f"{where[:200]!r}…{where[-60:]!r}"


def too_large(where: str, place: str, got: str) -> DataError:
    """The problem of a condition that is longer or deeper than any person writes."""
    hint = "make what the slice needs a column of its own, or an attribute, and compare that"
    return DataError("ADC-DATA-036", "`where` is too large", place, f"{shown(where)}: {got}", hint)


def _refuse_call(part: Mapping[str, Any], where: str, place: str) -> None:
    name, arguments = _name(part), part["arguments"]
    given = [_text(argument["expression"]) for argument in arguments]
    if name not in PLAIN and name not in CHECKED:
        raise DataError("ADC-DATA-033", f"`where` may not call `{name}`", place, shown(where), _instead(name))
    unusual = part["filter"] or part["distinct"] or part["order_bys"]["orders"] or any(one["name"] for one in arguments)
    plain = not unusual and len(part["qualified_name"]["path"]) == 1
    wrong = f"write it as {name}(…), of columns and values" if not plain else ""
    if wrong := wrong or (CHECKED[name](given) if name in CHECKED else ""):
        raise DataError("ADC-DATA-033", f"`where` may not call `{name}` so", place, shown(where), wrong)


def _name(part: Mapping[str, Any]) -> str:
    return str(part["qualified_name"]["path"][-1]).casefold()


def _text(argument: Mapping[str, Any]) -> str | None:
    literal = argument.get("literal", {})
    return str(literal["text"]) if literal.get("kind") == "STRING" else None


INSTEAD: Final = {
    "||": "compare each column by itself, joined by AND",
    "concat": "compare each column by itself, joined by AND",
    "row": "compare each column by itself, joined by AND or OR",
    "random": "a slice has the same rows each time: hash(id) % 10 = 0 takes a tenth of them",
    "regexp_extract_all": "regexp_matches says whether a text holds a pattern",
    "->": "json_extract_string(column, '$.key') reads a value of JSON text",
    "json_extract": "json_extract_string(column, '$.key') reads a value of JSON text",
}
"""A function that is refused → what does what it is likely called for."""


def _instead(name: str) -> str:
    known = sorted(one for one in (*PLAIN, *CHECKED) if one[0].isalpha())
    plain = "functions of one row's values may be called, such as lower, abs, length, regexp_matches"
    return INSTEAD.get(name) or did_you_mean(name, known) or plain


def _pattern(given: Sequence[str | None]) -> str:
    """A regular expression is written out, and DuckDB's engine takes time linear in it: it is short, too."""
    if not all(text is not None for text in given[1:2]):
        return "the pattern is a text in quotes, the same for every row"
    pattern = given[1] if len(given) > 1 else ""
    repeats = 1
    for low, high in re.findall(r"\{(\d+)(?:,(\d*))?\}", pattern or ""):
        repeats *= max(1, min(int(high or low), MOST_REPEATS + 1)) if len(high or low) < 9 else MOST_REPEATS + 1
    if repeats > MOST_REPEATS:
        return f"the counted repetitions of a pattern, such as {{1,9}}, multiply to at most {MOST_REPEATS:,}"
    return _short(given[1:])


def _extracts(given: Sequence[str | None]) -> str:
    return _pattern(given[:2])


def _takes_out(given: Sequence[str | None]) -> str:
    """Patterns may be taken out, not be replaced by something longer."""
    if len(given) < 3 or given[2] != "":
        return "it may only take out what it finds: regexp_replace(column, '[^0-9]', '')"
    return _pattern(given)


def _no_longer(given: Sequence[str | None]) -> str:
    old, new = (*given[1:3], None, None)[:2]
    if old is None or new is None or len(new.encode()) > len(old.encode()):
        return "what is put in is a text in quotes, no longer than the text in quotes that it replaces"
    return _short(given[1:])


def _searches(given: Sequence[str | None]) -> str:
    """A LIKE without `_` is matched piece by piece; with it, as ILIKE and GLOB, by trying at every `%`."""
    return _tried(given, "%")


def _like(given: Sequence[str | None]) -> str:
    pattern = given[1] if len(given) > 1 else None
    return _tried(given, "%" if pattern is None or "_" in pattern else "")


def _glob(given: Sequence[str | None]) -> str:
    return _tried(given, "*")


def _tried(given: Sequence[str | None], wildcard: str) -> str:
    if any(text is None for text in given[1:]):
        return "the pattern is a text in quotes, the same for every row"
    pattern = given[1] or "" if len(given) > 1 else ""
    if wildcard and len(re.findall(f"{re.escape(wildcard)}+", pattern.strip(wildcard))) >= MOST_SEARCHES:
        return f"fewer `{wildcard}` in one pattern; regexp_matches(column, 'a.*b.*c') takes many"
    return _short(given[1:])


def _short(given: Sequence[str | None]) -> str:
    if any(text is not None and len(text) > LONGEST_TEXT for text in given):
        return f"patterns and formats have at most {LONGEST_TEXT} characters"
    return ""


def _written_out(given: Sequence[str | None]) -> str:
    """A format is written out and short: each of its letters may stand for thirty."""
    if not any(text is not None for text in given):
        return "the format is a text in quotes, the same for every row"
    return _short(given)


def _json_path(given: Sequence[str | None]) -> str:
    path = given[1] if len(given) > 1 else None
    if path is None or "*" in path:
        return "the path is a text in quotes that leads to one value: '$.boxes[0].width'"
    return _short(given[1:])


CHECKED: Final[Mapping[str, Check]] = {
    "~~": _like,
    "!~~": _like,
    "~~*": _searches,
    "!~~*": _searches,
    "~~~": _glob,
    "like_escape": _searches,
    "not_like_escape": _searches,
    "ilike_escape": _searches,
    "not_ilike_escape": _searches,
    "regexp_matches": _pattern,
    "regexp_full_match": _pattern,
    "regexp_extract": _extracts,
    "regexp_replace": _takes_out,
    "replace": _no_longer,
    "translate": lambda given: _short(given[1:]),
    "trim": lambda given: _short(given[1:]),
    "ltrim": lambda given: _short(given[1:]),
    "rtrim": lambda given: _short(given[1:]),
    "strftime": _written_out,
    "strptime": _written_out,
    "try_strptime": _written_out,
    "json_extract_string": _json_path,
    "->>": _json_path,
    "json_exists": _json_path,
    "json_contains": lambda given: _short(given[1:]),
}
"""Functions that may be called with some arguments only."""
