"""Where a row is from: a run that kept what was made while it ran, row by row back to the files of the study."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import autodc
from autodc.adapters.artefacts import ArtefactStore
from autodc.adapters.sources import read_source
from autodc.cli.main import cli
from autodc.data.admit import Candidate, Read
from autodc.data.dataset import Dataset
from autodc.errors import InputError
from autodc.propose.made import ORIGIN, Made, Origin, write
from autodc.propose.proposal import Proposal
from autodc.study.journal.events import DatasetAdmitted
from autodc.studyfile import load
from autodc.testing.world import CANDIDATES, CellTrainer, write_world
from autodc.verbs.origin import row_origin
from autodc.verbs.study import Study
from autodc.wire.admitting import DATASETS, let_in

USELESS = [{"name": name, "source": f"data/{name}.npz", "tags": ["old"]} for name in CANDIDATES[1:]]
WORDS = "lamps lit in dark streets"


def admitted(study: Study, folder: Path, name: str, rows: str, parent: str, position: Any) -> DatasetAdmitted:
    """What lets a dataset join that is made while a study runs, with the origin of its rows beside its content."""
    part = np.load(folder / "data" / f"{rows}.npz")
    data = Dataset(name=name, x=part["x"], y=part["y"], metadata=pd.DataFrame({"region": part["region"]}))

    def made(read: Read) -> Dataset:
        return data

    provenance: dict[str, Any] = {"cost": 3.0, "by": "generate", "round": 1, "parent": (parent,), "finding": "F1"}
    candidate = Candidate(name=name, place=name, rows=made, **provenance)
    inputs, store = study._inputs, ArtefactStore(folder / "out" / DATASETS)
    event = let_in(store, candidate, inputs.catalogue.door(inputs.spec.data).admit(candidate, read_source))
    how = Proposal(name=name, by="generate", maker="lamps:Lamp", parts=(parent,), words=WORDS).to_dict()
    light = [float(at % 5) for at in range(len(data))]
    origin = Origin(parents=(parent,), parent=np.zeros(len(data), int), position=position, changed={"light": light})
    scratch = folder / f"made-{name}"
    scratch.mkdir()
    write(scratch, Made(x=data.x, y=part["y"], metadata=data.metadata, origin=origin, coded=False))
    shutil.copy(scratch / ORIGIN, folder / "out" / DATASETS / f"{event.card['fingerprint']}.origin.parquet")
    return dataclasses.replace(event, card={**event.card, "how": how})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has made `lit` of rows of the base, and `brighter` of rows of `lit`."""
    folder = tmp_path_factory.mktemp("begun")
    write_world(folder, data__candidates=USELESS[:1], data__pool={"source": "data/lamps.npz"})
    with Study.open(load(folder / "study.yaml"), folder / "out") as study:
        rows = np.arange(160)
        study._core.record(admitted(study, folder, "lit", "lamps", "base", rows % 7))
        count = len(np.load(folder / "data" / "copies.npz")["x"])
        study._core.record(admitted(study, folder, "brighter", "copies", "lit", rows[::-1][:count].copy()))
        count = len(np.load(folder / "data" / "chance.npz")["x"])
        study._core.record(admitted(study, folder, "mined", "chance", "pool", np.arange(count) % 160))
    return folder


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that keeps `lit`."""
    folder = tmp_path_factory.mktemp("kept")
    write_world(folder, data__candidates=USELESS, loop__rounds=2, budget__trainings=60)
    trainer = CellTrainer()
    with Study.open(load(folder / "study.yaml"), folder / "out") as study:
        while trials := study.ask(1):
            if trials[0].number == 8:
                study._core.admit(admitted(study, folder, "lit", "lamps", "base", np.arange(160) % 7))
            study.tell(trials[0], study.outcome(trials[0], trainer.train(study.job(trials[0])).outputs))
        assert study.result()["kept"] == ["lit"]
    return folder


@pytest.mark.slow
def test_every_row_of_an_export_says_where_it_is_from(kept: Path, tmp_path: Path) -> None:
    content = autodc.export(kept / "out", tmp_path / "out").to_dict()
    told = pd.read_parquet(tmp_path / "out" / content["files"][0])
    weights = {one["name"]: one["weight"] for one in content["datasets"]}
    assert list(weights) == ["base", "lit"]
    assert told.groupby("autodc_dataset")["autodc_weight"].first().to_dict() == weights
    lit = told[told["autodc_dataset"] == "lit"]
    assert set(lit["autodc_parent"]) == {"base"}
    assert lit["autodc_parent_row"].tolist() == [at % 7 for at in range(160)]
    assert (set(lit["autodc_by"]), set(lit["autodc_finding"]), set(lit["autodc_round"])) == ({"generate"}, {"F1"}, {1})
    assert told[told["autodc_dataset"] == "base"]["autodc_parent"].isna().all()
    (about,) = [one for one in content["datasets"] if one["name"] == "lit"]
    assert (about["verdict"], about["cost"], about["how"]["words"]) == ("keep", 3.0, WORDS)
    assert about["reasons"]
    assert json.loads((tmp_path / "out" / "lineage.json").read_text())["datasets"] == content["datasets"]
    assert len((tmp_path / "out" / "README.md").read_text().splitlines()) <= 30
    row = row_origin(kept / "out", "lit", 156)
    assert row["weight"] == weights["lit"]
    assert row["verdict"].startswith("`lit`: keep")


def test_a_row_is_followed_to_its_source(folder: Path) -> None:
    found = row_origin(folder / "out", "brighter", 3)
    assert [(one["dataset"], one["row"]) for one in found["chain"]] == [("brighter", 3), ("lit", 156), ("base", 2)]
    assert found["chain"][1]["changed"] == {"light": 1.0}
    assert found["chain"][2]["source"].endswith("base.npz")
    assert found["chain"][2]["source_row"] == 2
    assert WORDS in found["words"][0]
    assert found["weight"] == 0
    assert found["notes"] == []


def test_a_row_of_the_pool_is_a_source_too(folder: Path) -> None:
    found = row_origin(folder / "out", "mined", 12)
    assert found["chain"][1]["dataset"] == "pool"
    assert found["chain"][1]["source_row"] == 12
    assert found["chain"][1]["source"] == "data/lamps.npz"
    assert found["notes"] == []
    assert row_origin(folder / "out", "pool", 12)["words"] == found["words"][1:]


def test_the_command_says_it_in_words(folder: Path) -> None:
    done = CliRunner().invoke(cli, ["why", str(folder / "out"), "lit", "--row", "9"])
    assert done.exit_code == 0
    assert "made of row 2 of `base`, given by the study file: row 2 of data/base.npz" in done.output
    assert "Not in the model's training set" in done.output
    told = CliRunner().invoke(cli, ["why", str(folder / "out"), "lit", "--row", "9", "--json"])
    assert json.loads(told.output) == row_origin(folder / "out", "lit", 9)


@pytest.mark.parametrize(
    ("name", "row", "code", "words"),
    [
        ("lit", 160, "ADC-PROP-062", "its rows are 0 to 159"),
        ("base", -1, "ADC-PROP-062", "its rows are 0 to"),
        ("litt", 0, "ADC-WHY-001", "did you mean lit?"),
    ],
)
def test_a_row_that_is_not_there(folder: Path, name: str, row: int, code: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        row_origin(folder / "out", name, row)
    assert caught.value.code == code
    assert words in caught.value.hint


def test_what_the_journal_knows_is_told_without_the_sources(folder: Path, tmp_path: Path) -> None:
    moved = tmp_path / "out"
    shutil.copytree(folder / "out", moved)
    base = folder / "data" / "base.npz"
    kept = base.read_bytes()
    base.unlink()
    try:
        found = row_origin(moved, "lit", 9)
    finally:
        base.write_bytes(kept)
    assert found["chain"][1]["row"] == 2
    assert "cannot be read again" in found["notes"][0]


def test_an_origin_that_is_damaged_is_named(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(folder / "out", out)
    for origin in (out / DATASETS).glob("*.origin.parquet"):
        origin.write_bytes(origin.read_bytes()[:50])
    with pytest.raises(InputError) as caught:
        row_origin(out, "lit", 9)
    assert caught.value.code == "ADC-PROP-064"
    assert caught.value.place.endswith(".origin.parquet")
