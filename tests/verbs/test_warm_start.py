"""A study learns from another one's trainings; it needs the other folder only once, and refuses another question."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodc
from autodc.adapters.artefacts import ArtefactStore
from autodc.adapters.journal import open_for_reading
from autodc.errors import InputError
from autodc.study.journal.fold import fold
from autodc.studyfile.study import MachineSpec
from autodc.testing.worlds.cells import write_world
from autodc.wire.inputs import read_inputs
from autodc.wire.study import open_study, warm_start

INLINE = MachineSpec(runner="inline")
SMALL = {"loop__rounds": 1, "search__sampler": "mixture", "budget__trainings": 60}


def state_of(folder: Any) -> Any:
    reader = open_for_reading(folder / "journal.sqlite")
    try:
        return fold(event for _, event in reader.read())
    finally:
        reader.close()


def rewritten(folder: Any, edit: Any) -> Any:
    """The study file of a folder after an edit of its content."""
    file = folder / "study.yaml"
    content = json.loads(file.read_text())
    edit(content)
    file.write_text(json.dumps(content))
    return autodc.load(file)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A finished study, in a folder with its data."""
    folder = tmp_path_factory.mktemp("first")
    autodc.run(autodc.load(write_world(folder, **SMALL)), INLINE, folder / "run")
    return folder


@pytest.fixture
def second(first: Any, tmp_path: Path) -> Any:
    """The same data elsewhere, to be started warm from the first study."""
    write_world(tmp_path, **SMALL, name="second", seed=9)
    return rewritten(tmp_path, lambda c: c["search"].update(warm_start=str(first / "run")))


@pytest.mark.slow
def test_the_search_knows_what_the_other_study_trained_and_the_gate_does_not(
    first: Any, second: Any, tmp_path: Path
) -> None:
    result = autodc.run(second, INLINE, tmp_path / "run")
    mine, other = state_of(tmp_path / "run"), state_of(first / "run")
    told = mine.borrowed.observations
    lent = [t.outcome for t in other.trials if t.trial.phase in ("calibration", "search", "gate", "tuning")]
    assert result.kept == ("lamps",)
    inputs = read_inputs(second)
    seen = inputs.explore["dark"].rows
    assert set(seen) != set(read_inputs(autodc.load(first / "study.yaml")).explore["dark"].rows)
    store = ArtefactStore(first / "run" / "outcomes")
    for borrowed, outcome in zip(told, lent, strict=True):
        hits = store.get(outcome.arrays)["validation.score"]
        assert borrowed["values"]["dark"] == pytest.approx(hits[seen].mean())
    assert not {seed for _, seed in mine.trained} & {t.trial.seed for t in other.trials}
    assert not any(t.origin in ("anchor", "screen") for t in mine.trials)
    assert any("trainings of study world" in w for w in mine.question.warnings)


def test_after_the_start_the_other_folder_is_not_needed(first: Any, second: Any, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(first / "run", copy)
    spec = rewritten(tmp_path, lambda c: c["search"].update(warm_start="copy"))
    study, journal = open_study(read_inputs(spec), tmp_path / "run")
    identity = study.state.question.fingerprint
    journal.close()
    shutil.rmtree(copy)
    study, journal = open_study(read_inputs(spec), tmp_path / "run")
    assert study.state.question.fingerprint == identity
    assert study.state.borrowed is not None
    journal.close()
    with pytest.raises(InputError, match="no study to start warm from") as caught:
        open_study(read_inputs(spec), tmp_path / "other")
    assert caught.value.code == "ADC-WARM-001"
    assert not (tmp_path / "other").exists()


def test_a_study_that_began_cold_cannot_be_warmed(first: Any, tmp_path: Path) -> None:
    cold = autodc.load(write_world(tmp_path, **SMALL))
    open_study(read_inputs(cold), tmp_path / "run")[1].close()
    spec = rewritten(tmp_path, lambda c: c["search"].update(warm_start=str(first / "run")))
    with pytest.raises(InputError, match="began without a warm start"):
        open_study(read_inputs(spec), tmp_path / "run")


def test_what_is_borrowed_is_part_of_the_identity_and_where_it_lies_is_not(
    first: Any, second: Any, tmp_path: Path
) -> None:
    inputs = read_inputs(second)
    shutil.copytree(first / "run", tmp_path / "copy")
    moved = read_inputs(rewritten(tmp_path, lambda c: c["search"].update(warm_start="copy")))
    cold = read_inputs(rewritten(tmp_path, lambda c: c["search"].pop("warm_start")))
    assert inputs.identity(warm_start(inputs)) == moved.identity(warm_start(moved))
    assert inputs.identity(warm_start(inputs)) != cold.identity(warm_start(cold)) == cold.fingerprint


def test_datasets_are_recognised_by_their_content(first: Any, second: Any, tmp_path: Path) -> None:
    def rename(content: Any) -> None:
        for one in content["data"]["candidates"]:
            one["name"] = "new_" + one["name"]

    borrowed = warm_start(read_inputs(rewritten(tmp_path, rename)))
    names = {n for seen in borrowed.observations for n in seen["plan"]["mixture"]}
    assert names == {"base", "new_lamps", "new_wrong", "new_copies", "new_chance"}
    assert not borrowed.left_out


def test_trainings_with_unknown_datasets_or_settings_are_left_out_and_counted(
    first: Any, second: Any, tmp_path: Path
) -> None:
    def shrink(content: Any) -> None:
        content["data"]["candidates"] = [c for c in content["data"]["candidates"] if c["name"] != "chance"]
        content["search_space"]["width"]["high"] = 6

    borrowed = warm_start(read_inputs(rewritten(tmp_path, shrink)))
    other = state_of(first / "run")
    assert len(borrowed.observations) + sum(borrowed.left_out.values()) == sum(
        t.trial.phase in ("calibration", "search", "gate", "tuning") for t in other.trials
    )
    assert borrowed.left_out["with datasets that are not in this study"] > 0
    assert all(seen["plan"]["hyperparameters"]["width"] <= 6 for seen in borrowed.observations)


def test_another_question_is_refused_with_all_that_differs(second: Any, tmp_path: Path) -> None:
    def ask_else(content: Any) -> None:
        content["metrics"]["primary"] = "balanced_accuracy"
        content["slices"][2]["where"] = "region != 'bright'"

    x = dict(np.load(tmp_path / "data" / "base.npz"))
    np.savez(tmp_path / "data" / "base.npz", **{name: array[:-1] for name, array in x.items()})
    spec = rewritten(tmp_path, ask_else)
    with pytest.raises(InputError, match="another question") as caught:
        autodc.run(spec, INLINE, tmp_path / "run")
    assert caught.value.code == "ADC-WARM-002"
    for word in ("the base", "the metric: accuracy, here balanced_accuracy", "slices: dark"):
        assert word in str(caught.value)
    assert not (tmp_path / "run").exists()
