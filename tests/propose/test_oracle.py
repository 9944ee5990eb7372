"""An oracle is asked for rows of a pool: its answers become a dataset, what is no answer is one clear error."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from autodc.propose import oracle
from autodc.propose.labels import Wanted
from autodc.propose.made import read
from autodc.table import Table
from autodc.trial.call import Call, CallError, CallPart

X, Y = load_digits(return_X_y=True)
DIGITS = Wanted(form="classes", classes=tuple(range(10)))
HEAD = "import numpy as np\nfrom sklearn.datasets import load_digits\nY = load_digits().target\n"


def call(folder: Path, body: str, rows: int = 30, x: Any = X, **other: Any) -> Call:
    """An oracle asked for the last rows of a pool. body: of its function."""
    (folder / "o.py").write_text(f"{HEAD}def label(x, metadata, ids):\n    {body}\n")
    out = folder / "run" / "made" / "pool-F1"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    at = list(range(len(x) - rows, len(x)))
    arguments = {"rows": at, "ids": list(map(str, at)), "oracle": "o.py:label", "folder": str(folder), "fewest": 20}
    metadata = pd.DataFrame({"hour": np.arange(len(x)) % 24})
    part = CallPart(name="pool", x=x, y=None, metadata=metadata, folder=folder)
    return Call(arguments={**arguments, "wanted": DIGITS.to_dict(), **other}, parts={"pool": part}, out=out)


def test_rows_and_labels_are_a_dataset_that_says_who_labelled_them(tmp_path: Path) -> None:
    asked = call(tmp_path, "return [None if h == 0 else Y[int(i)] for i, h in zip(ids, metadata['hour'])]", 150)
    told = oracle.ask(asked)
    made = read(asked.out)
    rows = np.asarray(made.origin.position)
    assert (rows % 24 != 0).all()
    assert (np.asarray(made.y) == Y[rows]).all()
    assert (np.asarray(made.x) == X[rows]).all()
    assert told["facts"] == {"asked": 150, "untold": 150 - len(rows), "oracle": "o.py:label"}
    assert set(made.origin.changed["labelled_by"]) == {"o.py:label"}


def test_a_mapping_an_array_and_text_are_answers_too(tmp_path: Path) -> None:
    for body in (
        "return {int(i): Y[int(i)] for i in reversed(ids)}",
        "return Y[[int(i) for i in ids]]",
        "return [str(Y[int(i)]) for i in ids]",
    ):
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
        asked = call(tmp_path, body)
        oracle.ask(asked)
        assert (np.asarray(read(asked.out).y) == Y[-30:]).all(), body


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ("return 1 / 0", "071", "o.py:5: ZeroDivisionError"),
        ("raise SystemExit(3)", "071", "SystemExit"),
        ("return None", "072", "NoneType"),
        ("return 'seven'", "072", "str"),
        ("return (one for one in ids)", "072", "generator"),
        ("return [1] * 29", "073", "29 labels for 30 rows"),
        ("return {i: 1 for i in ids[1:]}", "073", "1 missing"),
        ("return {**{i: 1 for i in ids}, '5': 1}", "073", "1 unknown, such as 5"),
        ("return {**{i: 1 for i in ids}, int(ids[0]): 1}", "073", "1 twice"),
        ("return ['cat'] * len(ids)", "074", "`cat` for 30 rows"),
        ("return np.full(len(ids), np.nan)", "074", "`nan` for 30 rows"),
        ("return np.eye(10)[Y[[int(i) for i in ids]]]", "074", "an array"),
        ("return [1] * 19 + [None] * 11", "075", "19 of 30 rows, 20 needed"),
    ],
)
def test_what_is_no_answer_is_one_error(tmp_path: Path, body: str, code: str, words: str) -> None:
    with pytest.raises(CallError) as told:
        oracle.ask(call(tmp_path, body))
    assert told.value.code == f"ADC-PROP-{code}"
    assert words in told.value.got
    assert "o.py:label" in told.value.place
    assert told.value.hint


def test_what_is_no_function_is_refused(tmp_path: Path) -> None:
    for name, words in (("o.py:Y", "ndarray"), ("o.py:lable", "label"), ("p.py:label", "p.py")):
        with pytest.raises(CallError) as told:
            oracle.ask(call(tmp_path, "return 1", oracle=name))
        assert told.value.code == "ADC-PROP-070"
        assert words in str(told.value)


def test_what_was_answered_is_not_asked_again_however_the_call_ended(tmp_path: Path) -> None:
    body = (
        "open(__file__ + '.log', 'a').write(' '.join(ids) + '\\n')\n"
        "    if ids[0] == '1747' and __import__('os').path.exists(__file__ + '.stop'): raise KeyboardInterrupt\n"
        "    return Y[[int(i) for i in ids]]"
    )
    (tmp_path / "o.py.stop").touch()
    with pytest.raises(KeyboardInterrupt):
        oracle.ask(call(tmp_path, body, 150))
    (tmp_path / "o.py.stop").unlink()
    kept = oracle.answers_of(tmp_path / "run" / "made", "pool-F1")
    kept.write_text(kept.read_text() + '{"id": "17')  # the line that was being written
    asked = call(tmp_path, body, 150)
    oracle.ask(asked)
    assert (np.asarray(read(asked.out).y) == Y[-150:]).all()
    first, cut, again = (line.split() for line in (tmp_path / "o.py.log").read_text().splitlines())
    assert (len(first), len(cut), again) == (100, 50, cut)
    assert oracle.asked_rows(kept) == 150
    oracle.ask(call(tmp_path, body, 150))
    assert len((tmp_path / "o.py.log").read_text().splitlines()) == 3
    oracle.ask(call(tmp_path, f"'another'\n    {body}", 150))  # an oracle that was changed is asked anew
    assert len((tmp_path / "o.py.log").read_text().splitlines()) == 5


def test_an_oracle_that_is_slow_is_asked_for_what_there_is_time_for(tmp_path: Path) -> None:
    body = "import time; time.sleep(0.002 * len(ids)); return Y[[int(i) for i in ids]]"
    asked = replace(call(tmp_path, body, 1500), seconds=0.3)
    facts = oracle.ask(asked)["facts"]
    assert 20 <= facts["asked"] == 1500 - facts["left"] < 130
    rows = np.asarray(read(asked.out).origin.position)
    assert rows.tolist() == list(range(len(X) - 1500, len(X) - facts["left"]))
    assert (np.asarray(read(asked.out).y) == Y[rows]).all()
    with pytest.raises(CallError) as told:
        oracle.ask(replace(call(tmp_path, f"0\n    {body}", 1500, fewest=1400), seconds=0.1))
    assert (told.value.code, "no time" in told.value.got) == ("ADC-PROP-075", True)


def test_a_few_strange_labels_are_rows_that_nobody_could_tell_and_many_are_refused(tmp_path: Path) -> None:
    body = "return [Y[int(i)] if int(i) % {} else 'cat' for i in ids]"
    asked = call(tmp_path, body.format(20), 250)
    facts = oracle.ask(asked)["facts"]
    few = sum(row % 20 == 0 for row in range(len(X) - 250, len(X)))
    assert facts == {"asked": 250, "untold": few, "oracle": "o.py:label", "strange": few}
    assert oracle.ask(call(tmp_path, body.format(20), 250))["facts"] == facts  # of what was kept
    with pytest.raises(CallError) as told:
        oracle.ask(call(tmp_path, body.format(5), 250))
    assert (told.value.code, "`cat` for 20 rows" in told.value.got) == ("ADC-PROP-074", True)


def test_tables_and_texts_come_as_people_know_them(tmp_path: Path) -> None:
    table = Table.of("table", {"age": np.arange(40.0), "town": ["Oslo", "Rome"] * 20}, ("number", "category"))
    wanted = Wanted(form="numbers").to_dict()
    asked = call(tmp_path, "return x['age'] + (x['town'] == 'Rome')", x=table, wanted=wanted)
    oracle.ask(asked)
    assert np.asarray(read(asked.out).y).tolist() == [n + n % 2 for n in range(10, 40)]
    shutil.rmtree(tmp_path / "run")
    texts = Table.of_texts([f"good {n}" if n % 3 else f"bad {n}" for n in range(40)])
    wanted = Wanted(form="classes", classes=("bad", "good")).to_dict()
    asked = call(tmp_path, "return [one.split()[0] for one in x]", x=texts, wanted=wanted)
    oracle.ask(asked)
    assert np.asarray(read(asked.out).y).tolist() == [int(n % 3 > 0) for n in range(10, 40)]


def test_labels_that_were_read_of_a_file_make_a_dataset_alike(tmp_path: Path) -> None:
    asked = call(tmp_path, "return 1", targets=[None, *Y[-29:].tolist()], oracle="labels.csv")
    assert json.loads(json.dumps(oracle.known(asked)))["rows"] == 29
    assert (np.asarray(read(asked.out).y) == Y[-29:]).all()
