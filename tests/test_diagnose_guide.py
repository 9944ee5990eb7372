"""The code of the page about diagnosis runs as it stands there and finds what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from autodc.studyfile.study import LoopSpec

PAGE = (Path(__file__).resolve().parents[1] / "docs/guide/diagnose.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the blocks define, run one after the other in a folder of their own."""
    found: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("guide"))
        for block in BLOCKS:
            exec(compile(block, "diagnose.md", "exec"), found)
        found["page"] = Path("page/index.html").read_text(encoding="utf-8")
    return found


def test_both_conditions_are_confirmed_and_noise_is_not(names: dict[str, Any]) -> None:
    sure = [one for one in names["found"].findings if one["status"] == "confirmed"]
    assert {one["causes"][0]["attribute"] for one in sure} == {"hour", "heat"}
    assert not any("noise" in one["rule"] for one in sure)
    assert all(one["rule"] in names["page"].replace("&lt;", "<").replace("&gt;", ">") for one in sure)


def test_the_default_is_the_one_it_names() -> None:
    assert f"({LoopSpec().findings})" in PAGE
