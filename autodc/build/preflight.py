"""`autodc check`: everything is read, nothing is trained; what the night would cost and what each slice could show."""

from __future__ import annotations

import math
from typing import Any

from autodc.build.wire import Inputs, read_inputs
from autodc.data.mixture import BASE
from autodc.data.overlap import near
from autodc.gate.levels import level
from autodc.gate.power import rows_needed, smallest_difference
from autodc.spec.study import SliceSpec, StudySpec
from autodc.study import allowance
from autodc.study.state import State

SEED_SD = 0.012
"""Standard deviation over seeds of a slice's paired difference, assumed until calibration has measured it."""

RESIDUAL_VARIANCE = 0.10
"""Residual variance of a row's paired difference, assumed for a score between 0 and 1 until calibration measures it."""

POWER = 0.8
"""Chance with which a difference is to be shown."""

NEAR_SHARE = 0.01
"""From this share of held-out rows on, near copies of training rows are worth a warning."""


def preflight(spec: StudySpec) -> dict[str, Any]:
    """Read and check a study. Raises every problem of its files at once; returns what there is to say otherwise."""
    inputs = read_inputs(spec)
    datasets, warnings = _datasets(inputs)
    slices = [_slice(spec, one, len(inputs.table[one.name].rows)) for one in spec.slices]
    return {
        "study": spec.name,
        "fingerprint": inputs.fingerprint,
        "datasets": datasets,
        "slices": slices,
        "assumed": {"seed_sd": SEED_SD, "residual_variance": RESIDUAL_VARIANCE, "power": POWER},
        "night": _night(spec),
        "warnings": [*inputs.warnings, *warnings, *_slice_warnings(slices), *_lag_warnings(spec)],
    }


def _datasets(inputs: Inputs) -> tuple[list[dict[str, Any]], list[str]]:
    catalogue = inputs.catalogue
    cost = {c.name: c.cost for c in inputs.spec.data.candidates}
    held = {"validation": catalogue.validation, **{f"slice {n}": d for n, d in catalogue.slice_sets.items()}}
    if catalogue.test is not None:
        held["test"] = catalogue.test
    rows, warnings = [], []
    for name in (BASE, *catalogue.candidates):
        data = catalogue[name]
        copies = {part: near(data, other) for part, other in held.items()}
        for part, found in copies.items():
            if found.share >= NEAR_SHARE:
                warnings.append(
                    f"{len(found.held)} of {found.rows} rows of {part} ({found.share:.1%}) are near copies of rows in "
                    f"{name}: what the model learned there it is tested on"
                )
        near_rows = sum(len(found.held) for found in copies.values())
        rows.append(_dataset_row(name, data, catalogue.left_out.get(name, 0), cost.get(name, 0.0), near_rows))
    rows += [_dataset_row(part, data, 0, 0.0, None) for part, data in held.items()]
    return rows, warnings


def _dataset_row(name: str, data: Any, left_out: int, cost: float, near_copies: int | None) -> dict[str, Any]:
    return {
        "name": name,
        "rows": len(data),
        "inputs": f"{'×'.join(str(n) for n in data.x.shape[1:]) or 'scalar'} {data.x.dtype}",
        "left_out": left_out,
        "cost": cost,
        "near_copies": near_copies,
        "fingerprint": data.fingerprint,
    }


def _slice(spec: StudySpec, one: SliceSpec, rows: int) -> dict[str, Any]:
    """What a slice could show: a target at its share of the first test's level, a guard at the level of guards."""
    first = level(spec.gate.fdr, allowance.planned_tests(spec), 0) / (len(spec.targets) + 1)
    alpha = first if one.role == "target" else spec.gate.guard_alpha
    seed = SEED_SD**2
    shows = {
        key: round(smallest_difference(rows, seed, RESIDUAL_VARIANCE, pairs, alpha, POWER), 5)
        for key, pairs in (("3", 3.0), ("8", 8.0), ("unlimited", math.inf))
    }
    found: dict[str, Any] = {"name": one.name, "role": one.role, "rows": rows, "margin": one.margin, "shows": shows}
    if one.margin is not None:
        need = rows_needed(one.margin, seed, RESIDUAL_VARIANCE, 8.0, spec.gate.guard_alpha, POWER)
        can = smallest_difference(rows, seed, RESIDUAL_VARIANCE, 8.0, spec.gate.guard_alpha, POWER)
        found |= {"certifies": round(can, 5), "rows_for_margin": None if math.isinf(need) else math.ceil(need)}
    return found


def _slice_warnings(slices: list[dict[str, Any]]) -> list[str]:
    warnings = []
    for one in slices:
        if one["margin"] is None or one["certifies"] <= one["margin"]:
            continue
        need = one["rows_for_margin"]
        mend = f"about {need} rows would do" if need else "no number of rows would do, only more pairs (gate.looks)"
        warnings.append(
            f"slice {one['name']}: its {one['rows']} rows certify a loss below {one['certifies']:.3f} at best, its "
            f"margin is {one['margin']:g}; {mend}, or a wider margin"
        )
    return warnings


def _lag_warnings(spec: StudySpec) -> list[str]:
    if spec.loop.rounds > 1 and not spec.data.candidates:
        return ["there are no candidates: the study can only tune hyperparameters"]
    return []


def _night(spec: StudySpec) -> dict[str, Any]:
    cap = allowance.cap(spec, State())
    calibration, test = allowance.calibration_runs(spec), 2 * allowance.final_seeds(spec)
    search = spec.loop.rounds * spec.search.trials_per_round
    gate = round(search * (1 - allowance.SEARCH_SHARE) / allowance.SEARCH_SHARE)
    if not math.isinf(cap):
        search = min(search, int(allowance.SEARCH_SHARE * (cap - calibration - test)))
        gate = int(cap - calibration - test - search)
    return {
        "trainings": calibration + search + gate + test,
        "calibration": calibration,
        "search": search,
        "gate": gate,
        "test": test,
        "tests": allowance.planned_tests(spec),
        "fdr": spec.gate.fdr,
        "cost_limit": spec.budget.cost,
    }
