"""Rows that the search sees and rows that decide: no row, group or copy of a row is on both sides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodc
from autodc.adapters.artefacts import ArtefactStore
from autodc.adapters.journal import state_of
from autodc.errors import InputError
from autodc.study.journal.events import RULES
from autodc.studyfile.study import MachineSpec
from autodc.testing.worlds.cells import CellTrainer, write_world
from autodc.verbs.check import preflight
from autodc.wire.inputs import read_inputs

WIDE = [
    {"name": "overall", "role": "guard", "margin": 0.1},
    {"name": "bright", "where": "region = 'bright'", "role": "guard", "margin": 0.1},
    {"name": "dark", "where": "region = 'dark'", "role": "target"},
]
SHORT = {"slices": WIDE, "budget__trainings": 30, "loop__rounds": 1}
FORTY = {**SHORT, "data__explore_share": 0.4}


@pytest.fixture
def cut(tmp_path: Path) -> Any:
    return read_inputs(autodc.load(write_world(tmp_path, **FORTY)))


def grouped(folder: Path, patient: Any, **changes: Any) -> Any:
    """The world with groups of rows in validation."""
    options = {"source": "data/grouped.npz", "options": {"group": "patient"}}
    study = write_world(folder, **{**SHORT, "data__validation": options, **changes})
    rows = dict(np.load(folder / "data" / "validation.npz"))
    np.savez(folder / "data" / "grouped.npz", **rows, patient=patient)
    return autodc.load(study)


def with_own(folder: Path, rows: slice, **changes: Any) -> Any:
    """The world with a slice in a file of its own, which holds these rows of validation."""
    own = {"name": "own", "source": "data/own.npz", "role": "target"}
    study = write_world(folder, **{**SHORT, "slices": [*WIDE, own], **changes})
    every = np.load(folder / "data" / "validation.npz")
    np.savez(folder / "data" / "own.npz", **{k: every[k][rows] for k in every.files})
    return autodc.load(study)


def test_every_row_is_on_one_side_and_is_still_predicted(cut: Any) -> None:
    apart = cut.separation
    assert len(apart.explore) == pytest.approx(240, abs=3)
    assert not set(apart.explore) & set(apart.gate)
    assert set(apart.explore) | set(apart.gate) == set(range(600))
    for explore, gate, every in zip(cut.explore.slices, cut.gate.slices, cut.table.slices, strict=True):
        assert set(gate.rows) <= set(apart.gate)
        assert set(explore.rows) <= set(apart.explore)
        assert set(gate.rows) | set(explore.rows) == set(every.rows)
        assert len(gate.clusters) == len(gate.rows)
    assert len(cut.table.targets["validation"]) == 600


def test_the_rows_are_cut_where_nobody_says_a_word(tmp_path: Path) -> None:
    inputs = read_inputs(autodc.load(write_world(tmp_path, **SHORT)))
    assert inputs.separation.is_cut
    assert len(inputs.separation.explore) == pytest.approx(240, abs=3)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.7])
def test_slices_and_classes_keep_their_shares(tmp_path: Path, share: float) -> None:
    few = {"name": "few", "where": "rare = 'yes'", "role": "target"}
    study = write_world(tmp_path, **{**SHORT, "slices": [*WIDE, few], "data__test": None, "data__explore_share": share})
    rows = dict(np.load(tmp_path / "data" / "validation.npz"))
    rare = np.where(np.random.default_rng(2).random(600) < 0.08, "yes", "no")
    np.savez(tmp_path / "data" / "validation.npz", **rows, rare=rare)
    inputs = read_inputs(autodc.load(study))
    for explore, every in zip(inputs.explore.slices, inputs.table.slices, strict=True):
        assert len(explore.rows) == pytest.approx(share * len(every.rows), abs=2)
        for label in range(3):
            of = every.rows[rows["y"][every.rows] == label]
            seen = explore.rows[rows["y"][explore.rows] == label]
            assert len(seen) == pytest.approx(share * len(of), abs=3)


def test_groups_and_copies_stay_on_one_side(tmp_path: Path) -> None:
    patient = np.arange(600) // 5
    spec = grouped(tmp_path, patient)
    rows = dict(np.load(tmp_path / "data" / "grouped.npz"))
    rows["x"][1::2] = rows["x"][::2]
    np.savez(tmp_path / "data" / "grouped.npz", **rows)
    inputs = read_inputs(spec)
    apart = inputs.separation
    assert len(apart.explore) == pytest.approx(240, abs=15)
    assert not set(patient[apart.explore]) & set(patient[apart.gate])
    x = inputs.catalogue.validation.x
    assert not {tuple(r) for r in x[apart.explore]} & {tuple(r) for r in x[apart.gate]}
    for explore, every in zip(inputs.explore.slices, inputs.table.slices, strict=True):
        assert len(explore.rows) == pytest.approx(0.4 * len(every.rows), abs=8)


def test_a_file_of_a_slices_own_is_cut_too_and_agrees_with_validation_on_shared_rows(tmp_path: Path) -> None:
    inputs = read_inputs(with_own(tmp_path, slice(0, 100)))
    sides = inputs.separation.sides
    assert len(sides.explore["slice-own"]) == pytest.approx(40, abs=2)
    np.testing.assert_array_equal(inputs.explore["own"].rows, sides.explore["slice-own"])
    shared = sides.explore["validation"][sides.explore["validation"] < 100]
    np.testing.assert_array_equal(shared, sides.explore["slice-own"])


def test_the_cut_is_a_function_of_the_seed_and_part_of_the_question(cut: Any, tmp_path: Path) -> None:
    again = read_inputs(autodc.load(tmp_path / "study.yaml"))
    np.testing.assert_array_equal(again.separation.gate, cut.separation.gate)
    other = read_inputs(autodc.load(write_world(tmp_path, **FORTY, seed=4)))
    assert set(other.separation.gate) != set(cut.separation.gate)
    whole = read_inputs(autodc.load(write_world(tmp_path, **{**FORTY, "data__explore_share": 0})))
    assert whole.fingerprint != cut.fingerprint
    assert not whole.separation.is_cut
    for table in (whole.explore, whole.gate):
        assert len(table["overall"].rows) == 600


def test_a_small_slice_is_no_evidence_and_silences_nothing(tmp_path: Path) -> None:
    few = {"name": "few", "where": "rare = 'yes'", "role": "target"}
    study = write_world(tmp_path, **{**SHORT, "slices": [*WIDE, few], "data__test": None})
    rows = dict(np.load(tmp_path / "data" / "validation.npz"))
    np.savez(tmp_path / "data" / "validation.npz", **rows, rare=np.where(np.arange(600) < 30, "yes", "no"))
    found = preflight(autodc.load(study))
    assert found["separation"]["cut"]
    assert found["can_keep"]
    assert [a for a in found["alarms"] if "slice few is no evidence: of its 30 rows 12 are for the search" in a]
    assert [w for w in found["warnings"] if "slice few: the search sees 12 of its 30 rows" in w]
    sizes = {s["name"]: (s["explore"], s["rows"], s["all"]) for s in found["slices"]}
    assert sizes["few"] == (12, 18, 30)


def test_the_cut_that_nobody_asked_for_never_leaves_every_target_speechless(tmp_path: Path) -> None:
    inputs = read_inputs(grouped(tmp_path, np.arange(600) % 26))
    assert len(np.unique(inputs.separation.gate % 26)) >= 20
    assert inputs.gate["dark"].is_evidence(20)
    assert inputs.separation.note.startswith("the search sees 20% of the held-out rows instead of 40%")
    assert inputs.separation.note in inputs.warnings
    none = read_inputs(grouped(tmp_path, np.arange(600) % 22))
    assert not none.separation.is_cut
    assert "the search sees the rows that decide" in none.separation.note
    assert none.gate["dark"].is_evidence(20)


def test_one_group_cannot_be_cut(tmp_path: Path) -> None:
    only = [{"name": "own", "source": "data/test.npz", "role": "target"}]
    changes = {**SHORT, "slices": only, "data__test": None}
    changes["data__validation"] = {"source": "data/patients.npz", "options": {"group": "patient"}}
    study = write_world(tmp_path, **changes)
    rows = dict(np.load(tmp_path / "data" / "validation.npz"))
    np.savez(tmp_path / "data" / "patients.npz", **rows, patient=np.zeros(600, dtype=int))
    inputs = read_inputs(autodc.load(study))
    assert not inputs.separation.is_cut
    assert "validation is not cut, so the search sees the rows that decide: its rows are one group" in inputs.warnings
    wished = autodc.load(write_world(tmp_path, **changes, data__explore_share=0.4))
    with pytest.raises(InputError, match=r"explore_share: validation cannot be cut in two; .*\[ADC-SLICE-006\]"):
        read_inputs(wished)


@pytest.mark.parametrize("share", [0.001, 0.999])
def test_a_share_that_leaves_a_slice_without_rows_is_refused_where_it_was_asked_for(
    tmp_path: Path, share: float
) -> None:
    few = {"name": "few", "where": "rare = 'yes'", "role": "target"}
    study = write_world(tmp_path, **{**SHORT, "slices": [*WIDE, few], "data__test": None, "data__explore_share": share})
    rows = dict(np.load(tmp_path / "data" / "validation.npz"))
    np.savez(tmp_path / "data" / "validation.npz", **rows, rare=np.where(np.arange(600) < 30, "yes", "no"))
    side = "explore" if share < 0.5 else "decide on"
    with pytest.raises(InputError, match=rf"explore_share: .* no rows to {side}; .*\[ADC-SLICE-005\]") as error:
        read_inputs(autodc.load(study))
    assert error.value.exit_code == 2


def test_the_key_of_before_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"diagnosis_share: .*write explore_share.*\[ADC-SPEC-063\]"):
        autodc.load(write_world(tmp_path, data__diagnosis_share=0.3))


@pytest.mark.slow
def test_the_search_learns_from_explore_rows_and_comparisons_from_the_others(cut: Any, tmp_path: Path) -> None:
    spec = autodc.load(tmp_path / "study.yaml")
    result = autodc.run(spec, MachineSpec(runner="inline"), tmp_path / "out").to_dict()
    state, store = state_of(tmp_path / "out"), ArtefactStore(tmp_path / "out" / "outcomes")
    assert state.question.rules == RULES
    for _, outcome in state.ended():
        hits = store.get(outcome.arrays)["validation.score"]
        for name, value in outcome.searched.items():
            assert value == pytest.approx(hits[cut.explore[name].rows].mean())
        for name, value in outcome.slices.items():
            assert value == pytest.approx(hits[cut.gate[name].rows].mean())
        assert set(outcome.explore_soft) == set(outcome.explore) == {"overall", "bright", "dark"}
    for decision in result["decisions"]:
        judged = cut.table if decision["purpose"] == "everything" else cut.gate
        assert {n: s["rows"] for n, s in decision["slices"].items()} == {s.name: len(s.rows) for s in judged.slices}
    assert {d["purpose"] for d in result["decisions"]} > {"everything"}
    card = state.question.slices["dark"]
    dark = [len(table["dark"].rows) for table in (cut.gate, cut.explore, cut.table)]
    assert [card["rows"], card["explore_rows"], card["all_rows"]] == dark


@pytest.mark.slow
def test_uncut_rows_leave_no_second_value_behind(tmp_path: Path) -> None:
    spec = autodc.load(write_world(tmp_path, **{**FORTY, "data__explore_share": 0, "budget__trainings": 16}))
    autodc.run(spec, MachineSpec(runner="inline"), tmp_path / "out")
    for _, outcome in state_of(tmp_path / "out").ended():
        assert "explore" not in outcome.to_dict()
        assert outcome.searched == outcome.slices


@pytest.mark.slow
def test_nothing_but_scores_is_kept_of_each_training(cut: Any, tmp_path: Path) -> None:
    autodc.run(autodc.load(tmp_path / "study.yaml"), MachineSpec(runner="inline"), tmp_path / "out")
    store = ArtefactStore(tmp_path / "out" / "outcomes")
    state = state_of(tmp_path / "out")
    searched = [t.outcome for t in state.trials if t.trial.phase == "search" and t.outcome is not None]
    assert searched
    assert all(set(store.get(outcome.arrays)) == {"validation.score"} for outcome in searched if outcome.arrays)


@pytest.mark.slow
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
    np.testing.assert_array_equal(found.ids, cut.separation.explore)
    data = np.load(tmp_path / "data" / "validation.npz")
    np.testing.assert_array_equal(found.targets, data["y"][found.ids])
    np.testing.assert_array_equal(found.metadata["region"], data["region"][found.ids])
    np.testing.assert_array_equal(found.failed, found.outputs.argmax(axis=1) != data["y"][found.ids])
    np.testing.assert_allclose(found.scores, found.outputs[np.arange(len(found.ids)), found.targets], rtol=1e-6)


def test_a_diagnoser_is_told_where_nothing_was_cut(tmp_path: Path) -> None:
    spec = autodc.load(write_world(tmp_path, **{**FORTY, "data__explore_share": 0}))
    with autodc.Study.open(spec, tmp_path / "out") as study, pytest.raises(InputError, match="sets no rows apart"):
        study.diagnosis()


def test_check_tells_what_either_side_and_more_rows_could_show(cut: Any, tmp_path: Path) -> None:
    found = preflight(autodc.load(tmp_path / "study.yaml"))
    counts = {"explore": len(cut.separation.explore), "gate": len(cut.separation.gate)}
    told = {"share": 0.4, "cut": True, "parts": {"validation": counts}, "note": ""}
    assert json.loads(json.dumps(found["separation"])) == told
    dark = next(s for s in found["slices"] if s["name"] == "dark")
    assert (dark["rows"], dark["explore"]) == (len(cut.gate["dark"].rows), len(cut.explore["dark"].rows))
    shows = {name: dark[name]["8"] for name in ("more_shows", "all_shows", "shows", "explore_shows")}
    assert list(shows.values()) == sorted(shows.values())
    assert shows["more_shows"] < shows["shows"] < shows["explore_shows"]


def test_check_tells_a_margin_that_all_rows_certify_and_the_gates_do_not(tmp_path: Path) -> None:
    narrow = [{**WIDE[0], "margin": 0.03}, *WIDE[1:]]
    found = preflight(autodc.load(write_world(tmp_path, **{**FORTY, "slices": narrow})))
    assert [
        w
        for w in found["warnings"]
        if "].margin (slice overall): its 360 gate rows certify" in w and "all its 600 rows" in w
    ]
