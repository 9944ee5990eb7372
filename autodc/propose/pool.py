"""Rows of a pool for what was found: those that are likelier among its failures than among all other rows.

Those that meet its rule come first, the likest to its failures first of all; where they are fewer than wanted, rows
that are as like and lie beyond it follow, for a rule is seldom as wide as what it is about. The label of a row of the
pool is never asked. What a rule says of the class is left out of it; likeness stands for it
(propose/likelihood_ratio.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np
import pandas as pd

from autodc import seeds
from autodc.diagnose.finder import Ball
from autodc.diagnose.finding import ATTRIBUTES
from autodc.diagnose.shadow.columns import Columns
from autodc.diagnose.unlabelled import Unlabelled
from autodc.errors import AutodcError
from autodc.large import pieces_of
from autodc.propose.likelihood_ratio import LIKELIER, likeness
from autodc.propose.numeric_support import within_reach
from autodc.propose.pool_neighbours import BYTES_A_ROW, PoolNeighbours
from autodc.propose.proposal import REST, Proposal
from autodc.propose.taking import TAKE

Array = np.ndarray[Any, Any]

POOL, CONTROL = "pool", "control"
SHARE, LEAST, MOST = 0.1, 200, 5000
"""Rows of a dataset: this share of the base, at least and at most so many; fewer where the pool has no more."""
FEWEST = 20
"""A dataset of fewer rows is not worth a question."""
FILLED = 0.5
"""Where fewer rows are likelier than not, the likest of the rule fill a dataset up to this share of what is wanted."""
MAJORITY = 0.5
"""Of a cluster: share of a row's neighbours among the explore rows that are in it."""
LOOKED_AT, AT_ONCE = 100_000, 4096
"""Of more free rows so many are looked at; for so many at once the nearest explore rows are asked."""
ABOVE, BEYOND = 1.5, 0.05
"""A class may have so many times its share of the failures, and this much beyond."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Rows that are wanted of the pool: for a finding, or more like those that were kept."""

    name: str
    """Of the dataset."""
    why: str
    """In a few words."""
    expected: float = 0.0
    """The gain of the objective that is hoped for."""
    finding: str | None = None
    """None: no finding names them."""
    code: str = ""
    rule: str = ""
    ids: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """Positions in validation of the explore rows inside the finding."""
    told: Mapping[str, Any] = field(default_factory=dict)
    """What else the finding tells."""
    more_of: str | None = None
    """A dataset that was kept, of whose kind more is wanted."""
    rows: int | None = None
    """How many; None: as many as a dataset of the pool usually has."""
    tags: tuple[str, ...] = ()
    like: Array | None = None
    """How like what is wanted each row of the pool is, shape (N,), where that is known ahead: those above LIKELIER are
    meant, `ids` the explore rows that are so. None: by the failing rows among `ids`."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Numbers that the proposal tells beside its rows."""

    @property
    def where(self) -> str | None:
        """Its rule without what that says of the class; None where rows are told otherwise."""
        return Unlabelled.of(self.rule, self.told).where if self.code == ATTRIBUTES else None


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PoolView:
    """The explore rows, and the rows of a pool measured alike."""

    ids: Array
    """Positions in validation, shape (n,)."""
    failed: Array
    """Shape (n,) of booleans."""
    target: Array
    """Shape (n,): the class; of numbers and others all 0."""
    attributes: pd.DataFrame
    """n rows."""
    embeddings: Mapping[str, Array]
    """Name → coordinates, shape (n, d), without NaN."""
    pool_attributes: pd.DataFrame
    """N rows."""
    pool_embeddings: Mapping[str, Array]
    """The same of the pool, shape (N, d)."""
    content: Array
    """Shape (N,): rows of the pool of one number are the same."""
    barred: Array
    """Shape (N,) of booleans: rows that the base has, that are of what is held out, or that were taken before."""

    @property
    def points(self) -> Array:
        """Explore rows in all embeddings side by side, shape (n, d)."""
        return _placed(self.embeddings, len(self.ids))

    def pool_points(self, rows: Array) -> Array:
        """These rows of the pool in all embeddings side by side, shape (rows, d)."""
        return _placed({name: np.asarray(one)[rows] for name, one in self.pool_embeddings.items()}, len(rows))


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chosen:
    """Rows of a pool for a finding."""

    rows: Array
    """Positions in the pool, the likeliest first."""
    matching: int
    """Rows of the pool that meet the rule."""
    doubles: int
    """Of these, rows that were left out: the base, an earlier dataset or the pool itself has them, or a held-out set
    has rows of their group."""
    beyond: int = 0
    """Chosen rows that do not meet the rule and are as like."""
    far: int = 0
    """Rows that meet the rule and were left out because their numbers are unlike those of all explore rows."""


def wanted_rows(base: int) -> int:
    """How many rows a dataset of the pool is to have, by those of the base."""
    return int(min(MOST, max(LEAST, SHARE * base)))


