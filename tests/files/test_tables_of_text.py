"""CSV and TSV: encodings, marks, layouts, and types of columns."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from autodc.data.where import select

BIG = 2**53 + 1
TWO = {"a": ("integer", [1, 2]), "b": ("category", ["x", "y"])}
PLAIN = "a,b,target\n1,x,0\n2,y,1\n"
CITIES = {"a": ("integer", [1, 2]), "town": ("category", ["Köln", "Łódź"])}
UMLAUTS = {"a": ("integer", [1, 2]), "town": ("category", ["Köln", "Orléans"])}


def zipped(*members: Any) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def case(name: str, content: Any, columns: Any, **options: Any) -> Any:
    return pytest.param(content, columns, options, id=name)


def column(name: str, values: str, kind: str, expected: Any, **options: Any) -> Any:
    """A column beside another. values: separated by blanks, a point for an empty field."""
    rows = [("" if value == "." else value) for value in values.split(" ")]
    lines = "".join(f"{value},{i}.5,{i % 2}\n" for i, value in enumerate(rows))
    beside = ("number", [i + 0.5 for i in range(len(rows))])
    return pytest.param(f"c,beside,target\n{lines}", {"c": (kind, expected), "beside": beside}, options, id=name)


WRITTEN = [
    case("utf-8", "a,town,target\n1,Köln,0\n2,Łódź,1\n", CITIES),
    case("utf-8 with a mark", "\ufeffa,town,target\n1,Köln,0\n2,Łódź,1\n", CITIES),
    case("utf-8 asked for, with a mark", "\ufeffa,town,target\n1,Köln,0\n2,Łódź,1\n", CITIES, encoding="utf-8"),
    case("utf-16 little end first", b"\xff\xfe" + "a,town,target\n1,Köln,0\n2,Łódź,1\n".encode("utf-16-le"), CITIES),
    case("utf-16 big end first", b"\xfe\xff" + "a,town,target\n1,Köln,0\n2,Łódź,1\n".encode("utf-16-be"), CITIES),
    case(
        "utf-16 without a mark",
        "a,town,target\n1,Köln,0\n2,Łódź,1\n".encode("utf-16-le"),
        CITIES,
        encoding="utf-16-le",
    ),
    case("latin-1", "a,town,target\n1,Köln,0\n2,Orléans,1\n".encode("latin-1"), UMLAUTS, encoding="latin-1"),
    case("windows-1250", "a,town,target\n1,Köln,0\n2,Łódź,1\n".encode("cp1250"), CITIES, encoding="windows-1250"),
    case("lines of windows", PLAIN.replace("\n", "\r\n"), TWO),
    case("lines of an old mac", PLAIN.replace("\n", "\r"), TWO),
    case("no line break at the end", PLAIN.rstrip(), TWO),
    case("empty lines", "\n" + PLAIN.replace("\n", "\n\n"), TWO),
    case("semicolons", PLAIN.replace(",", ";"), TWO),
    case("tabs", PLAIN.replace(",", "\t"), TWO),
    case("bars", PLAIN.replace(",", "|"), TWO),
    case("a mark of one's own", PLAIN.replace(",", "^"), TWO, separator="^"),
    case("gzip", gzip.compress(PLAIN.encode()), TWO),
    case("zip of one table", zipped(("t.csv", PLAIN)), TWO),
    case("zip of a mac", zipped(("t.csv", PLAIN), ("__MACOSX/._t.csv", "x")), TWO),
    case("a comma at the end of every line", PLAIN.replace("\n", ",\n"), TWO),
    case("commas at the end of the rows alone", "a,b,target\n1,x,0\n2,y,1\n", TWO),
    case("quotes around all", '"a","b","target"\n"1","x","0"\n"2","y","1"\n', TWO),
    case(
        "quoted line breaks, commas and quotes",
        'a,b,target\n1,"x,\ny",0\n2,"he said ""z""",1\n',
        {"a": ("integer", [1, 2]), "b": ("category", ["x,\ny", 'he said "z"'])},
    ),
    case(
        "blanks within",
        "a,b,target\n1, x,0\n2,y ,1\n",
        {"a": ("integer", [1, 2]), "b": ("category", [" x", "y "])},
    ),
    case("one column beside the target", "a,target\n1,0\n2,1\n", {"a": ("integer", [1, 2])}),
    case(
        "a column without a name",
        ",b,target\n0.5,x,0\n1.5,y,1\n",
        {"Unnamed: 0": ("number", [0.5, 1.5]), "b": ("category", ["x", "y"])},
    ),
    case(
        "names with dots, blanks and quotes",
        'a.b,"it\'s, so",größe,target\n1,x,0.5,0\n2,y,1.5,1\n',
        {"a.b": ("integer", [1, 2]), "it's, so": ("category", ["x", "y"]), "größe": ("number", [0.5, 1.5])},
    ),
    case("a row too short", "a,target,b\n1,0,x\n2,1\n", {"a": ("integer", [1, 2]), "b": ("category", ["x", None])}),
    case(
        "semicolons and decimal commas",
        "a;b;target\n1,5;3;0\n-0,25;4;1\n",
        {"a": ("number", [1.5, -0.25]), "b": ("integer", [3, 4])},
    ),
    case(
        "points between thousands",
        "a;b;target\n1.002,5;2.000.000;0\n7,25;3;1\n",
        {"a": ("number", [1002.5, 7.25]), "b": ("integer", [2_000_000, 3])},
    ),
    case(
        "decimal commas beside dates, addresses and versions with points",
        "a;day;host;version;target\n1,5;01.02.2024;192.168.1.1;1.10;0\n2.000,5;02.02.2024;10.0.0.1;1.2;1\n",
        {
            "a": ("number", [1.5, 2000.5]),
            "day": ("category", ["01.02.2024", "02.02.2024"]),
            "host": ("category", ["192.168.1.1", "10.0.0.1"]),
            "version": ("category", ["1.10", "1.2"]),
        },
        features=["a", "day", "host", "version"],
    ),
    case(
        "decimal commas with a word for what is missing",
        "a;b;target\n1,5;x;0\nNA;y;1\n2,5;x;0\n",
        {"a": ("number", [1.5, None, 2.5]), "b": ("category", ["x", "y", "x"])},
    ),
    case(
        "decimal commas in quotes",
        'a,b,target\n"1,5",x,0\n"2,25",y,1\n',
        {"a": ("number", [1.5, 2.25]), "b": ("category", ["x", "y"])},
        decimal=",",
    ),
    case(
        "a decimal comma that comes late",
        "a;target\n" + "".join(f"{i % 7};{i % 2}\n" for i in range(80)) + "1,5;0\n",
        {"a": ("number", [*(float(i % 7) for i in range(80)), 1.5])},
    ),
    column("whole numbers", "1 -2 +3 1", "integer", [1, -2, 3, 1]),
    column("whole numbers with gaps", "1 . 3 1", "integer", [1, None, 3, 1]),
    column("whole numbers that no float holds, with gaps", f"{BIG} . 3 3", "integer", [BIG, None, 3, 3]),
    column("whole numbers written with a point, with gaps", "1.0 . 3.0 1.0", "number", [1.0, None, 3.0, 1.0]),
    column("numbers", "0.1 1e-3 .5 -2.", "number", [0.1, 0.001, 0.5, -2.0]),
    column("numbers to the last digit", "0.1234567890123456 1 1 1", "number", [0.1234567890123456, 1, 1, 1]),
    column("words for what is missing among numbers", "0.5 NA NaN null", "number", [0.5, None, None, None]),
    column("such words among whole numbers", "5 NA n/a 5", "integer", [5, None, None, 5]),
    column("such words among words", "NA EU . None", "category", ["NA", "EU", None, "None"]),
    column("such words among dates", "2024-01-05 NA . 2024-01-05", "date", ["2024-01-05", None, None, "2024-01-05"]),
    column("infinity and NaN as words", "inf of words nan", "category", ["inf", "of", "words", "nan"]),
    column("zeros before whole numbers", "007 12 007 012", "category", ["007", "12", "007", "012"]),
    column("such with gaps", "007 . 007 12", "category", ["007", None, "007", "12"]),
    column("such, wanted as numbers", "007 . 12 12", "integer", [7, None, 12, 12], types={"c": "integer"}),
    column("zeros before a point", "0.5 0 00.5 -0.5", "number", [0.5, 0, 0.5, -0.5]),
    column("true and false", "True False True False", "boolean", [True, False, True, False]),
    column("small letters", "true false true false", "boolean", [True, False, True, False]),
    column("true and false with gaps", "True . False NA", "boolean", [True, None, False, None]),
    column("yes and no", "yes no yes .", "category", ["yes", "no", "yes", None]),
    column("yes and no, wanted as truth", "yes no yes .", "boolean", [True, False, True, None], types={"c": "boolean"}),
    column("zero and one, wanted as truth", "1 0 . 1", "boolean", [True, False, None, True], types={"c": "boolean"}),
    column("zero and one", "1 0 1 1", "integer", [1, 0, 1, 1]),
    column("numbers, wanted as categories", "1 2 1 .", "category", ["1", "2", "1", None], types={"c": "category"}),
    column("days", "2024-01-05 2024-02-29 . 9999-12-31", "date", ["2024-01-05", "2024-02-29", None, "9999-12-31"]),
    column(
        "moments with and without a zone",
        "2024-01-05T12:00:00+02:00 2024-01-05T12:00:00Z 2024-01-05T12:00 2024-01-05",
        "date",
        ["2024-01-05 10:00", "2024-01-05 12:00", "2024-01-05 12:00", "2024-01-05"],
    ),
    column("days there are not", "2024-02-30 2024-02-01 x x", "category", ["2024-02-30", "2024-02-01", "x", "x"]),
    column("numbers and words", "1 x 2.0 x", "category", ["1", "x", "2.0", "x"]),
    column("hexadecimal", "0x1F a 0x1F a", "category", ["0x1F", "a", "0x1F", "a"]),
    column("signs of no alphabet", "😀 ½ 😀 \u202e", "category", ["😀", "½", "😀", "\u202e"]),
    case(
        "free text",
        "c,d,target\nit came too late,0.5,0\nall was well here,1.5,1\n",
        {"c": ("text", ["it came too late", "all was well here"]), "d": ("number", [0.5, 1.5])},
    ),
    case(
        "an id and what never changes are left out",
        "customer_id,a,land,target\n" + "".join(f"k{i},{i % 5},DE,{i % 2}\n" for i in range(30)),
        {"a": ("integer", [i % 5 for i in range(30)])},
    ),
    case(
        "an id that is asked for",
        "customer_id,a,land,target\n" + "".join(f"{i},{i % 5},DE,{i % 2}\n" for i in range(30)),
        {"customer_id": ("integer", list(range(30))), "a": ("integer", [i % 5 for i in range(30)])},
        features=["customer_id", "a"],
    ),
]


