"""The sweep: candidates that no challenger decided, wave by wave; then what was kept in another context, by removal."""

from __future__ import annotations

from typing import final

from autodc.study.journal import events as ev
from autodc.study.phases import comparing, proposing
from autodc.study.phases.phase import Phase
from autodc.study.phases.tools import Tools
from autodc.study.rules import allowance, credit, last, ledger, pairs, planning, sweep
from autodc.study.view import View


@final
class Sweep(Phase):
    """The last verdicts. Its trainings are pairs of the gate's, planned in the gate's name."""

    name = "sweep"
    words = "testing what the search left out"

    def takes_up(self, view: View) -> bool:
        """Always: what an extension added is decided here where there is no round more."""
        return True

    def decide(self, view: View, tools: Tools) -> ev.Event | None:
        """Go on with the comparison under way; else additions, the end of their wave, removals.

        Evidence weighed together has its verdicts in the gate, but for what an extension added without a round more.
        """
        state = view.state
        together = proposing.weighs(view)
        if together and not state.extensions:
            return view.after(self)
        if state.open_comparison is not None:
            return comparing.next_step(view, tools, state.open_comparison)
        if together:
            return _next_addition(view) or _end_of_wave(view) or view.after(self)
        if (useless := sweep.removed(state)) is not None:
            return comparing.advanced(view, useless, useless.incumbent)
        return _next_addition(view) or _end_of_wave(view) or _next_removal(view, tools) or view.after(self)

    def want(self, view: View, tools: Tools) -> ev.TrialPlanned | None:
        """A pair for the comparison under way; while it waits, first pairs of others, then what is due anyway."""
        return comparing.next_training(view, as_incumbent=True) or _ahead(view) or last.ahead(view)


def _next_addition(view: View) -> ev.Event | None:
    """Compare with the next candidate of the wave, all against the same incumbent."""
    for name in sweep.waiting(view) if comparing.is_planned(view) else ():
        challenger = pairs.with_dataset(view, view.incumbent, name)
        if pairs.can_look(view, challenger, view.incumbent):
            return comparing.begun(view, "addition", challenger, view.incumbent, subject=name)
    return None


def _end_of_wave(view: View) -> ev.Event | None:
    """Advance the best passer alone; the next wave compares the others with what it makes."""
    best = sweep.winner(view)
    return None if best is None else comparing.advanced(view, best, best.challenger)


def _next_removal(view: View, tools: Tools) -> ev.Event | None:
    """Look again at what was kept before others joined: the incumbent with it against the same without it."""
    for name in _removable(view, tools) if comparing.is_planned(view) else ():
        without = view.incumbent.without(name)
        if pairs.can_look(view, view.incumbent, without):
            return comparing.begun(view, "removal", view.incumbent, without, subject=name)
    return None


def _removable(view: View, tools: Tools) -> list[str]:
    """Kept datasets to be compared by removal: those the context left behind, then those believed worth nothing."""
    state = view.state
    stale = sweep.out_of_context(state)
    untested = [n for n in state.kept if n not in stale and credit.with_and_without(state, n) is None]
    draws = tools.worths(view, untested) if untested else {}
    believed = {name: credit.interval(lost) for name, lost in draws.items()}
    return [*stale, *credit.doubtful(believed)]


def _ahead(view: View) -> ev.TrialPlanned | None:
    """Train the first look of the next candidates of the wave while this one waits: all meet the same incumbent."""
    spec, state = view.spec, view.state
    if state.open_comparison is None or allowance.left(view) < 1 + 2 * len(spec.gate.looks):
        return None
    for name in sweep.waiting(view)[: min(spec.search.lag, ledger.comparisons_left(view))]:
        plan = pairs.with_dataset(view, view.incumbent, name)
        for seed in pairs.first_seeds(view):
            for arm in (plan, view.incumbent):
                if (arm, seed) not in state.trained:
                    return planning.training(view, (arm, seed), "gate", "ahead", as_incumbent=True)
    return None
