"""The studies of a table with gaps and of text: rows are real and apart, what was planted is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import autodc
from autodc.data.hashing import among, row_hashes
from autodc.data.where import select
from autodc.studyfile import load
from autodc.studyfile.study import MachineSpec
from autodc.table import Table
from autodc.verbs.init import write_example
from autodc.wire.inputs import read_inputs

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
NAMES = ("census", "reviews")
LARGEST = 300_000
MIN_SLICE_ROWS = 400


@pytest.fixture(scope="module", params=NAMES)
def inputs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The example as `autodc init` writes it."""
    study = write_example(tmp_path_factory.mktemp(request.param) / "study", request.param)["study"]
    return request.param, read_inputs(load(study))


@pytest.mark.slow
def test_the_rows_are_real_and_apart(inputs: Any) -> None:
    _, found = inputs
    catalogue = found.catalogue
    assert not any(catalogue.left_out.values())
    assert not found.warnings
    held = [row_hashes(catalogue.validation.x), row_hashes(catalogue.test.x)]
    for name in ("base", *catalogue.candidates):
        assert not any(among(row_hashes(catalogue[name].x), one).any() for one in held), name
    for part in found.spec.slices[1:]:
        for data in (catalogue.validation, catalogue.test):
            assert select(part.where, data.metadata, None, place=part.name).sum() >= MIN_SLICE_ROWS, part.name


def test_the_inputs_are_of_their_kind(inputs: Any) -> None:
    name, found = inputs
    x = found.catalogue.base.x
    assert isinstance(x, Table)
    if name == "reviews":
        assert x.kind == "text"
        return
    assert {"integer", "category"} <= set(x.types)
    assert {column for column in x.names if x.column(column).null_count} >= {"hourly_wage", "union", "father_born"}


@pytest.mark.parametrize("name", NAMES)
def test_the_files_are_small(name: str) -> None:
    sizes = {path.name: path.stat().st_size for path in (CONFIGS / name / "data").iterdir()}
    assert max(sizes.values()) < LARGEST, sizes


@pytest.mark.slow(seconds=30)
@pytest.mark.timeout(1800)
def test_what_was_planted_is_found(inputs: Any, tmp_path: Path) -> None:
    name, found = inputs
    truth = YAML(typ="safe").load((CONFIGS / name / "truth.yaml").read_text())
    content = autodc.run(found.spec, MachineSpec(runner="inline"), tmp_path / "run").content
    assert set(content["kept"]) == set(truth["cures"])
    assert {*content["dropped"], *content["undecided"]} == set(truth["mislabelled"])
    left = [d for d in content["decisions"] if d["subject"] in content["undecided"]]
    assert all(d["objective"]["difference"] > 0 for d in left), "undecided is what seems better without them"
    by_chance = [one["name"] for one in content["labels"]["training"]["datasets"] if one["by_chance"]]
    assert by_chance == truth["mislabelled"]
    labels = (tmp_path / "run" / "report" / "index.html").read_text().partition('<section id="labels">')[2]
    assert all(f"{name}: labels are as if by chance" in labels for name in by_chance)
    test = content["test"]
    assert all(test["after"][part] > test["before"][part] for part in truth["cures"])
    assert content["baselines"]["incumbent"]["objective"] > content["baselines"]["base_tuned"]["objective"] + 0.03
