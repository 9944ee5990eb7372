"""Worlds with planted weaknesses: real rows of which the base lacks some kinds, a pool that has a few of them.

A loop is given base, pool, generators and validation, without a word of which rows are of which kind. The test is kept
from it. Images: scikit-learn's digits at 12 × 12 under the conditions of `benchmarks/worlds/conditions.py`, and
Fashion-MNIST under those of `benchmarks/diagnose/conditions.py`, seen at 14 × 14. The table is the hours of a bike
share (ISLP), of which the base lacks the free days; the texts are snippets of reviews of films (Hutto and Gilbert
2014), of which it lacks products and tweets. (Before there were women and the self-employed of the census, and
editorials: a base without them is within 5 points of one with them, which is no weakness that anyone could cure.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, final

import numpy as np
import pandas as pd
from pandas.util import hash_pandas_object

from autodc import seeds
from autodc.data.hashing import row_hashes
from benchmarks.clothes import images
from benchmarks.diagnose.conditions import dark, inverted, noisy, veiled
from benchmarks.diagnose.conditions import photograph as of_camera
from benchmarks.diagnose.rows import digits
from benchmarks.real.cases.text import snippets
from benchmarks.real.fetch import package
from benchmarks.worlds.conditions import photograph as of_desk

Array = np.ndarray[Any, Any]
Kind = Literal["digits", "fashion", "table", "text"]

PLAIN = "plain"
AT_DESK = {f.__name__: f for f in (dark, inverted, noisy, veiled)}
"""Conditions of a camera that need no size of their own: digits may have them too."""
FEW = 0.02
"""Share of a planted condition in the base where it has a few rows of it."""
SIZES: Mapping[str, tuple[int, int, int, int]] = {"digits": (500, 1200, 2400, 350), "fashion": (700, 1500, 2400, 350)}
"""Rows of base, pool and validation; of the test for each planted kind, and as many plain ones."""
POOL_SHARE, OTHER_SHARE, SEEN_SHARE = 0.12, 0.1, 0.12
"""Of the pool under each planted and each other condition, of validation under each planted one."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One world."""

    name: str
    kind: Kind
    weak: tuple[str, ...]
    """Kinds of rows that the base lacks."""
    other: tuple[str, ...] = ()
    """Conditions that the pool has as well, and neither base nor validation."""
    generators: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    """Name → generator of ours, and what it varies; nothing: all it can."""
    wrong: str = ""
    """The generator that varies what is not planted."""
    few: bool = False
    """Whether the base has a few rows of what is planted."""
    seed: int = 0


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """Rows. kind: shape (n,), which weakness each is of; the loop is not told."""

    x: Any
    y: Array
    kind: Array
    group: Array

    def __len__(self) -> int:
        return len(self.y)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """What a world is made of. oracle: weak kind → real rows of it alone, as many as anyone may want."""

    base: Part
    pool: Part
    validation: Part
    test: Part
    oracle: Mapping[str, Part]

    @property
    def digest(self) -> str:
        """Identity of all rows."""
        every = (self.base, self.pool, self.validation, self.test, *self.oracle.values())
        found = [row_hashes(one.x) if isinstance(one.x, np.ndarray) else hash_pandas_object(one.x) for one in every]
        return hashlib.sha256(b"".join(np.asarray(rows).tobytes() for rows in found)).hexdigest()[:12]


def _images(name: str, kind: Kind, weak: str, wrong: str, number: int, **more: Any) -> Planted:
    other = tuple(str(more.pop("other", "")).split())
    varied = {"studio": ("image", ()), "wrong": ("image", tuple(wrong.split()))}
    return Planted(
        name=name,
        kind=kind,
        weak=tuple(weak.split()),
        other=other,
        generators=varied,
        wrong="wrong",
        seed=number,
        **more,
    )


