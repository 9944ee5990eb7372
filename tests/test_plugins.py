"""A user's own code: found by name, and its errors told by its own line."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodc.errors import DataError, SpecError
from autodc.plugins import find_problem, load_object, own_code, told


@pytest.fixture
def load(tmp_path: Path) -> Any:
    """Write a file and load an object of it; returns what `load_object` does."""

    def loaded(body: Any, name: Any = "mine.py:thing") -> Any:
        (tmp_path / name.partition(":")[0]).write_text(textwrap.dedent(body), encoding="utf-8")
        return load_object(name, str(tmp_path), "task.trainer")

    return loaded


FAILS = {
    "a name": ("import numpy\n\nthing = nmupy", "mine.py:3: NameError: name 'nmupy' is not defined"),
    "a division": ("def half():\n    return 1 / 0\n\nthing = half()", "mine.py:2: ZeroDivisionError: division by zero"),
    "syntax": ("x = 1\ndef thing(:\n    pass", "mine.py:2: SyntaxError: invalid syntax"),
    "a tab": (
        "if True:\n        a = 1\n\tb = 2",
        "mine.py:3: TabError: inconsistent use of tabs and spaces in indentation",
    ),
    "a module": ("import autodc_no_such", "mine.py:1: ModuleNotFoundError: No module named 'autodc_no_such'"),
    "a name of a module": ("\nfrom os import nothing_here", "mine.py:2: ImportError: cannot import name"),
    "the end of the program": ("import sys\nsys.exit(0)", "mine.py:2: SystemExit(0)"),
    "no words": ("raise ValueError", "mine.py:1: ValueError"),
    "an exception of no kind": ("class Mad(BaseException):\n    pass\nraise Mad('!')", "mine.py:3: Mad: !"),
    "an exception that cannot print itself": (
        "class Mute(Exception):\n    def __str__(self):\n        return 1 / 0\nraise Mute",
        "mine.py:4: Mute",
    ),
    "inside a library": ("import json\nthing = json.loads('{')", "mine.py:2: JSONDecodeError: Expecting property name"),
    "inside an installed library": (
        "import numpy as np\nnp.zeros(3).reshape(2, 2)",
        "mine.py:2: ValueError: cannot reshape",
    ),
}


@pytest.mark.parametrize("case", FAILS)
def test_what_fails_at_import_is_told_by_its_own_line(load: Any, case: Any) -> None:
    body, words = FAILS[case]
    with pytest.raises(SpecError) as caught:
        load(body)
    assert caught.value.code == "ADC-TRAIN-060"
    assert caught.value.got.startswith(words)
    assert caught.value.exit_code == 2


def test_the_line_of_a_neighbour_is_told_with_its_own_file(tmp_path: Path, load: Any) -> None:
    (tmp_path / "beside_mine.py").write_text("LIMIT = 1\n\ndef deep():\n    return {}['lost']\n")
    with pytest.raises(SpecError) as caught:
        load("import beside_mine\nthing = beside_mine.deep()")
    assert caught.value.got == "beside_mine.py:4: KeyError: 'lost'"


def test_a_package_that_fails_is_no_defect_and_no_missing_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, body in (
        ("broken_pack", "x = 1\nraise RuntimeError('no GPU')"),
        ("hungry_pack", "import autodc_no_such"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(body)
        (tmp_path / name / "inner.py").write_text("thing = 1")
    monkeypatch.syspath_prepend(str(tmp_path))
    broken = find_problem("broken_pack.inner:thing", str(tmp_path), "task.trainer")
    assert broken.code == "ADC-TRAIN-060"
    assert broken.got == "broken_pack/__init__.py:2: RuntimeError: no GPU"
    hungry = find_problem("hungry_pack.inner:thing", str(tmp_path), "task.trainer")
    assert (hungry.code, hungry.got[:28]) == ("ADC-TRAIN-060", "hungry_pack/__init__.py:1: M")
    with pytest.raises(SpecError) as caught:
        load_object("hungry_pack:thing", str(tmp_path), "task.trainer")
    assert caught.value.code == "ADC-TRAIN-060"
    assert find_problem("no_pack.inner:thing", str(tmp_path), "task.trainer").code == "ADC-TRAIN-024"


@pytest.mark.parametrize(
    "name", [":thing", ".inner:thing", "pack..inner:thing", "a b:thing", "mine.py:", "mine.py:a.b"]
)
def test_what_names_no_object_is_refused(tmp_path: Path, name: Any) -> None:
    (tmp_path / "mine.py").write_text("a = 1")
    assert find_problem(name, str(tmp_path), "task.trainer").code == "ADC-TRAIN-022"
    with pytest.raises(SpecError) as caught:
        load_object(name, str(tmp_path), "task.trainer")
    assert caught.value.code == "ADC-TRAIN-022"


def test_a_file_in_another_encoding_that_says_so_is_read(tmp_path: Path) -> None:
    (tmp_path / "old.py").write_bytes("# -*- coding: latin-1 -*-\nthing = 'gr\xfcn'\n".encode("latin-1"))
    assert find_problem("old.py:thing", str(tmp_path), "task.trainer") is None
    assert load_object("old.py:thing", str(tmp_path), "task.trainer") == "grün"


def test_an_installed_package_is_told_by_its_own_line_where_nothing_else_is_a_users() -> None:
    with pytest.raises(np.linalg.LinAlgError) as caught:
        np.linalg.inv(np.zeros((2, 2)))
    error = caught.value
    inside = error.__traceback__.tb_next  # as where autodc called the library
    assert "numpy" in told(error.with_traceback(inside))
    assert told(error.with_traceback(None)) == "LinAlgError: Singular matrix"


def test_a_long_message_is_cut() -> None:
    assert len(told(ValueError("x" * 10**6))) < 2100


def test_what_is_coded_already_and_ctrl_c_go_through() -> None:
    for error in (DataError("ADC-DATA-001", "no file"), KeyboardInterrupt()):
        with pytest.raises(type(error)) as caught, own_code(lambda got: SpecError("ADC-TRAIN-060", "no", "", got)):
            raise error
        assert caught.value is error


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("my_trainer.py:Net", "my_trainers.py:Net"),
        ("deep/net.py:Net", "deep/nets.py:Net"),
        ("my_trainers:Net", "my_trainers.py:Net"),
        ("deep.net:Net", "deep/nets.py:Net"),
        ("sklern.linear_model:Ridge", "sklearn.linear_model:Ridge"),
        ("sklearn.linear_modl:Ridge", "sklearn.linear_model:Ridge"),
        ("jsn.decoder:JSONDecoder", "json.decoder:JSONDecoder"),
    ],
)
def test_what_is_not_there_is_told_by_the_name_that_was_meant(tmp_path: Path, asked: str, meant: str) -> None:
    for file in ("my_trainers.py", "deep/nets.py"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("class Net:\n    pass\n")
    found = find_problem(asked, str(tmp_path), "task.trainer")
    assert found is not None
    assert f"did you mean {meant}?" in found.hint
    with pytest.raises(SpecError) as caught:
        load_object(asked, str(tmp_path), "task.trainer")
    assert caught.value.hint == found.hint


@pytest.mark.parametrize("asked", ["no_such_pack:Net", "nt:Net", "sklearn.quite_other:Net", "json.decoder.deeper:Net"])
def test_nothing_is_guessed_where_no_module_is_called_alike(tmp_path: Path, asked: str) -> None:
    (tmp_path / "net_of_mine.py").write_text("class Net:\n    pass\n")
    assert find_problem(asked, str(tmp_path), "task.trainer").hint.startswith("install it")
