"""What forbids a decision: a slice that is missing, too few rows, a lost pair, a score that is no number."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from autodc.evaluation.evidence import Evidence, SliceEvidence
from autodc.gate import reasons
from autodc.gate.noise import OBJECTIVE, Pools
from autodc.gate.types import Look, SliceLook
from autodc.studyfile.study import GateSpec


def pairs_of(evidence: Evidence) -> int:
    """Return the pairs that every slice has."""
    return min((np.atleast_2d(seen.differences).shape[0] for seen in evidence.values()), default=0)


def refusals(evidence: Evidence, counted: Evidence, pools: Pools, gate: GateSpec) -> tuple[tuple[str, ...], bool]:
    """Codes of everything that forbids a decision, and whether more pairs would mend all of it."""
    pairs = pairs_of(evidence)
    found = set()
    if _unmeasured(evidence, pools):
        found.add(reasons.MISSING_SLICE)
    if not any(seen.role == "target" for seen in evidence.values()):
        found.add(reasons.NO_TARGET)
    elif not any(seen.role == "target" for seen in counted.values()):
        found.add(reasons.TOO_FEW_ROWS)
    if pairs < gate.looks[0]:
        found.add(reasons.TOO_FEW_PAIRS)
    for name, seen in evidence.items():
        tables = [seen.differences] if seen.anchor is None else [seen.differences, seen.anchor]
        for table in tables:
            finite = np.isfinite(np.atleast_2d(table))
            lost = ~finite.any(axis=1)
            if lost.any():
                found.add(reasons.LOST_PAIR)
            if not finite[~lost].all():
                found.add(reasons.NOT_FINITE)
        if len(seen.differences) != pairs or (seen.anchor is not None and len(seen.anchor) == 0):
            found.add(reasons.LOST_PAIR)
        if name in counted and pools.of(name).df <= 0 and pairs < 2:
            found.add(reasons.NOT_CALIBRATED)
    if pools.of(OBJECTIVE).df <= 0 and pairs < 2:
        found.add(reasons.NOT_CALIBRATED)
    if reasons.TOO_FEW_ROWS in found:
        found -= {reasons.NOT_CALIBRATED}
    mended = {reasons.TOO_FEW_PAIRS, reasons.NOT_CALIBRATED} if gate.looks[-1] > pairs else set()
    return tuple(sorted(found)), found <= mended


def no_decision(
    evidence: Evidence,
    counted: Evidence,
    silent: Mapping[str, SliceLook],
    pools: Pools,
    alpha: float,
    codes: tuple[str, ...],
    waits: bool,
) -> Look:
    """Return a look that concludes nothing, with the codes of what forbids it; waits: more pairs would mend it."""
    slices = {**{name: blank(seen) for name, seen in counted.items()}, **silent}
    whole = SliceEvidence(
        name=OBJECTIVE, role="target", weight=1.0, margin=None, declared=True, differences=np.zeros((0, 0))
    )
    return Look(
        pairs=pairs_of(evidence),
        verdict=None if waits else "undecided",
        reasons=codes,
        slices={name: slices[name] for name in evidence},
        objective=blank(whole),
        alpha=alpha,
        unmeasured=_unmeasured(evidence, pools),
    )


def _unmeasured(evidence: Evidence, pools: Pools) -> tuple[str, ...]:
    """Slices of the study without a score."""
    return tuple(sorted(set(pools.slices) - {OBJECTIVE} - set(evidence)))


def blank(seen: SliceEvidence, needed: int | None = None) -> SliceLook:
    """A slice of which nothing is told but its mean over the pairs that are whole."""
    table = np.atleast_2d(np.asarray(seen.differences, dtype=np.float64))
    whole = table[np.isfinite(table).all(axis=1)] if table.size else table
    return SliceLook(
        role=seen.role,
        difference=float(whole.mean()) if whole.size else 0.0,
        low=None,
        high=None,
        rows=table.shape[1],
        pairs=table.shape[0],
        standard_error=None,
        df=None,
        z=None,
        bound=None,
        margin=seen.margin,
        declared=seen.declared,
        weight=seen.weight,
        groups=seen.groups,
        counting=seen.counting,
        needed=needed,
    )