WORLDS: Mapping[str, Planted] = {
    one.name: one
    for one in (
        _images("digits-1", "digits", "bold turned", "noise", 1, other="screened"),
        _images("digits-2", "digits", "struck inverted", "blur", 2, other="mirrored"),
        _images("digits-3", "digits", "shifted veiled", "noise", 3, other="turned", few=True),
        _images("digits-4", "digits", "dark halved", "rotation", 4, other="bold"),
        _images("digits-5", "digits", "turned masked veiled", "noise", 5, other="shifted", few=True),
        _images("fashion-1", "fashion", "dark turned", "noise", 6, other="coarse"),
        _images("fashion-2", "fashion", "noisy inverted shrunk", "rotation", 7, other="framed"),
        _images("fashion-3", "fashion", "turned barred", "contrast", 8, other="dark", few=True),
        _images("fashion-4", "fashion", "shifted veiled framed", "blur", 9, other="thick"),
        _images("fashion-5", "fashion", "thick shrunk", "noise", 10, other="veiled", few=True),
        Planted(name="bikes", kind="table", weak=("free",), generators={"people": ("table", ())}, seed=11),
        Planted(
            name="snippets", kind="text", weak=("products", "tweets"), generators={"typist": ("text", ())}, seed=12
        ),
    )
}


def parts(world: Planted) -> Parts:
    """Draw a world; the same name, the same rows."""
    return _DRAW[world.kind](world)


