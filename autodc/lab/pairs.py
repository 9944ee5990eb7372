"""Pairs of simulated trainings of two plans, and how the judge of the product looks at them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, final

import numpy as np

from autodc import seeds
from autodc.evaluation import objective
from autodc.evaluation.evidence import SliceEvidence, counting_rows
from autodc.gate.judge import judge, judge_last
from autodc.gate.noise import Pools
from autodc.gate.types import Leaks, Look
from autodc.lab.slices import KnownSlice
from autodc.lab.world import Point, Side, World
from autodc.studyfile.study import GateSpec

Array = np.ndarray[Any, Any]
Scores = Mapping[str, Array]

NOBODY = Leaks(datasets=(), looked=())
"""Simulated rows leak nothing."""


@final
class Pairs:
    """All trainings of the gate of one night, each made once, and the pools of noise."""

    def __init__(self, world: World, gate: GateSpec, seed: int) -> None:
        self.world, self._gate, self._seed = world, gate, seed
        self.start = Point(
            strengths=np.zeros((1, len(world.sets))),
            settings=np.zeros((1, len(world.settings))),
        )
        self._calibration = self._trained(self.start, 0, 0, gate.calibration)
        self._pools = {side: self._calibrated(side) for side in ("gate", "all")}
        self._known = {key(self.start)}
        self._made: dict[tuple[bytes, int], Scores] = {}
        self._round = 0
        self.spent = 0
        """Trainings of this round, calibration aside."""

    def begin(self, number: int) -> None:
        """Another round has seeds of its own."""
        self._round, self._made, self.spent = number, {}, 0

    def missing(self, challenger: Point, incumbent: Point, pairs: int) -> int:
        """Trainings that so many pairs still take."""
        return sum((arm, k) not in self._made for arm in {key(challenger), key(incumbent)} for k in range(pairs))

    def look(
        self,
        challenger: Point,
        incumbent: Point,
        pairs: int,
        alpha: float,
        *,
        side: Side,
        anchored: bool,
        fresh: bool,
        objective_alone: bool,
        patient: bool,
        last: bool,
    ) -> Look:
        """Judge so many pairs on the rows of one side. anchored: guards are held against the start too.

        last: no trainings are left for another look.
        """
        new, old = (self._runs(one, pairs) for one in (challenger, incumbent))
        judged = partial(
            judge,
            {s.name: self._evidence(s, new, old, side, anchored) for s in self.world.on(side)},
            self._pools[side],
            alpha=alpha,
            fresh=fresh,
            novel=not {key(challenger), key(incumbent)} <= self._known,
            leaks=NOBODY,
            whole=True,
            objective_alone=objective_alone,
            patient=patient,
        )
        return judge_last(judged, self._gate, last)

    def pooled(self, look: Look, challenger: Point, incumbent: Point) -> None:
        """A comparison that ended adds to the pools."""
        if look.pairs >= 2:
            self._pools = {side: pools.updated(look) for side, pools in self._pools.items()}
            self._known |= {key(challenger), key(incumbent)}

    def _evidence(self, s: KnownSlice, new: Scores, old: Scores, side: Side, anchored: bool) -> SliceEvidence:
        at = self.world.places(side)[s.name]
        after, before = new[s.name][:, at], old[s.name][:, at]
        first = self._calibration[s.name][: len(after), at]
        return SliceEvidence(
            name=s.name,
            role=s.role,
            weight=s.weight,
            margin=s.margin,
            declared=s.role == "target",
            differences=after - before,
            clusters=s.clusters,
            anchor=after[: len(first)] - first if anchored else None,
        )

    def _runs(self, point: Point, pairs: int) -> Scores:
        """The first trainings of a plan in this round, on all rows."""
        parts = []
        for k in range(pairs):
            if (key(point), k) not in self._made:
                self._made[key(point), k] = self._trained(point, self._round, k, 1)
                self.spent += 1
            parts.append(self._made[key(point), k])
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _trained(self, point: Point, number: int, first: int, count: int) -> Scores:
        stream = seeds.generator(self._seed, "training", number, first, key(point).hex())
        return self.world.train(stream, Point.stacked([point] * count), "all")

    def _calibrated(self, side: Side) -> Pools:
        slices, places = self.world.on(side), self.world.places(side)
        tables = {s.name: self._calibration[s.name][:, places[s.name]] for s in slices}
        weights = {s.name: s.weight for s in targets(self.world, side, self._gate.min_rows)}
        return Pools.calibrated(tables, {s.name: s.clusters for s in slices}, weights)


def targets(world: World, side: Side, min_rows: int) -> tuple[KnownSlice, ...]:
    """The targets whose weighted mean is the objective on these rows."""
    return objective.counted(
        (s for s in world.on(side) if s.role == "target" and len(s.base)),
        lambda s: counting_rows(len(s.base), s.clusters) >= min_rows,
    )


def key(point: Point) -> bytes:
    """What tells one plan from another."""
    return np.concatenate([point.strengths[0], np.round(point.settings[0], 6)]).tobytes()
