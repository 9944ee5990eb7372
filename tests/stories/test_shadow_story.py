"""From production back to production: a stream that drifts, rows that people label, and a round that keeps them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from sklearn.datasets import load_digits

from autodc.adapters.journal import state_of
from autodc.cli.main import cli

DIGITS = load_digits()
STUDY = {
    "schema_version": 1,
    "name": "counter",
    "seed": 5,
    "task": {"kind": "classification", "trainer": "sklearn", "options": {"estimator": "LogisticRegression"}},
    "data": {
        "base": {"source": "base.npz"},
        "validation": {"source": "validation.npz"},
        "inbox": "inbox",
    },
    "search_space": {"C": {"type": "float", "low": 0.01, "high": 1.0, "log": True}},
    "metrics": {"primary": "accuracy"},
    "slices": [
        {"name": "overall", "role": "target"},
        {"name": "gate", "where": "camera = 'gate'", "role": "target"},
        {"name": "others", "where": "camera != 'gate'", "role": "guard", "margin": 0.05},
    ],
    "loop": {"rounds": 1},
    "search": {"trials_per_round": 6},
    "budget": {"trainings": 40},
    "tracking": {"uri": "none"},
}


def pictures(rows: np.ndarray[Any, Any], turned: float, seed: int) -> dict[str, np.ndarray[Any, Any]]:
    """Digits, a share of them by a camera that hangs on its side, as its log says."""
    r = np.random.default_rng(seed)
    side = r.random(len(rows)) < turned
    x = DIGITS.images[rows].copy()
    x[side] = np.rot90(x[side], axes=(1, 2))
    return {"x": x, "y": DIGITS.target[rows], "camera": np.where(side, "gate", r.choice(["hall", "yard"], len(rows)))}


def autodc(*words: str) -> str:
    said = CliRunner().invoke(cli, list(words), catch_exceptions=False)
    assert said.exit_code == 0, said.output
    return said.stdout


def delivered() -> list[str]:
    state = state_of(Path("runs/night"))
    return [name for name in state.roster if state.card(name)["by"] == "inbox"]


@pytest.fixture
def stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray[Any, Any]]:
    """A study, and beside it a stream of its rows as they will be; `y` is not in the file."""
    monkeypatch.chdir(tmp_path)
    order = np.random.default_rng(0).permutation(len(DIGITS.target))
    base, validation, later = order[:300], order[300:900], order[900:]
    np.savez("base.npz", **pictures(base, 0.0, 1))
    np.savez("validation.npz", **pictures(validation, 0.3, 2))
    incoming = pictures(later, 0.6, 3)
    np.savez("stream.npz", x=incoming["x"], camera=incoming["camera"])
    Path("study.yaml").write_text(json.dumps(STUDY))
    Path("inline.yaml").write_text("runner: inline\n")
    return incoming


@pytest.mark.slow
def test_a_drifted_stream_becomes_a_dataset_that_a_later_round_keeps(stream: dict[str, np.ndarray[Any, Any]]) -> None:
    night = ("run", "study.yaml", "--out", "runs/night", "--machine", "inline.yaml", "--json")
    first = json.loads(autodc(*night))
    assert first["finished"]
    assert first["kept"] == []

    shadow = ("shadow", "study.yaml", "--model", "runs/night", "--stream", "stream.npz", "--out", "inbox/may")
    found = json.loads(autodc(*shadow, "--pick", "150", "--json"))
    assert found["drift"]["warned"]
    assert "camera" in found["drift"]["attributes"]
    confirmed = [one["rule"] for one in first["findings"] if one["status"] == "confirmed"]
    said = {one["rule"]: one.get("finding") for one in found["learned"]["conditions"]}
    assert all(said[rule] for rule in confirmed if rule in said)
    picked = np.array(found["picked"])
    assert (stream["camera"][picked] == "gate").mean() > 0.75

    waiting = json.loads(autodc(*night))  # nobody has labelled it yet
    assert waiting["decisions"] == first["decisions"]
    assert delivered() == []
    sheet = Path("inbox/may") / found["files"]["sheet"]
    lines = pd.read_csv(sheet)
    lines.assign(target=stream["y"][lines["shadow_row"]]).to_csv(sheet, index=False)
    more = ("--set", "loop.rounds=2", "--set", "budget.trainings=100")
    second = json.loads(autodc(*night, *more))
    assert second["finished"]
    assert second["kept"] == ["may"]
    assert delivered() == ["may"]
    decision = next(one for one in second["decisions"] if one["members"] == ["may"] and one["verdict"] == "keep")
    assert decision["round"] == 2
    assert decision["slices"]["gate"]["low"] > 0
    assert second["validation"]["after"]["gate"] > second["validation"]["before"]["gate"] + 0.1