@pytest.mark.parametrize(("content", "columns", "options"), WRITTEN)
def test_each_is_read_right(right: Any, content: Any, columns: Any, options: Any) -> None:
    right("t.csv", content, columns, **options)


def test_a_table_of_tabs_by_its_name(right: Any) -> None:
    right("t.tsv", "a\tb\ttarget\n1,5\tx\t0\n2,5\ty\t1\n", {**TWO, "a": ("number", [1.5, 2.5])})
    right("one.tsv", "a,b\ttarget\nx,y\t0\nz\t1\n", {"a,b": ("category", ["x,y", "z"])})


NO_TABLE = [
    ("empty", b"", "002", "No columns"),
    ("blank lines alone", b"\n\n\n", "002", "No columns"),
    ("a header alone", b"a,target\n", "009", "no rows"),
    ("no header", b"5.1,3.5,0\n4.9,3.0,1\n", "005", "the first line is taken for the names of the columns"),
    ("a line above the header", b"# of the 5th of May\na,b,target\n1,2,0\n", "002", "stands above the names"),
    ("a name twice", b"a,a,target\n1,2,0\n", "017", "found a"),
    ("rows too long", b"a,target\n1,0\n2,1,5\n", "002", "line 3: 3 fields, the header has 2"),
    ("infinity among numbers", b"a,target\n1.5,0\ninf,1\n", "091", "found row 1: inf"),
    ("a number too large", b"a,target\n1.5,0\n1e400,1\n", "091", "found row 1: inf"),
    ("a label missing", b"a,target\n1,x\n2,\n", "008", "no value in row 1"),
    ("labels with a point", b"a,target\n1,0.5\n2,1.5\n", "011", "whole numbers or text"),
    ("a page to log in", b"<!DOCTYPE html><html><form>log in</form></html>", "002", "a page of HTML"),
    ("a pointer of Git LFS", b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "002", "git lfs pull"),
    ("a pointer of git-annex", b"/annex/objects/SHA256E-s1--2.csv\n", "002", "git annex get"),
    ("a Parquet table", b"PAR1\x15\x04", "002", "name it .parquet"),
    ("numbers of a program", b"a,target\n1,0\n\x00\x00\x00\x01,2\n", "002", "no text"),
    ("latin-1 unasked", "a,t,target\n1,caf\xe9,0\n".encode("latin-1"), "002", "options: {encoding: windows-1252}"),
    ("utf-16 without a mark", "a,target\n1,0\n2,1\n".encode("utf-16-le"), "002", "{encoding: utf-16-le}"),
    ("utf-8 cut within a sign", "a,t,target\n1,é,0\n".encode()[:-4], "002", "line 2: the byte 0xc3"),
    ("zip of two tables", zipped(("a.csv", PLAIN), ("b.csv", PLAIN)), "002", "2 files in it, such as a.csv, b.csv"),
    ("a workbook", zipped(("[Content_Types].xml", ""), ("xl/workbook.xml", "")), "002", "export it as .csv"),
    ("zip cut short", zipped(("a.csv", PLAIN))[:40], "002", "not a zip file"),
    ("gzip cut short", gzip.compress(PLAIN.encode() * 50)[:30], "002", "cannot be read"),
    ("nothing to learn from", b"customer_id,land,target\nk1,DE,0\nk2,DE,1\n", "004", "looks like an id"),
]


