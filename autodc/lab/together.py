"""A night that weighs evidence together: search, rounds of questions, verdicts by the judge of the product.

The questions are those of gate/together.py, the answers come from trainings whose truth is known (lab/world.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from autodc import seeds
from autodc.evaluation import objective
from autodc.evaluation.evidence import SliceEvidence, counting_rows
from autodc.gate.answers import answered
from autodc.gate.combine import with_belief
from autodc.gate.judge import judge
from autodc.gate.levels import level_of, level_of_whole, share_of
from autodc.gate.noise import Pools
from autodc.gate.together import PAIRS, Answer, Arm, Proposal, Question, Settled, replay
from autodc.gate.types import Leaks, Look
from autodc.lab.searched import Search
from autodc.lab.slices import KnownSlice
from autodc.lab.world import Planted, Point, Side, World
from autodc.studyfile.study import GateSpec

Array = np.ndarray[Any, Any]
Scores = Mapping[str, Array]

WHOLES = ("everything", "together")
ALONE = ("removal", "addition")
NOBODY = Leaks(datasets=(), looked=())
"""Simulated rows leak nothing."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What bounds a night beside the gate's own levels."""

    gate: GateSpec
    rounds: int
    planned: int
    """N of the levels of members."""
    search: tuple[int, ...]
    """Trainings of the search, round by round."""
    allowed: float
    """Trainings that the gate may spend in a round."""
    matters: float
    """Losses below this are none."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One dataset at the end of a night."""

    name: str
    kind: str
    kept: bool
    alone: bool = False
    """By a decision of its own."""
    left: bool = False
    """Shown to be harmful, or to be missed by nobody."""

    @property
    def is_open(self) -> bool:
        """Nothing was shown."""
        return not self.kept and not self.left


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """How one night ended beside the truth. Gains are of the objective, in metric units."""

    members: tuple[Member, ...]
    tuned: bool
    """Settings alone are kept."""
    gain: float
    """Of the end over the start."""
    everything: float
    """Of everything at its tuned settings over the start."""
    base: float
    """Of the tuned base over the start."""
    seen: float | None
    """The gain of the last whole that was shown, as it was measured; None where none was."""
    true: float | None
    """The same in truth."""
    trainings: int
    """Of the gate."""

    @property
    def kept(self) -> tuple[Member, ...]:
        """What was kept."""
        return tuple(m for m in self.members if m.kept)


def simulate_night(world: World, terms: Terms, seed: int) -> Night:
    """Live through one night: calibrate, then round after round search, ask, and advance to what was shown."""
    return _Played(world, terms, seed).night()


