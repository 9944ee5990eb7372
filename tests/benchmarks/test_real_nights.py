"""The page of the gate's real nights counts what it says it counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.gate.real_nights import Night, Peer, articles_rule, page, worth
from benchmarks.worlds import world

PEER = Peer(wrong=2, cures=4, share=0.5)
NIGHT = Night(
    world="digits",
    seed=10,
    cures=5,
    proposed=4,
    kept=4,
    found=4,
    alone=3,
    halves=1,
    useless=4,
    harmful_kept=0,
    useless_alone=0,
    useless_riding=1,
    wrong=(),
    extra=(),
    missed=(),
    tuned=False,
    undecided=0,
    gate=30,
    share=0.9,
    article=PEER,
    flattered=PEER,
)
NULL = replace(NIGHT, world="null", cures=0, proposed=0, kept=0, found=0, share=None, article=replace(PEER, share=None))


def test_a_clean_campaign_says_so() -> None:
    text = page([NULL] * 4, [NIGHT, replace(NIGHT, world="fashion")], 60.0)
    assert "| nights that keep any candidate | ≤ 10% | 0.0% (0) |" in text
    assert "100.0% (10 of 10, 2 by its half) | 60.0% (6) | 0 | 0 | 25% (2 of 8)" in text
    assert "What went wrong" not in text


def test_false_keeps_and_missed_cures_are_counted_and_told() -> None:
    story = "digits 10: set_01 (cure): drop"
    bad = replace(
        NIGHT, kept=3, found=3, harmful_kept=1, useless_alone=1, wrong=("set_03 (copy) -0.2 ± 0.3",), missed=(story,)
    )
    text = page([NULL, replace(NULL, wrong=("set_00 (resample) +0.1 ± 0.2",))], [NIGHT, bad], 60.0)
    assert "50.0% (1)" in text
    assert "90.0% (9 of 10, 2 by its half) | 60.0% (6) | 1 | 1 |" in text
    assert f"- {story}" in text
    assert "- null 10: set_00 (resample) +0.1 ± 0.2" in text


@pytest.mark.slow
def test_the_articles_rule_adds_sets_at_weight_one_and_can_be_wrong_where_nothing_is_to_be_kept() -> None:
    one = world("null", 5)
    plan = articles_rule(one, one.problem.start)
    assert all(weight == 1.0 for _, weight in plan.mixture)
    assert set(plan.mixture.added) <= set(one.problem.datasets)
    assert plan == articles_rule(one, one.problem.start)


@pytest.mark.slow
def test_the_worth_of_a_cure_is_far_from_nothing() -> None:
    one = world("digits", 5)
    cure = next(n for n, kind in one.kinds.items() if kind == "cure")
    numbers = {"lr": 0.15, "momentum": 0.5, "weight_decay": 1e-3, "width": 40, "dropout": 0.0}
    mean, error = worth(one, one.best(numbers), cure)
    assert mean > 3 * error > 0