@pytest.mark.parametrize(("content", "code", "words"), [pytest.param(*rest, id=name) for name, *rest in NO_TABLE])
def test_each_is_refused_in_its_own_words(refused: Any, content: Any, code: Any, words: Any) -> None:
    problem = refused("t.csv", content)
    assert problem.code == f"ADC-DATA-{code}"
    assert words in str(problem)


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ({"separator": "::"}, "092", "one character"),
        ({"decimal": ":"}, "092", "a point or a comma"),
        ({"encoding": "latin-9999"}, "092", "such as utf-8, latin-1"),
        ({"encoding": "base64"}, "092", "not known"),
        ({"encoding": "ascii"}, "002", "mend options: {encoding: ...}"),
        ({"types": ["a"]}, "090", "column: type"),
        ({"types": {"b": "colour"}}, "090", "no type `colour`"),
        ({"types": {"b": "number"}}, "091", "row 0, 1: 'x'"),
        ({"types": {"b": "date"}}, "091", "a date such as"),
        ({"types": {"b": "boolean"}}, "091", "true or false"),
        ({"text": "bb"}, "004", "did you mean `b`?"),
    ],
)
def test_an_option_that_does_not_fit_the_file(refused: Any, options: Any, code: Any, words: Any) -> None:
    problem = refused("t.csv", PLAIN.replace("y", "é"), **options)
    assert problem.code == f"ADC-DATA-{code}"
    assert words in str(problem)


