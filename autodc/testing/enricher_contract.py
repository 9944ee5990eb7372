"""What every enricher owes, as a pytest class: subclass it with two fixtures, `enricher` and `rows`.

    class TestMyEnricher(EnricherContract):
        @pytest.fixture
        def enricher(self) -> Any:
            return Faces()

        @pytest.fixture
        def rows(self) -> Rows:
            return Rows(x=images, metadata=pd.DataFrame(index=range(len(images))))

One that is fitted to a base has also `base` and, where it looks at them, `targets`.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from autodc.data.attributes import Rows, measured
from autodc.data.hashing import content_of

Array = np.ndarray[Any, Any]


class EnricherContract:
    """A frame of n rows; a row's values depend on that row alone."""

    tolerance: ClassVar[float] = 1e-5
    """How far values of one row may differ when it is measured among others, relative to the spread of the column."""

    @pytest.fixture
    def enricher(self) -> Any:
        """The enricher under test."""
        raise NotImplementedError

    @pytest.fixture
    def rows(self) -> Rows:
        """Some rows, ten at least."""
        raise NotImplementedError

    @pytest.fixture
    def base(self, rows: Rows) -> Rows:
        """The rows that it is fitted to, where it is; left out, those that it measures."""
        return rows

    @pytest.fixture
    def targets(self) -> Array | None:
        """Targets of the base."""
        return None

    @pytest.fixture
    def fitted(self, enricher: Any, base: Rows, targets: Array | None) -> Any:
        """The enricher as a study uses it."""
        return enricher.fitted(base, targets) if hasattr(enricher, "fitted") else enricher

    def test_it_gives_columns_that_a_condition_can_name(self, enricher: Any, fitted: Any, rows: Rows) -> None:
        """Gives n rows of finite or missing values under names of their own."""
        found = measured(enricher.name, fitted, rows, "here")
        assert len(found) == len(rows)
        assert len(found.columns) > 0

    def test_measured_again_it_is_the_same(self, enricher: Any, fitted: Any, rows: Rows) -> None:
        """Gives the same values whenever it is asked."""
        first, again = (measured(enricher.name, fitted, rows, "here") for _ in range(2))
        pd.testing.assert_frame_equal(first, again)

    def test_a_row_is_measured_by_itself(self, enricher: Any, fitted: Any, rows: Rows) -> None:
        """Gives a row the same values among other rows, in another order."""
        whole = measured(enricher.name, fitted, rows, "here")
        order = np.random.default_rng(0).permutation(len(rows))[: max(3, len(rows) // 2)]
        part = measured(enricher.name, fitted, some_of(rows, order), "here")
        assert list(part.columns) == list(whole.columns)
        for name in whole.columns:
            self._same(part[name], whole[name].iloc[order].reset_index(drop=True), whole[name])

    def test_no_rows_have_the_same_columns(self, enricher: Any, fitted: Any, rows: Rows) -> None:
        """Gives a frame without rows for none."""
        none = measured(enricher.name, fitted, some_of(rows, np.zeros(0, dtype=int)), "here")
        assert list(none.columns) == list(measured(enricher.name, fitted, rows, "here").columns)

    def test_rows_are_left_alone(self, enricher: Any, fitted: Any, rows: Rows) -> None:
        """Writes nothing into inputs or metadata."""
        before, metadata = content_of(rows.x), rows.metadata.copy()
        measured(enricher.name, fitted, rows, "here")
        assert content_of(rows.x) == before
        pd.testing.assert_frame_equal(rows.metadata, metadata)

    def _same(self, part: Any, whole: Any, column: Any) -> None:
        if pd.api.types.is_numeric_dtype(column) and column.dtype != bool:
            spread = float(np.nanstd(column.to_numpy(dtype=float, na_value=np.nan))) or 1.0
            values = part.to_numpy(dtype=float, na_value=np.nan)
            expected = whole.to_numpy(dtype=float, na_value=np.nan)
            np.testing.assert_allclose(values, expected, rtol=self.tolerance, atol=self.tolerance * spread)
        else:
            assert part.astype(object).where(part.notna(), None).tolist() == (
                whole.astype(object).where(whole.notna(), None).tolist()
            )


def some_of(rows: Rows, places: Array) -> Rows:
    """These rows, in this order."""
    return Rows(x=rows.x[places], metadata=rows.metadata.iloc[places].reset_index(drop=True))
