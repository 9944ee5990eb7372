"""The studies we ship: they load, their data agree, their slices are large enough, nothing leaks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

import autodc
from autodc.adapters.sources import read_source
from autodc.data.hashing import among, row_hashes
from autodc.data.where import select
from autodc.errors import DataError
from autodc.studyfile import load, load_machine
from autodc.verbs.init import write_example
from autodc.wire.inputs import read_catalogue

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "configs"
QUICK = ("digits", "tabular", "command", "lightning")
MIN_SLICE_ROWS = 250
FASHION = Path("/usr/share/datasets/fashion-mnist")


@pytest.fixture(scope="module", params=QUICK)
def study(request: pytest.FixtureRequest) -> Any:
    spec = load(str(CONFIGS / request.param / "study.yaml"))
    return spec, read_catalogue(spec, read_source)


@pytest.mark.slow
def test_no_training_row_is_held_out(study: Any) -> None:
    _, catalogue = study
    assert not any(catalogue.left_out.values())
    held = np.concatenate([row_hashes(catalogue.validation.x), row_hashes(catalogue.test.x)])
    for name in ("base", *catalogue.candidates):
        assert not among(row_hashes(catalogue[name].x), held).any(), name


@pytest.mark.slow
def test_no_scan_is_on_two_sides(study: Any) -> None:
    _, catalogue = study
    training = {scan for name in ("base", *catalogue.candidates) for scan in catalogue[name].groups}
    validation, test = set(catalogue.validation.groups), set(catalogue.test.groups)
    assert not training & validation
    assert not training & test
    assert not validation & test


@pytest.mark.slow
def test_every_slice_is_large_and_holds_a_scan_once(study: Any) -> None:
    spec, catalogue = study
    for part in spec.slices:
        if part.where is None:
            continue
        for data in (catalogue.validation, catalogue.test):
            rows = select(part.where, data.metadata, None, place=part.name)
            assert rows.sum() >= MIN_SLICE_ROWS, part.name
            assert len(set(data.groups[rows])) == rows.sum(), part.name


@pytest.mark.slow
def test_the_same_data_come_out_twice(study: Any) -> None:
    spec, catalogue = study
    assert read_catalogue(spec, read_source).fingerprint == catalogue.fingerprint


@pytest.mark.parametrize("name", [*QUICK, "fashion", "images", "program", "census", "reviews", "denoise"])
def test_the_truth_names_every_candidate_once(name: Any) -> None:
    spec = load(str(CONFIGS / name / "study.yaml"))
    truth = YAML(typ="safe").load((CONFIGS / name / "truth.yaml").read_text())
    planted = [dataset for datasets in truth.values() for dataset in datasets]
    assert sorted(planted) == sorted(candidate.name for candidate in spec.data.candidates)


@pytest.mark.slow
def test_the_duplicates_of_digits_are_rows_of_its_base() -> None:
    catalogue = read_catalogue(load(str(CONFIGS / "digits" / "study.yaml")), read_source)
    assert among(row_hashes(catalogue["set_g"].x), row_hashes(catalogue.base.x)).all()


@pytest.mark.parametrize("file", sorted((CONFIGS / "machines").glob("*.yaml")), ids=lambda file: file.stem)
def test_machine_files_load(file: Any) -> None:
    assert load_machine(str(file)).runner == "actors"


def test_fashion_without_its_images_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FASHION_MNIST", str(tmp_path))
    spec = load(str(CONFIGS / "fashion" / "study.yaml"))
    with pytest.raises(DataError, match="apt-get install dataset-fashion-mnist"):
        read_source(spec.data.base, folder=spec.folder, name="base", place="study.yaml", kind=spec.task.kind)


@pytest.mark.slow
@pytest.mark.skipif(not FASHION.is_dir(), reason="the Debian package dataset-fashion-mnist is not installed")
def test_fashion_reads_and_keeps_its_sides_apart() -> None:
    spec = load(str(CONFIGS / "fashion" / "study.yaml"))
    catalogue = read_catalogue(spec, read_source)
    assert not any(catalogue.left_out.values())
    for part in spec.slices[1:]:
        assert select(part.where, catalogue.validation.metadata, None, place=part.name).sum() >= MIN_SLICE_ROWS, (
            part.name
        )


@pytest.mark.slow
def test_the_tables_are_what_their_script_makes() -> None:
    code = (
        "import make_data, pandas as pd\n"
        "for name, table in make_data.tables().items():\n"
        "    path = make_data.FOLDER / name\n"
        "    found = pd.read_csv(path) if name.endswith('.csv') else pd.read_parquet(path)\n"
        "    pd.testing.assert_frame_equal(found, table.reset_index(drop=True), check_dtype=False)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CONFIGS / "tabular", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_an_example_stands_alone(name: Any, tmp_path: Path) -> None:
    write_example(tmp_path, name)
    left = {"truth.yaml", "make_data.py"} & {file.name for file in tmp_path.iterdir()}
    assert not left
    assert "../" not in (tmp_path / "study.yaml").read_text().replace("../digits.", "")
    ours = read_catalogue(load(str(CONFIGS / name / "study.yaml")), read_source)
    theirs = read_catalogue(load(str(tmp_path / "study.yaml")), read_source)
    assert theirs.fingerprint == ours.fingerprint


@pytest.mark.slow(seconds=150)
@pytest.mark.timeout(1800)
def test_a_study_of_a_lightning_module_keeps_what_cures(tmp_path: Path) -> None:
    pytest.importorskip("pytorch_lightning")
    found = autodc.run(
        load(write_example(tmp_path / "study", "lightning")["study"]), _inline(tmp_path), tmp_path / "run"
    )
    truth = YAML(typ="safe").load((CONFIGS / "lightning" / "truth.yaml").read_text())
    assert set(found.content["kept"]) == set(truth["cures"])
    assert not set(found.content["kept"]) & set(truth["mislabelled"])
    assert found.content["test"]["after"]["struck"] > found.content["test"]["before"]["struck"] + 0.3
    assert not list(tmp_path.rglob("lightning_logs"))
    assert not Path("lightning_logs").exists()


def _inline(folder: Path) -> Any:
    (folder / "machine.yaml").write_text("runner: inline\n")
    return load_machine(str(folder / "machine.yaml"))
