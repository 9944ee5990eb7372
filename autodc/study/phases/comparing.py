"""Comparisons of the gate, whichever phase asks for one: opened, looked at, ended, and what moves the incumbent."""

from __future__ import annotations

from autodc.gate.reasons import OUT_OF_BUDGET
from autodc.plan.plan import Plan
from autodc.study.journal import events as ev
from autodc.study.journal.records import ComparisonState, Purpose
from autodc.study.phases.tools import Tools
from autodc.study.rules import allowance, ledger, pairs, planning
from autodc.study.view import View

STOPPED = "ADC-G091"
"""Reason of a comparison that ended because the user asked to open the test set."""


def is_planned(view: View) -> bool:
    """Whether the error budget has another comparison."""
    return ledger.comparisons_left(view) > 0


def begun(
    view: View,
    purpose: Purpose,
    challenger: Plan,
    incumbent: Plan,
    *,
    subject: str,
    kind: str = "dataset",
    members: tuple[str, ...] | None = None,
    spends: tuple[float, float] | None = None,
    pairs: int | None = None,
    all_rows: bool = False,
) -> ev.ComparisonOpened:
    """Open a comparison. members: the datasets in question; left out: the subject.

    spends: its level, and what of the error budget it takes; left out: those of the next comparison of the study.
    pairs: so many, looked at once; left out: the looks of the gate.
    """
    state = view.state
    alpha, share = (ledger.next_level(view), ledger.next_share(view)) if spends is None else spends
    return ev.ComparisonOpened(
        id=len(state.comparisons),
        round=state.round,
        horizon=view.horizon,
        subject=subject,
        subject_kind=kind,
        purpose=purpose,
        challenger=challenger.to_dict(),
        incumbent=incumbent.to_dict(),
        members=(subject,) if members is None else members,
        alpha=alpha,
        share=share,
        pairs=pairs,
        all_rows=all_rows,
    )


def next_step(view: View, tools: Tools, comparison: ComparisonState, apart: int = 0) -> ev.Event | None:
    """Take the next look where its pairs are visible, end a comparison that is decided or cannot go on.

    apart: trainings that it leaves to what follows it.
    """
    state = view.state
    if comparison.looks and comparison.looks[-1]["verdict"] is not None:
        last = comparison.looks[-1]
        return ended(view, comparison, last["verdict"], tuple(last["reasons"]))
    needs = pairs.needs(view, comparison)
    if needs:
        out = len(needs) + apart > allowance.left(view)
        return ended(view, comparison, "undecided", (OUT_OF_BUDGET,)) if out else None
    seeds = pairs.look_seeds(view, comparison)
    arms = (comparison.challenger, comparison.incumbent)
    if any(state.trained[plan, seed] >= view.horizon for seed in seeds for plan in arms):
        return None
    is_last = len(pairs.needs(view, comparison, beyond=1)) + apart > allowance.left(view)
    look = tools.assessor.look(view, comparison, seeds, is_last)
    return ev.LookTaken(comparison=comparison.id, horizon=view.horizon, look=look.to_dict(), seeds=seeds)


def next_training(view: View, as_incumbent: bool = False) -> ev.TrialPlanned | None:
    """What the comparison under way needs next; None where there is none, or all it needs is planned."""
    comparison = view.state.open_comparison
    needs = [] if comparison is None else pairs.needs(view, comparison)
    if comparison is None or not needs:
        return None
    return planning.training(view, needs[0], "gate", f"test {comparison.id}", as_incumbent=as_incumbent)


def ended(view: View, comparison: ComparisonState, verdict: str, reasons: tuple[str, ...]) -> ev.VerdictReached:
    """End a comparison."""
    state = view.state
    taken = sum(t.trial.phase == "gate" and t.origin == f"test {comparison.id}" for t in state.trials)
    return ev.VerdictReached(
        comparison=comparison.id,
        round=state.round,
        horizon=view.horizon,
        subject=comparison.subject,
        subject_kind=comparison.kind,
        verdict=verdict,
        reasons=reasons,
        trainings=taken,
    )


def stopped(view: View) -> ev.Event:
    """End what is under way: the user wants the test set opened now."""
    comparison = view.state.open_comparison
    return view.close() if comparison is None else ended(view, comparison, "undecided", (STOPPED,))


def advanced(view: View, comparison: ComparisonState, plan: Plan) -> ev.IncumbentMoved:
    """An arm of a comparison becomes the incumbent."""
    state = view.state
    model = state.trained[plan, comparison.seeds[0]]
    return ev.IncumbentMoved(
        round=state.round,
        horizon=view.horizon,
        plan=plan.to_dict(),
        comparison=comparison.id,
        model=model,
        warm=state.trials[model].trial.warm_start,
    )
