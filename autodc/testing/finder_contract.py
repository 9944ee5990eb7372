"""What every finder owes: subclass, give one fixture, run under pytest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from autodc.data.where import select
from autodc.diagnose.finder import Finder, Suspicion
from autodc.diagnose.view import View

ROWS = 600


def view_of(rows: int = ROWS, seed: int = 0, *, planted: bool = True) -> View:
    """A classifier that fails in half of the rows where `heat` is below -3, and in a tenth of the others.

    It has numbers, whole numbers, booleans, text, gaps, a constant column, names that are unique to a row, and an
    embedding in which the failing rows lie apart.
    """
    rng = np.random.default_rng(seed)
    cold = rng.random(rows) < 0.2
    failed = rng.random(rows) < np.where(cold & planted, 0.7, 0.1)
    target = rng.choice(np.array(["cat", "dog"], dtype=object), rows)
    other = np.where(target == "cat", "dog", "cat").astype(object)
    right = rng.uniform(0.55, 0.99, rows)
    sure = np.where(failed, 1 - right, right)
    attributes = pd.DataFrame(
        {
            "heat": np.where(cold, rng.uniform(-20, -6, rows), rng.uniform(0, 30, rows)).round(1),
            "hour": rng.integers(0, 24, rows),
            "indoors": rng.random(rows) < 0.5,
            'it\'s a "place"': rng.choice(np.array(["yard", "o'hill", None], dtype=object), rows),
            "wind": np.where(rng.random(rows) < 0.3, np.nan, rng.gamma(2, 3, rows)),
            "always": np.ones(rows),
            "never": np.full(rows, np.nan),
            "file": [f"row-{i}.png" for i in range(rows)],
        }
    )
    return View(
        ids=np.arange(rows),
        error=failed.astype(float),
        failed=failed,
        target=target,
        prediction=np.where(failed, other, target),
        attributes=attributes,
        groups=np.arange(rows),
        probabilities=np.stack(
            [np.where(target == "cat", sure, 1 - sure), np.where(target == "cat", 1 - sure, sure)], 1
        ),
        classes=("cat", "dog"),
        embeddings={"model": (rng.normal(size=(rows, 3)) + 4 * cold[:, None] * [1, 0, 0]).astype(np.float32)},
    )


def _told(found: Sequence[Suspicion]) -> list[object]:
    balls = [None if s.ball is None else (s.ball.embedding, s.ball.centre.tolist(), s.ball.radius) for s in found]
    return [(s.rule, s.score, s.by, s.kind, ball) for s, ball in zip(found, balls, strict=True)]


class FinderContract:
    """Subclasses give `finder`."""

    @pytest.fixture
    def finder(self) -> Finder:
        """The finder under test."""
        raise NotImplementedError

    def test_it_has_a_name(self, finder: Finder) -> None:
        """Is told apart from others by it."""
        assert isinstance(finder.name, str)
        assert finder.name

    def test_it_finds_where_the_model_fails(self, finder: Finder) -> None:
        """Its first suspicion is of rows that fail more often, on rows that it has not seen."""
        found, new = finder.find(view_of(), 5, 1), view_of(seed=9)
        inside = found[0].mask(new)
        assert new.failed[inside].mean() > 2 * new.failed[~inside].mean()

    def test_the_same_view_and_seed_give_the_same(self, finder: Finder) -> None:
        """Draws from the seed alone, and changes nothing in the view."""
        view = view_of()
        before = view.attributes.copy()
        assert _told(finder.find(view, 5, 3)) == _told(finder.find(view, 5, 3))
        pd.testing.assert_frame_equal(view.attributes, before)

    @pytest.mark.parametrize("k", [0, 1, 3])
    def test_it_gives_at_most_k(self, finder: Finder, k: int) -> None:
        """Fewer where there are fewer."""
        assert len(finder.find(view_of(), k, 1)) <= k

    def test_what_it_says_chooses_rows_that_it_has_not_seen(self, finder: Finder) -> None:
        """Gives n booleans for any view of the same columns, one row and none too; its words go into JSON."""
        for suspicion in finder.find(view_of(), 5, 1):
            assert np.isfinite(suspicion.score)
            assert suspicion.by == finder.name
            json.dumps(suspicion.told)
            for rows in (0, 1, 40):
                mask = suspicion.mask(view_of(rows, seed=4))
                assert mask.shape == (rows,)
                assert mask.dtype == bool

    def test_a_rule_means_the_same_in_sql(self, finder: Finder) -> None:
        """Can be the `where` of a slice."""
        view = view_of(seed=5)
        for suspicion in finder.find(view_of(), 5, 1):
            if suspicion.kind == "attributes":
                rows = select(suspicion.rule.sql, view.attributes, view.target, place="rule")
                assert rows.tolist() == suspicion.mask(view).tolist()

    @pytest.mark.parametrize("rows", [0, 1, 2, 11])
    def test_few_rows_are_no_error(self, finder: Finder, rows: int) -> None:
        """Finds nothing, or little, and does not raise."""
        finder.find(view_of(rows), 5, 1)

    @pytest.mark.parametrize("all_failed", [False, True])
    def test_where_all_or_none_failed_there_is_nothing(self, finder: Finder, all_failed: bool) -> None:
        """Tells no rows from others where the model does not."""
        view = view_of()
        failed = np.full(len(view), all_failed)
        assert len(finder.find(replace(view, failed=failed, error=failed.astype(float)), 5, 1)) == 0

    def test_no_attributes_and_no_embedding_are_no_error(self, finder: Finder) -> None:
        """Looks at what there is."""
        view = view_of()
        assert (
            len(finder.find(replace(view, attributes=pd.DataFrame(index=range(len(view))), embeddings={}), 5, 1)) == 0
        )

    def test_columns_that_say_nothing_are_no_error(self, finder: Finder) -> None:
        """Takes constants, gaps alone, infinity, dates, mixed objects and categories."""
        view = view_of()
        n = len(view)
        odd = pd.DataFrame(
            {
                "constant": np.ones(n),
                "gaps": np.full(n, None, dtype=object),
                "endless": np.where(np.arange(n) % 2, np.inf, -np.inf),
                "day": pd.date_range("2026-01-01", periods=n),
                "mixed": [1 if i % 2 else "one" for i in range(n)],
                "lists": [[i] for i in range(n)],
                "kind": pd.Categorical(["a", "b"] * (n // 2)),
                "whole": pd.array([None if i % 7 == 0 else i % 5 for i in range(n)], dtype="Int64"),
                "maybe": pd.array([None if i % 9 == 0 else i % 2 == 0 for i in range(n)], dtype="boolean"),
            }
        )
        for suspicion in finder.find(replace(view, attributes=odd), 5, 1):
            assert suspicion.mask(replace(view, attributes=odd)).shape == (n,)

    def test_regression_and_groups_are_views_too(self, finder: Finder) -> None:
        """Reads errors that are no 0 or 1, without classes and probabilities, in groups."""
        view = view_of()
        error = np.abs(np.random.default_rng(2).normal(size=len(view))) * np.where(view.failed, 4, 1)
        view = replace(
            view,
            error=error,
            failed=error > np.quantile(error, 0.8),
            target=error,
            prediction=np.zeros(len(view)),
            probabilities=None,
            classes=(),
            groups=np.arange(len(view)) // 2,
        )
        for suspicion in finder.find(view, 5, 1):
            assert suspicion.mask(view).any()
