"""Found on one half, confirmed on the other: what is planted is confirmed, what is luck is not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from autodc.diagnose.beam import Beam
from autodc.diagnose.by_class import ByClass
from autodc.diagnose.clusters import Clusters
from autodc.diagnose.confirm import tried
from autodc.diagnose.diagnosis import LEFT_OUT, MOST, NO_FAILURE, TOO_FEW, diagnose, worst_first
from autodc.diagnose.finder import Finder, Suspicion
from autodc.diagnose.rule import Range, Rule
from autodc.diagnose.tree import Tree
from autodc.diagnose.view import View
from autodc.plugins import load_object
from autodc.testing.finder_contract import view_of

FINDERS = (Beam(), ByClass(), Tree(), Clusters())


@pytest.mark.slow
def test_what_is_planted_is_confirmed_first_with_its_evidence() -> None:
    view = view_of(1200)
    found = diagnose(view, FINDERS, seed=1)
    first = found.findings[0]
    assert first.status == "confirmed"
    assert first.id == "F1"
    assert "heat" in first.rule
    assert 0 < first.error.low <= first.error.difference <= first.error.high
    assert first.error.inside > first.error.outside
    assert first.found > 0
    assert first.confirmed > 0
    inside = found.mask("F1", view)
    assert sorted(first.ids) == np.flatnonzero(inside).tolist()
    worst = first.ids[: int(view.failed[inside].sum())]
    assert view.failed[list(worst)].all()
    json.dumps([one.to_dict() for one in found.findings])
    assert [one.status for one in found.findings] == sorted(one.status for one in found.findings)


@pytest.mark.slow
def test_it_is_the_same_twice_and_another_cut_with_another_seed() -> None:
    one, two, other = (diagnose(view_of(800), FINDERS, seed=s) for s in (1, 1, 2))
    assert one.findings == two.findings
    assert one.findings[0].found != other.findings[0].found


@pytest.mark.slow(seconds=30)
def test_luck_is_seldom_confirmed() -> None:
    confirmed = 0
    for seed in range(60):
        view = view_of(600, seed=seed, planted=False)
        confirmed += bool(diagnose(view, FINDERS, seed=seed).confirmed)
    assert confirmed <= 7  # .05 of 60 is 3; more than 7 has probability .01


def test_groups_count_once() -> None:
    view = view_of(800)
    mask = (view.attributes.heat < -3).to_numpy()
    twice = view.take(np.repeat(np.arange(800), 4))
    alone, copies = tried([mask], view)[0], tried([np.repeat(mask, 4)], twice)[0]
    assert copies.gap.difference == pytest.approx(alone.gap.difference, abs=0.01)
    assert copies.gap.high - copies.gap.low == pytest.approx(alone.gap.high - alone.gap.low, rel=0.05)
    as_rows = tried([np.repeat(mask, 4)], replace(twice, groups=np.arange(3200)))[0]
    assert as_rows.gap.high - as_rows.gap.low < 0.6 * (alone.gap.high - alone.gap.low)


def test_more_suspicions_need_more() -> None:
    view = view_of(800)
    mask = (view.attributes.heat < -3).to_numpy()
    one, many = tried([mask], view)[0], tried([mask] * 30, view)[0]
    assert many.gap.low < one.gap.low
    assert many.gap.high > one.gap.high


def test_a_handful_of_rows_confirms_nothing() -> None:
    view = view_of(800)
    mask = np.zeros(800, dtype=bool)
    mask[np.flatnonzero(view.failed)[:7]] = True
    assert not tried([mask], view)[0].confirmed
    nobody, everybody = tried([np.zeros(800, dtype=bool), np.ones(800, dtype=bool)], view)
    assert not nobody.confirmed
    assert not everybody.confirmed


def test_too_few_groups_are_said_and_nothing_is_found() -> None:
    view = replace(view_of(800), groups=np.arange(800) // 30)
    found = diagnose(view, FINDERS)
    assert found.findings == ()
    assert [(note.code, note.got) for note in found.notes] == [(TOO_FEW, "27")]
    assert diagnose(view_of(0), FINDERS).notes[0].code == TOO_FEW
    right = replace(view_of(), error=np.zeros(600), failed=np.zeros(600, dtype=bool))
    assert diagnose(right, FINDERS).notes[0].code == NO_FAILURE


class Broken:
    name = "broken"

    def find(self, view: View, k: int, seed: int) -> Sequence[Suspicion]:
        raise ValueError("no such column")


class Unknown:
    name = "unknown"

    def find(self, view: View, k: int, seed: int) -> Sequence[Suspicion]:
        return [Suspicion(rule=Rule((Range(attribute="depth", low=1.0),)), score=1.0, by=self.name)]


@pytest.mark.slow
def test_a_finder_that_fails_is_left_out_and_told() -> None:
    view = view_of(800)
    found = diagnose(view, [Broken(), Beam(), Unknown()], seed=1)
    assert [(note.code, note.finder) for note in found.notes] == [(LEFT_OUT, "broken"), (LEFT_OUT, "unknown")]
    assert "no such column" in found.notes[0].got
    assert found.findings[0].rule == diagnose(view, [Beam()], seed=1).findings[0].rule


OWN = """
from autodc.diagnose.finder import Suspicion
from autodc.diagnose.rule import Range, Rule

