"""Two nights on overlapping validation rows: what is compared are the rows that both have and that decide in both."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodc
from autodc.adapters.journal import state_of
from autodc.study.journal.state import State
from autodc.testing.worlds.cells import write_world

pytestmark = pytest.mark.slow(seconds=8)
PAGE = (Path(__file__).resolve().parents[2] / "docs/guide/audit.md").read_text(encoding="utf-8")
GONE = 60


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same world with another seed, another rule of evidence, and without the first rows of validation."""
    folders = []
    for name, changes in (("one", {"gate__evidence": "each"}), ("other", {"seed": 9, "name": "other"})):
        folder = tmp_path_factory.mktemp(name)
        study = write_world(folder, budget__trainings=60, gate__min_rows=20, **changes)
        if name == "other":
            path = folder / "data/validation.npz"
            np.savez(path, **{key: array[GONE:] for key, array in np.load(path).items()})
        autodc.run(autodc.load(study), autodc.MachineSpec(runner="inline"), folder / "run")
        folders.append(folder / "run")
    return folders[0], folders[1]


def test_the_difference_is_that_of_the_rows_they_share(nights: Any) -> None:
    found = autodc.compare(*nights)
    (told,) = found.differences
    assert told["comparable"], told["why"]
    assert told["paired_by"] == "order"
    assert told["searched_on"] == []
    states = [state_of(run) for run in nights]
    inputs = [_inputs(run) for run in nights]
    for name, seen in told["slices"].items():
        decide = [_deciding(run, state, name) for run, state in zip(nights, states, strict=True)]
        shared = {tuple(x) for x in inputs[0][decide[0]]} & {tuple(x) for x in inputs[1][decide[1]]}
        assert seen["rows"] == len(shared)
        means = []
        for run, state, x, rows in zip(nights, states, inputs, decide, strict=True):
            mine = [at for at in np.flatnonzero(rows) if tuple(x[at]) in shared]
            closing = [t for t in state.trials if t.trial.plan == state.incumbent and t.trial.phase == "test"]
            means.append(
                [np.load(run / f"outcomes/{t.outcome.arrays}.npz")["validation.score"][mine].mean() for t in closing]
            )
        pairs = min(map(len, means))
        assert told["pairs"] == pairs
        assert seen["difference"] == pytest.approx(np.mean(means[1][:pairs]) - np.mean(means[0][:pairs]))
        assert seen["low"] <= seen["difference"] <= seen["high"]


def test_the_same_start_is_no_better_than_itself(nights: Any) -> None:
    (told,) = autodc.compare(f"{nights[0]}@start", f"{nights[1]}@start").differences
    assert told["comparable"]
    for seen in told["slices"].values():
        assert seen["low"] <= 0 <= seen["high"]


def test_a_lower_share_of_rows_is_said(nights: Any) -> None:
    found = autodc.compare(*nights)
    rows = {one["label"]: one["slices"]["overall"]["rows"] for one in found.studies}
    assert found.differences[0]["slices"]["overall"]["rows"] < min(rows.values())
    frame = found.frame("differences")
    assert set(frame["slice"]) == {*found.differences[0]["slices"], "objective"}


@pytest.mark.parametrize("at", [0, 1])
def test_every_verdict_of_both_is_derived_again(
    nights: Any, at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "audit.sql").write_text(re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[0])
    code = "".join(re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "audit.py"), str(nights[at])])
    exec(compile(code, "audit.py", "exec"), {"__name__": "audit"})
    ended = [c for c in state_of(nights[at]).comparisons if c.verdict is not None]
    assert len(ended) >= 2
    assert f"{len(ended)} verdicts derived again" in capsys.readouterr().out


def _inputs(run: Path) -> np.ndarray[Any, Any]:
    return np.asarray(np.load(run.parent / "data/validation.npz")["x"])


def _deciding(run: Path, state: State, name: str) -> np.ndarray[Any, Any]:
    who = np.load(run / f"outcomes/{state.rows}.npz")
    return np.asarray(who[f"validation.slice.{name}"] & who["validation.gate"])
