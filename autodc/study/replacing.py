"""Datasets that take another's place: what a plan trains on where a mended base, or a mapped candidate, is in it.

The replaced dataset is left out and its replacement stands at its weight, whatever weight the search gave the
replacement. Several of one dataset stand as one, composed of what each of them mends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from autodc.plan.plan import Plan, Stage
from autodc.study.journal.state import State


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One dataset that a training gets."""

    name: str
    """As the plan calls it; of several that are composed their names, with + between."""
    of: tuple[str, ...]
    """The datasets of the roster that it is, several where they are composed."""
    weight: float
    stage: Stage
    replaces: str | None = None


def replaced(state: State, name: str) -> str | None:
    """The dataset whose place this one takes wherever it is in a mixture; None: it joins the others."""
    found = _wished(state, name)
    return None if found == name or (found is not None and _wished(state, found) is not None) else found


def standing(state: State, plan: Plan) -> tuple[Standing, ...]:
    """What a plan trains on, in the order of its mixture; where nothing is replaced that is the mixture.

    A replacement of a dataset that is not in the mixture stands at its own weight.
    """
    weights, instead = dict(plan.mixture), dict[str, list[str]]()
    for name in state.roster:
        if name in weights and (of := replaced(state, name)) is not None:
            instead.setdefault(of, []).append(name)
    place = {name: of for of, names in instead.items() for name in names}
    found: dict[str, Standing] = {}
    for name, weight in weights.items():
        of = place.get(name, name)
        if of in found or (of != name and of in weights):
            continue
        names = tuple(instead.get(of, (name,)))
        found[of] = Standing(
            name="+".join(names),
            of=names,
            weight=weight,
            stage=plan.stage(name),
            replaces=of if of in instead else None,
        )
    return tuple(found.values())


def rows_of(state: State, one: Standing) -> float:
    """Rows that it has; of several that are composed the fewest, which may still be a few too many."""
    return min(float(state.card(name).get("rows", 0)) for name in one.of)


def _wished(state: State, name: str) -> str | None:
    found = (state.card(name).get("how") or {}).get("replaces")
    return None if found is None else str(found)
