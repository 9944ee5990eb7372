"""Kinds of plan that always fail: noticed, told, and, where it is a dataset, no longer proposed.

A pure function of the visible outcomes. A dataset is out when every training with it failed and chance does not explain
it: the share of failures among trainings without it, to the power of those with it, is small. Where no training with
any candidate came to an end, one culprit in every mixture cannot be told from all of them: then each is trained alone
once (a hearing), and meanwhile none is proposed. An extension of the study begins anew.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import final

from autodc.study.journal.records import TrialState
from autodc.study.journal.state import State
from autodc.study.view import View

ALWAYS_FAILS = "ADC-G070"
"""Reason of a dataset that was not tested because every training with it failed."""

FEWEST = 4
"""So many trainings must have failed; twice as many, where none with any candidate came to an end."""

CHANCE = 0.005
"""It is told where so many failures in a row had at most this probability."""

HEARING = "hearing"
"""Origin of a trial that trains the base with one candidate alone, because no mixture with any came to an end."""

HEARINGS = 8
"""When so many hearings failed, the others need none."""


@final
@dataclass(frozen=True, slots=True)
class Failing:
    """Every visible training of a kind failed."""

    kind: str
    """A dataset, or `key = value` of a setting."""
    trainings: int
    error: str
    """Of the last."""

    def to_dict(self) -> dict[str, object]:
        """JSON form."""
        return {"code": ALWAYS_FAILS, "trainings": self.trainings, "error": self.error}


def datasets(view: View) -> dict[str, Failing]:
    """Candidates that are not proposed because no training survives them, by name, the surest first."""
    failed = _failed(view)
    mine: dict[str, list[TrialState]] = defaultdict(list)
    for one in failed:
        for name in _added(one):
            mine[name].append(one)
    works = {name for name, first in view.state.works.items() if first < view.horizon}
    suspects = sorted((n for n in mine if n not in works), key=lambda n: (-len(mine[n]), n))
    if not suspects:
        return {}
    if not works and _in_question(view, failed):
        return {name: _told(name, mine[name]) for name in suspects}
    alone = {next(iter(_added(one))) for one in failed if len(_added(one)) == 1}
    found = {n: _told(n, mine[n]) for n in suspects if n in alone and len(mine[n]) >= FEWEST}
    for name in suspects:
        rest = [one for one in failed if not found.keys() & _added(one)]
        with_it = [one for one in rest if name in _added(one)]
        explained = len(failed) - len(rest)
        others = len(rest) - len(with_it), view.horizon - explained - len(with_it)
        if name not in found and _sure(len(with_it), *others, FEWEST):
            found[name] = _told(name, mine[name])
    return found


def hearing(view: View) -> str | None:
    """The candidate to be trained alone next, where no training with any candidate came to an end; else None."""
    state, failed = view.state, _failed(view)
    if any(first < view.horizon for first in state.works.values()) or not _in_question(view, failed):
        return None
    heard = [t for t in state.trials[_first(state) :] if t.origin == HEARING or len(_added(t)) == 1]
    known = {name for one in heard for name in _added(one)}
    if len(known) >= HEARINGS:
        return None
    seen = Counter(name for one in failed for name in _added(one))
    return next((n for n, _ in sorted(seen.items(), key=lambda s: (-s[1], s[0])) if n not in known), None)


def settings(view: View) -> list[Failing]:
    """Recipes and choices of hyperparameters that no training survives: told, not taken out."""
    failed = _failed(view)
    if not failed:
        return []
    names = [n for n, p in view.spec.search_space.items() if p.type == "categorical"]
    out = datasets(view).keys()
    mine: dict[tuple[str, str], list[TrialState]] = defaultdict(list)
    for one in failed:
        if not out & _added(one):
            for key in _choices(one, names):
                mine[key].append(one)
    suspects = {key: runs for key, runs in mine.items() if len(runs) >= FEWEST}
    if not suspects:
        return []
    works = {
        k for t in view.visible if t.outcome is not None and t.outcome.status == "done" for k in _choices(t, names)
    }
    found = []
    for key, runs in suspects.items():
        others = len(failed) - len(runs)
        if key not in works and _sure(len(runs), others, view.horizon - len(runs), FEWEST):
            found.append(_told(" = ".join(key), runs))
    return found


def out(view: View) -> frozenset[str]:
    """Names of the candidates that are not proposed."""
    return frozenset(datasets(view))


def _first(state: State) -> int:
    return state.extensions[-1].trials if state.extensions else 0


def _failed(view: View) -> list[TrialState]:
    """Trainings that were seen to fail, since the last extension."""
    state = view.state
    mine = (state.trials[n] for n in sorted(state.failures) if _first(state) <= n < view.horizon)
    return [one for one in mine if one.trial.forks is None]


def _in_question(view: View, failed: Sequence[TrialState]) -> bool:
    """Whether every training with a candidate failed, whichever it was, and those of the base alone did not."""
    with_any = sum(bool(_added(t)) for t in failed)
    if with_any < 2 * FEWEST:
        return False
    bare = sum(not _added(t) for t in view.visible)
    return _sure(with_any, len(failed) - with_any, bare, 2 * FEWEST)


def _sure(mine: int, others_failed: int, others: int, fewest: int) -> bool:
    """Whether so many failures are more than the failures of the others would lead one to expect."""
    share = (others_failed + 0.5) / (max(others, others_failed) + 1)
    return mine >= fewest and bool(share**mine <= CHANCE)


def _told(kind: str, runs: Sequence[TrialState]) -> Failing:
    last = runs[-1].outcome
    return Failing(kind=kind, trainings=len(runs), error="" if last is None else (last.error.splitlines() or [""])[0])


def _choices(one: TrialState, names: Collection[str]) -> list[tuple[str, str]]:
    plan = one.trial.plan
    return [("recipe", plan.recipe), *((n, repr(v)) for n, v in plan.hyperparameters if n in names)]


def _added(one: TrialState) -> set[str]:
    return set(one.trial.plan.mixture.added)
