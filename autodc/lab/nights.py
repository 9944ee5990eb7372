"""The nights a study is put through on its own rows, and what they show: null, mixed, and single planted datasets."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from autodc import seeds
from autodc.gate.levels import first_share
from autodc.gate.power import smallest_difference
from autodc.lab.counts import Summary, summarise
from autodc.lab.simulate import Campaign, CampaignResult, CandidateKind, simulate_campaign
from autodc.lab.slices import KnownSlice, SliceSet
from autodc.large import distinct_values
from autodc.studyfile.study import GateSpec

POWER = 0.8
"""A gain that is kept in this share of cases is called detectable."""
SIZES = (0.5, 1.0, 1.5, 2.0)
"""Planted gains, in units of what the median target can show with the pairs of the last look."""
HARM = 1.5
"""What a planted harm takes from a guard, in margins."""
BATCH = 20
"""Single decisions played at once."""

Night = Literal["null", "mixed", "single"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setup:
    """What a study is simulated with."""

    known: SliceSet
    gate: GateSpec
    planned: int
    """N of the levels."""
    declared: tuple[tuple[str, ...], ...]
    """Sets of targets that candidates are meant for."""
    gains: tuple[float, ...]
    """Planted gains in metric units, rising."""
    nights: int
    """Of each kind."""
    decisions: int
    """Single ones of each kind and size."""
    seed: int
    """Of all of it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some campaigns of one sort."""

    part: Night
    label: str
    """What is planted."""
    kind: CandidateKind | None
    first: int
    """The first of them."""
    count: int
    """How many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """Single decisions on one sort of dataset."""

    label: str
    gain: float
    """On its target."""
    guard: float | None
    """Change asked of a guard, or None."""
    helpful: bool
    found: Summary

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "label": self.label,
            "gain": self.gain,
            "guard": self.guard,
            "helpful": self.helpful,
            **{name: value for name, value in self.found.to_dict().items() if name in _OF_SINGLE},
        }


_OF_SINGLE = ("kept", "dropped", "undecided", "pairs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What the nights showed."""

    null: Summary
    """Nights of `planned` useless candidates."""
    mixed: Summary
    """Nights of as many of all kinds."""
    planted: tuple[Planted, ...]
    """One candidate a night, compared at the level of a study that has kept nothing yet."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "evidence": "each",
            "null": self.null.to_dict(),
            "mixed": self.mixed.to_dict(),
            "planted": [p.to_dict() for p in self.planted],
        }

    @property
    def detectable(self) -> float | None:
        """The smallest planted gain that is kept in a share POWER of cases; None where none is."""
        return next((p.gain for p in self.planted if p.helpful and p.found.kept.value >= POWER), None)


def sizes(known: SliceSet, pools: Mapping[str, tuple[float, float]], gate: GateSpec, planned: int) -> tuple[float, ...]:
    """Return gains worth planting: SIZES times what the median target can show, in two digits, without repeats.

    None where nothing moves. pools: slice → seed and residual variance of a paired difference.
    """
    targets = known.objective(gate.min_rows)
    alpha = first_share(gate.fdr, planned, len(targets))
    shown = [smallest_difference(_columns(s), *pools[s.name], gate.looks[-1], alpha, POWER) for s in targets]
    middle = float(np.median(shown))
    return tuple(dict.fromkeys(digits(middle * size) for size in SIZES)) if middle > 0 else ()


def batches(setup: Setup) -> list[Batch]:
    """Everything to be played, the longest first."""
    found = [Batch(part, part, None, k, 1) for part in ("null", "mixed") for k in range(setup.nights)]
    for label, kind in _singles(setup):
        starts = range(0, setup.decisions, BATCH)
        found += [Batch("single", label, kind, k, min(BATCH, setup.decisions - k)) for k in starts]
    return found


def play(setup: Setup, batch: Batch) -> list[CampaignResult]:
    """Play one batch; a function of setup and batch alone, whoever else plays what."""
    found = []
    for number in range(batch.first, batch.first + batch.count):
        if batch.kind is None:
            kinds, candidates = _night(setup, batch.part), setup.planned
        else:
            kinds, candidates = (batch.kind,), 1
        campaign = Campaign(
            slices=setup.known.slices,
            correlation=setup.known.correlation,
            together=setup.known.together,
            kinds=kinds,
            candidates=candidates,
            planned=setup.planned,
            declared=setup.declared,
        )
        seed = seeds.integer(setup.seed, "simulate", batch.part, batch.label, number)
        found.append(simulate_campaign(campaign, setup.gate, seed))
    return found


def conclude(setup: Setup, played: Iterable[tuple[Batch, Sequence[CampaignResult]]]) -> Played:
    """Count what was played."""
    results: dict[str, list[CampaignResult]] = {}
    for batch, found in played:
        results.setdefault(batch.label, []).extend(found)
    planted = [
        Planted(
            label=label,
            gain=kind.gain[0],
            guard=kind.guard[0] if kind.guard != (0.0, 0.0) else None,
            helpful=kind.helpful,
            found=summarise(results[label], at=0.0),
        )
        for label, kind in _singles(setup)
    ]
    return Played(
        null=summarise(results["null"], at=0.0), mixed=summarise(results["mixed"], at=0.0), planted=tuple(planted)
    )


def _night(setup: Setup, part: Night) -> tuple[CandidateKind, ...]:
    """The kinds of a night: useless ones alone, or a quarter helpful, a few harmful, a few that trade."""
    low, high = setup.gains[min(1, len(setup.gains) - 1)], setup.gains[-1]
    if part == "null":
        return (CandidateKind(name="useless", share=1.0),)
    kinds = [
        CandidateKind(name="useless", share=0.6),
        CandidateKind(name="helpful", share=0.25, gain=(low, high), helpful=True),
        CandidateKind(name="harmful", share=0.08, gain=(-high, -low)),
    ]
    harm = _harm(setup)
    if harm:
        kinds.append(CandidateKind(name="trade-off", share=0.07, gain=(low, high), guard=(harm, harm)))
    return tuple(kinds)


def _singles(setup: Setup) -> list[tuple[str, CandidateKind]]:
    high, harm = setup.gains[-1], _harm(setup)
    found = [
        (f"help {number}", CandidateKind(name="help", share=1.0, gain=(gain, gain), helpful=True))
        for number, gain in enumerate(setup.gains)
    ]
    if harm:
        trade = CandidateKind(name="trade-off", share=1.0, gain=(high, high), guard=(harm, harm))
        found.append(("help with harm to a guard", trade))
    found.append(("harm", CandidateKind(name="harm", share=1.0, gain=(-high, -high))))
    return found


def _harm(setup: Setup) -> float:
    """The change planted in a guard: HARM times the widest margin of the guards; 0 where there is no guard."""
    margins = [s.margin for s in setup.known.slices if s.role == "guard" and s.margin is not None]
    return -HARM * max(margins) if margins and max(margins) > 0 else (-setup.gains[-1] if margins else 0.0)


def _columns(s: KnownSlice) -> int:
    """Clusters, of which the pools hold the noise."""
    return len(s.base if s.clusters is None else distinct_values(s.clusters))


def digits(value: float) -> float:
    """Two digits that count."""
    return round(value, 1 - math.floor(math.log10(value))) if value > 0 else 0.0
