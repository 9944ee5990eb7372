"""Files that are no study at all, and what is included and is no text: one clear problem, without a wait."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from autodc.studyfile import load

TEXTS = {
    "empty": (b"", "004", "study.yaml", "empty"),
    "comments alone": (b"# nothing\n", "004", "study.yaml", "empty"),
    "a list": (b"- a\n- b\n", "005", "study.yaml:1:1", "mapping"),
    "a word": (b"hello\n", "005", "study.yaml:1:1", "found hello"),
    "latin-1": (b"name: x\nnote: caf\xe9\n", "002", "study.yaml:2:10", "0xe9"),
    "control character": (b"name: a\n\x00", "003", "study.yaml:2:1", "U+0000"),
    "tab": (b"a:\n\tb: 1\n", "003", "study.yaml:2:1", "spaces, not tabs"),
    "colon in text": (b"name: a: b\n", "003", "study.yaml:1:8", "quotes"),
    "open bracket": (b"a: [1, 2\nb: 3\n", "003", "study.yaml:2:2", "line 1"),
    "UTF-16": ("name: x\n".encode("utf-16"), "002", "study.yaml", "UTF-16"),
    "UTF-16 without its mark": ("name: x\n".encode("utf-16-le"), "002", "study.yaml", "UTF-16"),
    "an archive": (b"PK\x03\x04" + bytes(30), "002", "study.yaml", "a zip file"),
    "no text": (bytes(range(1, 256)), "002", "study.yaml:2:118", "not UTF-8"),
    "too large": (b"# " + b"x" * 2_000_000, "011", "study.yaml", "2,000,002 bytes"),
    "null": (b"null\n", "005", "study.yaml:1:1", "mapping"),
    "a line further left": (b"  a: 1\nb: 2\n", "003", "study.yaml:2:1", "further left"),
    "a line between": (b"a:\n    b: 1\n  c: 2\n", "003", "study.yaml:3:3", "same indentation"),
    "open quote": (b'a: "x\nb: 1\n', "003", "study.yaml:3:1", "it opens on line 1"),
    "quote in quotes": (b"a: 'it's'\n", "003", "study.yaml:1:8", "write '' for a quote"),
    "backslash": (b'a: "C:\\data"\n', "003", "study.yaml:1:8", "a backslash is written twice"),
    "two documents": (b"a: 1\n---\nb: 2\n", "003", "study.yaml:2:1", "single document"),
    "unknown alias": (b"a: *b\n", "003", "study.yaml:1:4", "alias"),
    "nested too deeply": (b"a: " + b"[" * 100 + b"]" * 100, "011", "study.yaml:1:54", "too deeply"),
    "nested beyond reading": (b"[" * 1000, "011", "study.yaml", "too deeply"),
    "unfolds to too much": (
        b"".join(
            b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1) if c > 97 else b"1"] * 20)) for c in range(97, 103)
        ),
        "011",
        "study.yaml:1:44",
        "unfolds",
    ),
}


@pytest.mark.parametrize("case", TEXTS)
def test_files_that_cannot_be_read(problems_of: Any, tmp_path: Path, case: Any) -> None:
    data, code, place, word = TEXTS[case]
    (tmp_path / "study.yaml").write_bytes(data)
    (problem,) = problems_of(lambda: load(tmp_path / "study.yaml"), tmp_path)
    assert (problem.code, problem.place) == (f"ADC-SPEC-{code}", place)
    assert word in str(problem)


def test_missing_files_and_folders(problems_of: Any, tmp_path: Path) -> None:
    (missing,) = problems_of(lambda: load(tmp_path / "gone" / "study.yaml"), tmp_path)
    assert (missing.code, missing.place) == ("ADC-SPEC-001", "gone/study.yaml")
    assert "no such file" in str(missing)
    (tmp_path / "study.yaml").write_text("a: 1")
    (folder,) = problems_of(lambda: load(tmp_path), tmp_path)
    assert folder.code == "ADC-SPEC-001"
    assert "did you mean" in folder.hint


@pytest.mark.timeout(120)
def test_what_is_no_regular_file_is_not_waited_for(problems_of: Any, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "study.yaml")
    for path in (tmp_path / "study.yaml", Path("/dev/zero"), Path("/dev/null")):
        (problem,) = problems_of(lambda path=path: load(path), tmp_path)
        assert (problem.code, problem.problem) == ("ADC-SPEC-001", "this is no regular file")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("study.yml", "did you mean {}/study.yaml?"),
        ("gone/study.yaml", "there is no folder {}/gone either"),
        ("a\0b", "a NUL character"),
        ("x" * 5000, "File name too long"),
        ("study.yaml/x", "Not a directory"),
    ],
)
def test_a_path_that_leads_nowhere(problems_of: Any, write: Any, tmp_path: Path, path: str, words: str) -> None:
    write()
    (problem,) = problems_of(lambda: load(tmp_path / path), tmp_path)
    assert problem.code == "ADC-SPEC-001"
    assert words.format(tmp_path) in str(problem)
    assert len(str(problem)) < 500


def test_keys_of_any_characters_and_length_cannot_write_on_the_terminal(refused: Any) -> None:
    long, *others = refused(("seed: 7", 'seed: 7\n? {}\n: 1\n"\\e[31m\\nred": 1'.format("k" * 900)))
    for problem in (long, *others):
        assert len(str(problem)) < 400
        assert len(str(problem).splitlines()) == 2
        assert "\x1b" not in str(problem)


GOOD = {
    "byte order mark": (lambda text: "\ufeff" + text, 7),
    "line ends of Windows": (lambda text: text.replace("\n", "\r\n"), 7),
    "hexadecimal": (lambda text: text.replace("seed: 7", "seed: 0x1F"), 31),
    "digits in groups": (lambda text: text.replace("seed: 7", "seed: 1_000"), 1000),
}


@pytest.mark.parametrize("case", GOOD)
def test_ways_of_writing_that_are_read(write: Any, case: str) -> None:
    change, seed = GOOD[case]
    path = write()
    path.write_bytes(change(path.read_text()).encode())
    assert load(path).seed == seed


NO_INCLUDES = {
    "pipe": ("pipe", "001", "pipe: this is no regular file"),
    "device": ("/dev/zero", "001", "/dev/zero: this is no regular file"),
    "folder": ("folder", "001", "folder: this is a folder, not a file"),
    "misspelt": ("spcae.yaml", "001", "did you mean {}/space.yaml?"),
    "archive": ("rows.npz", "002", "found a zip file"),
    "NUL": ('"a\\0b"', "009", "this is no path"),
    "too long": ("x" * 5000, "001", "File name too long"),
    "URL": ("https://example.org/space.yaml", "009", "found https://example.org/space.yaml"),
    "list": ("[a, b]", "009", "needs the path of one file"),
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("case", NO_INCLUDES)
def test_an_include_of_what_is_no_text(problems_of: Any, write: Any, tmp_path: Path, case: str) -> None:
    name, code, words = NO_INCLUDES[case]
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "space.yaml").write_text("a: {type: int, low: 1, high: 2}\n")
    (tmp_path / "rows.npz").write_bytes(b"PK\x03\x04" + bytes(40))
    path = write()
    study = path.read_text()
    head, tail = study.index("search_space:"), study.index("recipes:")
    path.write_text(f"{study[:head]}search_space: !include {name}\n{study[tail:]}")
    (problem,) = problems_of(lambda: load(path), tmp_path)
    assert (problem.code, problem.place) == (f"ADC-SPEC-{code}", "study.yaml:18:15: search_space")
    assert words.format(tmp_path) in str(problem).replace(f"{tmp_path}/{name}", name)
    assert len(str(problem)) < 500
