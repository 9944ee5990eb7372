"""A share of the hostile inputs of `make fuzz`, the same ones each time; what they found is in `test_found.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.hostile.target import Target, tried
from benchmarks.hostile.targets import TARGETS

CASES = 2
"""Of 100 of the full run."""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_whatever_comes_is_taken_or_refused_with_a_code(target: Target) -> None:
    found = tried(target, target.share * CASES)
    assert found.total() >= target.share


def test_the_full_run_has_ten_thousand_cases() -> None:
    assert sum(target.share for target in TARGETS) >= 100
