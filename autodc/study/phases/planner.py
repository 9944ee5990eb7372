"""Trials: what the state wants to be trained next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, final

import numpy as np

from autodc import seeds
from autodc.plan.mixture import BASE
from autodc.plan.plan import Plan
from autodc.plan.trial import Phase, Trial
from autodc.search.engine import Observation, SearchEngine
from autodc.study.journal import events as ev
from autodc.study.journal.state import State
from autodc.study.memory import AFTER, Memory
from autodc.study.rules import allowance, credit, extend, failing, fidelity, ledger, pairs, sweep
from autodc.studyfile.study import StudySpec

OPENING = ("start", "anchor", "enqueued", "screen")
"""Origins of the trials a search begins with, whatever it has seen."""

TUNING = "tuning"
"""Origin of a trial that tunes what is kept without any new dataset."""

TUNING_EVERY = 4
"""One of so many search trials in the second half of a round may be a tuning trial."""

CLOSE_CALL = 0.05
"""It is one where tuning alone is believed to be as good as the best plan with at least this probability."""

EVERY_UP_TO, AGAIN_AFTER = 250, 3
"""That question is asked of all that was seen up to so many trainings; beyond, again when so many times as many were
seen: by then the answer is settled, and asking costs more with every training."""

ENQUEUED = "enqueued later"
"""Origin of a trial that an extension of the study asked for."""


def searching(spec: StudySpec, state: State) -> bool:
    """Whether the round's share of search trials is not yet planned. Where a clock limits the study, or did so when the
    round began, the share is that of what is left now."""
    quota: float = next(p.planned for p in reversed(state.phases) if p.phase == "search")
    if state.paced:
        quota = allowance.search_quota(spec, state, state.round)
    return state.charged("search", state.round) < quota - allowance.CRUMB and allowance.left(spec, state) >= 1


def asked_of(seen: int) -> int:
    """How many of the trainings that were seen a question about all of them is asked of: a function of their number
    alone, so that a study that is resumed asks the same."""
    count = EVERY_UP_TO
    while count * AGAIN_AFTER <= seen:
        count *= AGAIN_AFTER
    return min(count, seen)


@final
class Planner:
    """Derives the next trial from the state; what it remembers is for speed."""

    def __init__(self, spec: StudySpec, state: State, engine: SearchEngine, memory: Memory) -> None:
        self._spec, self._state, self._engine, self._memory = spec, state, engine, memory
        self._ladder = fidelity.Ladder()
        self._open_question: tuple[Any, bool] = (None, False)

    def want(self) -> ev.TrialPlanned | None:
        state = self._state
        if state.phase == "calibration":
            pair = self._state.count("calibration")
            assert state.start is not None
            return self._plan(state.start, pairs.pair_seed(self._spec, 1, pair), "calibration", 0, "start")
        if state.phase == "search":
            return self._search(state.round) if searching(self._spec, state) else self._fill()
        if state.phase in ("gate", "sweep"):
            comparison = state.open_comparison
            needs = pairs.needs(self._spec, state, comparison) if comparison is not None else []
            if comparison is not None and needs:
                return self._plan(*needs[0], "gate", state.round, f"test {comparison.id}")
            return self._fill() if state.phase == "gate" else self._ahead()
        if state.phase == "credit":
            arms = credit.needs(self._spec, state)
            return self._plan(*arms[0], "credit", state.round, "credit") if arms else None
        needs = pairs.final_needs(self._spec, state)
        return self._plan(*needs[0], "test", state.round, "final") if needs else None

    def _fill(self) -> ev.TrialPlanned | None:
        """Search for the next round while the gate waits: idle workers are a defect."""
        state, spec = self._state, self._spec
        upcoming = state.round + 1
        if state.round >= spec.loop.rounds:
            return None
        if state.charged("search", upcoming) >= allowance.search_quota(spec, state, upcoming) - allowance.CRUMB:
            return None
        return self._search(upcoming) if allowance.left(spec, state) >= 1 + allowance.LEAST_ROUND else None

    def _ahead(self) -> ev.TrialPlanned | None:
        """Train the first look of the next candidates of the wave while this one waits: all meet the same incumbent."""
        state, spec = self._state, self._spec
        if state.open_comparison is None or state.incumbent is None:
            return None
        if allowance.left(spec, state) < 1 + 2 * len(spec.gate.looks):
            return None
        for name in sweep.waiting(spec, state)[: min(spec.search.lag, ledger.comparisons_left(spec, state))]:
            plan = pairs.with_dataset(spec, state, state.incumbent, name)
            for seed in pairs.first_seeds(spec, state):
                for arm in (plan, state.incumbent):
                    if (arm, seed) not in state.trained:
                        return self._plan(arm, seed, "gate", state.round, "ahead")
        return None

    def _search(self, round_number: int) -> ev.TrialPlanned | None:
        state = self._state
        number, out = len(state.suggested), pairs.excluded(self._spec, state)
        if again := fidelity.again(self._spec, state, out, self._ladder):
            root, level, origin = again
            trial = replace(state.trials[root].trial, number=len(state.trials), fidelity=level)
            return ev.TrialPlanned(
                trial=trial.to_dict(), round=round_number, horizon=state.horizon, origin=origin, of=root
            )
        if (later := self._enqueued_later()) is not None:
            seed = seeds.integer(self._spec.seed, "search", f"enqueued-{number}")
            return self._plan(later, seed, "search", round_number, ENQUEUED)
        if (heard := failing.hearing(state)) is not None:
            seed = seeds.integer(self._spec.seed, "search", f"hearing-{number}")
            return self._plan(self._with_alone(heard), seed, "search", round_number, failing.HEARING)
        running = [t.trial.plan for t in state.trials[state.horizon :] if t.trial.phase not in AFTER]
        observed = self._memory.observed(state)
        suggestion = self._engine.suggest(number, observed, running, out)
        if self._tunes(number, round_number, suggestion.origin, observed, out):
            alone = out | frozenset(state.candidates) - frozenset(state.kept)
            suggestion = replace(self._engine.suggest(number, observed, running, alone), origin=TUNING)
        if suggestion.plan.recipe == "continue" and state.model >= state.horizon:
            return None
        seed = seeds.integer(self._spec.seed, "search", suggestion.seed_key)
        level = fidelity.of_fresh(self._spec, state)
        return self._plan(suggestion.plan, seed, "search", round_number, suggestion.origin, level)

    def _tunes(
        self, number: int, round_number: int, origin: str, observed: Sequence[Observation], out: frozenset[str]
    ) -> bool:
        """Whether a trial is to tune what is kept without any new dataset.

        It is where that may still be as good as the best plan with new ones: then base and challenger owe their
        comparison the same tuning. Where new datasets are far ahead, or nothing is known yet, it would be wasted.
        """
        settings = self._spec.search_space or len(self._spec.recipes) > 1
        if not settings or number % TUNING_EVERY != TUNING_EVERY - 1 or origin in OPENING:
            return False
        if self._state.charged("search", round_number) < 0.5 * allowance.search_quota(
            self._spec, self._state, round_number
        ):
            return False
        question = (asked_of(len(observed)), frozenset(self._state.kept), out)
        if question != self._open_question[0]:
            self._open_question = (question, self._is_close(observed[: question[0]], question[1], out))
        return self._open_question[1]

    def _is_close(self, observed: Sequence[Observation], kept: frozenset[str], out: frozenset[str]) -> bool:
        """Whether tuning what is kept may well be as good as the best plan with new datasets."""
        best = self._engine.recommend(observed, kept, out)
        draws = None if best.tuned is None else self._engine.outlook(observed, [best.plan, best.tuned])
        return draws is not None and float(np.mean(draws[:, 0] <= draws[:, 1])) > CLOSE_CALL

    def _with_alone(self, name: str) -> Plan:
        """The start with one candidate beside it."""
        start = self._state.start
        assert start is not None
        return Plan.of({BASE: 1.0, name: 1.0}, dict(start.hyperparameters), start.recipe)

    def _enqueued_later(self) -> Plan | None:
        """The next mixture that an extension of the study asks for, with the settings of the incumbent."""
        state = self._state
        wanted = extend.enqueued(state)
        tried = sum(t.origin == ENQUEUED for t in state.trials) if wanted else 0
        if tried >= len(wanted):
            return None
        model = state.incumbent if state.incumbent and state.incumbent.recipe != "continue" else state.start
        assert model is not None
        weights = {BASE: 1.0, **{n: w for n, w in wanted[tried].items() if w > 0 and n != BASE}}
        return Plan.of(weights, dict(model.hyperparameters), model.recipe, model.pretrain)

    def _plan(
        self, plan: Plan, seed: int, phase: Phase, round_number: int, origin: str, level: float = 1.0
    ) -> ev.TrialPlanned:
        state = self._state
        warm = None
        if plan.recipe == "continue":
            as_incumbent = plan == state.incumbent or state.phase in ("sweep", "credit")
            warm = state.warm if as_incumbent and state.warm is not None else state.model
        trial = Trial(number=len(state.trials), plan=plan, seed=seed, phase=phase, fidelity=level, warm_start=warm)
        failed = state.trained.get((plan, seed)) if phase == "gate" else None
        return ev.TrialPlanned(
            trial=trial.to_dict(), round=round_number, horizon=state.horizon, origin=origin, of=failed
        )
