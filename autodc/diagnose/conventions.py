"""Label conventions: two datasets that label alike rows differently, and the map that would reconcile them.

Rows are alike where they are the same, or as near as rows of one dataset are to one another. Classes that overlap also
give alike rows other labels, so what counts is that the other dataset does it more than a dataset does to itself: each
row b has a nearest row a1 in the other dataset and one next to it, a2; were labels given alike, b and a2 would differ
from a1 in the same ways. Of copies without an embedding there is no a2; there labels given alike agree, within any two
classes, at least as often as they differ (for each input E[pp'] of the class probabilities p is symmetric and positive
semidefinite).

By the same, names that are passed round (a is called b, and b is called a) are one question, asked of the rows of all
of them: a swap of classes that have few rows is told by both together where neither tells it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from math import comb, factorial
from typing import Any, final

import numpy as np
import scipy

from autodc.diagnose.check import Reason, Status, plain
from autodc.diagnose.matching_rows import Alike, Labelled, alike_rows
from autodc.errors import DataError

Array = np.ndarray[Any, Any]

CODE = "ADC-D011"
"""Two datasets label alike rows differently."""
LEAST_OF_CELL = 8
"""Alike rows called a by one and b by the other, with those that overlap gives, below which nothing is said of a and b;
counted together, so that which are tried tells nothing of how they differ."""
LEVEL = 0.01
"""Chance that any two datasets are told where both label alike; over all cells of all pairs (Bonferroni), and as much
again over all ways to pass names round."""
SUSPECTED = 0.1
"""The same where a map is worth a try, which trainings decide."""
LONGEST = 4
"""So many names are passed round at most."""
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
    suspected: tuple[Convention, ...] = ()
    """Of other pairs, where a map of `ours` would reconcile what seems to differ: worth a try, no finding."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        found, suspected = ([one.to_dict() for one in some] for some in (self.found, self.suspected))
        told = {"status": self.status, "reason": self.reason, "compared": self.compared, "found": found}
        return {**told, "suspected": suspected} if suspected else told


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
    rounds = [_rounds(found, len(alike)) for _, _, found in alike]
    told, suspected = list[Convention](), list[Convention]()
    for (ours, theirs, found), some, passed in zip(alike, cells, rounds, strict=True):
        if (one := _told(ours, theirs, found, some, passed, tests, LEVEL)) is not None:
            told.append(one)
        elif (one := _told(ours, theirs, found, some, passed, tests, SUSPECTED)) is not None and one.of == ours:
            suspected.append(one)
    status: Status = "found" if told else "passed"
    return Conventions(status=status, compared=len(alike), found=tuple(told), suspected=tuple(suspected))


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


def _rounds(alike: Alike, pairs: int) -> list[tuple[dict[Any, Any], float]]:
    """Names that are passed round: our name → theirs, and the chance of it, corrected for all that could be tried.

    Each of our names goes to what most of its alike rows are called; where that comes back to the first, the names are
    one round. As many rounds of a length as there are names for count as tried, in `pairs` pairs of datasets.
    """
    ours, theirs = alike.ours.astype(str), alike.theirs.astype(str)
    names = {str(one): one for one in [*alike.ours, *alike.theirs]}
    to = {a: _commonest(theirs[ours == a]) for a in sorted(set(ours))}
    found, seen = list[tuple[dict[Any, Any], float]](), set[str]()
    for first in to:
        way = [first]
        while to.get(way[-1]) not in (None, *way) and len(way) <= LONGEST:
            way.append(to[way[-1]])
        length = len(way)
        if first in seen or length < 2 or length > LONGEST or to.get(way[-1]) != first:
            continue
        seen |= set(way)
        here = np.isin(ours, way)
        mapped = np.array([to[name] for name in ours[here]])
        signs = (mapped == theirs[here]).astype(int) - (ours[here] == theirs[here])
        tried = comb(len(names), length) * factorial(length - 1) * 2 ** (length - 1) * pairs
        chance = min(1.0, _sign_chance(signs, alike.units[here]) * tried)
        found.append(({names[a]: names[to[a]] for a in way}, chance))
    return found


def _commonest(names: Array) -> str:
    """The name that most have; of several the first in order."""
    known, counts = np.unique(names, return_counts=True)
    return str(known[int(counts.argmax())])


def _told(
    ours: str,
    theirs: str,
    alike: Alike,
    cells: list[Any],
    rounds: Sequence[tuple[Mapping[Any, Any], float]],
    tests: int,
    level: float,
) -> Convention | None:
    passed = {(str(a), str(b)): (a, b, chance) for way, chance in rounds if chance < level for a, b in way.items()}
    differing = tuple(
        Differing(ours=a, theirs=b, rows=count, expected=expected, share=share, chance=min(1.0, chance * tests))
        for a, b, count, expected, share, chance in sorted(cells, key=lambda cell: cell[-1])
        if chance * tests < level and passed.get((str(a), str(b)), (a, b, 1.0))[-1] >= chance * tests
    )
    known = {(str(one.ours), str(one.theirs)) for one in differing}
    differing += tuple(_differing(alike, *one) for pair, one in passed.items() if pair not in known)
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
        ({a: b for a, b, _ in passed.values()}, ours),
        (_renamed(alike, differing), ours),
        (_first_named(differing), ours),
        (_merged(alike, differing), theirs),
    ):
        after = alike.mapped(labels, {}) if of == ours else alike.mapped({}, labels)
        gap = _gap(*_agreement(after))
        if labels and gap < best[0] and not any(cell[-1] * tests < level for cell in _cells(after)):
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


def _differing(alike: Alike, ours: Any, theirs: Any, chance: float) -> Differing:
    """A step of names that are passed round."""
    a, b = str(ours), str(theirs)
    of, to = alike.ours.astype(str) == a, alike.theirs.astype(str) == b
    beside = 0 if alike.beside is None else int(((alike.beside.astype(str) == a) & to).sum())
    count = int((of & to).sum())
    return Differing(
        ours=ours, theirs=theirs, rows=count, expected=float(beside), share=count / int(of.sum()), chance=chance
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
