"""The study of an image folder, whole: from photographs of many sizes and modes to what was planted."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import autodc
from autodc.data.where import select
from autodc.studyfile import load
from autodc.studyfile.study import MachineSpec
from autodc.verbs.init import write_example
from autodc.wire.inputs import read_inputs

IMAGES = Path(__file__).resolve().parents[2] / "configs/images"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example as `autodc init` writes it, with its images."""
    folder = tmp_path_factory.mktemp("images") / "study"
    write_example(folder, "images")
    shutil.rmtree(folder / "photographs", ignore_errors=True)
    subprocess.run([sys.executable, "make_images.py"], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.mark.slow
def test_the_images_are_read_and_the_sides_are_apart(folder: Path) -> None:
    inputs = read_inputs(load(str(folder / "study.yaml")))
    catalogue = inputs.catalogue
    assert catalogue.base.x.shape == (350, 16, 16)
    assert not any(catalogue.left_out.values())
    assert not any("no row" in warning for warning in inputs.warnings)
    for part in inputs.spec.slices[1:]:
        assert select(part.where, catalogue.validation.metadata, None, place=part.name).sum() == 430
    training = {scan for name in ("base", *catalogue.candidates) for scan in catalogue[name].groups}
    assert not training & {*catalogue.validation.groups, *catalogue.test.groups}


@pytest.mark.slow(seconds=110)
@pytest.mark.timeout(1800)
def test_what_was_planted_is_found(folder: Path, tmp_path: Path) -> None:
    result = autodc.run(load(str(folder / "study.yaml")), MachineSpec(runner="inline"), tmp_path / "out")
    assert set(result.kept) == {"chalk", "tilted"}
    test = result.content["test"]
    assert test["after"]["chalk"] > test["before"]["chalk"] + 0.2
