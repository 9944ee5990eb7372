"""What is tried, on which rows, at which level: a second reason shows beside a first, a slice that was named needs no
search, and luck is confirmed no more often than is said, also over the rounds of a study."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodc.diagnose.beam import Beam
from autodc.diagnose.clusters import Clusters
from autodc.diagnose.confirm import ALPHA, alpha_of, tried
from autodc.diagnose.confirmation_order import confirmation_order
from autodc.diagnose.diagnosis import diagnose
from autodc.diagnose.named_slices import Named, known, try_named
from autodc.diagnose.view import View
from autodc.diagnose.weight import Errors

FINDERS = (Beam(), Clusters())
Array = np.ndarray[Any, Any]


def reasons(rows: int = 800, seed: int = 3, plain: float = 0.1) -> View:
    """A quarter of the rows each: plain, dark, turned and masked; the model errs on .1, .35, .7 and .7 of them."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 4, rows)
    error = (rng.random(rows) < np.array([plain, 0.35, 0.7, 0.7])[kind]).astype(float)
    target = rng.integers(0, 3, rows)
    told = {"kind": pd.Series(np.array(["plain", "dark", "turned", "masked"], dtype=object)[kind])}
    return View(
        ids=np.arange(rows),
        error=error,
        failed=error > 0,
        target=target,
        prediction=np.where(error > 0, (target + 1) % 3, target),
        attributes=pd.DataFrame({**told, "hour": rng.integers(0, 24, rows)}),
        groups=np.arange(rows),
        classes=(0, 1, 2),
    )


def of(view: View, kind: str) -> Array:
    return (view.attributes["kind"] == kind).to_numpy()


def test_a_reason_that_is_no_worse_than_others_shows_beside_them() -> None:
    view = reasons()
    masks = [of(view, kind) for kind in ("turned", "masked", "dark")]
    assert not tried([masks[2]], view)[0].confirmed
    third = tried(masks, view)[2]
    assert third.confirmed
    assert third.aside == masks[0].sum() + masks[1].sum()
    assert third.gap.outside == pytest.approx(view.error[of(view, "plain")].mean())
    assert third.gap.inside == pytest.approx(view.error[masks[2]].mean())


def test_the_same_rows_again_are_no_news() -> None:
    view = reasons()
    first, again = tried([of(view, "turned"), of(view, "turned")], view)
    assert first.confirmed
    assert not again.confirmed
    assert not again.news.any()


def test_they_are_tried_the_worst_first_and_nothing_twice() -> None:
    view = reasons()
    masks = [of(view, "dark"), of(view, "turned"), of(view, "turned"), of(view, "masked")]
    order = confirmation_order(masks, [1.0] * 4, view, 10)
    assert order[-1] == 0
    assert sorted(order) in ([0, 1, 3], [0, 2, 3])
    assert confirmation_order(masks, [1.0] * 4, view, 2) == order[:2]
    assert confirmation_order([], [], view, 10) == []
    ball_first = confirmation_order([of(view, "turned"), of(view, "turned")], [1.0, 1.25], view, 10)
    assert ball_first == [1]


def test_each_reason_is_tried_before_what_has_both_and_the_rows_between() -> None:
    view = reasons(2000)
    both = of(view, "turned") | of(view, "masked") | (of(view, "plain") & (view.attributes["hour"] < 12).to_numpy())
    order = confirmation_order([both, of(view, "turned"), of(view, "masked")], [1.0] * 3, view, 10)
    assert sorted(order[:2]) == [1, 2]


def test_what_is_not_surely_worse_is_tried_too_and_what_is_no_worse_is_not() -> None:
    view = reasons(200)
    few = of(view, "dark") & (view.attributes["hour"] < 8).to_numpy()
    assert confirmation_order([few, of(view, "plain")], [1.25, 1.0], view, 10) == [0]


def named(view: View, *targets: str) -> list[Named]:
    return [
        Named(name=kind, where=f"kind = '{kind}'", mask=of(view, kind), is_target=kind in targets)
        for kind in ("plain", "dark", "turned", "masked")
    ]


def test_a_slice_is_held_against_the_rows_that_no_target_names() -> None:
    view = reasons(300)
    found = {one.name: trial for one, trial in try_named(named(view, "dark", "turned", "masked"), view, ALPHA)}
    assert set(found) == {"dark", "turned", "masked"}  # the plain ones are what others are held against
    assert all(trial.confirmed for trial in found.values())
    assert found["dark"].gap.outside == pytest.approx(view.error[of(view, "plain")].mean())
    everywhere = try_named(named(view, "plain", "dark", "turned", "masked"), view, ALPHA)
    assert [one.name for one, trial in everywhere if trial.confirmed] == ["turned", "masked"]
    assert try_named([], view, ALPHA) == ()


