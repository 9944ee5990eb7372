"""What people are asked for: by finding, at a gain, a cost and a time; once; and tied to what is delivered for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, final

import pytest

from autodc.propose.requests import LEAST_ROWS, Weakness, ask, in_order
from autodc.review import requests as told
from autodc.review.result import result
from autodc.study.core import StudyCore
from autodc.study.journal import events as ev
from autodc.study.journal.codec import from_dict, from_text
from autodc.study.journal.fold import apply, fold
from autodc.study.journal.state import State
from autodc.study.phases.order import view_of
from autodc.study.phases.tools import Diagnosed
from autodc.study.rules import requests
from autodc.study.view import View

DARK = tuple(range(40))
NIGHT = {
    "loop__rounds": 2,
    "budget__trainings": 40,
    "gate__evidence": "each",
    "data__candidates": [],
    "budget__cost": 500,
}


@final
class Diagnoser:
    """Finds the same weaknesses in every incumbent: one sure and large, one sure and small, one suspected."""

    def diagnose(self, view: View, number: int | None) -> Diagnosed:
        first, state = view.state.next_finding, view.state
        made = ev.DiagnosisMade(
            round=state.round, horizon=view.horizon, plan=view.incumbent.to_dict(), trial=number, rows=200, findings=3
        )
        large = ev.FindingMade(
            id=f"F{first}",
            code="ADC-D001",
            round=state.round,
            horizon=view.horizon,
            basis="attributes",
            rule="region = 'dark'",
            status="confirmed",
            found=20,
            confirmed=20,
            error={"inside": 0.5, "outside": 0.1, "difference": 0.4, "low": 0.3, "high": 0.5},
            by="mine",
            ids=DARK,
        )
        small = replace(large, id=f"F{first + 1}", rule="size >= 9", ids=tuple(range(50, 60)))
        unsure = replace(large, id=f"F{first + 2}", rule="size < 2", status="suspected", ids=tuple(range(80, 120)))
        return made, (small, large, unsure)


@pytest.fixture(scope="module")
def done(world: Callable[..., Any]) -> tuple[Any, StudyCore, list[Any]]:
    hand, rows = world(**NIGHT), []
    study = hand.open(rows, rules=2, diagnoser=Diagnoser())
    hand.finish(study)
    return hand, study, rows


def test_what_nothing_is_made_for_is_asked_for_once_and_a_study_without_candidates_ends(done: Any) -> None:
    _, study, _ = done
    state = study.state
    assert state.finished is not None
    assert [(one.id, state.findings[one.finding].rule) for one in state.requests.values()] == [
        ("R1", "region = 'dark'"),
        ("R2", "size >= 9"),
    ]
    assert [one.until for one in state.requests.values()] == [2, 2]
    content = result(state)
    assert content["candidates"] == {}
    for one in content["requests"]:
        assert 0 <= one["gain"]["low"] <= one["gain"]["mid"] <= one["gain"]["high"] <= 0.5
        assert one["rows"] >= LEAST_ROWS
        assert one["cost"] == 0
        assert one["file"] == f"requests/{one['id']}.md"
    assert [one["priority"] for one in content["requests"]] == [1, 2]


def test_what_is_made_for_needs_no_request_and_suspicions_wait_for_what_is_sure(done: Any) -> None:
    state = before_requests(done)
    small, large, unsure = state.diagnoses[0].ids
    view = view_of(state)
    assert [one.finding for one in requests.due(view)] == [large, small]
    assert [requests.most_rows(view, one.finding) for one in requests.due(view)] == [
        one.rows for one in requests.due(view)
    ]
    assert [one.finding for one in requests.due(view, {large})] == [small]
    assert requests.due(view, {small, large}) == ()
    state.findings = {name: replace(one, status="suspected") for name, one in state.findings.items()}
    asked = requests.due(view, {small, large})
    assert [one.finding for one in asked] == [unsure]
    assert asked[0].gain["low"] == 0


def test_it_is_journalled_as_it_was(done: Any) -> None:
    _, study, _ = done
    for one in study.state.requests.values():
        assert from_dict("RequestMade", one.version, one.to_dict()) == one


@pytest.mark.slow
def test_a_stop_in_the_middle_changes_nothing(done: Any, essence: Callable[[StudyCore], Any]) -> None:
    hand, study, rows = done
    at = 1 + next(n for n, (kind, _, _) in enumerate(rows) if kind == "RequestMade")
    again = hand.open(rows[:at], rules=2, diagnoser=Diagnoser())
    hand.finish(again, 3)
    assert essence(again) == essence(study)
    assert again.state.requests == study.state.requests


def before_requests(done: Any) -> State:
    """The study as it was once it was diagnosed first."""
    _, _, rows = done
    at = next(n for n, (kind, _, _) in enumerate(rows) if kind == "RequestMade")
    return fold(from_text(*row) for row in rows[:at])


def delivery(name: str, rows: int, request: str | None) -> ev.DatasetAdmitted:
    card = {
        "rows": rows,
        "fingerprint": "f" * 8,
        "by": "inbox",
        "cost": 10.0,
        "round": 1,
        "finding": "F2",
        "parent": [],
    }
    return ev.DatasetAdmitted(name=name, card={**card, **({"request": request} if request else {})}, reference="f" * 8)


def test_what_is_delivered_closes_its_request_and_what_is_cured_is_no_longer_needed(done: Any) -> None:
    state = fold(from_text(*row) for row in done[2])
    apply(state, delivery("R1-lamps", 90, "R1"))
    first, second = result(state)["requests"]
    assert (first["id"], first["status"], first["priority"]) == ("R2", "open", 1)
    assert (second["id"], second["status"], second["delivered"][0]["dataset"]) == ("R1", "delivered", "R1-lamps")
    assert told.about_delivery(state, "R1-lamps").startswith("R1-lamps was delivered for R1 (90 rows): undecided")
    assert told.about_delivery(state, "base") == ""
    looked = state.diagnoses[-1].made
    apply(state, replace(looked, findings=0))
    assert {one["id"]: one["status"] for one in result(state)["requests"]} == {"R2": "gone", "R1": "delivered"}
    assert "gone" in told.request(state, "R2")["until_words"]


LARGE = Weakness(id="F1", is_sure=True, inside=0.5, difference=0.4, low=0.3, high=0.5, share=0.05)


def test_more_rows_bring_more_and_twice_as_many_hardly_more_than_what_is_asked_for() -> None:
    one = ask(LARGE, 4000)
    assert LEAST_ROWS <= one.rows <= 200  # as many as other kinds have in proportion
    gains = [step["mid"] for step in one.steps]
    assert gains == sorted(gains)
    assert all(step["low"] <= step["mid"] <= step["high"] <= 0.5 for step in one.steps)
    assert one.gain["mid"] == pytest.approx(0.05 * one.inside["mid"], abs=1e-5)
    assert one.inside["high"] - one.inside["low"] > 0.2  # nothing of this kind was ever trained on


def test_the_purse_bounds_what_is_asked_for_and_gain_per_cost_orders_it() -> None:
    free, dear = ask(LARGE, 4000), ask(LARGE, 4000, price=10.0, purse=500.0)
    assert (dear.rows, dear.cost) == (50, 500.0)
    assert ask(LARGE, 4000, price=10.0, purse=0.0).rows == LEAST_ROWS  # told beside the budget, which has nothing left
    rare = ask(replace(LARGE, id="F2", share=0.01), 4000, price=10.0)
    unsure = ask(replace(LARGE, id="F3", is_sure=False), 4000)
    assert [one.finding for one in in_order([unsure, rare, dear, free])] == ["F1", "F1", "F2", "F3"]
    assert in_order([rare, dear, free])[0] == free
    assert unsure.gain["low"] == 0


def test_a_curve_of_rows_like_these_is_believed_before_what_is_usual() -> None:
    points = [{"rows": n, "error": e, "weight": 4.0} for n, e in ((0, 0.5), (100, 0.3), (200, 0.25), (400, 0.2))]
    more = {"dataset": "fog", "known": True, "chance": 0.9, "now": 400.0, "more": 400.0, "points": points}
    one = ask(replace(LARGE, more_rows=(more,)), 4000)
    assert one.like == "fog"
    assert 0 < one.inside["mid"] < 0.1  # from .2 on little is left
    assert ask(replace(LARGE, more_rows=({**more, "known": False},)), 4000).like is None
    assert ask(replace(LARGE, more_rows=({**more, "dataset": "base"},)), 4000).like is None


def test_the_purse_is_what_is_left_once_all_that_was_made_is_paid(world: Any) -> None:
    study = world(**NIGHT).open([])
    state, spec = study.state, study.spec
    made = {"rows": 10, "cost": 120.0, "by": "pool", "how": {"name": "pool-F1"}, "fingerprint": "a"}
    apply(state, ev.DatasetAdmitted(name="pool-F1", card=made, reference="a"))
    assert "pool-F1" not in state.kept
    assert requests.purse_of(spec, state) == 500 - 120 == spec.budget.cost - state.paid
