"""The page about tables is true: its commands run on files as it describes, and its study reads them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from autodc.cli.main import cli
from autodc.studyfile import load
from autodc.wire.inputs import read_inputs

PAGE = (Path(__file__).resolve().parents[1] / "docs/guide/my-csv.md").read_text(encoding="utf-8")


def blocks(language: Any) -> Any:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def month(name: Any, number: Any, rows: Any = 800) -> None:
    r = np.random.default_rng(number)
    age, channel = r.integers(18, 80, rows), r.choice(["web", "mobile"], rows)
    table = pd.DataFrame(
        {
            "customer_id": [f"c-{number}{i:04}" for i in range(rows)],
            "age": pd.Series(age).where(r.random(rows) > 0.1),
            "plan": r.choice(["basic", "plus", "pro"], rows),
            "channel": channel,
            "signed_up": pd.date_range(f"2026-0{number}-01", periods=rows, freq="30min").strftime("%Y-%m-%d"),
            "spend": r.gamma(2, 30, rows).round(2),
            "churn": np.where((age > 40) ^ (channel == "mobile"), "stays", "leaves"),
        }
    )
    assert list(table.columns) == blocks("text")[0].splitlines()[0].split(",")
    table.to_csv(name, index=False)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for number in (1, 2, 3):
        month(f"churn_2026_0{number}.csv", number)
    return tmp_path


@pytest.mark.slow
def test_the_commands_of_the_page_run(desk: Path) -> None:
    made, checked, _ = (shlex.split(line)[1:] for line in blocks("sh")[0].splitlines())
    for words in (made, checked):
        said = CliRunner().invoke(cli, words, catch_exceptions=False)
        assert said.exit_code == 0
    spec = load("churn/study.yaml")
    assert [one.name for one in spec.data.candidates] == ["churn_2026_02", "churn_2026_03"]
    assert spec.data.base.options["metadata"] == ["customer_id", "signed_up"]
    assert {"channel_mobile", "channel_web"} <= {one.name for one in spec.guards}


@pytest.mark.slow
def test_the_slices_of_the_page_fit_what_init_writes(desk: Path) -> None:
    CliRunner().invoke(cli, shlex.split(blocks("sh")[0].splitlines()[0])[1:], catch_exceptions=False)
    study = Path("churn/study.yaml")
    text = study.read_text(encoding="utf-8")
    own = re.sub(r"^slices:\n(  .*\n)+", blocks("yaml")[0], text, flags=re.MULTILINE)
    assert own != text
    study.write_text(own, encoding="utf-8")
    inputs = read_inputs(load(study))
    assert [one.name for one in inputs.table.slices if one.role == "target"] == ["mobile"]


def test_the_study_of_the_page_reads_the_files(desk: Path) -> None:
    month("held_out.csv", 4)
    Path("study.yaml").write_text(blocks("yaml")[1], encoding="utf-8")
    catalogue = read_inputs(load("study.yaml")).catalogue
    assert catalogue.base.features == ("age", "plan", "channel", "spend")
    assert set(catalogue.candidates) == {"february", "march"}
