"""The page about evaluating methods is true: its commands and its Python run, and end as it says."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.datasets import load_breast_cancer

from autodc.cli.main import cli

PAGE = (Path(__file__).resolve().parents[1] / "docs/guide/evaluate.md").read_text(encoding="utf-8")
RULES = """
import numpy as np

class Threshold:
    '''Large cells are malignant.'''

    def predict(self, x):
        large = np.clip((np.asarray(x)[:, 20] - 10) / 14, 0, 1)
        return np.stack([large, 1 - large], axis=1)

class Labels:
    def predict(self, x):
        return (np.asarray(x)[:, 20] < 17).astype(int)
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


pytestmark = pytest.mark.slow(seconds=2)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    x, y = load_breast_cancer(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(y))
    for name, some in (("base", rows[:200]), ("validation", rows[200:])):
        np.savez(f"{name}.npz", x=x[some], y=y[some], smooth=np.where(x[some, 4] < 0.095, "yes", "no"))
    study = {
        "schema_version": 1,
        "name": "cells",
        "task": {"kind": "classification", "trainer": "sklearn", "options": {"estimator": "GaussianNB"}},
        "data": {"base": {"source": "base.npz"}, "validation": {"source": "validation.npz"}},
        "metrics": {"primary": "accuracy"},
        "slices": [
            {"name": "overall", "role": "target"},
            {"name": "smooth", "where": "smooth = 'yes'", "role": "guard", "margin": 0.05},
        ],
        "tracking": {"uri": "none"},
    }
    Path("study.yaml").write_text(json.dumps(study))
    Path("rules.py").write_text(RULES)
    return tmp_path


def test_the_commands_of_the_page_run_and_end_as_it_says(desk: Path) -> None:
    for line in "".join(blocks("sh")).splitlines():
        said = CliRunner().invoke(cli, [*shlex.split(line)[1:], "--threads", "1"], catch_exceptions=False)
        assert said.exit_code == 0, said.output
    cases = ElementTree.parse(desk / "evaluation.xml").getroot().findall(".//testcase")
    assert [one.get("name") for one in cases] == ["overall", "smooth"]
    assert not [one for one in cases if one.find("failure") is not None]


def test_the_python_of_the_page_and_the_words_of_its_tables(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (python,) = blocks("python")
    exec(python, {})
    assert "'value'" in capsys.readouterr().out
    (file,) = (desk / "runs").rglob("evaluation.json")
    found = json.loads(file.read_text())
    told = re.findall(r"^\| `(\w+)` \|", PAGE.split("## What it does")[1].split("## Worse")[0], re.MULTILINE)
    assert set(told) <= found.keys()
    from autodc.review.evaluation import STANDINGS

    stands = PAGE.split("| a slice stands")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `([^`]+)` \|", stands, re.MULTILINE)) == set(STANDINGS.values())
