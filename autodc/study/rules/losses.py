"""Outcomes that are lost: which ones a decision needs, and what comes of training them again.

The journalled scores of a trial stand, and so does every decision made by them; what is made again are its arrays, for
the decisions to come. The budget was charged when the trial was planned, and is not charged again.
"""

from __future__ import annotations

from collections.abc import Iterator

from autodc.errors import SurroundingsError
from autodc.plan.trial import Outcome
from autodc.study.journal import events as ev
from autodc.study.journal.records import TrialState
from autodc.study.journal.state import State
from autodc.study.ports import ArtefactLost, ArtefactStore

ROUNDING = 1e-6
"""Scores of a training that was made again may differ by so much without anyone being told."""


def lost_with(state: State, address: str, store: ArtefactStore) -> Iterator[int]:
    """Numbers of the trials whose arrays are lost like those of `address`, and that the decision at hand needs too.

    They are trained side by side. What it needs beside them is found lost later.
    """
    comparison = state.open_comparison
    plans = () if comparison is None else (comparison.challenger, comparison.incumbent)
    known = {outcome.arrays for n in state.lost if (outcome := state.trials[n].outcome) is not None}
    for one in state.trials:
        trial, outcome = one.trial, one.outcome
        if outcome is None or not outcome.arrays or outcome.arrays in known:
            continue
        needed = trial.phase in ("calibration", state.phase) or trial.plan in plans
        beside = needed and trial.phase != "search"
        if address in (outcome.arrays, outcome.outputs) or (beside and _is_lost(store, outcome.arrays)):
            known.add(outcome.arrays)
            yield trial.number


def restored(known: TrialState, outcome: Outcome) -> ev.OutcomeRestored | None:
    """What training a lost outcome again came to; None where the clock ended it, so that it is still to be made.

    Raises SurroundingsError ADC-DISK-013 where it failed.
    """
    if outcome.status == "cancelled":
        return None
    if outcome.status == "failed":
        raise SurroundingsError(
            "ADC-DISK-013",
            "what a training left is lost, and training it again failed",
            f"trial {known.trial.number}",
            outcome.error,
            "mend what made it fail, or restore the study's folder from a copy; the same command tries again",
        )
    before = known.outcome.slices if known.outcome is not None else {}
    gaps = [abs(outcome.slices[name] - value) for name, value in before.items() if name in outcome.slices]
    gap = max(gaps, default=0.0)
    return ev.OutcomeRestored(
        number=known.trial.number, arrays=outcome.arrays, difference=float(gap) if gap > ROUNDING else 0.0
    )


def _is_lost(store: ArtefactStore, address: str) -> bool:
    try:
        store.get(address)
    except ArtefactLost:
        return True
    return False
