"""Our own finders pass the suite that a third party's would, and find what was planted."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from autodc.diagnose import weight
from autodc.diagnose.beam import Beam
from autodc.diagnose.clusters import Clusters
from autodc.diagnose.diagnosis import diagnose
from autodc.diagnose.finder import Finder
from autodc.diagnose.rule import Among, Missing, Range
from autodc.diagnose.terms import cuts, short, terms_of
from autodc.diagnose.tree import Tree
from autodc.diagnose.view import View
from autodc.diagnose.weight import Errors
from autodc.testing.finder_contract import FinderContract, view_of


class TestBeam(FinderContract):
    @pytest.fixture
    def finder(self) -> Finder:
        return Beam()


class TestClusters(FinderContract):
    @pytest.fixture
    def finder(self) -> Finder:
        return Clusters()


class TestTree(FinderContract):
    @pytest.fixture
    def finder(self) -> Finder:
        return Tree()


class TestDense(FinderContract):
    @pytest.fixture
    def finder(self) -> Finder:
        return Clusters(by="hdbscan")


def failing(where: np.ndarray, attributes: pd.DataFrame, seed: int = 0) -> View:
    failed = np.random.default_rng(seed).random(len(where)) < np.where(where, 0.8, 0.1)
    return replace(view_of(len(where)), error=failed.astype(float), failed=failed, attributes=attributes, embeddings={})


def test_a_bound_stands_in_the_gap_as_a_short_number() -> None:
    [cold] = Beam().find(view_of(), 1, 0)[0].rule.conditions
    assert isinstance(cold, Range)
    assert cold.low is None
    assert cold.high is not None
    assert -6 < cold.high <= 0
    assert short(4.0, 7.0) == 6.0
    assert short(0.1833, 0.1871) == 0.185


def test_a_kind_that_most_rows_are_of_is_told_by_its_name() -> None:
    rng = np.random.default_rng(2)
    x = pd.DataFrame({"kind": np.where(rng.random(1200) < 0.7, "night", "day"), "a": rng.random(1200)})
    gaps = pd.DataFrame({"depth": np.where(rng.random(1200) < 0.7, np.nan, rng.random(1200)), "a": x.a})
    assert Beam().find(failing((x.kind == "night").to_numpy(), x), 1, 0)[0].rule.sql == "kind = 'night'"
    assert Beam().find(failing(gaps.depth.isna().to_numpy(), gaps), 1, 0)[0].rule.sql == "depth IS NULL"


def test_two_conditions_are_found_where_neither_alone_says_enough() -> None:
    rng = np.random.default_rng(3)
    x = pd.DataFrame({"a": rng.random(1500), "b": rng.random(1500), "c": rng.random(1500)})
    where = ((x.a < 0.3) & (x.b > 0.7)).to_numpy()
    first = Beam().find(failing(where, x), 3, 0)[0]
    assert set(first.rule.attributes) == {"a", "b"}
    inside = first.rule.mask(x)
    assert (inside & where).sum() > 0.8 * max(inside.sum(), where.sum())


def test_a_band_has_a_bound_only_where_it_parts_something() -> None:
    rng = np.random.default_rng(8)
    x = pd.DataFrame({"hour": rng.integers(0, 24, 1500), "angle": rng.uniform(-90, 90, 1500)})
    night, steep = (x.hour < 5).to_numpy(), ((x.angle > 20) & (x.angle < 40)).to_numpy()
    [hour] = Beam().find(failing(night, x), 1, 0)[0].rule.conditions
    assert isinstance(hour, Range)
    assert (hour.low, hour.high) == (None, 5.0)
    [angle] = Beam().find(failing(steep, x), 1, 0)[0].rule.conditions
    assert isinstance(angle, Range)
    assert angle.low is not None
    assert angle.high is not None
    assert 15 < angle.low < 25
    assert 35 < angle.high < 45


def test_ten_rules_are_not_one_rule_ten_times() -> None:
    rng = np.random.default_rng(4)
    x = pd.DataFrame({name: rng.random(2000) for name in "abcdef"})
    one, two = (x.a < 0.1).to_numpy(), (x.d > 0.88).to_numpy()
    found = Beam().find(failing(one | two, x), 10, 0)
    assert {found[0].rule.attributes, found[1].rule.attributes} == {("a",), ("d",)}
    for other in found[2:]:
        assert (other.rule.mask(x) & (one | two)).sum() < 0.5 * min(one.sum(), two.sum())


@pytest.mark.parametrize("kind", ["text", "boolean", "missing"])
def test_a_rule_may_be_of_text_a_boolean_or_a_gap(kind: str) -> None:
    where = np.random.default_rng(5).random(800) < 0.2
    column = {
        "text": np.where(where, "it's fog", "sun").astype(object),
        "boolean": where,
        "missing": np.where(where, np.nan, np.random.default_rng(6).random(800)),
    }[kind]
    [condition] = Beam().find(failing(where, pd.DataFrame({"seen": column})), 1, 0)[0].rule.conditions
    assert isinstance(condition, Missing if kind == "missing" else Among)
    assert condition.mask(pd.DataFrame({"seen": column})).tolist() == where.tolist()


@pytest.mark.slow
def test_a_hard_class_is_no_finding() -> None:
    view = view_of(1000, planted=False)
    hard = view.target == "cat"
    failed = np.random.default_rng(7).random(1000) < np.where(hard, 0.5, 0.05)
    attributes = view.attributes.assign(looks_like_a_cat=np.where(hard, 1.0, 0.0) + np.linspace(0, 0.01, 1000))
    view = replace(view, error=failed.astype(float), failed=failed, attributes=attributes)
    assert view.failed[hard].mean() > 5 * view.failed[~hard].mean()
    assert diagnose(view, [Beam()], seed=1).confirmed == ()


def test_cuts_lie_between_different_values() -> None:
    values = np.sort(np.array([0.0] * 90 + [1.0] * 5 + [2.0] * 5))
    assert all(0 < cut <= 2 for cut in cuts(values, [0.05, 0.5, 0.92, 0.97]))
    assert cuts(np.zeros(10), [0.5]) == []
    assert cuts(np.array([1.0]), [0.5]) == []


def test_a_cluster_is_told_by_what_sets_it_apart() -> None:
    first = Clusters().find(view_of(), 3, 0)[0]
    assert first.ball is not None
    assert "heat" in first.rule.attributes
    assert first.told["shares"]["inside"] > first.told["shares"]["outside"] + 0.3
    assert first.told["apart"][0]["rule"].startswith("heat < ")


def test_a_cluster_in_a_corner_is_told_by_both_of_its_sides_and_not_by_a_twin_of_one() -> None:
    rng = np.random.default_rng(12)
    x = pd.DataFrame({"a": rng.random(2000), "b": rng.random(2000)})
    x["twin"] = x.a * 2
    view = failing(((x.a < 0.3) & (x.b > 0.7)).to_numpy(), x)
    view = replace(view, embeddings={"model": 3 * x[["a", "b"]].to_numpy(np.float32)})
    first = Clusters().find(view, 1, 0)[0]
    assert len(first.rule.attributes) == 2
    assert "b" in first.rule.attributes
    assert {one["rule"].split()[0] for one in first.told["apart"]} == {"a", "b", "twin"}
    assert first.told["shares"]["outside"] < min(one["outside"] for one in first.told["apart"])


def test_leaves_have_as_many_conditions_as_they_need_and_each_is_of_rows_of_its_own() -> None:
    rng = np.random.default_rng(13)
    x = pd.DataFrame({name: rng.random(4000) for name in "abcdef"})
    where = ((x.a < 0.5) & (x.b > 0.5) & (x.c < 0.5)).to_numpy()
    found = Tree().find(failing(where, x), 3, 0)
    assert {"a", "b", "c"} <= set(found[0].rule.attributes)
    masks = [one.rule.mask(x) for one in found]
    assert all(where[mask].mean() > 0.8 for mask in masks)
    assert (masks[0] & masks[1]).sum() < 0.5 * (masks[0] | masks[1]).sum()


def test_a_column_of_many_whole_numbers_has_no_band_between_any_two() -> None:
    few, many = (len(terms_of(pd.DataFrame({"n": np.arange(2400) % most}), 12)) for most in (8, 24))
    # from either side, bands of one to four numbers, what lies outside of a band: half of the rows at most
    assert few == 8 + 6 + 5 + 4 + 3 + 1 + 2 + 3
    assert many <= 24 + 28 + 66


@pytest.mark.parametrize(("turn", "inside"), [(7, (0, 6)), (12, (1, 2, 12)), (24, (0, 1, 2, 3, 4, 22, 23))])
def test_what_lies_at_both_ends_of_whole_numbers_is_told_whole(turn: int, inside: tuple[int, ...]) -> None:
    first = min(inside)
    times = pd.DataFrame({"time_": np.random.default_rng(14).integers(first, first + turn, 1500)})
    failed = failing(times.time_.isin(inside).to_numpy(), times)
    assert Beam().find(failed, 1, 0)[0].rule.sql == f"time_ IN {inside}"


@pytest.mark.slow
def test_many_conditions_are_weighed_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(11)
    errors, masks = Errors.of(view_of(4000)), rng.random((10_000, 4000)) < 0.1
    tracemalloc.start()
    scores = errors.scores(masks)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * masks.nbytes + 4 * weight.AT_ONCE  # all of them as numbers are four times their bytes
    assert errors.scores(masks[:0]).shape == (0,)
    some = [errors.scores(masks[[k]])[0] for k in range(0, 10_000, 500)]
    np.testing.assert_allclose(scores[::500], some, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_what_is_found_does_not_depend_on_how_many_are_weighed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    view = view_of(500)
    whole = [finder.find(view, 3, 0) for finder in (Beam(), Clusters())]
    monkeypatch.setattr(weight, "AT_ONCE", 500 * 7)
    for found, again in zip(whole, [finder.find(view, 3, 0) for finder in (Beam(), Clusters())], strict=True):
        assert [one.rule for one in found] == [one.rule for one in again]
        assert [one.told for one in found] == [one.told for one in again]
