"""A small network that cleans pictures: how far to trust the middle of each pixel's neighbours, and what to add."""

import torch
from torch import nn
from torch.nn import functional


class Denoiser(nn.Module):
    """Convolutions of three by three that keep the size, of a picture and its distance from its median filter."""

    def __init__(self, channels, width, depth):
        super().__init__()
        layers = [nn.Conv2d(2 * channels, width, 3, padding=1), nn.ReLU()]
        for _ in range(depth - 1):
            layers += [nn.Conv2d(width, width, 3, padding=1), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, 2 * channels, 3, padding=1))

    def forward(self, x):
        """Pictures (n, channels, height, width) without their noise."""
        away = medians(x) - x
        trust, rest = self.layers(torch.cat([x, 4 * away], 1)).chunk(2, 1)
        return x + torch.sigmoid(trust) * away + rest


def denoiser(shape, outputs, hyper):
    """The network for pictures of a shape. hyper: `width` channels in each of `depth` layers before the last."""
    return Denoiser(outputs, hyper["width"], hyper["depth"])


def medians(x):
    """The middle of the nine pixels around each."""
    height, width = x.shape[-2:]
    around = functional.pad(x, (1, 1, 1, 1), mode="replicate")
    shifted = [around[..., i : i + height, j : j + width] for i in range(3) for j in range(3)]
    return torch.stack(shifted).median(0).values
