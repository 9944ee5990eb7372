"""JSON Lines, and JSON that is an array of objects: keys are the columns; what is wrong is told with its place."""

from __future__ import annotations

import gzip
import itertools
import json
import math
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import IO, Any, cast

import pandas as pd

from autodc.adapters.sources.files import GZIP, SNIFFED, refuse_no_text, regular_file, start_of
from autodc.adapters.sources.unpacked import refuse_expanding_gzip
from autodc.data.columns import from_objects
from autodc.data.problems import problem
from autodc.data.source import SourceRequest
from autodc.errors import DataError, raise_all

SUFFIXES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")
JSON = (".json", ".json.gz")
MEANT_BY_JSON = "a .json file is one array of objects, or one object a line"
LONGEST_LINE = 256 << 20
LARGEST_ARRAY = 512 << 20
"""Bytes of a JSON array, which is read whole; JSON Lines are read in pieces."""
MAX_PROBLEMS = 10
BOM = b"\xef\xbb\xbf"
MEANT = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "a record"}


def is_jsonl(request: SourceRequest) -> bool:
    """Whether a table is JSON, by its name."""
    return request.path.casefold().endswith((*SUFFIXES, *JSON))


def jsonl_names(request: SourceRequest) -> list[str]:
    """The keys of all lines, in the order in which they come up.

    Raises DataError ADC-DATA-002 where the file cannot be read, 076 for lines that hold no object, 079 where
    it comes to too much.
    """
    names: dict[str, None] = {}
    for _, record in _records(request):
        names.update(dict.fromkeys(record))
    return list(names)


def read_jsonl(request: SourceRequest, names: Sequence[str], text: Sequence[str] = ()) -> pd.DataFrame:
    """Read these columns and no others; a key that a line does not have is missing there. text: read as text."""
    values: dict[str, list[Any]] = {name: [] for name in names}
    places = []
    for place, record in _records(request):
        places.append(place)
        for name, column in values.items():
            column.append(record.get(name))
    return frame_of(request, values, places, text)


def jsonl_pieces(
    request: SourceRequest, names: Sequence[str], rows: int, text: Sequence[str] = ()
) -> Iterator[pd.DataFrame]:
    """The same as `read_jsonl`, so many rows at a time."""
    records = _records(request)
    while some := list(itertools.islice(records, rows)):
        values = {name: [record.get(name) for _, record in some] for name in names}
        yield frame_of(request, values, [place for place, _ in some], text)


def frame_of(
    request: SourceRequest, values: dict[str, list[Any]], places: Sequence[str], text: Sequence[str] = ()
) -> pd.DataFrame:
    """Columns of JSON values as a table. places: where each row stands.

    Raises DataError ADC-DATA-077 for a column of values of several types.
    """
    columns, problems = {}, []
    for name, column in values.items():
        try:
            columns[name] = _as_text(column) if name in text else _column(request, name, column, places)
        except DataError as error:
            problems.append(error)
    raise_all(problems)
    return pd.DataFrame(columns, index=pd.RangeIndex(len(places)))


def _column(request: SourceRequest, name: str, values: list[Any], places: Sequence[str]) -> pd.Series[Any]:
    values = [None if isinstance(value, float) and math.isnan(value) else value for value in values]
    first: dict[str, int] = {}
    for row, value in enumerate(values):
        if value is not None:
            first.setdefault(MEANT[type(value)], row)
    if len(first) > 1:
        got = " and ".join(f"{kind} in {places[row]} ({_shown(values[row])})" for kind, row in first.items())
        hint = f"write one type, or have all of it read as text: options: {{types: {{{name}: category}}}}"
        raise problem(request, "077", f"column `{name}` holds values of several types", got, hint)
    objects = pd.Series(values, dtype=object)
    typed = from_objects(objects)
    if typed is not None:
        return typed
    return objects.astype("str") if first.keys() == {MEANT[str]} and hasattr(pd, "StringDtype") else objects


def _as_text(values: Iterable[Any]) -> pd.Series[Any]:
    return pd.Series([v if v is None or isinstance(v, str) else json.dumps(v) for v in values], dtype=object)


