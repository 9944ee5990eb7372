"""What of the hopes of a study came true, by the comparisons of its gate: later hopes are corrected by it."""

from __future__ import annotations

from collections.abc import Mapping

from autodc.propose.actions import MADE, Action
from autodc.propose.chance import TIMES
from autodc.propose.gain_calibration import Outcome, Truth, came_true
from autodc.study.journal.records import ComparisonState
from autodc.study.journal.state import State
from autodc.study.rules.actions import of_round
from autodc.study.view import View

CORRECTS = 5
"""Studies that were begun by these rules (StudyStarted.rules) correct what they hope by what came true."""


def truths(view: View) -> dict[str, Truth]:
    """Kind of action → what came true of what was hoped of it so far; nothing in studies of before."""
    return came_true(outcomes(view.state)) if view.state.question.rules >= CORRECTS else {}


def outcomes(state: State) -> list[Outcome]:
    """What every dataset brought that was made in the hope of a gain, each measured once.

    Whatever the verdict: what was kept alone would be what luck was on the side of. A dataset alone is measured by the
    first comparison of it alone; else by the narrowest of those whose members' hopes are all known.
    """
    made, hoped = _made(state), _hoped(state)
    ended = [t for t in state.comparisons if t.verdict is not None and t.looks and _is_of_members(t)]
    found = []
    for name, one in made.items():
        mine = [t for t in ended if name in t.members and all(other in hoped for other in t.members)]
        mine = [t for t in mine if t.typed_looks[-1].objective.standard_error is not None]
        if name not in state.roster or not mine:
            continue
        narrowest = min(mine, key=lambda t: (len(t.members), t.id))
        found.append(_outcome(one, narrowest, hoped))
    return found


def _outcome(one: Action, comparison: ComparisonState, hoped: Mapping[str, float]) -> Outcome:
    seen, together = comparison.typed_looks[-1].objective, sum(hoped[name] for name in comparison.members)
    assert seen.standard_error is not None
    return Outcome(
        kind=one.kind,
        name=one.name,
        hoped=together,
        gained=comparison.sign * seen.difference,
        error=seen.standard_error,
        part=hoped[one.name] / together,
    )


def _made(state: State) -> dict[str, Action]:
    """What was made in the hope of a gain: name → what was weighed."""
    rounds = (of_round(state, number) for number in sorted(state.proposed))
    every = (one for found in rounds if found is not None for one in found.actions)
    return {one.name: one for one in every if one.kind in MADE and one.fate == "taken" and (one.hoped or 0.0) > 0}


def _hoped(state: State) -> dict[str, float]:
    """What was hoped of datasets; of a control what makes its rows as good as no choice at all (`chance.TIMES`)."""
    found = {name: one.hoped or 0.0 for name, one in _made(state).items()}
    for told in state.to_make:
        beside = [found[name] for name in told.get("control_of", ()) if name in found]
        if beside and told["name"] not in found:
            found[told["name"]] = max(beside) / TIMES
    return found


def _is_of_members(comparison: ComparisonState) -> bool:
    """Whether the arms differ by the members alone, at weights and settings that are the same."""
    longer, shorter = comparison.challenger, comparison.incumbent
    if len(longer.mixture.added) < len(shorter.mixture.added):
        longer, shorter = shorter, longer
    return longer.without(*comparison.members) == shorter
