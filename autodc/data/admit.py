"""The one door to training: what is proposed agrees with the base and holds no row that is held out, or is refused.

The base and the pool go through it, what the study file gives, and what a proposer makes while the study runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, final

import numpy as np

from autodc import fingerprint
from autodc.data.agreement import Classes, agreed, encoded
from autodc.data.chance import copied
from autodc.data.dataset import Dataset
from autodc.data.hashing import content_of
from autodc.data.overlap import exact, numbered
from autodc.errors import AutodcError, DataError, raise_all
from autodc.studyfile.study import DataSpec
from autodc.table import Inputs, Table

Array = np.ndarray[Any, Any]

Read = Callable[..., Dataset]
"""`read(source_spec, *, folder, name, place, kind, targets) -> Dataset`: adapters.sources.read_source or a stand-in."""


def like(read: Read, base: Dataset) -> Read:
    """What reads a dataset with the columns and types of the base, where that is a table."""
    return partial(read, schema=base.x.schema) if base.features and isinstance(base.x, Table) else read


OVERLAP = "training rows are in the held-out data"
OVERLAP_HINT = (
    "the model would be tested on what it learned; take these rows out of training, or say `data.overlap: drop` and "
    "they are left out for you (`data.max_overlap`, now {:g}, is the share up to which that is done unasked), or "
    "`data.overlap: allow` where equal rows are different examples"
)
NOTHING_LEFT_HINT = "nothing would be left to train on; name other data, or say `data.overlap: allow`"
UNASKED = 0.01
"""Equal rows up to this share, and to `data.max_overlap`, are left out without asking whether chance explains them."""


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


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Admission:
    """What the door says of a dataset: as it may be trained on, or what is wrong with it."""

    data: Dataset | None = None
    left_out: int = 0
    """Rows taken out because a held-out set has the same inputs."""
    misfits: tuple[AutodcError, ...] = ()
    """Where it does not agree with the base."""
    overlaps: tuple[AutodcError, ...] = ()
    warnings: tuple[str, ...] = ()
    """About rows it shares with held-out sets."""
    repeats: tuple[str, ...] = ()
    """That it has the rows of a dataset before it."""
    groups: tuple[str, ...] = ()
    """About groups that also have held-out rows."""


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
        copies, warnings = self._shared(fit)
        count = int(copies.sum())
        if count and self.policy.overlap != "allow":
            limit = self.policy.max_overlap if self.policy.overlap == "refuse" and not is_pool else 1.0
            if count > limit * len(fit) or count == len(fit):
                hint = NOTHING_LEFT_HINT if count == len(fit) else OVERLAP_HINT.format(self.policy.max_overlap)
                problem = DataError("ADC-DATA-024", OVERLAP, place, warnings.pop(), hint)
                return Admission(overlaps=(problem,), warnings=tuple(warnings))
            warnings[-1] += "; they are left out of training"
            fit = fit.take(np.flatnonzero(~copies))
        elif count:
            warnings[-1] += "; `data.overlap: allow` lets them be learned and tested on"
            count = 0
        return Admission(
            data=fit,
            left_out=count,
            warnings=tuple(warnings),
            repeats=() if is_pool else self._repeats(fit),
            groups=_shared_groups(fit, self.held),
        )

    def _shared(self, own: Dataset) -> tuple[Array, list[str]]:
        """Mark the rows that held-out sets also hold; what there is to say of them, the copies last."""
        shared = _copies(own, self.held, min(UNASKED, self.policy.max_overlap))
        copies = np.any([mask for mask, _ in shared.values()], axis=0) if shared else np.zeros(len(own), dtype=bool)
        warnings = []
        if excused := {name: number for name, (_, number) in shared.items() if number}:
            equal = ", ".join(f"{number} of `{name}`" for name, number in excused.items())
            warnings.append(
                f"rows of `{own.name}` have the same inputs as rows of held-out data ({equal}); so coarse a table "
                "has equal rows by chance, so they are taken for different examples and stay"
            )
        if copies.any():
            warnings.append(_also_in(own, copies, {name: mask for name, (mask, _) in shared.items()}))
        return copies, warnings

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
    }


def _copies(own: Dataset, held: Iterable[Dataset], unasked: float) -> dict[str, tuple[Array, int]]:
    """For each held set the training rows that are copies of its own, and of how many of its rows chance made equals.

    A few equal rows are left out whatever made them equal: that costs nothing.
    """
    equal = [(other, mask) for other in held if (mask := exact(own.hashes, other.hashes)).any()]
    if not equal or np.any([mask for _, mask in equal], axis=0).sum() <= unasked * len(own):
        return {other.name: (mask, 0) for other, mask in equal}
    found = {}
    for other, same in equal:
        mask = copied(own, other, *numbered([own.hashes, other.hashes]))
        found[other.name] = (mask, int(exact(other.hashes, own.hashes[same & ~mask]).sum()))
    return found


def _also_in(own: Dataset, copies: Array, whom: Mapping[str, Array]) -> str:
    count, rows = int(copies.sum()), len(own)
    others = ", ".join(f"`{name}` ({int(mask.sum())})" for name, mask in whom.items() if mask.any())
    return f"{count} of {rows} rows ({count / rows:.1%}) of `{own.name}` are also in {others}"


def _shared_groups(own: Dataset, held: Iterable[Dataset]) -> tuple[str, ...]:
    """Say where a group has rows in training and in a held-out set: not the same rows, but related ones."""
    if own.groups is None:
        return ()
    mine, warnings = set(own.groups.tolist()), []
    for other in held:
        if other.groups is not None and (count := len(mine & set(other.groups.tolist()))):
            text = f"{count} of {len(mine)} groups of `{own.name}` are also in `{other.name}`"
            warnings.append(f"{text}: related rows are learned and tested on")
    return tuple(warnings)


def _digest(data: Dataset) -> str:
    targets = "" if data.y is None else fingerprint.of_array(data.y)
    return fingerprint.of_parts("rows", [("x", content_of(data.x)), ("y", targets)])
