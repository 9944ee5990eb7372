"""What `autodc check` says of the data that a night is to make: what each proposer works with, its cost at most.

Nothing is made. Figures are bounds: how many findings there will be, nobody knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autodc.adapters.generators import generator_of, looking, parameters_of
from autodc.data.catalogue import POOL
from autodc.large import distinct_values
from autodc.propose import generate, label_map, pool
from autodc.study.rules.obvious import GIVEN
from autodc.studyfile.study import GeneratorSpec
from autodc.wire.inputs import Inputs
from autodc.wire.oracles import most_datasets
from autodc.wire.proposers import OF_BASE, base_known, never_drawn

Array = np.ndarray[Any, Any]

SHOWN = 4
"""So many labels and parameters are named."""


def to_be_made(inputs: Inputs) -> dict[str, Any]:
    """Say what each proposer of `loop.propose` has to work with, as JSON.

    `datasets` and `rows`: in a round and of each at most; `cost`: of a round at most, None of what costs nothing.
    Raises SpecError for a generator that cannot be loaded.
    """
    spec = inputs.spec
    proposers, warnings, most = list[dict[str, Any]](), list[str](), 0.0
    drawn = _pool(inputs)
    for name in spec.loop.propose:
        if name == GIVEN:
            continue
        if name == POOL and drawn is not None:
            proposers.append(_of_pool(inputs, drawn))
            most += min(_not_in_base(drawn), spec.loop.rounds * _rows_of(proposers[-1])) * drawn["cost_per_row"]
        elif name == generate.BY:
            proposers += [_of_generator(inputs, one, at) for at, one in enumerate(spec.data.generators)]
            most += sum(_night_of(inputs, one) for one in spec.data.generators)
        elif name == label_map.BY:
            count = len(inputs.candidates)
            has = f"{count} candidate{'s' if count != 1 else ''} whose labels may follow another convention"
            proposers.append({"name": name, "has": has, "datasets": count, "rows": None, "cost": None})
        elif name in OF_BASE:
            proposers.append(_of_base(inputs, name))
    if drawn is not None:
        warnings += _pool_warnings(inputs, drawn)
    if spec.budget.cost is None and most:
        warnings.append(f"data that are made may cost {most:g}, and there is no budget.cost to bound it")
    if spec.budget.cost is not None:
        most = min(most, spec.budget.cost)
    return {
        "pool": drawn,
        "proposers": proposers,
        "cost_at_most": round(most, 6),
        "cost_limit": spec.budget.cost,
        "warnings": warnings,
    }


def _pool(inputs: Inputs) -> dict[str, Any] | None:
    """The rows of the pool: how many there are to draw, and which labels they have."""
    catalogue, spec = inputs.catalogue, inputs.spec.data.pool
    data = catalogue.pool
    if data is None or spec is None:
        return None
    known = np.isin(data.hashes, catalogue.base.hashes)
    never = never_drawn(inputs)
    doubles = len(data) - len(distinct_values(data.hashes))
    return {
        "rows": len(data) + catalogue.left_out.get(POOL, 0),
        "held_out": catalogue.left_out.get(POOL, 0),
        "in_base": int(known.sum()),
        "related": int((never & ~known).sum()),
        "doubles": doubles,
        "free": len(distinct_values(data.hashes[~never])),
        "labels": _counts(data.y, catalogue.classes),
        "cost_per_row": spec.cost_per_row,
    }


def _counts(y: Array | None, classes: tuple[Any, ...] | None) -> dict[str, int] | None:
    """Label → rows; None where targets are no classes."""
    if y is None or not classes:
        return None
    counts = np.bincount(np.asarray(y, dtype=int), minlength=len(classes))
    return {str(label): int(count) for label, count in zip(classes, counts, strict=True)}


def _of_pool(inputs: Inputs, drawn: Mapping[str, Any]) -> dict[str, Any]:
    spec = inputs.spec
    rows = min(pool.wanted_rows(len(inputs.catalogue.base)), drawn["free"])
    left = _not_in_base(drawn)
    fits = left // pool.FEWEST if drawn["free"] >= pool.FEWEST else 0
    datasets = min(most_datasets(spec, inputs.catalogue), fits)
    why = [f"{drawn[key]} {words}" for key, words in _TAKEN.items() if drawn[key]]
    has = f"{drawn['free']} of {drawn['rows']} rows" + (f" ({', '.join(why)})" if why else "")
    cost = round(min(left, datasets * rows) * drawn["cost_per_row"], 6)
    return {"name": POOL, "has": has, "datasets": datasets, "rows": rows, "cost": cost or None}


def _not_in_base(drawn: Mapping[str, Any]) -> int:
    """Rows that may be drawn; a control may have doubles."""
    return int(drawn["rows"] - drawn["held_out"] - drawn["in_base"] - drawn["related"])


_TAKEN: Mapping[str, str] = {
    "held_out": "are held out",
    "in_base": "the base has",
    "related": "are of what is held out",
    "doubles": "double",
}


def _of_generator(inputs: Inputs, one: GeneratorSpec, at: int) -> dict[str, Any]:
    spec = inputs.spec
    place = spec.place(f"data.generators[{at}]")
    found = generator_of(one.generator, one.options, spec.folder, place)
    parameters = list(parameters_of(found, one.generator, spec.folder, place))
    shown = ", ".join(parameters[:SHOWN]) + (", …" if len(parameters) > SHOWN else "")
    with looking(one.generator, spec.folder, place):
        transforms = callable(getattr(found, "transform", None))
    how = "rows of the base, changed" if transforms else "rows of its own"
    datasets, rows = spec.loop.findings, generate.most_rows(one.rows, spec.loop.rounds)
    return {
        "name": f"{generate.BY}: {one.name}",
        "has": f"{how}, by {shown}" if parameters else how,
        "parameters": parameters,
        "datasets": datasets,
        "rows": rows,
        "cost": round(datasets * rows * one.cost_per_row, 6) or None,
    }


def _night_of(inputs: Inputs, one: GeneratorSpec) -> float:
    """What a generator's rows cost at most: of each finding more in every round, as long as they are undecided."""
    loop = inputs.spec.loop
    rows = sum(generate.most_rows(one.rows, turn + 1) for turn in range(loop.rounds))
    return loop.findings * rows * one.cost_per_row


def _of_base(inputs: Inputs, name: str) -> dict[str, Any]:
    made = OF_BASE[name](base_known(inputs))
    count = len(inputs.catalogue.base)
    has = f"{count} rows of the base, once" if made else "nothing: these rows do not call for it"
    rows = max((one.rows for one in made), default=None)
    return {"name": name, "has": has, "datasets": len(made), "rows": rows, "cost": None}


def _rows_of(one: Mapping[str, Any]) -> int:
    return int(one["datasets"] * one["rows"])


def _pool_warnings(inputs: Inputs, drawn: Mapping[str, Any]) -> list[str]:
    spec, found = inputs.spec, list[str]()
    place = spec.place("data.pool")
    if drawn["free"] < pool.FEWEST and POOL in spec.loop.propose:
        why = f"{drawn['free']} of its {drawn['rows']} rows are free, {pool.FEWEST} are needed for a dataset"
        found.append(f"{place}: nothing can be drawn: {why}")
    lacking = [label for label, count in (drawn["labels"] or {}).items() if not count]
    if lacking:
        named = ", ".join(lacking[:SHOWN]) + (", …" if len(lacking) > SHOWN else "")
        found.append(f"{place}: it has no row of {len(lacking)} of {len(drawn['labels'])} classes ({named})")
    return found
