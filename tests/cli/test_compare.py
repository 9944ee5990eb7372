"""Runs side by side on the command line: tables that fit, milestones, words for what cannot be compared."""

from __future__ import annotations

import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodc as package

JOURNALS = Path(__file__).resolve().parents[1] / "journals"


@pytest.fixture
def run(finished: Any, tmp_path: Path) -> Path:
    """A copy of a finished run, to write into."""
    return Path(shutil.copytree(finished[1], tmp_path / "night"))


def test_a_run_beside_its_own_start(autodc: Any, finished: Any) -> None:
    folder = finished[1]
    said = autodc("compare", folder)
    assert said.code == 0, said.err
    assert max(map(len, said.out.splitlines())) <= 80
    assert said.out.startswith("runs of study world\n")
    found = json.loads(autodc("compare", folder, "--json").out)
    start, end = found["studies"]
    assert [start["label"], end["label"]] == ["world@start", "world"]
    assert (start["kept"], end["kept"]) == ([], ["lamps"])
    (difference,) = found["differences"]
    assert difference["paired_by"] == "seed"
    for name, seen in difference["slices"].items():
        assert seen["difference"] == pytest.approx(end["slices"][name]["value"] - start["slices"][name]["value"])
        assert end["slices"][name]["low"] <= end["slices"][name]["value"] <= end["slices"][name]["high"]
    assert difference["slices"]["dark"]["low"] > 0  # what the gate kept is seen here too
    content = json.loads((folder / "result.json").read_text())
    assert {n: s["value"] for n, s in end["slices"].items()} == pytest.approx(content["validation"]["after"], abs=1e-6)
    assert end["test"] == content["test"]["after"]
    assert end["spent"]["trainings"] == content["spent"]["trainings"]


def test_a_milestone_keeps_its_plan_and_model(autodc: Any, run: Path) -> None:
    said = autodc("compare", run, "--milestone", "first", "--json")
    assert said.code == 0, said.err
    named = json.loads(said.out)
    assert Path(named["model"]).is_dir()
    assert named["mixture"] == json.loads((run / "result.json").read_text())["incumbent"]["mixture"]
    events = (run / "journal.sqlite").read_bytes()
    assert autodc("compare", run, "--milestone", "first").code == 0
    assert (run / "journal.sqlite").read_bytes() == events
    found = json.loads(autodc("compare", f"{run}@first", run, "--json").out)
    assert [one["of"] for one in found["studies"]] == ["first", "incumbent"]
    assert {s["difference"] for s in found["differences"][0]["slices"].values()} == {0.0}
    every = json.loads(autodc("compare", run, "--json").out)["studies"]
    assert [one["of"] for one in every] == ["start", "first", "incumbent"]


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (["{run}@frst"], "ADC-CMP-001", "did you mean first?"),
        (["{run}", "{run}"], "ADC-CMP-004", "@start"),
        (["{run}", "--milestone", "start"], "ADC-CMP-002", "letters, digits"),
        (["{run}", "--milestone", "a/b"], "ADC-CMP-002", "letters, digits"),
        (["{run}/../nigt"], "ADC-RUN-005", "did you mean"),
    ],
)
def test_what_cannot_be_asked(autodc: Any, run: Path, words: Any, code: str, hint: str) -> None:
    assert autodc("compare", run, "--milestone", "first").code == 0
    said = autodc("compare", *(word.format(run=run) for word in words))
    assert said.code == 2
    assert f"[{code}]" in said.err
    assert hint in said.err


def test_a_name_stays_with_its_plan(autodc: Any, run: Path) -> None:
    from autodc.adapters.journal import SqliteJournal, state_of
    from autodc.study.journal.events import MilestoneNamed

    start = state_of(run).start
    assert start is not None
    journal = SqliteJournal(run / "journal.sqlite")
    journal.append([MilestoneNamed(name="first", plan=start.to_dict())])
    journal.close()
    said = autodc("compare", run, "--milestone", "first")
    assert said.code == 2
    assert "[ADC-CMP-003]" in said.err


def test_lost_scores_are_told_and_the_rest_is_shown(autodc: Any, run: Path) -> None:
    for file in (run / "outcomes").glob("*.npz"):
        with np.load(file) as arrays:
            is_scores = "validation.score" in arrays.files
        if is_scores:
            file.write_bytes(b"")
    found = json.loads(autodc("compare", run, "--json").out)
    (difference,) = found["differences"]
    assert not difference["comparable"]
    assert "lost or damaged" in difference["why"]
    assert found["studies"][1]["slices"]["dark"]["value"] > 0.8
    assert found["studies"][1]["slices"]["dark"]["low"] is None


def test_a_journal_of_before_says_what_it_lacks(autodc: Any, tmp_path: Path) -> None:
    with tarfile.open(JOURNALS / "finished.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    said = autodc("compare", tmp_path / "run")
    assert said.code == 0, said.err
    assert "not comparable row by row" in said.out
    assert "older autodc" in said.out
    assert "0.933" in said.out


def test_a_copy_of_the_search_for_other_tools(autodc: Any, run: Path, tmp_path: Path) -> None:
    import optuna

    trainings = json.loads((run / "result.json").read_text())["spent"]["trainings"]
    out = tmp_path / "night.log"
    for _ in range(2):
        said = autodc("export", run, "--as", "optuna", "--out", out, "--json")
        assert said.code == 0, said.err
        assert json.loads(said.out)["trainings"] == trainings
    backend = optuna.storages.journal.JournalFileBackend(str(out))
    study = optuna.load_study(study_name="world", storage=optuna.storages.JournalStorage(backend))
    assert len(study.trials) == trainings
    assert study.user_attrs["verdicts"]["lamps"] == "keep"
    other = tmp_path / "other.log"
    backend = optuna.storages.journal.JournalFileBackend(str(other))
    optuna.create_study(storage=optuna.storages.JournalStorage(backend), study_name="world")
    refused = autodc("export", run, "--as", "optuna", "--out", other)
    assert refused.code == 2
    assert "[ADC-COPY-003]" in refused.err


@pytest.mark.slow(seconds=4)
def test_a_copy_in_sqlite_is_that_of_the_log(autodc: Any, run: Path, tmp_path: Path) -> None:
    import optuna

    assert autodc("export", run, "--as", "optuna", "--out", tmp_path / "night.db").code == 0
    study = optuna.load_study(study_name="world", storage=f"sqlite:///{tmp_path}/night.db")
    own = package.Result.open(run).optuna_study()
    assert [t.values for t in study.trials] == [t.values for t in own.trials]
    assert [t.params for t in study.trials] == [t.params for t in own.trials]
    for copy, trial in zip(study.trials, own.trials, strict=True):
        assert trial.constraints.items() <= copy.constraints.items()
        assert copy.system_attrs["constraints"] == list(trial.constraints.values())  # what the dashboard reads
