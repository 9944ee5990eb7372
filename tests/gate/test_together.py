"""The order of comparisons of evidence together, answered by a world whose effects are known."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from autodc.gate.questions import Answer, Arm, Belief, Proposal, Question, Settled
from autodc.gate.together import believed, replay

SE = 0.001
"""Standard error of every answer."""


def proposal(gains: Mapping[str, float], sd: float = 0.003, **more: object) -> Proposal:
    beliefs = {n: Belief(gain=g, sd=sd) for n, g in gains.items()}
    names = tuple(gains)
    best = tuple(n for n, g in gains.items() if g > 0)
    return Proposal(
        **{  # type: ignore[arg-type]
            "everything": names,
            "recommended": best,
            "beliefs": beliefs,
            "margins": {},
            "matters": 0.002,
            **more,
        }
    )


def live(
    p: Proposal, gains: Mapping[str, float], guards: Mapping[str, float] | None = None, shown: float = 2.5 * SE
) -> tuple[list[Question], Settled]:
    """Answer every question by the truth: the questions and the end. guards: what each member does to a guard."""
    asked: list[Question] = []
    answers: list[Answer] = []
    while not isinstance(found := replay(p, answers), Settled):
        worth = {arm: sum(gains[n] for n in arm.members) for arm in (found.challenger, found.incumbent)}
        mean = worth[found.challenger] - worth[found.incumbent]
        harm = sum(
            (guards or {}).get(n, 0.0) * (0.5 if n in found.challenger.halved else 1.0)
            for n in found.challenger.members
        )
        broken = ("overall",) if harm < -0.01 else ()
        gained = mean > shown
        asked.append(found)
        answers.append(
            Answer(keep=gained and not broken, gained=gained, guards=broken, harmed=mean < -shown, mean=mean, sd=SE)
        )
    return asked, found


def purposes(asked: list[Question]) -> list[str]:
    return [q.purpose for q in asked]


def test_many_small_helpers_that_none_alone_can_show_are_kept_as_one_block() -> None:
    gains = {f"d{i}": 0.0015 for i in range(9)}
    asked, end = live(proposal(gains), gains)
    assert end.end is not None
    assert len(end.end.members) >= 5
    assert asked[0].purpose == "everything"
    assert asked[0].all_rows
    block = next(q for q in asked if q.purpose == "block")
    assert set(block.members) == end.end.members


def test_two_that_stand_in_for_one_another_do_not_both_leave() -> None:
    p = proposal({"tweets": 0.001, "tweets_auto": 0.001})
    answers: list[Answer] = []
    while not isinstance(found := replay(p, answers), Settled):
        worth = {arm: 0.1 if arm.members else 0.0 for arm in (found.challenger, found.incumbent)}
        mean = worth[found.challenger] - worth[found.incumbent]
        answers.append(Answer(keep=mean > 0.01, gained=mean > 0.01, harmed=mean < -0.01, mean=mean, sd=SE))
    assert found.end is not None
    assert len(found.end.members) == 1


def test_useless_candidates_ask_for_a_whole_and_settings_and_nothing_below() -> None:
    gains = dict.fromkeys(("a", "b", "c"), 0.0)
    asked, end = live(proposal({"a": 0.001, "b": -0.001, "c": 0.0005}), gains)
    assert end == Settled(end=None)
    assert set(purposes(asked)) <= {"everything", "together", "tuning"}
    assert [q.level for q in asked if q.purpose == "everything"] == ["whole"]


def test_what_harms_leaves_and_what_cures_is_decided_alone() -> None:
    gains = {"cure": 0.2, "wrong": -0.05, "small": 0.001}
    asked, end = live(proposal({"cure": 0.18, "wrong": -0.04, "small": 0.0}), gains)
    assert end.end is not None
    assert end.end.members == {"cure"}
    assert "harm" in purposes(asked)
    alone = [q.members for q in asked if q.purpose == "removal"]
    assert ("cure",) in alone


def test_a_block_beside_members_that_stand_alone_has_to_be_shown() -> None:
    gains = {"cure": 0.2, "x": 0.0, "y": 0.0}
    p = proposal({"cure": 0.18, "x": 0.004, "y": 0.004})
    asked, end = live(p, {**gains, "x": 0.0007, "y": 0.0007})
    block = [q for q in asked if q.purpose == "block"]
    assert all(q.level == "member" for q in block)
    assert end.end is not None
    assert end.end.members == {"cure"}


def test_a_guard_costs_a_weight_before_it_costs_a_large_gain() -> None:
    gains = {"cure": 0.2, "trade": 0.1}
    p = proposal({"cure": 0.18, "trade": 0.1}, margins={"overall": 0.01})
    p = Proposal(
        **{  # type: ignore[arg-type]
            **{f: getattr(p, f) for f in p.__dataclass_fields__},
            "beliefs": {
                "cure": Belief(gain=0.18, sd=0.003),
                "trade": Belief(gain=0.1, sd=0.003, guards={"overall": -0.015}),
            },
        }
    )
    asked, end = live(p, gains, guards={"trade": -0.015})
    assert asked[1].challenger.halved == {"trade"}
    assert end.end is not None
    assert {"cure", "trade"} == end.end.members


def test_what_has_a_price_never_enters_for_free() -> None:
    gains = {"free": 0.2, "dear": 0.1, "cheap": 0.1, "useless": 0.0}
    p = proposal({"free": 0.2})
    p = Proposal(
        everything=("free",),
        recommended=("free",),
        beliefs={
            "free": Belief(gain=0.2, sd=0.003),
            "dear": Belief(gain=0.1, sd=0.003, cost=90),
            "cheap": Belief(gain=0.1, sd=0.003, cost=10),
            "useless": Belief(gain=0.002, sd=0.003, cost=1),
        },
        margins={},
        matters=0.002,
        priced=("dear", "cheap", "useless"),
        purse=95,
    )
    asked, end = live(p, gains)
    bought = [q.members for q in asked if q.purpose == "addition"]
    assert bought == [("cheap",), ("useless",)]
    assert end.end is not None
    assert end.end.members == {"free", "cheap"}


def test_what_is_paid_already_is_asked_first_whatever_is_left_in_the_purse() -> None:
    beliefs = {"made": Belief(gain=0.05, sd=0.003), "again": Belief(gain=0.06, sd=0.003)}
    beliefs["dear"] = Belief(gain=0.2, sd=0.003, cost=90)
    none = proposal({}, beliefs=beliefs, priced=("dear", "made", "again"), purse=0.0)
    asked, end = live(none, {"made": 0.05, "again": 0.06, "dear": 0.2})
    assert [q.members for q in asked if q.purpose == "addition"] == [("again",), ("made",)]
    assert end.end is not None
    assert end.end.members == {"made", "again"}


def test_a_gain_that_cannot_be_shown_stays_in_where_the_user_asks_for_it() -> None:
    gains = {"a": 0.001, "b": 0.001}
    assert live(proposal(gains), gains)[1].end is None
    asked, end = live(proposal(gains, doubt=True), gains)
    assert end.end is not None
    assert "doubt" in purposes(asked)


def test_what_was_refused_as_everything_is_not_asked_again_and_leaves_its_level_to_the_next() -> None:
    gains = {"a": 0.02, "b": 0.02, "wrong": -0.1}
    p = proposal({"a": 0.02, "b": 0.02, "wrong": -0.08}, refused=True)
    asked, end = live(p, gains)
    assert (asked[0].purpose, asked[0].members, asked[0].level) == ("together", ("a", "b"), "whole")
    assert not asked[0].all_rows, "what leaves was chosen on explore rows"
    assert end.end is not None
    assert end.end.members == {"a", "b"}


def test_what_came_in_with_others_is_asked_alone_when_more_is_known_of_it() -> None:
    gains = {"cure": 0.05, "proven": 0.05, "small": 0.001, "wrong": -0.05}
    beliefs = {"cure": 0.05, "proven": 0.05, "small": 0.001, "wrong": -0.04}
    p = proposal(beliefs, everything=(), recommended=(), kept=tuple(gains), open=("cure", "small", "wrong"))
    asked, end = live(p, gains)
    assert [(q.purpose, q.members) for q in asked] == [("harm", ("wrong",)), ("removal", ("cure",))]
    assert end.end is not None
    assert end.end.members == {"cure", "proven", "small"}


@pytest.mark.parametrize(("mean", "leaves"), [(-0.05, False), (0.01, False), (0.05, True)])
def test_the_doubtful_leave_where_80_percent_sure_though_it_is_not_shown(mean: float, leaves: bool) -> None:
    answer = Answer(mean=mean, sd=0.04)
    assert not answer.costs_nothing(0.002)
    assert answer.may_leave(0.002) is leaves


def test_without_a_training_left_nothing_is_claimed() -> None:
    p = proposal({"a": 0.1})
    answers: list[Answer] = []
    while not isinstance(found := replay(p, answers), Settled):
        answers.append(Answer(paid=False))
    assert found == Settled(end=None)


@pytest.mark.parametrize("sure", [0.0, 1.64])
def test_what_would_break_a_guard_together_gives_up_the_member_that_harms_it_most(sure: float) -> None:
    names = {"a": -0.004, "b": -0.006, "c": 0.001}
    p = proposal(dict.fromkeys(names, 0.01), margins={"overall": 0.01})
    beliefs = {n: Belief(gain=0.01, sd=0.001, guards={"overall": g}) for n, g in names.items()}
    p = Proposal(**{**{f: getattr(p, f) for f in p.__dataclass_fields__}, "beliefs": beliefs})
    assert believed(p, sure) == ("a", "c")


def test_an_arm_without_its_members_is_the_base() -> None:
    assert Arm("everything", frozenset({"a"}), frozenset({"a"})).without(["a"]) == Arm("everything", frozenset())


def test_a_block_gives_up_the_member_that_breaks_its_guard_and_keeps_the_rest() -> None:
    gains = {"cure": 0.2, "small": 0.02, "trade": 0.001}
    p = proposal(gains, margins={"overall": 0.01})
    guarded = Belief(gain=0.001, sd=0.003, guards={"overall": -0.05})
    small = Belief(gain=0.004, sd=0.004)
    beliefs = {"cure": Belief(gain=0.2, sd=0.003), "small": small, "trade": guarded}
    p = Proposal(**{**{f: getattr(p, f) for f in p.__dataclass_fields__}, "beliefs": beliefs})
    asked: list[Question] = []
    answers: list[Answer] = []
    while not isinstance(found := replay(p, answers), Settled):
        mean = sum(gains[n] for n in found.challenger.members) - sum(gains[n] for n in found.incumbent.members)
        broken = found.purpose == "block" and "trade" in found.challenger.members
        asked.append(found)
        answers.append(
            Answer(
                keep=mean > 0.005 and not broken, gained=mean > 0.005, guards=("overall",) * broken, mean=mean, sd=SE
            )
        )
    assert [q.members for q in asked if q.purpose == "block"] == [("small", "trade"), ("small",)]
    assert found.end is not None
    assert found.end.members == {"cure", "small"}


def test_what_costs_more_than_it_may_is_neither_kept_in_doubt_nor_as_a_block() -> None:
    p = proposal({"a": 0.001, "b": 0.001}, doubt=True)
    for over in (False, True):
        answers: list[Answer] = []
        asked = []
        while not isinstance(found := replay(p, answers), Settled):
            answers.append(Answer(mean=0.5 * SE, sd=SE, over=over and found.purpose == "doubt"))
            asked.append(found.purpose)
        assert "doubt" in asked
        assert (found.end is None) == over
    sure = proposal({"a": 0.01})
    answers = []
    while not isinstance(found := replay(sure, answers), Settled):
        block = found.purpose == "block"
        answers.append(Answer(keep=not block, gained=True, mean=0.01, sd=SE, over=block, harmed=block))
    assert found.end is None


SHOWN = Answer(keep=True, gained=True, mean=0.0, sd=SE)
"""A whole that is kept for the slice of a finding: the objective is where it was."""


def test_what_is_left_of_a_whole_that_cured_a_finding_is_taken_though_the_objective_is_not_ahead() -> None:
    p = proposal({"cure": 0.0, "worthless": -0.0001})
    idle = Answer(mean=0.0, sd=SE / 10)
    block = replay(p, [SHOWN, idle])
    assert isinstance(block, Question)
    assert (block.purpose, block.members) == ("block", ("cure",))
    less = Answer(keep=True, mean=-0.0003, sd=SE)
    after = replay(p, [SHOWN, idle, less])
    assert isinstance(after, Question)
    assert after.purpose == "weights"
    assert after.challenger.members == {"cure"}


@pytest.mark.parametrize("misses", [False, True])
def test_a_cure_believed_to_cost_a_little_does_not_leave_for_being_ahead(misses: bool) -> None:
    p = proposal({"cure": -0.01, "helper": 0.003})
    leaving = replay(p, [SHOWN])
    assert isinstance(leaving, Question)
    assert (leaving.purpose, leaving.members) == ("harm", ("cure",))
    after = replay(p, [SHOWN, Answer(mean=0.0004, sd=SE, misses=misses)])
    assert isinstance(after, Question)
    assert ("cure" in after.incumbent.members | after.challenger.members) == misses


def test_rows_by_chance_do_not_ride_in_a_block_but_stay_where_they_are_missed() -> None:
    chosen = {f"d{i}": 0.0015 for i in range(5)}
    for worth, stays in ((0.0003, False), (0.0015, True)):
        gains = {**chosen, "random-1": worth}
        asked, end = live(proposal(gains, controls=("random-1",)), gains)
        assert end.end is not None
        assert ("random-1" in end.end.members) == stays
        assert end.end.members >= chosen.keys(), "what was chosen goes with none of it"
        (first,) = [q for q in asked if q.members == ("random-1",)]
        assert (first.purpose, first.level) == ("pruning", "none"), "it claims nothing"


def test_rows_by_chance_that_are_all_there_is_are_asked_like_any_other() -> None:
    gains = {"random-1": 0.01}
    asked, end = live(proposal(gains, controls=("random-1",)), gains)
    assert end.end is not None
    assert "pruning" not in purposes(asked)


def test_what_nothing_is_known_of_stays() -> None:
    assert Answer(mean=0.0).is_missed, "not measured"
    assert Answer(mean=0.01, sd=0.001, misses=True).is_missed, "it cures a finding"
    assert not Answer(mean=-0.0005, sd=0.001).is_missed
    assert Answer(mean=-0.001, sd=0.001).is_missed


def test_rows_by_chance_that_were_bought_prove_no_block_with_what_was_chosen() -> None:
    cost = {"mined": 3.0, "random-1": 3.0}
    beliefs = {n: Belief(gain=0.002, sd=0.003, cost=c) for n, c in cost.items()}
    for worth, kept in ((0.0003, {"mined"}), (0.0015, {"mined", "random-1"})):
        gains = {"mined": 0.0024, "random-1": worth}
        p = proposal({}, beliefs=beliefs, priced=("mined", "random-1"), controls=("random-1",), tunes=False)
        asked, end = live(p, gains)
        assert purposes(asked) == ["addition", "addition", "block", "pruning"]
        assert end.end is not None
        assert end.end.members == kept
        assert end.by == 3


def test_what_has_a_price_is_asked_again_at_the_settings_believed_best_for_it() -> None:
    beliefs = {"mined": Belief(gain=0.07, sd=0.01, cost=2.0)}
    one = {"everything": (), "recommended": (), "priced": ("mined",), "tunes": False, "beliefs": beliefs}
    faint = Answer(keep=False, gained=False, mean=0.004, sd=SE)
    asked = replay(proposal({}, **one, again=True), [faint])
    assert isinstance(asked, Question)
    assert asked.challenger == Arm("believed", frozenset({"mined"}))
    assert asked.incumbent == Arm("tuned", frozenset())
    shown = Answer(keep=True, gained=True, mean=0.08, sd=SE)
    assert replay(proposal({}, **one, again=True), [faint, shown]) == Settled(end=asked.challenger, by=1)
    assert isinstance(replay(proposal({}, **one), [faint]), Settled)
    harmful = Answer(keep=False, gained=False, harmed=True, mean=-0.02, sd=SE)
    assert isinstance(replay(proposal({}, **one, again=True), [harmful]), Settled)
