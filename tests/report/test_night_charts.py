"""What the page draws of a night: models over rounds, search beside chance, workers, failures, the data behind it."""

from __future__ import annotations

import base64
import csv
import io
import json
from typing import Any

import numpy as np
import pytest

from autodc.plan.plan import Plan
from autodc.plan.trial import Outcome
from autodc.report import front, over_time, sections
from autodc.report.downloads import decisions, downloads, trials
from autodc.report.galleries import before_and_after
from autodc.report.page import render
from autodc.report.progress import search_progress
from autodc.report.usage import usage
from autodc.review.failed import failed
from autodc.review.numbers import Numbers
from autodc.review.reproduce import reproduce
from autodc.study.journal import events as ev

WITH_FOG = Plan.of({"base": 1.0, "fog": 1.5}, {"lr": 0.03})


def test_slices_and_mixture_from_the_start_to_the_end(whole: Any) -> None:
    state = whole.state()
    drawn = over_time.slices_over_rounds(state, Numbers(3))
    assert [one["slice"] for one in drawn] == ["overall", "dark"]
    dark = drawn[1]["marks"]
    assert [one["name"] for one in dark] == ["start", "round 1"]
    assert dark[0]["value"] == pytest.approx(0.62)
    assert dark[0]["y"] > dark[1]["y"]
    assert drawn[0]["margin"] is not None
    told = over_time.mixture_over_rounds(state)
    assert told is not None
    assert [row["name"] for row in told["rows"]] == ["base", "fog"]
    assert [cell["weight"] for cell in told["rows"][1]["cells"]] == [0.0, 1.5]


def test_quality_against_cost_is_drawn_of_a_study_that_searched_for_quality_alone(night: Any) -> None:
    study = night()
    plans = [Plan.of({"base": 1.0}, {"lr": lr}) for lr in (0.01, 0.02, 0.03, 0.04)]
    for plan, value, cost in zip(plans, (0.5, 0.7, 0.6, 0.8), (1.0, 2.0, 3.0, 4.0), strict=True):
        study.train({"overall": 0.8, "dark": value}, "search", plan, predict_ms=cost)
    outcome = Outcome(status="done", slices={"overall": 0.7, "dark": 0.65}, predict_ms=0.5)
    study.add(ev.BaselineMeasured(name="rules.py:Threshold", outcome=outcome.to_dict()))
    found = front.section(study.state(), study.result(), 1.0)
    assert found is not None
    assert not found["believed"]
    (chart,) = found["charts"]
    assert chart["what"] == "prediction time", "of sizes nothing was measured"
    assert [one["value"] for one in chart["front"]] == pytest.approx([0.5, 0.7, 0.8])
    assert [(one["name"], one["value"]) for one in chart["simple"]] == [("Threshold", 0.65)]
    assert chart["simple"][0]["x"] < min(one["x"] for one in chart["points"])
    assert "nobody searched for cheap ones" in render(study.state(), study.result())


def test_every_decision_lies_on_one_scale_and_right_is_worth_having(whole: Any) -> None:
    rows = sections.forest(whole.state())
    assert [(row["subject"], row["word"]) for row in rows] == [("fog", "kept"), ("noise", "dropped")]
    assert rows[0]["bar"]["point"] > rows[0]["bar"]["zero"] > rows[1]["bar"]["point"]


def test_the_search_is_held_against_as_many_random_plans(night: Any) -> None:
    study = night()
    for number, value in enumerate([0.5, 0.6, 0.55, 0.65, 0.7, 0.72, 0.71, 0.8]):
        study.train({"overall": 0.8, "dark": value}, "search", WITH_FOG)
        planned = study.events[-2]
        origin = "screen" if number < 4 else "thompson"
        study.events[-2] = ev.TrialPlanned(trial=planned.trial, round=1, horizon=0, origin=origin)
    chart = search_progress(study.state(), 1.0)
    assert chart is not None
    assert chart["found"] == pytest.approx(0.8)
    assert chart["unchosen"] == 4
    assert 0.65 < chart["by_chance"] < 0.8  # mean .575, sd .065, the best of eight 1.4 sd above it
    assert search_progress(night().state(), 1.0) is None


def test_workers_and_where_the_rest_went(night: Any) -> None:
    study = night()
    study.events[2] = ev.PhaseStarted(round=1, phase="search", time=100.0)
    study.train({"overall": 0.8, "dark": 0.6}, "search").train({"overall": 0.8, "dark": 0.6}, "search")
    study.add(
        ev.PhaseStarted(round=1, phase="diagnose", time=102.0), ev.PhaseStarted(round=1, phase="gate", time=104.0)
    )
    chart = usage(study.state())
    assert chart is not None
    rows = {row["name"]: row for row in chart["rows"]}
    assert rows["search"]["busy"] == "50%"  # two trainings of a second, one after the other, on two workers
    assert rows["diagnose"]["busy"] == "0%"
    assert rows["diagnose"]["idle"] == "4 s"
    assert usage(night().state()) is None


