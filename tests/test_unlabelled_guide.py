"""The page about pools without labels is true: its function and its lines label real digits, and people do."""

from __future__ import annotations

import csv
import json
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from sklearn.datasets import load_digits

from autodc.adapters.journal import open_for_reading
from autodc.cli.main import cli
from autodc.codes import CODES
from autodc.study.driver import Interrupted
from autodc.study.journal import events as ev
from autodc.studyfile import load
from autodc.studyfile.study import MachineSpec
from autodc.verbs.run import run

PAGE = (Path(__file__).resolve().parents[1] / "docs/guide/unlabelled-pools.md").read_text(encoding="utf-8")
INLINE = MachineSpec(runner="inline")


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def desk(folder: Path, **pool: Any) -> Path:
    """Digits of which some are faint, as the base has none; a pool with more of them, its labels apart."""
    x, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(5)
    faint = rng.random(len(x)) < 0.25
    seen = np.where(faint[:, None], 16 - 0.7 * x, x).reshape(-1, 8, 8).astype(np.float32)
    base = np.flatnonzero(~faint[:500])
    parts = {"base": base, "validation": np.arange(500, 1200), "pool": np.arange(1200, len(x))}
    for name, rows in parts.items():
        labels = {} if name == "pool" else {"y": y[rows]}
        np.savez(folder / f"{name}.npz", x=seen[rows], **labels)
    np.savez(folder / "archive.npz", x=seen, y=y)
    (folder / "label.py").write_text(block("python"))
    told: Mapping[str, Any] = yaml.safe_load(block("yaml"))
    study = {
        "schema_version": 1,
        "name": "faint",
        "seed": 2,
        "task": {"kind": "classification", "trainer": "sklearn", "options": {"estimator": "GaussianNB"}},
        "data": {
            "base": {"source": "base.npz"},
            "validation": {"source": "validation.npz"},
            **told["data"],
            "pool": {**told["data"]["pool"], **pool},
        },
        "metrics": {"primary": "accuracy"},
        "slices": [{"name": "overall", "role": "target"}],
        "search_space": {"var_smoothing": {"type": "float", "low": 1e-9, "high": 1e-1, "log": True}},
        "loop": told["loop"],
        "search": {"trials_per_round": 4},
        "budget": {"trainings": 16},
        "tracking": {"uri": "none"},
    }
    (folder / "study.yaml").write_text(json.dumps(study))
    return folder / "study.yaml"


def events(folder: Path) -> list[ev.Event]:
    with open_for_reading(folder / "journal.sqlite") as journal:
        return [event for _, event in journal.read()]


def test_every_code_of_the_page_is_one() -> None:
    found = re.findall(r"^\| `(ADC-[A-Z]+)-(\d+)`(?:, `(\d+)`)?", PAGE, re.MULTILINE)
    codes = [f"{area}-{number}" for area, *numbers in found for number in numbers if number]
    assert len(codes) == 12
    assert set(codes) <= CODES.keys()


@pytest.mark.slow
def test_the_function_of_the_page_labels_what_was_chosen_and_is_asked_once(tmp_path: Path) -> None:
    study, out = desk(tmp_path), tmp_path / "out"
    checked = CliRunner().invoke(cli, ["check", str(study), "--json"])
    labelling = json.loads(checked.stdout)["labelling"]
    assert (labelling["by"], labelling["oracle"]) == ("function", "label.py:Teacher")

    def answered() -> bool:
        return (out / "journal.sqlite").exists() and any(isinstance(e, ev.TaskFinished) for e in events(out))

    with pytest.raises(Interrupted):
        run(load(study), INLINE, out, stop=answered)
    first = {path.name: path.read_text() for path in (out / "labels").iterdir()}
    result = run(load(study), INLINE, out)
    assert all((out / "labels" / name).read_text().startswith(text) for name, text in first.items())
    made = {e.name: e.card for e in events(out) if isinstance(e, ev.DatasetAdmitted)}
    y = load_digits().target[1200:]
    for name, card in made.items():
        lines = [json.loads(one) for one in (out / "labels" / f"{name}.jsonl").read_text().splitlines() if one]
        labels = {one["id"]: one["target"] for one in lines if "id" in one}
        assert len(labels) == sum("id" in one for one in lines)  # no row was answered twice
        assert np.mean([label == y[int(row)] for row, label in labels.items() if label is not None]) > 0.9
        assert card["cost"] == pytest.approx(0.02 * len(labels))
        assert card["rows"] == sum(label is not None for label in labels.values())
    assert {"pool-F1", "random-1"} <= made.keys()
    assert result.content["spent"]["cost"] == pytest.approx(sum(card["cost"] for card in made.values()))
    why = CliRunner().invoke(cli, ["why", str(out), "pool-F1", "--row", "0"])
    assert "labelled_by label.py:Teacher" in " ".join(why.output.split())


@pytest.mark.slow
def test_people_fill_in_a_sheet_and_the_study_goes_on_with_their_labels(tmp_path: Path) -> None:
    study, out = desk(tmp_path, oracle=None), tmp_path / "out"
    run(load(study), INLINE, out)
    with (out / "requests" / "R1" / "to_label.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    y = load_digits().target[1200:]
    (tmp_path / "inbox").mkdir()
    sheet = tmp_path / "inbox" / "R1.csv"
    with sheet.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows({**line, "label": y[int(line["id"])]} for line in lines)
    os.utime(sheet, (time.time() - 60, time.time() - 60))
    told = json.loads(study.read_text())
    study.write_text(json.dumps({**told, "budget": {"trainings": 40}}))
    words: list[str] = []
    result = run(load(study), INLINE, out, stage=words.append).content
    assert not any("not taken" in one for one in words)
    asked = next(one for one in result["requests"] if one["id"] == "R1")
    (delivered,) = asked["delivered"]
    assert (delivered["dataset"], delivered["rows"]) == ("R1", len(lines))
    assert delivered["measured"] is not None
    again = [one for one in result["requests"] if one["id"] != "R1" and one["to_label"]]
    assert all(one["finding"] != asked["finding"] for one in again)
    why = CliRunner().invoke(cli, ["why", str(out), "R1", "--row", "0"])
    assert "labelled_by inbox/R1.csv" in " ".join(why.output.split())
