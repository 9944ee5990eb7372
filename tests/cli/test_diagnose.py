"""`autodc diagnose` at the command line: what it prints where, and the code it ends with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def sensors(rows: int, seed: int, night_share: float) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    night, signal = rng.random(rows) < night_share, rng.normal(size=rows)
    return {
        "x": (signal + 3 * night + rng.normal(0, 0.1, rows)).astype(np.float32)[:, None],
        "y": (signal > 0).astype(int),
        "hour": np.where(night, rng.integers(0, 5, rows), rng.integers(7, 20, rows)),
    }


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    np.savez(folder / "base.npz", **sensors(400, 1, 0.0))
    np.savez(folder / "validation.npz", **sensors(1500, 2, 0.3))
    content = {
        "schema_version": 1,
        "name": "nights",
        "task": {"kind": "classification", "trainer": "sklearn", "options": {"estimator": "LogisticRegression"}},
        "data": {"base": {"source": "base.npz"}, "validation": {"source": "validation.npz"}},
        "metrics": {"primary": "accuracy"},
        "slices": [{"name": "overall", "role": "target"}],
        "loop": {"rounds": 1},
        "search": {"trials_per_round": 2},
        "budget": {"trainings": 12},
        "tracking": {"uri": "none"},
    }
    (folder / "study.yaml").write_text(json.dumps(content))
    return folder / "study.yaml"


@pytest.fixture(scope="module")
def ran(study: Path, autodc: Any, inline: Path) -> Path:
    assert autodc("run", study, "--machine", inline, "--out", study.parent / "out").code == 0
    return study.parent / "out"


@pytest.mark.slow
def test_json_alone_is_on_stdout_and_the_page_is_written(study: Path, autodc: Any) -> None:
    said = autodc("diagnose", study, "--quick", "--json", "--out", study.parent / "page")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    first = told["findings"][0]
    assert first["status"] == "confirmed"
    assert "hour" in first["rule"]
    assert first["error"]["low"] > 0
    assert Path(told["page"]) == study.parent / "page" / "index.html"
    assert Path(told["page"]).is_file()
    assert "training the start once" in said.err


def test_a_run_is_told_in_words_and_a_finding_promoted(ran: Path, autodc: Any) -> None:
    said = autodc("diagnose", ran, "--quick")
    assert said.code == 0, said.err
    assert "F1  confirmed  hour below" in said.out
    assert f"promote: autodc diagnose {ran} --promote F1" in said.out
    assert "F1  confirmed  hour below" in autodc("why", ran, "F1").out
    assert json.loads(autodc("why", ran, "F1", "--json").out)["id"] == "F1"
    assert "F1 hour below" in json.loads(autodc("status", ran, "--json").out)["findings"]
    done = autodc("diagnose", ran, "--promote", "F1", "--json")
    assert done.code == 0, done.err
    assert "F1 is a target slice of the study now" in json.loads(done.out)["promoted"]
    assert "It is a slice of the study: F1" in autodc("why", ran, "F1").out
    again = autodc("diagnose", ran, "--promote", "F1")
    assert (again.code, "ADC-RUN-090" in again.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--promote", "F999"), "ADC-DIAG-006"),
        (("--method", "constant"), "ADC-DIAG-014"),
        (("--set", "seed=2"), "ADC-SPEC-08"),
    ],
)
def test_wrong_questions_end_with_2_and_one_message(ran: Path, autodc: Any, words: Any, code: str) -> None:
    said = autodc("diagnose", ran, *words)
    assert said.code == 2
    assert said.out == ""
    assert code in said.err
    assert said.err.count("autodc:") == 1


def test_a_study_file_has_nothing_to_promote(study: Path, autodc: Any) -> None:
    said = autodc("diagnose", study, "--promote", "F1")
    assert (said.code, "ADC-DIAG-013" in said.err) == (2, True)
    nowhere = autodc("diagnose", study.parent / "nothing.yaml")
    assert nowhere.code == 2


STOPPED = """
import os, signal, pathlib
import numpy as np

def rows():
    here = pathlib.Path(__file__)
    if here.with_name("now").exists():
        os.kill(os.getpid(), signal.SIGINT)
    found = np.load(here.parent.parent / "validation.npz")
    return found["x"], found["y"], {"hour": found["hour"]}
"""


@pytest.mark.slow
def test_who_stops_the_look_at_a_run_is_told_where_the_findings_are(study: Path, autodc: Any, inline: Path) -> None:
    folder = study.parent / "stopped"
    folder.mkdir()
    (folder / "mine.py").write_text(STOPPED)
    content = json.loads(study.read_text())
    content["data"] = {"base": {"source": "../base.npz"}, "validation": {"source": "mine.py:rows"}}
    content["data"]["candidates"] = [{"name": "nights", "source": "nights.npz"}]  # is kept, and a model with it
    content |= {"budget": {"trainings": 30}}
    np.savez(folder / "nights.npz", **sensors(600, 3, 0.5))
    (folder / "study.yaml").write_text(json.dumps(content))
    done = autodc("run", folder / "study.yaml", "--machine", inline, "--out", folder / "out")
    assert done.code == 0, done.err
    (folder / "now").touch()
    said = autodc("diagnose", folder / "out")
    assert said.code == 130, said.err
    assert "stopped; what was found is in the journal" in said.err
    of_study = autodc("diagnose", folder / "study.yaml", "--out", folder / "page")
    assert of_study.code == 130, of_study.err
    assert "stopped; nothing is left behind" in of_study.err
    assert not (folder / "page").exists()


@pytest.mark.parametrize("words", [["--quick"], ["--promote", "F1"]])
def test_a_decoder_where_nothing_is_decoded_is_misuse(study: Path, autodc: Any, words: list[str]) -> None:
    said = autodc("diagnose", study, "--decoder", "vae", *words)
    assert said.code == 2
    assert "--decoder is for the nearest inputs" in said.err
