"""Who labels the rows of a pool that have no labels, as the study file names it; and what that would cost at most."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from autodc.adapters.label_files import SUFFIXES, is_one
from autodc.data.catalogue import Catalogue
from autodc.errors import AutodcError, SpecError
from autodc.plugins import FORMS, find_problem
from autodc.review.numbers import short
from autodc.studyfile.study import StudySpec

_FUNCTION = re.compile(r"^(.+\.py|[A-Za-z_]\w*(\.[A-Za-z_]\w*)*):[A-Za-z_]\w*$")


def is_function(named: str | None) -> bool:
    """Whether an oracle is a function; else it is a file of labels, or nobody."""
    return named is not None and _FUNCTION.match(named) is not None


def oracle_problems(spec: StudySpec) -> list[AutodcError]:
    """What is wrong with the name of an oracle, which is neither imported nor read yet."""
    named = None if spec.data.pool is None else spec.data.pool.oracle
    if named is None:
        return []
    place = spec.place("data.pool.oracle")
    if is_function(named):
        found = find_problem(named, spec.folder, place)
        if found is None:
            return []
        got = found.got if named in found.got else f"{named}: {found.got}"
        return [SpecError("ADC-PROP-070", f"the oracle cannot be loaded: {found.problem}", place, got, found.hint)]
    if is_one(Path(named)):
        return []
    hint = f"name a function ({FORMS}), or a file of labels ({', '.join(SUFFIXES)})"
    return [SpecError("ADC-PROP-070", "this is no oracle", place, named, hint)]


def oracle_file(spec: StudySpec) -> Path:
    """Where the file of labels lies that the study file names."""
    assert spec.data.pool is not None
    return Path(spec.folder, spec.data.pool.oracle or "").expanduser()


def about_oracle(spec: StudySpec, catalogue: Catalogue) -> list[str]:
    """What a person should know before the night of how rows of the pool are labelled."""
    pool, data = spec.data.pool, catalogue.pool
    if pool is None or data is None or "pool" not in spec.loop.propose:
        return []
    if data.y is not None:
        return [] if pool.oracle is None else ["data.pool.oracle is not asked: the rows of data.pool have labels"]
    if pool.oracle is not None and not is_function(pool.oracle) and not (path := oracle_file(spec)).is_file():
        return [f"data.pool.oracle: there is no {path} yet; it is looked for where a round ends"]
    if pool.oracle is None and spec.data.inbox is None:
        words = "the rows of data.pool have no labels, and no labels can come back: name an oracle (data.pool.oracle)"
        return [f"{words}, or a folder for the sheets that people fill in (data.inbox)"]
    return []


def most_datasets(spec: StudySpec, catalogue: Catalogue) -> int:
    """How many datasets of the pool a round has at most: those that are chosen, their control, those people are asked.

    A file of labels gives some, and for what it gives nothing people are asked; what they are asked has no control.
    """
    pool, data = spec.data.pool, catalogue.pool
    chosen, labelled = spec.loop.proposals, data is not None and data.y is not None
    oracle = None if pool is None else pool.oracle
    if labelled or is_function(oracle):
        return chosen + 1
    return chosen + (chosen + 1 if oracle else 0)


def labelling(spec: StudySpec, catalogue: Catalogue) -> dict[str, Any] | None:
    """How rows of a pool without labels get them, how many at most and at what price, with words; None of others."""
    from autodc.propose.pool import wanted_rows  # slow to import

    pool, data = spec.data.pool, catalogue.pool
    if pool is None or data is None or data.y is not None or "pool" not in spec.loop.propose:
        return None
    by = "function" if is_function(pool.oracle) else "file" if pool.oracle else "people"
    each = wanted_rows(len(catalogue.base))
    rows = min(len(data), each * spec.loop.rounds * most_datasets(spec, catalogue))
    cost = rows * pool.cost_per_row
    paid = cost if spec.budget.cost is None else min(cost, spec.budget.cost)
    return {
        "by": by,
        "oracle": pool.oracle,
        "rows": len(data),
        "most_rows": rows,
        "cost_per_row": pool.cost_per_row,
        "most_cost": paid,
        "words": _words(spec, by, rows, each, paid),
    }


def _words(spec: StudySpec, by: str, rows: int, each: int, paid: float) -> str:
    pool = spec.data.pool
    assert pool is not None
    asked = {
        "function": f"{pool.oracle} labels them on a worker",
        "file": f"{pool.oracle} says their labels, and people are asked for others",
        "people": "people are asked for labels (requests/)",
    }[by]
    back = "" if by == "function" or spec.data.inbox is None else f", which come back by {spec.data.inbox}"
    price = f"cost {short(paid)} at {short(pool.cost_per_row)} a row" if pool.cost_per_row else "have no price"
    limit = ", all that budget.cost has" if spec.budget.cost is not None and paid >= spec.budget.cost else ""
    return (
        f"the rows of data.pool have no labels: {asked}{back}; at most {rows:,} rows are labelled, {each:,} for a "
        f"finding, which {price}{limit}"
    )
