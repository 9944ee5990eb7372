"""JSON Lines: each kind read right, from the file to what a training is given, or refused with its line."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

BIG = 2**53 + 1
BESIDE = [0.5, 1.5, 2.5, 3.5]


def lines(values: Any) -> str:
    """One object a row; a value that is ... is no key of its row."""
    rows = [{"c": v, "beside": b, "target": i % 2} for i, (v, b) in enumerate(zip(values, BESIDE, strict=True))]
    return "".join(json.dumps({key: v for key, v in row.items() if v is not ...}) + "\n" for row in rows)


def case(name: str, values: Any, kind: str, expected: Any, **options: Any) -> Any:
    return pytest.param(lines(values), kind, expected, options, id=name)


COLUMNS = [
    case("whole numbers", [1, -2, 3, 1], "integer", [1, -2, 3, 1]),
    case("whole numbers with gaps", [BIG, None, 3, 3], "integer", [BIG, None, 3, 3]),
    case("keys that are missing", [1, ..., 3, 1], "integer", [1, None, 3, 1]),
    case("numbers", [0.1, None, 2, 0.1], "number", [0.1, None, 2.0, 0.1]),
    case("truth", [True, False, True, False], "boolean", [True, False, True, False]),
    case("truth with gaps", [True, None, False, ...], "boolean", [True, None, False, None]),
    case("text", ["a", "NA", None, ""], "category", ["a", "NA", None, ""]),
    case("text of codes", ["007", "12", "007", "12"], "category", ["007", "12", "007", "12"]),
    case(
        "sentences",
        ["it came too late", "all was well here", None, "so it goes on"],
        "text",
        ["it came too late", "all was well here", None, "so it goes on"],
    ),
    case(
        "days",
        ["2024-01-05", None, "2024-01-06", "2024-01-05"],
        "date",
        ["2024-01-05", None, "2024-01-06", "2024-01-05"],
    ),
    case("signs", ["😀", "½", "\u202e", "a\nb"], "category", ["😀", "½", "\u202e", "a\nb"]),
    case(
        "several types, wanted as names",
        [1, "x", True, None],
        "category",
        ["1", "x", "true", None],
        types={"c": "category"},
    ),
    case(
        "numbers as text, wanted as numbers", ["7", None, "8", "7"], "integer", [7, None, 8, 7], types={"c": "integer"}
    ),
    case("nothing, asked for", [None, None, ..., None], "category", [None] * 4, features=["c", "beside"]),
]


@pytest.mark.parametrize(("content", "kind", "expected", "options"), COLUMNS)
def test_each_type_is_read_right(right: Any, content: Any, kind: Any, expected: Any, options: Any) -> None:
    right("t.jsonl", content, {"c": (kind, expected), "beside": ("number", BESIDE)}, **options)


@pytest.mark.parametrize(
    "packed",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\n\n").rstrip(),
        lambda text: gzip.compress(text.encode()),
    ],
    ids=["a mark", "lines of windows", "empty lines", "gzip"],
)
@pytest.mark.parametrize("name", ["t.jsonl", "t.ndjson"])
def test_however_it_is_written(right: Any, packed: Any, name: Any) -> None:
    columns = {"c": ("integer", [1, None, 3, 1]), "beside": ("number", BESIDE)}
    right(name, packed(lines([1, None, 3, 1])), columns)


@pytest.mark.parametrize("space", ["", "\n\n "])
@pytest.mark.parametrize("packed", [str.encode, lambda text: gzip.compress(b"\xef\xbb\xbf" + text.encode())])
def test_one_array_is_read_as_its_objects_a_line_are(right: Any, space: Any, packed: Any) -> None:
    columns = {"c": ("integer", [1, None, 3, 1]), "beside": ("number", BESIDE)}
    objects = [json.loads(line) for line in lines([1, None, 3, 1]).splitlines()]
    right("t.json", packed(space + json.dumps(objects, indent=2)), columns)
    right("t.json", packed(lines([1, None, 3, 1])), columns)


def test_another_file_is_read_in_the_types_of_the_base(right: Any) -> None:
    schema = {"c": "category", "beside": "number"}
    columns = {"c": ("category", ["7", None, "8", "7"]), "beside": ("number", BESIDE)}
    right("t.jsonl", lines([7, None, 8, 7]), columns, schema=schema)


def test_records_within_are_no_input_and_named(tmp_path: Any, read: Any) -> None:
    (tmp_path / "t.jsonl").write_text(lines([{"k": 1}, {"k": 2}, None, {}]))
    data = read("t.jsonl")
    assert data.x.names == ("beside",)
    assert "`c` is no input: it holds records" in data.notes[0]


GOOD = lines([1, 2, 3, 4])
ODD = [
    ("empty", "", "009", "no columns"),
    ("one array", json.dumps([{"a": 1, "target": 0}]), "076", "the file is one JSON array"),
    ("one object over lines", json.dumps({"a": 1}, indent=1), "076", "line 1: '{'"),
    ("a line cut short", GOOD + '{"c": 1, "besi', "076", "line 5"),
    ("a line of another kind", GOOD + '"words"\n', "076", "line 5"),
    ("a key twice", GOOD + '{"c": 1, "c": 2}\n', "076", "a key twice"),
    ("several types", lines([1, "x", 2, 3]), "077", "a number in line 1 (1) and text in line 2 ('x')"),
    ("a label missing", lines([1, 2, 3, 4]).replace('"target": 1', '"target": null', 1), "008", "no value in row 1"),
    ("infinity", lines([1.5, 1, 2, 3]).replace("1.5", "Infinity", 1), "091", "row 0: inf"),
    ("a whole number too large", lines([2**70, 1, 2, 3]), "091", "64 bits"),
    ("latin-1", GOOD.encode() + '{"c": "é"}'.encode("latin-1"), "002", "line 5: the byte 0xe9"),
    ("utf-16", GOOD.encode("utf-16"), "002", "UTF-16"),
    ("a page to log in", "<html>log in</html>", "002", "a page of HTML"),
    ("a pointer of Git LFS", "version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "002", "git lfs pull"),
    ("gzip cut short", gzip.compress(GOOD.encode() * 9)[:40], "002", "cannot be read"),
]


ODD_ARRAYS = [
    ("cut short", json.dumps([{"c": 1, "target": 0}])[:-1], "the file is no JSON"),
    ("a number within", json.dumps([{"c": 1, "target": 0}, 7]), "object 2: 7"),
    ("lists by column", json.dumps({"c": [1, 2], "target": [0, 1]}, indent=1), "one array of objects"),
    ("numbers alone", "[1, 2, 3]", "object 1: 1"),
    ("a key twice", '[{"c": 1, "c": 2, "target": 0}]', "a key twice"),
]


@pytest.mark.parametrize(("content", "words"), [pytest.param(*rest, id=name) for name, *rest in ODD_ARRAYS])
def test_what_is_wrong_with_an_array_is_told(refused: Any, content: Any, words: Any) -> None:
    problem = refused("t.json", content)
    assert problem.code == "ADC-DATA-076"
    assert words in str(problem)


@pytest.mark.parametrize(("content", "code", "words"), [pytest.param(*rest, id=name) for name, *rest in ODD])
def test_each_is_refused_in_its_own_words(refused: Any, content: Any, code: Any, words: Any) -> None:
    problem = refused("t.jsonl", content)
    assert problem.code == f"ADC-DATA-{code}"
    assert words in str(problem)