def _of_images(world: Planted) -> Parts:
    rng = seeds.generator(world.seed, "planted", world.name)
    sizes = SIZES[world.kind]
    raw, y, cut = _digits(rng) if world.kind == "digits" else _clothes(rng)
    take = _at_desk if world.kind == "digits" else _by_camera

    def drawn(which: int, count: int, shares: Mapping[str, float]) -> Part:
        """So many pictures of the scans of a part, each condition as often as its share says, the others plain."""
        scans = cut[which]
        rows = np.concatenate([rng.permutation(scans) for _ in range(-(-count // len(scans)))])[:count]
        kind = np.full(count, PLAIN, dtype="U12")
        ends = np.cumsum([0, *(round(share * count) for share in shares.values())])
        order = rng.permutation(count)
        for name, low, high in zip(shares, ends[:-1], ends[1:], strict=True):
            kind[order[low:high]] = name
        return Part(x=take(raw[rows], kind, rng), y=y[rows], kind=kind, group=rows)

    weak, few = world.weak, FEW if world.few else 0.0
    rows = sizes[3] * (len(weak) + 1)
    each = 1.0 / (len(weak) + 1)
    return Parts(
        base=drawn(0, sizes[0], dict.fromkeys(weak, few) if few else {}),
        pool=drawn(1, sizes[1], {**dict.fromkeys(weak, POOL_SHARE), **dict.fromkeys(world.other, OTHER_SHARE)}),
        validation=drawn(2, sizes[2], dict.fromkeys(weak, SEEN_SHARE)),
        test=drawn(3, rows, dict.fromkeys(weak, each)),
        oracle={name: drawn(1, 1500, {name: 1.0}) for name in weak},
    )


def _digits(rng: np.random.Generator) -> tuple[Array, Array, Sequence[Array]]:
    """Scans of ink 0 … 1 at 12 × 12: 350 for the base, 600 for the pool, 400 for validation, 447 for the test."""
    x, y = digits()
    return x, y.astype(np.int64), np.split(rng.permutation(len(y)), [350, 950, 1350])


def _clothes(rng: np.random.Generator) -> tuple[Array, Array, Sequence[Array]]:
    """Fashion-MNIST, 28 × 28 bytes: the test from its test part."""
    x, y = images()
    train, test = rng.permutation(60_000)[:8000], 60_000 + rng.permutation(10_000)[:4000]
    return x, y.astype(np.int64), (*np.split(train, [1000, 6000]), test)


def _at_desk(scans: Array, kind: Array, rng: np.random.Generator) -> Array:
    x = np.empty((len(scans), 12, 12), dtype=np.float32)
    for name in np.unique(kind):
        rows = np.flatnonzero(kind == name)
        known = str(name) if str(name) not in AT_DESK else PLAIN
        some = of_desk(scans[rows], known, rng).reshape(-1, 12, 12)
        if str(name) in AT_DESK:
            some = np.clip(AT_DESK[str(name)](some, rng.uniform(0.3, 1.0, len(rows)), rng), 0.0, 1.0)
        x[rows] = some
    return x


def _by_camera(scans: Array, kind: Array, rng: np.random.Generator) -> Array:
    strength = np.where(kind == PLAIN, 0.0, rng.uniform(0.3, 1.0, len(scans)))
    taken = of_camera(scans, kind, strength, rng)
    return np.asarray(taken.reshape(-1, 14, 2, 14, 2).mean((2, 4)) / 255, dtype=np.float32)


def _of_table(world: Planted) -> Parts:
    """Hours with more riders than the median hour; the hours of a day are in one part."""
    table = pd.read_csv(next(package("islp").rglob("Bikeshare.csv")))
    kinds = np.where(table.workingday == 0, "free", PLAIN)
    frame = table[["hr", "weekday", "mnth", "weathersit", "temp", "hum", "windspeed"]]
    days = table.day.to_numpy()
    rng = seeds.generator(world.seed, "planted", world.name)
    cuts = np.split(rng.permutation(np.unique(days)), [90, 180, 290])
    sizes = {PLAIN: (600, 1050, 2000), "free": (0, 150, 300)}
    found = [[rng.permutation(np.flatnonzero(np.isin(days, cut) & (kinds == name))) for cut in cuts] for name in sizes]
    held = [[*map(_first, rows[:3], counts), rows[3]] for rows, counts in zip(found, sizes.values(), strict=True)]
    oracle = {name: rows[1] for name, rows in zip(sizes, found, strict=True) if name in world.weak}
    return _cut(frame, (table.bikers > table.bikers.median()).to_numpy(np.int64), kinds, days, held, oracle, rng)


def _of_text(world: Planted) -> Parts:
    """Whether a snippet is kind."""
    table = snippets(package("vader"))
    kinds = table.domain.replace({"movie": PLAIN, "amazon": "products", "tweet": "tweets"}).to_numpy()
    rng = seeds.generator(world.seed, "planted", world.name)
    sizes = {PLAIN: (1200, 1600, 1900, 0), "products": (0, 200, 250, 800), "tweets": (0, 200, 250, 800)}
    held, oracle = list[list[Array]](), dict[str, Array]()
    for name, counts in sizes.items():
        *parted, more, rest = np.split(rng.permutation(np.flatnonzero(kinds == name)), np.cumsum(counts))
        held.append([*parted, rest[:700]])
        oracle[name] = more
    oracle = {name: oracle[name] for name in world.weak}
    return _cut(table["text"], table["y"].to_numpy(np.int64), kinds, np.arange(len(table)), held, oracle, rng)


def _first(rows: Array, count: int) -> Array:
    return rows[:count]


def _cut(
    x: Any,
    y: Array,
    kinds: Array,
    group: Array,
    held: Sequence[Sequence[Array]],
    oracle: Mapping[str, Array],
    rng: np.random.Generator,
) -> Parts:
    """held: for each kind its rows in base, pool, validation and test."""

    def part(rows: Array) -> Part:
        return Part(x=x.iloc[rows].reset_index(drop=True), y=y[rows], kind=kinds[rows].astype("U12"), group=group[rows])

    base, pool, validation, test = (part(rng.permutation(np.concatenate(at))) for at in zip(*held, strict=True))
    more = {name: part(rows) for name, rows in oracle.items()}
    return Parts(base=base, pool=pool, validation=validation, test=test, oracle=more)


_DRAW: Mapping[str, Callable[[Planted], Parts]] = {
    "digits": _of_images,
    "fashion": _of_images,
    "table": _of_table,
    "text": _of_text,
}
