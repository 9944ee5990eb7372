"""`autodc diagnose` names wrong labels, datasets labelled by chance, other conventions and slices that tell nothing."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from sklearn.datasets import load_digits

import autodc
from autodc.cli.show_findings import show_diagnosis
from autodc.cli.show_why import show_why
from autodc.report.diagnosis import PAGE
from autodc.review import views
from autodc.review.labels import label_words
from autodc.verbs.diagnosed import DiagnosisResult
from autodc.verbs.folder import open_state
from autodc.wire.checks import labels_of_night
from autodc.wire.inputs import read_inputs

IMAGES, Y = load_digits(return_X_y=True)
IMAGES = (IMAGES / 16).astype(np.float32).reshape(-1, 8, 8)
ORDER = np.random.default_rng(0).permutation(len(Y))
BASE, SWAPPED, CARELESS, GOOD, HELD = np.split(ORDER, [400, 700, 950, 1150])
WORDS = np.array([f"d{k}" for k in range(10)])
INLINE = autodc.MachineSpec(runner="inline")


def other(rows: np.ndarray, kind: str) -> np.ndarray:
    """Labels of some rows, planted wrong as a candidate's name says."""
    labels = WORDS[Y[rows]]
    if kind == "swapped":
        return np.where(labels == "d3", "d8", np.where(labels == "d8", "d3", labels))
    return np.random.default_rng(1).permutation(labels) if kind == "careless" else labels


def study(folder: Path, candidates: dict[str, np.ndarray], held: np.ndarray, **more: Any) -> Path:
    """Digits on which everything fits in memory; held: the labels of validation."""
    parts = {"base": (BASE, WORDS[Y[BASE]]), "validation": (HELD, held)}
    parts |= {name: (rows, other(rows, name)) for name, rows in candidates.items()}
    for name, (rows, labels) in parts.items():
        np.savez(folder / f"{name}.npz", x=IMAGES[rows], y=labels, number=rows, few=(Y[rows] == 0).astype(int))
    content = {
        "schema_version": 1,
        "name": "digits",
        "task": {"kind": "classification", "trainer": "sklearn", "options": {"estimator": "LogisticRegression"}},
        "data": {
            "base": {"source": "base.npz"},
            "validation": {"source": "validation.npz"},
            "explore_share": 0.6,
            "candidates": [{"name": name, "source": f"{name}.npz"} for name in candidates],
        },
        "metrics": {"primary": "accuracy"},
        "slices": [{"name": "overall", "role": "target"}],
        "tracking": {"uri": "none"},
        **more,
    }
    (folder / "study.yaml").write_text(json.dumps(content))
    return folder / "study.yaml"


def some_wrong() -> np.ndarray:
    """Labels of validation, a fifth of them by chance another."""
    rng = np.random.default_rng(2)
    return WORDS[(Y[HELD] + np.where(rng.random(len(HELD)) < 0.2, rng.integers(1, 10, len(HELD)), 0)) % 10]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> DiagnosisResult:
    """A candidate of another convention, one labelled by chance, a good one; of validation a fifth labelled wrong."""
    folder = tmp_path_factory.mktemp("digits")
    path = study(folder, {"swapped": SWAPPED, "careless": CARELESS, "good": GOOD}, some_wrong())
    return autodc.diagnose(autodc.load(path), out=folder / "page")


@pytest.mark.slow
def test_the_candidate_labelled_by_chance_is_named_and_no_other(planted: DiagnosisResult) -> None:
    training = planted.to_dict()["labels"]["training"]
    assert training["status"] == "found"
    assert [one["name"] for one in training["datasets"]] == ["base", "swapped", "careless", "good"]
    assert [one["name"] for one in training["datasets"] if one["by_chance"]] == ["careless"]
    assert [one["name"] for one in training["datasets"] if one["code"]] == ["careless"]


@pytest.mark.slow
def test_the_other_convention_is_told_with_the_line_that_mends_it(planted: DiagnosisResult) -> None:
    (one,) = [c for c in planted.to_dict()["labels"]["conventions"]["found"] if c["labels"]]
    assert (one["ours"], one["theirs"], one["of"]) == ("swapped", "base", "swapped")
    assert yaml.safe_load(one["yaml"]) == {"labels": {"d3": "d8", "d8": "d3"}}
    assert one["mapped"] > one["agreement"]


