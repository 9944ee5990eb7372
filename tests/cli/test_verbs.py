"""Every verb: what it prints where, and the code it ends with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from autodc.cli.main import cli
from autodc.testing.worlds.cells import CANDIDATES, write_world
from autodc.verbs.init import examples


@pytest.mark.parametrize("verb", [None, *cli.commands])
def test_every_verb_has_help(autodc: Any, verb: Any) -> None:
    said = autodc(*([verb] if verb else []), "--help")
    assert said.code == 0
    assert said.err == ""
    assert said.out.startswith("Usage: ")
    assert len(said.out.splitlines()) > 4
    for other in () if verb else cli.commands:
        assert other in said.out


def test_version_names_the_command(autodc: Any) -> None:
    said = autodc("--version")
    assert (said.code, said.out.split(",")[0]) == (0, "autodc")


@pytest.mark.parametrize("words", [("rum",), ("run",), ("run", "a.yaml", "--speed", "9")])
def test_misuse_of_the_command_is_bad_input(autodc: Any, words: Any) -> None:
    said = autodc(*words)
    assert said.code == 2
    assert said.out == ""
    assert said.err.startswith("autodc: ")
    assert "ADC-SPEC-08" in said.err


def test_json_of_run_is_the_result_file_and_alone_on_stdout(finished: Any) -> None:
    _, folder, said = finished
    content = json.loads(said.out)
    assert content == json.loads((folder / "result.json").read_text())
    assert content["finished"]
    assert content["kept"] == ["lamps"]
    assert "training" in said.err
    assert (folder / "report" / "index.html").is_file()
    assert (folder / "models" / "incumbent").exists()


def test_run_again_trains_nothing_and_says_the_same(autodc: Any, finished: Any, inline: Any) -> None:
    study, folder, said = finished
    again = autodc("run", study, "--machine", inline, "--out", folder, "--json")
    assert again.code == 0
    assert json.loads(again.out) == json.loads(said.out)


@pytest.mark.slow
def test_run_shows_the_verdict_table(autodc: Any, finished: Any, inline: Any) -> None:
    study, folder, _ = finished
    said = autodc("run", study, "--machine", inline, "--out", folder)
    assert said.code == 0
    for name in CANDIDATES:
        assert name in said.out
    assert f"report: {folder}/report/index.html" in said.out
    assert "\x1b[" not in said.out


def test_json_verbs_print_json_alone(autodc: Any, finished: Any) -> None:
    study, folder, _ = finished
    for words in (("check", study), ("status", folder), ("why", folder, "lamps")):
        said = autodc(*words, "--json")
        assert said.code == 0
        assert isinstance(json.loads(said.out), dict)
        assert said.err == ""


def test_check_prints_the_smallest_differences_and_trains_nothing(autodc: Any, tmp_path: Path) -> None:
    study = write_world(tmp_path)
    before = sorted(p.name for p in tmp_path.iterdir())
    said = autodc("check", study)
    assert said.code == 0
    assert "the smallest difference that gate rows show" in said.out
    found = json.loads(autodc("check", study, "--json").out)
    shows = {one["name"]: one["shows"] for one in found["slices"]}
    assert set(shows) == {"overall", "bright", "dark"}
    assert all(s["3"] > s["8"] > s["unlimited"] > 0 for s in shows.values())
    assert f"{shows['dark']['3']:.3f}" in said.out
    assert found["night"]["trainings"] == 60
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_check_tells_all_that_is_wrong_at_once(autodc: Any, tmp_path: Path) -> None:
    study = write_world(tmp_path, search__lagg=3, metrics__primary="acuracy")
    said = autodc("check", study)
    assert said.code == 2
    assert said.out == ""
    assert "did you mean lag" in said.err
    trainer = "autodc.testing.nowhere:Trainer"
    study = write_world(tmp_path, task__trainer=trainer, data__test={"source": "data/nowhere.npz"})
    said = autodc("check", study)
    assert said.code == 2
    assert "task.trainer" in said.err
    assert "nowhere.npz" in said.err


@pytest.mark.slow
def test_set_changes_a_value_and_makes_another_study(autodc: Any, finished: Any, inline: Any, tmp_path: Path) -> None:
    study, folder, _ = finished
    said = autodc("run", study, "--machine", inline, "--out", tmp_path / "o", "--set", "budget.trainings=20", "--json")
    assert said.code == 0
    assert json.loads(said.out)["spent"]["trainings"] <= 20
    other = autodc("run", study, "--machine", inline, "--out", folder, "--set", "budget.trainings=20")
    assert other.code == 2
    assert "the output folder belongs to another study" in other.err
    wrong = autodc("check", study, "--set", "budget.trainings=many")
    assert wrong.code == 2
    assert "budget.trainings" in wrong.err


def test_an_output_that_is_a_file_is_refused(autodc: Any, finished: Any, inline: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    said = autodc("run", finished[0], "--machine", inline, "--out", tmp_path / "file")
    assert said.code == 2
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("when", ["soon", "25:00", "6"])
def test_until_is_a_time_of_day(autodc: Any, finished: Any, inline: Any, tmp_path: Path, when: Any) -> None:
    said = autodc("run", finished[0], "--machine", inline, "--out", tmp_path / "o", "--until", when)
    assert said.code == 2
    assert "give HH:MM" in said.err
    assert not (tmp_path / "o").exists()


@pytest.mark.slow
def test_require_keep_is_a_condition(autodc: Any, finished: Any, inline: Any, tmp_path: Path) -> None:
    study, folder, _ = finished
    assert autodc("run", study, "--machine", inline, "--out", folder, "--require-keep").code == 0
    bare = write_world(
        tmp_path, data__candidates=[{"name": "copies", "source": "data/copies.npz"}], budget__trainings=20
    )
    said = autodc("run", bare, "--machine", inline, "--out", tmp_path / "o", "--require-keep", "--json")
    assert said.code == 4
    assert "no dataset was kept" in said.err
    assert json.loads(said.out)["kept"] == []


@pytest.mark.slow
def test_a_start_that_cannot_be_trained_is_bad_input(autodc: Any, inline: Any, tmp_path: Path) -> None:
    study = write_world(tmp_path, task__options={"fail": "all"})
    said = autodc("run", study, "--machine", inline, "--out", tmp_path / "o")
    assert said.code == 2
    assert "ADC-RUN-001" in said.err
    assert "as planned" in said.err


def test_status_of_a_finished_study(autodc: Any, finished: Any) -> None:
    said = autodc("status", finished[1])
    assert said.code == 0
    assert "finished, round 1 of 1: all planned rounds were made" in said.out
    assert "lamps" in said.out


def test_a_folder_without_a_study_is_bad_input(autodc: Any, tmp_path: Path) -> None:
    for words in (("status", tmp_path), ("why", tmp_path, "lamps"), ("report", tmp_path)):
        said = autodc(*words)
        assert said.code == 2
        assert "there is no study in this folder" in said.err
    assert list(tmp_path.iterdir()) == []


def test_why_agrees_with_the_journal(autodc: Any, finished: Any) -> None:
    _, folder, run = finished
    said = autodc("why", folder, "lamps")
    assert said.code == 0
    assert said.out.startswith("lamps: keep")
    found = json.loads(autodc("why", folder, "lamps", "--json").out)
    decided = [d for d in json.loads(run.out)["decisions"] if d["subject"] == "lamps"][-1]
    last = [t for t in found["comparisons"] if t["subject"] == "lamps"][-1]["looks"][-1]
    assert last["slices"]["dark"]["difference"] == decided["slices"]["dark"]["difference"]
    assert last["pairs"] == decided["seeds"]
    assert f"What was measured, on {last['pairs']} pair" in said.out
    assert f"{last['slices']['dark']['z']:.1f} / {last['slices']['dark']['bound']:.1f}" in said.out
    assert "On `dark`" in found["summary"]


def test_why_of_an_unknown_name_says_what_was_meant(autodc: Any, finished: Any) -> None:
    said = autodc("why", finished[1], "lamp")
    assert said.code == 2
    assert "did you mean lamps?" in said.err


def test_report_writes_the_page_again(autodc: Any, finished: Any) -> None:
    page = finished[1] / "report" / "index.html"
    page.unlink()
    said = autodc("report", finished[1])
    assert said.code == 0
    assert said.out.strip() == str(page)
    assert "lamps" in page.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in examples() if name != "fashion"])
def test_init_writes_a_study_that_check_accepts(autodc: Any, tmp_path: Path, name: Any) -> None:
    said = autodc("init", tmp_path / "mine", "--example", name)
    assert said.code == 0, said.err
    study = tmp_path / "mine" / "study.yaml"
    assert f"autodc run {study}" in said.out
    assert autodc("check", study).code == 0
    again = autodc("init", tmp_path / "mine", "--example", name)
    assert again.code == 2
    assert "not empty" in again.err


def test_init_of_an_unknown_example_says_what_was_meant(autodc: Any, tmp_path: Path) -> None:
    said = autodc("init", tmp_path / "mine", "--example", "digit")
    assert said.code == 2
    assert "did you mean digits?" in said.err
    assert not (tmp_path / "mine").exists()


@pytest.mark.slow
def test_simulate_prints_figures_and_a_sentence_and_json_alone(autodc: Any, inline: Any, tmp_path: Path) -> None:
    study = write_world(tmp_path)
    words = ("--nights", 2, "--gain", 0.3, "--machine", inline)
    said = autodc("simulate", study, "--out", tmp_path / "out", *words)
    assert said.code == 0
    assert "small, +0.3 together" in said.out
    assert "2 nights of 4 datasets of each kind" in said.out
    assert "Of 2 nights of 4 useless datasets" in said.out
    assert "small gains of 0.3 together are found" in said.out
    tables = said.out[said.out.index("2 nights of 4") : said.out.index("trainings of the gate")]
    assert max(map(len, tables.splitlines())) <= 80
    assert "training (6 to go)" in said.err
    again = autodc("simulate", study, "--from", tmp_path / "out", *words, "--json")
    found = json.loads(again.out)
    assert again.err.split() == ["simulating", "(8", "to", "go)"]
    assert found["calibration"]["trained_now"] == 0
    assert found["verdict"].split() == said.out[said.out.index("Of 2 nights") :].split()
    each = autodc("simulate", study, "--from", tmp_path / "out", *words, "--set", "gate.evidence=each")
    assert "+0.3 on one target" in each.out
    assert "2 nights of 10 datasets each" in each.out
    assert "Of 2 nights of 10 useless datasets" in each.out
    assert "a gain of 0.3 on one target is kept" in each.out


def test_check_with_measured_noise(autodc: Any, finished: Any) -> None:
    study, folder, _ = finished
    said = autodc("check", study, "--from", folder)
    assert said.code == 0
    assert "Noise measured on 3 trainings of the start" in said.out
    nowhere = autodc("check", study, "--from", folder.parent)
    assert nowhere.code == 2
    assert "ADC-SIM-001" in nowhere.err
