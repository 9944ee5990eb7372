"""Decoders by name, and the one that wraps torch: a small variational autoencoder that is told the class."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, final

import numpy as np

from autodc.diagnose.decoder import Components, Decoder
from autodc.errors import InputError

Array = np.ndarray[Any, Any]

WIDTH, LATENT = 256, 16
EPOCHS, BATCH, RATE = 20, 128, 2e-3
BETA = 0.5
"""Weight of the divergence from the normal prior, against the squared error summed over an input."""


def decoder_named(name: str) -> Decoder:
    """The decoder of this name. Raises InputError ADC-DIAG-046 where there is none, 047 where torch is missing."""
    if name == Components.name:
        return Components()
    known = f"known are {Components.name} and {ConditionalAutoencoder.name}"
    if name != ConditionalAutoencoder.name:
        raise InputError("ADC-DIAG-046", "no decoder has this name", "--decoder", repr(name), known)
    if find_spec("torch") is None:
        hint = "pip install 'autodc-optimizer[torch]', or leave --decoder out for principal components"
        raise InputError("ADC-DIAG-047", "this decoder needs torch, which is not installed", "--decoder", name, hint)
    return ConditionalAutoencoder()


@final
class ConditionalAutoencoder:
    """Learns inputs given their class (Sohn, Lee, Yan 2015), on the CPU; slower and blurrier than components."""

    name = "vae"

    def __init__(self, latent: int = LATENT, epochs: int = EPOCHS) -> None:
        self.latent, self.epochs = latent, epochs
        self.low, self.high, self.classes = 0.0, 1.0, 1
        self.parts: dict[str, Any] = {}

    def fit(self, x: Array, strata: Array, seed: int) -> None:
        """Learn. x: shape (n, d); strata: shape (n,), integers from 0."""
        import torch
        from torch import nn

        self.low, self.high, self.classes = float(x.min()), float(x.max()), int(strata.max(initial=0)) + 1
        d, k = x.shape[1], self.classes
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed % 2**32)
            self.parts = {
                "encoder": nn.Sequential(nn.Linear(d + k, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 2 * self.latent)),
                "decoder": nn.Sequential(
                    nn.Linear(self.latent + k, WIDTH), nn.ReLU(), nn.Linear(WIDTH, d), nn.Sigmoid()
                ),
            }
            parameters = [p for part in self.parts.values() for p in part.parameters()]
            steps = torch.optim.Adam(parameters, lr=RATE)
            rows, kinds = torch.from_numpy(self._scaled(x)), self._kinds(strata)
            for _ in range(self.epochs):
                for some in torch.randperm(len(rows)).split(BATCH):
                    mean, spread = self.parts["encoder"](torch.cat([rows[some], kinds[some]], 1)).chunk(2, 1)
                    z = mean + torch.exp(0.5 * spread) * torch.randn_like(mean)
                    out = self.parts["decoder"](torch.cat([z, kinds[some]], 1))
                    divergence = 0.5 * (mean**2 + spread.exp() - 1 - spread).sum(1)
                    loss = (((out - rows[some]) ** 2).sum(1) + BETA * divergence).mean()
                    steps.zero_grad()
                    loss.backward()
                    steps.step()

    def encode(self, x: Array, strata: Array) -> Array:
        """Means of the coordinates, shape (n, latent)."""
        import torch

        with torch.no_grad():
            both = torch.cat([torch.from_numpy(self._scaled(x)), self._kinds(strata)], 1)
            return np.asarray(self.parts["encoder"](both)[:, : self.latent].numpy())

    def decode(self, z: Array, strata: Array) -> Array:
        """Inputs, shape (n, d)."""
        import torch

        with torch.no_grad():
            both = torch.cat([torch.from_numpy(np.asarray(z, dtype=np.float32)), self._kinds(strata)], 1)
            return np.asarray(self.parts["decoder"](both).numpy() * (self.high - self.low) + self.low)

    def _scaled(self, x: Array) -> Array:
        return np.asarray((x - self.low) / max(self.high - self.low, 1e-12), dtype=np.float32)

    def _kinds(self, strata: Array) -> Any:
        import torch

        return torch.eye(self.classes)[torch.from_numpy(np.asarray(strata, dtype=np.int64))]
