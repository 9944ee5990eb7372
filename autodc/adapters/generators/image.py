"""`image`: pictures of the base, turned, scaled, lit, blurred, covered: arrays (n, h, w[, c]) and image files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, final

import numpy as np
import pandas as pd
from pydantic import Field

from autodc.adapters.enrichers.image import MAX_CHANNELS, value_range
from autodc.adapters.generators.styles import NONE, STYLES
from autodc.adapters.generators.vary import refuse_unknown, varied
from autodc.studyfile.values import Spec
from autodc.trial.call import CallError

Array = np.ndarray[Any, Any]

PARAMETERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "rotation": {"type": "float", "low": -45.0, "high": 45.0, "identity": 0.0},
    "scale": {"type": "float", "low": 0.5, "high": 1.6, "log": True, "identity": 1.0},
    "shift_x": {"type": "float", "low": -0.25, "high": 0.25, "identity": 0.0},
    "shift_y": {"type": "float", "low": -0.25, "high": 0.25, "identity": 0.0},
    "stroke": {"type": "float", "low": -0.08, "high": 0.12, "identity": 0.0},
    "brightness": {"type": "float", "low": 0.1, "high": 2.5, "log": True, "identity": 1.0},
    "lighting": {"type": "float", "low": -1.0, "high": 1.0, "identity": 0.0},
    "contrast": {"type": "float", "low": 0.1, "high": 2.5, "log": True, "identity": 1.0},
    "background": {"type": "float", "low": 0.0, "high": 0.8, "identity": 0.0},
    "blur": {"type": "float", "low": 0.0, "high": 0.12, "identity": 0.0},
    "occlusion": {"type": "float", "low": 0.0, "high": 0.6, "identity": 0.0},
    "noise": {"type": "float", "low": 0.0, "high": 0.4, "identity": 0.0},
    "style": {"type": "categorical", "choices": [NONE, *STYLES], "identity": NONE},
    "invert": {"type": "categorical", "choices": [False, True], "identity": False},
}
SAYS: Final[Mapping[str, str]] = {
    "rotation": "degrees, clockwise is positive",
    "scale": "size of what is shown",
    "shift_x": "to the right, in widths",
    "shift_y": "downwards, in heights",
    "stroke": "wider (+) or thinner (-) strokes, in shorter sides, by grey morphology",
    "brightness": "times the grey values",
    "lighting": "share of the light that is missing at the left (-) or right (+) edge",
    "contrast": "times the distance from the mean grey",
    "background": "how much grey the background takes on",
    "blur": "standard deviation of a Gaussian, in shorter sides",
    "occlusion": "side of an even square at a random place, in shorter sides",
    "noise": "standard deviation of Gaussian noise",
    "style": "how it is drawn: four tones, dots, outlines, even patches",
    "invert": "black for white",
}
GEOMETRIC = ("rotation", "scale", "shift_x", "shift_y", "occlusion")
"""What moves or covers what is shown: no use where the target is an image too."""
BACKGROUND_REACH = 0.25
"""A pixel is background the less, the more it differs from the outermost ones: at this difference not at all."""
WHITE = 255.0


class ImageOptions(Spec):
    """Options of `image`."""

    vary: tuple[str, ...] = Field(
        default=(), description="the parameters that may change, all where left out; the others stay as they are"
    )


@final
@dataclass(frozen=True, slots=True)
class ImageGenerator:
    """Changes pictures; every other property stays as it was."""

    options: ImageOptions = field(default_factory=ImageOptions)
    low: float | None = None
    high: float | None = None
    """The values that are black and white; None: told by each batch."""

    @property
    def parameters(self) -> Mapping[str, Mapping[str, Any]]:
        """Those that may change."""
        return varied(PARAMETERS, self.options.vary)

    def fitted(self, x: Any, y: Array) -> ImageGenerator:
        """Learn which values are black and white."""
        refuse_unknown("image", PARAMETERS, self.options.vary)
        if isinstance(x, np.ndarray):
            _refuse_no_picture(x)
            return ImageGenerator(self.options, *value_range(x))
        if not isinstance(x, list):
            raise _no_picture("a table")
        return self

    def transform(
        self, x: Any, y: Array, metadata: pd.DataFrame, parameters: Mapping[str, Any], seed: int
    ) -> tuple[Any, Array, None]:
        """Return the pictures changed. x: an array (n, h, w), (n, h, w, c) or (n, c, h, w), or paths."""
        used = {name: about["identity"] for name, about in PARAMETERS.items()} | dict(parameters)
        if np.ndim(y) > 1 and (moved := [name for name in GEOMETRIC if used[name] != PARAMETERS[name]["identity"]]):
            hint = f"leave them out: options: {{vary: [{', '.join(n for n in PARAMETERS if n not in GEOMETRIC)}]}}"
            problem = "the target is an image too and would not move along"
            raise CallError("ADC-PROP-014", problem, "options.vary", ", ".join(moved), hint)
        if isinstance(x, np.ndarray):
            _refuse_no_picture(x)
            low, high = value_range(x) if self.low is None or self.high is None else (self.low, self.high)
            return _of_array(x, used, low, high, np.random.default_rng(seed)), y, None
        return [_of_file(path, used, np.random.default_rng([seed, at])) for at, path in enumerate(x)], y, None


def _of_array(x: Array, used: Mapping[str, Any], low: float, high: float, rng: np.random.Generator) -> Array:
    channels_first = x.ndim == 4 and x.shape[-1] > MAX_CHANNELS >= x.shape[1]
    pixels = x if x.ndim == 3 or not channels_first else np.moveaxis(x, 1, -1)
    pixels = pixels[..., None] if pixels.ndim == 3 else pixels
    unit = (pixels.astype(np.float32) - low) / (high - low)
    colours = unit[..., :3] if unit.shape[-1] == MAX_CHANNELS else unit  # what is transparent stays so
    changed = np.concatenate([changed_pixels(colours, used, rng), unit[..., colours.shape[-1] :]], axis=-1)
    same = changed == unit
    values = changed * (high - low) + low
    if x.dtype.kind in "iub":
        values = np.clip(np.round(values), low, high)
    values = np.where(same, pixels, values.astype(x.dtype))
    if x.ndim == 3:
        return np.asarray(values[..., 0])
    return np.ascontiguousarray(np.moveaxis(values, -1, 1)) if channels_first else np.asarray(values)


def _of_file(path: str, used: Mapping[str, Any], rng: np.random.Generator) -> Array:
    from autodc.adapters.pictures.decode import decoded
    from autodc.adapters.pictures.wish import Wish

    values = decoded(Path(path).read_bytes(), Wish()).values
    if values.dtype not in (np.uint8, np.bool_):
        got, hint = f"{Path(path).name}: {values.dtype}", "name a `mode` in the options of the source, so they are read"
        raise CallError("ADC-PROP-022", "image changes files of eight bits a channel alone", "generator", got, hint)
    top = np.uint8(255) if values.dtype == np.bool_ else np.uint8(1)
    return np.asarray(_of_array(values.astype(np.uint8)[None] * top, used, 0.0, WHITE, rng)[0])


def changed_pixels(x: Array, used: Mapping[str, Any], rng: np.random.Generator) -> Array:
    """Change pictures, (n, h, w, c) between 0 and 1. used: a value for every parameter."""
    from scipy import ndimage  # slow to import

    _, height, width, _ = x.shape
    side = min(height, width)
    out = x
    if used["stroke"]:
        out = _stroke(out, used["stroke"] * side)
    if any(used[name] != PARAMETERS[name]["identity"] for name in ("rotation", "scale", "shift_x", "shift_y")):
        out = _moved(out, used)
    if used["style"] != NONE:
        out = STYLES[used["style"]](out, _ground(out)).astype(np.float32)
    if used["background"]:
        ground = _ground(out)
        share = np.clip(1 - np.abs(out - ground) / BACKGROUND_REACH, 0, 1)
        out = out + used["background"] * share * np.where(ground > 0.5, -1, 1)
    if used["contrast"] != 1:
        mean = out.mean(axis=(1, 2, 3), keepdims=True)
        out = mean + used["contrast"] * (out - mean)
    if used["brightness"] != 1:
        out = out * used["brightness"]
    if used["lighting"]:
        across = np.linspace(0, 1, width, dtype=np.float32)
        across = across if used["lighting"] > 0 else across[::-1]
        out = out * (1 - abs(used["lighting"]) * across)[None, None, :, None]
    if used["blur"]:
        sigma = used["blur"] * side
        out = ndimage.gaussian_filter(out, (0, sigma, sigma, 0), mode="nearest")
    if used["occlusion"]:
        out = _covered(out, max(1, round(used["occlusion"] * side)), rng)
    if used["noise"]:
        out = out + rng.normal(0, used["noise"], out.shape).astype(np.float32)
    if used["invert"]:
        out = 1 - out
    return x if out is x else np.clip(out, 0, 1).astype(np.float32)


def _ground(x: Array) -> Array:
    """The median of the outermost pixels of each picture, (n, 1, 1, c)."""
    ring = [x[:, 0], x[:, -1], x[:, 1:-1, 0], x[:, 1:-1, -1]]
    return np.asarray(np.median(np.concatenate(ring, axis=1), axis=1)[:, None, None])


def _moved(x: Array, used: Mapping[str, Any]) -> Array:
    from scipy import ndimage

    _, height, width, _ = x.shape
    angle, scale = np.deg2rad(used["rotation"]), used["scale"]
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / scale
    centre = np.array([(height - 1) / 2, (width - 1) / 2])
    shift = np.array([used["shift_y"] * height, used["shift_x"] * width])
    matrix, offset = np.eye(4), np.zeros(4)
    matrix[1:3, 1:3] = turn
    offset[1:3] = centre - turn @ (centre + shift)
    ground = _ground(x)
    return np.asarray(ground + ndimage.affine_transform(x - ground, matrix, offset, order=1, mode="constant"))


def _stroke(x: Array, radius: float) -> Array:
    """Widen or thin what stands before the background, a disc of this radius in pixels; between whole ones blended."""
    from scipy import ndimage

    dark_on_light = _ground(x) > 0.5
    light = np.where(dark_on_light, 1 - x, x)
    grow = ndimage.grey_dilation if radius > 0 else ndimage.grey_erosion

    def at(r: int) -> Array:
        if not r:
            return np.asarray(light)
        y, z = np.ogrid[-r : r + 1, -r : r + 1]
        return np.asarray(grow(light, footprint=(y * y + z * z <= r * r + 0.5)[None, :, :, None]))

    whole, rest = divmod(abs(radius), 1.0)
    out = (1 - rest) * at(int(whole)) + rest * at(int(whole) + 1)
    return np.where(dark_on_light, 1 - out, out).astype(np.float32)


def _covered(x: Array, side: int, rng: np.random.Generator) -> Array:
    """Lay an even square of a random grey over each picture, where the middle of it is within the picture."""
    n, height, width, channels = x.shape
    top, left = rng.integers(0, height, n) - side // 2, rng.integers(0, width, n) - side // 2
    rows, columns = np.arange(height)[None, :, None], np.arange(width)[None, None, :]
    inside = (rows >= top[:, None, None]) & (rows < top[:, None, None] + side)
    inside = inside & (columns >= left[:, None, None]) & (columns < left[:, None, None] + side)
    grey = np.broadcast_to(rng.random((n, 1, 1, 1)), (n, 1, 1, channels))
    return np.where(inside[..., None], grey, x).astype(np.float32)


def _refuse_no_picture(x: Array) -> None:
    if x.ndim not in (3, 4):
        raise _no_picture(f"arrays of shape {x.shape[1:]}")


def _no_picture(got: str) -> CallError:
    hint = "name table or text, or a generator of your own: path/to/file.py:Object"
    return CallError("ADC-PROP-022", "image changes pictures alone", "generator", got, hint)
