"""The page about audits is true: its code derives every verdict of a run again, and finds what was changed."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PAGE = (Path(__file__).resolve().parents[2] / "docs/guide/audit.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


Audit = Callable[[Path], str]


@pytest.fixture
def audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Audit:
    """Run the page's program on a run, without autodc; what it says, or the error it ends with."""
    (tmp_path / "audit.sql").write_text(blocks("sql")[0])
    code = "".join(blocks("python"))
    assert "autodc." not in code.replace("`autodc", "")

    def audited(run: Path) -> str:
        monkeypatch.setattr(sys, "argv", [str(tmp_path / "audit.py"), str(run)])
        try:
            exec(compile(code, "audit.py", "exec"), {"__name__": "audit"})
        except SystemExit as end:
            return str(end)
        return capsys.readouterr().out

    return audited


@pytest.fixture
def run(finished: Any, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished[1], tmp_path / "run"))


def changed(run: Path, kind: str, change: Callable[[dict[str, Any]], None], where: str = "") -> None:
    """Change the payload of the last event of a kind, as somebody with a text editor would."""
    with sqlite3.connect(run / "journal.sqlite") as db:
        query = f"SELECT position, payload FROM events WHERE kind = ? {where} ORDER BY position DESC LIMIT 1"
        position, payload = db.execute(query, (kind,)).fetchone()
        told = json.loads(payload)
        change(told)
        db.execute("UPDATE events SET payload = ? WHERE position = ?", (json.dumps(told), position))


def test_every_verdict_is_derived_again(audit: Audit, finished: Any) -> None:
    said = audit(finished[1])
    decisions = json.loads((finished[1] / "result.json").read_text())["decisions"]
    assert f"{len(decisions)} verdicts derived again" in said
    for one in decisions:
        assert re.search(rf"{one['purpose']} +{one['verdict']} +{re.escape(one['subject'])}", said)


def test_the_line_about_the_error_budget(finished: Any) -> None:
    with sqlite3.connect(finished[1] / "journal.sqlite") as db:
        db.executescript(blocks("sql")[0])
        spent, budget, looks = db.execute(blocks("sql")[1]).fetchone()
    account = json.loads((finished[1] / "result.json").read_text())["ledger"]
    assert (spent, budget, looks) == (pytest.approx(account["spent"]), account["q"], account["looks"])


def a_better_slice(told: dict[str, Any]) -> None:
    told["outcome"]["slices"]["dark"] += 0.01


def a_look_in_a_better_light(told: dict[str, Any]) -> None:
    told["look"]["slices"]["dark"]["difference"] += 0.01


def a_surer_look(told: dict[str, Any]) -> None:
    told["look"]["slices"]["dark"]["standard_error"] /= 2


def a_level_that_is_overspent(told: dict[str, Any]) -> None:
    told["alpha"] /= 2


def another_verdict(told: dict[str, Any]) -> None:
    told["verdict"] = "drop"


@pytest.mark.parametrize(
    ("kind", "change", "says"),
    [
        ("TrialFinished", a_better_slice, "slice dark: the journal says"),
        ("LookTaken", a_look_in_a_better_light, "dark, difference: the journal says"),
        ("LookTaken", a_surer_look, "the journal is surer"),
        ("ComparisonOpened", a_level_that_is_overspent, "the journal says keep, its scores undecided"),
        ("VerdictReached", another_verdict, "the journal says drop, its scores keep"),
    ],
)
def test_what_was_changed_is_found(audit: Audit, run: Path, kind: str, change: Any, says: str) -> None:
    changed(run, kind, change)
    assert says in audit(run)


def test_other_scores_of_a_training_are_found(audit: Audit, run: Path) -> None:
    """The outcome of a pair's training names the scores of another training, and its means with them."""
    with sqlite3.connect(run / "journal.sqlite") as db:
        rows = [json.loads(p) for (p,) in db.execute("SELECT payload FROM events WHERE kind = 'TrialFinished'")]
    best = max(rows, key=lambda one: one["outcome"]["slices"]["dark"])["outcome"]

    def swapped(told: dict[str, Any]) -> None:
        told["outcome"]["arrays"], told["outcome"]["slices"] = best["arrays"], best["slices"]

    changed(run, "TrialFinished", swapped, where="AND json_extract(payload, '$.number') = 1")
    said = audit(run)
    assert "the journal" in said
    assert "derived again" not in said


def test_scores_that_were_written_over_are_found(audit: Audit, run: Path) -> None:
    with sqlite3.connect(run / "journal.sqlite") as db:
        (payload,) = db.execute("SELECT payload FROM events WHERE kind = 'TrialFinished'").fetchone()
    path = run / "outcomes" / f"{json.loads(payload)['outcome']['arrays']}.npz"
    arrays = dict(np.load(path))
    arrays["validation.score"] = 1 - arrays["validation.score"]
    np.savez(path, **arrays)
    assert "the journal says" in audit(run)
