"""The page about text is true: its commands run on a file as it describes, and its pipeline learns in its study."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from autodc.adapters.trainers.options import SklearnOptions
from autodc.adapters.trainers.sklearn_trainer import Sklearn
from autodc.cli.main import cli
from autodc.studyfile import load
from autodc.table import Table
from autodc.trial.trainer import TrainingJob, TrainPart
from autodc.wire.inputs import read_inputs

GUIDE = Path(__file__).resolve().parents[1] / "docs/guide"
PAGE = (GUIDE / "my-text.md").read_text(encoding="utf-8")
NAMES = ("reviews", "forum", "validation")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def sentences() -> list[str]:
    """Sentences of our own guide, each once."""
    text = " ".join(path.read_text(encoding="utf-8") for path in sorted(GUIDE.glob("*.md")))
    found = (" ".join(one.split()) for one in re.split(r"(?<=[.:;])\s", re.sub(r"[`*|#]", " ", text)))
    return [one for one in dict.fromkeys(found) if 20 < len(one) < 300]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    r, rows = np.random.default_rng(0), sentences()
    order = r.permutation(len(rows))
    for name, part in zip(NAMES, np.array_split(order, [300, 500]), strict=True):
        with open(f"{name}.jsonl", "w") as file:
            for i in part[:500]:
                stars = "good" if "the" in rows[i].split() else "bad"
                row = {"text": rows[i], "stars": stars, "shop": str(r.choice(["north", "south"]))}
                assert list(row) == list(json.loads(blocks("text")[0].splitlines()[0]))
                body = "body" if name == "forum" else "text"
                print(json.dumps({body: row.pop("text"), **row}), file=file)
    study = blocks("yaml")[0]
    own_name = "source: forum.jsonl, options: {text: body"  # a candidate calls the column as it likes
    Path("study.yaml").write_text(study.replace("source: forum.jsonl, options: {text: text", own_name))
    Path("my_model.py").write_text(blocks("python")[0])
    return tmp_path


def test_the_commands_of_the_page_run(desk: Path) -> None:
    for line in blocks("sh")[0].splitlines()[:2]:
        said = CliRunner().invoke(cli, shlex.split(line)[1:], catch_exceptions=False)
        assert said.exit_code == 0, said.output
    base = load("shop/study.yaml").data.base
    assert (base.options["text"], base.options["target"]) == ("text", "stars")


def test_the_study_of_the_page_is_let_in_and_its_pipeline_learns(desk: Path) -> None:
    said = CliRunner().invoke(cli, ["check", "study.yaml"], catch_exceptions=False)
    assert said.exit_code == 0, said.output
    inputs = read_inputs(load("study.yaml"))
    catalogue = inputs.catalogue
    base, held = catalogue.base, catalogue.validation
    assert isinstance(base.x, Table)
    assert base.y is not None
    short = next(one for one in inputs.table.slices if one.name == "short")
    assert all(len(held.x.texts()[row]) < 40 for row in short.rows)
    options = load("study.yaml").task.options
    (desk / "out").mkdir()
    part = TrainPart(
        name="base", x=base.x, y=base.y, weight=1.0, stage="main", metadata=base.metadata, folder=desk / "part"
    )
    trained = Sklearn(SklearnOptions.model_validate(options), str(desk)).train(
        TrainingJob(
            kind="classification",
            n_classes=2,
            train=(part,),
            predict={"validation": held.x},
            hyperparameters={"model__C": 30.0, "words__min_df": 2},
            recipe="concat",
            seed=1,
            fidelity=1.0,
            warm_start=None,
            out=desk / "out",
        )
    )
    assert (trained.outputs["validation"].argmax(axis=1) == held.y).mean() > 0.75
