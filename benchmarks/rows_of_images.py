"""Images as arrays and as files, beside a plain DataLoader."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rows_shared import EPOCHS, Case, loaders, of_lightning, of_torch, stored

IMAGES, FILES = 30_000, 2_400
SIDE = 32


def image_arrays(folder: Path) -> list[Case]:
    import torch
    from torch.utils.data import TensorDataset

    from autodc.adapters.trainers.options import TorchImageOptions
    from autodc.adapters.trainers.torch_image import TorchImage

    rng = np.random.default_rng(0)
    x, y = np.tile(pictures(rng, IMAGES // 10, SIDE), (10, 1, 1, 1)), rng.integers(0, 10, IMAGES)
    x[:, 0, 0, 0] = rng.integers(0, 255, IMAGES)
    parts = stored(folder, x, y)
    np.save(folder / "x.npy", x)
    np.save(folder / "y.npy", y)

    def dataset() -> Any:
        values = torch.from_numpy(np.load(folder / "x.npy")).permute(0, 3, 1, 2).contiguous()
        return TensorDataset(values.to(torch.float32).div(255), torch.from_numpy(np.load(folder / "y.npy")))

    trainer = TorchImage(TorchImageOptions(), "")
    ours = {
        "image arrays 32 × 32, torch_image": lambda: of_torch(trainer, parts, EPOCHS),
        "image arrays 32 × 32, lightning": lambda: of_lightning(parts, EPOCHS),
    }
    return [Case(ours=ours, peers=loaders(dataset, EPOCHS))]


def image_files(folder: Path) -> list[Case]:
    rng = np.random.default_rng(0)
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    sizes = {"32 × 32": (SIDE,), "of 40 to 160 pixels": (40, 64, 96, 160)}
    return [case for what, sides in sizes.items() for case in _of_files(folder, what, sides, rng)]


def _of_files(folder: Path, what: str, sides: Sequence[int], rng: np.random.Generator) -> list[Case]:
    import hashlib
    import shutil

    from PIL import Image

    from autodc.adapters.sources import read_source
    from autodc.adapters.trainers.options import TorchImageOptions
    from autodc.adapters.trainers.torch_image import TorchImage
    from autodc.studyfile.study import SourceSpec
    from autodc.table import Table

    place, paths = folder / what.replace(" ", ""), []
    for side in sides:
        for at, values in enumerate(pictures(rng, FILES // len(sides), side)):
            path = place / str(at % 10) / f"{side}-{at}.{'jpg' if at % 2 else 'png'}"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(values).save(path, **({"quality": 92} if at % 2 else {}))
            paths.append(str(path))
    y = rng.integers(0, 10, len(paths))
    content = [hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in paths]
    parts = stored(folder / f"of{place.name}", Table.of_files(paths, content), y)
    spec = SourceSpec(source=place.name, options={"size": [SIDE, SIDE], "mode": "RGB"})
    trainer = TorchImage(TorchImageOptions(size=(SIDE, SIDE), mode="RGB"), "")
    once, more = (loaders(lambda: Pictures(paths, y), n) for n in (1, EPOCHS))

    def forget() -> None:
        shutil.rmtree(folder / "cache", ignore_errors=True)

    def read() -> int:
        told = {"folder": str(folder), "name": "base", "place": "data.base", "kind": "classification"}
        return len(read_source(spec, **told).x)

    name = f"image files {what}"
    ours = {
        f"{name}, read by the source": read,
        f"{name}, torch_image, first trial, one epoch": lambda: of_torch(trainer, parts, 1),
    }
    later = {f"{name}, torch_image, a later trial, {EPOCHS} epochs": lambda: of_torch(trainer, parts, EPOCHS)}
    return [Case(ours=ours, peers=once, threads=2, afresh=forget), Case(ours=later, peers=more)]


def pictures(rng: np.random.Generator, count: int, side: int) -> Any:
    """Smooth pictures with some noise, RGB."""
    from PIL import Image

    found = np.empty((count, side, side, 3), np.uint8)
    for at in range(count):
        small = Image.fromarray(rng.integers(0, 230, (6, 6, 3), dtype=np.uint8))
        found[at] = np.asarray(small.resize((side, side))) + rng.integers(0, 25, (side, side, 3), dtype=np.uint8)
    return found


class Pictures:
    """Image files, opened one by one, as torchvision's ImageFolder and transforms do it."""

    def __init__(self, paths: list[str], targets: Any) -> None:
        self.paths, self.targets = paths, targets

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, at: int) -> Any:
        import torch
        from PIL import Image

        with open(self.paths[at], "rb") as file:
            image = Image.open(file).convert("RGB")
        if image.size != (SIDE, SIDE):
            image = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        values = torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()
        return values.to(torch.float32).div(255), self.targets[at]
