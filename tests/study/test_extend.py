"""A study that goes on with a changed file: what may change when, and what the error ledger makes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from autodc.errors import InputError
from autodc.review.result import result
from autodc.study.journal import events as ev
from autodc.study.rules import allowance
from autodc.study.rules.ledger import ledger
from autodc.testing.memory import MemoryJournal
from autodc.testing.worlds.cells import CANDIDATES

USELESS = [{"name": name, "source": f"data/{name}.npz"} for name in CANDIDATES[1:]]
EACH = {"gate__evidence": "each", "data__explore_share": 0}
"""Every dataset by itself, as before evidence was weighed together."""

FEW = {"loop__rounds": 1, "gate__planned_tests": 8, "data__candidates": USELESS}
MORE = {"data__candidates": [*FEW["data__candidates"], {"name": "lamps", "source": "data/lamps.npz"}]}
SLICES = [
    {"name": "overall", "role": "guard", "margin": 0.05},
    {"name": "bright", "where": "region = 'bright'", "role": "guard", "margin": 0.05},
    {"name": "dark", "where": "region = 'dark'", "role": "target"},
]
WIDER = [{**SLICES[0], "margin": 0.08}, *SLICES[1:]]


@pytest.fixture(scope="module")
def begun(world: Any) -> Any:
    """A finished study of three useless candidates: its hand, its state and its journal."""
    hand = world(**FEW)
    rows = []
    study = hand.open(rows)
    hand.finish(study)
    assert study.state.kept == ()
    return hand, study, rows


@pytest.fixture
def again(world: Any, begun: Any) -> Any:
    """Open the journal of `begun` with a changed study file; returns (hand, rows, study)."""

    def made(rows: Any = None, **changes: Any) -> Any:
        hand, _, finished = begun
        other = world(**{**FEW, **changes})
        other.store = hand.store
        rows = list(finished if rows is None else rows)
        return other, rows, other.open(rows)

    return made


@pytest.mark.slow
def test_a_finished_study_takes_a_candidate_more_and_keeps_its_ledger(again: Any, begun: Any) -> None:
    _, before, _ = begun
    hand, rows, study = again(**MORE, budget__trainings=120, gate__planned_tests=20)
    event, admitted = [e for _, e in MemoryJournal(rows).read()][-2:]
    assert isinstance(event, ev.StudyExtended)
    assert isinstance(admitted, ev.DatasetAdmitted)
    assert admitted.name == "lamps"
    assert event.changed["data.candidates[]"] == [["wrong", "copies", "chance"], ["wrong", "copies", "chance", "lamps"]]
    assert tuple(event.changed["gate.planned_tests"]) == (8, 20)
    assert not study.finished
    hand.finish(study)
    account, spent, taken = ledger(study.state), ledger(before.state).spent, before.state.taken
    old, new = account.entries[: len(before.state.comparisons)], account.entries[len(before.state.comparisons) :]
    assert old == ledger(before.state).entries
    assert new
    for entry in new:
        assert entry.share == pytest.approx((hand.spec.gate.fdr - spent) / (20 - taken))
    assert account.spent <= hand.spec.gate.fdr
    assert account.taken <= 20
    assert study.state.kept == ("lamps",)
    content = result(study.state)
    assert content["ledger"]["extensions"][0]["taken"] == taken
    assert [d["subject"] for d in content["decisions"]][: len(old)] == [e.subject for e in old]


@pytest.mark.slow
def test_its_test_set_is_not_opened_again_and_the_result_says_of_what_it_is(again: Any, begun: Any) -> None:
    _, before, _ = begun
    hand, _, study = again(**MORE, budget__trainings=120)
    hand.finish(study)
    content = result(study.state)
    assert content["test"]["opened"] == 1
    assert content["test"]["differences"] == result(before.state)["test"]["differences"]
    assert result(before.state)["test"]["of_incumbent"]
    assert not content["test"]["of_incumbent"]
    fresh = [t.trial for t in study.state.trials if t.trial.phase == "test" and t.trial.plan == study.state.incumbent]
    assert len(fresh) == allowance.final_seeds(hand.spec)


@pytest.mark.slow
@pytest.mark.parametrize(
    "share", [pytest.param(0.1, marks=pytest.mark.slow), 0.4, pytest.param(0.7, marks=pytest.mark.slow), 0.95]
)
def test_a_stop_in_the_middle_of_an_extension_changes_nothing(again: Any, essence: Any, share: Any) -> None:
    changes = {**MORE, "budget__trainings": 120, "loop__rounds": 2}
    hand, rows, study = again(**changes)
    begin = len(rows)
    hand.finish(study)
    cut = begin + int(share * (len(rows) - begin))
    other, _, resumed = again(rows[:cut], **changes)
    assert sum(kind == "StudyExtended" for kind, _, _ in rows[:cut]) == 1
    other.finish(resumed, flight=3)
    assert essence(resumed) == essence(study)


@pytest.mark.slow
def test_more_rounds_search_on(again: Any, begun: Any) -> None:
    _, before, _ = begun
    hand, _, study = again(loop__rounds=2, budget__trainings=120)
    hand.finish(study)
    assert study.state.count("search") > before.state.count("search")
    assert max(p.round for p in study.state.phases) == 2
    assert result(study.state)["finished"]


@pytest.mark.slow
def test_a_mixture_added_to_enqueue_is_tried_first(again: Any, begun: Any) -> None:
    _, before, _ = begun
    wanted = {"copies": 0.5, "chance": 1.5}
    hand, _, study = again(loop__rounds=2, budget__trainings=120, search__enqueue=[wanted])
    number = len(before.state.trials)
    hand.finish(study)
    first = next(t for t in study.state.trials[number:] if t.trial.phase == "search")
    assert first.trial.plan.mixture.to_dict() == {"base": 1.0, **wanted}
    assert sum(t.origin == first.origin for t in study.state.trials) == 1


@pytest.mark.slow
def test_the_default_sampler_copes_with_a_candidate_it_did_not_know(world: Any, essence: Any) -> None:
    few = {**FEW, "search__sampler": "mixture", "budget__trainings": 45, **EACH}
    hand = world(**few)
    hand.finish(hand.open(rows := []))
    begin = len(rows)
    other = world(**{**few, **MORE, "loop__rounds": 2, "budget__trainings": 100})
    other.store = hand.store
    study = other.open(rows)
    other.finish(study)
    assert study.state.kept == ("lamps",)
    new = [t for t in study.state.trials if t.trial.phase == "search" and "lamps" in t.trial.plan.mixture.added]
    assert new, "the search never tried the new candidate"
    again = other.open(rows[: begin + (len(rows) - begin) // 2])
    other.finish(again, flight=2)
    assert essence(again) == essence(study)


BETWEEN = {
    "loop.rounds 1 → 2": {"loop__rounds": 2},
    "data.candidates[]": MORE,
    "gate.fdr 0.1 → 0.2": {"gate__fdr": 0.2},
    "gate.planned_tests 8 → 50": {"gate__planned_tests": 50},
    "gate.looks": {"gate__looks": [1, 2]},
    "slices[overall].margin 0.05 → 0.08": {"slices": WIDER},
}


@pytest.mark.parametrize("words", BETWEEN)
def test_what_raises_n_or_moves_a_tolerance_waits_for_the_morning(again: Any, begun: Any, words: Any) -> None:
    _, _, rows = begun
    with pytest.raises(InputError) as caught:
        again(rows[:60], **BETWEEN[words])
    assert caught.value.code == "ADC-RUN-012"
    assert words in str(caught.value)
    assert "--open-test" in str(caught.value)
    _, grown, _ = again(**BETWEEN[words])
    assert "StudyExtended" in {kind for kind, *_ in grown[-2:]}


def test_a_refusal_names_every_key_and_writes_nothing(again: Any, begun: Any, world: Any) -> None:
    hand, _, rows = begun
    cut = list(rows[:60])
    with pytest.raises(InputError, match=r"gate\.fdr 0\.1 → 0\.2; slices\[overall\]\.margin|slices.*; gate\.fdr"):
        world(**{**FEW, "gate__fdr": 0.2, "slices": WIDER}).open(cut)
    assert cut == list(rows[:60])
    assert hand.spec.gate.fdr == 0.1


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes", [{"budget__trainings": 90}, {"budget__trainings": None}, {"search__trials_per_round": 20}]
)
def test_a_larger_budget_is_welcome_at_any_hour(again: Any, begun: Any, changes: Any) -> None:
    _, _, rows = begun
    hand, grown, study = again(rows[:60], **changes)
    assert grown[60][0] == "StudyExtended"
    hand.finish(study)
    assert result(study.state)["finished"]


NEVER = {
    "seed": {"seed": 4},
    "name": {"name": "other"},
    "metrics.primary": {"metrics__primary": "balanced_accuracy"},
    "slices[dark].where": {"slices": [*SLICES[:2], {**SLICES[2], "where": "region <> 'bright'"}]},
    "slices[]": {"slices": SLICES[1:]},
    "budget.trainings 60.0 → 40.0": {"budget__trainings": 40},
    "data.candidates[]": {"data__candidates": FEW["data__candidates"][1:]},
    "data.candidates[wrong].source": {
        "data__candidates": [{"name": "wrong", "source": "data/lamps.npz"}, *FEW["data__candidates"][1:]]
    },
    "content of.validation": {"data__validation": {"source": "data/test.npz"}, "data__test": None},
    "search.lag": {"search__lag": 5},
    "gate.score": {"gate__score": "soft", "slices": [*SLICES[:2], {**SLICES[2], "margin": 0.05}]},
}


@pytest.mark.parametrize("words", NEVER)
def test_another_identity_is_another_study_even_when_it_is_finished(again: Any, words: Any) -> None:
    with pytest.raises(InputError) as caught:
        again(**NEVER[words])
    assert caught.value.code == "ADC-RUN-002"
    assert words in str(caught.value)


def test_data_that_lie_elsewhere_and_hold_the_same_change_nothing(again: Any, begun: Any) -> None:
    elsewhere = [{**one, "source": f"data/../{one['source']}"} for one in USELESS]
    _, rows, study = again(data__candidates=elsewhere, data__validation={"source": "data/../data/validation.npz"})
    assert rows == begun[2]
    assert study.state.extensions == []


@pytest.mark.slow
def test_an_error_budget_that_is_used_up_is_not_extended(world: Any) -> None:
    hand = world(**{**FEW, **EACH, "gate__planned_tests": 2})
    rows = []
    study = hand.open(rows)
    hand.finish(study)
    assert len(study.state.comparisons) == 2
    with pytest.raises(InputError, match=r"nothing is left of this study's error budget") as caught:
        world(**{**FEW, **EACH, "gate__planned_tests": 9}).open(rows)
    assert caught.value.code == "ADC-RUN-013"
    assert "2 comparisons taken of 9 planned, 0.1 of gate.fdr 0.1 spent" in str(caught.value)


@pytest.mark.slow
def test_a_study_ended_by_the_clock_goes_on_once_it_is_given_more(again: Any, begun: Any) -> None:
    _, _, rows = begun
    events = [e for _, e in MemoryJournal(rows).read()]
    journal = MemoryJournal(limited := [])
    journal.append([*events[:60], ev.BudgetLimited(trainings=10.0, because="until")])
    hand, _, study = again(limited, budget__trainings=90)
    assert study.state.limit is None
    hand.finish(study)
    assert len(study.state.trials) > 20


def test_a_journal_without_a_key_of_today_goes_on_as_it_was(again: Any, begun: Any) -> None:
    """`data.overlap` came later: what was begun before has its default."""
    hand, _, rows = begun
    kind, version, text = rows[0]
    payload = json.loads(text)
    del payload["spec"]["data"]["overlap"]
    payload["fingerprint"] = "of an earlier autodc"
    old = [(kind, version, json.dumps(payload)), *rows[1:]]
    count = len(old)
    study = hand.open(old)
    assert len(old) == count
    assert study.finished
    with pytest.raises(InputError, match=r"data\.overlap"):
        again(old, data__overlap="allow")


def test_a_journal_with_keys_that_were_dropped_is_the_same_study(again: Any, begun: Any) -> None:
    """Statistical knobs of earlier study files stand in its journal; the file of today has none of them."""
    hand, finished, rows = begun
    kind, version, text = rows[0]
    payload = json.loads(text)
    payload["spec"]["gate"] |= {"guard_alpha": 0.3, "futility_target": 0.1, "incumbent": "averaged"}
    payload["spec"]["metrics"]["tradeoffs"] = ["model_mb"]
    payload["fingerprint"] = "of an earlier autodc"
    old = [(kind, version, json.dumps(payload)), *rows[1:]]
    count = len(old)
    study = hand.open(old)
    assert len(old) == count
    assert study.finished
    assert result(study.state)["decisions"] == result(finished.state)["decisions"]
    with pytest.raises(InputError, match=r"gate\.fdr") as caught:
        again(old[:60], gate__fdr=0.2)
    assert "guard_alpha" not in str(caught.value)
