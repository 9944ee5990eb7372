"""What the page says of nights, peers and references: plain numbers, nothing trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from benchmarks.real.night import TRAININGS
from benchmarks.real.peers import RIVALS

Record = Mapping[str, Any]
Verdict = Literal["keep", "drop", "undecided"]

BEHIND = 0.3
"""Points by which a night may be behind before it counts."""
CLASSES = frozenset({"helps", "harms", "redundant"})
"""Of the reference; verdicts on what is useless or unclear by it are not counted as right or wrong."""
WRONG: Mapping[Verdict, str] = {"keep": "harms", "drop": "helps"}
"""Verdict → the class that it is wrong for; what is redundant may stay or go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One night in points over the untuned base. peers: their gains after as many trainings, where measured."""

    case: str
    seed: int
    budget: int
    spent: float
    end: float
    peers: Mapping[str, float]
    printed: float
    """What result.json claims: end less start on the target slices, validation."""
    verdicts: Mapping[str, Verdict]
    right: Mapping[str, bool]
    """Of what was decided and has one of CLASSES."""

    @property
    def rival(self) -> str:
        """The best of the peers that a night is held against, '' where none was measured."""
        return max((n for n in RIVALS if n in self.peers), key=lambda name: self.peers[name], default="")


def told(record: Record, peers: Sequence[Record], reference: Record | None) -> Told:
    """A night as the page tells it. peers: those of the case, any night."""
    scale = record["points"]
    start = record["held"]["start"]
    mine = [one for one in peers if one["seed"] == record["seed"] and one["digest"] == record["digest"]]
    verdicts: dict[str, Verdict] = {}
    for key, verdict in (("kept", "keep"), ("dropped", "drop"), ("undecided", "undecided")):
        verdicts |= dict.fromkeys(record["result"][key], verdict)  # type: ignore[arg-type]
    classes = {} if reference is None else {n: one["class"] for n, one in reference["candidates"].items()}
    return Told(
        case=record["case"],
        seed=record["seed"],
        budget=record["budget"],
        spent=record["spent"],
        end=scale * (record["held"]["end"] - start),
        peers={one["peer"]: scale * (one["after"][str(TRAININGS)]["held"] - start) for one in mine},
        printed=scale * printed(record),
        verdicts=verdicts,
        right={
            name: classes[name] != WRONG[verdict]
            for name, verdict in verdicts.items()
            if verdict in WRONG and classes.get(name) in CLASSES
        },
    )


def printed(record: Record) -> float:
    """End less start of the objective, as result.json prints both, up is better."""
    before, after = (record["result"]["validation"][key] for key in ("before", "after"))
    sign = 1.0 if record["metric"] == "accuracy" else -1.0
    return sign * float(np.mean([after[name] - before[name] for name in record["targets"]]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A case over its nights, in points; what was not measured is None."""

    nights: Sequence[Told]

    @property
    def end(self) -> float:
        """Mean gain."""
        return mean([n.end for n in self.nights])

    def peer(self, name: str) -> float | None:
        """Mean gain of a peer over the nights it was measured on."""
        found = [n.peers[name] for n in self.nights if name in n.peers]
        return mean(found) if found else None

    @property
    def rival(self) -> tuple[str, float] | None:
        """The peer with the best mean over the nights."""
        known = {n: v for n in RIVALS if (v := self.peer(n)) is not None}
        return max(known.items(), key=lambda one: one[1]) if known else None

    @property
    def ahead(self) -> float | None:
        """Mean gain less that of the best peer, on the nights it was measured on."""
        if self.rival is None:
            return None
        return mean([n.end - n.peers[self.rival[0]] for n in self.nights if self.rival[0] in n.peers])

    def worst(self, peer: str) -> float | None:
        """The worst night against a peer."""
        found = [n.end - n.peers[peer] for n in self.nights if peer in n.peers]
        return min(found) if found else None

    def behind(self, peer: str) -> tuple[int, int]:
        """Nights behind a peer by more than BEHIND, of those it was measured on."""
        found = [n.end - n.peers[peer] for n in self.nights if peer in n.peers]
        return sum(d < -BEHIND for d in found), len(found)

    @property
    def decided(self) -> float:
        """Share of the candidates that got a verdict other than undecided."""
        found = [verdict != "undecided" for n in self.nights for verdict in n.verdicts.values()]
        return mean(found)

    @property
    def right(self) -> float | None:
        """Share of the decided that the reference agrees with, of those it can tell."""
        found = [one for n in self.nights for one in n.right.values()]
        return mean(found) if found else None

    @property
    def spent(self) -> float:
        """Trainings a night."""
        return mean([n.spent for n in self.nights])

    @property
    def optimism(self) -> float | None:
        """What is printed as the gain, over what held-out rows say of it, less 1; None where there is no gain."""
        truth = sum(n.end for n in self.nights)
        return None if truth <= 0 else sum(n.printed for n in self.nights) / truth - 1.0


def mean(values: Sequence[float]) -> float:
    """Their mean."""
    return float(np.mean(values))
