"""A phase that the product does not know, put into the order from outside: a file and a line are all it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, final

import pytest

from autodc import seeds
from autodc.errors import InputError
from autodc.plan.trial import Trial
from autodc.review.result import result
from autodc.review.status import status
from autodc.study.core import StudyCore
from autodc.study.journal import events as ev
from autodc.study.memory import Memory
from autodc.study.phases.order import ORDER
from autodc.study.phases.phase import Phase
from autodc.study.phases.tools import Tools
from autodc.study.rules import planning
from autodc.study.view import View
from autodc.studyfile.study import StudySpec
from autodc.testing.memory import MemoryJournal


@final
class Repeat(Phase):
    """The incumbent is trained once more before the last measurement."""

    name = "repeat"
    words = "training the end once more"
    purpose = "the end once more, to see how it does"
    closing = True

    def keeps_model(self, spec: StudySpec) -> bool:
        return True

    def apart(self, spec: StudySpec, rules: int) -> int:
        return 1

    def begin(self, view: View) -> ev.PhaseStarted:
        return ev.PhaseStarted(round=view.state.round, phase=self.name, planned=1)

    def decide(self, view: View, tools: Tools) -> ev.Event | None:
        return view.after(self) if view.state.count(self.name) else None

    def want(self, view: View, tools: Tools) -> ev.TrialPlanned | None:
        key = (view.incumbent, seeds.integer(view.spec.seed, self.name))
        return planning.training(view, key, self.name, "once more")


AFTER = 1 + [phase.name for phase in ORDER].index("tuning")
WITH_REPEAT = (*ORDER[:AFTER], Repeat(), *ORDER[AFTER:])


@pytest.fixture(scope="module")
def done(world: Callable[..., Any]) -> tuple[Any, StudyCore, list[Any]]:
    """A finished study with the phase, and the rows of its journal."""
    hand, rows = world(loop__rounds=1, budget__trainings=100), []
    study = hand.open(rows, order=WITH_REPEAT)
    hand.finish(study)
    return hand, study, rows


def begun_at(hand: Any, rows: list[Any]) -> tuple[StudyCore, Trial]:
    """The study when the training of the phase has just been planned."""
    cut = next(n for n, (kind, _, text) in enumerate(rows, 1) if kind == "TrialPlanned" and '"repeat"' in text)
    study = hand.open(rows[:cut], order=WITH_REPEAT)
    return study, study.state.trials[-1].trial


def test_its_training_is_planned_once_after_the_tuning_and_outcome_and_gain_follow(done: Any) -> None:
    _, study, rows = done
    phases = [p.phase for p in study.state.phases]
    assert phases[phases.index("sweep") :] == ["sweep", "tuning", "repeat", "credit", "test"]
    mine = [t for t in study.state.trials if t.trial.phase == "repeat"]
    assert [(t.trial.plan, t.origin, t.outcome.status) for t in mine] == [(study.state.incumbent, "once more", "done")]
    assert [e.because for _, e in MemoryJournal(rows).read() if isinstance(e, ev.StudyFinished)] == ["rounds"]


def test_it_is_charged_and_set_apart(done: Any) -> None:
    hand, study, _ = done
    spent = result(study.state)["spent"]
    assert spent["by_phase"]["repeat"] == 1
    assert sum(spent["by_phase"].values()) == spent["trainings"] <= hand.spec.budget.trainings
    assert study.state.count("test") > 0, "the last measurement is still paid in full"


def test_status_says_what_it_does_and_a_reader_without_it_says_its_name(done: Any) -> None:
    hand, _, rows = done
    study, _ = begun_at(hand, rows)
    assert status(study.state, order=WITH_REPEAT)["doing"] == "training the end once more"
    assert status(study.state)["doing"] == status(study.state)["phase"] == "repeat"


def test_the_search_never_learns_from_it_and_its_model_is_kept(done: Any) -> None:
    hand, study, rows = done
    seen = {o.number for o in Memory().observed(study.view)}
    assert {t.trial.phase for t in study.state.trials if t.trial.number not in seen} == {
        "repeat",
        "tuning",
        "credit",
        "test",
    }
    again, trial = begun_at(hand, rows)
    job = replace(hand.jobs(again), order=WITH_REPEAT).job(trial, 0)
    assert job.keep_model
    assert [part.name for part in job.predict] == ["validation"]


@pytest.mark.parametrize(
    "share", [pytest.param(0.3, marks=pytest.mark.slow), 0.8, pytest.param(0.95, marks=pytest.mark.slow)]
)
def test_a_stop_changes_nothing(done: Any, essence: Callable[[StudyCore], Any], share: float) -> None:
    hand, study, rows = done
    again = hand.open(rows[: int(share * len(rows))], order=WITH_REPEAT)
    hand.finish(again, 3)
    assert essence(again) == essence(study)


@pytest.mark.slow
def test_who_asks_for_the_test_set_is_taken_to_it_first(done: Any) -> None:
    hand, _, rows = done
    study = hand.open(rows[: len(rows) // 3], order=WITH_REPEAT)
    study.open_test()
    hand.finish(study)
    assert [p.phase for p in study.state.phases][-3:] == ["repeat", "credit", "test"]


def test_a_journal_with_it_is_not_gone_on_with_by_who_does_not_know_it(done: Any) -> None:
    hand, _, rows = done
    with pytest.raises(InputError) as caught:
        hand.open(list(rows))
    assert (caught.value.code, caught.value.got) == ("ADC-RUN-020", "repeat")
