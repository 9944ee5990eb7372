"""What `check` says before a night: disk, keys without effect, equal and near rows, memory it takes itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodc
from autodc.studyfile.study import MachineSpec
from autodc.testing.worlds.cells import write_world
from autodc.verbs.check import preflight
from autodc.wire.inputs import read_inputs

SMALL = {"budget__trainings": 24, "loop__rounds": 1, "search__trials_per_round": 4}


def checked(folder: Any, **changes: Any) -> Any:
    return preflight(autodc.load(write_world(folder, **{**SMALL, **changes})))


@pytest.mark.slow
def test_the_disk_of_the_night_is_about_what_it_takes(tmp_path: Path) -> None:
    study = write_world(tmp_path, **SMALL, data__test=None)
    night = preflight(autodc.load(study))["night"]
    autodc.run(autodc.load(study), MachineSpec(runner="inline"), tmp_path / "out")
    files = [path.stat().st_size for path in (tmp_path / "out" / "outcomes").iterdir()]
    assert night["disk_mb"] >= night["data_mb"] + night["trainings"] * night["outcome_mb"] - 0.001
    assert np.median(files) / 1e6 < night["outcome_mb"] + 0.001  # a file has some hundred bytes of its own
    assert night["outcome_mb"] == pytest.approx(600 * 0.25 / 1e6, abs=1e-3)


def test_what_is_kept_a_row_beside_the_metric_takes_more_disk_and_is_foretold(tmp_path: Path) -> None:
    margins = [
        {"name": "overall", "role": "guard", "margin": 0.1},
        {"name": "dark", "where": "region = 'dark'", "role": "target", "margin": 0.1},
    ]
    wanted = {"metrics__primary": "log_loss", "slices": margins}
    plain = checked(tmp_path / "plain", **wanted, data__explore_share=0.3)["night"]["outcome_mb"]
    soft = checked(tmp_path / "soft", **wanted, gate__score="soft")["night"]["outcome_mb"]
    assert plain == pytest.approx(600 * 4 / 1e6, abs=1e-3)
    assert soft == pytest.approx(600 * (4 + 4) / 1e6, abs=1e-3)


@pytest.mark.slow
def test_a_pool_that_nothing_draws_from_is_said_at_check_and_at_run(tmp_path: Path) -> None:
    study = write_world(tmp_path, **SMALL, data__pool={"source": "data/lamps.npz"})
    spec = autodc.load(study)
    words = "data.pool is read and checked, and nobody draws from it: loop.propose does not name pool"
    assert words in preflight(spec)["warnings"]
    said = []
    autodc.run(spec, MachineSpec(runner="inline"), tmp_path / "out", stage=said.append)
    assert f"warning: {words}" in said


@pytest.mark.parametrize(("name", "lacks"), [("pool", "data.pool"), ("generate", "data.generators")])
def test_proposers_that_have_nothing_to_draw_from_are_said(tmp_path: Path, name: str, lacks: str) -> None:
    spec = autodc.load(write_world(tmp_path, **SMALL, loop__propose=["given", name]))
    (told,) = (w for w in read_inputs(spec).warnings if "loop.propose" in w)
    assert lacks in told


def people(folder: Any, columns: Any = 4) -> Any:
    """A study of people of whom a few answers of four are known."""
    folder.mkdir(exist_ok=True)
    for seed, (name, rows) in enumerate((("base", 400), ("night", 200), ("validation", 1500))):
        rng = np.random.default_rng(seed)
        x = rng.integers(0, 4, (rows, columns))
        y = x.sum(axis=1) + rng.integers(0, 2, rows) > 1.5 * columns
        table = ",".join([*(f"c{i}" for i in range(columns)), "target"])
        np.savetxt(folder / f"{name}.csv", np.c_[x, y], fmt="%d", delimiter=",", header=table, comments="")
    study = {
        "schema_version": 1,
        "name": "people",
        "task": {"kind": "classification", "trainer": "sklearn", "options": {"estimator": "DecisionTreeClassifier"}},
        "data": {
            "base": {"source": "base.csv"},
            "candidates": [{"name": "night", "source": "night.csv"}],
            "validation": {"source": "validation.csv"},
        },
        "metrics": {"primary": "accuracy"},
        "slices": [{"name": "overall", "role": "target"}],
        "budget": {"trainings": 24},
        "tracking": {"uri": "none"},
    }
    (folder / "study.yaml").write_text(json.dumps(study))
    return folder / "study.yaml"


@pytest.mark.parametrize("overrides", [(), ("data.max_overlap=1",), ("data.overlap=drop",), ("data.overlap=allow",)])
def test_a_coarse_table_trains_on_all_its_rows_and_every_validation_row_counts(tmp_path: Path, overrides: Any) -> None:
    found = preflight(autodc.load(people(tmp_path), overrides))
    rows = {row["name"]: row for row in found["datasets"]}
    assert (rows["base"]["rows"], rows["base"]["left_out"], rows["base"]["near_copies"]) == (400, 0, 0)
    assert (rows["night"]["rows"], rows["night"]["left_out"]) == (200, 0)
    assert found["slices"][0]["counting_rows"] == 900
    assert any("different examples" in words for words in found["warnings"])
    assert not any("near copies" in words for words in found["warnings"])


@pytest.mark.parametrize(("overlap", "left_out"), [("allow", 0), ("drop", 20)])
def test_near_copies_are_told_by_their_rows_and_stay_and_equal_rows_are_not_told_twice(
    tmp_path: Path, overlap: str, left_out: int
) -> None:
    study = write_world(tmp_path, **SMALL, data__overlap=overlap)
    held, base = (dict(np.load(tmp_path / "data" / f"{name}.npz")) for name in ("validation", "base"))
    base["x"][:20] = held["x"][:20]
    base["x"][20:50] = held["x"][120:150] + 1e-6
    np.savez(tmp_path / "data" / "base.npz", **base)
    found = preflight(autodc.load(study))
    (row,) = (row for row in found["datasets"] if row["name"] == "base")
    assert (row["rows"], row["left_out"], row["near_copies"]) == (240 - left_out, left_out, 30)
    assert any("20 of 240 rows (8.3%) of `base` are also in `validation` (20)" in w for w in found["warnings"])
    (told,) = (w for w in found["warnings"] if "near copies" in w)
    assert "30 of 600 rows of validation (5.0%) are near copies of rows in base" in told
    assert "(row 120 of validation and row 20 of base; row 121 of validation and row 21 of base)" in told


PROGRAM = """
import json, resource, sys
import autodc
from autodc.verbs.check import preflight
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
spec = autodc.load(sys.argv[1])
preflight(autodc.load(sys.argv[2]))
before = peak()
preflight(spec)
print(json.dumps(peak() - before))
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["table", "images"])
def test_check_takes_little_more_memory_than_the_data(tmp_path: Path, kind: Any) -> None:
    rng, touched = np.random.default_rng(0), 0
    small = write_world(tmp_path, **SMALL)
    for name, rows in (("base", 150_000), ("lamps", 5000), ("validation", 10_000)):
        shape = (rows, 100) if kind == "table" else (rows, 28, 28)
        x = rng.normal(size=shape) if kind == "table" else rng.integers(0, 256, shape, dtype=np.uint8)
        np.savez(tmp_path / f"{name}.npz", x=x, y=rng.integers(0, 3, rows))
        touched += x.nbytes
    large = json.loads(small.read_text())
    large["data"] = {
        "base": {"source": "base.npz"},
        "candidates": [{"name": "lamps", "source": "lamps.npz"}],
        "validation": {"source": "validation.npz"},
    }
    large["slices"] = [{"name": "overall", "role": "target"}]
    (tmp_path / "large.yaml").write_text(json.dumps(large))
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "large.yaml"), str(small)]
    grown = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert grown <= 1.5 * touched, f"{grown / touched:.2f} times the data"
