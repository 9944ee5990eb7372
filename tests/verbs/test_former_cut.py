"""A study of before search and gate had rows of their own goes on by the cut it began with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodc
from autodc import seeds
from autodc.adapters.journal import JOURNAL, SqliteJournal, state_of
from autodc.data.split import split
from autodc.studyfile.study import MachineSpec
from autodc.testing.worlds.cells import write_world
from autodc.wire.inputs import read_inputs
from autodc.wire.study import given_events, started_event

SHORT = {"budget__trainings": 24, "loop__rounds": 1, "search__trials_per_round": 6}


def begun_formerly(folder: Path, share: float, **changes: Any) -> Any:
    """A study that an autodc began whose study files had `diagnosis_share`; and its study file of today."""
    spec = autodc.load(write_world(folder, **SHORT, **changes))
    event = started_event(read_inputs(spec))
    shown = {**event.spec, "data": {**event.spec["data"], "diagnosis_share": share}}
    shown["data"].pop("explore_share")
    shown["gate"] = {k: v for k, v in shown["gate"].items() if k not in ("evidence", "in_doubt")}
    (folder / "out").mkdir()
    journal = SqliteJournal(folder / "out" / JOURNAL)
    journal.append([replace(event, rules=0, spec=shown), *given_events(read_inputs(spec))])
    journal.close()
    return spec


@pytest.mark.slow
def test_search_and_gate_share_the_rows_that_were_not_set_apart(tmp_path: Path) -> None:
    wide = [
        {"name": "overall", "role": "guard", "margin": 0.1},
        {"name": "dark", "where": "region = 'dark'", "role": "target"},
    ]
    spec = begun_formerly(tmp_path, 0.4, slices=wide)
    inputs = read_inputs(spec, tmp_path / "out")
    diagnosis, others = split(inputs.catalogue.validation, 0.4, seeds.integer(spec.seed, "diagnosis"))
    np.testing.assert_array_equal(inputs.separation.explore, diagnosis)
    for side in (inputs.separation.sides.explore, inputs.separation.sides.gate):
        np.testing.assert_array_equal(side["validation"], others)
    assert (inputs.spec.data.explore_share, inputs.spec.gate.evidence) == (0.4, "each")
    autodc.run(spec, MachineSpec(runner="inline"), tmp_path / "out")
    for _, outcome in state_of(tmp_path / "out").ended():
        assert outcome.searched == pytest.approx(outcome.slices)


@pytest.mark.slow
def test_what_was_too_small_to_be_cut_stays_uncut(tmp_path: Path) -> None:
    spec = begun_formerly(tmp_path, 0.4, gate__min_rows=200)
    assert not read_inputs(spec, tmp_path / "out").separation.is_cut


@pytest.mark.slow
def test_a_study_that_set_nothing_apart_is_not_cut_now(tmp_path: Path) -> None:
    spec = begun_formerly(tmp_path, 0.0)
    inputs = read_inputs(spec, tmp_path / "out")
    assert not inputs.separation.is_cut
    assert len(inputs.gate["overall"].rows) == 600
