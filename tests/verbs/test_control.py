"""A run that is paused before it begins, and what it tells others when its surroundings fail."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

import autodc
from autodc.adapters.control import Control, Wish
from autodc.adapters.journal import JOURNAL, SqliteJournal
from autodc.adapters.notify import Notifier
from autodc.errors import SurroundingsError
from autodc.study.driver import Interrupted
from autodc.testing.worlds.cells import write_world
from autodc.verbs.folder import open_state
from autodc.verbs.notices import Notices
from autodc.verbs.run import run
from autodc.wire.inputs import read_inputs
from autodc.wire.study import open_study

TELLS = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read() + chr(10))"


@pytest.mark.slow
def test_a_paused_run_trains_nothing_and_its_deadline_holds(tmp_path: Path) -> None:
    out = tmp_path / "run"
    Control(out).ask(paused=True, slots=7)
    spec, machine = autodc.load(write_world(tmp_path)), autodc.MachineSpec(runner="inline")
    with pytest.raises(Interrupted, match="the time was over"):
        run(spec, machine, out, until=time.time() + 1)
    state = open_state(out)
    assert state.sessions[-1].paused
    assert state.sessions[-1].slots == 1, "slots that were asked of another run are forgotten"
    assert [t.trial.number for t in state.trials if t.outcome is not None and t.outcome.status == "done"] == []


def test_a_control_file_that_nobody_of_ours_wrote_asks_for_nothing(tmp_path: Path) -> None:
    control = Control(tmp_path)
    assert control.news() is None
    for words in ("", "[]", '{"id": "x"}', '{"id": "x", "paused": "no", "slots": 1}', '{"id": 1, "paused": true}'):
        (tmp_path / "control.json").write_text(words)
        assert control.wish() == Wish()
    asked = control.ask(slots=3)
    assert control.news() == asked
    assert control.news() is None
    assert control.ask(paused=True).slots == 3


@pytest.mark.slow
def test_what_blocks_a_study_is_told_once_until_it_gets_on(tmp_path: Path) -> None:
    file = tmp_path / "told"
    core, journal = open_study(read_inputs(autodc.load(write_world(tmp_path))), tmp_path / "run")
    full = SurroundingsError("ADC-DISK-001", "the disk is full", str(tmp_path))
    for again in range(2):
        if again:  # after a stop
            journal.close()
            journal = SqliteJournal(tmp_path / "run" / JOURNAL)
        notifier = Notifier(f"{sys.executable} -c \"{TELLS}\" '{file}'", pytest.fail)
        notices = Notices(notifier, journal, tmp_path / "run", lambda state: None)
        notices.blocked(core.state, full)
        notices.blocked(core.state, full)
        notifier.close()
    journal.close()
    (told,) = map(json.loads, file.read_text().splitlines())
    assert (told["event"], told["kept"], told["finished"]) == ("blocked", [], False)
    assert "the disk is full" in told["why"]
