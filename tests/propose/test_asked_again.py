"""A finding of which an oracle could tell too few rows is served again, with other rows; not for ever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodc.propose.proposal import Proposal
from autodc.study.journal import events as ev
from autodc.study.journal.fold import apply
from autodc.study.journal.state import State
from autodc.study.rules.served import asked_of_pool, is_again
from autodc.studyfile import load
from autodc.verbs.run import run
from tests.propose.test_phase import INLINE, told, written

TELLER = """
import numpy as np
from pathlib import Path
Y = np.load(Path(__file__).with_name("data") / "pool.npz")["y"]
def label(x, metadata, ids):
    closed = Path(__file__).with_name("closed").exists()
    return [None if closed else Y[int(one)] for one in ids]
"""


def started(rules: int) -> State:
    state = State()
    plan = {"mixture": {"base": 1.0}, "stages": {"base": "main"}, "recipe": "concat", "hyperparameters": {}}
    told: dict[str, Any] = {"fingerprint": "f", "name": "n", "spec": {}, "datasets": {}, "slices": {}}
    apply(state, ev.StudyStarted(start=plan, rules=rules, **told))
    return state


def refused(state: State, name: str, code: str) -> None:
    one = Proposal(name=name, by="pool", maker="m:o", finding="F1").to_dict()
    apply(state, ev.ProposalsMade(round=1, horizon=0, proposals=(one,)))
    problem = {"code": code, "problem": "p", "place": "", "got": "", "hint": ""}
    apply(state, ev.ProposalRefused(name=name, round=1, problems=(problem,)))


@pytest.mark.parametrize(
    ("rules", "codes", "again"),
    [
        (5, ["ADC-PROP-075"], True),
        (5, ["ADC-PROP-075"] * 2, True),
        (5, ["ADC-PROP-075"] * 3, False),
        (5, ["ADC-PROP-005"], False),
        (4, ["ADC-PROP-075"], False),
    ],
)
def test_what_was_refused_for_want_of_labels_is_no_service(rules: int, codes: list[str], again: bool) -> None:
    state = started(rules)
    for number, code in enumerate(codes):
        refused(state, f"pool-F1.{number}", code)
    assert is_again(state, asked_of_pool(state)["F1"]) == again


@pytest.mark.slow
def test_an_oracle_that_tells_nothing_at_first_serves_the_finding_a_round_later(tmp_path: Path) -> None:
    path = written(tmp_path, pool={"source": "data/unlabelled.npz", "oracle": "teller.py:label", "cost_per_row": 0.01})
    with np.load(tmp_path / "data" / "pool.npz") as pool:
        np.savez(tmp_path / "data" / "unlabelled.npz", **{name: pool[name] for name in pool.files if name != "y"})
    (tmp_path / "teller.py").write_text(TELLER)
    study = json.loads(path.read_text())
    path.write_text(json.dumps({**study, "loop": {**study["loop"], "rounds": 2}, "budget": {"trainings": 60}}))
    closed, out = tmp_path / "closed", tmp_path / "out"
    closed.touch()

    def opens() -> bool:
        if closed.exists() and (out / "journal.sqlite").exists():
            searching = (isinstance(one, ev.PhaseStarted) and one.phase == "search" for one in told(out))
            if any(searching):
                closed.unlink()
        return False

    run(load(path), INLINE, out, stop=opens)
    events = told(out)
    first = next(e for e in events if isinstance(e, ev.ProposalRefused) and e.name == "pool-F1")
    assert first.problems[0]["code"] == "ADC-PROP-075"
    made = {
        one["name"]: set(one["arguments"]["rows"])
        for e in events
        if isinstance(e, ev.ProposalsMade)
        for one in e.proposals
    }
    assert not made["pool-F2"] & made["pool-F2.2"]
    assert "pool-F2.2" in {e.name for e in events if isinstance(e, ev.DatasetAdmitted)}
    notes = [note["got"] for e in events if isinstance(e, ev.ProposalsMade) for note in e.notes]
    assert any(got.startswith("pool-F1.2: 0 rows of the pool match") for got in notes), "all of its rows were asked for"
