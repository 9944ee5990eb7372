"""What anybody would do without a search: take everything that is free, and tune."""

from __future__ import annotations

from collections.abc import Iterable

from autodc.study.rules import failing
from autodc.study.view import View

GIVEN = "given"
"""The proposer of what the study file gives."""


def everything(view: View) -> tuple[str, ...]:
    """The datasets of *everything in*: given in the study file, free of cost, not failing; in the file's order.

    What a proposer made since is none of it: it may be made from rows that the search has seen.
    """
    out = failing.out(view)
    return tuple(c.name for c in view.spec.data.candidates if c.cost == 0 and c.name not in out)


def whole(view: View, names: Iterable[str]) -> dict[str, float]:
    """Each of these once, or as often as the search may take it."""
    return dict.fromkeys(names, min(1.0, view.spec.search.max_weight))
