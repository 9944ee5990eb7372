"""The diagnosis of a round: journalled once for each incumbent, changes no decision, and stops no study."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, final

import pytest

from autodc.review import findings as told
from autodc.review.result import result
from autodc.study.core import StudyCore
from autodc.study.journal import events as ev
from autodc.study.phases.tools import Diagnosed
from autodc.study.rules import standing
from autodc.study.view import View
from autodc.testing.memory import MemoryJournal

NIGHT = {"loop__rounds": 2, "budget__trainings": 80, "gate__evidence": "each"}


@final
class Diagnoser:
    """Says of every incumbent how many datasets it has, in two findings, and counts how often it is asked."""

    def __init__(self) -> None:
        self.looked: list[int | None] = []

    def diagnose(self, view: View, number: int | None) -> Diagnosed:
        self.looked.append(number)
        first, state = view.state.next_finding, view.state
        assert number is not None
        assert number < view.horizon, "what it looks at is visible"
        made = ev.DiagnosisMade(
            round=state.round,
            horizon=view.horizon,
            plan=view.incumbent.to_dict(),
            trial=number,
            rows=100,
            findings=2,
            notes=({"code": "ADC-DIAG-004", "got": "mine: it is late"},),
        )
        found = ev.FindingMade(
            id=f"F{first}",
            code="ADC-D001",
            round=state.round,
            horizon=view.horizon,
            basis="attributes",
            rule=f"region = 'dark' AND size < {len(view.incumbent.mixture.added) + 1}",
            status="confirmed",
            found=20,
            confirmed=21,
            error={"inside": 0.5, "outside": 0.1, "difference": 0.4, "low": 0.2, "high": 0.6},
            by="mine",
            ids=(3, 1),
        )
        return made, (found, replace(found, id=f"F{first + 1}", status="suspected", rule="size >= 9"))


@pytest.fixture(scope="module")
def done(world: Callable[..., Any]) -> tuple[Any, StudyCore, list[Any], Diagnoser]:
    hand, rows, mine = world(**NIGHT), [], Diagnoser()
    study = hand.open(rows, rules=2, diagnoser=mine)
    hand.finish(study)
    return hand, study, rows, mine


def kinds(rows: list[Any], *wanted: str) -> list[str]:
    return [kind for kind, _, _ in rows if kind in wanted]


@pytest.mark.slow
def test_each_incumbent_is_diagnosed_once_with_a_training_of_it(done: Any) -> None:
    _, study, rows, mine = done
    state = study.state
    plans = [one.plan for one in state.diagnoses]
    assert plans[0] == state.start
    assert plans[-1] == state.incumbent
    assert len(set(plans)) == len(plans) == len(mine.looked) >= 2
    for number, plan in zip(mine.looked, plans, strict=True):
        assert state.trials[number].trial.plan == plan
    assert kinds(rows, "DiagnosisMade", "FindingMade") == ["DiagnosisMade", "FindingMade", "FindingMade"] * len(plans)
    assert list(state.findings) == [f"F{i + 1}" for i in range(2 * len(plans))]
    assert [p.phase for p in state.phases][:3] == ["calibration", "diagnose", "search"]
    assert [p.round for p in state.phases if p.phase in ("diagnose", "search")][:2] == [1, 1]


@pytest.mark.slow
def test_it_decides_nothing(done: Any, essence: Callable[[StudyCore], Any]) -> None:
    hand, study, _, _ = done
    without = hand.open([])
    hand.finish(without)
    assert [t.trial for t in study.state.trials] == [t.trial for t in without.state.trials]
    assert result(study.state)["decisions"] == result(without.state)["decisions"]
    assert result(study.state)["incumbent"] == result(without.state)["incumbent"]


@pytest.mark.parametrize(
    "kind",
    [
        "DiagnosisMade",
        pytest.param("FindingMade", marks=pytest.mark.slow),
        pytest.param("PhaseStarted", marks=pytest.mark.slow),
    ],
)
def test_a_stop_in_the_middle_changes_nothing(done: Any, essence: Callable[[StudyCore], Any], kind: str) -> None:
    hand, study, rows, _ = done
    cut = 1 + [n for n, (name, _, _) in enumerate(rows) if name == kind][1 if kind == "PhaseStarted" else 0]
    again = hand.open(rows[:cut], rules=2, diagnoser=Diagnoser())
    hand.finish(again, 3)
    assert essence(again) == essence(study)
    assert told.findings(again.state) == told.findings(study.state)


@pytest.mark.slow
def test_what_ends_first_changes_nothing(done: Any) -> None:
    """Predictions are kept of the first training of a plan, not of the first that ended."""
    import numpy as np

    hand, study, _, _ = done
    again = hand.open([], rules=2, diagnoser=Diagnoser())
    hand.finish(again, 4, np.random.default_rng(3))
    assert [d.made.trial for d in again.state.diagnoses] == [d.made.trial for d in study.state.diagnoses]
    assert told.findings(again.state) == told.findings(study.state)


@pytest.mark.slow
def test_result_and_words_are_of_the_journal(done: Any) -> None:
    _, study, rows, _ = done
    content = result(study.state)["findings"]
    assert content[0] == {
        "id": "F1",
        "code": "ADC-D001",
        "kind": "attributes",
        "rule": "region = 'dark' AND size < 1",
        "status": "confirmed",
        "round": 1,
        "rows": {"found": 20, "confirmed": 21},
        "error": {"inside": 0.5, "outside": 0.1, "difference": 0.4, "low": 0.2, "high": 0.6},
        "causes": [],
        "by": "mine",
    }
    assert told.views(study.state)[0]["words"].startswith("region is 'dark' and size below ")
    assert told.notes(study.state) == ["a finder failed: mine: it is late [ADC-DIAG-004]"]
    assert told.why(study.state, "F1")["of_incumbent"] is False
    assert next(e.kind for _, e in MemoryJournal(rows).read() if isinstance(e, ev.FindingMade)) == "FindingMade"


@pytest.mark.slow
def test_none_is_made_where_none_is_asked_for(world: Callable[..., Any]) -> None:
    hand, rows, mine = world(loop__findings=0, loop__rounds=1, budget__trainings=40), [], Diagnoser()
    study = hand.open(rows, rules=2, diagnoser=mine)
    hand.finish(study)
    assert not mine.looked
    assert not kinds(rows, "DiagnosisMade", "FindingMade")
    assert "diagnose" not in {p.phase for p in study.state.phases}


@pytest.mark.slow
@pytest.mark.parametrize(("rules", "asked"), [(5, ("copies",)), (4, ())])
def test_a_dataset_with_labels_by_chance_is_asked_to_leave_what_it_came_in_with(
    world: Callable[..., Any], rules: int, asked: tuple[str, ...]
) -> None:
    @final
    class Labels(Diagnoser):
        def diagnose(self, view: View, number: int | None) -> Diagnosed:
            made, findings = super().diagnose(view, number)
            seen = [{"name": "copies", "by_chance": True}, {"name": "lamps", "by_chance": False}]
            return replace(made, labels={"validation": None, "training": {"datasets": seen}}), findings

    hand = world(**{**NIGHT, "gate__evidence": "together", "loop__rounds": 1})
    study = hand.open([], rules=rules, diagnoser=Labels())
    hand.finish(study)
    (proposed,) = study.state.proposals
    assert standing.proposal_of(proposed.proposal).controls == asked
