"""SliceLine through the port of finders."""

from __future__ import annotations

import sys

import pytest

from autodc.adapters.finders.sliceline import SliceLine
from autodc.diagnose.finder import Finder
from autodc.errors import InputError
from autodc.testing.finder_contract import FinderContract, view_of

pytest.importorskip("sliceline")


class TestSliceLine(FinderContract):
    @pytest.fixture
    def finder(self) -> Finder:
        return SliceLine()


def test_without_the_library_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sliceline.slicefinder", None)
    with pytest.raises(InputError, match=r"autodc-optimizer\[sliceline\]"):
        SliceLine().find(view_of(), 5, 1)
