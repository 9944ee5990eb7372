"""A user's own function as a source."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest

from autodc.errors import DataError


@pytest.fixture
def program(tmp_path: Path) -> Any:
    def write(body: Any, name: Any = "mine.py") -> None:
        (tmp_path / name).write_text("import numpy as np\nimport pandas as pd\n" + textwrap.dedent(body))

    return write


def test_options_are_keyword_arguments_but_the_common_ones(program: Any, read: Any) -> None:
    program("""
        def rows(count, shift=0):
            return np.zeros((count, 2)) + shift, np.arange(count) % 2, {"who": np.arange(count) // 2}
    """)
    data = read("mine.py:rows", count=6, shift=3, group="who", map={"0": 7})
    assert data.x.shape == (6, 2)
    assert data.x.max() == 3
    assert data.y.tolist() == [7, 1, 7, 1, 7, 1]
    assert len(set(data.groups)) == 3


@pytest.mark.parametrize("metadata", ["None", "{}", "pd.DataFrame({'a': [1, 2, 3, 4]}, index=[9, 8, 7, 6])"])
def test_metadata_is_a_dict_a_frame_or_none(program: Any, read: Any, metadata: Any) -> None:
    program(f"""
        def rows():
            return [[1, 2], [3, 4], [5, 6], [7, 8]], ["a", "b", "a", "b"], {metadata}
    """)
    data = read("mine.py:rows")
    assert len(data.metadata) == 4
    assert data.y.tolist() == ["a", "b", "a", "b"]
    assert data.metadata.get("a", [1, 2, 3, 4])[0] == 1


def test_it_may_import_its_neighbours(program: Any, read: Any) -> None:
    program("ROWS = 4", name="neighbour_of_mine.py")
    program("import neighbour_of_mine as n\ndef rows():\n    return np.ones((n.ROWS, 2)), np.arange(n.ROWS), None")
    assert len(read("mine.py:rows")) == 4


def test_inputs_and_targets_alone_will_do(program: Any, read: Any) -> None:
    program("def rows():\n    return np.ones((4, 2)), np.arange(4)")
    assert list(read("mine.py:rows").metadata.columns) == []


def test_sealed_targets_are_dropped(program: Any, read: Any) -> None:
    program("def rows():\n    return np.ones((4, 2)), np.arange(4), None")
    assert read("mine.py:rows", sealed=True).y is None


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ("def rows():\n    raise KeyError('lost')", "ADC-DATA-015", "found mine.py:4: KeyError: 'lost'"),
        ("def rows(needed):\n    pass", "ADC-DATA-015", "needed"),
        ("def other():\n    pass", "ADC-DATA-001", "other"),
        ("rows = 3", "ADC-DATA-001", "`rows` is no function"),
        ("def rows():\n    raise SystemExit(0)", "ADC-DATA-015", "found mine.py:4: SystemExit(0)"),
        (
            "import nowhere_to_be_found",
            "ADC-DATA-015",
            "found mine.py:3: ModuleNotFoundError: No module named 'nowhere",
        ),
        ("raise SystemExit('no')\ndef rows():\n    pass", "ADC-DATA-015", "found mine.py:3: SystemExit('no')"),
        ("class Odd(BaseException):\n    pass\nraise Odd", "ADC-DATA-015", "found mine.py:5: Odd"),
        ("def rows(:", "ADC-DATA-015", "found mine.py:3: SyntaxError: invalid syntax"),
        (
            "def rows():\n    return Lazy(), [1], None\nclass Lazy:\n    def __array__(self, *a, **k):\n        1 / 0",
            "ADC-DATA-016",
            "mine.py:7: ZeroDivisionError",
        ),
        ("def rows():\n    return np.ones((4, 2))", "ADC-DATA-016", "ndarray"),
        ("def rows():\n    return 1, 2, 3, 4", "ADC-DATA-016", "tuple of 4"),
        ("def rows():\n    return np.ones((4, 2)), None, None", "ADC-DATA-005", "no targets"),
        ("def rows():\n    return np.ones((4, 2)), np.arange(4), 5", "ADC-DATA-016", "metadata"),
        ("def rows():\n    return np.ones((4, 2)), np.arange(4), {'a': [1, 2]}", "ADC-DATA-006", "4 and 2"),
        ("def rows():\n    return [[1, 2], [3]], [0, 1], None", "ADC-DATA-016", "inputs"),
    ],
)
def test_bad_functions(program: Any, refused: Any, body: Any, code: Any, words: Any) -> None:
    program(body)
    problem = refused("mine.py:rows")
    assert problem.code == code
    assert words in str(problem)
    assert "mine.py" in str(problem)


def test_a_file_that_is_not_there(refused: Any) -> None:
    assert refused("nowhere.py:rows").code == "ADC-DATA-001"


def test_an_error_does_not_tell_a_password_that_came_as_an_option(program: Any, read: Any) -> None:
    program("""
        def rows(token, user):
            raise ConnectionError(f"{user} with {token} is not let in")
    """)
    with pytest.raises(DataError, match=r"ConnectionError: alice with \*\*\* is not let in"):
        read("mine.py:rows", token="geheim", user="alice")
