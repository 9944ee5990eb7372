"""The networks of `torch_image` and `torch_tabular`, small enough to train in seconds on one core."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

import torch
from torch import nn

Shape = tuple[int, int, int]
Builder = Callable[[Shape, int, Mapping[str, Any]], nn.Module]
"""(channels, height, width) of an input, number of outputs (channels for images), hyperparameters → network."""

DEFAULT_WIDTH = {"small_cnn": 16, "tiny_cnn": 8, "mlp": 128, "unet_small": 16}
SMALL_SIDE = 12
"""Images up to this side keep their resolution in the first layer."""


def small_cnn(shape: Shape, outputs: int, hyper: Mapping[str, Any]) -> nn.Module:
    """Two convolutions; the first halves the sides of all but small images, the second halves them always."""
    channels, height, width = shape
    w = hyper["width"]
    first = (
        nn.Conv2d(channels, w, 3, padding=1)
        if min(height, width) <= SMALL_SIDE
        else nn.Conv2d(channels, w, 5, stride=2, padding=2)
    )
    layers = [first, nn.ReLU(inplace=True), nn.Conv2d(w, 2 * w, 3, stride=2, padding=1), nn.ReLU(inplace=True)]
    return _with_head(layers, shape, outputs, hyper["dropout"])


def tiny_cnn(shape: Shape, outputs: int, hyper: Mapping[str, Any]) -> nn.Module:
    """Two convolutions of stride two."""
    w = hyper["width"]
    layers = [nn.Conv2d(shape[0], w, 3, stride=2, padding=1), nn.ReLU(inplace=True)]
    layers += [nn.Conv2d(w, 2 * w, 3, stride=2, padding=1), nn.ReLU(inplace=True)]
    return _with_head(layers, shape, outputs, hyper["dropout"])


def mlp(shape: Shape, outputs: int, hyper: Mapping[str, Any]) -> nn.Module:
    """`depth` hidden layers of `width` units on the flattened input."""
    size = shape[0] * shape[1] * shape[2]
    layers: list[nn.Module] = [nn.Flatten()]
    for _ in range(hyper["depth"]):
        layers += [nn.Linear(size, hyper["width"]), nn.ReLU(inplace=True)]
        size = hyper["width"]
    return nn.Sequential(*layers, nn.Dropout(hyper["dropout"]), nn.Linear(size, outputs))


def unet_small(shape: Shape, outputs: int, hyper: Mapping[str, Any]) -> nn.Module:
    """Two levels down and up with skips; adds its input where input and output have the same channels."""
    return _UNet(shape[0], outputs, hyper["width"], hyper["dropout"])


BUILDERS: dict[str, Builder] = {"small_cnn": small_cnn, "tiny_cnn": tiny_cnn, "mlp": mlp, "unet_small": unet_small}


def _with_head(layers: list[nn.Module], shape: Shape, outputs: int, dropout: float) -> nn.Module:
    body = nn.Sequential(*layers, nn.Flatten())
    with torch.no_grad():
        size = body(torch.zeros(1, *shape)).shape[1]
    return nn.Sequential(body, nn.Dropout(dropout), nn.Linear(size, outputs))


@final
class _UNet(nn.Module):  # type: ignore[misc]
    def __init__(self, channels: int, outputs: int, width: int, dropout: float) -> None:
        super().__init__()
        self.residual = channels == outputs
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.dropout = nn.Dropout(dropout)
        self.down1, self.down2 = _pair(channels, width), _pair(width, 2 * width)
        self.bottom = _pair(2 * width, 2 * width)
        self.up2, self.up1 = _pair(4 * width, width), _pair(2 * width, width)
        self.last = nn.Conv2d(width, outputs, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        one = self.down1(x)
        two = self.down2(self.pool(one))
        bottom = self.dropout(self.bottom(self.pool(two)))
        up = self.up2(torch.cat([_twice(bottom, two), two], 1))
        up = self.up1(torch.cat([_twice(up, one), one], 1))
        out: torch.Tensor = self.last(up)
        return x + out if self.residual else out


def _pair(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, 3, padding=1),
        nn.ReLU(inplace=True),
    )


def _twice(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Double the sides by repeating pixels, cut to the sides of `like`; deterministic on every device."""
    n, c, h, w = x.shape
    doubled = x[:, :, :, None, :, None].expand(n, c, h, 2, w, 2).reshape(n, c, 2 * h, 2 * w)
    return doubled[:, :, : like.shape[2], : like.shape[3]]
