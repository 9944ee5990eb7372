"""What is hoped for: findings that data are made for, more of what was kept, and what became of earlier proposals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from autodc.diagnose.finding import Finding, Gap
from autodc.diagnose.view import View as Rows
from autodc.propose import generate, pool
from autodc.propose.actions import SUSPECTED
from autodc.propose.pool_failing import failing, rest
from autodc.propose.pool_missing import Lack, missing
from autodc.propose.proposal import FAILING, MISSING, REST, UNNAMED, Proposal
from autodc.study.journal import events as ev
from autodc.study.journal.state import State
from autodc.study.rules import allowance, served
from autodc.study.view import View

Array = np.ndarray[Any, Any]

CONFIRMED = "confirmed"
CURED = 0.6
"""Rows for a finding are hoped to take so much of the error that it costs; for a suspected one SUSPECTED of that."""
LIKELY = 0.5
"""A suspected finding counts where its error on rows that it was not found on is higher than that of others by this
part of it."""
SUSPECTS = 2
"""Suspected findings that rows are made for in a round, at most: each takes a share of the search's trainings."""
MORE = 0.25
"""As many rows again are hoped to bring this share of what the first brought: e0·(1 + n/s)^-b of usual trainings."""
WIDELY = 5
"""Studies that were begun by these rules look at the pool beyond their findings."""
LACKS = 7
"""Studies that were begun by these rules ask for what validation has and the rows that are trained on lack."""
ROUNDS_LEFT = 1.5
"""Where so many rounds as those before cannot be paid, the one under way is the last."""
TURN = "."
"""Between the name of a dataset and how often rows like it were asked for."""


def as_finding(event: ev.FindingMade) -> Finding:
    """A finding of the journal as proposers are told it."""
    return Finding(
        id=event.id,
        kind="cluster" if event.basis == "cluster" else "attributes",
        rule=event.rule,
        status="confirmed" if event.status == CONFIRMED else "suspected",
        found=event.found,
        confirmed=event.confirmed,
        error=Gap(**event.error),
        by=event.by,
        ids=event.ids,
        round=event.round,
        told=event.told,
    )


def every(state: State) -> list[Proposal]:
    """All that was ever to be made."""
    return [Proposal.of(one) for one in state.to_make]


def to_cure(view: View) -> list[ev.FindingMade]:
    """The findings of the incumbent that data are made for: those that are confirmed, and a few that are suspected."""
    known = view.state.diagnosed(view.incumbent)
    made = [] if known is None else [view.state.findings[name] for name in known.ids]
    sure = [one for one in made if one.status == CONFIRMED]
    doubtful = [one for one in made if one.status != CONFIRMED and _is_likely(one)]
    if view.state.question.rules >= WIDELY:  # another suspect has its turn before one that was tried is tried again
        asked = served.asked_of_pool(view.state)
        again = {name for name, datasets in asked.items() if served.is_again(view.state, datasets)}
        tried = {one.finding for one in every(view.state)} - again
        doubtful.sort(key=lambda one: one.id in tried)
    return [*sure, *doubtful[:SUSPECTS]]


def _is_likely(one: ev.FindingMade) -> bool:
    """Whether a suspected finding may be more than luck: rows that it was not found on fail more than others do."""
    outside, difference = one.error.get("outside"), one.error.get("difference")
    return outside is None or difference is None or float(difference) >= LIKELY * float(outside)


def facts_of(name: str, state: State) -> Mapping[str, Any]:
    """What a maker tells of a dataset that it made; nothing of others."""
    found: Mapping[str, Any] = state.card(name).get("made", {}).get("facts", {})
    return found


def past(one: Proposal, state: State) -> generate.Past | None:
    """What became of an earlier proposal of a generator; None of what is no such, or was not made."""
    if one.by != generate.BY or one.name not in state.roster or one.finding is None:
        return None
    return generate.Past(
        generator=str(one.arguments["name"]),
        finding=one.finding,
        rule=str(one.arguments.get("rule", "")),
        parameters=facts_of(one.name, state).get("parameters", {}),
        verdict=state.verdict(one.name),
        rows=int(state.card(one.name)["rows"]),
    )


def declared_by(state: State) -> dict[str, Mapping[str, Any]]:
    """Generator → the parameters it declares, as the last rows tell that it made."""
    told = [(str(one.arguments["name"]), facts_of(one.name, state)) for one in every(state) if one.by == generate.BY]
    return {name: facts["declared"] for name, facts in told if "declared" in facts}


def slow_generators(state: State) -> dict[str, str]:
    """Generator → the proposal of it that was not made in its time: another may take as long, and for nothing."""
    asked = {one.name: str(one.arguments["name"]) for one in every(state) if one.by == generate.BY}
    late = (one for one in state.unmade.values() if any(each["code"] == generate.TOO_LONG for each in one.problems))
    return {asked[one.name]: one.name for one in late if one.name in asked}


