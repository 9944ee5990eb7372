"""JSON Lines: types that are kept, and lines that are told."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodc.adapters.sources.jsonlfile import jsonl_names, read_jsonl
from autodc.data.source import SourceRequest
from autodc.errors import Problems

ROWS = [
    {"text": "naïve “quotes”\nand lines", "stars": 5, "shop": "a", "price": 1.5, "open": True},
    {"text": "NA", "stars": 1, "price": None, "open": False, "shop": None},
    {"stars": 3, "text": "", "open": True, "shop": "b", "late": 2**60 + 1},
]


def write(path: Path, rows: Any, joint: Any = "\n") -> None:
    path.write_bytes(joint.join(json.dumps(row, ensure_ascii=False) for row in rows).encode())


def request(path: Path) -> SourceRequest:
    return SourceRequest(name="base", path=str(path), place="here", kind="classification")


@pytest.mark.parametrize("joint", ["\n", "\r\n", "\n\n"])
def test_types_are_kept(tmp_path: Path, joint: Any) -> None:
    write(tmp_path / "a.jsonl", ROWS, joint)
    asked = request(tmp_path / "a.jsonl")
    names = jsonl_names(asked)
    assert names == ["text", "stars", "shop", "price", "open", "late"]
    frame = read_jsonl(asked, names)
    assert frame["text"].tolist() == [ROWS[0]["text"], "NA", ""]
    assert frame["stars"].dtype == np.int64
    assert frame["open"].dtype == bool
    assert frame["price"].isna().tolist() == [False, True, True]
    assert frame["late"].tolist()[2] == 2**60 + 1
    assert frame["shop"].isna().tolist() == [False, True, False]


def test_compressed_and_with_a_mark(tmp_path: Path, read: Any) -> None:
    write(tmp_path / "a.jsonl", ROWS)
    content = (tmp_path / "a.jsonl").read_bytes()
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + content))
    data = read("b.jsonl.gz", text="text", target="stars")
    assert data.x.texts()[0] == ROWS[0]["text"]
    assert data.y.tolist() == [5, 1, 3]
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(content)[:-12])
    with pytest.raises(Exception, match="ADC-DATA-002"):
        read("cut.jsonl.gz", text="text", target="stars")


def test_lists_of_numbers_are_arrays(tmp_path: Path, read: Any) -> None:
    write(tmp_path / "a.ndjson", [{"v": [[1, 2], [3, i]], "target": i % 2} for i in range(4)])
    x = read("a.ndjson", features=["v"]).x
    assert x.shape == (4, 2, 2)
    assert x[3].tolist() == [[1, 2], [3, 3]]


BAD = {
    "word": ('{"a": 1, "target": 0}\n{"a": oops}\n', "ADC-DATA-076", "line 2: '{\"a\": oops}'"),
    "array": ('[{"a": 1}]', "ADC-DATA-076", "the file is one JSON array"),
    "several lines": ('{\n"a": 1,\n"target": 0}\n', "ADC-DATA-076", "line 1"),
    "number": ('{"a": 1, "target": 0}\n5\n', "ADC-DATA-076", "a line is no object"),
    "twice": ('{"a": 1, "a": 2, "target": 0}\n', "ADC-DATA-076", "line 1: 'a'"),
    "surrogate": ('{"a": "\\ud800", "target": 0}\n', "ADC-DATA-076", "no Unicode"),
    "deep": ('{"a": ' + "[" * 100_000 + "\n", "ADC-DATA-076", "nested too deeply"),
    "types": (
        '{"a": 1, "target": 0}\n{"a": "x", "target": 1}\n',
        "ADC-DATA-077",
        "a number in line 1 (1) and text in line 2 ('x')",
    ),
    "flags": ('{"a": 1, "target": 0}\n\n{"a": true, "target": 1}\n', "ADC-DATA-077", "true or false in line 3 (True)"),
    "empty": ("", "ADC-DATA-009", "there are no columns"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, refused: Any, what: Any) -> None:
    content, code, told = BAD[what]
    (tmp_path / "a.jsonl").write_text(content)
    problem = refused("a.jsonl")
    assert problem.code == code
    assert told in str(problem)
    assert len(str(problem)) < 700


def test_bytes_that_are_no_text(tmp_path: Path, refused: Any) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"a": 1, "target": 0}\n{"a": 2, "target": "\xe9"}\n')
    assert "line 2: the byte 0xe9" in str(refused("a.jsonl"))
    (tmp_path / "a.jsonl").write_bytes('{"a": 1}'.encode("utf-16"))
    assert "UTF-16" in str(refused("a.jsonl"))


def test_all_bad_lines_are_told_at_once(tmp_path: Path, read: Any) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": 1, "target": 0}\nx\n{"a": 2, "target": 1}\n{y}\n')
    with pytest.raises(Problems) as caught:
        read("a.jsonl")
    assert [problem.got.split(":")[0] for problem in caught.value.problems] == ["line 2", "line 4"]


def test_a_column_of_two_types_may_be_read_as_text(tmp_path: Path, read: Any) -> None:
    write(
        tmp_path / "a.jsonl", [{"a": 1, "b": i, "target": i % 2} for i in range(3)] + [{"a": "x", "b": 7, "target": 1}]
    )
    assert read("a.jsonl", types={"a": "category"}, features=["a", "b"]).x.frame()["a"].tolist() == ["1", "1", "1", "x"]
