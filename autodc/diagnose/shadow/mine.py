"""From the features of validation and of a stream to what is told of it: rows to label, drift, the share of errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, final

import numpy as np
import pandas as pd

from autodc.diagnose.shadow.beyond import beyond
from autodc.diagnose.shadow.conditions import Gathering, found_before, gatherings
from autodc.diagnose.shadow.drift import MOST, Domain, Moved, Share, domain, moved, shares
from autodc.diagnose.shadow.estimate import Estimate, Rosiness, estimate, rosiness
from autodc.diagnose.shadow.failure import FailureModel
from autodc.diagnose.shadow.features import Layout
from autodc.diagnose.shadow.pick import QUIET, UNSEEN, Picked, pick
from autodc.diagnose.unlabelled import Unlabelled
from autodc.large import pieces_of

Array = np.ndarray[Any, Any]

CHUNK = 10_000
"""Rows of a part of a stream of which the failures are estimated too."""
CORNERS = 8
"""Corner cases of each kind."""
EVERY = 0.99
"""A row is far from the base beyond this share of validation rows."""
BEYOND = 0.5
"""A value is beyond what is known by so many times the range between the 5th and 95th percent."""

CornerKind = Literal["sure and likely wrong", "far from the base", "beyond the known range"]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Learned:
    """What validation tells of the failures of a model."""

    layout: Layout
    known: Array
    """Features of all rows of validation, shape (v, width)."""
    explore: Array
    """Positions of the rows of which the failures were looked at, shape (m,)."""
    failed: Array
    """Shape (m,) of booleans."""
    model: FailureModel
    rosy: Rosiness
    gathered: tuple[Gathering, ...]
    """Findings of the study first, then what a tree tells apart."""
    left_out: Mapping[str, str]
    """Findings of the study that cannot be looked for in the stream: id → why."""

    @classmethod
    def of(
        cls,
        known: Array,
        layout: Layout,
        frame: pd.DataFrame,
        explore: Array,
        failed: Array,
        groups: Array,
        seed: int,
        found: Mapping[str, Unlabelled] | None = None,
    ) -> Self:
        """Learn.

        frame: the attributes of all rows; groups: (m,), rows of one number are one observation; found: confirmed
        findings of the study, by id.
        """
        mine = known[explore]
        categorical, some = layout.categorical, frame.iloc[explore].reset_index(drop=True)
        before, left_out = found_before(found or {}, layout.columns, some, failed)
        return cls(
            layout=layout,
            known=known,
            explore=explore,
            failed=failed,
            model=FailureModel.fit(mine, failed, groups, categorical, seed),
            rosy=rosiness(mine, layout.met, failed, categorical, seed),
            gathered=(*before, *gatherings(layout.columns, some, failed, seed)),
            left_out=left_out,
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON form: what was learnt from."""
        model = self.model
        return {
            "rows": len(self.failed),
            "failures": int(self.failed.sum()),
            "auroc": _rounded(model.auroc),
            "auroc_of_confidence": _rounded(model.auroc_of_confidence),
            "conditions": [
                {
                    "rule": one.rule.sql,
                    "rows": one.rows,
                    "failures": round(one.failures, 4),
                    **({"predicted": list(one.predicted)} if one.predicted else {}),
                    **({"finding": one.finding} if one.finding else {}),
                }
                for one in self.gathered
            ],
        }


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StreamFeatures:
    """What was noted of the rows of a stream while it was read, in its order."""

    features: Array
    """Shape (n, width), perhaps in a file."""
    failure: Array
    """Probability of failure, shape (n,)."""
    content: Array
    """A hash of the inputs, shape (n,)."""
    condition: Array
    """Which gathering of failures a row is in, shape (n,); −1 for none."""
    predicted: Array
    """Shape (n,) of integers: the class, or a fifth of the values."""

    def __len__(self) -> int:
        return len(self.failure)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Corner:
    """A row that a person may want to look at whatever becomes of it."""

    row: int
    kind: CornerKind
    attribute: str = ""
    value: float | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mined:
    """What is told of a stream."""

    rows: int
    estimate: Estimate
    chunks: tuple[Estimate, ...]
    """Of each CHUNK of rows in their order, where there are several."""
    domain: Domain
    moved: tuple[Moved, ...]
    shares: tuple[Share, ...]
    picked: tuple[Picked, ...]
    corners: tuple[Corner, ...]

    @property
    def drifts(self) -> bool:
        """Whether the stream is another than validation: told apart as a whole, or in one attribute."""
        return self.domain.differs or bool(self.moved)


