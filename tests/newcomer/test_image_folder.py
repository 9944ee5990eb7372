"""An image folder: one subfolder a class, photographs of all sizes, some grey or with a palette, one table about all.

They are cut from the two photographs that scikit-learn brings, each part from a part of its own; the rain is drawn.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw
from sklearn.datasets import load_sample_image

STUDY = """\
schema_version: 1
name: photographs

task:
  kind: classification
  trainer: torch_image
  options: {network: tiny_cnn, steps: 40}

data:
  base: {source: images/train, options: {size: [64, 64], mode: RGB, metadata: meta.csv}}
  candidates:
    - {name: rain, source: images/extra_rain, options: {size: [64, 64], mode: RGB, metadata: meta.csv}}
  validation: {source: images/val, options: {size: [64, 64], mode: RGB, metadata: meta.csv}}
  test: {source: images/test, options: {size: [64, 64], mode: RGB, metadata: meta.csv}}

metrics: {primary: accuracy}

slices:
  - {name: overall, role: guard, margin: 0.1}
  - {name: night, where: "hour < 6", role: guard, margin: 0.15}
  - {name: wet, where: "camera = 'roof'", role: target}

search_space:
  lr: {type: float, low: 1.0e-3, high: 3.0e-2, log: true}

loop: {rounds: 1}
search: {trials_per_round: 6}
budget: {trainings: 24}
tracking: {uri: none}
"""
PARTS = {"train": (0, 230, 60), "extra_rain": (230, 330, 50), "val": (330, 490, 70), "test": (490, 640, 40)}
"""Part → the columns of the photographs that it is cut from, and pictures of a class."""


def patch(photograph: Image.Image, first: int, last: int, rain: bool, r: np.random.Generator) -> Image.Image:
    """A square of 40 to 200 pixels a side, from some columns of a photograph, with rain on it or not."""
    side = int(r.integers(40, min(200, last - first)))
    left, top = r.integers(first, last - side), r.integers(0, photograph.height - side)
    image = photograph.crop((left, top, left + side, top + side))
    if rain:
        image = Image.blend(image, Image.new("RGB", image.size, (60, 65, 80)), 0.7)
        draw = ImageDraw.Draw(image)
        for x, y in r.integers(-side, side, (side // 2, 2)).tolist():
            draw.line([x, y, x + side // 4, y + side], fill=(70, 75, 90), width=3)
    return image.convert(str(r.choice(["RGB", "RGB", "RGB", "P", "L"])))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """images/PART/CLASS/*.png|jpg and meta.csv. Half of what is held out is wet, nothing of the base."""
    folder = tmp_path_factory.mktemp("written")
    photographs = {name: Image.fromarray(load_sample_image(f"{name}.jpg")) for name in ("china", "flower")}
    r, about = np.random.default_rng(0), []
    for part, (first, last, count) in PARTS.items():
        for name, photograph in photographs.items():
            (folder / "images" / part / name).mkdir(parents=True)
            for i in range(count):
                rain = part == "extra_rain" or (part in ("val", "test") and i % 2 == 0)
                image = patch(photograph, first, last, rain, r)
                file = f"{part}/{name}/{i:03}.{'png' if i % 3 or image.mode == 'P' else 'jpg'}"
                image.save(folder / "images" / file)
                about.append((file, "roof" if rain else "door", int(r.integers(0, 24))))
    pd.DataFrame(about, columns=["file", "camera", "hour"]).to_csv(folder / "meta.csv", index=False)
    return folder


@pytest.fixture
def pictures(desk: Path, written: Path) -> Path:
    """The same, in a folder of one's own, with the study."""
    shutil.copytree(written, desk, dirs_exist_ok=True)
    (desk / "study.yaml").write_text(STUDY)
    return desk


@pytest.mark.slow
def test_check_is_green(pictures: Path, check: Callable[..., Any]) -> None:
    found = check()
    assert found["can_keep"]
    assert not any("no row" in one for one in found["warnings"])
    assert {one["name"]: one["rows"] for one in found["datasets"]} == {
        "base": 120, "rain": 100, "validation": 140, "test": 80
    }  # fmt: skip


@pytest.mark.slow
def test_init_finds_the_parts_and_the_table(pictures: Path, init: Callable[..., Any]) -> None:
    told = init("images")
    assert (told["trainer"], told["candidates"]) == ("torch_image", ["extra_rain"])
    assert {"camera_roof", "camera_door"} <= set(told["slices"])


@pytest.mark.slow(seconds=30)
def test_it_runs_to_the_end_and_reads_slices_from_the_table(pictures: Path, run: Callable[..., Any]) -> None:
    test = run().result["test"]
    assert set(test["after"]) == {"overall", "night", "wet"}
    assert test["after"]["overall"] > 0.7
