"""The one door to training: what is proposed agrees with the base and holds no row that is held out, or is refused.

The base and the pool go through it, what the study file gives, and what a proposer makes while the study runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, final

import numpy as np

from autodc import fingerprint
from autodc.data.agreement import Classes, agreed, encoded
from autodc.data.dataset import Dataset
from autodc.data.hashing import content_of
from autodc.data.ids import with_ids_of
from autodc.data.shared import NOTHING_LEFT_HINT, OVERLAP, OVERLAP_HINT, SharedRows, shared_groups, shared_rows
from autodc.data.times import shared_times
from autodc.errors import AutodcError, DataError, raise_all
from autodc.large import positions
from autodc.studyfile.study import DataSpec
from autodc.table import Inputs, Table

Array = np.ndarray[Any, Any]

Read = Callable[..., Dataset]
"""`read(source_spec, *, folder, name, place, kind, targets) -> Dataset`: adapters.sources.read_source or a stand-in."""

UNASKED = 0.01
"""Equal rows up to this share, and to `data.max_overlap`, are left out without asking whether chance explains them."""


def like(read: Read, base: Dataset) -> Read:
    """What reads a dataset with the columns and types of the base, where that is a table."""
    return partial(read, schema=base.x.schema) if base.features and isinstance(base.x, Table) else read


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A dataset that is proposed for training. Nobody has looked at its rows yet."""

    name: str
    place: str
    """What a message names: the key of the study file, or who proposes it."""
    rows: Callable[[Read], Dataset]
    """Reads or makes its rows, labels as the user writes them."""
    source: str = ""
    cost: float = 0.0
    tags: tuple[str, ...] = ()
    targets: tuple[str, ...] | None = None
    """Target slices it is meant to help; None: all."""
    by: str = "given"
    """The proposer."""
    round: int = 0
    """The round it was proposed in; 0 before the first."""
    parent: tuple[str, ...] = ()
    """Datasets its rows were made from."""
    finding: str | None = None
    """What it was proposed for."""
    request: str | None = None
    """The request that it was delivered for."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Admission:
    """What the door says of a dataset: as it may be trained on, or what is wrong with it."""

    data: Dataset | None = None
    left_out: int = 0
    """Rows taken out because a held-out set has them too."""
    kept: Array | None = None
    """Positions in the source of the rows that stayed, where some were left out."""
    misfits: tuple[AutodcError, ...] = ()
    """Where it does not agree with the base."""
    overlaps: tuple[AutodcError, ...] = ()
    warnings: tuple[str, ...] = ()
    """About rows it shares with held-out sets."""
    repeats: tuple[str, ...] = ()
    """That it has the rows of a dataset before it."""
    groups: tuple[str, ...] = ()
    """About groups that also have held-out rows, and rows that are newer than these."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Door:
    """Holds datasets, one after the other, against the base and against what is held out."""

    base: Dataset
    """What others agree with; its targets as the user wrote them."""
    classes: Classes | None
    held: tuple[Dataset, ...]
    policy: DataSpec
    known: dict[str, str] = field(default_factory=dict)
    """Content of rows → the first dataset that had them."""

    def admit(self, candidate: Candidate, read: Read) -> Admission:
        """Read a candidate and let it in. Raises all that is wrong with it."""
        found = self.look(replace(candidate.rows(like(read, self.base)), name=candidate.name), candidate.place)
        raise_all([*found.misfits, *found.overlaps])
        return found

    def look(self, data: Dataset, place: str, *, is_pool: bool = False) -> Admission:
        """Say what becomes of a dataset. is_pool: of rows that may be drawn from, as many are left out as need be."""
        fit, misfits = fitted(data, self.base, self.classes, place)
        if fit is None:
            return Admission(misfits=misfits)
        found = shared_rows(fit, self.held, min(UNASKED, self.policy.max_overlap))
        count, told, kept = int(found.rows.sum()), tuple[str, ...](), None
        if count and self.policy.overlap != "allow":
            limit = self.policy.max_overlap if self.policy.overlap == "refuse" and not is_pool else 1.0
            if count > limit * len(fit) or count == len(fit):
                return Admission(overlaps=(self._refused(found, count == len(fit), place),), warnings=found.warnings)
            told = (f"{found.copies}; they are left out of training",)
            kept = positions(~found.rows)
            fit = fit.take(kept)
        elif count:
            told = (f"{found.copies}; `data.overlap: allow` lets them be learned and tested on",)
            count = 0
        return Admission(
            data=fit,
            left_out=count,
            kept=kept,
            warnings=(*found.warnings, *told),
            repeats=() if is_pool else self._repeats(fit),
            groups=(*shared_groups(fit, self.held), *shared_times(fit, self.held)),
        )

    def _refused(self, found: SharedRows, whole: bool, place: str) -> DataError:
        hint = NOTHING_LEFT_HINT if whole else OVERLAP_HINT.format(self.policy.max_overlap)
        got = "; ".join(part for part in (found.copies, found.example) if part)
        return DataError("ADC-DATA-024", OVERLAP, place, got, hint)

    def _repeats(self, data: Dataset) -> tuple[str, ...]:
        digest = _digest(data)
        if digest not in self.known:
            self.known[digest] = data.name
            return ()
        return (f"`{data.name}` has the same rows as `{self.known[digest]}`",)


def fitted(
    data: Dataset, base: Dataset, classes: Classes | None, place: str
) -> tuple[Dataset | None, tuple[AutodcError, ...]]:
    """Give a dataset the base's order of columns, dtype and class codes; or None and what does not agree."""
    data, problems = agreed(data, base, place)
    if problems:
        return None, tuple(problems)
    data = with_ids_of(data, base)
    try:
        return (data if classes is None or data.y is None else encoded(data, classes, place)), ()
    except DataError as problem:
        return None, (problem,)


def training_digests(datasets: Iterable[Dataset]) -> dict[str, str]:
    """Content of rows → the first of these datasets that has them."""
    known: dict[str, str] = {}
    for data in datasets:
        known.setdefault(_digest(data), data.name)
    return known


def facts(data: Dataset, left_out: int) -> dict[str, Any]:
    """What the journal tells of any training dataset."""
    return {"rows": len(data), "fingerprint": data.fingerprint, "left_out": left_out, "inputs": described(data.x)}


def described(x: Inputs) -> dict[str, Any]:
    """The kind of inputs; of a table its columns and their types, of arrays shape and type of numbers."""
    if not isinstance(x, Table):
        return {"kind": "arrays", "shape": list(x.shape[1:]), "dtype": str(x.dtype)}
    return {"kind": x.kind} | ({"columns": dict(x.schema)} if x.kind == "table" else {})


def card(candidate: Candidate, data: Dataset, left_out: int) -> dict[str, Any]:
    """What the journal tells of a candidate that was let in."""
    return {
        **facts(data, left_out),
        "cost": candidate.cost,
        "tags": list(candidate.tags),
        "targets": None if candidate.targets is None else list(candidate.targets),
        "source": candidate.source,
        "by": candidate.by,
        "round": candidate.round,
        "parent": list(candidate.parent),
        "finding": candidate.finding,
        **({} if candidate.request is None else {"request": candidate.request}),
    }


def _digest(data: Dataset) -> str:
    targets = "" if data.y is None else fingerprint.of_array(data.y)
    return fingerprint.of_parts("rows", [("x", content_of(data.x)), ("y", targets)])
