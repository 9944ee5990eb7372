"""The Python calls: the names that are there, a whole run, and a loop of one's own."""

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

INLINE = MachineSpec(runner="inline")


def test_the_public_names() -> None:
    assert autodc.__all__ == [
        "AutodcError",
        "CompareResult",
        "DiagnosisResult",
        "EvaluationResult",
        "ExportResult",
        "MachineSpec",
        "Milestone",
        "Model",
        "Outcome",
        "Plan",
        "Result",
        "ShadowResult",
        "SimulationResult",
        "Study",
        "StudySpec",
        "TrackResult",
        "Trial",
        "compare",
        "diagnose",
        "evaluate",
        "export",
        "load",
        "load_machine",
        "load_model",
        "milestone",
        "run",
        "shadow",
        "simulate",
        "track",
    ]
    for name in autodc.__all__:
        assert getattr(autodc, name).__name__ == name
    with pytest.raises(AttributeError, match="nothing_of_ours"):
        _ = autodc.nothing_of_ours


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("ran")
    spec = autodc.load(
        write_world(folder, budget__trainings=40, loop__rounds=1, gate__evidence="each", data__explore_share=0)
    )
    said = []
    result = autodc.run(spec, INLINE, folder / "out", progress=lambda state: said.append(len(state.trials)))
    return spec, result, said


def test_run_gives_the_result_and_writes_it(ran: Any) -> None:
    _, result, said = ran
    assert result.kept == ("lamps",)
    assert set(result.kept + result.dropped + result.undecided) == {"lamps", "wrong", "copies", "chance"}
    assert result.to_dict() == json.loads((result.folder / "result.json").read_text())
    assert result.to_dict()["mlflow"] is None
    assert result.untracked == ""
    assert said == sorted(said)
    assert said[-1] == result.content["spent"]["trainings"]


def test_a_finished_folder_holds_results_and_no_scratch(ran: Any) -> None:
    names = {path.name for path in ran[1].folder.iterdir()}
    assert {"journal.sqlite", "outcomes", "models", "report", "result.json"} <= names
    assert "work" not in names
    assert [path.name for path in (ran[1].folder / "models").iterdir()] == ["incumbent"]


def test_before_and_after_of_the_test_set_agree_with_its_differences(ran: Any) -> None:
    test = ran[1].content["test"]
    assert set(test["before"]) == {"overall", "bright", "dark"}
    for name, seen in test["differences"].items():
        assert seen["low"] <= seen["difference"] <= seen["high"]
        assert test["after"][name] - test["before"][name] == pytest.approx(seen["difference"], abs=1e-6)


@pytest.mark.slow
def test_a_loop_of_ones_own_comes_to_the_same_decisions(ran: Any, tmp_path: Path) -> None:
    spec, result, _ = ran
    trainer = CellTrainer()
    with autodc.Study.open(spec, tmp_path / "own") as study:
        while trials := study.ask(2):
            for trial in trials:
                job = study.job(trial)
                assert "validation" in job.predict
                assert ("test" in job.predict) == (trial.phase == "test")
                study.tell(trial, study.outcome(trial, trainer.train(job).outputs, train_seconds=0.5))
        own = study.result()
    assert own["finished"]
    assert own["decisions"] == result.content["decisions"]
    assert own["incumbent"] == result.content["incumbent"]
    assert own["mlflow"] is None


@pytest.mark.slow
def test_a_loop_of_ones_own_goes_on_after_a_break_and_tells_failures(ran: Any, tmp_path: Path) -> None:
    spec, _, _ = ran
    study = autodc.Study.open(spec, tmp_path / "own")
    first = study.ask(2)
    study.tell(first[0], study.failed("the power went"))
    assert study.result()["finished"] is False
    study.close()
    study.close()
    with autodc.Study.open(spec, tmp_path / "own") as again:
        assert again.ask(1) == first[1:]
        job = again.job(first[1])
        with pytest.raises(ValueError, match="read-only"):
            job.predict["validation"][0] = 0
        outcome = again.outcome(first[1], {"validation": np.full((600, 3), np.nan)})
        assert outcome.status == "failed"


@pytest.mark.slow
def test_a_folder_that_is_in_use_is_refused(ran: Any, tmp_path: Path) -> None:
    spec, _, _ = ran
    with autodc.Study.open(spec, tmp_path / "own"), pytest.raises(autodc.AutodcError) as caught:
        autodc.Study.open(spec, tmp_path / "own")
    assert caught.value.exit_code in (2, 3)


def test_a_folder_of_another_study_is_refused_and_left_alone(ran: Any, tmp_path: Path) -> None:
    _, result, _ = ran
    other = autodc.load(write_world(tmp_path, seed=99))
    before = (result.folder / "result.json").read_bytes()
    with pytest.raises(InputError) as caught:
        autodc.run(other, INLINE, result.folder)
    assert caught.value.code == "ADC-RUN-002"
    assert (result.folder / "result.json").read_bytes() == before


@pytest.mark.slow
def test_scikit_learn_on_a_small_table(tmp_path: Path) -> None:
    path = write_world(
        tmp_path,
        task__trainer="sklearn",
        task__options={"estimator": "ExtraTreesClassifier"},
        search_space={"n_estimators": {"type": "int", "low": 5, "high": 15}},
        budget__trainings=20,
        loop__rounds=1,
    )
    result = autodc.run(autodc.load(path), INLINE, tmp_path / "out")
    assert result.content["finished"]
    assert result.content["test"]["after"]["dark"] >= result.content["test"]["before"]["dark"]
    assert not set(result.kept) & {"wrong", "chance"}
