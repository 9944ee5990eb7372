"""`autodc diagnose --curves --offer` trains on parts and says what more rows would do, and what an offer is worth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodc
from autodc.cli.show_findings import show_diagnosis
from autodc.errors import InputError
from autodc.verbs.diagnosed import DiagnosisResult
from autodc.verbs.sizes import offers_of
from autodc.wire.inputs import read_inputs

INLINE = autodc.MachineSpec(runner="inline")


def sensors(rows: int, seed: int, night_share: float) -> dict[str, Any]:
    """At night the sensor stands too high, which can be learned from rows of the night."""
    rng = np.random.default_rng(seed)
    night, signal = rng.random(rows) < night_share, rng.normal(size=rows)
    return {
        "x": np.c_[signal + 3 * night + rng.normal(0, 0.3, rows), night].astype(np.float32),
        "y": (signal > 0).astype(int),
        "hour": np.where(night, rng.integers(0, 5, rows), rng.integers(7, 20, rows)),
    }


def study(folder: Path, **more: Any) -> Path:
    np.savez(folder / "base.npz", **sensors(400, 1, 0.0))
    np.savez(folder / "nights.npz", **sensors(80, 3, 1.0))
    np.savez(folder / "validation.npz", **sensors(1500, 2, 0.3))
    content = {
        "schema_version": 1,
        "name": "nights",
        "task": {"kind": "classification", "trainer": "sklearn", "options": {"estimator": "LogisticRegression"}},
        "data": {
            "base": {"source": "base.npz"},
            "candidates": [{"name": "nights", "source": "nights.npz"}],
            "validation": {"source": "validation.npz"},
        },
        "metrics": {"primary": "accuracy"},
        "slices": [{"name": "overall", "role": "target"}, {"name": "night", "where": "hour < 6", "role": "target"}],
        "search": {"trials_per_round": 24},
        "loop": {"rounds": 1},
        "budget": {"trainings": 50},
        "tracking": {"uri": "none"},
        **more,
    }
    (folder / "study.yaml").write_text(json.dumps(content))
    return folder / "study.yaml"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> DiagnosisResult:
    folder = tmp_path_factory.mktemp("sizes")
    spec = autodc.load(study(folder))
    return autodc.diagnose(spec, out=folder / "page", quick=True, curves=True, offers=["nights=800"])


@pytest.mark.slow
def test_an_offer_is_told_at_full_size_from_a_sample(found: DiagnosisResult) -> None:
    (offer,) = found.to_dict()["more_rows"]["offers"]
    worth = offer["slices"]["night"]
    assert (offer["name"], worth["rows"], worth["sampled"]) == ("nights", 800, 80)
    assert worth["known"]
    assert worth["gain"]["low"] > 0.05
    assert worth["chance"] > 0.9
    assert worth["gain"]["mid"] > offer["slices"]["overall"]["gain"]["mid"]
    assert "nights at 800 rows, from trainings on 80 of them" in found.page.read_text()


@pytest.mark.slow
def test_what_more_of_the_base_would_do_is_told_of_slices_and_findings(
    found: DiagnosisResult, capsys: pytest.CaptureFixture[str]
) -> None:
    told = found.to_dict()
    (night,) = told["more_rows"]["slices"]["night"]
    assert (night["dataset"], night["now"], night["more"]) == ("base", 400, 400)
    assert [p["rows"] for p in night["points"]] == [50, 50, 100, 100, 200, 200, 400, 400]
    first = told["findings"][0]
    assert first["told"]["more_rows"][0]["dataset"] == "base"
    show_diagnosis(found)
    said = " ".join(capsys.readouterr().out.split())
    assert "more data:" in said
    assert "what more data would do: overall: " in said
    assert 'id="more-rows"' in found.page.read_text()
    json.dumps(told, allow_nan=False)


@pytest.mark.slow
def test_a_run_tells_it_from_its_trainings_in_result_page_and_verb(tmp_path: Path) -> None:
    autodc.run(autodc.load(study(tmp_path)), INLINE, tmp_path / "out")
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    (night,) = result["more_rows"]["night"]
    assert night["dataset"] == "nights"
    assert 'id="more-rows"' in (tmp_path / "out" / "report" / "index.html").read_text()
    told = autodc.diagnose(tmp_path / "out").to_dict()
    assert told["more_rows"]["slices"]["night"] == result["more_rows"]["night"]
    with pytest.raises(InputError, match="ADC-DIAG-060"):
        autodc.diagnose(tmp_path / "out", curves=True)


@pytest.mark.parametrize(
    ("said", "hint"), [("nigths=800", "did you mean nights"), ("nights", "nights=ROWS"), ("nights=3", "sample has 80")]
)
def test_an_offer_that_cannot_be_is_refused(tmp_path: Path, said: str, hint: str) -> None:
    with pytest.raises(InputError, match="ADC-DIAG-058") as caught:
        offers_of(read_inputs(autodc.load(study(tmp_path))), [said])
    assert hint in caught.value.hint


def test_curves_are_of_the_start_alone(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ADC-DIAG-060"):
        autodc.diagnose(autodc.load(study(tmp_path)), method="constant", curves=True)
