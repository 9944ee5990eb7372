"""Which decoder moves what, and what a person is told of a model that answers slowly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodc
from autodc.diagnose.counterfactual import most_asked
from autodc.errors import InputError
from autodc.table import Table
from autodc.verbs.nearest import slow_words


def pictures(rows: int, seed: int, dark: float) -> dict[str, Any]:
    """A bright half to the left or to the right; the dark ones are negatives."""
    rng = np.random.default_rng(seed)
    y, is_dark = rng.integers(0, 2, rows), rng.random(rows) < dark
    x = rng.normal(60, 12, (rows, 6, 6))
    for k in range(rows):
        x[k, :, :3] += 120 * (y[k] == 0)
        x[k, :, 3:] += 120 * (y[k] == 1)
    x[is_dark] = 240 - x[is_dark]
    return {"x": np.clip(x, 0, 255).astype(np.uint8), "y": y, "night": is_dark.astype(int)}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    np.savez(folder / "base.npz", **pictures(300, 1, 0.0))
    np.savez(folder / "validation.npz", **pictures(900, 2, 0.2))
    content = {
        "schema_version": 1,
        "name": "halves",
        "task": {"kind": "classification", "trainer": "sklearn", "options": {"estimator": "LogisticRegression"}},
        "data": {"base": {"source": "base.npz"}, "validation": {"source": "validation.npz"}},
        "metrics": {"primary": "accuracy"},
        "slices": [{"name": "overall", "role": "target"}],
        "tracking": {"uri": "none"},
    }
    (folder / "study.yaml").write_text(json.dumps(content))
    return folder / "study.yaml"


@pytest.mark.slow
@pytest.mark.parametrize("decoder", ["pca", "vae"])
def test_the_decoder_that_is_named_moves_the_pictures(study: Path, tmp_path: Path, decoder: str) -> None:
    if decoder == "vae":
        pytest.importorskip("torch")
    found = autodc.diagnose(autodc.load(study), out=tmp_path, decoder=decoder)
    assert "night" in found.findings[0]["rule"] or found.findings[0]["status"] == "confirmed"
    told = found.nearest[str(found.views[0]["id"])]
    assert told["by"] == decoder
    assert told["tried"] > 0
    text = found.page.read_text()
    assert "Where failing rows lie" in text
    assert "<script" not in text


def test_a_decoder_that_is_none_or_moves_nothing_is_refused(study: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ADC-DIAG-046"):
        autodc.diagnose(autodc.load(study), out=tmp_path / "page", decoder="pcs")
    for name in ("base", "validation"):
        with np.load(study.parent / f"{name}.npz") as file:
            np.savez(tmp_path / f"{name}.npz", x=file["x"].reshape(len(file["x"]), -1), y=file["y"])
    flat = json.loads(study.read_text())
    (tmp_path / "study.yaml").write_text(json.dumps(flat))
    with pytest.raises(InputError, match=r"ADC-DIAG-04[78]"):
        autodc.diagnose(autodc.load(tmp_path / "study.yaml"), out=tmp_path / "page", decoder="vae")
    assert not (tmp_path / "page").exists()


def test_a_decoder_whose_library_is_missing_is_refused(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autodc.adapters.decoders.find_spec", lambda name: None)
    with pytest.raises(InputError, match="ADC-DIAG-047") as caught:
        autodc.diagnose(autodc.load(study), decoder="vae")
    assert "autodc-optimizer[torch]" in caught.value.hint


def test_a_slow_model_is_told_with_the_way_out_and_a_fast_one_is_not() -> None:
    assert slow_words(0.2, 180) == ""
    assert "--quick" in slow_words(4.0, 180)
    assert "180 more" in slow_words(4.0, 180)
    assert "12 min" in slow_words(4.0, 180)
    assert slow_words(30.0, 1) == ""


def test_how_often_a_model_is_asked_depends_on_the_inputs() -> None:
    assert most_asked(np.zeros((5, 8, 8))) == 2
    assert most_asked(np.zeros((5, 4))) == 2 + 3 * 4
    assert most_asked(Table.of_texts(["a b", "c"])) == 62
