"""How a table of text is written: what separates its fields, the decimal mark, the encoding. Asked for, or found."""

from __future__ import annotations

import codecs
import csv
import re
from dataclasses import dataclass
from typing import Any, final

import pandas as pd

from autodc.adapters.sources.files import SNIFFED, UTF_16
from autodc.data.problems import problem
from autodc.data.source import SourceRequest

SEPARATORS = (",", ";", "\t", "|")
MARKS = (".", ",")
LINES = 50
"""So many lines are looked at for what separates fields."""
COMMA_NUMBER = re.compile(r"^[-+]?(\d+|\d{1,3}(\.\d{3})+),\d+$")
POINTED = re.compile(r"^[-+]?\d{1,3}(\.\d{3})+(,\d+)?$")
WHOLE = re.compile(r"^[-+]?\d+$")
ANY_NUMBER = re.compile("|".join(one.pattern for one in (COMMA_NUMBER, POINTED, WHOLE)))
MISSING = frozenset(
    {"#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA"}
    | {"NULL", "NaN", "None", "n/a", "nan", "null"}
)
"""Words that mean a missing number in a column of numbers, and nothing but themselves in a column of text."""
UTF_8 = "utf-8-sig"
"""With or without a mark."""


@final
@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written."""

    separator: str = ","
    decimal: str = "."
    encoding: str = UTF_8


def dialect_of(request: SourceRequest, start: bytes) -> Dialect:
    """The dialect of a file that begins with these bytes. Raises DataError ADC-DATA-092 for options that do not fit."""
    encoding = _encoding(request, start)
    lines = start.decode(encoding, "replace").splitlines(keepends=True)
    if len(start) >= SNIFFED:
        lines = lines[: max(1, len(lines) - 1)]  # the last may be cut short
    separator = _option(request, "separator") or _separator(lines[:LINES], request.path)
    decimal = _option(request, "decimal")
    if decimal is not None and decimal not in MARKS:
        raise problem(request, "092", "`decimal` is a point or a comma", repr(decimal))
    rows = _rows(lines, separator)[1:]
    if decimal is None:
        decimal = "," if separator != "," and _has_comma_numbers(rows) else "."
    return Dialect(separator, decimal, encoding)


def pointed_numbers(values: pd.Series[Any]) -> pd.Series[Any] | None:
    """Text such as 1.002,5 as numbers; None unless all is written so, as dates and versions are not."""
    known = values.dropna()
    texts = pd.Series(known.unique()).str.strip()
    if not texts.str.match(POINTED).any() or not texts.str.match(ANY_NUMBER).all():
        return None
    plain = values.str.strip().str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    return pd.to_numeric(plain)


def _option(request: SourceRequest, name: str) -> str | None:
    value = request.options.get(name)
    if value is None:
        return None
    text = {"tab": "\t", "\\t": "\t"}.get(str(value), str(value))
    if len(text) != 1:
        raise problem(request, "092", f"`{name}` is one character", repr(value))
    return text


def _encoding(request: SourceRequest, start: bytes) -> str:
    wish = request.text("encoding")
    if wish is None:
        return "utf-16" if start.startswith(UTF_16) else UTF_8
    try:
        name = codecs.lookup(wish).name
        "".encode(wish)
    except (LookupError, ValueError):
        hint = "such as utf-8, latin-1, windows-1252, utf-16"
        raise problem(request, "092", "the encoding is not known", repr(wish), hint) from None
    if name.startswith("utf-16") and start.startswith(UTF_16):
        return "utf-16"  # which takes the mark off
    return UTF_8 if name == "utf-8" else name


def _separator(lines: list[str], path: str) -> str:
    """The mark that cuts most fields, as many in every line; among equals the file's name decides."""
    best, most = ",", 1
    for mark in sorted(SEPARATORS, key=lambda one: not (one == "\t" and ".tsv" in path.casefold())):
        widths = {len(row) for row in _rows(lines, mark) if row}
        if len(widths) == 1 and (width := widths.pop()) > most:
            best, most = mark, width
    if most > 1 or not lines:
        return best
    header = lines[0]
    return max(SEPARATORS, key=header.count) if any(mark in header for mark in SEPARATORS) else ","


def _rows(lines: list[str], separator: str) -> list[list[str]]:
    try:
        return [row for row in csv.reader(lines, delimiter=separator) if row]
    except csv.Error:
        return []


def _has_comma_numbers(rows: list[list[str]]) -> bool:
    """Whether a column is numbers, some of which have a decimal comma."""
    for column in zip(*rows, strict=False):
        values = [value.strip() for value in column if value.strip() and value not in MISSING]
        fits = [COMMA_NUMBER.match(value) is not None for value in values]
        if any(fits) and all(fit or ANY_NUMBER.match(value) for fit, value in zip(fits, values, strict=True)):
            return True
    return False
