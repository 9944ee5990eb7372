"""What is said of a budget before the night is what the night then does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import autodc
from autodc.study.rules import affordable
from autodc.studyfile.study import MachineSpec, StudySpec
from autodc.testing.worlds.cells import write_world


def spec_of(folder: Path, trainings: int | None, **more: Any) -> StudySpec:
    return autodc.load(write_world(folder, budget__trainings=trainings, data__explore_share=0.4, **more))


@pytest.mark.parametrize("evidence", ["together", "each"])
def test_the_budget_that_is_named_is_the_smallest_that_pays(tmp_path: Path, evidence: str) -> None:
    poor = spec_of(tmp_path, 8, gate__evidence=evidence, gate__looks=[2, 3, 5])
    least = affordable.budget_for(poor, affordable.needed(poor)[1])
    assert least is not None
    (told,) = affordable.unpaid(poor)
    assert re.match("budget.trainings: 8 (compares|may compare) no candidate", told)
    assert f"{least} compare" in told
    for trainings, warned in ((least - 1, True), (least, False), (4 * least, False), (None, False)):
        spec = spec_of(tmp_path, trainings, gate__evidence=evidence, gate__looks=[2, 3, 5])
        assert bool(affordable.unpaid(spec)) == warned


def test_without_candidates_nothing_is_said(tmp_path: Path) -> None:
    assert affordable.unpaid(spec_of(tmp_path, 8, data__candidates=[])) == []


@pytest.mark.slow
@pytest.mark.parametrize("rounds", [1, 3])
def test_the_night_does_what_was_said(tmp_path: Path, rounds: int) -> None:
    asked = spec_of(tmp_path, 8, loop__rounds=rounds)
    least, sure = (affordable.budget_for(asked, count) for count in affordable.needed(asked))
    assert least is not None
    assert sure is not None
    for trainings, compares in ((least - 1, False), (sure, True)):
        spec = spec_of(tmp_path, trainings, loop__rounds=rounds)
        found = autodc.run(spec, MachineSpec(runner="inline"), tmp_path / f"out-{trainings}").to_dict()
        asked_of = [one["subject"] for one in found["decisions"] if one["kind"] != "tuning"]
        assert bool(asked_of) == compares, trainings
        assert any("compares no candidate" in words for words in found["warnings"]) != compares
