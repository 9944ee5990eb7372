"""Any method on every slice, as a person and a program use it: values, costs, pictures, and one held to another."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_digits, load_wine
from sklearn.metrics import accuracy_score, r2_score

import autodc
from autodc.errors import InputError
from autodc.verbs.evaluate import EvaluationResult

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


def study(folder: Path, kind: str, metric: str, slices: list[dict[str, Any]], **data: Any) -> autodc.StudySpec:
    """A study whose data lie in a folder as NPZ, unless `data` names other sources."""
    estimator = "GaussianNB" if kind == "classification" else "Ridge"
    trainer = {"trainer": "sklearn", "options": {"estimator": estimator}}
    if kind in ("custom", "image_to_image"):
        trainer = {"trainer": "command", "options": {"argv": ["python", "train.py", "{job}"]}}
        (folder / "train.py").write_text("")
    sources = {"base": {"source": "base.npz"}, "validation": {"source": "validation.npz"}} | data
    written = {
        "schema_version": 1,
        "name": "night",
        "seed": 3,
        "task": {"kind": kind, **trainer},
        "data": sources,
        "metrics": {"primary": metric},
        "slices": slices,
        "tracking": {"uri": "none"},
    }
    (folder / "study.yaml").write_text(json.dumps(written))
    return autodc.load(folder / "study.yaml")


def evaluated(spec: autodc.StudySpec, method: str, against: str | None = None, **more: Any) -> EvaluationResult:
    out = Path(spec.folder) / f"out-{abs(hash((method, against)))}"
    return autodc.evaluate(spec, method, against, **{"out": out, "threads": 1, **more})


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


@pytest.mark.slow(seconds=1)
def test_several_outputs_and_a_metric_that_is_no_mean(tmp_path: Path) -> None:
    x, y = load_diabetes(return_X_y=True)
    both = np.stack([y, y**0.5], axis=1)
    np.savez(tmp_path / "base.npz", x=x[:200], y=both[:200], male=x[:200, 1] > 0)
    np.savez(tmp_path / "validation.npz", x=x[200:], y=both[200:], male=x[200:, 1] > 0)
    (tmp_path / "rule.py").write_text(
        "import numpy as np\n"
        "class Rule:\n"
        "    def predict(self, x):\n"
        "        one = 150 + 900 * x[:, 2] + 500 * x[:, 8]\n"
        "        return np.stack([one, np.clip(one, 1, None) ** 0.5], axis=1)\n"
    )
    slices = [{"name": "overall", "role": "target"}, {"name": "men", "where": "male", "role": "target"}]
    found = evaluated(study(tmp_path, "regression", "r2", slices), "rule.py:Rule", "constant").to_dict()
    one = 150 + 900 * x[200:, 2] + 500 * x[200:, 8]
    told = np.stack([one, np.clip(one, 1, None) ** 0.5], axis=1)
    men = x[200:, 1] > 0
    assert found["slices"]["overall"]["value"] == pytest.approx(r2_score(both[200:], told))
    assert found["slices"]["men"]["value"] == pytest.approx(r2_score(both[200:][men], told[men]))
    assert found["against"]["differences"]["overall"]["standing"] == "better"
    assert ", " in (tmp_path / found["page"]).read_text().split("most ahead")[1]


@pytest.mark.slow(seconds=1)
def test_a_metric_of_ones_own_on_a_table(tmp_path: Path) -> None:
    wine = load_wine(as_frame=True).frame.sample(frac=1, random_state=0)
    wine["target"] = wine["target"].map({0: "barolo", 1: "grignolino", 2: "barbera"})
    wine[:80].to_csv(tmp_path / "base.csv", index=False)
    wine[80:].to_csv(tmp_path / "validation.csv", index=False)
    (tmp_path / "own.py").write_text(
        "import numpy as np\n"
        "class Missed:\n"
        "    better = 'lower'\n"
        "    def value(self, outputs, targets):\n"
        "        return float(np.mean(outputs.argmax(axis=1) != targets))\n"
        "class Rule:\n"
        "    def predict(self, x):\n"
        "        frame = x.frame()\n"
        "        small = np.where(frame['hue'] < 0.8, 'barbera', 'grignolino')\n"
        "        return np.where(frame['proline'] > 750, 'barolo', small)\n"
    )
    options = {"options": {"target": "target"}}
    spec = study(
        tmp_path,
        "classification",
        "own.py:Missed",
        [{"name": "overall", "role": "target"}],
        base={"source": "base.csv", **options},
        validation={"source": "validation.csv", **options},
    )
    found = evaluated(spec, "own.py:Rule", "constant")
    rows = wine[80:]
    rule = np.where(rows["proline"] > 750, "barolo", np.where(rows["hue"] < 0.8, "barbera", "grignolino"))
    one = found.to_dict()["slices"]["overall"]
    assert one["value"] == pytest.approx(np.mean(rule != rows["target"]))
    assert one["low"] <= one["value"] <= one["high"]
    assert found.regressions == ()
    assert "malic_acid" in found.page.read_text()


@pytest.mark.slow(seconds=1)
def test_texts_stand_beside_what_both_say(tmp_path: Path) -> None:
    reviews = Path(__file__).resolve().parents[2] / "configs/reviews/data"
    options = {"options": {"text": "text", "target": "label"}}
    pd.read_json(reviews / "base.jsonl", lines=True)[:150].to_json(
        tmp_path / "base.jsonl", orient="records", lines=True
    )
    pd.read_parquet(reviews / "validation.parquet")[:300].to_parquet(tmp_path / "validation.parquet")
    labels = sorted(pd.read_parquet(tmp_path / "validation.parquet")["label"].unique().tolist())
    (tmp_path / "words.py").write_text(
        "import numpy as np\n"
        "GOOD = ('good', 'great', 'best', 'well', 'love', 'enjoy', 'easy', 'fun')\n"
        "class Words:\n"
        "    def predict(self, x):\n"
        "        good = np.array([any(w in t.lower() for w in GOOD) for t in x.texts()], float)\n"
        "        return np.stack([1 - good, good], 1) * 0.8 + 0.1\n"
    )
    spec = study(
        tmp_path,
        "classification",
        "roc_auc",
        [{"name": "overall", "role": "target"}],
        base={"source": "base.jsonl", **options},
        validation={"source": "validation.parquet", **options},
    )
    found = evaluated(spec, "words.py:Words", "constant")
    assert len(labels) == 2
    assert found.page.read_text().count("<blockquote>") >= 8
    assert found.to_dict()["against"]["slices"]["overall"]["value"] == 0.5


@pytest.mark.slow(seconds=1)
def test_images_of_both_stand_beside_the_truth(tmp_path: Path) -> None:
    clean = DIGITS.images[:400] / 16
    rng = np.random.default_rng(0)
    noisy = np.clip(clean + (rng.random(clean.shape) < 0.1) * rng.choice([-1, 1], clean.shape), 0, 1)
    np.savez(tmp_path / "base.npz", x=noisy[:100], y=clean[:100])
    np.savez(tmp_path / "validation.npz", x=noisy[100:], y=clean[100:])
    (tmp_path / "filters.py").write_text(
        "from scipy.ndimage import gaussian_filter\n"
        "class Nothing:\n"
        "    def predict(self, x): return x\n"
        "class Blur:\n"
        "    def predict(self, x): return gaussian_filter(x, (0, 1, 1))\n"
    )
    spec = study(tmp_path, "image_to_image", "psnr", [{"name": "overall", "role": "target"}])
    found = evaluated(spec, "filters.py:Blur", "filters.py:Nothing")
    page = found.page.read_text()
    for name in ("input", "truth", "output", "output of the other", "error", "error of the other"):
        assert f'alt="{name} of row' in page
    assert found.to_dict()["slices"]["overall"]["value"] > 5


@pytest.mark.slow(seconds=1)
def test_any_json_is_scored_by_a_metric_that_understands_it(tmp_path: Path) -> None:
    rows = [{"x1": k, "x2": k % 7, "target": {"boxes": [k % 7]}} for k in range(200)]
    for name, some in (("base", rows[:80]), ("validation", rows[80:])):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in some))
    (tmp_path / "boxes.py").write_text(
        "import numpy as np\n"
        "class Found:\n"
        "    better = 'higher'\n"
        "    def value(self, outputs, targets): return float(np.mean(self.rows(outputs, targets)))\n"
        "    def rows(self, outputs, targets): return np.array([float(o == t) for o, t in zip(outputs, targets)])\n"
        "class Finder:\n"
        "    def predict(self, x): return [{'boxes': [int(v)]} for v in x.frame()['x2']]\n"
    )
    options = {"options": {"target": "target"}}
    spec = study(
        tmp_path,
        "custom",
        "boxes.py:Found",
        [{"name": "overall", "role": "target"}],
        base={"source": "base.jsonl", **options},
        validation={"source": "validation.jsonl", **options},
    )
    found = evaluated(spec, "boxes.py:Finder", "constant").to_dict()
    assert found["slices"]["overall"]["value"] == 1.0
    assert found["against"]["improvements"] == ["overall"]