def choose(seen: PoolView, wish: Wish, count: int, seed: int, around: PoolNeighbours | None = None) -> Chosen:
    """Choose up to count rows of the pool. Raises DataError where the rule names what the pool does not have.

    around: of the same pool, where there are more wishes than one.
    """
    inside, around = np.isin(seen.ids, wish.ids), PoolNeighbours(seen) if around is None else around
    members = _members(seen, wish, inside, around)
    matching = int(members.sum())
    free = around.first & ~seen.barred
    wanted = inside & seen.failed if wish.like is None else inside
    by_chance = not 1 <= wanted.sum() < len(wanted)
    rule = wish.where
    offered = _looked_at(np.flatnonzero(free if rule is not None and not by_chance else members & free), members, seed)
    shown = seen.pool_attributes.iloc[offered]
    columns = Columns.shared(seen.attributes, seen.pool_attributes if len(members) <= LOOKED_AT else shown)
    candidates = offered[within_reach(columns, seen.attributes, shown, rule or "")]
    if wish.like is not None:
        like = wish.like[candidates]
    elif by_chance or not len(candidates):
        like = 1.0 + np.random.default_rng(seed).random(len(candidates))
    else:
        like = _likeness(seen, columns, wanted, candidates, seed)
    order = _in_order(candidates, like, members[candidates], count)
    rows = _within_quota(order, seen, wanted, count, around)
    beyond = int((~members[rows]).sum())
    doubles = matching - int((members & free).sum())
    far = int(members[offered].sum()) - int(members[candidates].sum())
    return Chosen(rows=rows, matching=matching, doubles=doubles, beyond=beyond, far=far)


def proposals(
    seen: PoolView, wishes: Sequence[Wish], *, base: int, cost: float, most: int, round_number: int, seed: int
) -> tuple[tuple[Proposal, ...], tuple[dict[str, str], ...]]:
    """A dataset of the pool for each wish, no row of it in another, and as many rows by chance as a control.

    base: rows of the base; cost: of a row; most: at most so many datasets beside the control. Also returns notes
    {code, got}: what could not be chosen.
    """
    barred, made, notes = seen.barred.copy(), list[Proposal](), list[dict[str, str]]()
    around = PoolNeighbours(seen)
    count = wanted_rows(base)
    for wish in wishes:
        if len(made) >= most:
            break
        try:
            own, wanted = seeds.integer(seed, "pool", wish.name), count if wish.rows is None else wish.rows
            chosen = choose(replace(seen, barred=barred), wish, wanted, own, around)
        except AutodcError as error:
            notes.append({"code": "ADC-PROP-002", "got": f"{wish.name}: {error.brief}"})
            continue
        if len(chosen.rows) < FEWEST:
            notes.append({"code": "ADC-PROP-003", "got": f"{wish.name}: {_too_few(chosen)}"})
            continue
        barred[chosen.rows] = True
        made.append(_proposal(wish, chosen, cost))
    beside = [one for one in made if REST not in one.tags]
    if beside:
        named = [one for one in beside if not one.tags] or beside
        size = max(one.rows for one in named)
        left = np.flatnonzero(~barred)
        rows = np.sort(np.random.default_rng(seeds.integer(seed, "control", round_number)).permutation(left)[:size])
        if len(rows) >= FEWEST:
            made.append(_control(f"random-{round_number}", rows, beside, cost))
    return tuple(made), tuple(notes)


def _proposal(wish: Wish, chosen: Chosen, cost: float) -> Proposal:
    n = len(chosen.rows)
    return Proposal(
        name=wish.name,
        by=POOL,
        maker=TAKE,
        arguments={
            "rows": chosen.rows.tolist(),
            "matching": chosen.matching,
            "doubles": chosen.doubles,
            "beyond": chosen.beyond,
            **wish.facts,
        },
        parts=(POOL,),
        rows=n,
        cost=round(n * cost, 6),
        finding=wish.finding,
        more_of=wish.more_of,
        tags=wish.tags,
        expected=round(wish.expected, 6),
        words=_words(chosen, wish),
    )


def _words(chosen: Chosen, wish: Wish) -> str:
    if wish.tags:
        return f"{len(chosen.rows)} rows of the pool: {wish.why}"
    within = f"{len(chosen.rows) - chosen.beyond} of {chosen.matching} rows of the pool that match"
    return f"{within}{f', {chosen.beyond} as like beyond its rule' if chosen.beyond else ''}: {wish.why}"


def _too_few(chosen: Chosen) -> str:
    """How many rows there are, and what became of others that match."""
    gone = [f"{chosen.doubles} are not free"] if chosen.doubles else []
    gone += [f"{chosen.far} are unlike all rows that were looked at"] if chosen.far else []
    told = f"; of {chosen.matching} that match, {' and '.join(gone)}" if gone else ""
    return f"{len(chosen.rows)} rows of the pool match, {FEWEST} needed{told}"