@pytest.mark.parametrize(
    ("written", "labels"),
    [
        ("NA None null NaN", ["NA", "None", "null", "NaN"]),
        ("1 2 1 2", [1, 2, 1, 2]),
        ("01 1 02 2", ["01", "1", "02", "2"]),
        ("True False True False", [True, False, True, False]),
        ("yes no yes no", ["yes", "no", "yes", "no"]),
        ("1.0 2.0 1.0 2.0", [1, 2, 1, 2]),
        (f"{BIG} {BIG + 1} {BIG} {BIG + 1}", [BIG, BIG + 1, BIG, BIG + 1]),
        ("2024-01-05 2024-01-06 2024-01-05 2024-01-06", ["2024-01-05", "2024-01-06"] * 2),
    ],
)
def test_labels_are_what_is_written(right: Any, written: Any, labels: Any) -> None:
    lines = "".join(f"{i}.5,{label}\n" for i, label in enumerate(written.split(" ")))
    data = right("t.csv", f"a,target\n{lines}", {"a": ("number", [0.5, 1.5, 2.5, 3.5])})
    assert data.y.tolist() == labels


def test_targets_that_are_numbers_may_have_zeros_before_them(right: Any, refused: Any) -> None:
    columns = {"a": ("number", [0.5, 1.5])}
    assert right("t.csv", "a,target\n0.5,007\n1.5,012\n", columns, kind="regression").y.tolist() == [7, 12]
    problem = refused("t.csv", "a,target\n0.5,007\n1.5,NA\n", kind="regression")
    assert (problem.code, "row 1" in problem.got) == ("ADC-DATA-011", True)


BASE = {"n": "integer", "z": "number", "c": "category", "f": "boolean", "d": "date", "t": "text"}


def test_another_file_is_read_in_the_types_of_the_base(right: Any) -> None:
    """Whatever its own rows look like: other order, other columns, another way of writing."""
    content = "d;more;c;n;t;z;f;target\n2024-01-05;1;7;NA;12;1,5;1;0\nNA;2;007;3.0;;NA;;1\n"
    right(
        "t.csv",
        content,
        {
            "n": ("integer", [None, 3]),
            "z": ("number", [1.5, None]),
            "c": ("category", ["7", "007"]),
            "f": ("boolean", [True, None]),
            "d": ("date", ["2024-01-05", None]),
            "t": ("text", ["12", None]),
        },
        schema=BASE,
    )


