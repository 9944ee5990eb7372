"""Decisions: the next event that the visible outcomes imply. Pure but for the assessor, which reads evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, final

import numpy as np

from autodc.gate.types import Look
from autodc.plan.plan import Plan
from autodc.search.engine import SearchEngine, natural
from autodc.study.journal import events as ev
from autodc.study.journal.state import ComparisonState, State
from autodc.study.memory import AFTER, Memory
from autodc.study.phases.planner import searching
from autodc.study.rules import allowance, credit, fidelity, ledger, pairs, sweep
from autodc.studyfile.study import StudySpec

Array = np.ndarray[Any, Any]

OUT_OF_BUDGET = "ADC-G090"
"""Reason of a test that ended because no trainings were left for its next look."""

STOPPED = "ADC-G091"
"""Reason of a test that ended because the user asked to open the test set."""


class Assessor(Protocol):
    """Looks at the evidence: reads per-example arrays, judges, measures the opened test set."""

    def look(self, state: State, comparison: ComparisonState, pair_seeds: tuple[int, ...]) -> Look:
        """Judge a test on the pairs of these seeds, all of which are trained."""
        ...

    def measure(self, state: State) -> ev.Event:
        """Open the test set, or compare start and incumbent on it once that is journalled."""
        ...

    def credit(self, state: State, tables: Sequence[tuple[int, int, int, int]]) -> dict[str, Any] | None:
        """Split the gain on validation over these trainings; None where they cannot say it."""
        ...


@final
class Decider:
    """Derives decisions from the state; holds nothing of its own."""

    def __init__(self, spec: StudySpec, state: State, engine: SearchEngine, memory: Memory, assessor: Assessor) -> None:
        self._spec, self._state, self._engine = spec, state, engine
        self._memory, self._assessor = memory, assessor

    def react(self) -> ev.Event | None:
        phases: dict[str, Callable[[], ev.Event | None]] = {
            "": lambda: ev.PhaseStarted(round=0, phase="calibration", planned=allowance.calibration_runs(self._spec)),
            "calibration": self._after_calibration,
            "search": self._after_search,
            "gate": self._in_gate,
            "sweep": self._in_sweep,
            "credit": self._in_credit,
            "test": self._in_test,
            "extended": self._take_up,
        }
        if self._state.asked is not None and self._state.phase not in ("", "calibration", "credit", "test"):
            return self._stop_here()
        return fidelity.measured(self._spec, self._state) or phases[self._state.phase]()

    def _after_calibration(self) -> ev.Event | None:
        if self._state.count("calibration") < allowance.calibration_planned(self._state):
            return None
        return self._last_measurement() if self._state.asked is not None else self._begin_round(1)

    def _stop_here(self) -> ev.Event:
        """End what is under way: the user wants the test set opened now."""
        comparison = self._state.open_comparison
        return self._last_measurement() if comparison is None else self._verdict(comparison, "undecided", (STOPPED,))

    def _take_up(self) -> ev.Event:
        """Go on with a finished study that was extended: another round where there is one, else the sweep."""
        state, spec = self._state, self._spec
        if state.round < spec.loop.rounds and allowance.left(spec, state) >= allowance.LEAST_ROUND:
            return self._begin_round(state.round + 1)
        return ev.PhaseStarted(round=state.round, phase="sweep")

    def _begin_round(self, round_number: int) -> ev.Event:
        quota = allowance.search_quota(self._spec, self._state, round_number)
        return ev.PhaseStarted(round=round_number, phase="search", planned=quota)

    def _after_search(self) -> ev.Event | None:
        state = self._state
        if searching(self._spec, state) or any(
            t.trial.phase not in AFTER and t.round <= state.round for t in state.trials[state.horizon :]
        ):
            return None
        if state.challengers and state.challengers[-1].round == state.round:
            return ev.PhaseStarted(round=state.round, phase="gate")
        best = self._engine.recommend(
            self._memory.observed(state), frozenset(state.kept), pairs.excluded(self._spec, state)
        )
        plan = self._affordable(best.plan.without(*self._worthless(best.worth)), best.worth)
        return ev.ChallengerProposed(
            round=state.round,
            horizon=state.horizon,
            plan=plan.to_dict(),
            mean=best.mean,
            sd=best.sd,
            worth={n: float(w) for n, w in best.worth.items()},
            effects={
                n: {"gain": float(g), "sd": float(s), "weight": float(best.weights.get(n, 1.0))}
                for n, (g, s) in best.effects.items()
            },
            front=self._front(),
        )

    def _front(self) -> tuple[Mapping[str, Any], ...]:
        """The front so far, trade-offs as the user knows them, the objective oriented."""
        if not self._spec.search.objectives:
            return ()
        return tuple(
            {
                "trials": list(point.trials),
                "plan": point.plan.to_dict(),
                "objective": {"estimate": point.mean, "sd": point.sd, "observed": point.seen},
                "tradeoffs": {
                    name: {
                        "estimate": natural(value),
                        "observed": natural(point.seen_tradeoffs[name]) if name in point.seen_tradeoffs else None,
                    }
                    for name, value in point.tradeoffs.items()
                },
            }
            for point in self._engine.front(self._memory.observed(self._state))
        )

    def _worthless(self, worth: Mapping[str, float]) -> tuple[str, ...]:
        kept = frozenset(self._state.kept)
        return tuple(n for n, w in worth.items() if w <= 0 and n not in kept)

    def _affordable(self, plan: Plan, worth: Mapping[str, float]) -> Plan:
        """Leave out what the cost budget cannot pay, the least worth its price first."""
        limit = self._spec.budget.cost
        if limit is None:
            return plan
        price = {name: self._state.cost(name) for name in self._state.candidates}
        kept = frozenset(self._state.kept)
        new = [n for n in plan.mixture.added if n not in kept and price[n] > 0]
        for name in sorted(new, key=lambda n: (worth.get(n, 0.0) / price[n], n)):
            if sum(price[n] for n in plan.mixture.added) <= limit:
                break
            plan = plan.without(name)
        return plan

    def _in_gate(self) -> ev.Event | None:
        state = self._state
        if state.open_comparison is not None:
            return self._on_test(state.open_comparison)
        if moved := self._move():
            return moved
        challenger = state.challenger
        assert challenger is not None
        assert state.incumbent is not None
        if not self._tests_left():
            return self._after_gate()
        member = self._next_member(challenger)
        if member is not None and pairs.can_look(self._spec, state, challenger, challenger.without(member)):
            return self._open(member, "dataset", "removal", challenger, challenger.without(member), (member,))
        if (
            member is None
            and challenger != state.incumbent
            and not self._tested_whole(challenger)
            and pairs.can_look(self._spec, state, challenger, state.incumbent)
        ):
            kept = frozenset(state.kept)
            new = tuple(n for n in challenger.mixture.added if n not in kept)
            kind = "tuning" if kept == set(challenger.mixture.added) else "bundle"
            subject = kind if kind == "tuning" else "+".join(new) or "removal"
            return self._open(subject, kind, "whole", challenger, state.incumbent, new)
        return self._after_gate()

    def _next_member(self, challenger: Plan) -> str | None:
        """The member to be tested next, those worth least first; kept ones last, where the context changed."""
        state = self._state
        tested = {t.subject for t in state.comparisons if t.round == state.round and t.purpose == "removal"}
        worth, kept = state.challengers[-1].worth, frozenset(state.kept)
        order = sorted(challenger.mixture.added, key=lambda n: (worth.get(n, 0.0), n))
        new = [n for n in order if n not in kept]
        for name in new:
            if name not in tested:
                return name
        return next((n for n in order if new and n in kept and n not in tested), None)

    def _tested_whole(self, challenger: Plan) -> bool:
        mine = [t for t in self._state.comparisons if t.round == self._state.round and t.purpose == "whole"]
        return any(t.challenger == challenger for t in mine)

    def _after_gate(self) -> ev.Event:
        state, spec = self._state, self._spec
        moved = any(m.round == state.round for m in state.moves)
        settled = frozenset(state.candidates) <= {*state.kept, *pairs.excluded(spec, state)}
        enough = allowance.left(spec, state) >= allowance.LEAST_ROUND
        if state.round < spec.loop.rounds and enough and (moved or not settled):
            return self._begin_round(state.round + 1)
        return ev.PhaseStarted(round=state.round, phase="sweep")

    def _in_sweep(self) -> ev.Event | None:
        state = self._state
        if state.open_comparison is not None:
            return self._on_test(state.open_comparison)
        if (useless := sweep.removed(state)) is not None:
            return self._advance(useless, useless.incumbent)
        return self._next_addition() or self._end_of_wave() or self._next_removal() or self._last_measurement()

    def _next_addition(self) -> ev.Event | None:
        """Test the next candidate of the wave, all against the same incumbent."""
        state, spec = self._state, self._spec
        incumbent = state.incumbent
        assert incumbent is not None
        for name in sweep.waiting(spec, state) if self._tests_left() else ():
            challenger = pairs.with_dataset(spec, state, incumbent, name)
            if pairs.can_look(spec, state, challenger, incumbent):
                return self._open(name, "dataset", "addition", challenger, incumbent, (name,))
        return None

    def _end_of_wave(self) -> ev.Event | None:
        """Advance the best passer alone; the next wave tests the others against what it makes."""
        best = sweep.winner(self._spec, self._state)
        return None if best is None else self._advance(best, best.challenger)

    def _next_removal(self) -> ev.Event | None:
        """Test what was kept before others joined: the incumbent with it against the same without it."""
        state, incumbent = self._state, self._state.incumbent
        assert incumbent is not None
        for name in self._removable() if self._tests_left() else ():
            if pairs.can_look(self._spec, state, incumbent, incumbent.without(name)):
                return self._open(name, "dataset", "removal", incumbent, incumbent.without(name), (name,))
        return None

    def _removable(self) -> list[str]:
        """Kept datasets to be tested by removal: those the context left behind, then those believed worth nothing."""
        state = self._state
        stale = sweep.out_of_context(state)
        untested = [n for n in state.kept if n not in stale and credit.with_and_without(state, n) is None]
        draws = self._worths(untested) if untested else {}
        believed = {name: credit.interval(lost) for name, lost in draws.items()}
        return [*stale, *credit.doubtful(believed)]

    def _fair(self, end: Plan) -> dict[str, Any] | None:
        """The incumbent against the base alone at the best settings the search knows for it, by the posterior."""
        observed = self._memory.observed(self._state)
        tuned = self._engine.recommend(observed).tuned
        draws = None if tuned is None else self._engine.outlook(observed, [tuned, end])
        if tuned is None or draws is None:
            return None
        return {**credit.interval(draws[:, 1] - draws[:, 0]), "settings": tuned.settings, "how": "model"}

    def _worths(self, names: Sequence[str]) -> dict[str, Array]:
        """Draws of what the objective of the incumbent would lose without each of these datasets."""
        end = self._state.incumbent
        assert end is not None
        plans = [end, *(end.without(name) for name in names)]
        draws = self._engine.outlook(self._memory.observed(self._state), plans)
        return {} if draws is None else {n: draws[:, 0] - draws[:, 1 + i] for i, n in enumerate(names)}

    def _last_measurement(self) -> ev.Event:
        state = self._state
        return ev.PhaseStarted(round=state.round, phase="credit", planned=credit.seeds_paid(self._spec, state))

    def _in_credit(self) -> ev.Event | None:
        """Nothing waits for the further arms: the last measurement is trained beside them."""
        state = self._state
        if credit.needs(self._spec, state):
            return None
        return ev.PhaseStarted(round=state.round, phase="test", planned=pairs.final_seeds(self._spec, state))

    def _in_test(self) -> ev.Event | None:
        state = self._state
        if pairs.final_needs(self._spec, state):
            return None
        if any(t.trial.phase in AFTER for t in state.trials[state.horizon :]):
            return None
        if state.credited is None:
            return self._credit()
        if state.due and pairs.final_pairs(self._spec, state):
            return self._assessor.measure(state)
        return ev.StudyFinished(because=self._because())

    def _credit(self) -> ev.GainCredited:
        """Split the gain, weigh every kept dataset, and hold what the search promised against it."""
        state = self._state
        end, found = state.incumbent, credit.arms(state)
        assert end is not None
        observed = self._memory.observed(state)
        early = [o for o in observed if o.number < 0 or state.trials[o.number].trial.phase != "gate"]
        promised = self._engine.outlook(early, [end])
        account = None
        if found is not None:
            tables = credit.trained(self._spec, state)
            account = self._assessor.credit(state, tables) if tables else None
            if account is None and (draws := self._engine.outlook(observed, found.all)) is not None:
                account = credit.believed(draws)
            if account is not None:
                worths = credit.worth(state, self._worths(state.kept))
                account = {**account, "datasets": worths, "against_tuned_start": self._fair(end)}
        estimate = None if promised is None else {"mean": float(promised.mean()), "sd": float(promised.std())}
        return ev.GainCredited(horizon=state.horizon, credit=account, estimate=estimate)

    def _because(self) -> str:
        state, spec = self._state, self._spec
        if state.asked is not None:
            return "stopped"
        if state.limit is not None and state.limit.trainings < allowance.asked(spec):
            return state.limit.because
        if state.round >= spec.loop.rounds:
            return "rounds"
        return "findings" if allowance.left(spec, state) >= allowance.LEAST_ROUND else "budget.trainings"

    def _tests_left(self) -> bool:
        return ledger.comparisons_left(self._spec, self._state) > 0

    def _open(
        self, subject: str, kind: str, purpose: str, challenger: Plan, incumbent: Plan, members: tuple[str, ...]
    ) -> ev.ComparisonOpened:
        state = self._state
        return ev.ComparisonOpened(
            id=len(state.comparisons),
            round=state.round,
            horizon=state.horizon,
            subject=subject,
            subject_kind=kind,
            purpose=purpose,
            challenger=challenger.to_dict(),
            incumbent=incumbent.to_dict(),
            members=members,
            alpha=ledger.next_level(self._spec, state),
            share=ledger.next_share(self._spec, state),
        )

    def _on_test(self, comparison: ComparisonState) -> ev.Event | None:
        """Take the next look where its pairs are visible, end a test that is decided or cannot go on."""
        state = self._state
        if comparison.looks and comparison.looks[-1]["verdict"] is not None:
            last = comparison.looks[-1]
            return self._verdict(comparison, last["verdict"], tuple(last["reasons"]))
        needs = pairs.needs(self._spec, state, comparison)
        if needs and len(needs) > allowance.left(self._spec, state):
            return self._verdict(comparison, "undecided", (OUT_OF_BUDGET,))
        if needs:
            return None
        pair_seeds = pairs.look_seeds(self._spec, comparison)
        numbers = [
            state.trained.get((plan, seed))
            for seed in pair_seeds
            for plan in (comparison.challenger, comparison.incumbent)
        ]
        if any(n is None or n >= state.horizon for n in numbers):
            return None
        look = self._assessor.look(state, comparison, pair_seeds)
        return ev.LookTaken(comparison=comparison.id, horizon=state.horizon, look=look.to_dict(), seeds=pair_seeds)

    def _verdict(self, comparison: ComparisonState, verdict: str, reasons: tuple[str, ...]) -> ev.VerdictReached:
        state = self._state
        taken = sum(t.trial.phase == "gate" and t.origin == f"test {comparison.id}" for t in state.trials)
        return ev.VerdictReached(
            comparison=comparison.id,
            round=state.round,
            horizon=state.horizon,
            subject=comparison.subject,
            subject_kind=comparison.kind,
            verdict=verdict,
            reasons=reasons,
            trainings=taken,
        )

    def _move(self) -> ev.IncumbentMoved | None:
        """Advance the incumbent where the last test of a whole challenger says keep."""
        state = self._state
        if not state.comparisons:
            return None
        comparison = state.comparisons[-1]
        if (
            comparison.verdict != "keep"
            or comparison.purpose != "whole"
            or any(m.comparison == comparison.id for m in state.moves)
        ):
            return None
        return self._advance(comparison, comparison.challenger)

    def _advance(self, comparison: ComparisonState, plan: Plan) -> ev.IncumbentMoved:
        """The arm of a test becomes the incumbent."""
        state = self._state
        model = state.trained[plan, comparison.seeds[0]]
        return ev.IncumbentMoved(
            round=state.round,
            horizon=state.horizon,
            plan=plan.to_dict(),
            comparison=comparison.id,
            model=model,
            warm=state.trials[model].trial.warm_start,
        )
