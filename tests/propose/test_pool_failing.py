"""Rows of a pool that no finding names: like what fails beyond the findings, and all that is left."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from autodc.propose.actions import Action, Purse, weigh
from autodc.propose.pool import PoolView, proposals
from autodc.propose.pool_failing import TIMES, failing, rest
from autodc.propose.proposal import FAILING, REST


@pytest.fixture(scope="module")
def seen() -> PoolView:
    """Digits: explore rows fail where they are turned, in explore rows and pool alike; half of the turned are named."""
    x = load_digits().images[:900] / 16
    rng = np.random.default_rng(0)
    turned = rng.random(900) < 0.3
    x = np.where(turned[:, None, None], x.transpose(0, 2, 1), x)
    flat = x.reshape(900, -1)
    failed = turned[:500] & (rng.random(500) < 0.8)
    frame = pd.DataFrame({"top": x[:, :4].mean((1, 2)), "ink": x.mean((1, 2))})
    return PoolView(
        ids=np.arange(500),
        failed=failed,
        target=np.zeros(500),
        attributes=frame[:500],
        embeddings={"pixels": flat[:500]},
        pool_attributes=frame[500:].reset_index(drop=True),
        pool_embeddings={"pixels": flat[500:]},
        content=np.arange(400),
        barred=np.zeros(400, dtype=bool),
    )


def turned_in_pool() -> np.ndarray:
    return (np.random.default_rng(0).random(900) < 0.3)[500:]


def test_what_fails_without_a_rule_is_chosen_by_what_fails(seen: PoolView) -> None:
    wish = failing(seen, 0.24, np.zeros(0, dtype=int), 0, seed=1)
    assert wish.tags == (FAILING,)
    assert 0 < wish.expected <= 0.24
    made, _ = proposals(seen, [replace(wish, expected=0.1)], base=500, cost=0.0, most=5, round_number=1, seed=2)
    chosen, control = made
    purity = turned_in_pool()[chosen.arguments["rows"]].mean()
    assert purity > 2 * turned_in_pool().mean()
    assert control.control_of == ("pool-failing",)


def test_what_findings_name_is_not_hoped_for_again(seen: PoolView) -> None:
    named = seen.ids[seen.failed]
    assert failing(seen, 0.24, named, 0, seed=1).expected == 0.0


def test_failures_like_all_other_rows_promise_nothing(seen: PoolView) -> None:
    luck = np.random.default_rng(3).random(500) < 0.1
    whole = failing(seen, 0.24, np.zeros(0, dtype=int), 0, seed=1).expected
    assert failing(replace(seen, failed=luck), 0.24, np.zeros(0, dtype=int), 0, seed=1).expected < whole / 4


def test_the_rest_is_all_that_is_free_and_stands_beside_no_control(seen: PoolView) -> None:
    taken = seen.barred.copy()
    taken[:150] = True
    wish = rest(replace(seen, barred=taken), 0.2, base=500)
    assert wish.tags == (REST,)
    assert wish.rows == 250
    assert 0 < wish.expected < 0.2
    made, _ = proposals(replace(seen, barred=taken), [wish], base=500, cost=0.0, most=5, round_number=4, seed=2)
    (only,) = made
    assert only.name == "pool-rest"
    assert min(only.arguments["rows"]) >= 150
    assert len(only.arguments["rows"]) > 200


def test_a_pool_that_dwarfs_the_base_is_not_taken_whole(seen: PoolView) -> None:
    assert rest(seen, 0.2, base=50).rows == TIMES * 50


def test_what_may_matter_is_not_too_little() -> None:
    doubted = Action(kind="finding", name="pool-F2", expected=0.0017, trainings=4, finding="F2", at_best=0.0057)
    surely = Action(kind="finding", name="pool-F3", expected=0.0004, trainings=4, finding="F3", at_best=0.0013)
    found = weigh([doubted, surely], Purse(trainings=60, room=20, money=0), 0.002, may_end=True)
    assert found.made == ("pool-F2",)
