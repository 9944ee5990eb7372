"""The decoder port: an input as coordinates and back, in which counterfactuals are looked for."""

from __future__ import annotations

from typing import Any, Protocol, final

import numpy as np

Array = np.ndarray[Any, Any]

COMPONENTS = 48


class Decoder(Protocol):
    """Learns from inputs as rows of numbers; ours are `Components` and, behind an option, a conditional autoencoder."""

    name: str

    def fit(self, x: Array, strata: Array, seed: int) -> None:
        """Learn. x: shape (n, d), float32; strata: shape (n,), integers from 0, the classes."""
        ...

    def encode(self, x: Array, strata: Array) -> Array:
        """Coordinates, shape (n, k)."""
        ...

    def decode(self, z: Array, strata: Array) -> Array:
        """Inputs, shape (n, d)."""
        ...


@final
class Components:
    """Principal components; the class of a row is not looked at."""

    name = "pca"

    def __init__(self, components: int = COMPONENTS) -> None:
        self.components = components
        self.mean: Array = np.zeros(0)
        self.axes: Array = np.zeros((0, 0))

    def fit(self, x: Array, strata: Array, seed: int) -> None:
        """Learn mean and axes; exact for narrow inputs, by random projection (Halko 2011) for wide ones."""
        from sklearn.decomposition import PCA

        k = max(min(self.components, *x.shape), 1)
        solver = "covariance_eigh" if x.shape[1] <= 1000 else "randomized"
        known = PCA(k, svd_solver=solver, random_state=seed).fit(x)
        self.mean, self.axes = known.mean_.astype(np.float32), known.components_.astype(np.float32)

    def encode(self, x: Array, strata: Array) -> Array:
        """Coordinates, shape (n, k)."""
        return np.asarray((x - self.mean) @ self.axes.T)

    def decode(self, z: Array, strata: Array) -> Array:
        """Inputs, shape (n, d)."""
        return np.asarray(z @ self.axes + self.mean)
