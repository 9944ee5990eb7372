"""CSV as people write it: text stays text, what is missing is an empty field, and no row has more than the header."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import IO, Any, cast

import pandas as pd

from autodc.adapters.sources.dialect import MISSING, UTF_8, Dialect, dialect_of, pointed_numbers
from autodc.adapters.sources.files import GZIP, SNIFFED, ZIP, refuse_no_text, regular_file, start_of
from autodc.adapters.sources.kinds import are_dates
from autodc.adapters.sources.unpacked import UNZIP, Meter, refuse_expanding_gzip
from autodc.data.columns import from_objects
from autodc.data.problems import problem, refuse_doubles
from autodc.data.source import SourceRequest
from autodc.errors import DataError

UNREADABLE = (OSError, EOFError, ValueError, RuntimeError, MemoryError, zlib.error, zipfile.BadZipFile)
"""pandas' parser errors are ValueErrors, as are those of encodings."""
UNNAMED = "Unnamed: {}"
"""What pandas calls the column at a position whose name is empty."""
PADDED = r"^\s*[-+]?0\d"
"""A whole number with zeros before it."""
PADDED_FIELD = re.compile(rb"(?:^|[^\w.:-])[-+]?0\d")
BLOCK = 1 << 20
SHOWN = 8
TOO_MANY = re.compile(r"Expected \d+ fields in line \d+, saw \d+")


def csv_names(request: SourceRequest) -> list[str]:
    """The names in the header, one a column.

    Raises DataError ADC-DATA-002 where it cannot be read, 017 for names that come twice, 079 for too much.
    """
    as_written: dict[str, Any] = {"header": None, "dtype": str, "keep_default_na": False}
    first = _parsed(request, nrows=1, **as_written)
    names = [str(name) or UNNAMED.format(i) for i, name in enumerate(first.iloc[0].tolist())]
    refuse_doubles(request, names)
    _parsed(request, nrows=2, **as_written)  # the one place where a first row of too many fields is noticed
    return names


def read_csv(
    request: SourceRequest, names: Sequence[str], text: Sequence[str] = (), no_text: Sequence[str] = ()
) -> pd.DataFrame:
    """Read these columns and no others. text: columns that are text whatever they look like; no_text: that are none.

    All columns are parsed, for only then a row with too many fields is noticed; those not asked for are not looked at.
    A column of text keeps words like NA, and numbers with zeros before them, such as 007, are text; in a column of
    numbers or dates such words are missing, as an empty field is everywhere.
    """
    header = csv_names(request)
    as_text = {name: str for name in header if name in text or name not in names}
    missing = {name: ["", *sorted(MISSING)] if name in no_text and name not in text else [""] for name in header}
    kept: dict[str, Any] = {"keep_default_na": False, "na_values": missing}
    table = _parsed(request, dtype=as_text, **kept)[list(names)]
    open_to_all = [name for name in names if name not in text]
    _words_as_missing(request, table, open_to_all)
    if padded := [name for name in open_to_all if name not in no_text and _may_be_padded(table[name])]:
        _padded_as_text(request, table, padded, kept)
    for name in names:
        if table[name].dtype == object and pd.api.types.infer_dtype(table[name], skipna=True) == "boolean":
            flags = from_objects(table[name])  # with missing ones among them
            table[name] = table[name] if flags is None else flags
        if table[name].dtype == float and _may_be_whole(table[name]):
            whole = _parsed(request, usecols=[name], dtype=str)[name]
            table[name] = _whole(whole, table[name])
    return table