@final
class _Played:
    """One night under way."""

    def __init__(self, world: World, terms: Terms, seed: int) -> None:
        self._world, self._terms, self._seed = world, terms, seed
        self._search = Search(world, terms.gate.min_rows)
        self._names = [one.name for one in world.sets]
        self._start = Point(strengths=np.zeros((1, len(world.sets))), settings=np.zeros((1, len(world.settings))))
        self._incumbent, self._kept = self._start, ()
        count = terms.gate.calibration
        runs = self._trained(self._start, "calibration", count)
        self._calibration = runs
        self._pools = {side: self._calibrated(side, runs) for side in ("gate", "all")}
        self._known = {_key(self._start)}
        self._keeps = self._taken = self._trainings = 0
        self._cache: dict[tuple[bytes, int], Scores] = {}
        self._status: dict[str, str] = {}
        self._shown: tuple[float, float] | None = None
        self._settled: dict[str, Point] = {}

    def night(self) -> Night:
        """Play the rounds."""
        for number, trainings in enumerate(self._terms.search, 1):
            if trainings:
                self._search.train(seeds.generator(self._seed, "search", number), trainings)
            self._round(number)
        truth = self._truth(Point.stacked([self._incumbent, self._plans_of_all(), self._settled["tuned"]]))
        members = tuple(self._member(one) for one in self._world.sets)
        return Night(
            members=members,
            tuned=not self._kept and _key(self._incumbent) != _key(self._start),
            gain=float(truth[0]),
            everything=float(truth[1]),
            base=float(truth[2]),
            seen=None if self._shown is None else self._shown[0],
            true=None if self._shown is None else self._shown[1],
            trainings=self._trainings,
        )

    def _round(self, number: int) -> None:
        proposal, plans = self._proposed(number)
        self._cache, self._spent = {}, 0
        answers: list[Answer] = []
        asked: list[Question] = []
        while not isinstance(found := replay(proposal, answers), Settled):
            asked.append(found)
            answers.append(self._asked(number, proposal, plans, found))
        if found.end is not None and found.by is not None:
            self._incumbent = self._plan(plans, found.end)
            self._kept = tuple(n for n in self._names if n in found.end.members)

    def _plans_of_all(self) -> Point:
        return self._settled["everything"]

    def _proposed(self, number: int) -> tuple[Proposal, dict[str, Point]]:
        ones = np.ones(len(self._names))
        tuned, full, best = self._search.settled(0 * ones), self._search.settled(ones), self._search.best()
        self._settled = {"tuned": tuned, "everything": full}
        free = tuple(n for n in self._names if n not in self._kept)
        recommended = tuple(n for n, s in zip(self._names, best.strengths[0], strict=True) if s > 0 and n in free)
        proposal = Proposal(
            everything=free,
            recommended=recommended,
            beliefs=self._search.beliefs(free, full),
            margins={s.name: s.margin for s in self._gate_slices() if s.margin is not None},
            matters=self._terms.matters,
            kept=self._kept,
            untouched=number == 1,
            tunes=bool(self._world.settings),
        )
        plans = {"incumbent": self._incumbent, "tuned": tuned, "everything": full, "recommended": best}
        return proposal, plans

    def _gate_slices(self) -> list[KnownSlice]:
        slices, least = self._world.on("gate"), self._terms.gate.min_rows
        return [s for s in slices if counting_rows(len(s.base), s.clusters) >= least]

    def _plan(self, plans: dict[str, Point], arm: Arm) -> Point:
        strengths = np.array([1.0 if n in arm.members else 0.0 for n in self._names])
        strengths *= np.array([math.sqrt(0.5) if n in arm.halved else 1.0 for n in self._names])
        if arm.plan == "weighted":
            return self._search.settled(strengths)
        return Point(strengths=strengths[None], settings=plans[arm.plan].settings)

    def _asked(self, number: int, p: Proposal, plans: dict[str, Point], question: Question) -> Answer:
        """Open a comparison, look until it is decided, and say what it showed; unpaid where it cannot be asked."""
        terms, q = self._terms, self._terms.gate.fdr
        challenger, incumbent = self._plan(plans, question.challenger), self._plan(plans, question.incumbent)
        looks = (PAIRS,) if question.level == "none" else terms.gate.looks
        member = question.level == "member"
        short = self._missing(challenger, incumbent, looks[0]) > terms.allowed - self._spent
        if _key(challenger) == _key(incumbent) or short or (member and self._taken >= terms.planned):
            return Answer(paid=False)
        alpha = level_of_whole(q, terms.rounds, first=question.level != "rest")
        if member:
            alpha = level_of(q, share_of(q, terms.planned), self._keeps)
            self._taken += 1
        look = self._looked(number, question, challenger, incumbent, looks, alpha)
        side: Side = "all" if question.all_rows else "gate"
        if look.pairs >= 2:
            self._pools = {name: pools.updated(look) for name, pools in self._pools.items()}
            self._known |= {_key(challenger), _key(incumbent)}
        verdict, combined = look.verdict, None
        if question.level == "none":
            verdict, combined = None, self._combined(look, challenger, incumbent)
        answer = answered(look, verdict, look.reasons, combined)
        if question.level == "none":
            answer = replace(answer, harmed=False)
        self._keeps += answer.keep and member
        self._told(p, question, answer, challenger, incumbent, side)
        return answer

    def _told(
        self, p: Proposal, question: Question, answer: Answer, challenger: Point, incumbent: Point, side: Side
    ) -> None:
        """Remember what was shown of whom."""
        if question.purpose in WHOLES and answer.keep:
            truth = self._truth(Point.stacked([challenger, incumbent]))
            self._shown = answer.mean, float(truth[0] - truth[1])
        if question.purpose in ALONE and answer.keep:
            self._status |= dict.fromkeys(question.members, "alone")
        elif (question.purpose in ALONE and answer.harmed) or (
            question.purpose in ("harm", "pruning") and answer.low >= -p.matters
        ):
            self._status |= dict.fromkeys(question.members, "left")

    def _looked(
        self, number: int, question: Question, challenger: Point, incumbent: Point, looks: tuple[int, ...], alpha: float
    ) -> Look:
        """Look until it is decided or no trainings are left for the next look."""
        side: Side = "all" if question.all_rows else "gate"
        anchored = question.purpose != "removal" and _key(incumbent) != _key(self._start)
        declared = {s.name for s in self._world.slices if s.role == "target"}
        whole = question.purpose in WHOLES
        look: Look | None = None
        for pairs in looks:
            if look is not None and self._missing(challenger, incumbent, pairs) > self._terms.allowed - self._spent:
                break
            new, old = (self._runs(number, one, pairs) for one in (challenger, incumbent))
            evidence = {}
            for s in self._world.on(side):
                kept = self._world.places(side)[s.name]
                after, before = new[s.name][:, kept], old[s.name][:, kept]
                first = self._calibration[s.name][:pairs, kept] if anchored else None
                evidence[s.name] = SliceEvidence(
                    name=s.name,
                    role=s.role,
                    weight=s.weight,
                    margin=s.margin,
                    declared=s.name in declared,
                    differences=after - before,
                    clusters=s.clusters,
                    anchor=None if first is None else after[: len(first)] - first,
                )
            look = judge(
                evidence,
                self._pools[side],
                self._terms.gate,
                alpha,
                fresh=bool(question.challenger.halved or question.incumbent.halved),
                novel=not {_key(challenger), _key(incumbent)} <= self._known,
                leaks=NOBODY,
                whole=True,
                objective_alone=whole or question.purpose == "block",
            )
            if look.verdict is not None:
                break
        assert look is not None
        return look

    def _combined(self, look: Look, challenger: Point, incumbent: Point) -> tuple[float, float] | None:
        seen = look.objective
        if seen.standard_error is None:
            return None
        share = None
        if self._world.is_cut:
            counts = [
                sum(len(s.base) for s in self._world.on(side) if s.role == "target") for side in ("explore", "all")
            ]
            share = counts[0] / counts[1] if 0 < counts[0] < counts[1] else None
        belief = self._search.outlook(challenger, incumbent)
        return with_belief((seen.difference, seen.standard_error, seen.df), belief, share)

    def _missing(self, challenger: Point, incumbent: Point, pairs: int) -> int:
        arms = {_key(challenger), _key(incumbent)}
        return sum((arm, k) not in self._cache for arm in arms for k in range(pairs))

    def _runs(self, number: int, point: Point, pairs: int) -> Scores:
        """The first trainings of a plan in a round, on all rows."""
        parts = []
        for k in range(pairs):
            key = _key(point), k
            if key not in self._cache:
                self._cache[key] = self._trained(point, f"round {number}", 1, k)
                self._trainings, self._spent = self._trainings + 1, self._spent + 1
            parts.append(self._cache[key])
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _trained(self, point: Point, what: str, count: int, first: int = 0) -> Scores:
        stream = seeds.generator(self._seed, what, _key(point).hex(), first)
        many = Point(
            strengths=np.repeat(point.strengths, count, axis=0), settings=np.repeat(point.settings, count, axis=0)
        )
        return self._world.train(stream, many, "all")

    def _calibrated(self, side: Side, runs: Scores) -> Pools:
        slices = self._world.on(side)
        least = self._terms.gate.min_rows
        targets = objective.counted(
            (s for s in slices if s.role == "target"), lambda s: counting_rows(len(s.base), s.clusters) >= least
        )
        tables = {s.name: runs[s.name][:, self._world.places(side)[s.name]] for s in slices}
        return Pools.calibrated(tables, {s.name: s.clusters for s in slices}, {s.name: s.weight for s in targets})

    def _truth(self, point: Point) -> Array:
        """True change of the objective against the start."""
        least = self._terms.gate.min_rows
        targets = objective.counted(
            (s for s in self._world.on("gate") if s.role == "target"),
            lambda s: counting_rows(len(s.base), s.clusters) >= least,
        )
        moved, total = self._world.truth(point), sum(s.weight for s in targets)
        return np.asarray(sum(s.weight / total * moved[s.name] for s in targets))

    def _member(self, one: Planted) -> Member:
        kept = one.name in self._kept
        status = self._status.get(one.name, "")
        return Member(
            name=one.name,
            kind=one.kind,
            kept=kept,
            alone=kept and status == "alone",
            left=not kept and status == "left",
        )


def _key(point: Point) -> bytes:
    return np.concatenate([point.strengths[0], np.round(point.settings[0], 6)]).tobytes()
