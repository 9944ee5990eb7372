"""What `init` says of sizes and dates is what the data are."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from autodc.verbs.draft.pictures import picture_shape


def drawn(height: int, width: int) -> io.BytesIO:
    held = io.BytesIO()
    Image.fromarray(np.zeros((height, width), np.uint8)).save(held, "PNG")
    return held


@pytest.mark.parametrize("size", [(8, 8), (28, 28), (5, 12), (64, 64)])
def test_small_pictures_that_are_alike_keep_their_size(size: tuple[int, int]) -> None:
    shape = picture_shape([drawn(*size) for _ in range(3)])
    assert shape == {"size": [*size], "mode": "L"}


@pytest.mark.parametrize(
    ("sizes", "size"), [([(100, 50)], [64, 32]), ([(20, 30), (24, 40)], [24, 32]), ([(3, 5), (4, 6)], [8, 8])]
)
def test_others_are_brought_to_one_size(sizes: list[tuple[int, int]], size: list[int]) -> None:
    shape = picture_shape([drawn(*one) for one in sizes])
    assert shape is not None
    assert shape["size"] == size
