"""A diagnosis that was journalled with a field that is no more is read."""

from __future__ import annotations

import pytest

from autodc.study.journal import events as ev
from autodc.study.journal.codec import from_dict

PLAN = {"mixture": {"base": 1.0}, "stages": {}, "recipe": "concat", "hyperparameters": {}}


@pytest.mark.parametrize("vouched", [True, False])
def test_what_was_told_of_nothing_is_left_out(vouched: bool) -> None:
    payload = {"round": 1, "horizon": 3, "plan": PLAN, "trial": 0, "rows": 90, "findings": 0, "notes": [], "told": {}}
    read = from_dict("DiagnosisMade", 3, payload, vouched)
    assert isinstance(read, ev.DiagnosisMade)
    assert (read.rows, "told" in read.to_dict()) == (90, False)
