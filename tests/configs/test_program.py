"""The study of an existing train.py, whole: image files by path, flags, and what was planted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import autodc
from autodc.data.where import select
from autodc.studyfile import load
from autodc.studyfile.study import MachineSpec
from autodc.table import Table
from autodc.verbs.init import write_example
from autodc.wire.inputs import read_inputs

PROGRAM = Path(__file__).resolve().parents[2] / "configs/program"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example as `autodc init` writes it, with its images."""
    folder = tmp_path_factory.mktemp("program") / "study"
    write_example(folder, "program")
    return folder


def test_five_lines_of_the_script_are_marked() -> None:
    assert (PROGRAM / "train.py").read_text().count("# autodc\n") == 5


@pytest.mark.slow
def test_the_photographs_are_read_and_the_sides_are_apart(folder: Path) -> None:
    inputs = read_inputs(load(str(folder / "study.yaml")))
    catalogue = inputs.catalogue
    assert isinstance(catalogue.base.x, Table)
    assert (catalogue.base.x.kind, len(catalogue.base)) == ("files", 350)
    assert not any(catalogue.left_out.values())
    for part in inputs.spec.slices[1:]:
        assert select(part.where, catalogue.validation.metadata, None, place=part.name).sum() == 430
    training = {scan for name in ("base", *catalogue.candidates) for scan in catalogue[name].groups}
    assert not training & {*catalogue.validation.groups, *catalogue.test.groups}


@pytest.mark.slow
def test_the_script_still_runs_by_itself(folder: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "train.py",
        "--epochs",
        "3",
        "--val",
        "validation.csv",
        "--model",
        str(tmp_path / "m.pt"),
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert float(done.stdout.removeprefix("val_acc ")) > 0.2
    assert (tmp_path / "m.pt").is_file()


@pytest.mark.slow(seconds=340)
@pytest.mark.timeout(1800)
def test_what_was_planted_is_found(folder: Path, tmp_path: Path) -> None:
    result = autodc.run(load(str(folder / "study.yaml")), MachineSpec(runner="inline"), tmp_path / "out")
    assert set(result.kept) == {"night", "rain"}
    test = result.content["test"]
    assert test["after"]["night"] > test["before"]["night"] + 0.2
