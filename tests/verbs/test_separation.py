"""Rows for diagnosis and rows for decisions: no row, group or copy of a row is on both sides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodc
from autodc.errors import InputError
from autodc.studyfile.study import MachineSpec
from autodc.testing.worlds.cells import CellTrainer, write_world
from autodc.verbs.check import preflight
from autodc.wire.inputs import read_inputs

WIDE = [
    {"name": "overall", "role": "guard", "margin": 0.1},
    {"name": "bright", "where": "region = 'bright'", "role": "guard", "margin": 0.1},
    {"name": "dark", "where": "region = 'dark'", "role": "target"},
]
HALF = {"slices": WIDE, "data__diagnosis_share": 0.4, "budget__trainings": 30, "loop__rounds": 1}


@pytest.fixture
def cut(tmp_path: Path) -> Any:
    return read_inputs(autodc.load(write_world(tmp_path, **HALF)))


def test_slices_hold_gate_rows_alone_and_all_rows_are_still_predicted(cut: Any) -> None:
    apart = cut.separation
    assert len(apart.diagnosis) == pytest.approx(240, abs=12)
    assert not set(apart.diagnosis) & set(apart.gate)
    assert set(apart.diagnosis) | set(apart.gate) == set(range(600))
    for one in cut.table.slices:
        assert set(one.rows) <= set(apart.gate)
        assert len(one.clusters) == len(one.rows)
    assert len(cut.table.targets["validation"]) == 600


def test_groups_and_copies_stay_on_one_side(tmp_path: Path) -> None:
    study = write_world(
        tmp_path, **HALF, data__validation={"source": "data/grouped.npz", "options": {"group": "patient"}}
    )
    rows = dict(np.load(tmp_path / "data" / "validation.npz"))
    patient = np.arange(600) // 5
    rows["x"][1::2] = rows["x"][::2]
    np.savez(tmp_path / "data" / "grouped.npz", **rows, patient=patient)
    inputs = read_inputs(autodc.load(study))
    apart = inputs.separation
    assert len(apart.diagnosis) > 100
    assert not set(patient[apart.diagnosis]) & set(patient[apart.gate])
    x = inputs.catalogue.validation.x
    assert not {tuple(r) for r in x[apart.diagnosis]} & {tuple(r) for r in x[apart.gate]}


def test_rows_that_a_slice_file_also_holds_are_the_gates(tmp_path: Path) -> None:
    own = {"name": "own", "source": "data/own.npz", "role": "target"}
    study = write_world(tmp_path, **{**HALF, "slices": [*WIDE, own]})
    rows = np.load(tmp_path / "data" / "validation.npz")
    np.savez(tmp_path / "data" / "own.npz", **{k: rows[k][:100] for k in rows.files})
    inputs = read_inputs(autodc.load(study))
    assert len(inputs.separation.diagnosis)
    assert inputs.separation.diagnosis.min() >= 100
    np.testing.assert_array_equal(inputs.table["own"].rows, np.arange(100))


def test_the_cut_is_a_function_of_the_seed_and_part_of_the_question(cut: Any, tmp_path: Path) -> None:
    again = read_inputs(autodc.load(tmp_path / "study.yaml"))
    np.testing.assert_array_equal(again.separation.gate, cut.separation.gate)
    other = read_inputs(autodc.load(write_world(tmp_path, **HALF, seed=4)))
    assert set(other.separation.gate) != set(cut.separation.gate)
    whole = read_inputs(autodc.load(write_world(tmp_path, **{**HALF, "data__diagnosis_share": 0})))
    assert whole.fingerprint != cut.fingerprint
    assert len(whole.separation.diagnosis) == 0
    assert len(whole.table["overall"].rows) == 600


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"gate__min_rows": 200}, "slice bright would have"),
        ({"slices": [{**WIDE[0], "margin": 0.02}, *WIDE[1:]]}, "slice overall could certify a loss below"),
    ],
)
def test_a_validation_set_that_is_too_small_is_not_cut_and_says_so(tmp_path: Path, changes: Any, words: Any) -> None:
    spec = autodc.load(write_world(tmp_path, **{**HALF, **changes}))
    inputs = read_inputs(spec)
    assert len(inputs.separation.diagnosis) == 0
    assert len(inputs.table["overall"].rows) == 600
    assert words in inputs.separation.note
    assert inputs.separation.note in inputs.warnings
    assert inputs.separation.note in preflight(spec)["warnings"]


def test_the_page_and_a_diagnoser_are_told_that_nothing_was_cut(tmp_path: Path) -> None:
    spec = autodc.load(write_world(tmp_path, **{**HALF, "gate__min_rows": 200}))
    result = autodc.run(spec, MachineSpec(runner="inline"), tmp_path / "out", open_test=True)
    page = (result.folder / "report" / "index.html").read_text()
    assert "validation is too small to set 40% of it apart for diagnosis" in page
    with autodc.Study.open(spec, tmp_path / "out") as study, pytest.raises(InputError, match="sets no rows apart"):
        study.diagnosis()


def test_a_diagnoser_gets_its_rows_with_what_the_incumbent_makes_of_them(cut: Any, tmp_path: Path) -> None:
    spec = autodc.load(tmp_path / "study.yaml")
    with autodc.Study.open(spec, tmp_path / "out") as study:
        with pytest.raises(InputError, match="not trained yet"):
            study.diagnosis()
        while trials := study.ask(1):
            outputs = CellTrainer().train(study.job(trials[0])).outputs
            assert len(outputs["validation"]) == 600
            study.tell(trials[0], study.outcome(trials[0], outputs))
        found = study.diagnosis()
        result = study.result()
    np.testing.assert_array_equal(found.ids, cut.separation.diagnosis)
    data = np.load(tmp_path / "data" / "validation.npz")
    np.testing.assert_array_equal(found.targets, data["y"][found.ids])
    np.testing.assert_array_equal(found.metadata["region"], data["region"][found.ids])
    np.testing.assert_array_equal(found.failed, found.outputs.argmax(axis=1) != data["y"][found.ids])
    np.testing.assert_allclose(found.scores, found.outputs[np.arange(len(found.ids)), found.targets], rtol=1e-6)
    assert result["kept"] == ["lamps"]
    rows = {name: seen["rows"] for d in result["decisions"] for name, seen in d["slices"].items()}
    assert rows["overall"] == len(cut.separation.gate)


def test_check_tells_how_many_rows_are_set_apart(cut: Any, tmp_path: Path) -> None:
    found = preflight(autodc.load(tmp_path / "study.yaml"))
    assert json.loads(json.dumps(found["separation"])) == {
        "share": 0.4,
        "diagnosis": len(cut.separation.diagnosis),
        "gate": len(cut.separation.gate),
        "note": "",
    }
    assert {s["name"]: s["rows"] for s in found["slices"]}["overall"] == len(cut.separation.gate)
