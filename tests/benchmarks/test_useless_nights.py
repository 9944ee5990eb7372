"""Nights of useless candidates: the truth of a population is what its law says, and a night is held against it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from autodc.plan.plan import Plan
from benchmarks.gate.population import OBJECTIVE, TARGETS
from benchmarks.gate.useless import LAW, Case, any_kept, night, page, unconfirmed, world

TINY = Case(candidates=2, rows=600, number=0, trainings=16, trials=4, tunings=2, truth_rows=20_000)


def test_the_truth_of_a_plan_is_the_accuracy_that_the_law_allows() -> None:
    one = world(replace(TINY, truth_rows=100_000))
    said = np.linspace(-8, 8, 4001)
    density = np.exp(-(said**2) / 2) / np.sqrt(2 * np.pi)
    best = float(np.trapezoid(density * expit(LAW.steep * np.abs(said)), said))
    found = one.truth(one.problem.start, 4)
    assert found[OBJECTIVE].shape == (1,)
    assert found[OBJECTIVE][0] == pytest.approx(best, abs=0.005)
    assert found[OBJECTIVE][0] == pytest.approx(np.mean([found[name][0] for name in TARGETS]))
    off = Plan.of({}, {**one.problem.start.settings, "shift": 0.6})
    assert one.truth(off, 4)[OBJECTIVE][0] < best - 0.03


def test_rows_that_are_drawn_anew_make_a_certain_learner_uncertain() -> None:
    one = world(TINY)
    drawn = Plan.of({"set_00": 0.5}, one.problem.start.settings)
    assert one.is_certain(one.everything)
    assert not one.is_certain(drawn)
    assert len(set(one.truth(drawn, 3)[OBJECTIVE])) > 1


@pytest.mark.slow
def test_a_night_runs_to_its_end_and_knows_what_was_true() -> None:
    found = night(TINY)
    assert abs(found["everything"] - found["start"]) < 0.01
    assert found["end"] == found["bare"] or found["kept"]
    assert not any_kept(found) or found["kept"] == sorted(found["kept"])
    text = page([{**found, "commit": "abc"}])
    assert "Commits: abc." in text
    assert "| K = 2, 600 rows | 1 |" in text


def test_a_tuning_that_fresh_rows_do_not_confirm_is_counted_and_one_that_they_confirm_is_not() -> None:
    keep = {"kind": "tuning", "settings": True, "truth": -0.001}
    assert unconfirmed({"keeps": [keep]})
    assert not unconfirmed({"keeps": [{**keep, "truth": 0.001}]})
    assert not unconfirmed({"keeps": [{**keep, "kind": "dataset", "settings": False}]})
