"""Nights that weigh evidence together, on worlds whose truth is known: what they keep, and that the worlds are true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from autodc import seeds
from autodc.lab.joint import Asked, Sort, conclude_together, joint_sizes, play_sort, sorts
from autodc.lab.slices import SliceSet
from autodc.lab.together import Night, Terms, simulate_night
from autodc.lab.world import Planted, Point, World
from autodc.studyfile.study import GateSpec
from autodc.testing.worlds.slices import synthetic_slice


def world(sets: Sequence[tuple[str, float, str | None]], rows: int, number: int, settings: int = 5) -> World:
    """One target. sets: kind, gain, what it is like."""
    rng = seeds.generator(31, "world", number)
    known = SliceSet(slices=(synthetic_slice("overall", "target", rows, rng, accuracy=0.85),)).placed()
    planted = [
        Planted(name=f"d{i}", kind=kind, gains={"overall": gain}, like=like)
        for i, (kind, gain, like) in enumerate(sets)
    ]
    free = [Planted(name=f"t{i}", kind="setting") for i in range(settings)]
    return World(known, np.sort(rng.permutation(rows)[: int(0.4 * rows)]), planted, free, rng)


def terms(datasets: int, **changes: Any) -> Terms:
    bare = Terms(gate=GateSpec(), planned=datasets + 1, rounds=1, per_round=60, matters=0.002)
    return replace(bare, **changes)


def night(sets: Sequence[tuple[str, float, str | None]], rows: int, number: int, **changes: Any) -> Night:
    return simulate_night(world(sets, rows, number), terms(len(sets), **changes), number)


def point(strengths: Sequence[float], settings: Sequence[float] = ()) -> Point:
    return Point(strengths=np.array([strengths], dtype=float), settings=np.array([settings], dtype=float))


def test_trainings_score_as_the_truth_says_and_stand_ins_are_worth_no_more_than_one() -> None:
    sets = [("cure", 0.05, None), ("twin", 0.04, "twin"), ("twin", 0.04, "twin"), ("harmful", -0.03, None)]
    here = world(sets, 40_000, 1, settings=1)
    mixtures = [(0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (0, 1, 1, 0), (1, 1, 1, 1)]
    points = Point.stacked([point(m, (0.0,)) for m in mixtures])
    truth = here.truth(points)["overall"]
    assert truth == pytest.approx([0.0, 0.05, 0.04, 0.04, 0.06])
    scores = here.train(seeds.generator(5, "train"), Point.stacked([points] * 10), "all")["overall"]
    means = scores.reshape(10, len(mixtures), -1).mean(axis=(0, 2))
    assert means - means[0] == pytest.approx(truth, abs=0.008)


def test_a_row_in_two_slices_moves_once_and_guards_move_with_the_rows_they_share() -> None:
    rng = seeds.generator(7, "rows")
    dark = replace(synthetic_slice("dark", "target", 300, rng), rows=np.arange(300))
    every = replace(synthetic_slice("every", "guard", 900, rng, margin=0.02), rows=np.arange(900))
    known = SliceSet(slices=(every, dark)).placed()
    here = World(known, None, [Planted(name="a", kind="cure", gains={"dark": 0.06})], (), rng)
    truth = here.truth(point([1.0]))
    assert truth["dark"] == pytest.approx([0.06])
    assert truth["every"] == pytest.approx([0.02])


def test_sides_share_no_row_and_have_all_of_them() -> None:
    here = world([("useless", 0.0, None)], 500, 2)
    explored, gate, every = ({*np.asarray(here.on(side)[0].rows).tolist()} for side in ("explore", "gate", "all"))
    assert (len(explored), len(gate)) == (200, 300)
    assert explored | gate == every
    assert not explored & gate


@pytest.mark.slow
def test_many_small_helpers_are_found_together_and_a_night_is_a_function_of_its_seed() -> None:
    found = [night([("small", 0.0025, None)] * 20, 2000, number) for number in range(3)]
    assert sum(n.gain > 0.03 for n in found) >= 2
    assert night([("small", 0.0025, None)] * 20, 2000, 0) == found[0]


def test_of_stand_ins_one_stays_and_what_harms_goes() -> None:
    sets = [("twin", 0.05, "twin"), ("twin", 0.05, "twin"), ("harmful", -0.05, None), ("useless", 0.0, None)]
    for number in range(2):
        kept = [m.kind for m in night(sets, 2000, number).kept]
        assert "twin" in kept
        assert "harmful" not in kept


def test_where_no_trainings_are_left_for_the_gate_nothing_is_kept() -> None:
    starved = night([("cure", 0.1, None)] * 3, 1000, 1, budget=21.0, search_share=0.95)
    assert starved.kept == ()
    assert starved.gain == 0.0
    assert starved.trainings <= 2


def _asked(nights: int, datasets: int) -> Asked:
    rng = seeds.generator(13, "asked")
    known = SliceSet(slices=(synthetic_slice("overall", "target", 800, rng, accuracy=0.8),)).placed()
    explored = np.arange(0, 800, 3)
    bound = terms(datasets)
    gains = joint_sizes(known, explored, datasets, bound, 3)
    return Asked(
        known=known, explored=explored, terms=bound, datasets=datasets, settings=2, gains=gains, nights=nights, seed=3
    )


@pytest.mark.slow
def test_planted_sizes_are_around_what_the_whole_can_show_and_every_kind_is_played() -> None:
    asked = _asked(1, 6)
    assert len(asked.gains) == 4
    assert 0.005 < asked.gains[0] < asked.gains[-1] < 0.3
    kinds: Mapping[str, list[str]] = {
        sort.part: [m.kind for m in play_sort(asked, sort).members] for sort in sorts(asked) if sort.number == 0
    }
    assert set(kinds["useless"]) == {"useless"}
    assert kinds["joint"] == ["small"] * 6
    assert kinds["substitutes"] == ["substitute"] * 2 + ["useless"] * 4
    assert sorted(kinds["mixed"]) == ["cure", "harmful", "small", "small", "useless", "useless"]
    played = [(sort, play_sort(asked, sort)) for sort in sorts(asked)]
    found = conclude_together(asked, played)
    assert found.useless.keeping.of == found.substitutes.one.of == 1
    assert found.mixed.undecided.of == 6
    assert play_sort(asked, Sort("mixed", asked.gains[-1], 0)) in [night for _, night in played]


@pytest.mark.slow
@pytest.mark.parametrize("datasets", [2, 10, 50])
def test_useless_nights_keep_something_in_a_tenth_at_most(datasets: int) -> None:
    """Of 60 nights at a true share of a tenth, 13 or more keep something in 1% of cases."""
    nights = [night([("useless", 0.0, None)] * datasets, 1000, number) for number in range(60)]
    assert sum(bool(n.kept) for n in nights) <= 12
    assert sum(n.tuned for n in nights) <= 8