@pytest.mark.slow
def test_the_line_is_one_that_the_study_file_takes(planted: DiagnosisResult) -> None:
    folder = planted.page.parent.parent
    content = json.loads((folder / "study.yaml").read_text())
    (one,) = [c for c in planted.checks.labels["conventions"]["found"] if c["labels"]]
    content["data"]["candidates"][0] |= yaml.safe_load(one["yaml"])
    (folder / "mended.yaml").write_text(json.dumps(content))
    mended = autodc.diagnose(autodc.load(folder / "mended.yaml"), out=folder / "mended")
    assert not [c for c in mended.checks.labels["conventions"]["found"] if c["ours"] == "swapped"]


@pytest.mark.slow
def test_wrong_labels_of_validation_are_told_by_row(planted: DiagnosisResult) -> None:
    seen = planted.checks.labels["validation"]
    (judged,) = seen["datasets"]
    assert 0.1 < judged["scattered"] / judged["rows"] < 0.3
    wrong = some_wrong() != WORDS[Y[HELD]]
    sure = [one["row"] for one in seen["suspects"] if one["sure"]]
    assert len(sure) >= 15
    assert wrong[sure].mean() > 0.9, "rows are positions in validation"
    likely = [WORDS[Y[HELD]][one["row"]] == one["likely"] for one in seen["suspects"] if one["sure"]]
    assert np.mean(likely) > 0.8
    assert [one["sure"] for one in seen["suspects"]] == sorted((one["sure"] for one in seen["suspects"]), reverse=True)


@pytest.mark.slow
def test_the_page_shows_it_and_findings_stay_what_they_were(planted: DiagnosisResult) -> None:
    text = planted.page.read_text()
    assert "careless: labels are as if by chance" in text
    assert "labels: {d3: d8, d8: d3}" in text or "labels: {d8: d3, d3: d8}" in text
    assert "Rows of validation whose label is likely wrong" in text
    assert text.count("data:image/png") >= 5
    assert {one["code"] for one in planted.findings} <= {"ADC-D001", "ADC-D002"}
    json.dumps(planted.to_dict(), allow_nan=False)


@pytest.mark.slow
def test_the_terminal_tells_it_in_a_few_lines(planted: DiagnosisResult, capsys: pytest.CaptureFixture[str]) -> None:
    show_diagnosis(planted)
    said = capsys.readouterr().out
    told = " ".join(said[said.index("labels:") : said.index("page:")].split())
    assert "careless: labels are as if by chance" in told
    assert "swapped calls" in told
    assert "write below the candidate swapped `labels:" in told
    assert "are wrong at random; first row" in told


@pytest.mark.slow
def test_what_fails_is_a_note_and_the_rest_is_told(
    planted: DiagnosisResult, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*rows: Any, **more: Any) -> None:
        raise ZeroDivisionError("no rows")

    monkeypatch.setattr(sys.modules["autodc.diagnose.own_rows"], "cross_validated", broken)
    spec = autodc.load(planted.page.parent.parent / "study.yaml")
    found = autodc.diagnose(spec, out=tmp_path / "page")
    assert [("ADC-DIAG-016" in note, "ZeroDivisionError" in note) for note in found.notes] == [(True, True)] * 2
    assert found.checks.labels["training"] is None
    assert found.checks.labels["conventions"]["status"] == "found"
    assert found.views == planted.views


@pytest.mark.slow
def test_nothing_is_told_where_nothing_was_planted(tmp_path: Path) -> None:
    path = study(tmp_path, {"good": GOOD}, WORDS[Y[HELD]])
    found = autodc.diagnose(autodc.load(path), out=tmp_path / "page")
    told = found.to_dict()["labels"]
    assert [told[name]["status"] for name in ("validation", "training", "conventions")] == ["passed"] * 3
    assert label_words(told) == []
    assert 'id="labels"' not in found.page.read_text()
    assert found.notes == ()


@pytest.mark.slow
def test_quick_looks_at_no_training_rows(tmp_path: Path) -> None:
    path = study(tmp_path, {"careless": CARELESS}, WORDS[Y[HELD]])
    told = autodc.diagnose(autodc.load(path), out=tmp_path / "page", quick=True).to_dict()["labels"]
    assert (told["training"], told["conventions"]) == (None, None)
    assert told["validation"]["status"] == "passed"


