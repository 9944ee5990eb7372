"""What the search remembers: the visible trainings of the study, and before them what was borrowed from another."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from typing import final, get_args

from autodc.plan.plan import Plan
from autodc.plan.trial import Outcome
from autodc.search.engine import Observation, oriented
from autodc.study.journal import events as ev
from autodc.study.journal.records import TrialState
from autodc.study.rules import pairs
from autodc.study.view import View
from autodc.studyfile.study import Tradeoff

_TRADEOFFS: tuple[Tradeoff, ...] = get_args(Tradeoff)

TUNING = "tuning"
"""The phase that tunes the end."""


@final
class Memory:
    """What the search may know: every revealed training up to the last verdict, in order of number.

    Before them comes what was borrowed from another study.
    """

    def __init__(self) -> None:
        self._seen: list[Observation] = []
        self._read = 0

    def observed(self, view: View) -> list[Observation]:
        """All that is visible now, but what tunes the end; the list only grows.

        Those are many of one mixture, beside which what differs between mixtures would seem a rare accident.
        """
        if not self._seen:
            self._seen += borrowed(view.state.borrowed)
        self._seen += seen(view, view.state.trials[self._read : view.horizon])
        self._read = max(self._read, view.horizon)
        return self._seen

    def with_tuning(self, view: View) -> list[Observation]:
        """The same, and then what tunes the end."""
        mine = [one for one in view.visible if one.trial.phase == TUNING]
        return [*self.observed(view), *seen(view, mine, tuning=True)]


@final
class UnderWay:
    """The plans that are planned and not revealed, but those after the last verdict: on a cluster thousands of them."""

    def __init__(self) -> None:
        self._numbers: list[int] = []
        self._plans: list[Plan] = []
        self._read = 0

    def plans(self, view: View) -> Sequence[Plan]:
        """Them, in order of number. Each is looked at once."""
        for one in view.state.trials[max(self._read, view.horizon) :]:
            if not view.closes(one.trial.phase):
                self._numbers.append(one.trial.number)
                self._plans.append(one.trial.plan)
        self._read = len(view.state.trials)
        revealed = bisect_left(self._numbers, view.horizon)
        del self._numbers[:revealed], self._plans[:revealed]
        return self._plans


def seen(view: View, trials: Sequence[TrialState], *, tuning: bool = False) -> list[Observation]:
    """What the search is told of these trainings: of those that tune the end, or of all others."""
    found, soft = list[Observation](), view.state.question.rules >= 1
    for one in trials:
        trial = one.trial
        if (trial.phase == TUNING) != tuning or (outcome := told(view, one)) is None:
            continue
        found.append(
            Observation(
                number=trial.number,
                plan=trial.plan,
                seed=trial.seed,
                values=outcome.searched,
                soft=outcome.searched_soft if soft else {},
                fidelity=trial.fidelity,
                tradeoffs=tradeoffs(outcome, trial.fidelity),
            )
        )
    return found


def on_every_row(view: View, observed: Sequence[Observation]) -> list[Observation]:
    """The same trainings with their values on explore and gate rows together, weighed by the numbers of rows.

    For what comes after the last verdict. What was borrowed stays as it is.
    """
    cards, found = view.state.question.slices, []
    for one in observed:
        outcome = view.state.trials[one.number].outcome if one.number >= 0 else None
        if outcome is None or not outcome.explore:
            found.append(one)
            continue
        values = {}
        for name, value in outcome.slices.items():
            gate, every = int(cards[name]["rows"]), int(cards[name].get("all_rows") or cards[name]["rows"])
            explored = outcome.explore.get(name, value)
            values[name] = (gate * value + (every - gate) * explored) / every
        found.append(replace(one, values=values))
    return found


def told(view: View, one: TrialState) -> Outcome | None:
    """The outcome of a training that a search may learn from.

    None of a probe, after the last verdict, and where it may be run again: it does not yet say what its plan is worth.
    """
    outcome = one.outcome
    if (
        one.trial.forks is not None
        or outcome is None
        or outcome.status == "cancelled"
        or pairs.may_run_again(one)
        or view.closes(one.trial.phase)
    ):
        return None
    return outcome


def borrowed(event: ev.WarmStarted | None) -> list[Observation]:
    """What the search is told, numbered below 0: no trial of this study has such a number."""
    if event is None:
        return []
    first = -len(event.observations)
    return [
        Observation(
            number=first + i,
            plan=Plan.from_dict(seen["plan"]),
            seed=seen["seed"],
            values=seen["values"],
            soft=seen.get("soft", {}),
            fidelity=seen["fidelity"],
            tradeoffs=seen["tradeoffs"],
        )
        for i, seen in enumerate(event.observations)
    ]


def tradeoffs(outcome: Outcome, fidelity: float) -> dict[str, float]:
    """The trade-offs that were measured, as the search knows them; the time of a full training from a cheap one."""
    found: dict[str, float] = {}
    if outcome.status != "done":
        return found
    for name in _TRADEOFFS:
        cost = float(getattr(outcome, name))
        value = oriented(cost / fidelity if name == "train_seconds" else cost)
        if value is not None:
            found[name] = value
    return found