class Cold:
    name = "cold"

    def find(self, view, k, seed):
        return [Suspicion(rule=Rule((Range(attribute="heat", high=-3.0),)), score=1.0, by=self.name)][:k]
"""


def test_a_users_own_finder_works_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "cold.py").write_text(OWN)
    finder: Finder = load_object("cold.py:Cold", str(tmp_path), "finders")()
    [found] = diagnose(view_of(800), [finder]).findings
    assert (found.by, found.rule, found.status) == ("cold", "heat < -3.0", "confirmed")


def test_the_same_rows_are_one_finding() -> None:
    class Twice:
        name = "twice"

        def find(self, view: View, k: int, seed: int) -> Sequence[Suspicion]:
            rules = [Rule((Range(attribute="heat", high=edge),)) for edge in (-3.0, -5.0, -7.0)]
            return [Suspicion(rule=rule, score=1.0, by=self.name) for rule in rules]

    assert len(diagnose(view_of(800), [Twice()]).findings) == 1


@pytest.mark.slow
def test_a_cluster_within_a_rule_is_no_news() -> None:
    found = diagnose(view_of(1600), FINDERS, seed=2)
    assert [(one.kind, one.rule) for one in found.confirmed] == [("attributes", found.findings[0].rule)]


def test_worst_first_is_what_the_model_was_surest_of() -> None:
    view = view_of(100)
    order = worst_first(view)
    assert view.probabilities is not None
    truth = view.probabilities[np.arange(100), (view.target == "dog").astype(int)]
    assert np.all(np.diff(view.error[order]) <= 0)
    assert truth[order[0]] == truth[view.failed].min()


def test_of_our_own_finder_no_line_of_a_library_is_told_and_of_a_users_own_his_line(tmp_path: Path) -> None:
    view = replace(view_of(800), embeddings={"pixels": np.full((800, 2), np.nan)})
    (ours,) = diagnose(view, [Clusters()], seed=1).notes
    assert ours.finder == "clusters"
    assert ours.got.startswith("ValueError: ")
    assert ".py" not in ours.got
    (tmp_path / "cold.py").write_text(OWN.replace("return [", "return 1 / 0 or ["))
    own: Finder = load_object("cold.py:Cold", str(tmp_path), "finders")()
    (mine,) = diagnose(view_of(800), [own]).notes
    assert "cold.py:9: ZeroDivisionError" in mine.got


def test_finders_see_some_of_many_rows_and_the_other_half_confirms_whole() -> None:
    seen: list[View] = []

    class Looking:
        name = "looking"

        def find(self, view: View, k: int, seed: int) -> Sequence[Suspicion]:
            seen.append(view)
            rule = Rule((Range(attribute="heat", high=-3.0),))
            return [Suspicion(rule=rule, score=1.0, by=self.name)]

    view = view_of(30_000)
    [found] = diagnose(view, [Looking()]).findings
    assert [len(one) for one in seen] == [MOST]
    assert np.ptp(seen[0].ids) > 29_900
    cold = (view.attributes["heat"] < -3).to_numpy()
    assert found.found == int(cold[seen[0].ids].sum())
    assert abs(found.confirmed - cold.sum() / 2) < 200
    assert len(found.ids) == cold.sum()
