"""The levels that no study file sets."""

from __future__ import annotations

import pytest

from autodc.gate import thresholds
from autodc.studyfile.dropped import DROPPED


@pytest.mark.parametrize(
    "key", ["objective_alpha", "guard_alpha", "harm_alpha", "futility_target", "futility_rest", "anchor_factor"]
)
def test_what_a_file_that_names_one_is_told_is_what_holds(key: str) -> None:
    assert f" {getattr(thresholds, key.upper()):g} " in DROPPED["gate", key]
