"""The nights that a study which weighs evidence together is put through on its own rows, and what they show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
from scipy.special import ndtri

from autodc import seeds
from autodc.gate.levels import level_of_whole
from autodc.lab.counts import Mean, Share
from autodc.lab.nights import POWER, SIZES, digits
from autodc.lab.pairs import Pairs
from autodc.lab.slices import SliceSet
from autodc.lab.together import Night, Terms, simulate_night
from autodc.lab.world import Planted, Point, World

Array = np.ndarray[Any, Any]
Part = Literal["useless", "joint", "substitutes", "mixed"]

PROBES = 5
"""Worlds by which it is worked out what can be shown together."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asked:
    """What a study is simulated with."""

    known: SliceSet
    """All held-out rows."""
    explored: Array | None
    """Numbers of the rows that the search sees; None where search and gate see the same rows."""
    terms: Terms
    datasets: int
    settings: int
    """How many there are to be tuned."""
    gains: tuple[float, ...]
    """Of many small helpers together, rising; the largest is that of a cure too."""
    nights: int
    """Of each kind."""
    seed: int


@final
@dataclass(frozen=True, slots=True)
class Sort:
    """One night to be played."""

    part: Part
    size: float
    """Planted gain, 0 where that is not asked."""
    number: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Useless:
    """Nights in which nothing is worth keeping."""

    keeping: Share
    """Nights that keep a dataset."""
    tuning: Share
    """Nights that keep other settings, which are no better."""
    trainings: Mean
    """Of the gate, a night."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {name: getattr(self, name).to_dict() for name in ("keeping", "tuning", "trainings")}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Joint:
    """Nights of many small helpers."""

    gain: float
    """Of all of them together, on the objective."""
    found: Share
    """Nights that keep any."""
    kept: Share
    """Of the helpers."""
    reached: Mean
    """True gain of what is kept, 0 where nothing is."""
    seen: Mean
    """What the whole seemed to gain where it was shown."""
    true: Mean
    """What it gains in truth, in these nights."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        names = ("found", "kept", "reached", "seen", "true")
        return {"gain": self.gain, **{name: getattr(self, name).to_dict() for name in names}}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Substitutes:
    """Nights of two datasets that fix the same rows, among useless ones."""

    gain: float
    """Of one of them, and of both."""
    one: Share
    """Nights that keep one or both."""
    both: Share

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {"gain": self.gain, "one": self.one.to_dict(), "both": self.both.to_dict()}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Mixed:
    """Nights of all kinds. Shares are of the datasets of a kind."""

    cures: Share
    """Kept."""
    alone: Share
    """Cures with a decision of their own."""
    small: Share
    """Small helpers kept."""
    harmful: Share
    """Kept."""
    useless: Share
    """Kept."""
    undecided: Share
    """Of all datasets, those of which nothing was shown."""
    trainings: Mean
    """Of the gate, a night."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        names = ("cures", "alone", "small", "harmful", "useless", "undecided", "trainings")
        return {name: getattr(self, name).to_dict() for name in names}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """What the nights showed."""

    useless: Useless
    joint: tuple[Joint, ...]
    substitutes: Substitutes
    mixed: Mixed

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "evidence": "together",
            "useless": self.useless.to_dict(),
            "joint": [one.to_dict() for one in self.joint],
            "substitutes": self.substitutes.to_dict(),
            "mixed": self.mixed.to_dict(),
        }

    @property
    def detectable(self) -> float | None:
        """The smallest planted joint gain that is found in a share POWER of nights; None where none is."""
        return next((one.gain for one in self.joint if one.found.value >= POWER), None)


def joint_sizes(known: SliceSet, explored: Array | None, datasets: int, terms: Terms, seed: int) -> tuple[float, ...]:
    """Return joint gains worth planting: SIZES times what the whole can show, in two digits, without repeats.

    The whole moves rows that the base does not, and no calibration shows that: so it is tried on useless datasets.
    """
    errors = []
    alpha = level_of_whole(terms.gate.fdr, terms.rounds, first=True)
    for number in range(PROBES):
        rng = seeds.generator(seed, "simulate", "probe", number)
        world = World(known, explored, [Planted(name=f"{i}", kind="useless") for i in range(datasets)], (), rng)
        pairs = Pairs(world, terms.gate, seeds.integer(seed, "simulate", "probe", number))
        whole = Point(strengths=np.ones((1, datasets)), settings=np.zeros((1, 0)))
        last = terms.gate.looks[-1]
        look = pairs.look(
            whole,
            pairs.start,
            last,
            alpha,
            side="all",
            anchored=False,
            fresh=False,
            objective_alone=True,
            patient=True,
            last=True,
        )
        if look.objective.standard_error is not None:
            errors.append(look.objective.standard_error)
    shown = float(np.median(errors) if errors else 0.0) * float(ndtri(1 - alpha) + ndtri(POWER))
    return tuple(sorted({digits(shown * size) for size in SIZES})) if shown > 0 else ()


def sorts(asked: Asked) -> list[Sort]:
    """Every night to be played."""
    planted: list[tuple[Part, float]] = [("useless", 0.0), ("mixed", asked.gains[-1])]
    planted += [("joint", gain) for gain in asked.gains] + [("substitutes", asked.gains[-1])]
    return [Sort(part, size, number) for part, size in planted for number in range(asked.nights)]


def play_sort(asked: Asked, sort: Sort) -> Night:
    """Play one night; a function of what is asked alone, whoever else plays what."""
    seed = seeds.integer(asked.seed, "simulate", sort.part, f"{sort.size:g}", sort.number)
    goals = tuple(s.name for s in asked.known.slices if s.role == "target")
    sets, settings = _planted(asked, sort, goals)
    world = World(asked.known, asked.explored, sets, settings, seeds.generator(seed, "world"))
    return simulate_night(world, asked.terms, seed)


def conclude_together(asked: Asked, played: Iterable[tuple[Sort, Night]]) -> Together:
    """Count what was played."""
    nights: dict[tuple[str, float], list[Night]] = {}
    for sort, night in played:
        nights.setdefault((sort.part, sort.size), []).append(night)
    useless, largest = nights["useless", 0.0], asked.gains[-1]
    twins = [[m.kept for m in night.members if m.kind == "substitute"] for night in nights["substitutes", largest]]
    return Together(
        useless=Useless(
            keeping=Share.counted(bool(n.kept) for n in useless),
            tuning=Share.counted(n.tuned for n in useless),
            trainings=Mean.over(n.trainings for n in useless),
        ),
        joint=tuple(_joint(gain, nights["joint", gain]) for gain in asked.gains),
        substitutes=Substitutes(
            gain=largest, one=Share.counted(any(t) for t in twins), both=Share.counted(all(t) for t in twins)
        ),
        mixed=_mixed(nights["mixed", largest]),
    )


def _joint(gain: float, nights: Sequence[Night]) -> Joint:
    shown = [n for n in nights if n.seen is not None and n.true is not None]
    return Joint(
        gain=gain,
        found=Share.counted(bool(n.kept) for n in nights),
        kept=Share.counted(m.kept for n in nights for m in n.members),
        reached=Mean.over(n.gain for n in nights),
        seen=Mean.over(n.seen or 0.0 for n in shown),
        true=Mean.over(n.true or 0.0 for n in shown),
    )


def _mixed(nights: Sequence[Night]) -> Mixed:
    members = [m for n in nights for m in n.members]

    def kept(kind: str) -> Share:
        return Share.counted(m.kept for m in members if m.kind == kind)

    return Mixed(
        cures=kept("cure"),
        alone=Share.counted(m.alone for m in members if m.kind == "cure"),
        small=kept("small"),
        harmful=kept("harmful"),
        useless=kept("useless"),
        undecided=Share.counted(m.is_open for m in members),
        trainings=Mean.over(n.trainings for n in nights),
    )


def _planted(asked: Asked, sort: Sort, goals: tuple[str, ...]) -> tuple[list[Planted], list[Planted]]:
    """The datasets of a night and its settings. What settings seem to gain is luck; in mixed nights one is better."""
    sets = _SETS[sort.part](sort, asked.datasets, goals)
    real = asked.gains[0] if sort.part == "mixed" else 0.0
    gains = [dict.fromkeys(goals, real if i == 0 else 0.0) for i in range(asked.settings)]
    return sets, [Planted(name=f"setting {i}", kind="setting", gains=g) for i, g in enumerate(gains)]


def _useless(sort: Sort, count: int, goals: tuple[str, ...]) -> list[Planted]:
    return [Planted(name=f"useless {i}", kind="useless") for i in range(count)]


def _small(sort: Sort, count: int, goals: tuple[str, ...]) -> list[Planted]:
    gains = dict.fromkeys(goals, sort.size / max(1, count))
    return [Planted(name=f"small {i}", kind="small", gains=gains) for i in range(count)]


def _substitutes(sort: Sort, count: int, goals: tuple[str, ...]) -> list[Planted]:
    gains = dict.fromkeys(goals, sort.size)
    twins = [Planted(name=f"substitute {i}", kind="substitute", gains=gains, like="twin") for i in range(2)]
    return [*twins, *_useless(sort, count - 2, goals)]


def _every(sort: Sort, count: int, goals: tuple[str, ...]) -> list[Planted]:
    """A sixth cures of one target each, a sixth harmful to all, a third small helpers, the rest useless."""
    cures = harmful = max(1, count // 6)
    small = min(count // 3, count - cures - harmful)
    found = []
    for i in range(cures):
        found.append(Planted(name=f"cure {i}", kind="cure", gains={goals[(sort.number + i) % len(goals)]: sort.size}))
    loss = dict.fromkeys(goals, -sort.size)
    found += [Planted(name=f"harmful {i}", kind="harmful", gains=loss) for i in range(harmful)]
    found += _small(Sort("joint", sort.size / 2, sort.number), small, goals)
    return [*found, *_useless(sort, count - len(found), goals)]


_SETS: dict[Part, Callable[[Sort, int, tuple[str, ...]], list[Planted]]] = {
    "useless": _useless,
    "joint": _small,
    "substitutes": _substitutes,
    "mixed": _every,
}
