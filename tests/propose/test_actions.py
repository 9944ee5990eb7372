"""What a round does next: gain per cost on the budget's own terms, what fits, when nothing is worth it."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from autodc.propose.actions import Action, Purse, Weighed, of_search, weigh
from autodc.propose.chance import affordable, beside_chosen, said, with_controls
from autodc.propose.proposal import Proposal

TONIGHT = Purse(trainings=100.0, room=20.0, money=50.0)


def action(name: str, expected: float | None, trainings: float = 5.0, kind: Any = "finding", **more: Any) -> Action:
    return Action(kind=kind, name=name, expected=expected, trainings=trainings, **more)


def fates(found: Weighed) -> dict[str, str]:
    return {one.name: one.fate for one in found.actions}


def test_what_gains_most_for_its_cost_comes_first_whatever_it_gains() -> None:
    large, cheap = action("large", 0.05, 18.0), action("cheap", 0.03, 4.0)
    found = weigh([large, cheap], TONIGHT, 0.002, may_end=True)
    assert (found.pick, found.made) == ("cheap", ("cheap",))
    assert fates(found)["large"] == "later"


def test_money_and_trainings_are_of_one_measure_by_what_is_left_of_each() -> None:
    dear, slow = action("dear", 0.03, 5.0, cost=25.0), action("slow", 0.03, 10.0)
    assert weigh([dear, slow], TONIGHT, None, may_end=False).pick == "slow"
    rich = Purse(trainings=100.0, room=20.0, money=5000.0)
    assert weigh([dear, slow], rich, None, may_end=False).pick == "dear"
    poor = Purse(trainings=100.0, room=20.0, money=10.0)
    assert fates(weigh([dear, slow], poor, None, may_end=False))["dear"] == "dear"
    endless = Purse(trainings=math.inf, room=20.0, money=math.inf)
    assert weigh([dear, slow], endless, None, may_end=False).pick == "dear"


def test_what_takes_no_money_is_not_first_where_it_promises_nothing() -> None:
    purse = Purse(trainings=math.inf, room=20.0, money=50.0)
    bought = action("bought", 0.03, cost=10.0)
    for gain, floor in ((0.0, None), (0.0, 0.002), (0.0004, 0.002)):
        found = weigh([action("tune", gain, 24.0, kind="tune"), bought], purse, floor, may_end=True)
        assert (found.pick, found.made) == ("bought", ("bought",))
    assert [
        one.name for one in weigh([action("tune", 0.0, kind="tune"), bought], purse, None, may_end=True).actions
    ] == [
        "bought",
        "tune",
    ]
    assert weigh([action("tune", 0.004, 24.0, kind="tune"), bought], purse, 0.002, may_end=True).pick == "tune"


def test_a_second_dataset_for_one_finding_is_hoped_to_take_what_the_first_leaves() -> None:
    mined, drawn, other = (
        action("mined", 0.03, finding="F1"),
        action("drawn", 0.029, finding="F1"),
        action("other", 0.02, finding="F2"),
    )
    found = weigh([drawn, mined, other], TONIGHT, None, may_end=False)
    assert found.made == ("mined", "other", "drawn")
    assert next(one for one in found.actions if one.name == "drawn").expected == pytest.approx(0.4 * 0.029)


def test_what_nothing_tells_of_is_tried_after_what_is_known_and_ends_no_night() -> None:
    found = weigh([action("relabel", None, kind="mend"), action("F1", 0.01)], TONIGHT, 0.002, may_end=True)
    assert found.made == ("F1", "relabel")
    alone = weigh([action("relabel", None, kind="mend")], TONIGHT, 0.002, may_end=True)
    assert (alone.made, alone.ends) == (("relabel",), False)


def test_the_night_ends_where_nothing_promises_what_matters() -> None:
    little, tune = action("F1", 0.001), action("tune", 0.0015, 24.0, kind="tune")
    found = weigh([little, tune], TONIGHT, 0.002, may_end=True)
    assert (found.pick, found.made, found.ends) == ("stop", (), True)
    assert not weigh([little, tune], TONIGHT, 0.002, may_end=False).ends, "the first round always searches"
    assert not weigh([little, action("tune", 0.004, 24.0, kind="tune")], TONIGHT, 0.002, may_end=True).ends
    assert not weigh([little, tune], TONIGHT, None, may_end=True).ends, "hopes are not in the metric's unit"


def test_the_first_round_makes_the_best_it_can_pay_and_never_ends() -> None:
    some = [action("a", 0.001), action("b", 0.0015), action("c", 0.0018, cost=60.0)]
    found = weigh(some, TONIGHT, 0.002, may_end=False)
    assert (found.pick, found.made, found.ends) == ("b", ("b",), False)
    assert weigh(some, TONIGHT, 0.002, may_end=True).pick == "stop"
    assert weigh([action("c", 0.01, cost=60.0)], TONIGHT, 0.002, may_end=False).ends is False
    asked = action("R1", 0.03, kind="wait", finding="F2")
    assert weigh([action("c", 0.01, cost=60.0), asked], TONIGHT, 0.002, may_end=False).ends is False


def test_what_is_not_paid_is_not_called_too_little() -> None:
    for unpaid in (action("a", 0.01, cost=60.0), action("a", 0.01, 120.0)):
        found = weigh([unpaid], TONIGHT, 0.002, may_end=True)
        assert (found.ends, found.promises_little) == (True, False)
    found = weigh([action("a", 0.001)], TONIGHT, 0.002, may_end=True)
    assert (found.ends, found.promises_little) == (True, True)
    nothing = weigh([], TONIGHT, None, may_end=False)
    assert (nothing.ends, nothing.promises_little) == (True, False), "nothing is there to be made or searched"


def test_no_cure_of_a_confirmed_finding_is_too_little() -> None:
    small = action("F1", 0.0018, finding="F1", confirmed=True)
    found = weigh([small, action("F2", 0.0018, finding="F2")], TONIGHT, 0.002, may_end=True)
    assert (found.made, found.ends, fates(found)["F2"]) == (("F1",), False, "little")
    dear = action("F1", 0.0, cost=60.0, confirmed=True)
    assert fates(weigh([dear], TONIGHT, 0.002, may_end=True)) == {"F1": "dear"}


def test_a_delivery_is_waited_for_only_where_nothing_is_left_to_do() -> None:
    asked = action("R1", 0.03, kind="wait", days=21.0, finding="F2")
    assert weigh([action("F1", 0.004), asked], TONIGHT, 0.002, may_end=True).pick == "F1"
    found = weigh([action("F1", 0.001), asked], TONIGHT, 0.002, may_end=True)
    assert (found.pick, found.ends) == ("R1", True)
    assert Weighed.of(found.to_dict()) == found


def test_the_first_is_made_wherever_trainings_are_left_for_it() -> None:
    small = Purse(trainings=6.0, room=2.0, money=math.inf)
    assert weigh([action("a", 0.02), action("b", 0.01)], small, None, may_end=False).made == ("a",)
    empty = Purse(trainings=0.0, room=0.0, money=math.inf)
    assert weigh([action("a", 0.02)], empty, None, may_end=False).made == ()


@pytest.mark.parametrize(("mean", "sd", "noise"), [(-0.01, 0.02, 0.01), (0.005, 0.01, 0.03), (0.0, 0.02, 0.0)])
def test_what_a_search_is_expected_to_bring_is_what_looking_at_it_would(mean: float, sd: float, noise: float) -> None:
    rng, n = np.random.default_rng(1), 8
    truth = rng.normal(mean, sd, 400_000)
    seen = truth + rng.normal(0, noise / math.sqrt(n), len(truth)) if noise else truth
    known = mean + (seen - mean) * sd**2 / (sd**2 + noise**2 / n)
    assert of_search(mean, sd, noise, n) == pytest.approx(np.mean(np.where(known > 0, truth, 0.0)), abs=1e-4)


@pytest.mark.parametrize(
    ("gain", "ahead", "low", "high", "alone", "told"),
    [
        (0.08, 0.06, 0.03, 0.09, True, "right"),
        (0.08, 0.03, 0.01, 0.05, True, "open"),
        (0.08, 0.005, -0.02, 0.03, True, "more"),
        (0.08, -0.02, -0.05, 0.01, True, "more"),
        (0.08, 0.05, -0.01, 0.11, True, "open"),
        (0.03, 0.01, -0.004, 0.024, True, "open"),
        (0.08, 0.01, -0.02, 0.04, True, "open"),
        (0.08, -0.02, -0.05, 0.01, False, "open"),
        (0.08, 0.06, 0.03, 0.09, False, "right"),
    ],
)
def test_the_right_data_brings_twice_what_chance_brings(
    gain: float, ahead: float, low: float, high: float, alone: bool, told: str
) -> None:
    assert said(gain, ahead, low, high, alone=alone) == told


def test_a_control_that_the_money_does_not_pay_whole_is_left_out() -> None:
    every = [proposal("F1", "F1", cost=200.0), proposal("by-chance", cost=200.0, control_of=("F1",))]
    assert affordable(every, math.inf) == (every, [])
    assert affordable(every, 400.0) == (every, [])
    assert affordable(every, 300.0) == (every[:1], [(every[1], 100.0)])


@pytest.mark.parametrize("room", [5.0, 100.0])
def test_what_is_made_is_never_over_the_money_whatever_is_chosen(room: float) -> None:
    for a, b, c, d in itertools.product((0.0, 1.0, 3.0), repeat=4):
        found = [proposal("a", "F1", cost=a), proposal("b", "F2", cost=b), proposal("c", control_of=("a", "b"), cost=c)]
        found.append(proposal("d", control_of=("b",), cost=d))
        hoped = [action("a", 0.01, cost=a + c / 2, finding="F1"), action("b", 0.02, cost=b + c / 2 + d, finding="F2")]
        for money in (0.0, 1.0, 3.0, 4.0, 6.0):
            made = weigh(hoped, Purse(trainings=100.0, room=room, money=money), None, may_end=False).made
            kept, dear = affordable(with_controls(found, made), money)
            assert sum(one.cost for one in kept) <= money
            assert {one.name for one in kept if one.finding} == {*made}, "what was chosen is made, controls or none"
            assert all(one.control_of and one.cost > left for one, left in dear)


def proposal(name: str, finding: str | None = None, **more: Any) -> Proposal:
    return Proposal(name=name, by="pool", maker="m:o", finding=finding, **more)


def test_a_control_goes_with_the_first_it_stands_beside_and_stays_out_with_the_last() -> None:
    control = proposal("by-chance", control_of=("a", "b", "again"))
    every = beside_chosen([proposal("a", "F1"), proposal("b", "F2"), proposal("again"), control])
    assert every[-1].control_of == ("a", "b"), "rows by chance need no control"
    found = with_controls(every, ["b", "again"])
    assert [one.name for one in found] == ["b", "by-chance", "again"]
    assert found[1].control_of == ("b",)
    assert [one.name for one in with_controls(every, ["again"])] == ["again"]
    assert beside_chosen([proposal("again"), proposal("c", control_of=("again",))]) == [proposal("again")]
