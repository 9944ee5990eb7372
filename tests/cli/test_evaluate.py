"""The verb on the command line: what it prints, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.slow(seconds=6)
def test_a_run_is_evaluated_held_to_another_and_ends_with_4_where_it_is_worse(
    autodc: Callable[..., Any], finished: Any, tmp_path: Path
) -> None:
    study, folder, _ = finished
    common = (study, "--out", tmp_path / "out", "--threads", 1, "--no-track")
    plain = autodc("evaluate", *common, "--method", folder)
    assert plain.code == 0, plain.err
    assert max(map(len, plain.out.splitlines()[:-1])) <= 80
    better = autodc("evaluate", *common, "--method", folder, "--against", "constant", "--json")
    assert better.code == 0, better.err
    found = json.loads(better.out)
    assert found["against"]["improvements"]
    assert found["tradeoffs"]["model_mb"] > 0
    worse = autodc("evaluate", *common, "--method", "constant", "--against", folder)
    assert worse.code == 4
    assert "ADC-EVAL-001" in worse.err
    assert "A regression is shown on" in worse.out
    assert max(map(len, worse.out.splitlines()[:-1])) <= 100


def test_a_name_that_is_none_is_refused_with_2(autodc: Callable[..., Any], finished: Any, tmp_path: Path) -> None:
    study, *_ = finished
    refused = autodc("evaluate", study, "--method", "nothing.py:Rul", "--out", tmp_path / "out")
    assert refused.code == 2
    assert "nothing.py:Rul" in refused.err
    assert not (tmp_path / "out").exists()