def test_a_column_of_nothing_has_the_type_of_the_base(right: Any) -> None:
    content = "n,z,c,f,d,t,target\n" + "NA,,,,,,0\n" * 2
    right("t.csv", content, {name: (kind, [None, None]) for name, kind in BASE.items()}, schema=BASE)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("n", "2.5", "found row 1: 2.5"),
        ("n", "many", "found row 1: 'many'"),
        ("z", "1,5 €", "found row 1: '1,5 €'"),
        ("f", "perhaps", "found row 1: 'perhaps'"),
        ("d", "05.01.2024", "found row 1: '05.01.2024'"),
    ],
)
def test_a_value_that_is_not_of_the_type_of_the_base(refused: Any, column: Any, value: Any, words: Any) -> None:
    good = {"n": "1", "z": "0.5", "c": "x", "f": "true", "d": "2024-01-05", "t": "some words"}
    rows = [good, {**good, column: value}, good]
    table = pd.DataFrame([{**row, "target": "k"} for row in rows])
    problem = refused("t.csv", table.to_csv(index=False), schema=BASE)
    assert problem.code == "ADC-DATA-091"
    assert f"column `{column}` holds a value that is not" in str(problem)
    assert words in str(problem)
    assert "give the base another type with options: {types: {" in problem.hint


def test_columns_of_the_base_that_are_not_there(refused: Any) -> None:
    problem = refused("t.csv", "n,zz,target\n1,2,0\n", schema={"n": "integer", "z": "number"})
    assert (problem.code, problem.got) == ("ADC-DATA-020", "z; columns here: n, zz, target")


def test_a_region_called_na_is_not_lost(right: Any) -> None:
    regions = ["EU", "NA", "AS"] * 4
    lines = "".join(f"{i}.5,{region},{i % 2}\n" for i, region in enumerate(regions))
    data = right(
        "t.csv",
        f"a,region,target\n{lines}",
        {"a": ("number", [i + 0.5 for i in range(12)]), "region": ("category", regions)},
    )
    assert select("region <> 'EU'", data.metadata, data.y, place="").sum() == 8
    assert select("region = 'NA'", data.metadata, data.y, place="").sum() == 4


def test_a_comma_at_the_end_of_the_rows_alone_moves_no_column(refused: Any, right: Any) -> None:
    """The first column is not taken for an index, nor the second for the target."""
    rows = "".join(f"{100 + i},{i}.5,{i % 3},\n" for i in range(6))
    problem = refused("t.csv", f"price,f1,f2\n{rows}", target="price", kind="regression")
    assert (problem.code, problem.got) == ("ADC-DATA-002", "line 2: 4 fields, the header has 3")
    columns = {"f1": ("number", [i + 0.5 for i in range(6)]), "f2": ("integer", [i % 3 for i in range(6)])}
    data = right("t.csv", f"price,f1,f2,note\n{rows}", columns, target="price", kind="regression")
    assert data.y.tolist() == [100 + i for i in range(6)]


def test_numbers_in_another_way_of_writing_are_named_and_may_be_asked_for(tmp_path: Path, read: Any) -> None:
    values = ["0,5", "1,25", "0,5", "1,25"]
    lines = "".join(f'"{value}",{i}.5,{i % 2}\n' for i, value in enumerate(values))
    (tmp_path / "t.csv").write_text(f"c,beside,target\n{lines}")
    data = read("t.csv")
    assert data.x.names == ("beside",)
    assert "column `c` is text that looks like numbers (c: '0,5'), so no input" in data.notes[0]
    assert "options: {decimal: ','}" in data.notes[0]
    assert read("t.csv", decimal=",").x.frame()["c"].tolist() == [0.5, 1.25, 0.5, 1.25]


def test_text_alone(tmp_path: Path, read: Any, trained: Any) -> None:
    (tmp_path / "t.csv").write_text('id,review,target\n1,"good,\nvery",a\n2,NA,b\n3,007,a\n4,,b\n')
    x, y, metadata = trained(read("t.csv", text="review"))
    assert (x.kind, x.names) == ("text", ("review",))
    assert x.for_estimator() == ["good,\nvery", "NA", "007", ""]
    assert y.tolist() == ["a", "b", "a", "b"]
    assert metadata["id"].tolist() == [1, 2, 3, 4]
