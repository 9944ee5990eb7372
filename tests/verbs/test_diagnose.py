"""`autodc diagnose` names what was planted, in a study file and in a run, and makes a finding a slice of the study."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodc
from autodc.adapters.journal import state_of
from autodc.errors import AutodcError, InputError
from autodc.verbs.diagnosed import DiagnosisResult

INLINE = autodc.MachineSpec(runner="inline")


def sensors(rows: int, seed: int, night_share: float, cold_share: float) -> dict[str, Any]:
    """At night a sensor stands too high, in the cold its signal is turned round; `noise` says nothing."""
    rng = np.random.default_rng(seed)
    night, cold = rng.random(rows) < night_share, rng.random(rows) < cold_share
    signal = rng.normal(size=rows)
    seen = np.where(cold, -signal, signal) + 2.5 * night + rng.normal(0, 0.15, rows)
    return {
        "x": np.column_stack([seen, rng.normal(size=rows)]).astype(np.float32),
        "y": (signal > 0).astype(int),
        "hour": np.where(night, rng.integers(0, 5, rows), rng.integers(7, 20, rows)),
        "heat": np.where(cold, rng.uniform(-20, -6, rows), rng.uniform(0, 30, rows)).round(1),
        "noise": rng.normal(size=rows).round(3),
    }


def study(folder: Path, **changes: Any) -> Path:
    (folder / "data").mkdir(parents=True, exist_ok=True)
    for name, arguments in {
        "base": (700, 1, 0.0, 0.0),
        "validation": (2500, 2, 0.2, 0.2),
        "test": (300, 3, 0.2, 0.2),
    }.items():
        np.savez(folder / "data" / f"{name}.npz", **sensors(*arguments))
    content: dict[str, Any] = {
        "schema_version": 1,
        "name": "sensors",
        "seed": 4,
        "task": {"kind": "classification", "trainer": "sklearn", "options": {"estimator": "LogisticRegression"}},
        "data": {name: {"source": f"data/{name}.npz"} for name in ("base", "validation", "test")},
        "metrics": {"primary": "accuracy"},
        "slices": [{"name": "overall", "role": "target"}],
        "search_space": {"C": {"type": "float", "low": 0.01, "high": 10, "log": True}},
        "loop": {"rounds": 1},
        "search": {"trials_per_round": 4},
        "budget": {"trainings": 20},
        "tracking": {"uri": "none"},
    }
    for key, value in changes.items():
        *above, last = key.split("__")
        place = content
        for step in above:
            place = place.setdefault(step, {})
        place[last] = value
    path = folder / "study.yaml"
    path.write_text(json.dumps(content))
    return path


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> DiagnosisResult:
    folder = tmp_path_factory.mktemp("sensors")
    return autodc.diagnose(autodc.load(study(folder)), out=folder / "page")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    autodc.run(autodc.load(study(folder)), INLINE, folder / "out")
    return folder / "out"


def confirmed(result: DiagnosisResult) -> list[str]:
    return [str(one["rule"]) for one in result.findings if one["status"] == "confirmed"]


def test_both_planted_conditions_are_confirmed_and_nothing_that_says_nothing_is(found: DiagnosisResult) -> None:
    rules = confirmed(found)
    assert any("hour" in rule for rule in rules[:3])
    assert any("heat" in rule for rule in rules[:3])
    assert not any("noise" in rule for rule in rules)
    for one in found.findings:
        error = one["error"]
        assert error["low"] <= error["difference"] <= error["high"]
        assert (error["low"] > 0) == (one["status"] == "confirmed")
    causes = {one["causes"][0]["attribute"] for one in found.findings if one["status"] == "confirmed"}
    assert causes == {"hour", "heat"}


def test_the_page_tells_it_and_nothing_else_is_left(found: DiagnosisResult) -> None:
    text = found.page.read_text()
    assert text.rstrip().endswith("</html>")
    assert found.views[0]["words"] in text
    assert "Rows that fail, the worst first" in text
    assert "<script" not in text
    assert sorted(p.name for p in found.page.parent.iterdir()) == ["index.html"]
    assert not (found.page.parent.parent / "runs").exists()


def test_the_same_again_finds_the_same_and_the_loop_begins_with_it(found: DiagnosisResult, ran: Path) -> None:
    first = [one for one in json.loads((ran / "result.json").read_text())["findings"] if one["round"] == 1]
    assert [(one["rule"], one["error"]) for one in first[: len(found.findings)]] == [
        (one["rule"], one["error"]) for one in found.findings
    ]


@pytest.mark.slow
def test_a_run_tells_the_findings_of_its_incumbent_without_a_training(ran: Path) -> None:
    state = state_of(ran)
    result = autodc.diagnose(ran)
    assert state.diagnosed(state.incumbent) is not None
    assert {str(one["id"]) for one in result.findings} <= set(state.findings)
    assert len(state_of(ran).trials) == len(state.trials)
    assert result.page == ran.absolute() / "diagnosis" / "index.html"
    assert "autodc diagnose" in result.page.read_text()


@pytest.mark.slow
def test_what_is_lost_of_the_predictions_is_predicted_again(ran: Path, tmp_path: Path) -> None:
    """A run of before diagnosis, or one whose stored predictions are gone, has its model."""
    copy = tmp_path / "out"
    spec = autodc.load(study(tmp_path, loop__findings=0))
    autodc.run(spec, INLINE, copy)
    state = state_of(copy)
    assert not state.diagnoses
    for file in (copy / "outcomes").rglob(f"{state.outputs[state.incumbent]}*"):
        file.unlink()
    assert confirmed(autodc.diagnose(copy)) == confirmed(autodc.diagnose(ran))
    assert state_of(copy).diagnoses[0].made.trial is None


@pytest.mark.slow
def test_a_confirmed_finding_becomes_a_target_slice(ran: Path, tmp_path: Path) -> None:
    copy = tmp_path / "out"
    shutil.copytree(ran, copy)
    name = next(str(one["id"]) for one in autodc.diagnose(copy).findings if one["status"] == "confirmed")
    result = autodc.diagnose(copy, promote=name)
    assert "objective is the weighted mean of overall and " + name in result.promoted
    assert "loop.rounds=2" in result.promoted
    state = state_of(copy)
    assert [(one.name, one.rule["role"]) for one in state.admitted] == [(name, "target")]
    content = json.loads((copy / "result.json").read_text())
    assert content["validation"]["after"][name] < content["validation"]["after"]["overall"]
    recommended = content["recommendation"]
    assert recommended is None or abs(recommended["optimism"]["validation"]) < 0.1
    with pytest.raises(InputError, match=f"{name} is a slice of this study already") as caught:
        autodc.diagnose(copy, promote=name)
    assert caught.value.code == "ADC-RUN-090"
    assert len(state_of(copy).admitted) == 1


@pytest.mark.slow
def test_a_finding_whose_name_a_slice_has_is_called_a_finding(tmp_path: Path) -> None:
    taken = [{"name": name, "role": "target"} for name in ("overall", "F5", "F6", "F7")]
    autodc.run(autodc.load(study(tmp_path, slices=taken)), INLINE, tmp_path / "out")
    name = next(
        str(one["id"]) for one in autodc.diagnose(tmp_path / "out", quick=True).findings if one["status"] == "confirmed"
    )
    result = autodc.diagnose(tmp_path / "out", promote=name)
    assert [one.name for one in state_of(tmp_path / "out").admitted] == [f"{name}_finding"]
    assert f"{name} is a target slice of the study now, called {name}_finding: " in result.promoted
    with pytest.raises(InputError, match=f"{name} is a slice of this study already"):
        autodc.diagnose(tmp_path / "out", promote=name)


@pytest.mark.slow
def test_a_finding_that_the_test_set_cannot_be_cut_by_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    path = study(tmp_path)
    arrays = dict(np.load(tmp_path / "data" / "test.npz"))
    np.savez(tmp_path / "data" / "test.npz", **{name: values for name, values in arrays.items() if name != "heat"})
    out = tmp_path / "out"
    autodc.run(autodc.load(path), INLINE, out)
    sure = {str(one["id"]): str(one["rule"]) for one in autodc.diagnose(out).findings if one["status"] == "confirmed"}
    by_heat = next(name for name, rule in sure.items() if "heat" in rule)
    with pytest.raises(InputError) as caught:
        autodc.diagnose(out, promote=by_heat)
    assert caught.value.code == "ADC-DIAG-015"
    assert "names no column: `heat`" in caught.value.got
    assert not state_of(out).admitted
    with autodc.Study.open(autodc.load(path), out) as by_hand:
        with pytest.raises(InputError) as caught:
            by_hand.admit_slice("cold", "heat < 0 AND target = 1")
        assert caught.value.code == "ADC-DIAG-015"
        assert not state_of(out).admitted
        with pytest.raises(AutodcError) as other:
            by_hand.admit_slice("odd", "heet < 0")
        assert other.value.code == "ADC-DATA-031"
        by_hand.admit_slice("ones", "hour < 5 AND target = 1", role="guard", margin=0.5)
    assert [one.name for one in state_of(out).admitted] == ["ones"]
    autodc.diagnose(out, promote=next(name for name, rule in sure.items() if "heat" not in rule))
    assert len(state_of(out).admitted) == 2


@pytest.mark.slow
def test_a_method_is_diagnosed_on_a_study(ran: Path, tmp_path: Path) -> None:
    spec = autodc.load(ran.parent / "study.yaml")
    by_run = autodc.diagnose(spec, out=tmp_path / "a", method=str(ran))
    assert confirmed(by_run) == confirmed(autodc.diagnose(ran))
    secret = tmp_path / "me?token=hidden.py"
    secret.write_text("import numpy as np\nclass M:\n    def predict(self, x):\n        return np.ones((len(x), 2))\n")
    told = autodc.diagnose(spec, out=tmp_path / "c", method=f"{secret}:M", quick=True)
    assert "token=***" in told.model
    assert "hidden" not in json.dumps(told.to_dict()) + told.page.read_text()
    always = autodc.diagnose(spec, out=tmp_path / "b", method="constant")
    assert always.model == "constant"
    assert always.rows == by_run.rows
    assert not any(one["status"] == "confirmed" for one in always.findings), "its class alone says where it errs"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"data__explore_share": 0}, "ADC-DIAG-001"),
        ({"data__explore_share": 0.012}, "ADC-DIAG-002"),
        ({"task__options": {"estimator": "LogisticRegression", "params": {"max_iter": -5}}}, "ADC-DIAG-011"),
    ],
)
def test_what_cannot_be_diagnosed_is_told_in_one_message(tmp_path: Path, change: dict[str, Any], code: str) -> None:
    with pytest.raises(AutodcError) as caught:
        autodc.diagnose(autodc.load(study(tmp_path, **change)), out=tmp_path / "page")
    assert caught.value.code == code
    assert not (tmp_path / "page").exists()


@pytest.mark.slow
def test_a_study_that_cannot_be_diagnosed_goes_on_and_says_so(tmp_path: Path) -> None:
    path = study(tmp_path, data__explore_share=0.012)
    content = autodc.run(autodc.load(path), INLINE, tmp_path / "out").to_dict()
    assert content["finished"]
    assert content["findings"] == []
    assert "too few rows are set apart for diagnosis" in (tmp_path / "out/report/index.html").read_text()
    (note,) = state_of(tmp_path / "out").diagnoses[0].made.notes
    assert note["got"].startswith("too few rows are set apart for diagnosis: ")
    assert "explore rows in" in note["got"]


def test_wrong_questions_are_refused(found: DiagnosisResult, ran: Path, tmp_path: Path) -> None:
    spec = autodc.load(ran.parent / "study.yaml")
    suspected = [n for n, one in state_of(ran).findings.items() if one.status == "suspected"]
    cases = [
        (lambda: autodc.diagnose(ran, promote="F999"), "ADC-DIAG-006"),
        (lambda: autodc.diagnose(ran, promote=suspected[0]), "ADC-DIAG-007"),
        (lambda: autodc.diagnose(spec, promote="F1"), "ADC-DIAG-013"),
        (lambda: autodc.diagnose(ran, method="constant"), "ADC-DIAG-014"),
        (lambda: autodc.diagnose(tmp_path), "ADC-RUN-005"),
        (lambda: autodc.diagnose(spec, method="no/such/thing", out=tmp_path), "ADC-DIAG-012"),
    ]
    for ask, code in cases:
        with pytest.raises(AutodcError) as caught:
            ask()
        assert caught.value.code == code


def test_data_that_changed_since_are_told(ran: Path, tmp_path: Path) -> None:
    shutil.copytree(ran.parent, tmp_path / "all")
    out = tmp_path / "all" / "out"
    state = state_of(out)
    assert state.folder == str(ran.parent)
    name = next(n for n, one in state.findings.items() if one.status == "confirmed")
    np.savez(ran.parent / "data" / "validation.npz", **sensors(2500, 9, 0.2, 0.2))
    try:
        with pytest.raises(AutodcError) as caught:
            autodc.diagnose(out, promote=name)
        known = autodc.diagnose(out)
    finally:
        np.savez(ran.parent / "data" / "validation.npz", **sensors(2500, 2, 0.2, 0.2))
    assert caught.value.code == "ADC-DIAG-010"
    assert confirmed(known), "what the journal has is told all the same"
    assert ["ADC-DIAG-010" in note for note in known.notes] == [True]


def test_the_call_and_the_room_of_one_name_live_together() -> None:
    from autodc.diagnose.view import View

    assert View.__module__ == "autodc.diagnose.view"
    assert callable(autodc.diagnose)


OWN_FINDER = """
from autodc.diagnose.finder import Suspicion
from autodc.diagnose.rule import Among, Range, Rule

