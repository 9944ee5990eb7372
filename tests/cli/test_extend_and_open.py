"""`run` on a finished study: the same command changes nothing, a larger one goes on, the test set is opened once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from autodc.testing.worlds.cells import write_world

PLENTY = {"budget__trainings": 40, "loop__rounds": 1, "gate__planned_tests": 30}


@pytest.fixture(scope="module")
def finished_once(autodc: Any, inline: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("once")
    study = write_world(folder, **PLENTY)
    said = autodc("run", study, "--machine", inline, "--out", folder / "out", "--json")
    assert said.code == 0, said.err
    return study, folder / "out", json.loads(said.out)


@pytest.fixture
def done(finished_once: Any, inline: Any, tmp_path: Path) -> Any:
    """A finished study of its own for each test: its folder, the command that made it, its result."""
    study, folder, content = finished_once
    shutil.copytree(folder, tmp_path / "out")
    return tmp_path / "out", ["run", study, "--machine", inline, "--out", tmp_path / "out", "--json"], content


@pytest.mark.slow
def test_more_rounds_go_on_in_the_same_folder(autodc: Any, done: Any) -> None:
    out, words, before = done
    said = autodc(*words, "--set", "loop.rounds=2", "--set", "budget.trainings=90")
    assert said.code == 0, said.err
    after = json.loads(said.out)
    assert after == json.loads((out / "result.json").read_text())
    assert after["spent"]["trainings"] > before["spent"]["trainings"]
    assert after["decisions"][: len(before["decisions"])] == before["decisions"]
    assert [e["taken"] for e in after["ledger"]["extensions"]] == [before["ledger"]["taken"]]
    assert after["test"]["opened"] == 1
    assert (out / "models" / "incumbent").is_dir()
    assert not (out / "work").exists()
    page = (out / "report" / "index.html").read_text()
    assert "The study was extended after" in page
    assert "The error ledger" in page
    again = autodc(*words, "--set", "loop.rounds=2", "--set", "budget.trainings=90")
    assert json.loads(again.out) == after
    smaller = autodc(*words)
    assert smaller.code == 2
    assert "loop.rounds 2 → 1" in smaller.err


@pytest.mark.slow
def test_the_test_set_is_opened_again_by_force_alone(autodc: Any, done: Any) -> None:
    out, words, _ = done
    wishes = ["--set", "budget.trainings=70", "--open-test"]
    refused = autodc(*words, *wishes)
    assert refused.code == 2
    assert "the test set was opened already" in refused.err
    assert "ADC-RUN-015" in refused.err
    assert json.loads(autodc("status", out, "--json").out)["finished"], "a refused wish must change nothing"
    forced = autodc(*words, *wishes, "--force")
    assert forced.code == 0, forced.err
    assert json.loads(forced.out)["test"]["opened"] == 2
    assert json.loads(forced.out)["stopped_because"] == "stopped"
    assert 'class="alarm"' in (out / "report" / "index.html").read_text()
    assert "opened 2 times" in autodc("status", out).out
    assert autodc(*words, "--force").code == 2


@pytest.mark.slow
def test_an_opening_that_was_ended_before_the_result_goes_on_by_the_same_command(autodc: Any, done: Any) -> None:
    out, words, before = done
    for name in ("result.json", "report/index.html"):
        (out / name).unlink()
    again = autodc(*words, "--open-test")
    assert again.code == 0, again.err
    assert json.loads(again.out) == before
    assert (out / "report" / "index.html").exists()
    assert autodc(*words, "--open-test").code == 2


@pytest.mark.slow
def test_opening_by_hand_ends_the_study_where_it_is(autodc: Any, inline: Any, tmp_path: Path) -> None:
    study = write_world(tmp_path, **PLENTY)
    said = autodc("run", study, "--machine", inline, "--out", tmp_path / "out", "--open-test", "--json")
    assert said.code == 0, said.err
    content = json.loads(said.out)
    assert content["stopped_because"] == "stopped"
    assert content["test"]["opened"] == 1
    assert content["spent"]["by_phase"]["search"] == 0


@pytest.mark.slow
def test_status_says_what_is_left_of_the_error_budget(autodc: Any, done: Any) -> None:
    out, _, content = done
    account = content["ledger"]
    text = autodc("status", out).out
    assert f"{account['taken']} of {account['planned']} planned comparisons taken" in text
    assert f"opened once, {content['test']['opened_at']}" in text