def short_rows(request: SourceRequest, names: Sequence[str]) -> tuple[str, ...]:
    """Say which rows have fewer fields than the header: what follows a lost field has moved to the left.

    Such a row has an empty last column, so most files need no second look.
    """
    last = _parsed(request, usecols=[len(names) - 1], dtype=str, keep_default_na=False, na_values=[""])
    if last.iloc[:, 0].notna().all():
        return ()
    enough = len(names) - (names[-1] == UNNAMED.format(len(names) - 1))  # a comma at the end of the header is no column
    with _opened(request) as (file, dialect):
        rows = _fields(file, dialect)
        try:
            lines = [rows.line_num for row in rows if 0 < len(row) < enough]
        except (csv.Error, UnicodeDecodeError):
            return ()
    if not lines:
        return ()
    shown = ", ".join(map(str, lines[:SHOWN])) + (", …" if len(lines) > SHOWN else "")
    return (
        f"rows with fewer fields than the header: {len(lines)} (line {shown}); their last columns count as missing",
    )


def _words_as_missing(request: SourceRequest, table: pd.DataFrame, names: Sequence[str]) -> None:
    """Read columns as numbers, truth values or dates that are text for words like NA, or points between thousands."""
    with _opened(request) as (_, dialect):
        comma = dialect.decimal == ","
    texts = [name for name in names if pd.api.types.is_string_dtype(table[name])]
    doubtful = [name for name in texts if _may_be_numbers(table[name], comma)]
    if doubtful:
        numbers = _parsed(request, usecols=doubtful, na_values=sorted(MISSING))
        for name in doubtful:
            if not pd.api.types.is_string_dtype(numbers[name]) and numbers[name].notna().any():
                table[name] = numbers[name]
    for name in texts:
        if not pd.api.types.is_string_dtype(table[name]):
            continue
        values = table[name].where(~table[name].isin(list(MISSING)))
        numeric = pointed_numbers(values) if comma else None
        if numeric is not None:
            table[name] = numeric
        elif values.notna().any() and values.isna().sum() > table[name].isna().sum() and are_dates(values.dropna()):
            table[name] = values


def _may_be_numbers(column: pd.Series[Any], comma: bool) -> bool:
    """Whether a column is text for such words alone."""
    words = column.isin(list(MISSING))
    others = column[~words & column.notna()]
    if not words.any() or others.empty:
        return False
    some = others.head(100).str.replace(",", ".", regex=False) if comma else others.head(100)
    return bool(pd.to_numeric(some, errors="coerce").notna().all()) or set(others.unique()) <= _TRUTHS


def _may_be_padded(column: pd.Series[Any]) -> bool:
    return pd.api.types.is_integer_dtype(column) or (column.dtype == float and _may_be_whole(column))


def _padded_as_text(request: SourceRequest, table: pd.DataFrame, names: list[str], kept: dict[str, Any]) -> None:
    """Give columns of whole numbers back as they are written, where some have zeros before them."""
    with _opened(request) as (file, dialect):
        plain = dialect.encoding.startswith(("utf-16", "utf-32"))
        while not plain and (block := file.read(BLOCK)):
            plain = PADDED_FIELD.search(block + file.readline()) is not None
    if plain:
        written = _parsed(request, usecols=names, dtype=str, **kept)
        for name in names:
            if written[name].str.match(PADDED, na=False).any():
                table[name] = written[name]


_TRUTHS = {"True", "TRUE", "true", "False", "FALSE", "false"}


def _may_be_whole(column: pd.Series[Any]) -> bool:
    """Whether numbers with missing ones among them may have been written as whole ones, as all large ones are."""
    known = column.dropna()
    return bool(len(known) < len(column) and len(known) and (known == known.round()).all())


def _whole(text: pd.Series[Any], numbers: pd.Series[Any]) -> pd.Series[Any]:
    """Whole numbers of 64 bits with missing ones, exact; the floats where they were written with a point."""
    if text.str.contains(r"[.,eE]", na=False).any():
        return numbers
    try:
        exact = from_objects(text.where(numbers.notna()).astype("Int64").astype(object))
    except (ValueError, TypeError, OverflowError):
        return numbers
    return numbers if exact is None else exact


