"""A metric of a user's own from the command line: refused in one message, and never needed to read a study."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from autodc.testing.worlds.cells import write_world

LOSS = """
class Loss:
    better = {better!r}

    def value(self, outputs, targets):
        return float((outputs.argmax(1) != targets).mean())
"""


@pytest.fixture
def study(tmp_path: Path) -> Any:
    """Write the small world with a metric beside it."""

    def written(better: Any = "lower", **changes: Any) -> Any:
        (tmp_path / "mine.py").write_text(LOSS.format(better=better))
        short = {"budget__trainings": 16, "loop__rounds": 1, "data__test": None}
        return write_world(tmp_path, metrics__primary="mine.py:Loss", **short, **changes)

    return written


@pytest.mark.parametrize(
    ("better", "meant"), [("up", "`higher`"), ("Min", "`lower`"), (None, "'higher'"), (1, "'lower'")]
)
def test_another_word_for_the_direction_is_refused_by_check_and_run(
    autodc: Any, study: Any, inline: Any, tmp_path: Path, better: Any, meant: Any
) -> None:
    file = study(better)
    for words in (("check", file), ("run", file, "--machine", inline, "--out", tmp_path / "out")):
        said = autodc(*words)
        assert said.code == 2
        assert "ADC-METRIC-060" in said.err
        assert meant in said.err
        assert "study.yaml:" in said.err
        assert repr(better) in said.err
        assert "defect" not in said.err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_verbs_that_read_want_no_metric_and_no_folder(
    autodc: Any, study: Any, inline: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, out = study(), tmp_path / "out"
    monkeypatch.chdir("/")
    ended = autodc("run", file, "--machine", inline, "--out", out)
    assert ended.code == 0, ended.err
    again = autodc("run", file, "--machine", inline, "--out", out, "--json")
    assert again.code == 0
    (tmp_path / "mine.py").unlink()
    for words in (("status", out), ("why", out, "lamps"), ("report", out)):
        said = autodc(*words)
        assert said.code == 0, said.err
    page = (out / "report" / "index.html").read_text()
    assert "(lower is better)" in page
    assert 0 < json.loads(again.out)["validation"]["before"]["dark"] <= 1


@pytest.mark.slow
def test_what_a_metric_prints_is_talk_and_no_result(autodc: Any, study: Any, inline: Any, tmp_path: Path) -> None:
    file = study()
    text = (tmp_path / "mine.py").read_text().replace("        return", "        print('scoring')\n        return")
    (tmp_path / "mine.py").write_text("print('imported')\n" + text)
    said = autodc("check", file, "--json")
    assert json.loads(said.out)["study"] == "world"
    assert "imported\nscoring\n" in said.err
    ended = autodc("run", file, "--machine", inline, "--out", tmp_path / "out", "--json")
    assert json.loads(ended.out)["finished"]


@pytest.mark.slow
def test_no_file_of_a_users_own_is_a_defect_of_ours(autodc: Any, study: Any, inline: Any, tmp_path: Path) -> None:
    file = study()
    (tmp_path / "mine.py").write_text("import sys\nsys.exit(0)\n")
    for words in (("check", file), ("run", file, "--machine", inline, "--out", tmp_path / "out"), ("simulate", file)):
        said = autodc(*words)
        assert said.code == 2
        assert "mine.py:2: SystemExit(0)" in said.err
        assert "Traceback" not in said.err
