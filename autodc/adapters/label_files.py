"""Reads a file of labels that somebody filled in: which id has which label, as it is written there."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from autodc.errors import DataError
from autodc.propose.labels import written

ID = "id"
"""The column of ids."""
TEXT, LINES, WHOLE = (".csv", ".tsv"), (".jsonl", ".ndjson"), (".json",)
SUFFIXES = (*TEXT, *LINES, *WHOLE)
SEPARATORS = (",", ";", "\t")
HALF = "is it copied to its end? Put it there whole, under a name that ends in .part while it is written"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFile:
    """What a file of labels says."""

    ids: tuple[str, ...]
    labels: tuple[Any, ...]
    """One for each id: text of a table, JSON values else; of several columns a list. Empty text: nothing is said."""


def is_one(path: Path) -> bool:
    """Whether a file may hold labels, by its name."""
    return path.suffix.casefold() in SUFFIXES


def read_label_file(path: Path, columns: Sequence[str], place: str, *, is_growing: bool = False) -> LabelFile:
    """Read it. columns: of the label, `label` alone or several; is_growing: a last line without its end is left out.

    A table has a column `id` and these; JSON lines have these keys, or a list as `label`; a JSON object maps ids to
    labels. Raises DataError ADC-PROP-076 where it cannot be read, or has no such columns.
    """
    try:
        return _read(path, tuple(columns), place, is_growing)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _unreadable(place, str(error)) from None


def names_in(path: Path) -> tuple[str, ...]:
    """The names of its columns or keys; none where it cannot be read."""
    try:
        if path.suffix.casefold() in TEXT:
            return tuple(name.strip() for name in next(_rows(path), ()))
        with path.open(encoding="utf-8-sig") as file:
            found = json.loads(file.readline() if path.suffix.casefold() in LINES else file.read())
    except (OSError, UnicodeDecodeError, csv.Error, ValueError):
        return ()
    return tuple(map(str, found)) if isinstance(found, dict) else ()


def ids_in(path: Path) -> set[str]:
    """The ids that it has, as far as it can be read; none where nothing in it is called so."""
    found = set[str]()
    try:
        if path.suffix.casefold() in WHOLE:
            return set(map(written, names_in(path)))
        if path.suffix.casefold() in LINES:
            every = map(json.loads, filter(str.strip, path.read_text(encoding="utf-8-sig").splitlines()))
            found.update(written(line[ID]) for line in every if isinstance(line, dict) and ID in line)
        elif ID in (head := names_in(path)):
            at = head.index(ID)
            lines = _rows(path)
            next(lines)
            found.update(written(line[at]) for line in lines if len(line) > at)
    except (OSError, UnicodeDecodeError, csv.Error, ValueError):
        return found
    return found


def _read(path: Path, columns: tuple[str, ...], place: str, is_growing: bool) -> LabelFile:
    if path.suffix.casefold() in TEXT:
        pairs = list(_of_table(path, columns, place, is_growing))
    elif path.suffix.casefold() in LINES:
        pairs = list(_of_lines(path, columns, place, is_growing))
    else:
        pairs = list(_of_object(path, place).items())
    if not pairs:
        raise _unreadable(place, "no line of labels")
    return LabelFile(ids=tuple(written(one) for one, _ in pairs), labels=tuple(label for _, label in pairs))


def _text(path: Path, is_growing: bool) -> str:
    content = path.read_bytes()
    return (content[: content.rfind(b"\n") + 1] if is_growing else content).decode("utf-8-sig")


def _rows(path: Path, is_growing: bool = False) -> Iterator[list[str]]:
    whole = (
        path.open(encoding="utf-8-sig", newline="") if not is_growing else io.StringIO(_text(path, True), newline="")
    )
    with whole as file:
        first = file.readline()
        file.seek(0)
        yield from csv.reader(file, delimiter=max(SEPARATORS, key=first.count), strict=True)


def _of_table(path: Path, columns: tuple[str, ...], place: str, is_growing: bool) -> Iterator[tuple[str, Any]]:
    lines = _rows(path, is_growing)
    head = [name.strip() for name in next(lines, [])]
    lost = [name for name in (ID, *columns) if name not in head]
    if lost:
        raise _unreadable(place, f"no column `{lost[0]}` among {', '.join(head[:8]) or 'none'}", _form(columns))
    at, labels = head.index(ID), [head.index(name) for name in columns]
    for number, line in enumerate(lines, 2):
        if not line:
            continue
        if len(line) != len(head):
            raise _unreadable(place, f"line {number} has {len(line)} of {len(head)} columns")
        values = [line[k].strip() for k in labels]
        yield line[at], values[0] if len(columns) == 1 else ("" if not any(values) else values)


def _of_lines(path: Path, columns: tuple[str, ...], place: str, is_growing: bool) -> Iterator[tuple[Any, Any]]:
    for number, text in enumerate(_text(path, is_growing).splitlines(), 1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
        except ValueError as error:
            raise _unreadable(place, f"line {number} is no JSON: {error}") from None
        keys = columns if isinstance(line, Mapping) and columns[0] in line else ("label",)
        if not isinstance(line, Mapping) or not {ID, *keys} <= line.keys():
            raise _unreadable(place, f"line {number}: {text[:60]}", _form(columns))
        values = ["" if line[key] is None else line[key] for key in keys]
        yield line[ID], values[0] if len(keys) == 1 else ("" if all(one == "" for one in values) else values)


def _of_object(path: Path, place: str) -> Mapping[Any, Any]:
    twice = list[str]()

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        twice.extend(key for key, count in Counter(key for key, _ in found).items() if count > 1)
        return {key: "" if value is None else value for key, value in found}

    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=pairs)
    except ValueError as error:
        raise _unreadable(place, str(error)) from None
    if not isinstance(found, Mapping):
        raise _unreadable(place, type(found).__name__, "a JSON file maps each id to its label")
    if twice:
        raise DataError(
            "ADC-PROP-077", "labels do not fit the rows", place, f"id {twice[0]} twice", "give each id once"
        )
    return found


def _form(columns: Sequence[str]) -> str:
    return f"a file of labels has the columns {', '.join((ID, *columns))}; others are not looked at"


def _unreadable(place: str, got: str, hint: str = HALF) -> DataError:
    return DataError("ADC-PROP-076", "a file of labels cannot be read", place, got, hint)