def _parsed(request: SourceRequest, **arguments: Any) -> pd.DataFrame:
    with _opened(request) as (file, dialect):
        written: dict[str, Any] = {
            "sep": dialect.separator,
            "decimal": dialect.decimal,
            "encoding": dialect.encoding,
        }
        try:
            # Without index_col=False a first row of one field too many makes the first column an index.
            table: pd.DataFrame = pd.read_csv(file, low_memory=False, index_col=False, **written, **arguments)
        except UNREADABLE as error:
            failure = error
        else:
            return table
    raise _explained(request, failure) from None


@contextmanager
def _opened(request: SourceRequest) -> Iterator[tuple[IO[bytes], Dialect]]:
    """Open the file, through gzip or zip where it begins like one, whatever its name."""
    path = regular_file(request)
    with ExitStack() as stack:
        try:
            start = start_of(path)
            if start.startswith(GZIP):
                refuse_expanding_gzip(request, path)
                file = cast(IO[bytes], stack.enter_context(gzip.open(path)))
            elif start.startswith(ZIP):
                file = stack.enter_context(_only_member(request, stack.enter_context(zipfile.ZipFile(path))))
            else:
                file = stack.enter_context(path.open("rb"))
            beginning = file.read(SNIFFED)
            dialect = dialect_of(request, beginning)
            if not dialect.encoding.startswith(("utf-16", "utf-32")):
                refuse_no_text(request, beginning)
            file.seek(0)
        except UNREADABLE as error:
            raise _explained(request, error) from None
        yield file, dialect


def _fields(file: IO[bytes], dialect: Dialect) -> Any:
    """The rows of a file, each a list of fields."""
    text = io.TextIOWrapper(file, encoding=dialect.encoding, newline="")
    return csv.reader(text, delimiter=dialect.separator)


def _only_member(request: SourceRequest, archive: zipfile.ZipFile) -> IO[bytes]:
    members = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX")]
    if len(members) != 1 or members[0].endswith(".xml"):
        got = f"{len(members)} files in it, such as {', '.join(members[:3])}"
        raise problem(request, "002", "the file is an archive, not one table", got, "unpack it, or export it as .csv")
    Meter(request, UNZIP).add(archive.getinfo(members[0]).file_size)
    return archive.open(members[0])


def _explained(request: SourceRequest, error: Exception) -> DataError:
    """What is wrong with the file, with its line where that can be told."""
    if isinstance(error, UnicodeDecodeError):
        return _no_utf8(request, error)
    if TOO_MANY.search(str(error)) and (found := _longest(request)):
        hint = "take the extra comma out, or quote the field that holds one"
        if found.endswith("the header has 1"):
            hint = "the first line is taken for the header; take what stands above the names of the columns out"
        return problem(request, "002", "a row has more fields than the header", found, hint)
    return problem(request, "002", "the table cannot be read", str(error).strip() or type(error).__name__)


def _no_utf8(request: SourceRequest, error: UnicodeDecodeError) -> DataError:
    got = f"the byte {error.object[error.start]:#04x}"
    with _opened(request) as (file, dialect):
        if (encoding := dialect.encoding) != UTF_8:
            return problem(request, "002", f"the table is not {encoding}", got, "mend options: {encoding: ...}")
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError as bad:
                got = f"line {number}: the byte {line[bad.start]:#04x} in {line[:60].decode('latin-1').rstrip()!r}"
                break
    hint = "it may be Latin-1 or Windows-1252: say options: {encoding: windows-1252}, or write it again in UTF-8"
    return problem(request, "002", "the table is not UTF-8", got, hint)


def _longest(request: SourceRequest) -> str:
    """The first row with more fields than the header."""
    with _opened(request) as (file, dialect):
        rows = _fields(file, dialect)
        header = 0
        try:
            for row in rows:
                header = header or len(row)
                if len(row) > header:
                    return f"line {rows.line_num}: {len(row)} fields, the header has {header}"
        except (csv.Error, UnicodeDecodeError):
            pass
    return ""
