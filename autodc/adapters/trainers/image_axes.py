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


def to_channels(x: Array, layout: str) -> torch.Tensor:
    """(n, ...) in any layout → float32 (n, c, h, w); bytes to 0..1."""
    scaled = x.astype(np.float32) / BYTE if x.dtype == np.uint8 else x.astype(np.float32)
    tensor = torch.from_numpy(scaled)
    if layout == "grey":
        return tensor.unsqueeze(1)
    return tensor.permute(0, 3, 1, 2).contiguous() if layout == "channels_last" else tensor


def from_channels(x: torch.Tensor, shape: list[int], layout: str) -> torch.Tensor:
    """Back to the layout that rows had; shape: of one row."""
    if layout == "grey":
        return x.reshape(len(x), *shape)
    return x.permute(0, 2, 3, 1).contiguous() if layout == "channels_last" else x
