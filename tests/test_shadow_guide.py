"""The page about streams of production is true: command, Python and lines of a study file do what it says."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner
from sklearn.datasets import load_digits

import autodc
from autodc.cli.main import cli
from autodc.wire.inputs import read_inputs

PAGE = (Path(__file__).resolve().parents[1] / "docs/guide/shadow.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    x, y = load_digits(return_X_y=True)
    hour = np.random.default_rng(0).integers(0, 24, len(y))
    for name, rows in (("base", slice(0, 400)), ("validation", slice(400, 900))):
        np.savez(f"{name}.npz", x=x[rows], y=y[rows], hour=hour[rows])
    Path("incoming").mkdir()
    for day in range(3):
        rows = slice(900 + 200 * day, 1100 + 200 * day)
        np.savez(f"incoming/day-{day}.npz", x=x[rows], hour=hour[rows])
    Path("runs").mkdir()
    Path("method.py").write_text(
        "import numpy as np\n"
        "class Method:\n"
        "    def predict(self, x):\n"
        "        with np.load('base.npz') as base:\n"
        "            means = np.stack([base['x'][base['y'] == k].mean(axis=0) for k in range(10)])\n"
        "        return -((x[:, None] - means) ** 2).sum(axis=2) / 200\n".replace(
            "'base.npz'", repr(str(tmp_path / "base.npz"))
        )
    )
    study = {
        "schema_version": 1,
        "name": "digits",
        "task": {"kind": "classification", "trainer": "sklearn", "options": {"estimator": "GaussianNB"}},
        "data": {"base": {"source": "base.npz"}, "validation": {"source": "validation.npz"}},
        "metrics": {"primary": "accuracy"},
        "slices": [{"name": "overall", "role": "target"}],
        "tracking": {"uri": "none"},
    }
    Path("study.yaml").write_text(json.dumps(study))
    return tmp_path


def test_the_command_the_python_and_the_study_of_the_page(desk: Path) -> None:
    words = shlex.split(blocks("sh")[0].replace("runs/night", "method.py:Method"))[1:]
    said = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert said.exit_code == 0, said.output
    assert "200 rows to label" in said.output
    assert "- {name: production, source: " in said.output
    folder = desk / "to_label/may"
    names = set(re.findall(r"^\| `([\w./]+)`", PAGE.split("## What lies in the folder")[1], re.MULTILINE))
    assert names >= {"to_label.csv", "sheet.html", "pool.parquet", "corner_cases.csv"}
    assert {path.name for path in folder.iterdir()} == {
        "to_label",
        "sheet.html",
        "pool.parquet",
        "corner_cases.csv",
        "shadow.json",
    }
    found = json.loads((folder / "shadow.json").read_text())
    told = re.findall(r"^\| `([\w.]+)`", PAGE.split("## What is said")[1].split("##")[0], re.MULTILINE)
    assert {name.split(".")[0] for name in told} <= set(found)

    _, y = load_digits(return_X_y=True)
    sheet = pd.read_csv(folder / "to_label/manifest.csv")
    sheet.assign(target=y[900 + sheet["shadow_row"]]).to_csv(folder / "to_label/manifest.csv", index=False)
    inbox, candidate, unit = (yaml.safe_load(block) for block in blocks("yaml"))
    assert autodc.load("study.yaml", [f"data.inbox={inbox['data']['inbox']}"]).data.inbox == "inbox"
    spec = autodc.load("study.yaml", [f"data.candidates={json.dumps(candidate['data']['candidates'])}"])
    assert len(read_inputs(spec).catalogue.candidates["production"]) == 200
    spec = autodc.load("study.yaml", [f"slices={json.dumps(unit['slices'])}"])
    assert len(read_inputs(spec).catalogue.slice_sets["production"]) == 200


def test_the_python_of_the_page(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exec(blocks("python")[0].replace("runs/night", "method.py:Method"), {})
    estimate, *picked = capsys.readouterr().out.split(" ", 1)
    assert 0 < float(estimate) < 1
    assert len(json.loads(picked[0])) == 3
