"""What the proposers and makers share that work on the base's own rows: what they are told, and how rows are taken."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, final

import numpy as np

from autodc.data.dataset import Dataset
from autodc.data.overlap import joint_clusters
from autodc.data.views import numbers
from autodc.diagnose.check import plain
from autodc.large import evenly, pieces_of, taken, taken_values
from autodc.plan.mixture import BASE
from autodc.propose.made import Made, Origin
from autodc.propose.proposal import Proposal
from autodc.studyfile.study import TaskKind
from autodc.table import Inputs
from autodc.trial.call import Call, CallError, CallPart

Array = np.ndarray[Any, Any]

Space = Callable[[Inputs], Array]
"""Coordinates of rows, shape (n, d), in which alike rows are near; fitted to the rows that are asked first."""

MAKERS = "autodc.wire.makers_of_base"
"""Where the makers are called with the spaces and measures of the adapters."""
FITTED_ON = 5000
"""Rows that the plain space is fitted on, evenly."""
COMPONENTS = 50
WIDEST = 4.0
"""Standard deviations beyond which a number is as one that lies there: a column of few values has no other weight."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BaseKnown:
    """What a proposer of mended or added rows is told."""

    kind: TaskKind
    rows: int
    """Of the base."""
    classes: tuple[Any, ...] = ()
    """Names of the classes in the order of their codes; empty outside classification."""
    counts: tuple[int, ...] = ()
    """Rows of each class."""
    group: str = ""
    """The metadata column of groups, which count as one observation."""
    networks: bool = False
    """Whether makers may look through installed networks, at milliseconds a row."""
    taken: Collection[str] = ()
    """Names of datasets that there are, or were proposed."""
    seed: int = 0

    def proposal(
        self, name: str, by: str, arguments: Mapping[str, Any], *, parts: Sequence[str] = (BASE,), **more: Any
    ) -> tuple[Proposal, ...]:
        """One proposal, or none where its name is taken. more: other fields of it; the maker is that of its kind."""
        if name in self.taken:
            return ()
        told = {"seed": self.seed, "classes": [plain(one) for one in self.classes], **arguments}
        told |= {"group": self.group} if self.group else {}
        told |= {"networks": True} if self.networks else {}
        return (Proposal(name=name, by=by, maker=f"{MAKERS}:{by}", arguments=told, parts=tuple(parts), **more),)


def nothing(place: str, got: str) -> NoReturn:
    """Raise CallError ADC-PROP-030: no dataset is made, and the night goes on. place: the proposer; got: why not."""
    raise CallError("ADC-PROP-030", "nothing to mend", place, got, "this proposal is left out, all else goes on")


def base_of(call: Call) -> CallPart:
    """The one dataset that a maker is handed."""
    (part,) = call.parts.values()
    return part


def codes_of(part: CallPart, place: str) -> Array:
    """Class codes of rows, shape (n,). Raises CallError ADC-PROP-030 where targets are no classes."""
    y = None if part.y is None else np.asarray(part.y)
    if y is None or y.ndim != 1 or y.dtype.kind not in "iu":
        nothing(place, "targets are no classes")
    return y


def units_of(part: CallPart, group: str = "") -> Array:
    """Number what is one observation: copies of a row, and rows of one group; ints, shape (n,)."""
    groups = part.metadata[group].to_numpy() if group and group in part.metadata else None
    data = Dataset(name=part.name, x=part.x, y=None, metadata=part.metadata, groups=groups, fingerprint=part.name)
    (found,) = joint_clusters([data])
    return found


def points(base: Inputs) -> Array:
    """The plain space: principal components of standardised numbers (data/views.py), shape (n, d), without NaN."""
    from sklearn.decomposition import PCA

    known = numbers(taken(base, evenly(len(base), FITTED_ON)))
    middle, spread = np.nan_to_num(np.nanmean(known, axis=0)), np.nan_to_num(np.nanstd(known, axis=0))
    spread[spread == 0] = 1.0

    def plain_rows(values: Array) -> Array:
        found = np.nan_to_num((values - middle) / spread, nan=0.0, posinf=0.0, neginf=0.0)
        return np.asarray(np.clip(found, -WIDEST, WIDEST))

    wide = known.shape[1] > COMPONENTS and len(known) > COMPONENTS
    turned = PCA(COMPONENTS, random_state=0).fit(plain_rows(known)) if wide else None
    parts = [plain_rows(numbers(base[piece])) for piece in pieces_of(len(base))]
    return np.concatenate([one if turned is None else turned.transform(one) for one in parts])


def drawn(rows: Array, count: int, rng: np.random.Generator) -> Array:
    """So many of these rows: each as often as another, and the rest by chance."""
    whole, rest = divmod(count, len(rows))
    return np.concatenate([np.repeat(rows, whole), rng.permutation(rows)[:rest]])


def rows_made(
    part: CallPart,
    rows: Array,
    *,
    y: Array | None = None,
    x: Inputs | None = None,
    changed: Mapping[str, Sequence[Any]] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Made:
    """Rows of a dataset, each with where it comes from. rows: positions; y, x: what they have instead of their own."""
    assert part.y is not None
    whole = np.array_equal(rows, np.arange(len(part.x)))
    return Made(
        x=x if x is not None else part.x if whole else taken(part.x, rows),
        y=y if y is not None else taken_values(part.y, rows),
        metadata=part.metadata.iloc[rows].reset_index(drop=True),
        origin=Origin(
            parents=(part.name,), parent=np.zeros(len(rows), dtype=int), position=rows, changed=changed or {}
        ),
        facts=facts or {},
    )


def relabelled(part: CallPart, rows: Array, y: Array, names: Sequence[Any], facts: Mapping[str, Any]) -> Made:
    """All rows of a dataset with the targets `y`; `changed.label` says what was there before.

    rows: positions of the targets that are other ones; names: of the classes by code, none where targets are numbers.
    """
    given, before = np.asarray(part.y), [None] * len(y)
    for row in rows:
        before[row] = names[given[row]] if names else plain(given[row])
    return rows_made(part, np.arange(len(y)), y=y, changed={"label": before}, facts=facts)
