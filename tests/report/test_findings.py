"""Findings in words, on the page, in one line, in MLflow: what a reader is told of where the model fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodc.adapters.mlflow.projection import Projection
from autodc.errors import InputError
from autodc.report import write_report
from autodc.report.findings import drawn
from autodc.review import findings
from autodc.review.rule_words import rule_words
from autodc.review.status import status
from autodc.study.journal import events as ev


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("hour < 6.0", "hour below 6"),
        ("hour >= 2.5 AND hour < 6.0", "hour at least 2.5 and below 6"),
        ("abs(angle) > 20", "abs(angle) above 20"),
        ("employer LIKE 'a) > 3'", "employer LIKE 'a) > 3'"),
        ("heat < -3.0 AND region = 'dark'", "heat below -3 and region is 'dark'"),
        ("kind IN ('a AND b', 'it''s')", "kind one of 'a AND b', 'it''s'"),
        ('"odd name" IS NULL AND wet = true', "odd name missing and wet is true"),
    ],
)
def test_a_rule_is_said_as_a_person_says_it(rule: str, words: str) -> None:
    assert rule_words(rule) == words


def found(number: int, status_: str, rule: str = "hour < 6.0", **more: Any) -> ev.FindingMade:
    return ev.FindingMade(
        **{
            "id": f"F{number}",
            "code": "ADC-D001",
            "round": 1,
            "horizon": 0,
            "basis": "attributes",
            "rule": rule,
            "status": status_,
            "found": 61,
            "confirmed": 55,
            "error": {"inside": 0.44, "outside": 0.11, "difference": 0.33, "low": 0.21, "high": 0.45},
            "by": "beam",
            "causes": (
                {"attribute": "hour", "difference": -2.0, "low": -2.4, "high": -1.6, "failing": 2.1, "passing": 13.0},
            ),
            "ids": (7, 3),
            "time": 105.0,
            **more,
        }
    )


def made(night: Any, count: int, **more: Any) -> ev.DiagnosisMade:
    told = {"round": 1, "horizon": 0, "plan": night.start.to_dict(), "trial": 0, "rows": 240, "findings": count}
    return ev.DiagnosisMade(**{**told, **more})


def test_the_page_tells_confirmed_and_suspected_apart(night: Any, tmp_path: Path) -> None:
    rows = night().train({"overall": 0.8, "dark": 0.5})
    rows.add(made(rows, 2), found(1, "confirmed"), found(2, "suspected", "noise >= 1.0"))
    page = write_report(rows.state(), rows.result(), tmp_path).read_text()
    section = page[page.index('id="findings"') :]
    confirmed, suspected = section.split("Suspected, not confirmed")[:2]
    assert "F1: hour below 6" in confirmed
    assert "44% of the rows inside are wrong, 11% elsewhere" in confirmed
    assert "+21 to +45" in confirmed
    assert "F2: noise at least 1" in suspected
    assert status(rows.state())["findings"] == "F1 hour below 6 (+33 points); 1 suspected"


@pytest.mark.parametrize("hostile", ["</details><script>alert(1)</script>", "{{ 7 * 7 }}", "a' AND b"])
def test_what_comes_from_data_is_text_and_nothing_else(night: Any, tmp_path: Path, hostile: str) -> None:
    rows = night().train({"overall": 0.8, "dark": 0.5})
    rule = f"\"{hostile}\" = '{hostile.replace(chr(39), chr(39) * 2)}'"
    rows.add(made(rows, 1, notes=({"code": "ADC-DIAG-004", "got": hostile},)), found(1, "confirmed", rule))
    page = write_report(rows.state(), rows.result(), tmp_path).read_text()
    assert "<script" not in page
    assert "{{ 7" in page or "{{" not in hostile


def test_rows_are_shown_with_their_pictures_and_a_lost_exhibit_is_none(night: Any) -> None:
    rows = night().train({"overall": 0.8, "dark": 0.5})
    rows.add(made(rows, 1), found(1, "confirmed", exhibit="somewhere"))
    card = {"id": 7, "target": "cat", "prediction": "dog", "error": 1.0, "values": {"hour": 2, "note": None}}
    cards = {"kind": "image", "failing": 1, "rows": [card, {**card, "id": 9, "prediction": "cat"}]}
    arrays = {
        "cards": np.frombuffer(json.dumps(cards).encode(), dtype=np.uint8),
        "inputs": np.zeros((2, 8, 8, 3), dtype=np.uint8),
    }
    (shown,) = drawn(findings.views(rows.state()), {"somewhere": arrays}.get)
    assert [one["id"] for one in shown["shown"]["failing"]] == [7]
    assert [one["id"] for one in shown["shown"]["passing"]] == [9]
    assert shown["shown"]["failing"][0]["pictures"][0]["source"].startswith("data:image/png;base64,")
    assert shown["shown"]["failing"][0]["values"] == {"hour": "2", "note": "–"}
    assert drawn(findings.views(rows.state()), lambda address: None)[0]["shown"] is None


def test_why_of_a_finding_and_what_can_be_promoted(night: Any) -> None:
    rows = night().train({"overall": 0.8, "dark": 0.5})
    rows.add(
        made(rows, 3),
        found(1, "confirmed"),
        found(2, "suspected"),
        found(3, "confirmed", "", basis="cluster", code="ADC-D002"),
    )
    told = findings.why(rows.state(), "F1")
    assert told["of_incumbent"]
    assert told["why"] == ["hour lower by 2.00 standard deviations, 2.1 where it fails and 13 where it passes"]
    assert told["ids"] == [7, 3]
    assert findings.promotable(rows.state(), "F1").rule == "hour < 6.0"
    for name, code in (("F9", "006"), ("f1", "006"), ("F2", "007"), ("F3", "008")):
        with pytest.raises(InputError, match=f"ADC-DIAG-{code}") as caught:
            findings.promotable(rows.state(), name)
        assert "F1" in caught.value.hint


def test_what_a_finding_is_held_against_and_what_would_settle_it_is_said(night: Any, tmp_path: Path) -> None:
    rows = night().train({"overall": 0.8, "dark": 0.5})
    rows.add(
        made(rows, 4),
        found(1, "confirmed", "abs(angle) > 20", by="slices", found=0, told={"slice": "turned", "aside": 40}),
        found(2, "confirmed", told={"aside": 1}),
        found(3, "suspected", "noise >= 1.0", told={"rows_needed": 1600}),
        found(4, "suspected", "noise < 0.5"),
    )
    named, beside, suspected, other = findings.views(rows.state())
    assert named["words"] == "slice turned: abs(angle) above 20"
    assert named["size"] == "55 rows, named by the study before any was seen"
    assert "11% of those in no target slice" in named["sentence"]
    assert "11% elsewhere, less 1 row that a surer one has" in beside["sentence"]
    assert suspected["settled_by"] == "about 1,600 explore rows would confirm it, if it is as large as it looks"
    assert other["settled_by"] == ""
    page = write_report(rows.state(), rows.result(), tmp_path).read_text()
    assert "about 1,600 explore rows would confirm it" in page
    with pytest.raises(InputError, match="F1 is a slice of this study already") as caught:
        findings.promotable(rows.state(), "F1")
    assert caught.value.code == "ADC-RUN-090"


def test_what_was_confirmed_before_and_holds_no_more_is_gone(night: Any, tmp_path: Path) -> None:
    rows = night().train({"overall": 0.8, "dark": 0.5})
    rows.add(
        made(rows, 3),
        found(1, "confirmed", ids=(1, 2, 3, 4)),
        found(2, "confirmed", "heat < -3.0", ids=(11, 12, 13, 14)),
        found(3, "suspected", "noise >= 1.0", ids=(21, 22, 23)),
        made(rows, 2, round=2),
        found(4, "confirmed", "hour < 5.0", round=2, ids=(1, 2, 3)),
        found(5, "suspected", "heat < -4.0", round=2, ids=(11, 12, 13)),
    )
    state = rows.state()
    assert [one["id"] for one in findings.gone(state)] == ["F2"]
    assert rows.result()["gone"] == ["F2"]
    page = write_report(state, rows.result(), tmp_path).read_text()
    assert "gone now:</b> F2 heat below -3 (+33 points in round 1)" in page


def test_a_value_has_an_error_of_its_own_units(night: Any) -> None:
    rows = night(metric="mae", kind="regression").train({"overall": -3.0, "dark": -5.0})
    error = {"inside": 5.25, "outside": 2.0, "difference": 3.25, "low": 1.5, "high": 5.0}
    rows.add(made(rows, 1), found(1, "confirmed", error=error))
    (view,) = findings.views(rows.state())
    assert view["sentence"] == "the mean error is 5.250 inside, 2.000 elsewhere: +3.250 (95% +1.500 to +5.000)"


def test_mlflow_has_the_findings_of_the_last_diagnosis(night: Any) -> None:
    rows = night().train({"overall": 0.8, "dark": 0.5})
    rows.add(made(rows, 2), found(1, "confirmed"), found(2, "suspected"))
    projection = Projection()
    changes = [change for event in rows.events for change in projection.feed(event) if change.key == "study"]
    tags = {name: value for change in changes for name, value in change.tags.items()}
    assert tags["autodc.findings"] == (
        "F1 confirmed: hour below 6 (+0.210 … +0.450); F2 suspected: hour below 6 (+0.210 … +0.450)"
    )
    metrics = {name for change in changes for name in change.metrics}
    assert {"finding/F1", "finding/F2"} <= metrics


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ({"attribute": "wind", "difference": 1.5}, "wind higher by 1.50 standard deviations"),
        ({"attribute": "wind", "difference": 1.5, "how": "spread"}, "wind farther from the usual by 1.50"),
        ({"attribute": "wind", "difference": -1.5, "how": "spread"}, "wind nearer to the usual by 1.50"),
        (
            {"attribute": "wind", "difference": 0.4, "how": "missing", "failing": 0.5, "passing": 0.1},
            "wind missing in 50% of failing rows, 10% of passing",
        ),
    ],
)
def test_what_of_an_attribute_differs_is_said(cause: dict[str, Any], words: str) -> None:
    assert findings.cause_words(cause).startswith(words)


def test_a_picture_of_a_small_difference_is_made_stronger_and_that_is_said(night: Any) -> None:
    rows = night().train({"overall": 0.8, "dark": 0.5})
    rows.add(made(rows, 1), found(1, "confirmed"))
    before = np.full((1, 8, 8, 3), 100, dtype=np.uint8)
    near = {
        "by": "pca",
        "tried": 1,
        "found": 1,
        "shifts": [],
        "examples": [{"id": 7, "target": "cat", "prediction": "dog", "new_prediction": "cat"}],
        "pictures": (before, before + 20),
    }
    (shown,) = drawn(findings.views(rows.state()), lambda address: None, {"F1": near})
    assert shown["near"]["stronger"] == 8
    assert shown["near"]["by"] == "principal components of the inputs"
    (same,) = drawn(findings.views(rows.state()), lambda address: None, {"F1": {**near, "pictures": (before, before)}})
    assert same["near"]["stronger"] == 1
