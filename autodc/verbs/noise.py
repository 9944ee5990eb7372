"""What each slice could show, from the noise that calibration measured or, before that, from an assumed one."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import ndtr

from autodc.evaluation.evidence import counting_rows
from autodc.evaluation.slices import Slice, SliceTable
from autodc.gate.levels import first_share
from autodc.gate.noise import OBJECTIVE
from autodc.gate.power import ROW_SHARE, rows_needed, smallest_difference
from autodc.gate.thresholds import GUARD_ALPHA
from autodc.large import distinct_values
from autodc.stats.sequential import bounds
from autodc.study.rules import allowance
from autodc.studyfile.study import GateSpec
from autodc.verbs.calibration import Calibration
from autodc.wire.assumed import POWER, RESIDUAL_VARIANCE, SEED_SD, SHARES
from autodc.wire.inputs import Inputs

Array = np.ndarray[Any, Any]

AT = (3, 8)
"""Numbers of pairs that are told, beside an unlimited one."""

MORE = 4
"""It is told what so many times the rows would show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Noise:
    """One slice, or the objective. rows: that the noise is divided by, counting: that count, told to people."""

    rows: float
    counting: float
    seed: float
    residual: float


def slice_rows(inputs: Inputs, measured: Calibration | None) -> list[dict[str, Any]]:
    """One entry a slice, and one for the objective where it is a question of its own; of the gate's rows.

    shows: pairs → smallest difference shown with chance POWER at the level of the first test (targets) or of guards,
    None where no noise is known; explore_shows, all_shows, more_shows: the same of the rows that the search sees, of
    all rows, of MORE times the gate's; counting_rows: rows that count, a group or a set of copies is one.
    """
    spec = inputs.spec
    noise = _measured(inputs, measured) if measured is not None else _assumed(inputs)
    targets = len(inputs.gate.objective(spec.gate.min_rows))
    share = first_share(spec.gate.fdr, allowance.planned_tests(spec), targets)
    silent = frozenset[str]() if measured is None else measured.silent
    found = []
    for one, seen, every in zip(inputs.gate.slices, inputs.explore.slices, inputs.table.slices, strict=True):
        assumed, level = measured is None or one.name in silent, share if one.role == "target" else None
        found.append(_slice_row(one, seen, every, noise.get(one.name), spec.gate, level) | {"assumed": assumed})
    if targets > 1:
        found.append(_objective_row(inputs, noise.get(OBJECTIVE), share))
    return found


def _slice_row(
    one: Slice, seen: Slice, every: Slice, noise: _Noise | None, gate: GateSpec, level: float | None
) -> dict[str, Any]:
    """Of a slice. one, seen, every: its rows of the gate, of the search, and all; level: of the first test."""
    whole = _more(noise, _times(every, one))
    return {
        "name": one.name,
        "role": one.role,
        "rows": len(one.rows),
        "groups": one.groups,
        "counting_rows": round(one.counting, 1),
        "margin": one.margin,
        "shows": _shows(noise, gate, level),
        "explore": len(seen.rows),
        "explore_groups": seen.groups,
        "all": len(every.rows),
        "explore_shows": _shows(_more(noise, _times(seen, one)), gate, level),
        "all_shows": _shows(whole, gate, level),
        "more_shows": _shows(_more(noise, MORE), gate, level),
        "all_certify": _certifies(whole, one.margin, gate, 1.0).get("certifies"),
        **_certifies(noise, one.margin, gate, share_of_rows=one.counting / len(one.rows)),
        **_told(noise),
    }


def _objective_row(inputs: Inputs, noise: _Noise | None, level: float) -> dict[str, Any]:
    gate = inputs.spec.gate
    together, explored = _objective_rows(inputs.gate, gate), _objective_rows(inputs.explore, gate)
    return {
        "name": OBJECTIVE,
        "role": "objective",
        "rows": _rows_together(inputs.gate, gate),
        "counting_rows": round(together, 1),
        "margin": None,
        "shows": _shows(noise, gate, level),
        "explore": _rows_together(inputs.explore, gate),
        "all": _rows_together(inputs.table, gate),
        "explore_shows": _shows(_more(noise, explored / together), gate, level),
        "more_shows": _shows(_more(noise, MORE), gate, level),
        **_told(noise),
    }


def _rows_together(table: SliceTable, gate: GateSpec) -> int:
    """Rows of the targets, each counted once."""
    return len(distinct_values(np.concatenate([_places(s) for s in table.objective(gate.min_rows)])))


def _times(one: Slice, gate: Slice) -> float:
    """How many times the gate's rows that count it has."""
    return one.counting / gate.counting if gate.counting else 0.0


def _more(noise: _Noise | None, times: float) -> _Noise | None:
    """The noise of so many times the rows; None where nothing is left."""
    if noise is None or not times:
        return None
    return replace(noise, rows=noise.rows * times, counting=noise.counting * times)


