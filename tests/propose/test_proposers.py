"""Datasets that are proposed: those of the study file, and those of a proposer from outside while the study runs."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodc.adapters.journal import open_for_reading
from autodc.data.admit import Candidate, Read
from autodc.data.dataset import Dataset
from autodc.errors import DataError
from autodc.plan.trial import Trial
from autodc.propose import Given, Proposer
from autodc.study.journal import events as ev
from autodc.studyfile import load
from autodc.testing.world import CANDIDATES, CellTrainer, write_world
from autodc.verbs.study import Study

SOON = 8
"""A trial of the first round's search."""

USELESS = [{"name": name, "source": f"data/{name}.npz", "tags": ["old"]} for name in CANDIDATES[1:]]


class Lamplighter:
    """A proposer from outside: makes rows of the cells that nobody has given yet."""

    def __init__(self, folder: Path, part: str = "lamps") -> None:
        self._file = folder / "data" / f"{part}.npz"

    def propose(self, finding: str | None, budget: float, seed: int) -> Sequence[Candidate]:
        """One dataset."""
        own: dict[str, Any] = {"by": "lamplighter", "round": 1, "parent": ("base",), "finding": finding}
        return (Candidate(name="lit", place="loop.propose: lamplighter", rows=self._made, targets=("dark",), **own),)

    def _made(self, read: Read) -> Dataset:
        rows = np.load(self._file)
        return Dataset(name="rows", x=rows["x"], y=rows["y"], metadata=pd.DataFrame({"region": rows["region"]}))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of three useless candidates, run by hand; a proposer adds the cure while the first round searches."""
    folder = tmp_path_factory.mktemp("world")
    write_world(folder, data__candidates=USELESS, loop__rounds=2, budget__trainings=80)
    proposer: Proposer = Lamplighter(folder)
    with opened(folder) as study:

        def propose(trial: Trial) -> None:
            if trial.number == SOON:
                for candidate in proposer.propose("F1", 10.0, 3):
                    study.admit_dataset(candidate)

        finish(study, propose)
    return folder


@pytest.mark.slow
def test_what_is_given_is_proposed_in_the_order_of_the_file(folder: Path) -> None:
    spec = load(folder / "study.yaml")
    given = Given(spec).propose()
    assert [(one.name, one.by, one.tags) for one in given] == [(n, "given", ("old",)) for n in CANDIDATES[1:]]
    events = journal(folder)
    first = next(i for i, e in enumerate(events) if isinstance(e, ev.TrialPlanned))
    before = [e.name for e in events[:first] if isinstance(e, ev.DatasetAdmitted)]
    assert before == list(CANDIDATES[1:])
    assert list(events[0].datasets) == ["base"]


@pytest.mark.slow
def test_a_dataset_of_a_proposer_joins_where_the_round_ends(folder: Path) -> None:
    events = journal(folder)
    (place,) = [i for i, e in enumerate(events) if isinstance(e, ev.DatasetAdmitted) and e.name == "lit"]
    card = events[place].card
    following = events[place + 1]
    assert isinstance(following, ev.PhaseStarted)
    assert (following.phase, following.round) == ("search", 2)
    assert {key: card[key] for key in ("by", "round", "parent", "finding")} == {
        "by": "lamplighter",
        "round": 1,
        "parent": ["base"],
        "finding": "F1",
    }
    assert (card["rows"], card["targets"], card["left_out"]) == (160, ["dark"], 0)


@pytest.mark.slow
def test_it_is_searched_judged_and_kept(folder: Path) -> None:
    events = journal(folder)
    place = next(i for i, e in enumerate(events) if isinstance(e, ev.DatasetAdmitted) and e.name == "lit")
    plans = [
        (i, e.trial["phase"], e.trial["plan"]["mixture"])
        for i, e in enumerate(events)
        if isinstance(e, ev.TrialPlanned)
    ]
    assert not any("lit" in mixture for i, _, mixture in plans if i < place)
    assert any("lit" in mixture for i, phase, mixture in plans if i > place and phase == "search")
    assert ("lit", "keep") in [(e.subject, e.verdict) for e in events if isinstance(e, ev.VerdictReached)]
    with opened(folder) as study:
        content = study.result()
    assert content["finished"]
    assert content["kept"] == ["lit"]


@pytest.mark.slow
def test_a_study_that_is_opened_again_still_has_it(folder: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(folder, whole)
    shutil.rmtree(whole / "out" / "work")
    spec = load(whole / "study.yaml")
    more = spec.model_copy(update={"budget": spec.budget.model_copy(update={"trainings": 160})})
    again = more.model_copy(update={"loop": spec.loop.model_copy(update={"rounds": 3})})
    with Study.open(again, whole / "out") as study:
        seen = []

        def see(trial: Trial) -> None:
            seen.extend(part.name for part in study.job(trial).train)

        finish(study, see)
        assert "lit" in seen
        assert "lit" in study.result()["kept"]


@pytest.mark.parametrize(
    ("part", "name", "code"), [("validation", "lit", "ADC-DATA-024"), ("lamps", "wrong", "ADC-DATA-027")]
)
def test_the_door_is_the_same_for_all(tmp_path: Path, part: str, name: str, code: str) -> None:
    write_world(tmp_path, data__candidates=USELESS)
    (candidate,) = Lamplighter(tmp_path, part).propose(None, 0.0, 0)
    with opened(tmp_path) as study:
        with pytest.raises(DataError) as caught:
            study.admit_dataset(dataclasses.replace(candidate, name=name))
        assert caught.value.code == code
        assert caught.value.place == "loop.propose: lamplighter"
    assert admitted(tmp_path) == list(CANDIDATES[1:])


def test_rows_that_are_there_already_do_not_join_again(tmp_path: Path) -> None:
    write_world(tmp_path, data__candidates=USELESS)
    (candidate,) = Lamplighter(tmp_path).propose(None, 0.0, 0)
    (useless,) = Lamplighter(tmp_path, CANDIDATES[1]).propose(None, 0.0, 0)
    with opened(tmp_path) as study:
        study.admit_dataset(candidate)
        for again in (candidate, useless):
            with pytest.raises(DataError) as caught:
                study.admit_dataset(dataclasses.replace(again, name="again"))
            assert caught.value.code == "ADC-PROP-007"


def opened(folder: Path) -> Study:
    return Study.open(load(folder / "study.yaml"), folder / "out")


def finish(study: Study, see: Callable[[Trial], None]) -> None:
    """Train all that is asked for, one at a time."""
    trainer = CellTrainer()
    while trials := study.ask(1):
        see(trials[0])
        outputs: Mapping[str, Any] = trainer.train(study.job(trials[0])).outputs
        study.tell(trials[0], study.outcome(trials[0], outputs))


def journal(folder: Path) -> list[Any]:
    reader = open_for_reading(folder / "out" / "journal.sqlite")
    try:
        return [event for _, event in reader.read()]
    finally:
        reader.close()


def admitted(folder: Path) -> list[str]:
    return [event.name for event in journal(folder) if isinstance(event, ev.DatasetAdmitted)]
