"""Images of every mode: read as the file holds them, turned as the camera noted, or refused by name."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

TURN_OF_A_CAMERA = 0x0112


@pytest.fixture
def pixels(tmp_path: Path, read: Any) -> Any:
    """Read a folder of one image, written by `save` into a path, and return the image's array."""

    def reads(save: Any, name: Any) -> Any:
        folder = tmp_path / "images"
        folder.mkdir(exist_ok=True)
        save(folder / name)
        (folder / "manifest.csv").write_text(f"path,target\n{name},1\n{name},0\n")
        return read("images", size="as_it_is").x[0]

    return reads


def png(depth: Any, colour: Any, rows: Any) -> Any:
    def chunk(kind: Any, data: Any) -> Any:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", rows.shape[1], rows.shape[0], depth, colour, 0, 0, 0)
    raw = b"".join(b"\0" + row.astype(f">u{depth // 8}").tobytes() for row in rows)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


GREY = np.array([[0, 1000, 40000], [65535, 255, 256]], dtype=np.uint16)
COLOUR = np.array([[[1000, 2000, 3000], [40000, 50000, 60000]]], dtype=np.uint16)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bits_of_grey_keep_their_values(pixels: Any, name: Any) -> None:
    array = pixels(lambda path: Image.fromarray(GREY).save(path), name)
    np.testing.assert_array_equal(array, GREY)
    assert array.dtype == np.uint16


def test_either_order_of_bytes(pixels: Any) -> None:
    array = pixels(lambda path: path.write_bytes(b"P5 3 2 65535\n" + GREY.astype(">u2").tobytes()), "a.pgm")
    np.testing.assert_array_equal(array, GREY)


@pytest.mark.parametrize("values", [np.array([[1.5, -2.25]], np.float32), np.array([[100000, -5]], np.int32)])
def test_floats_and_integers(pixels: Any, values: Any) -> None:
    array = pixels(lambda path: Image.fromarray(values).save(path), "a.tif")
    np.testing.assert_array_equal(array, values)
    assert array.dtype == values.dtype


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (png(16, 2, COLOUR), "a.png"),
        (png(16, 6, np.dstack([COLOUR, COLOUR[..., :1]])), "a.png"),
        (png(16, 4, COLOUR[..., :2]), "a.png"),
        (b"P6 2 1 65535\n" + COLOUR.astype(">u2").tobytes(), "a.ppm"),
    ],
)
def test_deep_colours_that_would_be_cut_are_refused(tmp_path: Path, refused: Any, content: Any, name: Any) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / name).write_bytes(content)
    (tmp_path / "images/manifest.csv").write_text(f"path,target\n{name},1\n")
    problem = refused("images", size="as_it_is")
    assert problem.code == "ADC-DATA-065"
    assert f"row 0, `{name}`" in problem.got


def test_a_palette_with_something_transparent_has_four_channels(pixels: Any) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putdata([0, 1])
    assert pixels(lambda path: image.save(path, transparency=0), "a.png").tolist() == [
        [[255, 0, 0, 0], [0, 255, 0, 255]]
    ]
    assert pixels(image.save, "a.png").tolist() == [[[255, 0, 0], [0, 255, 0]]]


@pytest.mark.parametrize(
    ("image", "name", "expected"),
    [
        (Image.new("RGBA", (1, 1), (1, 2, 3, 4)), "a.png", [[[1, 2, 3, 4]]]),
        (Image.new("LA", (1, 1), (9, 4)), "a.png", [[[9, 9, 9, 4]]]),
        (Image.new("CMYK", (1, 1), (0, 255, 255, 0)), "a.tif", [[[255, 0, 0]]]),
        (Image.fromarray(np.array([[True, False]])), "a.png", [[255, 0]]),
    ],
)
def test_other_modes(pixels: Any, image: Any, name: Any, expected: Any) -> None:
    assert pixels(image.save, name).tolist() == expected


PICTURE = np.arange(6, dtype=np.uint8).reshape(2, 3)


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        (1, PICTURE),
        (2, PICTURE[:, ::-1]),
        (3, PICTURE[::-1, ::-1]),
        (4, PICTURE[::-1]),
        (5, PICTURE.T),
        (6, np.rot90(PICTURE, -1)),
        (7, PICTURE[::-1, ::-1].T),
        (8, np.rot90(PICTURE)),
    ],
)
@pytest.mark.parametrize(("name", "scale"), [("a.png", 1), ("b.png", 5000), ("a.tif", 1)])
def test_an_image_is_turned_as_the_camera_noted(pixels: Any, turn: Any, expected: Any, name: Any, scale: Any) -> None:
    about = Image.Exif()
    about[TURN_OF_A_CAMERA] = turn
    image = Image.fromarray(PICTURE if scale == 1 else PICTURE.astype(np.uint16) * scale)
    array = pixels(lambda path: image.save(path, exif=about), name)
    np.testing.assert_array_equal(array, expected.astype(array.dtype) * scale)


def test_a_photograph_is_turned_too(pixels: Any) -> None:
    about = Image.Exif()
    about[TURN_OF_A_CAMERA] = 6
    image = Image.fromarray(np.array([[0, 255, 255, 255]] * 2, dtype=np.uint8).repeat(8, 0).repeat(8, 1))
    array = pixels(lambda path: image.save(path, exif=about, quality=95), "a.jpg")
    assert array.shape == (32, 16)
    assert array[:8].max() < 20
    assert array[8:].min() > 235


@pytest.mark.parametrize("name", ["a.gif", "a.tif", "a.png", "a.webp"])
def test_a_file_of_several_pictures_gives_its_first_and_says_so(tmp_path: Path, read: Any, name: Any) -> None:
    first = np.full((4, 4, 3), 40, dtype=np.uint8)
    more = {"lossless": True} if name.endswith("webp") else {}
    Image.fromarray(first).save(tmp_path / name, save_all=True, append_images=[Image.fromarray(first + 80)], **more)
    Image.fromarray(first + 20).save(tmp_path / f"one-{name}", **more)
    (tmp_path / "manifest.csv").write_text(f"path,target\n{name},1\none-{name},0\n")
    data = read(".", size="as_it_is")
    np.testing.assert_array_equal(data.x[:, 0, 0, 0], [40, 60])
    (note,) = data.notes
    assert f"`{name}`: 2" in note
    assert f"`one-{name}`" not in note