def mine(learned: Learned, seen: StreamFeatures, count: int, held: Mapping[str, Array], seed: int) -> Mined:
    """Say what a stream is like and which rows to label. held: held-out set → its encoded attributes, (n, columns)."""
    layout, rng = learned.layout, np.random.default_rng(seed)
    met = layout.met
    some = np.sort(rng.choice(len(seen), min(MOST, len(seen)), replace=False))
    known = np.arange(len(learned.known))
    known = np.sort(rng.choice(known, min(MOST, len(known)), replace=False))
    known = np.union1d(known, learned.explore) if len(learned.explore) <= MOST else known
    sample = np.asarray(seen.features[some])
    apart = domain(learned.known[np.ix_(known, met)], sample[:, met], layout.categorical[met], seed)
    ratio = np.empty(len(seen), dtype=np.float32)
    for piece in pieces_of(len(seen)):
        ratio[piece] = apart.ratio(np.asarray(seen.features[piece])[:, met])
    ratio[some] = apart.sampled  # out of fold
    of_explore = apart.ratio(learned.known[learned.explore][:, met])
    there = np.isin(learned.explore, known)
    of_explore[there] = apart.known[np.searchsorted(known, learned.explore[there])]  # out of fold
    new = 0.0
    if apart.differs:  # where the two are not told apart there is nothing new, and what looks so is luck
        new = beyond(learned.known[np.ix_(known, met)], sample[:, met], apart.known, layout.categorical[met], seed)
    told = [(slice(0, len(seen)))]
    if len(seen) > CHUNK:
        told += [slice(at, min(at + CHUNK, len(seen))) for at in range(0, len(seen), CHUNK)]
    estimates = [
        estimate(learned.model, learned.failed, of_explore, seen.failure[part], ratio[part], learned.rosy, new)
        for part in told
    ]
    unseen = UNSEEN if apart.differs else QUIET
    away = newness(ratio, seen, layout)
    findings = [at for at, one in enumerate(learned.gathered) if one.finding]
    picked = pick(count, seen.failure, away, seen.condition, seen.content, seen.predicted, unseen, findings)
    columns, theirs = layout.columns, sample[:, layout.attributes]
    return Mined(
        rows=len(seen),
        estimate=estimates[0],
        chunks=tuple(estimates[1:]),
        domain=apart,
        moved=moved(columns, learned.known[known][:, layout.attributes], theirs),
        shares=tuple(share for of, mine in held.items() for share in shares(columns, mine, theirs, of)),
        picked=picked,
        corners=tuple(_corners(learned, seen)),
    )


def newness(ratio: Array, seen: StreamFeatures, layout: Layout) -> Array:
    """How far the conditions of rows are from what validation and base hold, shape (n,); larger is further."""
    found = np.log(np.maximum(ratio, 1e-3))
    if layout.distance is not None:
        found = found + np.log(np.maximum(np.asarray(seen.features[:, layout.distance]), 1e-3))
    return np.asarray(found)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _corners(learned: Learned, seen: StreamFeatures) -> list[Corner]:
    layout, found = learned.layout, list[Corner]()
    taken: set[int] = set()
    if layout.proxies[:1] == ("log-odds",):
        sure = np.asarray(seen.features[:, 0]) >= np.median(learned.known[:, 0])
        rows = np.flatnonzero(sure & (seen.failure > 2 * learned.model.rate))
        for row in rows[np.argsort(-seen.failure[rows], kind="stable")][:CORNERS]:
            found.append(Corner(row=int(row), kind="sure and likely wrong"))
    if layout.distance is not None:
        distance = np.asarray(seen.features[:, layout.distance])
        rows = np.flatnonzero(distance > np.quantile(learned.known[:, layout.distance], EVERY))
        for row in rows[np.argsort(-distance[rows], kind="stable")][:CORNERS]:
            found.append(Corner(row=int(row), kind="far from the base", value=round(float(distance[row]), 3)))
    beyond = list[tuple[float, Corner]]()
    for at, one in enumerate(layout.columns.columns):
        if one.is_category or one.part or one.sums_up:
            continue
        column = layout.attributes.start + at
        mine, theirs = learned.known[:, column], np.asarray(seen.features[:, column])
        if np.isnan(mine).all():
            continue
        low, first, last, high = np.nanquantile(mine, [0, 0.05, 0.95, 1])
        room = BEYOND * (last - first) or BEYOND
        excess = np.maximum(low - room - theirs, theirs - high - room) / room
        rows = np.flatnonzero(excess > 0)
        for row in rows[np.argsort(-excess[rows], kind="stable")][:CORNERS]:
            corner = Corner(
                row=int(row), kind="beyond the known range", attribute=one.name, value=float(f"{theirs[row]:.6g}")
            )
            beyond.append((float(excess[row]), corner))
    for _, corner in sorted(beyond, key=lambda pair: -pair[0]):
        if corner.row not in taken and len(taken) < CORNERS:
            taken.add(corner.row)
            found.append(corner)
    return found
