"""The study of noisy and clean pictures, whole: what was planted, four pictures a row, filters that learned nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

import autodc
from autodc.data.hashing import among, row_hashes
from autodc.data.where import select
from autodc.studyfile import load
from autodc.studyfile.study import MachineSpec
from autodc.verbs.init import write_example
from autodc.wire.inputs import read_inputs

CONFIG = Path(__file__).resolve().parents[2] / "configs/denoise"
SLICE_ROWS = 500


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The example as `autodc init` writes it."""
    return load(write_example(tmp_path_factory.mktemp("denoise") / "study", "denoise")["study"])


@pytest.mark.slow
def test_pairs_are_real_and_their_sides_apart(study: Any) -> None:
    catalogue = read_inputs(study).catalogue
    assert not any(catalogue.left_out.values())
    training = {tile for name in ("base", *catalogue.candidates) for tile in catalogue[name].groups}
    assert not training & {*catalogue.validation.groups, *catalogue.test.groups}
    assert not set(catalogue.validation.groups) & set(catalogue.test.groups)
    for data in (catalogue.validation, catalogue.test):
        for part in study.slices[1:]:
            rows = select(part.where, data.metadata, None, place=part.name)
            assert rows.sum() >= SLICE_ROWS, part.name
            assert len(set(data.groups[rows])) == rows.sum(), part.name
    assert among(row_hashes(catalogue["tripod"].x), row_hashes(catalogue.base.x)).all()


@pytest.mark.slow(seconds=250)
@pytest.mark.timeout(1500)
def test_what_was_planted_is_found_and_shown(study: Any, tmp_path: Path) -> None:
    truth = YAML(typ="safe").load((CONFIG / "truth.yaml").read_text())
    found = autodc.run(study, MachineSpec(runner="inline"), tmp_path / "run")
    content = found.content
    # One cure may do for both where the search, which weighs measured milliseconds too, ends at a network of its own.
    assert set(truth["cures"]) & set(found.kept)
    assert not set(found.kept) & set(truth["mislabelled"])
    test = content["test"]
    assert test["after"]["night"] > test["before"]["night"] + 2
    assert test["after"]["dust"] > test["before"]["dust"] + 4
    assert all(point["tradeoffs"]["predict_ms"]["estimate"] > 0 for point in content["pareto"])

    filters = {name: content["baselines"][name] for name in study.baselines}
    assert filters["constant"]["standing"] == "ahead"
    assert filters["filters.py:Median"]["slices"]["dust"]["value"] > content["validation"]["before"]["dust"]

    page = (tmp_path / "run/report/index.html").read_text()
    shown = page[page.index('id="findings"') :]
    for name in ("input", "output", "truth", "error"):
        assert f'alt="{name} of row' in shown
    before_and_after = page[page.index('id="gallery"') : page.index('id="findings"')]
    for name in ("input", "before", "after", "truth", "error before", "error after"):
        assert f'alt="{name} of row' in before_and_after

    median = autodc.evaluate(study, "filters.py:Median", against=str(tmp_path / "run"), out=tmp_path / "page")
    slices = median.to_dict()["slices"]
    assert slices["night"]["value"] < median.to_dict()["against"]["slices"]["night"]["value"]
    assert "night" in median.regressions
    assert np.isclose(slices["dust"]["value"], filters["filters.py:Median"]["slices"]["dust"]["value"], atol=1.0)
