"""What is no file, and a user's own function: told at once, and never waited for."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodc.errors import DataError

NAMES = ["t.csv", "t.tsv", "t.csv.gz", "t.parquet", "t.jsonl", "t.npz"]


@pytest.mark.parametrize("name", NAMES)
def test_a_pipe_is_not_waited_for(tmp_path: Path, refused: Any, name: Any) -> None:
    os.mkfifo(tmp_path / name)
    assert refused(name).code == "ADC-DATA-046"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_not_read(tmp_path: Path, refused: Any, name: Any, device: Any) -> None:
    (tmp_path / name).symlink_to(device)
    assert refused(name).code == "ADC-DATA-046"


def test_a_socket(tmp_path: Path, refused: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket may not be long
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("t.csv")
        assert refused("t.csv").code == "ADC-DATA-046"


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_by_the_name_of_a_file(tmp_path: Path, refused: Any, name: Any) -> None:
    (tmp_path / name).mkdir()
    problem = refused(name)
    assert problem.code.startswith("ADC-DATA-")
    assert "folder" in str(problem) or "manifest" in str(problem)


@pytest.mark.parametrize("name", NAMES)
def test_links_are_followed_and_told_where_they_lead_nowhere(tmp_path: Path, refused: Any, name: Any) -> None:
    (tmp_path / name).symlink_to("/store/ab12")
    problem = refused(name)
    assert problem.code == "ADC-DATA-001"
    assert "/store/ab12" in problem.got
    (tmp_path / f"loop-{name}").symlink_to(f"loop-{name}")
    assert refused(f"loop-{name}").code in ("ADC-DATA-001", "ADC-DATA-047")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "before", ["\0", "d" * 5000, "/".join(["d"] * 3000)], ids=["NUL", "a long name", "a long path"]
)
def test_a_path_that_no_system_can_open(read: Any, name: Any, before: Any) -> None:
    with pytest.raises(DataError) as caught:
        read(before + name)
    assert caught.value.code == "ADC-DATA-047"
    assert len(str(caught.value)) < 1000
    assert "\0" not in str(caught.value)


@pytest.mark.parametrize("name", ["naïve – “x”.csv", "two words.csv", "-dash.csv", "a,b;c.csv", "NA.CSV"])
def test_unusual_names_are_names(right: Any, name: Any) -> None:
    right(name, "a,target\n1,0\n2,1\n", {"a": ("integer", [1, 2])})


def test_a_link_to_a_table_is_the_table(tmp_path: Path, read: Any) -> None:
    (tmp_path / "0001").write_text("a,target\n1,0\n2,1\n")
    (tmp_path / "t.csv").symlink_to("0001")
    assert read("t.csv").x.frame()["a"].tolist() == [1, 2]


@pytest.fixture
def program(tmp_path: Path) -> Any:
    def write(*lines: str) -> str:
        (tmp_path / "mine.py").write_text(
            "import numpy as np, pandas as pd\n\ndef rows():\n    " + "\n    ".join(lines) + "\n"
        )
        return "mine.py:rows"

    return write


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ("[[1, 2], [3, 4]]", np.array([[1, 2], [3, 4]])),
        ("((1.5, 2), (3, 4))", np.array([[1.5, 2], [3, 4]])),
        ("np.float32([[1], [2]])", np.array([[1], [2]], np.float32)),
        ("[np.ones(2), np.zeros(2)]", np.array([[1.0, 1], [0, 0]])),
        ("__import__('torch').tensor([[1, 2], [3, 4]])", np.array([[1, 2], [3, 4]])),
        ("np.ones((2, 2), '>f4')", np.ones((2, 2), np.float32)),
    ],
    ids=["lists", "tuples", "an array", "arrays", "a tensor", "large end first"],
)
def test_a_function_may_return_what_is_like_an_array(
    program: Any, read: Any, trained: Any, x: Any, expected: Any
) -> None:
    stored, y, _ = trained(read(program(f"return {x}, ['a', 'b']")))
    assert stored.dtype == expected.dtype
    np.testing.assert_array_equal(stored, expected)
    assert y.tolist() == ["a", "b"]


def test_a_frame_keeps_its_types(program: Any, read: Any, trained: Any) -> None:
    data = read(
        program(
            "x = pd.DataFrame({'n': [1, 2, 1], 'z': [0.5, None, 1.5], 'c': ['NA', None, 'x']}, index=[5, 6, 7])",
            "x['b'] = [True, False, True]",
            "x['k'] = pd.Categorical([3, 4, 3])",
            "x['i'] = pd.array([2**53 + 1, None, 3], 'Int64')",
            "x['d'] = pd.to_datetime(['2024-01-05', None, '2024-01-06'])",
            "return x, pd.Series(['a', 'b', 'a'], index=[5, 6, 7]), {'who': [1, 2, 3]}",
        )
    )
    x, y, metadata = trained(data)
    assert x.schema == {
        "n": "integer",
        "z": "number",
        "c": "category",
        "b": "boolean",
        "k": "category",
        "i": "integer",
        "d": "date",
    }
    assert x.column("i").to_pylist() == [2**53 + 1, None, 3]
    assert x.column("k").to_pylist() == ["3", "4", "3"]
    assert x.frame()["c"].isna().tolist() == [False, True, False]
    assert (y.tolist(), metadata["who"].tolist()) == (["a", "b", "a"], [1, 2, 3])


@pytest.mark.parametrize("x", ["['one text', 'NA']", "pd.Series(['one text', 'NA'])", "np.array(['one text', 'NA'])"])
def test_texts_are_text(program: Any, read: Any, trained: Any, x: Any) -> None:
    stored, _, _ = trained(read(program(f"return {x}, [0, 1]")))
    assert (stored.kind, stored.texts()) == ("text", ["one text", "NA"])


@pytest.mark.parametrize(
    ("lines", "options", "code", "words"),
    [
        (["return [[1], [2], [3], [4]]"], {}, "016", "found list of 4"),
        (["return [[1], [2]], [0, 1], None, 3"], {}, "016", "tuple of 4"),
        (["return None"], {}, "016", "NoneType"),
        (["yield 1"], {}, "016", "generator"),
        (["return [[1], [2, 3]], [0, 1]"], {}, "016", "inputs are no array"),
        (["return [[1], [2]], [0, 1, 2]"], {}, "006", "2 and 3"),
        (["return [[1], [2]], None"], {}, "005", "no targets"),
        (["return [[1], [2]], [0, 1], [1, 2]"], {}, "016", "metadata is a dict"),
        (["return [[1], [2]], [0, 1], {'m': [1]}"], {}, "006", "2 and 1"),
        (["return [['a'], ['b']], [0, 1]"], {}, "010", "encode text"),
        (["return 1 / 0"], {}, "015", "ZeroDivisionError"),
        (["raise SystemExit(3)"], {}, "015", "SystemExit"),
        (["return [[1], [2]], [0, 1]"], {"size": 3}, "015", "size"),
        (["return pd.DataFrame({'a': [[1], [2]]}), [0, 1]"], {}, "010", "`a` (lists)"),
        (["return pd.DataFrame([[1, 2]] * 2, columns=['a', 'a']), [0, 1]"], {}, "017", "found a"),
        (["return pd.DataFrame({'a': [1, np.inf]}), [0, 1]"], {}, "091", "row 1: inf"),
        (["return pd.DataFrame({'a': [1, 2]}), [0, 1]"], {"schema": {"b": "integer"}}, "020", "b; columns here: a"),
        (["return pd.DataFrame({'b': ['x', 2]}), [0, 1]"], {"schema": {"b": "integer"}}, "091", "row 0: 'x'"),
    ],
)
def test_functions_are_refused_in_words_of_their_own(
    program: Any, refused: Any, lines: Any, options: Any, code: Any, words: Any
) -> None:
    problem = refused(program(*lines), **options)
    assert problem.code == f"ADC-DATA-{code}"
    assert words in str(problem)