class Night:
    name = "night"

    def find(self, view, k, seed):
        rule = Rule((Range(attribute="hour", high=5.5), Among(attribute="target", values=(0,))))
        return [Suspicion(rule=rule, score=1.0, by=self.name)][:k]

class Broken:
    name = "broken"

    def find(self, view, k, seed):
        return [view.attributes["depth"]]
"""


def test_a_finder_of_the_users_own_looks_too_and_one_that_raises_is_told(ran: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN_FINDER)
    spec = autodc.load(ran.parent / "study.yaml")
    asked = [f"{tmp_path / 'mine.py'}:{name}" for name in ("Broken", "Night")]
    found = autodc.diagnose(spec, out=tmp_path / "page", method="constant", quick=True, finders=asked)
    (note,) = (one for one in found.notes if "ADC-DIAG-021" in one)
    assert "broken: " in note
    assert "mine.py:16: KeyError: 'depth'" in note
    with pytest.raises(AutodcError) as caught:
        autodc.diagnose(spec, out=tmp_path / "none", method="constant", finders=["nobody"])
    assert caught.value.code == "ADC-DIAG-024"
    assert not (tmp_path / "none").exists()


@pytest.mark.slow
def test_what_a_users_own_finder_found_in_a_run_is_promoted_though_the_labels_of_the_test_set_are_sealed(
    ran: Path, tmp_path: Path
) -> None:
    """A rule that names the class is a slice as any other."""
    copy = tmp_path / "out"
    shutil.copytree(ran, copy)
    (tmp_path / "mine.py").write_text(OWN_FINDER)
    before = state_of(copy)
    found = autodc.diagnose(copy, quick=True, finders=[f"{tmp_path / 'mine.py'}:Night"])
    assert len(state_of(copy).trials) == len(before.trials)
    assert not set(before.findings) & {str(one["id"]) for one in found.findings}
    named = [one for one in found.findings if "target" in one["rule"] and one["status"] == "confirmed"]
    assert named
    assert {str(value) for one in named for value in one["told"]["unlabelled"]["predicted"]} <= {"0", "1"}
    assert "by what is predicted" in found.page.read_text()
    name = str(named[0]["id"])
    autodc.diagnose(copy, promote=name)
    assert [(one.name, one.rule["where"]) for one in state_of(copy).admitted] == [(name, named[0]["rule"])]
