"""Any method on every slice, as a person and a program use it: values, costs, and one held to another."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score

import autodc
from autodc.errors import InputError
from autodc.verbs.evaluate import EvaluationResult
from tests.verbs.evaluated import evaluated, study

DIGITS = load_digits()
MINE = """
import time
from pathlib import Path
import numpy as np

class Centroids:
    '''The class whose mean picture is nearest.'''

    def __init__(self):
        self.means = np.load(Path(__file__).with_name("means.npy"))

    def predict(self, x):
        away = ((np.asarray(x, float).reshape(len(x), 1, -1) - self.means) ** 2).sum(axis=2)
        return -away / 200

class Labels(Centroids):
    def predict(self, x):
        return super().predict(x).argmax(axis=1)

class Careless(Centroids):
    '''Takes what is dark for a nought.'''

    def predict(self, x):
        scores = super().predict(x)
        scores[np.asarray(x).mean(axis=(1, 2)) > 5.5, 0] += 99
        return scores

class Raises:
    def predict(self, x):
        raise ValueError(f"never seen {x.shape[1:]}")

class NotFinite(Centroids):
    def predict(self, x):
        return super().predict(x) * np.nan

class Short(Centroids):
    def predict(self, x):
        return super().predict(x)[:-1]

class Narrow(Centroids):
    def predict(self, x):
        return super().predict(x)[:, :3]

class Hangs(Centroids):
    def predict(self, x):
        time.sleep(600)
