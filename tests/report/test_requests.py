"""Requests as people get them: the file with its examples, the page, the terminal at 80 columns."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from autodc.cli.show_requests import show_requests
from autodc.report import write_report
from autodc.report.requests import write_requests
from autodc.review import requests, rounds
from autodc.review.findings import Errors
from autodc.review.numbers import Numbers
from autodc.study.journal import events as ev
from autodc.study.journal.state import State

GAP = {"inside": 0.44, "outside": 0.11, "difference": 0.33, "low": 0.21, "high": 0.45}


def asking(night: Any, **more: Any) -> Any:
    """A night that found a weakness in the dark and asks for rows of it."""
    rows = night().train({"overall": 0.8, "dark": 0.5})
    told = {"round": 1, "horizon": 0, "plan": rows.start.to_dict(), "trial": 0, "rows": 240, "findings": 1}
    kind: dict[str, Any] = {"code": "ADC-D001", "basis": "attributes", "status": "confirmed", "by": "beam"}
    here: dict[str, Any] = {"found": 61, "confirmed": 55, "error": GAP, "ids": (7, 3), "exhibit": "kept"}
    gain = {"low": 0.01, "mid": 0.03, "high": 0.05}
    step = {"rows": 200.0, **gain, "inside_low": 0.1, "inside_mid": 0.2, "inside_high": 0.4}
    asked: dict[str, Any] = {
        "rows": 200,
        "gain": gain,
        "inside": {"before": 0.44, "low": 0.1, "mid": 0.2, "high": 0.4},
        "steps": (step, {**step, "rows": 400.0, "mid": 0.04}),
        "cost": 100.0,
        "price": 0.5,
        "purse": 250.0,
        "until": 2,
        "exhibit": "kept",
    }
    return rows.add(
        ev.DiagnosisMade(**told),
        ev.FindingMade(id="F1", round=1, horizon=0, rule="hour < 6.0", **here, **kind),
        ev.RequestMade(id="R1", round=1, horizon=0, finding="F1", **{**asked, **more}),
    )


def admitted(name: str, **card: Any) -> ev.DatasetAdmitted:
    usual: dict[str, Any] = {"rows": 200, "fingerprint": "f", "cost": 0.0, "tags": [], "targets": None, "round": 1}
    return ev.DatasetAdmitted(name=name, card={**usual, **card}, reference="f")


def exhibit(kind: str) -> dict[str, Any]:
    row = {"id": 7, "error": 1.0, "target": "cat|dog", "prediction": "<b>", "values": {"hour": 3}, "text": "so dark"}
    cards = {"kind": kind, "failing": 2, "rows": [row, {**row, "id": 3}, {**row, "id": 90}]}
    known = {"cards": np.frombuffer(json.dumps(cards).encode(), dtype=np.uint8)}
    return known if kind != "image" else {**known, "inputs": np.full((3, 8, 8, 3), 60, dtype=np.uint8)}


@pytest.mark.parametrize("kind", ["image", "table", "text"])
def test_a_request_tells_what_how_many_for_what_at_what_price_until_when_with_examples(
    night: Any, tmp_path: Path, kind: str
) -> None:
    (file,) = write_requests(asking(night).state(), tmp_path, lambda address: exhibit(kind))
    text = file.read_text()
    assert file == tmp_path / "requests" / "R1.md"
    for words in (
        "# R1: 200 rows where hour below 6",
        "`hour < 6.0`",
        "44% of the rows inside are wrong",
        "| 400 | 20 points (10 to 40) | 4.0 points (1.0 to 5.0) |",
        "100 at 0.5 a row, of the 250 left of budget.cost",
        "before round 2 begins",
        "begins with R1",
        "row 7" if kind != "table" else "| 7 | cat\\|dog | &lt;b> | 3 |",
    ):
        assert words in text
    content = json.loads(file.with_suffix(".json").read_text())
    assert content["gain"] == {"low": 0.01, "mid": 0.03, "high": 0.05}
    assert [row["id"] for row in content["examples"]] == [7, 3]
    for row in content["examples"] if kind == "image" else ():
        with Image.open(file.parent / row["pictures"]["input"]) as picture:
            assert picture.size == (32, 32)
            assert f"](R1/input-{row['id']}.png)" in text


def test_the_page_says_what_to_order_and_tells_what_was_made_with_its_control_beside(
    night: Any, tmp_path: Path
) -> None:
    rows = asking(night)
    how = {"name": "mined", "by": "pool", "maker": "m:o", "words": "rows of the pool below 6"}
    rows.add(
        admitted("mined", by="pool", finding="F1", how=how, cost=20.0),
        admitted("by-chance", by="pool", how={**how, "name": "by-chance", "control_of": ["mined"]}),
    )
    rows.decide("mined", "keep", 0.08, ("ADC-G001",)).decide("by-chance", "undecided", 0.01, ())
    page = write_report(rows.state(), rows.result(), tmp_path).read_text()
    story, order = page[page.index('id="made"') :].split('id="requests"')[:2]
    assert "rows of the pool below 6" in story
    assert "by-chance: undecided, +0.010" in story
    assert "R1: 200 rows where hour below 6" in order
    assert "200 rows made tonight for the same rows, mined (kept), are expected to bring 3.0 points of its 3.0" in order
    assert "200 rows ordered would bring about 1.0 points more" in order
    (told,) = rounds.rounds(rows.state(), Numbers(3))
    assert [(one["name"], one["verdict"], one["measured"]) for one in told["rows"]] == [
        ("mined", "keep", "+0.080"),
        ("by-chance", "undecided", "+0.010"),
    ]
    assert told["rows"][1]["control_of"] == ["mined"]
    assert rows.result()["candidates"]["mined"]["how"] == how


def lines(state: State) -> list[str]:
    out = Console(width=80, force_terminal=True, color_system=None, highlight=False, file=io.StringIO())
    show_requests(out, requests.views(state))
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue().splitlines()


def test_the_terminal_has_80_columns(night: Any) -> None:
    found = lines(asking(night).state())
    assert max(map(len, found)) <= 80
    assert any("R1" in one and "200" in one and "3.0 (1.0 to 5.0)" in one and "100" in one for one in found)


@pytest.mark.parametrize(("shares", "said"), [(True, "2.7 points (−0.4 to 4.2)"), (False, "0.027 (−0.004 to 0.042)")])
def test_a_gain_is_how_far_an_error_falls_whatever_it_is_measured_in(shares: bool, said: str) -> None:
    gain = {"low": -0.004, "mid": 0.027, "high": 0.042}
    assert requests.gain_words(Errors([0.153], shares), gain) == said


@pytest.mark.parametrize(
    ("difference", "verdict", "kept"),
    [(0.2, "keep", "yes"), (0.6, "keep", "more"), (0.01, "undecided", "no"), (0.09, "undecided", "open")],
)
def test_a_delivery_is_held_against_what_was_expected_of_so_many_rows(
    night: Any, difference: float, verdict: str, kept: str
) -> None:
    rows = asking(night)
    finding = rows.events[-2]
    rows.add(
        ev.SliceAdmitted(
            name="night",
            rule={"where": finding.rule},
            card={"role": "target", "rows": 90, "margin": None, "weight": 1.0},
            values={},
            explore={},
        ),
        admitted("R1-lamps", by="inbox", finding="F1", request="R1"),
    )
    rows.decide("R1-lamps", verdict, difference, ())
    look = next(e for e in reversed(rows.events) if isinstance(e, ev.LookTaken))
    slices = {**look.look["slices"], "night": look.look["slices"]["dark"]}
    rows.events[rows.events.index(look)] = ev.LookTaken(
        comparison=look.comparison, horizon=0, look={**look.look, "slices": slices}, seeds=look.seeds
    )
    (one,) = rows.result()["requests"]
    (delivered,) = one["delivered"]
    assert (delivered["on"], delivered["expected"]) == ("slice night", {"low": 0.1, "mid": 0.2, "high": 0.4})
    assert delivered["kept"] == kept
    assert requests.about_delivery(rows.state(), "R1-lamps").startswith("R1-lamps was delivered for R1 (200 rows)")
