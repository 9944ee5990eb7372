"""The sweep: all against one incumbent, the best advances, the others are tested again; what is stale is taken out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autodc.review.result import result
from autodc.study.journal.fold import apply, fold
from autodc.study.rules.ledger import ledger
from autodc.testing.memory import MemoryJournal

HALVES = ("near", "far", "copies", "wrong")
LONG = {
    "gate__evidence": "each",
    "data__explore_share": 0,
    "seed": 2,
    "budget__trainings": 120,
    "loop__rounds": 1,
    "search__trials_per_round": 2,
    "gate__looks": [4, 6, 8],
    "gate__fdr": 0.2,
    "gate__planned_tests": 10,
}


def named(*names: Any) -> Any:
    return [{"name": name, "source": f"data/{name.removesuffix('_again')}.npz"} for name in names]


@pytest.fixture(scope="module")
def swept(world: Any, scripted: Any) -> Any:
    """A study whose search recommends nothing, so that the sweep decides; finished."""

    def made(*names: Any, recommend: Any = ({},), flight: Any = 1, order: Any = None, **changes: Any) -> Any:
        hand = world(**{**LONG, "data__candidates": named(*names), **changes})
        rows = []
        study = hand.open(rows, scripted(hand.inputs.start, *recommend))
        hand.finish(study, flight, order)
        return study, rows

    return made


def additions(study: Any) -> Any:
    return [t for t in study.state.comparisons if t.purpose == "addition"]


@pytest.mark.slow
def test_a_wave_meets_one_incumbent_and_one_passer_at_a_time_advances(swept: Any) -> None:
    study, _ = swept(*HALVES)
    state = study.state
    assert set(state.kept) == {"near", "far"}
    first = [t for t in additions(study) if t.generation == 0]
    assert {t.subject for t in first} == set(HALVES)
    assert {t.incumbent for t in first} == {state.start}
    assert sum(t.verdict == "keep" for t in first) == 2
    assert [len(m.plan["mixture"]) for m in state.moves] == [2, 3]
    second = [t for t in additions(study) if t.generation == 1]
    assert len(second) == 1
    assert set(second[0].incumbent.mixture.added) == set(state.moves[0].plan["mixture"]) - {"base"}
    assert second[0].verdict == "keep"
    moved = [t.id for t in additions(study) if t.id in {m.comparison for m in state.moves}]
    assert moved == [state.moves[0].comparison, state.moves[1].comparison]
    assert len(ledger(state).entries) == len(state.comparisons)


@pytest.mark.slow
def test_of_two_copies_that_both_pass_the_second_does_not_pass_again(swept: Any) -> None:
    study, _ = swept("lamps", "lamps_again")
    assert [t.verdict for t in additions(study)][:2] == ["keep", "keep"]
    assert len(study.state.kept) == 1
    assert additions(study)[-1].generation == 1
    assert additions(study)[-1].verdict != "keep"


@pytest.mark.slow
def test_pairs_have_fresh_seeds_after_a_move(swept: Any) -> None:
    study, _ = swept(*HALVES)
    first = {s for t in additions(study) if t.generation == 0 for s in t.seeds}
    second = {s for t in additions(study) if t.generation == 1 for s in t.seeds}
    assert first
    assert second
    assert not first & second
    searched = {t.trial.seed for t in study.state.trials if t.trial.phase == "search"}
    measured = {t.trial.seed for t in study.state.trials if t.trial.phase == "test"}
    assert not measured & (searched | first | second)
    assert not searched & (first | second)


@pytest.mark.slow
def test_a_kept_dataset_that_others_made_useless_is_taken_out_again(swept: Any) -> None:
    study, _ = swept("near", "lamps", "copies", recommend=({"near": 1.0},))
    state = study.state
    removals = [t for t in state.comparisons if t.purpose == "removal" and t.subject == "near"]
    assert [t.verdict for t in removals] == ["keep", "drop"]
    assert removals[1].challenger.mixture.added == ("lamps", "near")
    assert removals[1].incumbent.mixture.added == ("lamps",)
    assert state.kept == ("lamps",)
    assert result(study.state)["dropped"].count("near") == 1
    assert state.moves[-1].comparison == removals[1].id


@pytest.mark.slow
def test_a_kept_dataset_that_is_still_needed_stays_and_is_tested_once(swept: Any) -> None:
    study, _ = swept("near", "far", "copies", recommend=({"near": 1.0},))
    removals = [t for t in study.state.comparisons if t.purpose == "removal" and t.subject == "near"]
    assert [t.verdict for t in removals] == ["keep", "keep"]
    assert study.state.kept == ("near", "far")


@pytest.mark.parametrize("flight", [pytest.param(2, marks=pytest.mark.slow), 4])
def test_waves_do_not_mind_the_order_of_outcomes(swept: Any, essence: Any, flight: Any) -> None:
    study, _ = swept(*HALVES)
    again, _ = swept(*HALVES, flight=flight, order=np.random.default_rng(flight))
    assert essence(again) == essence(study)


@pytest.mark.slow
def test_a_stop_anywhere_in_the_sweep_changes_nothing(swept: Any, world: Any, scripted: Any, essence: Any) -> None:
    study, rows = swept(*HALVES)
    hand = world(**{**LONG, "data__candidates": named(*HALVES)})
    begin = next(n for n, (kind, _, text) in enumerate(rows) if kind == "PhaseStarted" and "sweep" in text)
    for cut in range(begin, len(rows), 19):
        again = hand.open(rows[:cut], scripted(hand.inputs.start, {}))
        hand.finish(again, 2)
        assert essence(again) == essence(study)


@pytest.mark.slow
def test_workers_are_kept_busy_with_the_next_candidates_of_the_wave(swept: Any) -> None:
    _, rows = swept(*HALVES, search__lag=6)
    state, most = fold([]), 0
    for _, event in MemoryJournal(rows).read():
        apply(state, event)
        if state.phase == "sweep" and state.open_comparison is not None:
            most = max(most, len(state.trials) - state.horizon)
    assert most >= 4


@pytest.mark.slow
def test_the_levels_of_all_tests_are_those_of_the_ledger(swept: Any) -> None:
    study, _ = swept(*HALVES)
    account, spec = ledger(study.state), study.spec
    assert account.planned == 10
    for entry in account.entries:
        assert entry.share == pytest.approx(spec.gate.fdr / account.planned)
        assert entry.alpha == pytest.approx(min(spec.gate.fdr, entry.share * (1 + entry.keeps)))
    assert account.spent + account.left == pytest.approx(spec.gate.fdr)
    assert account.taken <= account.planned