def test_failed_trainings_stand_with_their_reasons(night: Any) -> None:
    study = night().train(None, "search", WITH_FOG).train({"overall": 0.8, "dark": 0.6})
    (row,) = failed(study.state())
    assert row["number"] == 0
    assert row["with"] == ["fog"]
    assert row["why"].startswith("RuntimeError")
    assert "1 training failed" in render(study.state(), study.result())


def test_the_data_of_the_page_come_with_it(whole: Any) -> None:
    state, result = whole.state(), whole.result()
    files = {file["name"]: str(file["address"]) for one in downloads(state, result, 1.0) for file in one["files"]}
    text = base64.b64decode(files["trials.csv"].partition("base64,")[2]).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["trial"] for row in rows] == ["0", "1", "2", "3"]
    assert rows[2]["weight.fog"] == "1.5"
    assert float(rows[2]["slice.dark"]) == 0.7
    assert rows[0]["weight.fog"] == ""
    assert json.loads(base64.b64decode(files["result.json"].partition("base64,")[2])) == json.loads(json.dumps(result))
    assert len(decisions(result)) == sum(len(one["slices"]) + 1 for one in result["decisions"])


def test_scores_in_the_data_are_in_the_units_of_the_metric(night: Any) -> None:
    study = night(metric="rmse", kind="regression").train({"overall": -4.0, "dark": -6.0})
    (row,) = trials(study.state(), -1.0)
    assert row["slice.dark"] == 6.0
    assert row["objective"] == 6.0


def test_who_would_do_it_again_finds_command_machine_and_fingerprints(whole: Any) -> None:
    facts = {"python": "3.12.1", "cores": "8"}
    whole.events[1] = ev.SessionStarted(
        slots=2, machine={"runner": "inline"}, time=100.0, command="autodc run a.yaml --out b", environment=facts
    )
    told = reproduce(whole.state(), "b")
    assert told["command"] == "autodc run a.yaml --out NEW"
    assert told["environment"] == {**facts, "runner": "inline"}
    page = render(whole.state(), whole.result())
    assert "3.12.1" in page
    assert "autodc run a.yaml --out NEW" in page


@pytest.mark.parametrize("kind", ["image", "text", "table"])
def test_the_same_rows_stand_before_and_after(whole: Any, kind: str) -> None:
    state = whole.state()
    assert state.start is not None
    assert state.incumbent is not None
    start, end = np.eye(3)[[0, 0, 1, 2]], np.eye(3)[[1, 2, 2, 2]]
    rows = [
        {
            "id": 0,
            "error": 1.0,
            "target": "b",
            "prediction": "a",
            "values": {"hour": 3.0},
            "text": "a dark <b>street</b>",
        },
        {"id": 1, "error": 1.0, "target": "c", "prediction": "a", "values": {"hour": 4.0}, "text": "fog"},
        {"id": 2, "error": 0.0, "target": "b", "prediction": "b", "values": {"hour": 5.0}, "text": "noon"},
        {"id": 3, "error": 0.0, "target": "c", "prediction": "c", "values": {"hour": 9.0}, "text": "sun"},
    ]
    cards = {"kind": kind, "failing": 2, "rows": rows}
    stored: dict[str, Any] = {"cards": np.frombuffer(json.dumps(cards).encode(), dtype=np.uint8)}
    if kind == "image":
        stored["inputs"] = np.zeros((4, 5, 5, 3), dtype=np.uint8)
    kept = {"s": {"validation": start}, "e": {"validation": end}, "x": stored}
    whole.add(
        ev.DiagnosisMade(round=1, horizon=0, plan=state.start.to_dict(), trial=0, rows=4, findings=1),
        ev.FindingMade(
            id="F1", code="ADC-D001", round=1, horizon=0, basis="attributes", rule="hour < 6.0", status="confirmed",
            found=3, confirmed=3, by="beam", exhibit="x", ids=(0, 1),
            error={"inside": 0.4, "outside": 0.1, "difference": 0.3, "low": 0.2, "high": 0.4},
        ),
    )  # fmt: skip
    state = whole.state()
    assert state.start is not None
    assert state.incumbent is not None
    state.outputs |= {state.start: "s", state.incumbent: "e"}
    told = before_and_after(state, kept.get)
    assert told is not None
    groups = {one["words"]: [row["card"]["id"] for row in one["rows"]] for one in told["groups"]}
    assert groups == {"Wrong at the start, right at the end": [0, 1], "Right at the start, wrong at the end": [2]}
    assert [(row["before"], row["after"]) for row in told["groups"][0]["rows"]] == [("a", "b"), ("a", "c")]
    page = render(state, whole.result(), kept.get)
    assert "The same rows, before and after" in page
    assert "<b>street</b>" not in page
