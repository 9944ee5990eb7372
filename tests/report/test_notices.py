"""What must be told whatever came of a study: a learner that never varies, what an end left undecided."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autodc.errors import AutodcError
from autodc.plan.plan import Plan
from autodc.review import notices, views
from autodc.review.concerns import concerns
from autodc.review.numbers import Numbers
from autodc.review.status import status
from autodc.studyfile import load
from autodc.testing.worlds.cells import write_world
from autodc.verbs.check import preflight

CARD = {"role": "target", "margin": None, "weight": 1.0, "rows": 260, "groups": 13, "counting": 13.0, "needed": 20}
FINE = {"role": "target", "margin": None, "weight": 1.0, "rows": 400, "groups": 400, "counting": 400, "needed": None}


def test_small_slices_are_named_with_rows_and_groups() -> None:
    (alarm,) = notices.slice_alarms({"dark": FINE, "tiny": CARD})
    assert alarm.startswith("slice tiny is no evidence: 13 groups in 260 rows, 20 needed")
    guard = {**CARD, "role": "guard", "margin": 0.01}
    nobody, small = notices.slice_alarms({"dark": FINE, "tiny": guard})
    assert nobody == "no guard has rows enough to show anything: nothing is guarded"
    assert "it guards nothing" in small
    assert notices.slice_alarms({"tiny": CARD})[0].endswith("nothing can be kept")
    assert notices.slice_alarms({"old": {"role": "target", "margin": None, "rows": 5}}) == []


@pytest.mark.slow
def test_check_says_that_nothing_could_be_kept_and_what_is_small(tmp_path: Path) -> None:
    found = preflight(load(write_world(tmp_path), ["gate.min_rows=350"]))
    assert found["can_keep"] is False
    assert any(a.startswith("slice dark is no evidence") for a in found["alarms"])
    assert set(found["alarms"]) <= set(found["warnings"])
    fine = preflight(load(tmp_path / "study.yaml"))
    assert (fine["alarms"], fine["can_keep"]) == ([], True)


def calibrated(night: Any, *values: Any) -> Any:
    study = night()
    for value in values:
        study.train({"overall": 0.8, "dark": value})
    return study


@pytest.mark.parametrize(("values", "same"), [((0.6,), 0), ((0.6, 0.61), 0), ((0.6, 0.6, 0.6), 3)])
def test_calibrations_that_score_the_same_are_a_deterministic_learner(night: Any, values: Any, same: Any) -> None:
    assert notices.identical_calibrations(calibrated(night, *values).state()) == same


def test_a_deterministic_learner_is_named_in_status_why_result_and_report(night: Any) -> None:
    study = calibrated(night, 0.6, 0.6)
    study.train({"overall": 0.8, "dark": 0.7}, "gate", Plan.of({"base": 1.0, "fog": 1.5}, {"lr": 0.03}))
    study.decide("fog", "keep", 0.0715, ("ADC-G001",)).open(0.6, 0.66, 0.06).finish()
    state, words = study.state(), "the 2 calibration trainings are identical: this learner is deterministic"
    assert words in status(state)["alarms"][0]
    assert "Intervals leave out what another draw of training rows would do" in status(state)["alarms"][0]
    assert len(status(state)["alarms"][0]) <= 2 * 80
    assert words in views.why(state, "fog")["alarms"][0]
    assert words in study.result()["warnings"][0]
    told = concerns(state, study.result(), Numbers(3))
    assert any(w.tone == "bad" and words in w.text.lower() for w in told)


def test_a_study_that_ends_by_its_rounds_says_what_is_left_and_what_would_go_on(night: Any) -> None:
    study = calibrated(night, 0.6, 0.61).decide("fog", "undecided", 0.01, ("ADC-G030", "ADC-G034")).finish("rounds")
    left = notices.left_over(study.state())
    assert left["undecided"] == ["fog", "noise"]
    assert left["settle"] == ["--set loop.rounds=4"]
    assert "`--set loop.rounds=4` goes on with another round" in status(study.state())["left"]["text"]
    assert study.result()["left"] == left
    assert any("loop.rounds=4" in w.text for w in concerns(study.state(), study.result(), Numbers(3)))


def test_what_looked_like_a_leak_may_be_trusted(night: Any) -> None:
    study = calibrated(night, 0.6, 0.61).decide("fog", "undecided", 0.3, ("ADC-G040",)).finish("rounds")
    assert "--set 'gate.trust=[fog]'" in notices.left_over(study.state())["settle"]


@pytest.mark.parametrize("because", ["budget.trainings", "until"])
def test_nothing_is_left_where_the_budget_ended_the_study(night: Any, because: Any) -> None:
    study = calibrated(night, 0.6, 0.61).decide("fog", "undecided", 0.01, ("ADC-G030",)).finish(because)
    assert notices.left_over(study.state()) is None


def test_nothing_is_left_where_all_is_decided(night: Any) -> None:
    study = calibrated(night, 0.6, 0.61)
    for name in ("fog", "noise"):
        study.decide(name, "drop", -0.01, ("ADC-G020",))
    assert notices.left_over(study.finish("rounds").state()) is None


def test_decisions_say_the_level_of_their_intervals(whole: Any) -> None:
    for one in whole.result()["decisions"]:
        assert all(0 < seen["level"] < 1 for seen in one["slices"].values())
    assert views.verdict_rows(whole.state())[0]["level"] == pytest.approx(0.9)


def test_who_is_trusted_is_a_candidate(tmp_path: Path) -> None:
    file = write_world(tmp_path)
    assert load(file, ["gate.trust=[lamps]"]).gate.trust == ("lamps",)
    with pytest.raises(AutodcError, match="did you mean lamps") as caught:
        load(file, ["gate.trust=[lmaps]"])
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("because", "ended"),
    [
        ("until", "the time was over"),
        ("budget.wall_clock", "the time was over"),
        ("budget.trainings", "the budget of trainings ended"),
        ("rounds", "the study ended"),
    ],
)
def test_a_dataset_that_was_not_tested_is_told_what_ended_first(night: Any, because: Any, ended: Any) -> None:
    state = calibrated(night, 0.6).finish(because).state()
    (row,) = (row for row in views.verdict_rows(state) if row["dataset"] == "fog")
    assert row["why"].endswith(f"it seemed to help, and {ended} before it was compared")


def test_looks_are_values_and_those_that_come_later_join_them(night: Any) -> None:
    study = night().train({"overall": 0.8, "dark": 0.6}).decide("fog", "undecided", 0.01, ("ADC-G030",))
    (comparison,) = study.state().comparisons
    (first,) = comparison.typed_looks
    assert (first.pairs, first.slices["dark"].difference, first.slices["overall"].step) == (2, 0.01, "holds")
    comparison.looks.append({**comparison.looks[0], "pairs": 3})
    assert [look.pairs for look in comparison.typed_looks] == [2, 3]
    assert comparison.typed_looks[0] is first


def test_alike_warnings_are_told_once_by_status_and_page_too(night: Any) -> None:
    study = night(warnings=tuple(f"column `a` of {name} is left out" for name in ("base", "fog", "noise")))
    told = "column `a` of base is left out (the same of fog, noise)"
    state = study.state()
    assert status(state)["warnings"] == [told]
    assert [one.text for one in concerns(state, study.result(), Numbers(3)) if "left out" in one.text] == [told]
