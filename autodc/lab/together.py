"""A night that weighs evidence together: search, rounds of questions, verdicts by the judge of the product.

The questions are those of gate/together.py, the answers come from trainings whose truth is known (lab/world.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from autodc import seeds
from autodc.evaluation.evidence import counting_rows
from autodc.gate.answers import answered
from autodc.gate.combine import of_leaving, with_belief
from autodc.gate.levels import level_of, level_of_whole, share_of
from autodc.gate.questions import LEAVING, PATIENT, TOGETHER_ALONE, WHOLES, Answer, Arm, Proposal, Question, Settled
from autodc.gate.together import PAIRS, SET_APART, replay
from autodc.gate.types import Look
from autodc.lab.pairs import Pairs, key, targets
from autodc.lab.question_memory import QuestionMemory
from autodc.lab.searched import Search
from autodc.lab.world import Planted, Point, Side, World
from autodc.studyfile.study import GateSpec

Array = np.ndarray[Any, Any]

CONTROL = "control"
"""Kind of datasets that are rows by chance beside others."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What bounds a night."""

    gate: GateSpec
    planned: int
    """N of the levels of members."""
    rounds: int
    per_round: int
    """Trainings of the search in a round, at most."""
    budget: float = math.inf
    """Trainings of search and gate together."""
    search_share: float = 1.0
    """Of what a round may spend."""
    turns: float = math.inf
    """A round leaves to later ones what is left divided by so much, or by the rounds left where they are fewer."""
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
    """Kept by a decision of its own."""
    left: bool = False
    """Shown to be harmful, or to be missed by nobody."""

    @property
    def is_open(self) -> bool:
        """Nothing was shown."""
        return not self.kept and not self.left


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """How one night ended beside the truth. Gains are of the objective over the start, in metric units."""

    members: tuple[Member, ...]
    tuned: bool
    """Settings alone are kept."""
    gain: float
    """Of the end."""
    everything: float
    """Of everything at the settings that the search believes best for it."""
    seen: float | None
    """What the last whole that was shown seemed to gain; None where none was shown."""
    true: float | None
    """What it gains in truth."""
    trainings: int
    """Of the gate."""

    @property
    def kept(self) -> tuple[Member, ...]:
        """What was kept."""
        return tuple(m for m in self.members if m.kept)


def simulate_night(world: World, terms: Terms, seed: int) -> Night:
    """Live through one night: calibrate, then round after round search, ask, and advance to what was shown."""
    return _Night(world, terms, seed).played()