def test_a_named_slice_comes_first_and_finders_look_for_what_it_does_not_explain() -> None:
    view = reasons(600)
    found = diagnose(view, FINDERS, named=named(view, "turned", "masked", "dark"), seed=1)
    assert [one.by for one in found.confirmed] == ["slices"] * 3
    assert {one.rule for one in found.confirmed} == {"kind = 'turned'", "kind = 'masked'", "kind = 'dark'"}
    assert all(one.found == 0 and one.confirmed == len(one.ids) for one in found.confirmed)
    first = found.confirmed[0]
    assert first.told["slice"] in first.rule
    assert found.mask(first.id, view).sum() == first.confirmed
    noon = view.attributes["hour"].between(10, 13).to_numpy()
    worse = np.where(noon & of(view, "plain"), 1.0, view.error)
    more = replace(view, error=worse, failed=worse > 0)
    rules = [one.rule for one in diagnose(more, FINDERS, named=named(view, "turned", "masked"), seed=1).confirmed]
    assert any("hour" in rule for rule in rules)


def test_rows_of_what_is_known_are_held_against_each_other_alone() -> None:
    view = reasons()
    masks = [of(view, "turned"), of(view, "masked")]
    beside = replace(view, known=known(masks, view))
    assert len(np.unique(beside.known)) == 3
    assert abs(beside.excess[masks[0]].mean()) < 1e-9
    assert view.excess[masks[0]].mean() > 0.1
    assert beside.take(np.arange(50)).known is not None


def test_either_half_finds_for_the_other() -> None:
    """What one half cannot see, the other may: of 20 small worlds more are understood than by one way alone."""

    class Half:
        name = "half"

        def __init__(self) -> None:
            self.seen: list[Array] = []

        def find(self, view: View, k: int, seed: int) -> Any:
            self.seen.append(view.ids)
            return Beam().find(view, k, seed)

    finder, view = Half(), reasons(400)
    diagnose(view, [finder], seed=2)
    one, two = finder.seen
    assert not set(one) & set(two)
    assert len(one) + len(two) == 400


def test_what_is_only_suspected_says_how_many_rows_would_settle_it() -> None:
    few = reasons(2000).take(np.arange(60))
    (one,) = tried([of(few, "turned")], few, alpha=1e-4)
    assert not one.confirmed
    assert one.needed is not None
    rows = round(one.needed * len(few))
    hits = [tried([of(part, "turned")], part, alpha=1e-4)[0].confirmed for part in _parts(reasons(4 * rows), rows)]
    assert np.mean(hits) >= 0.5
    assert tried([of(few, "plain")], few)[0].needed is None


def _parts(view: View, rows: int) -> list[View]:
    return [view.take(np.arange(start, start + rows)) for start in range(0, len(view) - rows + 1, rows)]


def test_all_rounds_of_a_study_spend_twice_what_the_first_does() -> None:
    spent = [alpha_of(before) for before in range(100_000)]
    assert spent[0] == ALPHA
    assert spent[1] > spent[2] > spent[50] > 0
    assert ALPHA * 1.99 < sum(spent) < ALPHA * 2


def test_rows_of_a_group_count_by_how_alike_they_are() -> None:
    view = reasons(400)
    copies = view.take(np.repeat(np.arange(400), 4))
    copies = replace(copies, groups=np.repeat(np.arange(400), 4))
    assert Errors.of(copies).weights.sum() == pytest.approx(400)
    apart = replace(view, groups=np.arange(400) // 4)
    assert Errors.of(apart).weights.sum() > 300


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "size"), [(300, 1), (1000, 1), (1000, 4)])
def test_luck_is_seldom_confirmed_whatever_the_study_names(rows: int, size: int) -> None:
    fooled = 0
    for seed in range(60):
        view = reasons(rows // size, seed=seed).take(np.repeat(np.arange(rows // size), size))
        error = np.repeat((np.random.default_rng([seed, 1]).random(rows // size) < 0.3).astype(float), size)
        groups = np.repeat(np.arange(rows // size), size)
        view = replace(view, ids=np.arange(len(view)), error=error, failed=error > 0, groups=groups)
        fooled += bool(diagnose(view, FINDERS, named=named(view, "dark", "turned", "masked"), seed=seed).confirmed)
    assert fooled <= 7  # .05 of 60 is 3; more than 7 has probability .01
