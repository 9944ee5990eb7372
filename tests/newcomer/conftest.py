"""What a newcomer has: a folder of their own, the command, and a count of the lines that they had to write."""

from __future__ import annotations

import difflib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from autodc.cli.main import cli

AUTODC = (sys.executable, "-c", "from autodc.cli import main; main()")


class Night(NamedTuple):
    """A study that ran to its end."""

    result: dict[str, Any]
    """What `result.json` holds."""
    terminal: str
    """All that a person saw."""
    out: Path


def checked(study: Any = "study.yaml") -> dict[str, Any]:
    """`autodc check STUDY --json`, which must be green."""
    said = CliRunner().invoke(cli, ["check", str(study), "--json"], catch_exceptions=False)
    assert said.exit_code == 0, said.output
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def ran(study: Any = "study.yaml") -> Night:
    """`autodc run STUDY`, as a command of its own, so that the terminal is seen as a person sees it."""
    Path("inline.yaml").write_text("runner: inline\n")
    words = ("run", str(study), "--machine", "inline.yaml", "--out", "out")
    done = subprocess.run([*AUTODC, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(Path("out/result.json").read_text())
    assert result["finished"]
    return Night(result, done.stdout + done.stderr, Path("out"))


def glue_lines(before: str, after: str) -> int:
    """How many lines were written into what a person already had: added or changed, blank ones apart."""
    told = difflib.ndiff(before.splitlines(), after.splitlines())
    return sum(line.startswith("+ ") and bool(line[2:].strip()) for line in told)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, in which the person stands; nothing is cached from before."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    return tmp_path


@pytest.fixture
def check() -> Callable[..., dict[str, Any]]:
    return checked


@pytest.fixture
def run() -> Callable[..., Night]:
    return ran


@pytest.fixture
def glue() -> Callable[[str, str], int]:
    return glue_lines


MONTHS = {
    "churn": (1, 900),
    "churn_02": (2, 700),
    "churn_03": (3, 700),
    "churn_val": (4, 2000),
    "churn_test": (5, 2000),
}
WORK = ["student", "unskilled", "skilled", "office", "managerial", "professional"]


def customers() -> pd.DataFrame:
    """The 6366 people of Fair's survey (statsmodels), with what a shop's table has besides: id, channel, plan, gaps.

    They gave few answers each, so many rows are equal and none is a copy. On the phone, those who stay are those who
    leave on the web.
    """
    pytest.importorskip("statsmodels")
    from statsmodels.datasets import fair

    r, told = np.random.default_rng(0), fair.load_pandas().data.sample(frac=1, random_state=0).reset_index(drop=True)
    mobile = r.random(len(told)) < 0.4
    unhappy = told["rate_marriage"] + r.normal(0, 0.4, len(told)) < 3.5
    return pd.DataFrame(
        {
            "customer_id": [f"c-{number:05}" for number in r.permutation(len(told))],
            "age": told["age"].where(r.random(len(told)) > 0.15),
            "rating": told["rate_marriage"].astype(int),
            "children": told["children"].where(r.random(len(told)) > 0.05),
            "plan": told["religious"].map({1: "basic", 2: "basic", 3: "plus", 4: "pro"}),
            "work": told["occupation"].map(lambda code: WORK[int(code) - 1]),
            "channel": np.where(mobile, "mobile", "web"),
            "churn": np.where(unhappy ^ mobile, "leaves", "stays"),
        }
    )


@pytest.fixture
def churn(desk: Path) -> Path:
    """Five files: a month of web customers, few on the phone yet, two with more of them, two that hold out both."""
    everybody, at = customers(), 0
    for name, (month, count) in MONTHS.items():
        rows, at = everybody[at : at + count], at + count
        days = pd.date_range(f"2026-{month:02}-01", periods=count, freq="40min").strftime("%Y-%m-%d")
        rows = rows.assign(signed_up=days)
        if name == "churn":
            rows = rows[rows["channel"].eq("web") | (np.arange(count) % 10 == 0)]
        rows.to_csv(desk / f"{name}.csv", index=False)
    return desk
