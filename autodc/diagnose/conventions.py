"""Label conventions: two datasets that label alike rows differently, and the map that would reconcile them.

Rows are alike where they are the same, or as near as rows of one dataset are to one another. Classes that overlap also
give alike rows other labels, so what counts is that the other dataset does it more than a dataset does to itself: each
row b has a nearest row a1 in the other dataset and one next to it, a2; were labels given alike, b and a2 would differ
from a1 in the same ways. Of copies without an embedding there is no a2; there labels given alike agree, within any two
classes, at least as often as they differ (for each input E[pp'] of the class probabilities p is symmetric and positive
semidefinite).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any, final

import numpy as np
import scipy

from autodc.diagnose.alike import Alike, Labelled, alike_rows
from autodc.diagnose.check import Reason, Status, plain
from autodc.errors import DataError

Array = np.ndarray[Any, Any]

CODE = "ADC-D011"
"""Two datasets label alike rows differently."""
LEAST_OF_CELL = 8
"""Alike rows called a by one and b by the other, with those that overlap gives, below which nothing is said of a and b;
counted together, so that which are tried tells nothing of how they differ."""
LEVEL = 0.01
"""Chance that any two datasets are told where both label alike; over all cells of all pairs (Bonferroni)."""
MOSTLY = 0.5
"""Share of the alike rows of a class, at its lower bound, from which the other name is its name there."""
CLOSED = 0.5
"""Share of what the labels differ beyond overlap that a map has to close to be worth telling."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Differing:
    """Alike rows that the one calls `ours` and the other `theirs`."""

    ours: Any
    theirs: Any
    rows: int
    expected: float
    """As many as overlap explains."""
    share: float
    """Of the alike rows that the one calls `ours`."""
    chance: float
    """Corrected for all cells."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "ours": plain(self.ours),
            "theirs": plain(self.theirs),
            "rows": self.rows,
            "expected": round(self.expected, 2),
            "share": round(self.share, 4),
            "chance": float(f"{self.chance:.2g}"),
        }


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """Two datasets that label alike rows differently."""

    ours: str
    theirs: str
    alike: int
    """Rows of `ours` that have an alike one in `theirs`."""
    differing: tuple[Differing, ...]
    agreement: float
    """Share of the alike rows with the same label."""
    expected: float
    """What it were, were labels given alike: overlap is why it is not 1. NaN where it is not known."""
    labels: Mapping[Any, Any]
    """The map that reconciles them, as `labels` of the study file; empty where none does."""
    of: str | None
    """The dataset that the map is for."""
    mapped: float
    """Agreement with the map."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "code": CODE,
            "ours": self.ours,
            "theirs": self.theirs,
            "alike": self.alike,
            "differing": [one.to_dict() for one in self.differing],
            "agreement": round(self.agreement, 4),
            "expected": None if np.isnan(self.expected) else round(self.expected, 4),
            "labels": {str(key): plain(value) for key, value in self.labels.items()},
            "of": self.of,
            "mapped": round(self.mapped, 4),
        }


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Conventions:
    """What was found of all pairs of datasets."""

    status: Status
    compared: int
    """Pairs of datasets with enough alike rows."""
    reason: Reason | None = None
    found: tuple[Convention, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        found = [one.to_dict() for one in self.found]
        return {"status": self.status, "reason": self.reason, "compared": self.compared, "found": found}


def label_conventions(parts: Sequence[Labelled], *, beside_first: bool = False) -> Conventions:
    """Find the datasets that label alike rows differently, each beside each that comes before it.

    parts: the base first: a map is looked for that brings a later dataset to an earlier one's labels. beside_first:
    each beside the first one alone; of many datasets that are far fewer pairs.
    Raises DataError ADC-DIAG-050 (an embedding has NaN or another length), 055 (embeddings of two widths, lengths
    that differ).
    """
    _refused(parts)
    if any(np.asarray(part.target).ndim != 1 or np.asarray(part.target).dtype.kind == "f" for part in parts):
        return Conventions(status="not_applicable", compared=0, reason="targets are no classes")
    if len(parts) < 2:
        return Conventions(status="not_applicable", compared=0, reason="there is only one dataset")
    pairs = [(ours, theirs) for k, ours in enumerate(parts) for theirs in parts[: min(k, 1) if beside_first else k]]
    alike = [(ours.name, theirs.name, found) for ours, theirs in pairs for found in alike_rows(ours, theirs)]
    if not alike:
        return Conventions(status="not_applicable", compared=0, reason="no two rows are alike")
    cells = [_cells(found) for _, _, found in alike]
    tests = max(1, sum(map(len, cells)))
    told = [_told(ours, theirs, found, some, tests) for (ours, theirs, found), some in zip(alike, cells, strict=True)]
    found = tuple(one for one in told if one is not None)
    return Conventions(status="found" if found else "passed", compared=len(alike), found=found)


def _refused(parts: Sequence[Labelled]) -> None:
    lengths = [
        f"{part.name}: {len(values)} for {len(part.target)} rows"
        for part in parts
        for values in (part.embedding, part.same, part.groups)
        if values is not None and len(values) != len(part.target)
    ]
    widths = {part.name: np.shape(part.embedding)[1:] for part in parts if part.embedding is not None}
    if not lengths and len(set(widths.values())) <= 1:
        return
    raise DataError(
        "ADC-DIAG-055",
        "Datasets are compared in one embedding, with coordinates for every row.",
        place="embedding",
        got=", ".join(lengths) or ", ".join(f"{name} {shape}" for name, shape in widths.items()),
        hint="take the coordinates of all datasets from the same embedding",
    )


def _cells(alike: Alike) -> list[tuple[Any, Any, int, float, float, float]]:
    """For each two names: rows, rows expected by overlap, share, and chance before correction."""
    ours, theirs = alike.ours.astype(str), alike.theirs.astype(str)
    names = {str(one): one for one in [*alike.ours, *alike.theirs]}
    beside = None if alike.beside is None else alike.beside.astype(str)
    found = []
    for a, b in permutations(sorted(names), 2):
        here = (ours == a) & (theirs == b)
        if beside is not None:
            other = (beside == a) & (theirs == b)
            tried, expected = [here.astype(int) - other], float(other.sum())
        else:
            same, turned = (ours == theirs) & ((ours == a) | (ours == b)), (ours == b) & (theirs == a)
            tried = [here.astype(int) - turned, (here | turned).astype(int) - same]
            other, expected = same | turned, float(min(turned.sum(), same.sum()))
        if not here.any() or here.sum() + other.sum() < LEAST_OF_CELL:
            continue
        chance = min(1.0, len(tried) * min(_sign_chance(signs, alike.units) for signs in tried))
        count = int(here.sum())
        found.append((names[a], names[b], count, expected, count / int((ours == a).sum()), chance))
    return found


def _sign_chance(signs: Array, units: Array) -> float:
    """A sign test over units: the chance of so many above zero, were above and below as likely."""
    net = np.bincount(units, weights=signs)
    up, down = int((net > 0).sum()), int((net < 0).sum())
    return float(scipy.stats.binom.sf(up - 1, up + down, 0.5)) if up + down else 1.0


def _told(ours: str, theirs: str, alike: Alike, cells: list[Any], tests: int) -> Convention | None:
    differing = tuple(
        Differing(ours=a, theirs=b, rows=count, expected=expected, share=share, chance=min(1.0, chance * tests))
        for a, b, count, expected, share, chance in sorted(cells, key=lambda cell: cell[-1])
        if chance * tests < LEVEL
    )
    if not differing:
        return None
    agreement, expected = _agreement(alike)
    best: tuple[float, float, dict[Any, Any], str | None] = (
        (1 - CLOSED) * _gap(agreement, expected),
        agreement,
        {},
        None,
    )
    for labels, of in (
        (_renamed(alike, differing), ours),
        (_first_named(differing), ours),
        (_merged(alike, differing), theirs),
    ):
        after = alike.mapped(labels, {}) if of == ours else alike.mapped({}, labels)
        gap = _gap(*_agreement(after))
        if labels and gap < best[0] and not any(cell[-1] * tests < LEVEL for cell in _cells(after)):
            best = gap, _agreement(after)[0], labels, of
    return Convention(
        ours=ours,
        theirs=theirs,
        alike=len(alike.ours),
        differing=differing,
        agreement=agreement,
        expected=expected,
        labels=best[2],
        of=best[3],
        mapped=best[1],
    )


def _renamed(alike: Alike, differing: tuple[Differing, ...]) -> dict[Any, Any]:
    """Our name → theirs, where most alike rows of ours have it."""
    return {one.ours: one.theirs for one in differing if _mostly(alike.ours, one.ours, alike.theirs, one.theirs)}


def _first_named(differing: tuple[Differing, ...]) -> dict[Any, Any]:
    """Our name → theirs, whichever is clearest; of classes that overlap much none has most rows."""
    return {one.ours: one.theirs for one in reversed(differing)}


def _merged(alike: Alike, differing: tuple[Differing, ...]) -> dict[Any, Any]:
    """Their name → ours, where we call most of theirs so: two of their classes are one of ours."""
    return {one.theirs: one.ours for one in differing if _mostly(alike.theirs, one.theirs, alike.ours, one.ours)}


def _mostly(here: Array, name: Any, there: Array, other: Any) -> bool:
    of = there[here == name]
    count, total = int((of == other).sum()), len(of)
    return total > 0 and float(scipy.stats.beta.ppf(0.05, count, total - count + 1)) > MOSTLY if count else False


def _agreement(alike: Alike) -> tuple[float, float]:
    """Share of the alike rows that agree, and what it were, were labels given alike; NaN where that is not known."""
    expected = np.nan if alike.beside is None else float((alike.beside == alike.theirs).mean())
    return float((alike.ours == alike.theirs).mean()), expected


def _gap(agreement: float, expected: float) -> float:
    """What labels differ beyond overlap."""
    return max(0.0, (1.0 if np.isnan(expected) else expected) - agreement)
