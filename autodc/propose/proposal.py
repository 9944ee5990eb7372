"""A proposal: a dataset that is to be made, and of what. It is journalled before it is made; rows come on a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self, final

FAILING, MISSING, REST = "failing", "missing", "rest"
"""Tags of rows of a pool that are like all that fails, that validation has and what is trained on lacks, and of all
that is left of it."""
UNNAMED = frozenset({FAILING, MISSING, REST})
"""No finding names them."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What is to be made, for what, and how: the same proposal, the same rows. All of it is JSON."""

    name: str
    """How the roster calls the dataset."""
    by: str
    """The proposer, a name of `loop.propose`."""
    maker: str
    """`package.module:object`: called on a worker with a `trial.call.Call`, it writes a `propose.made.Made`."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """What the maker is told, a seed among it where chance is needed."""
    parts: tuple[str, ...] = ()
    """Stored datasets that the maker is handed: base, pool, or names of the roster."""
    rows: int = 0
    """How many rows it is meant to have; what is made may be fewer."""
    cost: float = 0.0
    """What the rows cost, in the unit of budget.cost."""
    finding: str | None = None
    """What it is to mend."""
    targets: tuple[str, ...] | None = None
    """Target slices it is meant to help, declared before any training; None: all."""
    more_of: str | None = None
    """A dataset that was kept, of which this is more."""
    control_of: tuple[str, ...] = ()
    """Proposals beside which this one stands as a control: as many rows, chosen by chance."""
    replaces: str | None = None
    """A dataset (the base) whose place it takes wherever it is in a mixture; None: it joins the others."""
    expected: float = 0.0
    """The gain of the objective that is hoped for, in metric units; by it, and the cost, what is made is chosen."""
    tags: tuple[str, ...] = ()
    words: str = ""
    """What it is, in one short sentence for the report."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form, what is as usual left out."""
        usual = type(self)(name="", by="", maker="")
        found: dict[str, Any] = {"name": self.name, "by": self.by, "maker": self.maker}
        for key in self.__slots__:
            value = getattr(self, key)
            if key not in found and value != getattr(usual, key):
                found[key] = list(value) if isinstance(value, tuple) else value
        return found

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Read it of its JSON form."""
        lists = {
            k: tuple(v) for k, v in told.items() if k in ("parts", "targets", "control_of", "tags") and v is not None
        }
        return cls(**{**told, **lists})
