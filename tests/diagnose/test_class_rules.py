"""The class as a condition: where an attribute hurts one class and not others, and never alone."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from autodc.data.where import select
from autodc.diagnose.beam import Beam
from autodc.diagnose.by_class import ByClass
from autodc.diagnose.diagnosis import Diagnosis, diagnose
from autodc.diagnose.finder import Finder
from autodc.diagnose.rule import Among, Range, Rule
from autodc.diagnose.unlabelled import Unlabelled, predicted_as
from autodc.diagnose.view import View
from autodc.testing.finder_contract import FinderContract, view_of

CLASSES = np.array(["bird", "cat", "dog"], dtype=object)


def seen(*, only: str | None, rows: int = 2400, seed: int = 0) -> View:
    """A classifier that takes what is dark for a dog: cats alone, or every other class. only: that class."""
    rng = np.random.default_rng(seed)
    light = rng.random(rows)
    target = CLASSES[rng.integers(0, 3, rows)]
    hurt = (light < 0.2) & ((target == only) if only else np.ones(rows, dtype=bool))
    failed = rng.random(rows) < np.where(hurt, 0.8, 0.1)
    others = CLASSES[(np.searchsorted(CLASSES.astype(str), target.astype(str)) + 1) % 3]
    prediction = np.where(~failed, target, np.where(hurt & (target != "dog"), "dog", others))
    return replace(
        view_of(rows),
        error=failed.astype(float),
        failed=failed,
        target=target,
        prediction=prediction,
        attributes=pd.DataFrame({"light": light, "hour": rng.integers(0, 24, rows)}),
        probabilities=None,
        classes=tuple(CLASSES),
        embeddings={},
    )


class TestByClass(FinderContract):
    @pytest.fixture
    def finder(self) -> Finder:
        return ByClass()

    def test_it_finds_where_the_model_fails(self, finder: Finder) -> None:
        """In one class: it leaves to others what fails in all."""
        assert not finder.find(view_of(), 5, 1)
        found, new = finder.find(seen(only="cat"), 5, 1), seen(only="cat", seed=9)
        inside = found[0].mask(new)
        assert new.failed[inside].mean() > 2 * new.failed[~inside].mean()


def found_in(view: View) -> Diagnosis:
    return diagnose(view, [Beam(), ByClass()], seed=1)


def test_a_condition_that_hurts_one_class_names_it_and_chooses_the_same_rows_in_sql() -> None:
    view = seen(only="cat")
    first = found_in(view).confirmed[0]
    assert first.rule.startswith("light < 0.")
    assert first.rule.endswith("AND target = 'cat'")
    inside = select(first.rule, view.attributes, view.target, place="rule")
    assert np.flatnonzero(inside).tolist() == sorted(first.ids)
    assert ((view.attributes.light < 0.2) & (view.target == "cat"))[inside].mean() > 0.9


def test_a_condition_that_hurts_all_classes_names_none() -> None:
    first = found_in(seen(only=None)).confirmed[0]
    assert "light" in first.rule
    assert "target" not in first.rule


def test_a_class_alone_is_never_found() -> None:
    view = seen(only="cat")
    hard = replace(view, error=(view.target == "cat").astype(float), failed=view.target == "cat")
    assert found_in(hard).confirmed == ()
    in_groups = replace(hard, groups=np.where(view.target == "cat", np.arange(2400) // 2, np.arange(2400)))
    assert all(len(s.rule.attributes) == 2 for s in ByClass().find(in_groups, 10, 0))


def test_classes_that_are_numbers_are_named_as_such() -> None:
    view = seen(only="cat")
    numbers = {"bird": 0, "cat": 1, "dog": 2}
    target, prediction = (np.array([numbers[v] for v in one]) for one in (view.target, view.prediction))
    view = replace(view, target=target, prediction=prediction, classes=(0, 1, 2))
    first = found_in(view).confirmed[0]
    assert first.rule.endswith("AND target = 1")
    assert select(first.rule, view.attributes, view.target, place="rule").sum() == len(first.ids)
    json.dumps(first.to_dict())


def test_without_labels_rows_are_chosen_by_what_failing_rows_are_taken_for() -> None:
    view = seen(only="cat")
    found = found_in(view)
    first = found.confirmed[0]
    told = first.told["unlabelled"]
    assert told["predicted"] == ["dog"]
    assert "target" not in told["where"]
    assert told["reached"] > 0.9
    blind = replace(view, target=np.full(len(view), None, dtype=object))
    chosen = Unlabelled.of(first.rule, first.told).mask(blind.attributes, blind.prediction)
    assert chosen.any()
    assert (view.prediction[chosen] == "dog").all()
    assert (view.failed & (view.target == "cat"))[chosen].mean() > 2 * view.failed.mean()


def test_a_rule_that_names_no_class_chooses_rows_without_labels_as_it_is() -> None:
    view = seen(only=None)
    found = found_in(view)
    first = found.confirmed[0]
    assert "unlabelled" not in first.told
    blind = replace(view, target=np.full(len(view), None, dtype=object))
    assert (
        Unlabelled.of(first.rule, first.told).mask(blind.attributes, blind.prediction).tolist()
        == found.mask(first.id, view).tolist()
    )


def test_what_failing_rows_are_predicted_as_is_told_up_to_most_of_them() -> None:
    view = seen(only=None)
    rule = Rule((Range(attribute="light", high=0.2), Among(attribute="target", values=("cat",))))
    assert predicted_as(rule, view) == ("dog",)
    assert rule.classless == Rule((Range(attribute="light", high=0.2),))
