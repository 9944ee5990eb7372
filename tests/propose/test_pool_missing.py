"""What validation has and what is trained on lacks: how much of it is sure, which rows of a pool it names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from autodc.propose.chance import beside_chosen
from autodc.propose.pool import PoolView, proposals
from autodc.propose.pool_missing import lack, missing
from autodc.propose.proposal import MISSING

TRAINED, EXPLORE, POOL = 600, 500, 2000
SHARE = 0.2
"""Of explore rows and pool the kind that trained rows lack."""


def drawn(rows: int, other: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of eight numbers, of which the other kind has two higher; and which are of that kind."""
    rng = np.random.default_rng(seed)
    is_other = rng.random(rows) < other
    return rng.normal(size=(rows, 8)) + 2.5 * is_other[:, None] * (np.arange(8) < 2), is_other


def alone(trained: int, explore: int) -> tuple[np.ndarray, np.ndarray]:
    """Every row its own group."""
    return np.arange(trained), trained + np.arange(explore)


def test_the_share_that_is_missing_is_told_within_its_bound() -> None:
    explore, is_other = drawn(EXPLORE, SHARE, 2)
    offered, wanted = drawn(POOL, SHARE, 3)
    found = lack(drawn(TRAINED, 0, 1)[0], explore, alone(TRAINED, EXPLORE), offered, seed=4)
    assert found is not None
    assert 0.08 < found.low < found.share < SHARE + 0.05
    assert found.auc > 0.55
    assert is_other[found.told].mean() > 2 * SHARE
    first = np.argsort(-found.like)[: int(wanted.sum() / 2)]
    assert wanted[first].mean() > 0.9


def test_days_of_their_own_are_no_lack() -> None:
    """Rows of a day are alike, and no day is in both: row by row the two sides look unlike each other."""
    rng = np.random.default_rng(5)
    day = np.arange(60).repeat(20)
    weather = rng.normal(size=(60, 4))[day]
    rows = np.column_stack([weather, rng.normal(size=(1200, 4))])
    split = lack(rows[:600], rows[600:], (day[:600], day[600:]), rows[:50], seed=6)
    assert split is not None
    assert split.low <= 0


def test_nothing_is_told_of_few_groups() -> None:
    rows, _ = drawn(100, 0, 7)
    assert lack(rows[:50], rows[50:], (np.arange(50) % 10, 100 + np.arange(50)), rows, seed=8) is None


@pytest.fixture(scope="module")
def seen() -> PoolView:
    """Of two classes; nothing fails."""
    explore, pool = drawn(EXPLORE, SHARE, 2)[0], drawn(POOL, SHARE, 3)[0]
    barred = np.zeros(POOL, dtype=bool)
    barred[:500] = True
    return PoolView(
        ids=np.arange(EXPLORE) + 1000,
        failed=np.zeros(EXPLORE, dtype=bool),
        target=np.arange(EXPLORE) % 2,
        attributes=pd.DataFrame({"first": explore[:, 0]}),
        embeddings={"all": explore},
        pool_attributes=pd.DataFrame({"first": pool[:, 0]}),
        pool_embeddings={"all": pool},
        content=np.arange(POOL),
        barred=barred,
    )


def test_free_rows_of_it_are_proposed_with_their_reason_and_a_control(seen: PoolView) -> None:
    offered, wanted = drawn(POOL, SHARE, 3)
    found = lack(drawn(TRAINED, 0, 1)[0], drawn(EXPLORE, SHARE, 2)[0], alone(TRAINED, EXPLORE), offered, seed=4)
    assert found is not None
    wish = missing(found, seen.ids, error=0.3, trained=TRAINED, base=TRAINED, times=0)
    assert wish.expected == pytest.approx(0.3 * found.share)
    assert set(wish.ids) == set(seen.ids[found.told])
    made, _ = proposals(seen, [wish], base=TRAINED, cost=0.5, most=5, round_number=1, seed=2)
    one, control = beside_chosen(made)
    rows = np.asarray(one.arguments["rows"])
    assert rows.min() >= 500, "those before are not free"
    assert wanted[rows].mean() > 0.8
    assert (found.like[rows] > 0.5).all()
    assert control.control_of == ("pool-missing",)
    assert (one.tags, one.cost, one.finding) == ((MISSING,), len(rows) / 2, None)
    assert one.arguments["missing"] == pytest.approx(found.share, abs=1e-3)
    assert one.words == (
        f"{len(rows)} rows of the pool: validation has their like and what is trained on lacks it, "
        f"{found.share:.0%} of validation at least"
    )


def test_as_many_are_wanted_as_make_what_is_trained_on_like_validation() -> None:
    offered, _ = drawn(50, SHARE, 3)
    found = lack(drawn(TRAINED, 0, 1)[0], drawn(EXPLORE, SHARE, 2)[0], alone(TRAINED, EXPLORE), offered, seed=4)
    assert found is not None
    many = missing(found, np.arange(EXPLORE), error=0.3, trained=9000, base=600, times=1)
    assert many.name == "pool-missing.2"
    assert many.rows is not None
    assert many.rows / (9000 + many.rows) == pytest.approx(found.share, abs=0.001)
    assert missing(found, np.arange(EXPLORE), error=0.3, trained=600, base=600, times=0).rows == 200
