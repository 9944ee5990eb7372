"""What is put into the inbox joins the roster where a round ends; what does not fit is told once, and nothing stops."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodc.adapters.artefacts import ArtefactStore
from autodc.adapters.journal import open_for_reading
from autodc.data.dataset import Dataset
from autodc.review.concerns import concerns
from autodc.review.numbers import Numbers
from autodc.review.requests import about_delivery
from autodc.review.result import result
from autodc.review.status import status
from autodc.study.journal import events as ev
from autodc.study.journal.fold import apply, fold
from autodc.study.journal.state import State
from autodc.study.rules.comparisons import to_join
from autodc.studyfile import load
from autodc.testing.worlds.cells import CANDIDATES, CellTrainer, write_world
from autodc.verbs.study import Study
from autodc.wire.inbox import Inbox
from autodc.wire.inputs import read_inputs
from autodc.wire.study import given_events, open_study, started_event

USELESS = [{"name": name, "source": f"data/{name}.npz"} for name in CANDIDATES[1:]]


def old(path: Path) -> None:
    """As if it had been put there a while ago."""
    for one in [path, *path.rglob("*")]:
        os.utime(one, (time.time() - 60, time.time() - 60))


def deliver(folder: Path, name: str, part: str = "lamps", rows: int | None = None) -> Path:
    (folder / "inbox").mkdir(exist_ok=True)
    path = folder / "inbox" / f"{name}.npz"
    with np.load(folder / "data" / f"{part}.npz") as known:
        np.savez(path, **{key: known[key][:rows] for key in known.files})
    old(path)
    return path


def sheet(folder: Path, name: str, labelled: int) -> Path:
    """A folder as shadow mode writes it, of which so many lines are labelled."""
    with np.load(folder / "data" / "lamps.npz") as known:
        x, y, region = known["x"], known["y"], known["region"]
    path = folder / "inbox" / name
    (path / "to_label" / "rows").mkdir(parents=True)
    for at, row in enumerate(x):
        np.save(path / "to_label" / "rows" / f"{at}.npy", row)
    lines = pd.DataFrame({"path": [f"rows/{at}.npy" for at in range(len(x))], "target": pd.Series(y), "region": region})
    lines["target"] = lines["target"].where(lines.index < labelled)
    lines.to_csv(path / "to_label" / "manifest.csv", index=False)
    told = {"source": "to_label", "options": {}, "columns": ["target"]}
    (path / "shadow.json").write_text(json.dumps({"labelled": told}))
    old(path)
    return path


@pytest.fixture
def world(tmp_path: Path) -> Path:
    write_world(tmp_path, data__candidates=USELESS, data__inbox="inbox")
    return tmp_path


def looked(folder: Path, notices: list[str], before: State | None = None) -> tuple[Inbox, State]:
    """An inbox and the state of its study. before: that of a session before."""
    inputs = read_inputs(load(folder / "study.yaml"))
    state = before or fold([started_event(inputs), *given_events(inputs)])
    return Inbox(inputs, ArtefactStore(folder / "stored"), notices.append), state


def admitted(inbox: Inbox, state: State) -> list[ev.DatasetAdmitted]:
    """What is let in, once all that came of it is in the journal."""
    found = inbox.arrived(state)
    for event in found:
        apply(state, event)
    return [one for one in found if isinstance(one, ev.DatasetAdmitted)]


def test_whatever_fits_is_let_in_under_the_name_of_its_file(world: Path) -> None:
    deliver(world, "street lamps")
    sheet(world, "may", 10_000)
    notices: list[str] = []
    inbox, state = looked(world, notices)
    first, *others = admitted(inbox, state)
    assert (first.name, first.card["by"], first.card["rows"]) == ("may", "inbox", 160)
    assert others == []  # the same rows again
    (told,) = notices
    assert "ADC-INBX-002" in told
    assert "the same rows as `may`" in told
    assert not inbox.arrived(state)
    assert len(notices) == 1


def test_rows_that_the_base_has_or_that_were_made_are_there_already(world: Path) -> None:
    made = np.load(world / "data" / "lamps.npz")
    deliver(world, "again", "base")
    deliver(world, "lamps-again")
    notices: list[str] = []
    inbox, state = looked(world, notices)
    data = Dataset(name="pool-F1", x=made["x"], y=made["y"], metadata=pd.DataFrame(index=range(len(made["y"]))))
    ArtefactStore(world / "stored").put_dataset(data)
    card = {"rows": len(data), "by": "pool", "fingerprint": data.fingerprint, "cost": 0.0}
    apply(state, ev.DatasetAdmitted(name="pool-F1", card=card, reference=data.fingerprint))
    assert not admitted(inbox, state)
    assert ["ADC-INBX-002" in one for one in notices] == [True, True]
    assert "the same rows as `base`" in notices[0]
    assert "the same rows as `pool-F1`" in notices[1]


def test_what_does_not_fit_is_told_once_and_again_when_it_has_changed(world: Path) -> None:
    broken = world / "inbox" / "half.npz"
    broken.parent.mkdir()
    broken.write_bytes((world / "data" / "lamps.npz").read_bytes()[:700])
    old(broken)
    deliver(world, "leak", "validation")
    deliver(world, CANDIDATES[1])
    (world / "inbox" / "copying.npz.part").write_bytes(b"")
    notices: list[str] = []
    inbox, state = looked(world, notices)
    assert not admitted(inbox, state)
    assert not inbox.arrived(state)
    assert len(notices) == 3
    for name, code in (("half", "ADC-DATA-"), ("leak", "ADC-DATA-024"), (CANDIDATES[1], "ADC-DATA-027")):
        assert sum(f"inbox/{name}.npz" in one and code in one for one in notices) == 1, notices
    later, state = looked(world, notices, state)
    assert not later.arrived(state)
    assert len(notices) == 3  # nor does a session after this one tell it again
    assert [one["delivered"] for one in status(state)["inbox"]] == sorted(
        [f"{CANDIDATES[1]}.npz", "half.npz", "leak.npz"]
    )
    assert sum("ADC-DATA-024" in one for one in status(state)["warnings"]) == 1
    broken.write_bytes((world / "data" / "lamps.npz").read_bytes())
    assert not inbox.arrived(state)  # it was written this moment
    old(broken)
    assert [one.name for one in admitted(inbox, state)] == ["half"]
    (world / "inbox" / "leak.npz").unlink()
    assert not admitted(inbox, state)
    assert [one["delivered"] for one in result(state)["inbox"]] == [f"{CANDIDATES[1]}.npz"]


def test_a_sheet_waits_for_its_labels_and_one_that_is_labelled_in_part_is_refused(world: Path) -> None:
    sheet(world, "empty", 0)
    sheet(world, "partly", 100)
    notices: list[str] = []
    inbox, state = looked(world, notices)
    assert not admitted(inbox, state)
    assert "ADC-INBX-003" in notices[0]
    assert "fill in the column target" in notices[0]
    assert "ADC-INBX-001" in notices[1]
    assert "60 of 160 lines" in notices[1]


def asked(state: State) -> None:
    """The study asks for rows in the dark, at 2 a row."""
    plan = state.incumbent
    assert plan is not None
    apply(state, ev.DiagnosisMade(round=1, horizon=0, plan=plan.to_dict(), trial=0, rows=100, findings=1))
    gap = {"inside": 0.5, "outside": 0.1, "difference": 0.4, "low": 0.3, "high": 0.5}
    kind: dict[str, Any] = {"code": "ADC-D001", "basis": "attributes", "status": "confirmed", "by": "beam"}
    here = {"round": 1, "horizon": 0, "found": 9, "confirmed": 9, "error": gap, "ids": (1, 2)}
    apply(state, ev.FindingMade(id="F1", rule="region = 'dark'", **here, **kind))
    gain = {"low": 0.01, "mid": 0.02, "high": 0.03}
    inside = {"before": 0.5, "low": 0.1, "mid": 0.2, "high": 0.3}
    known: dict[str, Any] = {"rows": 100, "gain": gain, "inside": inside, "targets": ("dark",)}
    apply(state, ev.RequestMade(id="R1", round=1, horizon=0, finding="F1", cost=200.0, price=2.0, **known))


def test_what_is_delivered_for_a_request_is_tied_to_it_and_told_once_where_it_comes_twice(world: Path) -> None:
    deliver(world, "R1-lamps", rows=100)
    deliver(world, "R1-lamps-again", rows=100)
    deliver(world, "R12")
    notices: list[str] = []
    inbox, state = looked(world, notices)
    asked(state)
    first, other = admitted(inbox, state)
    assert (first.name, first.card["request"], first.card["finding"]) == ("R1-lamps-again", "R1", "F1")
    assert (first.card["targets"], first.card["cost"], first.card["by"]) == (["dark", "finding-F1"], 200.0, "inbox")
    assert (other.name, other.card["finding"], "request" in other.card) == ("R12", None, False)
    assert len(notices) == 1
    assert "the same rows as `R1-lamps-again`" in notices[0]
    later, state = looked(world, notices, state)
    assert not later.arrived(state)
    assert len(notices) == 1
    (request,) = result(state)["requests"]
    assert [one["dataset"] for one in request["delivered"]] == ["R1-lamps-again"]
    assert result(state)["candidates"]["R1-lamps-again"] == {
        "by": "inbox",
        "finding": "F1",
        "rows": 100,
        "cost": 200,
        "parent": [],
        "made_in_round": 0,
        "verdict": "undecided",
        "request": "R1",
    }


def test_a_sheet_or_a_column_may_name_the_request(world: Path) -> None:
    path = sheet(world, "may", 160)
    told = json.loads((path / "shadow.json").read_text())
    (path / "shadow.json").write_text(json.dumps({**told, "request": "R1"}))
    old(path)
    with np.load(world / "data" / "near.npz") as known:
        column = np.repeat("r1", len(known["y"]))
        np.savez(world / "inbox" / "june.npz", **{key: known[key] for key in known.files}, request=column)
    old(world / "inbox" / "june.npz")
    inbox, state = looked(world, [])
    asked(state)
    assert {one.name: one.card["request"] for one in admitted(inbox, state)} == {"june": "R1", "may": "R1"}


def test_it_declares_the_slice_of_its_finding_but_for_one_that_has_none_and_in_a_study_of_before(world: Path) -> None:
    deliver(world, "R1-lamps")
    found = {}
    for name, rules, changed in (
        ("own", 5, {}),
        ("before", 4, {}),
        ("unsure", 5, {"status": "suspected"}),
        ("slice", 5, {"told": {"slice": "dark"}}),
        ("none", 5, {"rule": "region = 'dark' AND target < 0"}),
    ):
        inbox, state = looked(world, [])
        state.started = replace(state.question, rules=rules)
        asked(state)
        state.findings["F1"] = replace(state.findings["F1"], **changed)
        (event,) = admitted(inbox, state)
        found[name] = event.card
        assert to_join(state) == event.card.get("own")
    assert found["own"]["own"] == {"name": "finding-F1", "finding": "F1", "where": "region = 'dark'"}
    assert found["own"]["targets"] == ["dark", "finding-F1"]
    assert [found[name]["targets"] for name in ("before", "unsure", "slice", "none")] == [["dark"]] * 4
    assert [name for name, card in found.items() if "undeclared" in card] == ["none"]
    assert found["none"]["undeclared"]["code"] == "ADC-PROP-053"
    assert "its finding has no slice of its own: F1: region = 'dark' AND target < 0: " in about_delivery(
        state, "R1-lamps"
    )


@pytest.mark.slow
def test_its_slice_joins_before_anything_is_trained_on_it_and_may_keep_it(tmp_path: Path) -> None:
    whole = [{"name": "overall", "role": "target"}]
    write_world(tmp_path, data__candidates=[], data__inbox="inbox", loop__rounds=2, budget__trainings=50, slices=whole)
    given: list[Path] = []

    def see(trial: Any) -> None:
        if not given and study._core.state.requests:
            given.append(deliver(tmp_path, "R1-lit"))

    with Study.open(load(tmp_path / "study.yaml"), tmp_path / "out") as study:
        finish(study, see)
        assert "R1-lit" in study.result()["kept"]
    with open_for_reading(tmp_path / "out" / "journal.sqlite") as journal:
        events = [event for _, event in journal.read()]
    at = next(i for i, one in enumerate(events) if isinstance(one, ev.DatasetAdmitted) and one.name == "R1-lit")
    own, joined = events[at].card["own"], events[at + 1]
    assert isinstance(joined, ev.SliceAdmitted)
    assert (joined.name, joined.finding, joined.card["role"]) == (own["name"], own["finding"], "finding")
    assert (to_join(fold(events[: at + 1])), to_join(fold(events[: at + 2]))) == (own, None)
    looks = [look for t in fold(events).comparisons if "R1-lit" in t.members for look in t.typed_looks]
    assert looks
    assert all(look.slices[own["name"]].declared for look in looks)


def finish(study: Study, see: Any = lambda trial: None) -> None:
    trainer = CellTrainer()
    while trials := study.ask(1):
        see(trials[0])
        outputs: Mapping[str, Any] = trainer.train(study.job(trials[0])).outputs
        study.tell(trials[0], study.outcome(trials[0], outputs))


@pytest.mark.slow
def test_what_arrives_while_a_round_runs_is_judged_in_the_next_one(tmp_path: Path) -> None:
    write_world(tmp_path, data__candidates=USELESS, data__inbox="inbox", loop__rounds=2, budget__trainings=80)
    with Study.open(load(tmp_path / "study.yaml"), tmp_path / "out") as study:
        finish(study, lambda trial: deliver(tmp_path, "lit") if trial.number == 8 else None)
        assert study.result()["kept"] == ["lit"]
    with open_for_reading(tmp_path / "out" / "journal.sqlite") as journal:
        events = [event for _, event in journal.read()]
    at = next(i for i, one in enumerate(events) if isinstance(one, ev.DatasetAdmitted) and one.name == "lit")
    following = events[at + 1]
    assert events[at].card["by"] == "inbox"
    assert isinstance(following, ev.PhaseStarted)
    assert following.round == 2


@pytest.mark.slow
def test_what_is_refused_is_told_once_by_journal_report_and_status_and_a_finished_study_stays_finished(
    tmp_path: Path,
) -> None:
    write_world(tmp_path, data__candidates=USELESS, data__inbox="inbox", budget__trainings=30)
    deliver(tmp_path, "leak", "validation")
    spec, notices = load(tmp_path / "study.yaml"), list[str]()
    with Study.open(spec, tmp_path / "out") as study:
        finish(study)
    deliver(tmp_path, "copy", CANDIDATES[1])
    for _ in range(2):
        core, journal = open_study(read_inputs(spec), tmp_path / "out", notices.append)
        assert core.take_up() == ()
        journal.close()
    assert len(notices) == 1
    with open_for_reading(tmp_path / "out" / "journal.sqlite") as journal:
        events = [event for _, event in journal.read()]
    told = [(one.delivered, one.problems[0]["code"]) for one in events if isinstance(one, ev.DeliveryRefused)]
    assert told == [("leak.npz", "ADC-DATA-024"), ("copy.npz", "ADC-INBX-002")]
    state = fold(events)
    assert state.finished is not None
    page = [one.text for one in concerns(state, result(state), Numbers(3))]
    assert sum("ADC-DATA-024" in text for text in page) == 1
    assert fold(events[:-1]).refused.keys() == {"leak.npz"}