def _control(name: str, rows: Array, beside: Sequence[Proposal], cost: float) -> Proposal:
    return Proposal(
        name=name,
        by=POOL,
        maker=TAKE,
        arguments={"rows": rows.tolist()},
        parts=(POOL,),
        rows=len(rows),
        cost=round(len(rows) * cost, 6),
        control_of=tuple(one.name for one in beside),
        tags=(CONTROL,),
        words=f"{len(rows)} rows of the pool by chance, as a control",
    )


def _members(seen: PoolView, wish: Wish, inside: Array, around: PoolNeighbours) -> Array:
    """The rows of the pool that a finding means, shape (N,)."""
    if wish.like is not None:
        return np.asarray(wish.like > LIKELIER)
    if wish.finding is None:
        return np.ones(len(seen.barred), dtype=bool)
    if (where := wish.where) is not None:
        return Unlabelled(where=where).mask(seen.pool_attributes, np.zeros(len(seen.pool_attributes)))
    ball = wish.told.get("ball")
    if ball is not None and ball["embedding"] in seen.pool_embeddings:
        chosen = Ball(embedding=ball["embedding"], centre=np.asarray(ball["centre"]), radius=float(ball["radius"]))
        return chosen.mask(seen.pool_embeddings[chosen.embedding])
    pieces = pieces_of(len(seen.barred), BYTES_A_ROW)
    return np.concatenate(
        [np.zeros(0, bool), *(inside[around.nearest(piece)].mean(axis=1) >= MAJORITY for piece in pieces)]
    )


def _looked_at(rows: Array, members: Array, seed: int) -> Array:
    """All of these rows; of very many some by chance, those of the rule before others."""
    if len(rows) <= LOOKED_AT:
        return rows
    some = np.random.default_rng(seeds.integer(seed, "looked at")).permutation(rows)
    return np.sort(some[np.argsort(~members[some], kind="stable")[:LOOKED_AT]])


def _placed(embeddings: Mapping[str, Array], n: int) -> Array:
    """All embeddings side by side; a column of zeros where there are none."""
    each = [np.asarray(embeddings[name]) for name in sorted(embeddings)]
    return np.column_stack(each) if each else np.zeros((n, 1), dtype=np.float32)


def _likeness(seen: PoolView, columns: Columns, wanted: Array, candidates: Array, seed: int) -> Array:
    """How like the wanted failures rows of the pool are, by attributes and place, shape (candidates,)."""
    known = np.column_stack([columns.encode(seen.attributes), seen.points])
    rows = np.column_stack([columns.encode(seen.pool_attributes.iloc[candidates]), seen.pool_points(candidates)])
    return likeness(known.astype(np.float32), wanted, seen.failed, rows.astype(np.float32), seed)


def _in_order(candidates: Array, like: Array, members: Array, count: int) -> Array:
    """Rows that are likelier than not, those of the rule first; where these are few, more of the rule up to FILLED."""
    order = np.lexsort((-like, ~members))
    sure = order[like[order] > LIKELIER]
    others = order[members[order] & (like[order] <= LIKELIER)]
    filling = others[: max(0, int(FILLED * count) - len(sure))]
    return np.asarray(candidates[np.concatenate([sure, filling])])


def _within_quota(order: Array, seen: PoolView, wanted: Array, count: int, around: PoolNeighbours) -> Array:
    """The first count rows of an order, of each class not many more than its share of the failures.

    The class of a row of the pool is that of most explore rows near it: its label is not asked.
    """
    codes = _by_name(seen.target)
    own = np.bincount(codes[wanted], minlength=int(codes.max(initial=0)) + 1)
    if (own > 0).sum() < 2 or len(order) <= count:
        return order[:count]
    room = np.ceil(count * ABOVE * (own / own.sum())).astype(int) + int(np.ceil(count * BEYOND))
    taken, left = list[int](), list[int]()
    for at in range(0, len(order), AT_ONCE):
        rows = order[at : at + AT_ONCE]
        for row, code in zip(rows.tolist(), _likeliest(codes[around.nearest(rows)]).tolist(), strict=True):
            if room[code] > 0 and len(taken) < count:
                room[code] -= 1
                taken.append(row)
            else:
                left.append(row)
        if len(taken) == count:
            break
    return np.asarray([*taken, *left[: count - len(taken)]], dtype=np.int64)


def _by_name(target: Array) -> Array:
    """Classes as numbers in the order of their names, shape (n,)."""
    codes, values = pd.factorize(target, use_na_sentinel=False)
    return np.asarray(np.unique(np.asarray(values).astype(str), return_inverse=True)[1].ravel()[codes])


def _likeliest(around: Array) -> Array:
    """The number that a row has most often, of several the lowest, shape (m,). around: shape (m, neighbours)."""
    votes = (around[:, :, None] == around[:, None, :]).sum(axis=2)
    first = (votes * (int(around.max(initial=0)) + 1) - around).argmax(axis=1)
    return np.asarray(around[np.arange(len(around)), first])
