"""Why a round did what it did, and whether rows were the right ones: what status, why and the page say of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from autodc.review import actions, by_chance, request_alternatives, requests, rounds, story, views
from autodc.review.numbers import Numbers
from autodc.study.journal import events as ev
from autodc.study.rules.controls import kept_by_slice
from tests.report.test_requests import admitted, asking


def weighed(pick: str, *more: dict[str, Any]) -> dict[str, Any]:
    made_of = {"kind": "finding", "name": "mined", "expected": 0.021, "trainings": 14.0, "finding": "F1"}
    out = {"kind": "wait", "name": "R1", "expected": 0.004, "trainings": 5.0, "finding": "F1", "days": 21.0}
    usual = {"cost": 0.0, "finding": None, "days": None, "fate": ""}
    each = [{**usual, **made_of, "fate": "taken"}, {**usual, **out}, *({**usual, **one} for one in more)]
    return {"pick": pick, "actions": each, "room": 20.0, "floor": 0.002, "trainings": 60.0, "money": None}


def proposed(told: dict[str, Any]) -> ev.ProposalsMade:
    return ev.ProposalsMade(round=1, horizon=0, weighed=told)


def test_what_comes_first_is_told_with_what_it_costs_and_what_is_worth_less(night: Any) -> None:
    state = asking(night).add(proposed(weighed("mined"))).state()
    words = actions.line(state)
    assert words.startswith("round 1: rows for F1 (mined) first: +0.021 expected for 14 trainings")
    assert "waiting for R1 is worth less tonight: +0.004, due in 3 weeks" in words
    assert words.endswith("it stops when nothing is expected above 0.002")


def test_what_goes_on_beside_what_is_made_is_not_called_first(night: Any) -> None:
    tune = {"kind": "tune", "name": "tune", "expected": 0.03, "trainings": 9.0, "fate": "beside"}
    other = {"kind": "wait", "name": "R2", "expected": 0.02, "trainings": 50.0, "cost": 9.0}
    words = actions.line(asking(night).add(proposed(weighed("tune", tune, other))).state())
    assert words.startswith("round 1: tuning what is kept promises most for its cost: +0.030 expected for 9 trainings")
    assert "; beside it mined (+0.021); " in words
    assert (
        "waiting for R1 is worth less tonight: +0.004, due in 3 weeks (by gain for cost before 1 other request)"
        in words
    )


@pytest.mark.parametrize(
    ("pick", "words"),
    [("stop", "nothing that can be done promises a gain that matters (0.002)"), ("R1", "R1 is waited for: +0.004")],
)
def test_the_end_of_a_night_is_told_with_its_reason(night: Any, pick: str, words: str) -> None:
    told = weighed(pick)
    told["actions"] = [one for one in told["actions"] if one["kind"] == "wait"]
    assert words in actions.line(asking(night).add(proposed(told)).state())


@pytest.mark.parametrize(("pick", "words"), [("stop", "nothing more can be paid tonight"), ("", "nothing is made")])
def test_what_is_not_paid_is_not_told_as_too_little(night: Any, pick: str, words: str) -> None:
    told = weighed(pick)
    told["actions"] = [{**told["actions"][0], "fate": "dear"}]
    line = actions.line(asking(night).add(proposed(told)).state())
    assert line.startswith(f"round 1: {words}")
    assert "matters" not in line


def test_journals_of_before_say_nothing_of_it(night: Any) -> None:
    state = asking(night).add(ev.ProposalsMade(round=1, horizon=0)).state()
    assert (actions.line(state), actions.sentences(state, 1), actions.rows(state, 1)) == ("", [], [])


def compared(says: str, difference: float, low: float, high: float) -> ev.ControlCompared:
    told: dict[str, Any] = {"subject": "mined", "control": "by-chance", "gain": 0.08, "difference": difference}
    return ev.ControlCompared(round=1, horizon=0, low=low, high=high, pairs=3, says=says, **told)


def controlled(night: Any) -> Any:
    how = {"name": "mined", "by": "pool", "maker": "m:o", "finding": "F1"}
    beside = {**how, "name": "by-chance", "control_of": ["mined"]}
    rows = asking(night).add(admitted("mined", by="pool", finding="F1", how=how))
    rows.add(admitted("by-chance", by="pool", how=beside)).decide("mined", "keep", 0.08, ("ADC-G001",))
    return rows.decide("by-chance", "keep", 0.07, ("ADC-G001",)).together(("mined", "by-chance"), "keep", 0.1, ())


def test_more_data_is_not_called_the_right_data(night: Any) -> None:
    rows = controlled(night)
    rows.add(compared("more", 0.01, -0.02, 0.04))
    state = rows.state()
    words = (
        "more data, not the right data: by-chance, as many rows by chance, did as well as mined (+0.010 between them"
    )
    assert by_chance.sentence(state, "mined").startswith(words)
    assert views.why(state, "mined")["chance"].startswith(words)
    (told,) = rounds.rounds(state, Numbers(3))
    assert told["rows"][0]["chance"] == "more data, not the right data"
    assert rows.result()["candidates"]["mined"]["control"]["says"] == "more"


def test_the_right_data_is_called_so(night: Any) -> None:
    state = controlled(night).add(compared("right", 0.06, 0.03, 0.09)).state()
    assert by_chance.sentence(state, "mined").startswith(
        "it was the right data: mined brought +0.080, +0.060 more than"
    )
    among = replace(compared("right", 0.06, 0.03, 0.09), beside=("a", "b"))
    state = controlled(night).add(among).state()
    assert "as many rows by chance, and 2 other datasets with it" in by_chance.sentence(state, "mined")


def test_what_the_slice_of_its_finding_kept_is_known_as_such(night: Any) -> None:
    by_slice = asking(night).decide("mined", "keep", 0.0, ("ADC-G003",)).state()
    assert kept_by_slice(by_slice, "mined", by_slice.comparisons[0])
    whole = asking(night).together(("mined", "fog"), "keep", 0.0, ("ADC-G003",)).decide("mined", "undecided", 0.0, ())
    state = whole.state()
    assert kept_by_slice(state, "mined", state.comparisons[1]), "its own comparison did not say why it is in"
    assert not kept_by_slice(state, "other", state.comparisons[1])
    shown = whole.decide("mined", "keep", 0.08, ("ADC-G001",)).state()
    assert not kept_by_slice(shown, "mined", shown.comparisons[2]), "the objective shows it by itself"


def test_a_request_is_weighed_against_rows_made_tonight(night: Any) -> None:
    one = requests.request(controlled(night).state(), "R1")
    assert one["instead"] == {
        "datasets": {"mined": 200},
        "rows": 200,
        "brings": 0.03,
        "of": 0.03,
        "left": pytest.approx(0.01),
    }
    state = asking(night).state()
    assert request_alternatives.gain_at(state.requests["R1"], 100) == pytest.approx(0.015)
    assert requests.request(state, "R1")["instead"] is None


def test_the_headline_of_many_that_were_made_says_who_made_them(night: Any) -> None:
    rows = asking(night)
    names = [f"pool-F{k}" for k in range(8)]
    for name in names:
        how = {"name": name, "by": "pool", "maker": "m:o", "finding": "F1"}
        rows.add(admitted(name, by="pool", finding="F1", how=how))
    assert "were kept so far: 8 of the pool" in story.headline(rows.together(tuple(names), "keep", 0.1, ()).state())


@pytest.mark.parametrize(
    ("members", "code", "words"),
    [
        (("fog", "noise"), "ADC-G002", "all that was new together was +0.012 ahead on the targets."),
        (("fog",), "ADC-G002", "fog was +0.012 ahead on the targets."),
        (
            ("fog", "noise"),
            "ADC-G003",
            "all that was new together was +0.050 ahead on the slice of finding F1, gate rows; on the targets −0.001,"
            " shown neither better nor worse.",
        ),
    ],
)
def test_a_better_model_is_told_by_what_it_was_better_at(night: Any, members: Any, code: str, words: str) -> None:
    difference = -0.001 if code == "ADC-G003" else 0.012
    study = night().together(members, "keep", difference, (code,), purpose="together")
    at = next(i for i, event in enumerate(study.events) if isinstance(event, ev.LookTaken))
    taken = study.events[at]
    targets = taken.look["slices"]
    own = {**targets["dark"], "role": "finding", "difference": 0.05}
    study.events[at] = replace(taken, look={**taken.look, "slices": {**targets, "finding-F1": own}})
    offered = {"everything": ["fog", "noise"]}
    study.add(ev.TogetherProposed(round=1, horizon=0, plans={}, proposal=offered))
    assert rounds._after(study.state(), 1, Numbers(3)) == f"A better model took over: {words}"


def test_rows_by_chance_that_are_kept_are_named_as_more_data(night: Any) -> None:
    state = controlled(night).state()
    assert by_chance.verdict(state, "by-chance") == "rows by chance: more data"
    words = "by-chance is rows by chance, as many as mined had at most: it is kept as more data"
    assert by_chance.sentence(state, "by-chance").startswith(words)
    assert views.why(state, "by-chance")["chance"].startswith(words)