def where_from(inputs: Inputs, measured: Calibration | None) -> dict[str, Any]:
    """Where the noise comes from, in words and numbers."""
    if measured is not None and measured.deterministic:
        text = (
            f"noise assumed, not measured: the {measured.count} trainings in {measured.source} are identical, so this "
            "learner is deterministic and they tell nothing of how much a training varies that draws other rows with "
            "each seed; it is taken from how the rows differ"
        )
        return {"measured": False, "power": POWER, "text": text, "deterministic": measured.count}
    if measured is not None:
        text = f"noise measured on {measured.source}"
        if silent := measured.silent:
            text += f"; {', '.join(sorted(silent))} never moved, and the noise there is assumed"
        return {"measured": True, "power": POWER, "text": text}
    if not _scale_known(inputs):
        text = (
            f"the noise of {inputs.spec.metrics.primary} has no scale that could be assumed; measure it: "
            "`autodc simulate` trains the start a few times, then `autodc check --from` its folder"
        )
        return {"measured": False, "power": POWER, "text": text}
    text = (
        f"noise assumed, not measured: a slice moves by {SEED_SD:g} between seeds (standard deviation), a row's "
        f"difference varies by {RESIDUAL_VARIANCE:g} beside; `autodc simulate` measures yours"
    )
    assumed = {"seed_sd": SEED_SD, "residual_variance": RESIDUAL_VARIANCE}
    return {"measured": False, "power": POWER, "text": text, **assumed}


def _shows(noise: _Noise | None, gate: GateSpec, share: float | None) -> dict[str, float | None]:
    """share: level of the sequential test of a target, None for a guard, which has a level of its own at each look."""
    found: dict[str, float | None] = {}
    for pairs in (*AT, math.inf):
        key = "unlimited" if math.isinf(pairs) else str(pairs)
        if noise is None:
            found[key] = None
            continue
        alpha = GUARD_ALPHA if share is None else share if math.isinf(pairs) else _at(noise, gate, share, pairs)
        shown = smallest_difference(noise.rows, noise.seed, noise.residual, pairs, alpha, POWER)
        found[key] = round(shown, 5)
    return found


def _at(noise: _Noise, gate: GateSpec, share: float, pairs: float) -> float:
    """The level of the look at so many pairs: what its sequential bound leaves of the whole."""
    looks = [*(k for k in gate.looks if k < pairs), pairs]
    last = max(looks[-1], gate.looks[-1])

    def variance(k: float) -> float:
        return max(0.0, noise.seed) / k + noise.residual * (ROW_SHARE + 1 / k) / noise.rows

    times = [variance(last) / variance(k) if variance(k) > 0 else 1.0 for k in looks]
    return max(1e-12, float(ndtr(-bounds(share, times)[-1])))


def _certifies(noise: _Noise | None, margin: float | None, gate: GateSpec, share_of_rows: float) -> dict[str, Any]:
    """The smallest loss a guard can exclude with the pairs of the last look, and the rows its margin would take."""
    if margin is None:
        return {}
    if noise is None:
        return {"certifies": None, "rows_for_margin": None}
    pairs = float(gate.looks[-1])
    can = smallest_difference(noise.rows, noise.seed, noise.residual, pairs, GUARD_ALPHA, POWER)
    need = rows_needed(margin, noise.seed, noise.residual, pairs, GUARD_ALPHA, POWER)
    of_rows = need * noise.counting / noise.rows / share_of_rows
    return {"certifies": round(can, 5), "rows_for_margin": None if math.isinf(need) else math.ceil(of_rows)}


def _told(noise: _Noise | None) -> dict[str, Any]:
    if noise is None:
        return {"seed_sd": None, "residual_variance": None}
    return {"seed_sd": math.sqrt(max(0.0, noise.seed)), "residual_variance": noise.residual}


def _scale_known(inputs: Inputs) -> bool:
    return inputs.spec.metrics.primary in SHARES


def _assumed(inputs: Inputs) -> dict[str, _Noise]:
    if not _scale_known(inputs):
        return {}
    rows = {one.name: one.counting for one in inputs.gate.slices} | {
        OBJECTIVE: _objective_rows(inputs.gate, inputs.spec.gate)
    }
    return {n: _Noise(rows=m, counting=m, seed=SEED_SD**2, residual=RESIDUAL_VARIANCE) for n, m in rows.items()}


def _measured(inputs: Inputs, found: Calibration) -> dict[str, _Noise]:
    """Pools hold the residual of a cluster, so their rows are clusters."""
    pools, objective = found.pools, {run.name for run in found.objective}
    noise = {}
    targets = []
    for run in found.runs:
        numbers = run.rows if run.clusters is None else run.clusters
        targets += [numbers] if run.name in objective else []
        count, prior = len(distinct_values(numbers)), pools.of(run.name)
        noise[run.name] = _Noise(
            rows=count, counting=counting_rows(len(numbers), numbers), seed=prior.seed, residual=prior.residual
        )
    prior = pools.of(OBJECTIVE)
    noise[OBJECTIVE] = _Noise(
        rows=len(distinct_values(np.concatenate(targets))),
        counting=_objective_rows(inputs.gate, inputs.spec.gate),
        seed=prior.seed,
        residual=prior.residual,
    )
    return noise


def _places(one: Slice) -> Array:
    """Rows of a slice as numbers that mean the same rows in every slice of the table."""
    return np.array([f"{one.part}:{row}" for row in one.rows])


def _objective_rows(table: SliceTable, gate: GateSpec) -> float:
    """The equal rows that would average as well as the weighted slices do: 1 / Σ (share of a cluster in the mean)²."""
    targets = [s for s in table.objective(gate.min_rows) if len(s.rows)]
    if not targets:
        return 0.0
    total = sum(s.weight for s in targets)
    numbers = [_places(s) if s.clusters is None else s.clusters for s in targets]
    shares = [np.full(len(s.rows), s.weight / total / len(s.rows)) for s in targets]
    _, member = np.unique(np.concatenate(numbers), return_inverse=True)
    return float(1 / np.sum(np.bincount(member.ravel(), weights=np.concatenate(shares)) ** 2))