@pytest.mark.slow
def test_of_the_census_only_the_careless_table_is_told(tmp_path: Path) -> None:
    content = yaml.safe_load(Path("configs/census/study.yaml").read_text())
    shutil.copytree("configs/census/data", tmp_path / "data")
    (tmp_path / "study.yaml").write_text(json.dumps({**content, "seed": 4}))
    whole = autodc.diagnose(autodc.load(tmp_path / "study.yaml"), out=tmp_path / "page", quick=True).checks.labels
    assert whole["validation"]["status"] == "passed"
    for seed in (4, 5):
        (tmp_path / "study.yaml").write_text(json.dumps({**content, "seed": seed}))
        checks = labels_of_night(read_inputs(autodc.load(tmp_path / "study.yaml")), None)
        (words,) = label_words(checks.labels)
        assert words.startswith("careless: labels are as if by chance")
        assert checks.labels["conventions"]["status"] == "passed"


@pytest.mark.slow
def test_of_numbers_that_are_right_nothing_is_said(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, rows in (("base", 300), ("validation", 400)):
        x = rng.normal(size=(rows, 3)).astype(np.float32)
        np.savez(
            tmp_path / f"{name}.npz", x=x, y=x.sum(axis=1) + rng.normal(0, 0.2, rows), hour=rng.integers(0, 24, rows)
        )
    content = {
        "schema_version": 1,
        "name": "numbers",
        "task": {"kind": "regression", "trainer": "sklearn", "options": {"estimator": "LinearRegression"}},
        "data": {"base": {"source": "base.npz"}, "validation": {"source": "validation.npz"}},
        "metrics": {"primary": "rmse"},
        "slices": [{"name": "overall", "role": "target"}],
        "tracking": {"uri": "none"},
    }
    (tmp_path / "study.yaml").write_text(json.dumps(content))
    found = autodc.diagnose(autodc.load(tmp_path / "study.yaml"), out=tmp_path / "page")
    told = found.to_dict()["labels"]
    assert [told[name]["status"] for name in ("validation", "training")] == ["passed", "passed"]
    assert told["conventions"]["reason"] == "targets are no classes"
    assert label_words(told) == []


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a slice on which every model is right, and one that is another by another name."""
    folder = tmp_path_factory.mktemp("run")
    slices = [
        {"name": "overall", "role": "target"},
        {"name": "zeros", "where": "few = 1", "role": "guard", "margin": 0.1},
        {"name": "again", "where": "number >= 0", "role": "guard", "margin": 0.1},
    ]
    path = study(
        folder,
        {"careless": CARELESS, "swapped": SWAPPED},
        WORDS[Y[HELD]],
        slices=slices,
        search_space={"C": {"type": "float", "low": 0.0001, "high": 10, "log": True}},
        loop={"rounds": 1},
        search={"trials_per_round": 24},
        budget={"trainings": 40},
    )
    autodc.run(autodc.load(path), INLINE, folder / "out")
    return folder / "out"


@pytest.mark.slow
def test_slices_of_a_run_that_tell_the_same_are_named(ran: Path) -> None:
    found = autodc.diagnose(ran)
    told = found.to_dict()["unit_tests"]
    assert told["models"] >= 20
    (group,) = told["together"]
    assert group["slices"][0] in ("again", "overall")
    assert {"again", "overall"} <= set(group["slices"])
    assert "Unit tests that tell nothing" in (ran / PAGE).read_text()
    assert [one["name"] for one in found.checks.labels["training"]["datasets"] if one["code"]] == ["careless"]
    quick = autodc.diagnose(ran, quick=True).to_dict()
    assert {"again", "overall"} <= set(quick["unit_tests"]["together"][0]["slices"])
    known = [found.checks.labels, quick["labels"]]
    assert len({json.dumps([one["training"]["datasets"], one["conventions"]]) for one in known}) == 1, "of the journal"


@pytest.mark.slow
def test_the_report_of_the_night_tells_labels_and_slices(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, content = (ran / "report" / "index.html").read_text(), json.loads((ran / "result.json").read_text())
    labels = text[text.index('<section id="labels">') :]
    assert "careless: labels are as if by chance" in labels
    assert "write below the candidate swapped <code>labels: {" in labels
    assert "always move together" in text[text.index('<section id="unit-tests">') :]
    assert [one["name"] for one in content["labels"]["training"]["datasets"] if one["code"]] == ["careless"]
    assert {"again", "overall"} <= set(content["unit_tests"]["together"][0]["slices"])
    assert content["spent"]["reading_seconds"] > 0
    looked = [bool(one.made.labels) for one in open_state(ran).diagnoses]
    assert looked == [True] + [False] * (len(looked) - 1), "rows that were looked at are not looked at again"
    show_why(views.why(open_state(ran), "careless"))
    assert "Labels: careless: labels are as if by chance" in capsys.readouterr().out
