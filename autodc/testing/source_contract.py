"""What every source owes: subclass, give one fixture, run under pytest."""

from __future__ import annotations

import numpy as np
import pytest

from autodc.data.hashing import content_of
from autodc.data.source import Source
from autodc.table import Table


class SourceContract:
    """Subclasses give `source`: one that reads some rows with targets."""

    @pytest.fixture
    def source(self) -> Source:
        """The source under test."""
        raise NotImplementedError

    def test_inputs_targets_and_metadata_have_one_row_each(self, source: Source) -> None:
        """Reads some rows; a group each, where there are groups."""
        data = source.read(targets=True)
        assert len(data) > 0
        assert data.y is not None
        assert len(data.x) == len(data.y) == len(data.metadata)
        assert data.groups is None or len(data.groups) == len(data)

    def test_inputs_are_a_table_or_finite_numbers(self, source: Source) -> None:
        """Gives a `Table`, without infinity, or an array of booleans, integers or floats without NaN and infinity."""
        x = source.read(targets=True).x
        if isinstance(x, Table):
            frame = x.frame()
            assert list(frame.columns) == list(x.names)
            assert not np.isinf(frame.select_dtypes("number").to_numpy(dtype=float, na_value=np.nan)).any()
        else:
            assert x.dtype.kind in "iufb"
            assert np.isfinite(x).all()

    def test_the_target_is_no_metadata(self, source: Source) -> None:
        """Has no metadata column `target`: metadata may be looked at, the target not."""
        assert "target" not in source.read(targets=True).metadata.columns

    def test_reading_twice_gives_the_same_content(self, source: Source) -> None:
        """Has one fingerprint whenever it is read."""
        assert source.read(targets=True).fingerprint == source.read(targets=True).fingerprint

    def test_sealed_targets_are_not_kept(self, source: Source) -> None:
        """Reads the same inputs without targets where they are sealed, under another fingerprint."""
        sealed, whole = source.read(targets=False), source.read(targets=True)
        assert sealed.y is None
        assert content_of(sealed.x) == content_of(whole.x)
        assert list(sealed.metadata.columns) == list(whole.metadata.columns)
        assert sealed.fingerprint != whole.fingerprint
