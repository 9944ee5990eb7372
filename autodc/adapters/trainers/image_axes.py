"""How the axes of an image lie in an array, and images as tensors with their channels first."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from autodc.trial.outputs import TrainerError

Array = np.ndarray[Any, Any]
BYTE = 255.0
MAX_CHANNELS_LAST = 4


def layout_of(shape: tuple[int, ...], wish: str) -> str:
    """Grey, channels_last or channels_first: as wished, where that is `auto` by the last axis. Raises TrainerError."""
    if len(shape) == 2:
        return "grey"
    if len(shape) != 3:
        hint = "images are (n, h, w), (n, h, w, c) or (n, c, h, w)"
        raise TrainerError("ADC-TRAIN-033", "these rows are not images", "torch_image", f"rows of shape {shape}", hint)
    if wish != "auto":
        return wish
    return "channels_last" if shape[-1] <= MAX_CHANNELS_LAST else "channels_first"


def shape_of(shape: list[int], layout: str) -> tuple[int, int, int]:
    """Channels, height and width of a row."""
    if layout == "grey":
        return 1, shape[0], shape[1]
    if layout == "channels_last":
        return shape[2], shape[0], shape[1]
    return shape[0], shape[1], shape[2]


def channels_first(x: Array, layout: str) -> torch.Tensor:
    """(n, ...) in any layout → (n, c, h, w); bytes stay bytes, anything else is float32."""
    moved = x[:, None] if layout == "grey" else x.transpose(0, 3, 1, 2) if layout == "channels_last" else x
    return torch.from_numpy(np.ascontiguousarray(moved, dtype=np.uint8 if x.dtype == np.uint8 else np.float32))


def as_floats(x: torch.Tensor) -> torch.Tensor:
    """What `channels_first` gave, or some rows of it, as float32; bytes to 0..1."""
    return x.to(torch.float32).div_(BYTE) if x.dtype == torch.uint8 else x


def from_channels(x: torch.Tensor, shape: list[int], layout: str) -> torch.Tensor:
    """Back to the layout that rows had; shape: of one row."""
    if layout == "grey":
        return x.reshape(len(x), *shape)
    return x.permute(0, 2, 3, 1).contiguous() if layout == "channels_last" else x
