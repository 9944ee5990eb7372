"""`autodc check`: everything is read, nothing is trained; what the night would cost and what each slice could show."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
import pandas as pd

from autodc.data.catalogue import POOL
from autodc.data.dataset import Dataset
from autodc.data.near import MOST_KNOWN, looked_at
from autodc.data.nearness import near_copies
from autodc.evaluation.scores import Keep, kept_bytes, outputs_bytes
from autodc.review.notices import slice_alarms
from autodc.study import pace
from autodc.study.journal.events import RULES
from autodc.study.phases.order import ORDER
from autodc.study.rules import affordable, allowance
from autodc.studyfile.study import StudySpec
from autodc.table import Table
from autodc.values import is_json
from autodc.verbs.ahead import to_be_made
from autodc.verbs.calibration import read_calibration
from autodc.verbs.noise import slice_rows, where_from
from autodc.wire.attributes import measured_later
from autodc.wire.inputs import Inputs, read_inputs
from autodc.wire.oracles import labelling
from autodc.wire.study import started_event, warm_start
from autodc.wire.tracking import tracking_of
from autodc.wire.workers import local_workers

Array = np.ndarray[Any, Any]

NEAR_SHARE = 0.01
"""From this share of held-out rows on, near copies of training rows are worth a warning."""

SHOWN = 2
"""Pairs of near copies that are shown."""
OUTPUTS_AT_ONCE = 4
"""Plans of which predictions are kept at the same time: start, incumbent and the two arms of a comparison."""


def preflight(spec: StudySpec, source: str | os.PathLike[str] | None = None) -> dict[str, Any]:
    """Read and check a study. Raises every problem of its files at once; returns what there is to say otherwise.

    source: a folder with calibration runs, of a run or of `simulate`; left out, the noise of slices is assumed.
    """
    with local_workers() as workers:
        inputs = read_inputs(spec, workers=workers, quick=True)
    tracking, night = tracking_of(spec), _night(spec)
    borrowed = warm_start(inputs)
    measured = None if source is None else read_calibration(inputs, source)
    datasets, warnings = _datasets(inputs)
    slices = slice_rows(inputs, measured)
    started = started_event(inputs, borrowed)
    alarms = slice_alarms(started.slices)
    made = to_be_made(inputs)
    return {
        "study": spec.name,
        "fingerprint": inputs.identity(borrowed),
        "datasets": datasets,
        "attributes": _attributes(inputs),
        "measured_later": list(measured_later(spec, inputs.catalogue)),
        "proposals": made,
        "slices": slices,
        "noise": where_from(inputs, measured),
        "separation": inputs.separation.to_dict(),
        "labelling": labelling(spec, inputs.catalogue),
        "night": {**night, **_disk(inputs, night["trainings"])},
        "tracking": tracking.text,
        "warnings": [
            *alarms,
            *started.warnings,
            *warnings,
            *_slice_warnings(slices, spec),
            *_lag_warnings(spec),
            *made["warnings"],
            *tracking.warnings,
        ],
        "alarms": alarms,
        "can_keep": any(s.role == "target" and s.is_evidence(spec.gate.min_rows) for s in inputs.gate.slices),
    }


def _datasets(inputs: Inputs) -> tuple[list[dict[str, Any]], list[str]]:
    catalogue = inputs.catalogue
    cost = {c.name: c.cost for c in inputs.spec.data.candidates}
    if (pool := inputs.spec.data.pool) is not None and catalogue.pool is not None:
        cost[POOL] = round(pool.cost_per_row * len(catalogue.pool), 6)
    held = {"validation": catalogue.validation, **{f"slice {n}": d for n, d in catalogue.slice_sets.items()}}
    if catalogue.test is not None:
        held["test"] = catalogue.test
    rows, warnings = [], []
    looked = {part: looked_at(data) for part, data in held.items()}
    for name, data in catalogue.training.items():
        near_rows = 0
        own = looked_at(data)
        if len(data) > MOST_KNOWN:
            warnings.append(f"near copies: {MOST_KNOWN} of the {len(data)} rows of {name} were compared, evenly")
        for part, other in looked.items():
            copies, originals = near_copies(own, other)  # of equal rows the catalogue has spoken
            near_rows += len(copies)
            if len(copies) and len(copies) >= NEAR_SHARE * len(other.data):
                source = catalogue.in_source(name, originals)
                pairs = _pairs(part, other.data, copies, name, data, originals, source)
                warnings.append(_near_warning(part, other.data, name, len(copies), pairs))
        rows.append(_dataset_row(name, data, catalogue.left_out.get(name, 0), cost.get(name, 0.0), near_rows))
    rows += [_dataset_row(part, data, 0, 0.0, None) for part, data in held.items()]
    return rows, warnings


def _attributes(inputs: Inputs) -> list[dict[str, Any]]:
    """Column by column what was measured of validation: where its values lie, or how many different ones there are."""
    frame = inputs.catalogue.validation.attributes
    if frame is None:
        return []
    found = []
    for name, values in frame.items():
        row: dict[str, Any] = {"name": str(name), "missing": int(values.isna().sum()), "low": None, "high": None}
        if values.notna().any() and pd.api.types.is_numeric_dtype(values) and values.dtype != bool:
            row |= {"low": float(values.quantile(0.05)), "high": float(values.quantile(0.95))}
        found.append({**row, "values": int(values.nunique())})
    return found


def _near_warning(part: str, held: Dataset, name: str, count: int, pairs: str) -> str:
    return (
        f"{count} of {len(held)} rows of {part} ({count / len(held):.1%}) are near copies of rows in {name} ({pairs}): "
        f"what the model learned there it is tested on. They are not left out; where they are the same examples, take "
        f"them out of {name}"
    )


def _pairs(part: str, held: Dataset, copies: Array, name: str, data: Dataset, originals: Array, source: Array) -> str:
    """The first pairs of near copies. originals: positions among the training rows, source: in their file."""
    if isinstance(data.x, Table) and isinstance(held.x, Table) and data.x.kind == "files":
        mine, theirs = held.x[copies[:SHOWN]].texts(), data.x[originals[:SHOWN]].texts()
        return "; ".join(f"{one} and {two}" for one, two in zip(mine, theirs, strict=True))
    pairs = zip(copies[:SHOWN].tolist(), source[:SHOWN].tolist(), strict=True)
    return "; ".join(f"row {one} of {part} and row {two} of {name}" for one, two in pairs)


def _dataset_row(name: str, data: Any, left_out: int, cost: float, near_copies: int | None) -> dict[str, Any]:
    return {
        "name": name,
        "rows": len(data),
        "inputs": data.inputs,
        "left_out": left_out,
        "cost": cost,
        "near_copies": near_copies,
        "fingerprint": data.fingerprint,
    }


def _slice_warnings(slices: list[dict[str, Any]], spec: StudySpec) -> list[str]:
    warnings = []
    for i, one in enumerate(slices):
        place = spec.place(f"slices[{i}].margin")
        if (
            one["counting_rows"] < spec.gate.min_rows
            or one["margin"] is None
            or one["certifies"] is None
            or one["certifies"] <= one["margin"]
        ):
            continue
        if one["all_certify"] is not None and one["all_certify"] <= one["margin"]:
            warnings.append(
                f"{place} (slice {one['name']}): its {one['rows']} gate rows certify a loss below "
                f"{one['certifies']:.3g} at best, its margin is {one['margin']:g}; "
                f"all its {one['all']} rows can certify it"
            )
            continue
        need = one["rows_for_margin"]
        mend = (
            f"about {need} gate rows would do" if need else "no number of rows would do, only more pairs (gate.looks)"
        )
        warnings.append(
            f"{place} (slice {one['name']}): its {one['rows']} rows certify a loss below {one['certifies']:.3g} "
            f"at best, its margin is {one['margin']:g}; {mend}, or a wider margin"
        )
    return warnings


def _lag_warnings(spec: StudySpec) -> list[str]:
    if spec.loop.rounds > 1 and not (spec.data.candidates or spec.data.inbox or spec.loop.makes_data):
        return ["there are no candidates: the study can only tune hyperparameters"]
    return []


def _disk(inputs: Inputs, trainings: int) -> dict[str, float]:
    """Megabytes of disk: what a training keeps per row, the datasets as files while it runs, and all of it."""
    spec, catalogue = inputs.spec, inputs.catalogue
    base = catalogue.base
    targets = base.y if base.y is not None else np.zeros(0)
    width = len(catalogue.classes) if catalogue.classes else int(np.prod(targets.shape[1:]))
    width = targets.dtype.itemsize // 4 + 1 if is_json(targets) else width
    last = sum(phase.apart(spec, RULES) for phase in ORDER if phase.predicts_test)
    each = kept_bytes(inputs.table, inputs.metric, spec.task.kind, width, Keep.of(spec))
    data = sum(d.x.nbytes for d in (base, *catalogue.candidates.values(), *catalogue.held))
    opened = 0 if catalogue.test is None else last * 4 * width * len(catalogue.test)
    shown = OUTPUTS_AT_ONCE * outputs_bytes(inputs.table, width)
    megabytes = {"outcome_mb": each, "data_mb": data, "disk_mb": each * trainings + opened + shown + data}
    return {name: round(value / 1e6, 3) for name, value in megabytes.items()}


def _each_to_the_last(spec: StudySpec) -> int | None:
    """The budget that would take each candidate to the last look, where it is more than the study has; else None."""
    if spec.budget.trainings is None or not spec.data.candidates:
        return None
    most = affordable.budget_for(spec, affordable.ample(spec))
    return most if most is not None and most > spec.budget.trainings else None


def _night(spec: StudySpec) -> dict[str, Any]:
    cap, apart = allowance.asked(spec), {p.name: p.apart(spec, RULES) for p in ORDER}
    taken = sum(apart.values())
    search = spec.loop.rounds * spec.search.trials_per_round
    gate = round(search * (1 - allowance.SEARCH_SHARE) / allowance.SEARCH_SHARE)
    if not math.isinf(cap):
        search = min(search, int(allowance.SEARCH_SHARE * (cap - taken)))
        gate = int(cap - taken - search)
    return {
        "trainings": taken + search + gate,
        **{p.name: apart[p.name] for p in ORDER if p.purpose},
        "search": search,
        "gate": gate,
        "tests": allowance.planned_tests(spec),
        "each_to_the_last": _each_to_the_last(spec),
        "fdr": spec.gate.fdr,
        "cost_limit": spec.budget.cost,
        "timeout": {"least": pace.LEAST_TIMEOUT, "times_pace": pace.TIMES_PACE, "first": pace.FIRST_TIMEOUT},
    }
