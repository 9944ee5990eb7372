"""On pictures, a table, and text of real rows with a condition that the base lacks, the first findings name it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

import autodc
from autodc.verbs.diagnosed import DiagnosisResult

CONFIGS = Path(autodc.__file__).parents[1] / "configs"


def study(folder: Path, sources: Mapping[str, Any], **more: Any) -> autodc.StudySpec:
    content = {
        "schema_version": 1,
        "name": folder.name,
        "seed": 3,
        "data": {**sources, "explore_share": 0.5},
        "metrics": {"primary": "accuracy"},
        "slices": [{"name": "overall", "role": "target"}],
        "tracking": {"uri": "none"},
        **more,
    }
    (folder / "study.yaml").write_text(json.dumps(content))
    return autodc.load(str(folder / "study.yaml"))


def confirmed(result: DiagnosisResult) -> list[Any]:
    return [one for one in result.findings if one["status"] == "confirmed"]


def page(result: DiagnosisResult) -> str:
    return result.page.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> DiagnosisResult:
    """Handwritten digits; some of validation are grainy, as none of the base is. Only the pixels tell it."""
    folder = tmp_path_factory.mktemp("digits")
    x, y = load_digits(return_X_y=True)
    pictures = x.reshape(-1, 8, 8).astype(np.float32) / 16
    rng = np.random.default_rng(0)
    order = rng.permutation(len(y))
    base, held = order[:700], order[700:]
    grainy = rng.random(len(held)) < 0.25
    seen = pictures[held] + grainy[:, None, None] * rng.normal(0, 0.45, (len(held), 8, 8)).astype(np.float32)
    np.savez(folder / "base.npz", x=pictures[base], y=y[base])
    np.savez(folder / "validation.npz", x=seen.clip(0, 1), y=y[held], sheet=rng.integers(0, 9, len(held)))
    spec = study(
        folder,
        {name: {"source": f"{name}.npz"} for name in ("base", "validation")},
        task={"kind": "classification", "trainer": "sklearn", "options": {"estimator": "LogisticRegression"}},
    )
    return autodc.diagnose(spec, out=folder / "page")


@pytest.mark.slow
def test_digits_name_the_grainy_ones_and_show_them(digits: DiagnosisResult) -> None:
    first = confirmed(digits)[0]
    assert any(
        name in first["rule"] for name in ("object_share", "noise", "sharpness", "edges", "dark_share", "background")
    )
    assert not any("sheet" in one["rule"] for one in confirmed(digits))
    text = page(digits)
    assert text.count('src="data:image/png;base64,') >= 12
    assert "Rows of the same classes that pass elsewhere" in text
    near = first["told"]["counterfactuals"]
    assert near["found"] >= near["tried"] / 2
    assert near["shifts"][0]["low"] * near["shifts"][0]["high"] > 0
    assert "What would have to be different" in text


@pytest.fixture(scope="module")
def census(tmp_path_factory: pytest.TempPathFactory) -> DiagnosisResult:
    """Earnings of the US census; in the commonest occupation all labels were turned round after the base was taken."""
    folder = tmp_path_factory.mktemp("census")
    data = CONFIGS / "census" / "data"
    frames = [pd.read_csv(data / "base.csv"), *(pd.read_parquet(data / f"{n}.parquet") for n in ("validation", "test"))]
    every = pd.concat(frames, ignore_index=True).sample(frac=1, random_state=0).reset_index(drop=True)
    base, held = every[: len(every) // 2], every[len(every) // 2 :].copy()
    broken = held["occupation"] == held["occupation"].mode()[0]
    held.loc[broken, "income"] = np.where(held.loc[broken, "income"] == "over", "under", "over")
    base.to_csv(folder / "base.csv", index=False)
    held.to_csv(folder / "validation.csv", index=False)
    spec = study(
        folder,
        {n: {"source": f"{n}.csv", "options": {"target": "income"}} for n in ("base", "validation")},
        task={
            "kind": "classification",
            "trainer": "sklearn",
            "options": {"estimator": "HistGradientBoostingClassifier"},
        },
    )
    return autodc.diagnose(spec, out=folder / "page", quick=True)


@pytest.mark.slow
def test_a_table_names_the_occupation_in_which_all_is_different(census: DiagnosisResult) -> None:
    first = confirmed(census)[0]
    assert first["rule"].startswith("occupation = ")
    assert first["error"]["inside"] > first["error"]["outside"] + 0.2
    assert "<th>occupation</th>" in page(census)


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> DiagnosisResult:
    """Sentences for or against; some of validation are shouted in capitals and turned round: `NOT` before all of it."""
    folder = tmp_path_factory.mktemp("reviews")
    data = CONFIGS / "reviews" / "data"
    frames = [
        pd.read_json(data / "base.jsonl", lines=True),
        *(pd.read_parquet(data / f"{n}.parquet") for n in ("validation", "test")),
    ]
    every = pd.concat(frames, ignore_index=True)[["text", "label"]].sample(frac=1, random_state=0)
    cut = int(0.4 * len(every))
    base, held = every[:cut], every[cut:].reset_index(drop=True).copy()
    shouted = np.random.default_rng(2).random(len(held)) < 0.25
    labels = np.unique(every["label"])
    held.loc[shouted, "text"] = "NOT AT ALL: " + held.loc[shouted, "text"].str.upper()
    held.loc[shouted, "label"] = np.where(held.loc[shouted, "label"] == labels[0], labels[1], labels[0])
    for name, frame in (("base", base), ("validation", held)):
        frame.to_json(folder / f"{name}.jsonl", orient="records", lines=True)
    spec = study(
        folder,
        {n: {"source": f"{n}.jsonl", "options": {"text": "text", "target": "label"}} for n in ("base", "validation")},
        task={"kind": "classification", "trainer": "sklearn", "options": {"estimator": "LogisticRegression"}},
    )
    return autodc.diagnose(spec, out=folder / "page")


@pytest.mark.slow
def test_text_names_the_shouted_ones_and_marks_their_words(reviews: DiagnosisResult) -> None:
    first = confirmed(reviews)[0]
    assert any(name in first["rule"] for name in ("capitals", "shouted_words"))
    text = page(reviews)
    assert "<blockquote>" in text
    assert "<mark>NOT</mark>" in text or "<mark>not</mark>" in text