"""


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> autodc.StudySpec:
    folder = tmp_path_factory.mktemp("digits")
    order = np.random.default_rng(0).permutation(len(DIGITS.target))
    hour = np.random.default_rng(1).integers(0, 24, len(order))
    for name, rows in (("base", order[:400]), ("validation", order[400:1200]), ("glasses", order[1200:1300])):
        np.savez(folder / f"{name}.npz", x=DIGITS.images[rows], y=DIGITS.target[rows], hour=hour[rows])
    flat = DIGITS.images[order[:400]].reshape(400, -1)
    labels = DIGITS.target[order[:400]]
    np.save(folder / "means.npy", [flat[labels == k].mean(axis=0) for k in range(10)])
    (folder / "mine.py").write_text(MINE)
    slices = [
        {"name": "overall", "role": "target"},
        {"name": "night", "where": "hour < 8", "role": "guard", "margin": 0.02},
        {"name": "glasses", "source": "glasses.npz", "role": "target"},
        {"name": "rare", "where": "hour = 3 AND target = 3", "role": "guard", "margin": 0.5},
    ]
    return study(folder, "classification", "accuracy", slices)


@pytest.fixture(scope="module")
def careless(digits: autodc.StudySpec) -> EvaluationResult:
    return evaluated(digits, "mine.py:Careless", "mine.py:Centroids", junit_file=Path(digits.folder) / "junit.xml")


def rows_of(spec: autodc.StudySpec, name: str) -> Any:
    return np.load(Path(spec.folder) / f"{name}.npz")


@pytest.mark.slow(seconds=1)
def test_every_row_is_predicted_once_and_scored_as_others_score_it(
    digits: autodc.StudySpec, careless: EvaluationResult
) -> None:
    found, held = careless.to_dict()["against"], rows_of(digits, "validation")
    means = np.load(Path(digits.folder) / "means.npy")

    def right(rows: Any) -> Any:
        return ((rows["x"].reshape(len(rows["y"]), 1, -1) - means) ** 2).sum(axis=2).argmin(axis=1) == rows["y"]

    hits = right(held)
    assert found["slices"]["overall"]["value"] == hits.mean()
    assert found["slices"]["night"]["value"] == pytest.approx(hits[held["hour"] < 8].mean())
    assert found["slices"]["glasses"]["value"] == pytest.approx(right(rows_of(digits, "glasses")).mean())
    assert found["slices"]["overall"]["rows"] == 800
    assert all(one["low"] <= one["value"] <= one["high"] for one in found["slices"].values())
    majority = np.bincount(rows_of(digits, "base")["y"]).argmax()
    assert careless.to_dict()["baselines"]["constant"]["overall"] == accuracy_score(
        held["y"], np.full(len(hits), majority)
    )


@pytest.mark.slow(seconds=1)
def test_a_method_that_is_clearly_worse_is_a_regression_in_every_form(
    digits: autodc.StudySpec, careless: EvaluationResult
) -> None:
    found = careless.to_dict()
    assert set(careless.regressions) == {"overall", "night", "glasses", "objective"}
    assert found["against"]["differences"]["overall"]["high"] < 0
    assert found["against"]["differences"]["rare"]["standing"] == "no evidence"
    assert any("rare" in note for note in found["notes"])
    assert json.loads((careless.page.parent / "evaluation.json").read_text()) == json.loads(json.dumps(found))
    suite = ElementTree.parse(Path(digits.folder) / "junit.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("5", "4", "1")


@pytest.mark.slow(seconds=1)
def test_costs_are_measured_and_the_page_is_whole_and_loads_nothing(careless: EvaluationResult) -> None:
    costs = careless.to_dict()["tradeoffs"]
    assert 0 < costs["predict_ms"] < 1000
    assert costs["row_ms"]["p50"] <= costs["row_ms"]["p95"] <= costs["row_ms"]["p99"]
    assert costs["batch_ms"]["rows"] == 512
    assert costs["memory_mb"] > 20
    assert costs["model_mb"] is None
    page = careless.page.read_text(encoding="utf-8")
    assert "A regression is shown on" in page
    assert page.count("data:image/png;base64,") >= 12
    assert not re.findall(r"<script|https?://|src=\"(?!data:)", page)
    assert "Rows on which it is most behind the other" in page


@pytest.mark.slow(seconds=1)
def test_labels_are_as_good_as_scores_and_a_method_is_no_regression_of_itself(digits: autodc.StudySpec) -> None:
    found = evaluated(digits, "mine.py:Labels", "mine.py:Centroids")
    content = found.to_dict()
    assert content["slices"]["overall"]["value"] == content["against"]["slices"]["overall"]["value"]
    assert found.regressions == ()
    assert {one["standing"] for one in content["against"]["differences"].values()} == {"open", "held", "no evidence"}
    assert any("labels" in note for note in content["notes"])


@pytest.mark.slow(seconds=1)
def test_better_than_the_other_is_told_and_no_regression(digits: autodc.StudySpec) -> None:
    found = evaluated(digits, "mine.py:Centroids", "constant")
    assert found.regressions == ()
    assert "overall" in found.to_dict()["against"]["improvements"]
    assert found.to_dict()["against"]["tradeoffs"]["model_mb"] == 0


NOWHERE = [
    ("mine.py:Centroid", "ADC-TRAIN-021", "did you mean mine.py:Centroids"),
    ("min.py:Centroids", "ADC-TRAIN-020", "mine.py"),
    ("constnat", "ADC-METHOD-003", "did you mean constant"),
    ("nowhere/at/all", "ADC-METHOD-003", "a run folder"),
]
FAILS = [
    ("mine.py:Raises", "ADC-EVAL-002", "never seen"),
    ("mine.py:NotFinite", "ADC-EVAL-002", "NaN or infinity in 800 rows"),
    ("mine.py:Short", "ADC-EVAL-002", "ADC-TRAIN-004"),
    ("mine.py:Narrow", "ADC-EVAL-002", "(800, 3)"),
]


@pytest.mark.parametrize(
    ("method", "code", "words"), [*NOWHERE, *(pytest.param(*one, marks=pytest.mark.slow(seconds=1)) for one in FAILS)]
)
def test_a_method_that_cannot_be_evaluated_says_why_and_leaves_nothing(
    digits: autodc.StudySpec, tmp_path: Path, method: str, code: str, words: str
) -> None:
    with pytest.raises(InputError) as told:
        evaluated(digits, method, out=tmp_path / "out", junit_file=tmp_path / "junit.xml")
    assert told.value.code == code
    assert words in str(told.value)
    assert told.value.place == "--method"
    assert not list(tmp_path.iterdir())


@pytest.mark.slow(seconds=2)
def test_a_limit_of_the_study_that_is_broken_by_far_is_a_regression(digits: autodc.StudySpec) -> None:
    (Path(digits.folder) / "slow.py").write_text(
        f"{MINE}\n"
        "class Slow(Centroids):\n"
        "    def predict(self, x):\n"
        "        for _ in range(20): super().predict(x)\n"
        "        return super().predict(x)\n"
    )
    metrics = digits.metrics.model_copy(update={"limits": {"predict_ms": 3.0}})
    found = evaluated(digits.model_copy(update={"metrics": metrics}), "slow.py:Slow", "mine.py:Centroids")
    assert found.regressions == ("predict_ms",)
    assert found.to_dict()["against"]["limits"]["predict_ms"]["again"] > 3


@pytest.mark.slow(seconds=4)
def test_a_method_that_hangs_is_ended(digits: autodc.StudySpec) -> None:
    with pytest.raises(InputError, match=r"longer than 0\.5 s"):
        evaluated(digits, "mine.py:Hangs", timeout=0.5)


@pytest.mark.parametrize(("option", "value"), [("timeout", 0.0), ("threads", 0)])
def test_limits_are_above_nothing(digits: autodc.StudySpec, option: str, value: float) -> None:
    with pytest.raises(InputError, match="ADC-EVAL-005"):
        evaluated(digits, "constant", **{option: value})


@pytest.mark.slow(seconds=2)
def test_a_program_is_a_method(digits: autodc.StudySpec) -> None:
    (Path(digits.folder) / "predict.py").write_text(
        "import json, sys\nimport numpy as np\njob = json.load(open(sys.argv[1]))\n"
        "means = np.load('means.npy')\n"
        "for part in job['predict']:\n"
        "    x = np.load(part['path'])['x']\n"
        "    away = ((x.reshape(len(x), 1, -1) - means) ** 2).sum(axis=2)\n"
        "    np.savez(f\"{job['out']}/predictions-{part['name']}.npz\", outputs=-away / 200)\n"
    )
    program = f"{sys.executable} predict.py {{job}}"
    found = evaluated(digits, program, "mine.py:Centroids").to_dict()
    assert found["slices"]["overall"]["value"] == found["against"]["slices"]["overall"]["value"]
    assert found["tradeoffs"]["row_ms"] is None
    assert found["tradeoffs"]["memory_mb"] > 10
