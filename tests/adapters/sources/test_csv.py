"""CSV as people write it: what is text, what is missing, and files that are no CSV."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodc.data.where import select

SEALED = pytest.mark.parametrize("sealed", [False, True])


@pytest.fixture
def written(tmp_path: Path) -> Any:
    def write(content: Any, name: Any = "t.csv") -> Any:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    return write


def rows(data: Any, where: Any) -> Any:
    return select(where, data.metadata, data.y, place="here").tolist()


@SEALED
@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("price,a,target\n100,1,0,\n101,2,1,\n", "line 2: 4 fields, the header has 3"),
        ("price,a,target\n100,1,0\n101,2,1,5\n", "line 3: 4 fields, the header has 3"),
        ('price,a,target\n"1\n0",1,0\n\n101,2,1,5\n', "line 5: 4 fields, the header has 3"),
        ("price,a,target\n1\n101,2,1,5\n", "line 3: 4 fields, the header has 3"),
    ],
)
def test_a_row_with_more_fields_than_the_header_is_named(
    written: Any, refused: Any, content: Any, found: Any, sealed: Any
) -> None:
    problem = refused(written(content), sealed=sealed)
    assert (problem.code, problem.got) == ("ADC-DATA-002", found)
    assert "more fields than the header" in str(problem)


def test_a_comma_at_the_end_of_every_line_is_no_column_of_inputs(written: Any, read: Any) -> None:
    data = read(written("a,b,target,\n1,2,0,\n3,4,1,\n"))
    assert np.asarray(data.x).tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("word", ["NA", "None", "null", "nan", "n/a", "N/A", "NULL", "NaN", "<NA>", "#N/A"])
def test_words_of_a_text_column_stay_words(written: Any, read: Any, word: Any) -> None:
    data = read(written(f"a,region,target\n1,EU,0\n2,{word},1\n3,,0\n4,AS,1\n"))
    assert data.metadata["region"].tolist() == ["EU", word, None, "AS"]
    assert rows(data, f"region = '{word}'") == [False, True, False, False]
    assert rows(data, "region <> 'EU'") == [False, True, False, True]
    assert rows(data, "region IS NULL") == [False, False, True, False]


def test_a_column_of_nothing_but_such_words_is_text(written: Any, read: Any) -> None:
    data = read(written("a,region,target\n1,NA,0\n2,NA,1\n3,NA,0\n"))
    assert data.metadata["region"].tolist() == ["NA"] * 3
    assert data.x.shape == (3, 1)


def test_such_words_are_class_labels(written: Any, read: Any) -> None:
    data = read(written("a,target\n1,NA\n2,None\n3,null\n4,EU\n"))
    assert data.y.tolist() == ["NA", "None", "null", "EU"]
    assert read(written("a,target\n1,NA\n2,dog\n"), map={"NA": "none"}).y.tolist() == ["none", "dog"]


def test_in_a_column_of_numbers_they_are_missing(written: Any, read: Any) -> None:
    data = read(written("a,light,target\n1,0.5,0\n2,NA,1\n3,,0\n4,7,1\n"))
    np.testing.assert_array_equal(data.metadata["light"], [0.5, np.nan, np.nan, 7])
    assert rows(data, "light > 0.6") == [False, False, False, True]
    assert data.x.schema == {"a": "integer", "light": "number"}
    assert data.x.column("light").to_pylist() == [0.5, None, None, 7]


def test_a_flag_may_be_missing(written: Any, read: Any) -> None:
    data = read(written("a,night,target\n1,True,0\n2,,1\n3,False,0\n4,NA,1\n"), metadata=["night"])
    assert rows(data, "night") == [True, False, False, False]
    assert rows(data, "NOT night") == [False, False, True, False]
    assert rows(data, "night IS NULL") == [False, True, False, True]


def test_large_whole_numbers_keep_their_digits_beside_missing_ones(written: Any, read: Any) -> None:
    data = read(written("a,device,target\n1,9007199254740993,0\n2,,1\n3,9007199254740992,0\n"), metadata=["device"])
    assert rows(data, "device = 9007199254740993") == [True, False, False]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfa,note,target\n1,x,0\n2,y,1\n",
        b"a,note,target\r\n1,x,0\r\n2,y,1\r\n",
        gzip.compress(b"a,note,target\n1,x,0\n2,y,1\n"),
        b'"a","note",target\n1,"x",0\n2,"y",1',
        b"a;note;target\n1;x;0\n2;y;1\n",
        b"a\tnote\ttarget\n1\tx\t0\n2\ty\t1\n",
        "a,note,target\n1,x,0\n2,y,1\n".encode("utf-16"),
    ],
    ids=["mark", "crlf", "gzip", "quotes", "semicolons", "tabs", "utf-16"],
)
def test_ways_to_write_one_table(written: Any, read: Any, content: Any) -> None:
    data = read(written(content))
    assert data.x.frame().to_dict("list") == {"a": [1, 2], "note": ["x", "y"]}
    assert data.x.schema == {"a": "integer", "note": "category"}
    assert data.y.tolist() == [0, 1]
    assert data.metadata["note"].tolist() == ["x", "y"]


def test_a_zipped_table(tmp_path: Path, read: Any, refused: Any) -> None:
    with zipfile.ZipFile(tmp_path / "t.csv.zip", "w") as archive:
        archive.writestr("t.csv", "a,target\n1,0\n2,1\n")
    assert np.asarray(read("t.csv.zip").x).tolist() == [[1], [2]]
    with zipfile.ZipFile(tmp_path / "t.csv.zip", "a") as archive:
        archive.writestr("u.csv", "a,target\n1,0\n2,1\n")
    assert "2 files in it" in refused("t.csv.zip").got


def test_fields_may_hold_line_breaks_and_commas(written: Any, read: Any) -> None:
    data = read(written('a,note,target\n1,"two\nlines, and more",0\n2,y,1\n'))
    assert data.metadata["note"].tolist() == ["two\nlines, and more", "y"]


@SEALED
@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("<!DOCTYPE html><html><body>log in, please</body></html>", "a page of HTML"),
        ("\n <html>\n", "a page of HTML"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "git lfs pull"),
        ("/annex/objects/SHA256E-s1--2.csv\n", "git annex get"),
        ("a,target\n1,0\n2,1\n".encode("utf-16-le"), "UTF-16"),
        ("a,note,target\n1,caf\xe9,0\n2,y,1\n".encode("latin-1"), "line 2: the byte 0xe9"),
        (b"a,target\n1,0\n\x00\x00\x00\x01,2\n", "no text"),
        (b"PAR1 and so on", "name it .parquet"),
        (b"PK\x03\x04 a broken archive", "cannot be read"),
        (gzip.compress(b"a,target\n1,0\n" * 100, mtime=0)[:40], "cannot be read"),
        (b"", "cannot be read"),
    ],
)
def test_what_is_no_table_is_told_apart(written: Any, refused: Any, content: Any, words: Any, sealed: Any) -> None:
    problem = refused(written(content), sealed=sealed)
    assert problem.code == "ADC-DATA-002"
    assert words in str(problem)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_columns_of_one_name_are_refused_by_name(tmp_path: Path, refused: Any, suffix: Any) -> None:
    if suffix == ".csv":
        (tmp_path / "t.csv").write_text("light,light,target\n1,2,0\n")
    else:
        import pyarrow as pa
        from pyarrow import parquet

        columns = [pa.array([1, 2]), pa.array([3, 4]), pa.array([0, 1])]
        parquet.write_table(pa.Table.from_arrays(columns, ["light", "light", "target"]), tmp_path / "t.parquet")
    problem = refused(f"t{suffix}")
    assert (problem.code, problem.got) == ("ADC-DATA-017", "light")


def test_flags_with_missing_ones_are_inputs_like_all_flags(written: Any, read: Any) -> None:
    data = read(written("a,night,target\n1,True,0\n2,,1\n3,False,0\n"))
    assert data.x.schema == {"a": "integer", "night": "boolean"}
    assert data.x.frame()["night"].tolist() == [True, None, False]


def test_a_decimal_comma_is_found_or_asked_for(written: Any, read: Any) -> None:
    found = read(written("a;b;target\n1,5;2;0\n1.002,25;3;1\n"))
    assert found.x.frame().to_dict("list") == {"a": [1.5, 1002.25], "b": [2, 3]}
    asked = read(written('a,b,target\n"1,5",2,0\n"2,25",3,1\n'), decimal=",")
    assert asked.x.frame().to_dict("list") == {"a": [1.5, 2.25], "b": [2, 3]}


def test_infinity_is_no_number_of_a_table(written: Any, refused: Any) -> None:
    problem = refused(written("a,dose,target\n1,0.5,0\n2,inf,1\n3,1e400,0\n"))
    assert (problem.code, problem.got) == ("ADC-DATA-091", "row 1, 2: inf")
    assert "column `dose`" in str(problem)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("a,target,site\n1,0,p\n2,1\n3,0,q\n", "1 (line 3)"),
        ('a,target,site\n1,0,"p\nq"\n\n1\n2,1\n', "2 (line 5, 6)"),
        ("a,target,site\n" + "1,0,p\n" * 5000 + "2,1\n", "1 (line 5002)"),
    ],
)
def test_rows_with_fewer_fields_than_the_header_are_told(written: Any, read: Any, content: Any, told: Any) -> None:
    content = content.replace("\n1\n", "\n1,1\n")
    (note,) = (note for note in read(written(content)).notes if "fewer fields" in note)
    assert told in note


@pytest.mark.parametrize("content", ["a,target,\n1,0\n2,1\n", "a,target,site\n1,0,p\n2,1,\n", "a,target\n1,0\n\n2,1\n"])
def test_rows_that_lack_no_field_are_not_told(written: Any, read: Any, content: Any) -> None:
    assert not any("fewer fields" in note for note in read(written(content)).notes)


@SEALED
def test_labels_that_a_decimal_number_may_have_rounded_are_refused(
    written: Any, read: Any, refused: Any, sealed: Any
) -> None:
    name = written("a,target\n1,9007199254740993.0\n2,9007199254740992\n")
    if sealed:
        assert read(name, sealed=True).y is None
    else:
        assert refused(name).code == "ADC-DATA-058"
    whole = read(written("a,target\n1,9007199254740993\n2,9007199254740992\n", "whole.csv"))
    assert whole.y.tolist() == [9007199254740993, 9007199254740992]
