"""What would make a decision worthless is refused with one clear message, before a training where that is possible."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodc
from autodc.errors import AutodcError, InputError, SurroundingsError
from autodc.studyfile.study import MachineSpec
from autodc.testing.worlds.cells import CANDIDATES, CellTrainer, write_world
from autodc.wire.inputs import read_inputs

GUARD = {"name": "overall", "role": "guard", "margin": 0.05}
DARK = {"name": "dark", "where": "region = 'dark'", "role": "target"}
GROUPED = {"source": "data/validation.npz", "options": {"group": "region"}}

METRIC = """
import numpy as np
class {name}:
    better = "higher"
    def value(self, outputs, targets):
        return float(np.mean(self.rows(outputs, targets)))
    def rows(self, outputs, targets):
        {code}
"""


def candidates(**keys: Any) -> Any:
    return [{"name": name, "source": f"data/{name}.npz", **(keys if name == "lamps" else {})} for name in CANDIDATES]


REFUSED = {
    "margin below zero": ({"slices": [{**GUARD, "margin": -0.1}, DARK]}, ["slices[0].margin", "-0.1"]),
    "targets name a guard": ({"data__candidates": candidates(targets=["overall"])}, ["guard", "overall"]),
    "targets name no slice": ({"data__candidates": candidates(targets=["fog"])}, ["no such slice", "fog"]),
    "targets are empty": ({"data__candidates": candidates(targets=[])}, ["names no slice"]),
    "no target": ({"slices": [GUARD]}, ["no slice has role target"]),
    "an empty slice": ({"slices": [GUARD, {**DARK, "where": "region = 'fog'"}]}, ["dark", "has no rows"]),
    "a slice of one group": (
        {"slices": [GUARD, DARK], "data__validation": GROUPED},
        ["ADC-SLICE-003", "rows of slice dark are all one group"],
    ),
    "a slice of one row": (
        {"slices": [GUARD, DARK, {"name": "one", "source": "data/one.npz", "role": "target"}]},
        ["ADC-SLICE-003", "slices[2].source", "slice one", "1 row, one group"],
    ),
    "copies of one row": (
        {"slices": [GUARD, DARK, {"name": "same", "source": "data/same.npz", "role": "target"}]},
        ["ADC-SLICE-003", "40 rows, one group"],
    ),
    "fewer seeds than the first look": (
        {"gate__looks": [20, 30], "budget__trainings": 30},
        ["ADC-GATE-001", "gate.looks", "20 pairs at the first look, 30 trainings"],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_when_it_is_read(case: Any, tmp_path: Path) -> None:
    changes, words = REFUSED[case]
    study = write_world(tmp_path, **changes)
    rows = np.load(tmp_path / "data" / "validation.npz")
    for name, index in (("one", [0]), ("same", [0] * 40)):
        np.savez(tmp_path / "data" / f"{name}.npz", **{k: rows[k][index] for k in rows.files})
    with pytest.raises(InputError) as caught:
        read_inputs(autodc.load(study))
    message = str(caught.value)
    assert all(word in message for word in words), message
    assert len(message.splitlines()) <= 3


NO_NUMBER = {
    "a row is NaN": (
        "r = (outputs.argmax(1) == targets).astype(float); r[7] = np.nan; return r",
        ["metric Mine is not a finite number for row 7 of validation", "overall"],
    ),
    "too few rows": (
        "return (outputs.argmax(1) == targets)[:-1]",
        ["`rows` of metric mine.py:Mine gives no number for each row", "(599,) for 600 rows"],
    ),
    "it raises": (
        "raise KeyError('weights')",
        ["of metric mine.py:Mine fails", "mine.py:8: KeyError: 'weights'"],
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", NO_NUMBER)
def test_a_metric_without_a_number_decides_nothing(case: Any, tmp_path: Path) -> None:
    code, words = NO_NUMBER[case]
    (tmp_path / "mine.py").write_text(METRIC.format(name="Mine", code=code))
    spec = autodc.load(write_world(tmp_path, metrics__primary="mine.py:Mine"))
    with pytest.raises(InputError) as caught:
        autodc.run(spec, MachineSpec(runner="inline"), tmp_path / "out")
    assert all(word in str(caught.value) for word in words), caught.value
    assert not (tmp_path / "out" / "result.json").exists()


@pytest.mark.slow
def test_a_metric_that_is_no_number_on_one_slice_says_which(tmp_path: Path) -> None:
    text = "class Mine:\n    better = 'higher'\n    def value(self, outputs, targets):\n"
    text += "        return float('nan') if len(targets) < 200 else 0.5\n"
    (tmp_path / "mine.py").write_text(text)
    spec = autodc.load(write_world(tmp_path, metrics__primary="mine.py:Mine"))
    with pytest.raises(AutodcError, match="metric Mine is not a finite number on slice bright"):
        autodc.run(spec, MachineSpec(runner="inline"), tmp_path / "out")


@pytest.mark.slow
@pytest.mark.parametrize("value", ["1e308", "-1e200"])
def test_a_score_whose_square_is_infinite_is_a_failed_training(value: Any, tmp_path: Path) -> None:
    text = "class Mine:\n    better = 'higher'\n    def value(self, outputs, targets):\n"
    (tmp_path / "mine.py").write_text(f"{text}        return {value}\n")
    spec = autodc.load(write_world(tmp_path, metrics__primary="mine.py:Mine"))
    with pytest.raises(InputError, match="metric Mine is too large to be compared"):
        autodc.run(spec, MachineSpec(runner="inline"), tmp_path / "out")


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("data__base", {"source": "nope.npz"}, "data.base.source"),
        ("data__candidates", [{"name": "far", "source": "nope.npz"}], "data.candidates[0].source (far)"),
        ("data__test", {"source": "nope.npz"}, "data.test.source"),
        ("slices", [{"name": "own", "role": "target", "source": "nope.npz"}], "slices[0].source (own)"),
    ],
)
def test_a_bad_source_is_told_with_file_and_line_of_the_study(key: Any, value: Any, place: Any, tmp_path: Path) -> None:
    write_world(tmp_path, **{key: value}).rename(tmp_path / "mine.yaml")
    with pytest.raises(InputError) as caught:
        read_inputs(autodc.load(tmp_path / "mine.yaml"))
    first, *_ = str(caught.value).splitlines()
    assert re.match(rf"{re.escape(str(tmp_path))}/mine\.yaml:\d+:\d+: {re.escape(place)}: there is no such file", first)


def test_predictions_out_of_order_are_refused_in_a_loop_of_ones_own(tmp_path: Path) -> None:
    spec = autodc.load(write_world(tmp_path))
    with autodc.Study.open(spec, tmp_path / "out") as study:
        (trial,) = study.ask(1)
        outputs = CellTrainer().train(study.job(trial)).outputs
        order = np.arange(600)
        good = study.outcome(trial, outputs, rows={"validation": order})
        assert good.status == "done"
        for rows, words in (
            (order[::-1], "out of order: position 0 holds row 599"),
            (order[:-1], "599 predictions for 600 rows"),
            (order.astype(float), "not a list of whole numbers"),
        ):
            with pytest.raises(InputError, match=words) as caught:
                study.outcome(trial, outputs, rows={"validation": rows})
            assert caught.value.code == "ADC-RUN-017"
        short = study.outcome(trial, {"validation": outputs["validation"][:-1]})
        assert (short.status, short.error) == ("failed", "599 predictions for the 600 rows of validation")
        assert study.result()["decisions"] == []


DAMAGES = [
    ("TrialPlanned", {"trial": {}}),
    ("TrialFinished", {"number": None}),
    ("TrialFinished", {"number": 10_000}),
    ("TrialPlanned", {"round": []}),
]


@pytest.mark.slow
def test_an_event_that_cannot_have_been_is_a_damaged_journal(tmp_path: Path) -> None:
    spec = autodc.load(write_world(tmp_path, search__trials_per_round=4, budget__trainings=20, loop__rounds=1))
    machine, journal = MachineSpec(runner="inline"), tmp_path / "out" / "journal.sqlite"
    autodc.run(spec, machine, tmp_path / "out")
    whole = journal.read_bytes()
    for kind, damage in DAMAGES:
        journal.write_bytes(whole)
        raw = sqlite3.connect(journal)
        with raw:
            position, payload = raw.execute("SELECT position, payload FROM events WHERE kind = ?", [kind]).fetchone()
            changed = json.dumps({**json.loads(payload), **damage})
            raw.execute("UPDATE events SET payload = ? WHERE position = ?", [changed, position])
        raw.close()
        with pytest.raises(SurroundingsError, match=rf"event {position}, {kind}.*ADC-JRNL-007"):
            autodc.run(spec, machine, tmp_path / "out")
