"""Methods of every kind of task and of data: several outputs, tables, texts, images, JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_digits, load_wine
from sklearn.metrics import r2_score

from tests.verbs.evaluated import evaluated, study

DIGITS = load_digits()


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