@final
class _Night:
    """One night under way."""

    def __init__(self, world: World, terms: Terms, seed: int) -> None:
        self._world, self._terms, self._seed = world, terms, seed
        self._search, self._pairs = Search(world, terms.gate.min_rows), Pairs(world, terms.gate, seed)
        self._names = [one.name for one in world.sets]
        self._incumbent, self._kept = self._pairs.start, tuple[str, ...]()
        self._plans: dict[str, Point] = {}
        self._left = terms.budget
        self._keeps = self._taken = self._trainings = 0
        self._told = QuestionMemory()
        self._shown: tuple[float, float] | None = None

    def played(self) -> Night:
        """Play the rounds."""
        for number in range(1, self._terms.rounds + 1):
            trainings = self._quota(number)
            if trainings < 1 and number > 1:
                break
            self._search.train(seeds.generator(self._seed, "search", number), max(1, trainings))
            self._left -= trainings
            self._pairs.begin(number)
            self._round(self._proposed(number))
            self._left -= self._pairs.spent
            self._trainings += self._pairs.spent
        gain, everything = self._truth(self._incumbent, self._plans["everything"])
        seen, true = (None, None) if self._shown is None else self._shown
        return Night(
            members=tuple(self._member(one) for one in self._world.sets),
            tuned=not self._kept and key(self._incumbent) != key(self._pairs.start),
            gain=gain,
            everything=everything,
            seen=seen,
            true=true,
            trainings=self._trainings,
        )

    def _quota(self, number: int) -> int:
        terms = self._terms
        share = terms.search_share * self._left / min(terms.turns, terms.rounds - number + 1)
        return int(min(terms.per_round, max(0.0, share)))

    def _proposed(self, number: int) -> Proposal:
        ones = np.ones(len(self._names))
        best = self._search.best()
        self._plans = {
            "incumbent": self._incumbent,
            "tuned": self._search.settled(0 * ones),
            "everything": self._search.settled(ones),
            "recommended": best,
        }
        free = tuple(n for n in self._names if n not in self._kept)
        came_along = tuple(n for n in self._kept if n not in self._told.apart)
        least = self._terms.gate.min_rows
        guards = (s for s in self._world.on("gate") if counting_rows(len(s.base), s.clusters) >= least)
        return Proposal(
            everything=free,
            recommended=tuple(n for n, s in zip(self._names, best.strengths[0], strict=True) if s > 0 and n in free),
            beliefs=self._search.beliefs(came_along, self._incumbent)
            | self._search.beliefs(free, self._plans["everything"]),
            margins={s.name: s.margin for s in guards if s.margin is not None},
            matters=self._terms.matters,
            kept=self._kept,
            open=came_along,
            controls=tuple(one.name for one in self._world.sets if one.kind == CONTROL),
            untouched=number == 1,
            tunes=bool(self._world.settings),
            refused=(self._kept, free) in self._told.refused,
        )

    def _round(self, proposal: Proposal) -> None:
        answers: list[Answer] = []
        while not isinstance(found := replay(proposal, answers), Settled):
            answers.append(self._asked(proposal, found))
        if found.end is not None and found.by is not None:
            self._incumbent = self._plan(found.end)
            self._kept = tuple(n for n in self._names if n in found.end.members)

    def _plan(self, arm: Arm) -> Point:
        weights = [(0.5 if n in arm.halved else 1.0) * (n in arm.members) for n in self._names]
        strengths = np.sqrt(np.array(weights, dtype=np.float64))
        if arm.plan == "weighted":
            return self._search.settled(strengths)
        return Point(strengths=strengths[None], settings=self._plans[arm.plan].settings)

    def _asked(self, p: Proposal, question: Question) -> Answer:
        """Open a comparison, look until it is decided, and say what it showed; unpaid where it cannot be asked."""
        terms = self._terms
        arms = self._plan(question.challenger), self._plan(question.incumbent)
        alike, claims = key(arms[0]) == key(arms[1]), question.level == "member"
        looks = (PAIRS,) if question.level == "none" else terms.gate.looks
        if alike or self._is_short(question, arms, looks[0]) or (claims and self._taken >= terms.planned):
            return Answer(paid=False)
        look = self._looked(question, arms, looks, self._level(question))
        self._taken += claims
        self._pairs.pooled(look, *arms)
        answer = answered(look, look.verdict, look.reasons, None)
        if question.level == "none":
            silent = answered(look, None, (), self._combined(question, look, arms))
            answer = replace(silent, harmed=False)
        self._keeps += claims and answer.keep
        self._told.hear(p, question, answer)
        if question.purpose in WHOLES and answer.keep:
            new, old = self._truth(*arms)
            self._shown = answer.mean, new - old
        return answer

    def _level(self, question: Question) -> float:
        gate, terms = self._terms.gate, self._terms
        if question.level == "member":
            return level_of(gate.fdr, share_of(gate.fdr, terms.planned), self._keeps)
        return level_of_whole(gate.fdr, terms.rounds, first=question.level != "rest")

    def _is_short(self, question: Question, arms: tuple[Point, Point], pairs: int) -> bool:
        """Whether no trainings are left for so many pairs, and for what has to follow a whole."""
        apart = SET_APART.get(question.purpose, 0)
        return self._pairs.missing(*arms, pairs) + apart > self._left - self._pairs.spent

    def _looked(self, question: Question, arms: tuple[Point, Point], looks: tuple[int, ...], alpha: float) -> Look:
        """Look until it is decided, or no trainings are left for the next look."""
        look: Look | None = None
        for pairs, after in zip(looks, (*looks[1:], looks[-1]), strict=True):
            if look is not None and (look.verdict is not None or self._is_short(question, arms, pairs)):
                break
            look = self._pairs.look(
                *arms,
                pairs,
                alpha,
                side="all" if question.all_rows else "gate",
                anchored=question.purpose != "removal" and key(arms[1]) != key(self._pairs.start),
                fresh=bool(question.challenger.halved or question.incumbent.halved),
                objective_alone=question.purpose in TOGETHER_ALONE,
                patient=question.purpose in PATIENT,
                last=self._is_short(question, arms, after),
            )
        assert look is not None
        return look

    def _combined(self, question: Question, look: Look, arms: tuple[Point, Point]) -> tuple[float, float] | None:
        """Gate rows and the belief of the search together; None where gate rows alone speak."""
        seen = look.objective
        if seen.standard_error is None or question.purpose == "weights":
            return None
        belief = self._search.outlook(*arms)
        if question.purpose in LEAVING:
            belief = of_leaving(belief, self._search.losses(question.members, arms[1]))
        sides: tuple[Side, Side] = ("explore", "all")
        explored, every = (sum(len(s.base) for s in self._world.on(n) if s.role == "target") for n in sides)
        share = explored / every if self._world.is_cut and 0 < explored < every else None
        return with_belief((seen.difference, seen.standard_error, seen.df), belief, share)

    def _truth(self, *points: Point) -> tuple[float, ...]:
        """True change of the objective against the start."""
        seen = targets(self._world, "gate", self._terms.gate.min_rows)
        moved = self._world.truth(Point.stacked(points))
        total = sum(s.weight for s in seen)
        mean = np.sum([s.weight / total * moved[s.name] for s in seen], axis=0)
        return tuple(float(v) for v in mean)

    def _member(self, one: Planted) -> Member:
        kept, status = one.name in self._kept, self._told.status.get(one.name, "")
        return Member(
            name=one.name,
            kind=one.kind,
            kept=kept,
            alone=kept and status == "alone",
            left=not kept and status == "left",
        )
