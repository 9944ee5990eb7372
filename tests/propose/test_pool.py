"""Which rows of a pool are chosen: those of the finding, the likest to its failures, none twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from autodc.errors import AutodcError
from autodc.propose import pool
from autodc.propose.pool import PoolView, Wish, choose, proposals, wanted_rows

EXPLORE = 700


def seen(**other: Any) -> PoolView:
    """Real digits; a model that fails on bold ones, of which the pool has a fifth, sevens above all."""
    x, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(3)
    bold = rng.random(len(x)) < 0.2
    failed = bold & (rng.random(len(x)) < np.where(y == 7, 1.0, 0.3))
    table = pd.DataFrame({"ink": x.mean(axis=1) + 6.0 * bold, "hour": rng.integers(0, 24, len(x))})
    parts: dict[str, Any] = {
        "ids": np.arange(EXPLORE),
        "failed": failed[:EXPLORE],
        "target": y[:EXPLORE],
        "attributes": table[:EXPLORE],
        "embeddings": {"pixels": x[:EXPLORE].astype(np.float32)},
        "pool_attributes": table[EXPLORE:].reset_index(drop=True),
        "pool_embeddings": {"pixels": x[EXPLORE:].astype(np.float32)},
        "content": np.arange(len(x) - EXPLORE),
        "barred": np.zeros(len(x) - EXPLORE, dtype=bool),
    }
    return PoolView(**{**parts, **other})


def wish(known: PoolView, rule: str = "ink > 9", **other: Any) -> Wish:
    inside = np.flatnonzero(known.attributes["ink"] > 9)
    return Wish(
        **{"name": "pool-F1", "why": "F1", "finding": "F1", "code": "ADC-D001", "rule": rule, "ids": inside, **other}
    )


@pytest.mark.slow
def test_rows_meet_the_rule_and_the_likest_to_failures_come_first() -> None:
    known = seen()
    chosen = choose(known, wish(known), 60, 0)
    assert (known.pool_attributes["ink"].iloc[chosen.rows] > 9).all()
    assert chosen.matching == (known.pool_attributes["ink"] > 9).sum()
    sevens = load_digits().target[EXPLORE:] == 7
    assert sevens[chosen.rows[:15]].mean() > 2 * sevens[known.pool_attributes["ink"] > 9].mean()


@pytest.mark.slow
def test_the_class_in_a_rule_is_left_to_likeness() -> None:
    known = seen()
    told = {"unlabelled": {"where": "ink > 9", "predicted": ["1"]}}
    chosen = choose(known, wish(known, "ink > 9 AND target = 7", told=told), 40, 0)
    assert len(chosen.rows) == 40


@pytest.mark.slow
def test_copies_and_barred_rows_are_left_out() -> None:
    known = seen()
    before = choose(known, wish(known), 60, 0).rows
    content, barred = known.content.copy(), known.barred.copy()
    one, copy = sorted(before[:2])
    content[copy], barred[before[2]] = content[one], True
    chosen = choose(seen(content=content, barred=barred), wish(known), 60, 0)
    assert one in chosen.rows
    assert not {copy, before[2]} & set(chosen.rows.tolist())
    assert chosen.doubles == 2


@pytest.mark.slow
def test_where_a_rule_is_too_narrow_rows_beyond_it_follow_that_are_as_like() -> None:
    x, _ = load_digits(return_X_y=True)
    bold = seen().attributes["ink"].to_numpy() - x[:EXPLORE].mean(axis=1) > 3
    known = seen(failed=bold)
    narrow = np.flatnonzero(bold & (known.attributes["hour"] < 12))
    match = ((known.pool_attributes["ink"] > 9) & (known.pool_attributes["hour"] < 12)).to_numpy()
    chosen = choose(known, wish(known, "ink > 9 AND hour < 12", ids=narrow), 180, 0)
    assert match[chosen.rows].tolist() == sorted(match[chosen.rows].tolist(), reverse=True)
    assert 5 < chosen.beyond == (~match[chosen.rows]).sum()
    assert (known.pool_attributes["ink"].iloc[chosen.rows] > 9).mean() > 0.95


@pytest.mark.slow
def test_rows_that_pass_inside_a_rule_are_not_taken() -> None:
    x, _ = load_digits(return_X_y=True)
    bold = seen().attributes["ink"].to_numpy() - x[:EXPLORE].mean(axis=1) > 3
    failed = bold & (seen().attributes["hour"] < 6).to_numpy()
    known = seen(failed=failed)
    chosen = choose(known, wish(known), 60, 0)
    assert chosen.matching > 150
    assert (known.pool_attributes["hour"].iloc[chosen.rows] < 6).mean() > 0.9


@pytest.mark.slow
def test_rows_unlike_all_that_was_looked_at_are_out_of_reach() -> None:
    """A pool has what validation has not: the rule was found without it, and holds nothing of it."""
    known = seen()
    table = known.pool_attributes.copy()
    strange = np.arange(len(table)) % 10 == 0
    table.loc[strange, "ink"] = 40.0
    chosen = choose(seen(pool_attributes=table), wish(known), len(table), 0)
    assert chosen.matching > len(chosen.rows) > 100
    assert not strange[chosen.rows].any()


def test_too_few_rows_are_told_with_what_became_of_the_others() -> None:
    known = seen()
    match = known.pool_attributes["ink"] > 9
    table = known.pool_attributes.assign(ink=np.where(match, 400.0, known.pool_attributes["ink"]))
    barred = known.barred.copy()
    barred[np.flatnonzero(match)[:7]] = True
    data = seen(pool_attributes=table, barred=barred, failed=np.zeros(EXPLORE, dtype=bool))
    _, (note,) = proposals(data, [wish(known)], base=800, cost=0.5, most=4, round_number=2, seed=1)
    far = f"7 are not free and {match.sum() - 7} are unlike all rows that were looked at"
    assert note["code"] == "ADC-PROP-003"
    assert note["got"].endswith(f"of {match.sum()} that match, {far}")


@pytest.mark.slow
def test_a_cluster_chooses_by_its_ball() -> None:
    known = seen()
    centre = known.embeddings["pixels"][0]
    told = {"ball": {"embedding": "pixels", "centre": centre.tolist(), "radius": 30.0}}
    chosen = choose(known, wish(known, code="ADC-D002", told=told), 50, 0)
    assert (np.linalg.norm(known.pool_embeddings["pixels"][chosen.rows] - centre, axis=1) <= 30.0).all()


def test_a_cluster_of_which_the_pool_has_nothing_chooses_nothing() -> None:
    known = seen()
    told = {"ball": {"embedding": "pixels", "centre": [0.0] * 64, "radius": 0.1}}
    chosen = choose(known, wish(known, code="ADC-D002", told=told), 50, 0)
    assert (len(chosen.rows), chosen.matching) == (0, 0)


def test_of_a_large_pool_some_are_looked_at_and_those_of_the_rule_first(monkeypatch: pytest.MonkeyPatch) -> None:
    known = seen(failed=np.zeros(EXPLORE, dtype=bool))
    monkeypatch.setattr(pool, "LOOKED_AT", 300)
    some = choose(known, wish(known), 1000, 0)
    assert len(some.rows) + some.far == some.matching == (known.pool_attributes["ink"] > 9).sum() < 300
    chance = [choose(known, wish(known, finding=None), 1000, seed).rows.tolist() for seed in (0, 0, 1)]
    assert len(chance[0]) <= 300
    assert chance[0] == chance[1] != chance[2]


def test_a_class_has_its_share_wherever_in_the_order_its_rows_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of half sevens and half eights among the failures, though all sevens of the pool come first; piece by piece."""
    y = load_digits().target
    known = seen(failed=np.isin(y[:EXPLORE], [7, 8]))
    order = np.argsort(y[EXPLORE:] != 7, kind="stable")
    whole = pool._within_quota(order, known, known.failed, 100, pool.PoolNeighbours(known))
    monkeypatch.setattr(pool, "AT_ONCE", 7)
    assert pool._within_quota(order, known, known.failed, 100, pool.PoolNeighbours(known)).tolist() == whole.tolist()
    kinds = np.bincount(y[EXPLORE:][whole], minlength=10)
    assert 70 <= kinds[7] <= 85
    assert kinds[[0, 1, 2, 3, 4, 5, 6, 9]].max() <= 10


@pytest.mark.slow
def test_no_row_is_in_two_datasets_and_a_rule_of_nothing_is_a_note() -> None:
    known = seen()
    wishes = [wish(known), wish(known, name="pool-F2"), wish(known, "nothing > 3", name="pool-F3")]
    made, notes = proposals(known, wishes, base=800, cost=0.5, most=4, round_number=2, seed=1)
    rows = [row for one in made for row in one.arguments["rows"]]
    assert len(rows) == len(set(rows))
    assert [one.name for one in made if one.control_of] == ["random-2"]
    assert made[0].cost == pytest.approx(0.5 * made[0].rows)
    assert {note["code"] for note in notes} >= {"ADC-PROP-002"}


def test_rows_by_the_size_of_the_base() -> None:
    assert [wanted_rows(n) for n in (100, 5000, 10**6)] == [200, 500, 5000]


def test_a_rule_that_the_pool_cannot_answer_is_told() -> None:
    known = seen()
    with pytest.raises(AutodcError):
        choose(known, wish(known, "nothing > 3"), 10, 0)