def _records(request: SourceRequest) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, object) of every object, `line 3` or `object 3`. Raises what is wrong, ten places at most, at the end."""
    problems: list[DataError] = []
    parsed = _elements(request) if _is_array(request) else _parsed_lines(request)
    for number, (place, record) in enumerate(parsed):
        if isinstance(record, DataError):
            problems.append(record)
            if len(problems) == MAX_PROBLEMS or not number:  # where the first is none, it is no such file
                break
        else:
            yield place, record
    raise_all(problems)


def _is_array(request: SourceRequest) -> bool:
    """Whether a file begins as an array of objects does; one that is called JSON Lines is told so."""
    if not request.path.casefold().endswith(JSON):
        return False
    with _opened(request) as file:
        return file.read(SNIFFED).removeprefix(BOM).lstrip().startswith(b"[")


def _elements(request: SourceRequest) -> Iterator[tuple[str, dict[str, Any] | DataError]]:
    with _opened(request) as file:
        content = file.read(LARGEST_ARRAY + 1)
    if len(content) > LARGEST_ARRAY:
        hint = "write one object a line into a .jsonl file: it is read in pieces"
        raise problem(request, "076", "a JSON array is too long", f"more than {LARGEST_ARRAY >> 20} MB", hint)
    whole = _loaded(request, content.removeprefix(BOM), "the file", "the file is no JSON", MEANT_BY_JSON)
    for number, one in enumerate(whole, start=1):
        place = f"object {number}"
        if not isinstance(one, dict):
            got = f"{place}: {_shown(one)}"
            one = problem(request, "076", "an element is no object", got, MEANT_BY_JSON)
        yield place, one


def _parsed_lines(request: SourceRequest) -> Iterator[tuple[str, dict[str, Any] | DataError]]:
    for number, line in _lines(request):
        try:
            yield f"line {number}", _parsed(request, number, line)
        except DataError as error:
            yield f"line {number}", error


def _parsed(request: SourceRequest, number: int, line: bytes) -> dict[str, Any]:
    got = f"line {number}: {line[:60].decode('utf-8', 'replace').rstrip()!r}"
    hint = 'JSON Lines is one whole object in braces a line: {"text": "…", "label": "…"}'
    if number == 1 and request.path.casefold().endswith(JSON):
        hint = MEANT_BY_JSON
    elif number == 1 and line.lstrip().startswith(b"["):
        hint = "the file is one JSON array; call it .json, or write each of its objects on a line of its own"
    record = _loaded(request, line, f"line {number}", "a line is no JSON", hint, got)
    if not isinstance(record, dict):
        raise problem(request, "076", "a line is no object", got, hint)
    return record


def _loaded(request: SourceRequest, content: bytes, place: str, no: str, hint: str, got: str = "") -> Any:
    """JSON as values. place: where it stands; no: what it is where it is no JSON."""
    got = got or place
    try:
        found = json.loads(content.decode(), object_pairs_hook=_object)
        json.dumps(found, ensure_ascii=False).encode()  # half of a pair of surrogates is no text
    except UnicodeEncodeError:
        raise problem(request, "076", "a line holds text that is no Unicode", got) from None
    except UnicodeDecodeError as error:
        bad = f"{place}: the byte {content[error.start]:#04x}"
        raise problem(request, "002", "the file is not UTF-8", bad, "write it again in UTF-8") from None
    except _TwiceError as error:
        raise problem(request, "076", "an object has a key twice", f"{place}: {error}") from None
    except (ValueError, RecursionError) as error:
        told = str(error).replace("line 1 column", "column") if isinstance(error, ValueError) else "nested too deeply"
        raise problem(request, "076", no, f"{got} ({told})", hint) from None
    return found


class _TwiceError(Exception):
    """A key that an object has twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(next(repr(name) for name in names if names.count(name) > 1))
    return found


def _lines(request: SourceRequest) -> Iterator[tuple[int, bytes]]:
    with _opened(request) as file:
        number = 0
        try:
            while line := file.readline(LONGEST_LINE):
                number += 1
                if len(line) == LONGEST_LINE:
                    raise problem(request, "076", "a line is too long", f"line {number}: more than 256 MB")
                line = line.removeprefix(BOM) if number == 1 else line
                if line.strip():
                    yield number, line
        except (OSError, EOFError, zlib.error) as error:
            raise problem(request, "002", "the file cannot be read", f"after line {number}: {error}") from None


@contextmanager
def _opened(request: SourceRequest) -> Iterator[IO[bytes]]:
    """Open the file, through gzip where it begins like one, whatever its name."""
    path = regular_file(request)
    with ExitStack() as stack:
        try:
            if start_of(path, 2).startswith(GZIP):
                refuse_expanding_gzip(request, path)
                file = cast(IO[bytes], stack.enter_context(gzip.open(path)))
            else:
                file = stack.enter_context(path.open("rb"))
            refuse_no_text(request, file.read(SNIFFED))
            file.seek(0)
        except (OSError, EOFError, zlib.error) as error:
            raise problem(request, "002", "the file cannot be read", str(error)) from None
        yield file


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