def for_findings(view: View, rows: Rows) -> list[pool.Wish]:
    """What is hoped for of rows for each finding of the incumbent, for which the pool gave none yet."""
    asked = served.asked_of_pool(view.state)
    return [
        pool.Wish(
            name=f"pool-{one.id}{TURN}{len(before) + 1}" if before else f"pool-{one.id}",
            why=f"{one.id}, {one.status}{', after rows of which too few could be labelled' if before else ''}",
            expected=hope(one, float(np.mean(rows.error))),
            finding=one.id,
            code=one.code,
            rule=one.rule,
            ids=np.asarray(one.ids, dtype=np.int64),
            told=one.told,
        )
        for one in to_cure(view)
        if not (before := asked.get(one.id, ())) or served.is_again(view.state, before)
    ]


def widely(view: View, rows: Rows, seen: pool.PoolView, base: int) -> list[pool.Wish]:
    """Rows that no finding names: like what fails, as long as they are kept; in the last round all that is left.

    All that is left is asked for where rows of the pool are free: what has its price is bought for a reason.
    """
    state, spec, error = view.state, view.spec, float(np.mean(rows.error))
    if state.question.rules < WIDELY:
        return []
    asked = _asked(state, FAILING, REST)
    wishes = list[pool.Wish]()
    if all(one.name in state.kept for one in asked):
        named = [np.asarray(one.ids, dtype=np.int64) for one in to_cure(view) if one.status == CONFIRMED]
        one = failing(seen, error, np.concatenate([np.zeros(0, np.int64), *named]), len(asked), spec.seed)
        wishes.append(replace(one, expected=CURED * SUSPECTED * one.expected))
    free = spec.data.pool is not None and not spec.data.pool.cost_per_row
    if free and _is_last(view) and not any(REST in one.tags for one in asked):
        one = rest(seen, error, base)
        wishes.append(replace(one, expected=SUSPECTED * one.expected))
    return wishes


def is_lack_asked(state: State) -> bool:
    """Whether rows that are missing are asked for: as long as all that were before are kept."""
    return state.question.rules >= LACKS and all(one.name in state.kept for one in _asked(state, MISSING))


def for_lack(view: View, rows: Rows, found: Lack, base: int) -> list[pool.Wish]:
    """Rows that validation has and what is trained on lacks; nothing where that may be luck. base: rows of it."""
    state = view.state
    if found.low <= 0:
        return []
    trained, times = base + len(taken_of_pool(state)), len(_asked(state, MISSING))
    one = missing(found, rows.ids, float(np.mean(rows.error[found.told])), trained, base, times)
    return [replace(one, expected=CURED * SUSPECTED * one.expected)]


def taken_of_pool(state: State) -> Array:
    """Positions of the rows of the pool that the incumbent is trained on, rising."""
    found = [
        np.asarray(one.arguments["rows"], dtype=np.int64)
        for one in every(state)
        if one.name in state.kept and one.by == pool.POOL
    ]
    return np.unique(np.concatenate([np.zeros(0, np.int64), *found]))


def _asked(state: State, *tags: str) -> list[Proposal]:
    """What was ever asked for with one of these tags."""
    return [one for one in every(state) if set(tags) & set(one.tags)]


def _is_last(view: View) -> bool:
    """Whether nothing more will be chosen of the pool: no round follows, or what is left does not pay two."""
    state, spec = view.state, view.spec
    if state.round >= spec.loop.rounds:
        return True
    begun = state.spent - allowance.calibration_planned(state)
    return state.round > 1 and allowance.left(view) < ROUNDS_LEFT * begun / (state.round - 1)


def hope(one: ev.FindingMade, error: float) -> float:
    """The gain that rows for a finding may bring: a share of the error that it costs, less where it is suspected."""
    cost = float(one.told.get("cost", 0.0)) * error
    return CURED * cost * (1.0 if one.status == CONFIRMED else SUSPECTED)


def more_of_kept(view: View) -> list[pool.Wish]:
    """More rows of the pool like those of a dataset that was kept, where that was the last of its kind."""
    state, found = view.state, list[pool.Wish]()
    asked = [one for one in every(state) if one.by == pool.POOL]
    for one in asked:
        kind, _, turn = one.name.partition(TURN)
        again = f"{kind}{TURN}{int(turn or 1) + 1}"
        decided = state.decided(one.name)
        if one.name not in state.kept or again in {other.name for other in asked} or decided is None:
            continue
        if UNNAMED & set(one.tags):
            continue
        gained = decided.typed_looks[-1].objective.difference if decided.looks else 0.0
        chance = state.by_chance.get(one.name)
        if chance is not None and chance.says == "more":  # what rows by chance bring as well is asked for as such
            gained = min(gained, chance.difference)
        made = None if one.finding is None else state.findings.get(one.finding)
        found.append(
            pool.Wish(
                name=again,
                why=f"more like {one.name}, which was kept",
                expected=MORE * max(0.0, float(gained)),
                finding=None if made is None else made.id,
                code="" if made is None else made.code,
                rule="" if made is None else made.rule,
                ids=np.asarray(() if made is None else made.ids, dtype=np.int64),
                told={} if made is None else made.told,
                more_of=one.name,
            )
        )
    return found
