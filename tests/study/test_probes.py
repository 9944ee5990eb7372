"""Forked probes: a round begins with them, they are charged as what they cost, and a stop changes nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autodc.errors import AutodcError
from autodc.plan.plan import Plan
from autodc.plan.trial import Outcome
from autodc.review.result import result
from autodc.study.journal import events as ev
from autodc.study.memory import Memory
from autodc.study.rules import probing
from autodc.studyfile import load
from autodc.testing.memory import MemoryJournal
from autodc.testing.worlds.cells import CANDIDATES, write_world
from autodc.wire.inputs import read_inputs

FORK = {"search__probes": "fork", "search__trials_per_round": 16, "loop__rounds": 1}


def told(rows: Any) -> list[ev.ProbesMeasured]:
    return [e for _, e in MemoryJournal(rows).read() if isinstance(e, ev.ProbesMeasured)]


@pytest.fixture(scope="module")
def probed(world: Any) -> Any:
    hand, rows = world(**FORK), []
    study = hand.open(rows)
    hand.finish(study)
    return hand, study, rows


@pytest.mark.slow
def test_what_helps_is_told_from_what_harms_and_the_mixture_they_make_is_trained(probed: Any) -> None:
    _, study, rows = probed
    first = told(rows)[0]
    assert set(first.changes) == set(first.believed) == set(CANDIDATES)
    assert first.changes["lamps"]["dark"] > 0 > first.changes["wrong"]["dark"]
    assert abs(first.changes["copies"]["dark"]) < 1e-3 < first.changes["lamps"]["dark"]
    assert "lamps" in Plan.from_dict(first.leads_to).mixture
    assert "wrong" not in Plan.from_dict(first.leads_to).mixture
    search = [t for t in study.state.trials if t.trial.phase == "search"]
    assert [t.origin for t in search[:2]] == [probing.PROBE, probing.PROBED]
    assert search[1].trial.plan.to_dict() == first.leads_to
    kept = result(study.state)["kept"]
    assert "lamps" in kept
    assert "wrong" not in kept


@pytest.mark.slow
def test_a_probe_is_charged_by_its_steps(probed: Any) -> None:
    _, study, _ = probed
    forked = [t.trial for t in study.state.trials if t.trial.forks is not None]
    cost = probing.AFTER + probing.STEPS * (1 + len(CANDIDATES))
    assert [one.fidelity for one in forked] == pytest.approx([cost] * len(forked))
    assert cost == pytest.approx(probing.price(len(CANDIDATES)))
    spent = result(study.state)["spent"]
    search = [t.trial.fidelity for t in study.state.trials if t.trial.phase == "search"]
    assert spent["by_phase"]["search"] == pytest.approx(sum(search)) == pytest.approx(16, abs=1)
    assert sum(one.fidelity for one in forked) <= probing.SHARE * 16
    said = result(study.state)["search"]["probes"]
    assert sum(one["trainings"] for one in said) == pytest.approx(sum(one.fidelity for one in forked))
    assert next(iter(said[0]["believed"])) == "lamps"


@pytest.mark.slow
def test_the_search_knows_what_probes_say_and_takes_none_for_a_training(probed: Any) -> None:
    _, study, _ = probed
    seen = {o.number for o in Memory().observed(study.view)}
    forked = {t.trial.number for t in study.state.trials if t.trial.forks is not None}
    assert forked
    assert not forked & seen
    assert not forked & set(study.state.suggested)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.1, 0.2, 0.3, 0.5])
def test_a_stop_and_the_order_of_outcomes_change_nothing(probed: Any, essence: Any, share: float) -> None:
    hand, study, rows = probed
    again = hand.open(rows[: int(share * len(rows))])
    hand.finish(again, 3, np.random.default_rng(int(share * 10)))
    assert essence(again) == essence(study)


@pytest.mark.slow
def test_many_workers_share_a_probe(probed: Any, monkeypatch: pytest.MonkeyPatch, essence: Any) -> None:
    hand, _, before = probed
    first = told(before)[0]
    monkeypatch.setattr(probing, "AT_ONCE", 3)
    rows: list[Any] = []
    apart = hand.open(rows)
    hand.finish(apart, 3, np.random.default_rng(1))
    shared = told(rows)[0]
    assert len(shared.trials) == 2
    assert shared.changes == first.changes, "the same training is forked, whoever has which dataset"
    again = hand.open([])
    hand.finish(again)
    assert essence(again) == essence(apart)


@pytest.mark.slow
def test_a_probe_that_fails_is_told_and_the_search_goes_on(world: Any) -> None:
    hand, rows = world(**FORK, task__options={"fail": "chance"}), []
    study = hand.open(rows)
    hand.finish(study)
    (found,) = told(rows)
    assert found.changes == found.believed == {}
    assert study.state.trials[found.trials[0]].outcome.status == "failed"
    assert result(study.state)["kept"] == ["lamps"]


@pytest.mark.slow
def test_a_round_that_cannot_pay_a_probe_makes_none(world: Any) -> None:
    hand, rows = world(**{**FORK, "search__trials_per_round": 2}), []
    study = hand.open(rows)
    hand.finish(study)
    assert not told(rows)
    assert any(warning.startswith("search.probes: a probe of 4 candidates") for warning in hand.inputs.warnings)
    assert all(t.trial.forks is None for t in study.state.trials)


@pytest.mark.slow
def test_what_is_cut_short_or_not_finite_is_a_failed_probe(probed: Any) -> None:
    hand, _, rows = probed
    cut = next(n for n, (kind, _, text) in enumerate(rows, 1) if kind == "TrialPlanned" and '"forks"' in text)
    again = hand.open(rows[:cut])
    (trial,) = again.ask(1)
    completion = hand.completion(trial)
    short = {part: values[:-1] for part, values in completion.outputs.items()}
    for outputs in (short, {}, {part: values * np.nan for part, values in completion.outputs.items()}):
        outcome = again.score(trial, type(completion)(number=trial.number, attempt=0, status="done", outputs=outputs))
        assert outcome.status == "failed"
        assert outcome.error
    good = again.score(trial, completion)
    assert Outcome.from_dict(good.to_dict()) == good
    stored = again.store.get(good.forked)["validation.forks"]
    assert stored.shape == (1 + len(CANDIDATES), len(hand.inputs.catalogue.validation.x))


def test_a_trainer_that_cannot_fork_is_refused_by_name(tmp_path: Any) -> None:
    study = write_world(tmp_path, **FORK, task__trainer="sklearn", search_space=None)
    with pytest.raises(AutodcError) as caught:
        read_inputs(load(study))
    assert caught.value.code == "ADC-TRAIN-070"
    assert "search.probes" in caught.value.place
    assert caught.value.exit_code == 2
