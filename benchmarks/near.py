"""How long near copies take, of text, tables and images; one core: `OMP_NUM_THREADS=1 python -m benchmarks.near`."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from autodc.data.dataset import Dataset
from autodc.data.near import looked_at
from autodc.data.nearness import near_copies
from autodc.table import Inputs, Table

ROWS, IMAGES, HELD, PLANTED = 20_000, 10_000, 2_000, 200
WORDS = 20_000


def texts(rng: np.random.Generator, rows: int) -> list[list[str]]:
    shares = 1 / np.arange(1, WORDS + 1)
    words = np.array([f"w{i}" for i in range(WORDS)])
    return [list(words[rng.choice(WORDS, rng.integers(20, 80), p=shares / shares.sum())]) for _ in range(rows)]


def changed(rng: np.random.Generator, words: list[str]) -> list[str]:
    """One word in 25 is another."""
    some = list(words)
    for at in rng.choice(len(words), max(1, len(words) // 25), replace=False):
        some[at] = f"other{rng.integers(99_999)}"
    return some


def table(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    numbers = {f"n{i}": rng.gamma(2, 50, rows) for i in range(20)}
    return pd.DataFrame({**numbers, **{f"c{i}": rng.choice(list("abcdef"), rows) for i in range(20)}})


def picture(rng: np.random.Generator) -> Image.Image:
    return Image.fromarray(rng.integers(0, 255, (9, 9, 3)).astype(np.uint8)).resize((96, 96), Image.Resampling.BICUBIC)


def written(folder: Path, name: str, images: list[Image.Image], suffix: str) -> Table:
    paths = [str(folder / f"{name}{i}.{suffix}") for i in range(len(images))]
    for image, path in zip(images, paths, strict=True):
        image.save(path)
    return Table.of_files(paths, [f"{hash(path) % 2**64:032x}" for path in paths])


def tell(what: str, training: Inputs, held: Inputs) -> None:
    parts = [Dataset(name="d", x=x, y=None, metadata=pd.DataFrame(index=range(len(x)))) for x in (training, held)]
    start = time.perf_counter()
    found, _ = near_copies(*map(looked_at, parts))
    print(f"{what}: {len(training)} beside {len(held)}, {len(found)} near, {time.perf_counter() - start:.1f} s")


def main() -> None:
    rng = np.random.default_rng(0)
    own, held = texts(rng, ROWS), texts(rng, ROWS)
    held[:PLANTED] = [changed(rng, words) for words in own[:PLANTED]]
    tell("texts", *(Table.of_texts([" ".join(words) for words in part]) for part in (own, held)))
    one, two = table(rng, ROWS), table(rng, ROWS)
    two.iloc[:PLANTED] = one.iloc[:PLANTED].round({f"n{i}": 2 for i in range(20)})
    types = ["number"] * 20 + ["category"] * 20
    tell("tables", *(Table.of("table", part, types) for part in (one, two)))
    images = [picture(rng) for _ in range(IMAGES + HELD)]
    few = [*images[:PLANTED], *images[IMAGES:]]
    known_array, held_array = (np.stack([np.asarray(image) for image in part]) for part in (images[:IMAGES], few))
    tell("image arrays", known_array, held_array // 2)
    with tempfile.TemporaryDirectory() as folder:
        known = written(Path(folder), "known", images[:IMAGES], "png")
        tell("image files", known, written(Path(folder), "held", few, "jpg"))


if __name__ == "__main__":
    main()
