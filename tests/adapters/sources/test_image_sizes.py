"""Images decoded to a size and a mode: as pillow itself would, without values that are cut; or refused by name."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from autodc.adapters.pictures.decode import decoded
from autodc.adapters.pictures.wish import Wish
from autodc.errors import DataError, Problems

LOSSLESS = {"PNG": ("1", "L", "LA", "P", "RGB", "RGBA"), "BMP": ("1", "L", "P", "RGB"), "TIFF": ("L", "RGB", "CMYK")}


def file_of(image: Image.Image, file_format: str, **how: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, file_format, **how)
    return stream.getvalue()


@pytest.mark.slow
@given(
    st.sampled_from([(kind, mode) for kind, modes in LOSSLESS.items() for mode in modes]),
    st.tuples(st.integers(1, 20), st.integers(1, 20)),
    st.tuples(st.integers(1, 24), st.integers(1, 24)),
    st.sampled_from(["L", "RGB", "RGBA"]),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=80, deadline=None)
def test_size_and_mode_are_pillows_own(kind: Any, shape: Any, size: Any, mode: Any, seed: Any) -> None:
    colours = np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)
    content = file_of(Image.fromarray(colours).convert(kind[1]), kind[0])
    ours = decoded(content, Wish(size=size, mode=mode)).values
    theirs = Image.open(io.BytesIO(content)).convert("RGB").convert(mode) if kind[1] != "LA" else None
    if theirs is None:
        theirs = Image.open(io.BytesIO(content)).convert("RGBA").convert(mode)
    expected = np.asarray(theirs.resize(size[::-1], Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(ours, expected)


def test_transparent_pixels_lie_on_white_and_their_colour_does_not_bleed() -> None:
    image = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    image.paste((0, 0, 200, 255), (0, 0, 4, 8))
    content = file_of(image, "PNG")
    assert decoded(content, Wish(mode="RGB")).values[0, [0, 7]].tolist() == [[0, 0, 200], [255, 255, 255]]
    assert decoded(content, Wish(mode="L")).values[0, 7] == 255
    small = decoded(content, Wish(size=(2, 2), mode="RGBA")).values
    assert small[..., 0].max() == 0  # the hidden red is nowhere


GREY = np.array([[0, 1000], [40000, 65535]], dtype=np.uint16)


@pytest.mark.parametrize("name", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_become_eight_by_scale_not_by_a_cut(name: Any) -> None:
    content = file_of(Image.fromarray(GREY), name)
    assert decoded(content, Wish(mode="L")).values.tolist() == [[0, 4], [156, 255]]
    np.testing.assert_array_equal(decoded(content, Wish(mode="I;16")).values, GREY)
    assert decoded(content, Wish(mode="RGB")).values[1, 0].tolist() == [156, 156, 156]
    floats = decoded(content, Wish(mode="F")).values
    assert floats.dtype == np.float32
    np.testing.assert_array_equal(floats, GREY)


def test_eight_bits_become_sixteen() -> None:
    content = file_of(Image.fromarray(np.array([[0, 128, 255]], dtype=np.uint8)), "PNG")
    assert decoded(content, Wish(mode="I;16")).values.tolist() == [[0, 128 * 257, 65535]]


def test_sixteen_bits_are_resized_without_losing_a_step() -> None:
    ramp = np.tile(np.arange(64, dtype=np.uint16) * 1000, (64, 1))
    small = decoded(file_of(Image.fromarray(ramp), "TIFF"), Wish(size=(8, 8), mode="I;16")).values
    as_floats = Image.fromarray(ramp.astype(np.float32)).resize((8, 8), Image.Resampling.BILINEAR)
    np.testing.assert_allclose(small, np.asarray(as_floats), atol=0.51)


@pytest.mark.parametrize("values", [np.array([[1.5, -2.0]], np.float32), np.array([[100000, -5]], np.int32)])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_numbers_without_a_scale_are_no_eight_bits(values: Any, mode: Any) -> None:
    content = file_of(Image.fromarray(values), "TIFF")
    with pytest.raises(DataError) as caught:
        decoded(content, Wish(mode=mode))
    assert caught.value.code == "ADC-DATA-071"
    assert "mode: F" in caught.value.hint
    np.testing.assert_array_equal(decoded(content, Wish(mode="F")).values, values.astype(np.float32))


def test_a_large_photograph_is_decoded_small_and_looks_the_same() -> None:
    ramp = np.linspace(0, 255, 1600).astype(np.uint8)
    photo = Image.fromarray(
        np.dstack([np.tile(ramp, (1200, 1)), np.tile(ramp[::-1], (1200, 1)), np.full((1200, 1600), 90)]).astype(
            np.uint8
        )
    )
    content = file_of(photo, "JPEG", quality=95)
    small = decoded(content, Wish(size=(30, 40), mode="RGB")).values
    whole = np.asarray(Image.open(io.BytesIO(content)).resize((40, 30), Image.Resampling.BILINEAR))
    assert np.abs(small.astype(int) - whole).max() <= 3


@pytest.mark.parametrize("turn", [1, 6, 8])
def test_a_turned_photograph_has_the_height_that_is_wished_for(turn: Any) -> None:
    about = Image.Exif()
    about[0x0112] = turn
    left_dark = np.full((64, 96), 255, np.uint8)
    left_dark[:, :48] = 0
    values = decoded(file_of(Image.fromarray(left_dark), "JPEG", exif=about), Wish(size=(12, 10), mode="L")).values
    assert values.shape == (12, 10)
    dark = {1: values[:, :3], 6: values[:3], 8: values[-3:]}[turn]
    assert dark.max() < 30


def claim(width: Any, height: Any) -> bytes:
    """A PNG of a few bytes that says it is so large."""

    def chunk(kind: Any, data: Any) -> Any:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


BAD = {
    "bomb.png": (claim(60000, 60000), "ADC-DATA-070", "too large to be decoded"),
    "empty.png": (b"", "ADC-DATA-002", "it is empty"),
    "words.jpg": (b"not a picture at all", "ADC-DATA-002", "it is no image: it begins with b'not a picture at"),
    "page.png": (b"<!DOCTYPE html><html>", "ADC-DATA-002", "a page of HTML"),
    "drawing.png": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "ADC-DATA-002", "it is no image"),
}


@pytest.mark.parametrize("options", [{"size": [8, 8], "mode": "RGB"}, {"size": "as_it_is"}, {}])
@pytest.mark.parametrize("name", BAD)
def test_what_is_no_image_is_refused_before_it_is_decoded(
    tmp_path: Path, refused: Any, name: Any, options: Any
) -> None:
    content, code, told = BAD[name]
    for kind in ("bar", "beam"):
        (tmp_path / "images" / kind).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "images" / kind / "fine.png")
    (tmp_path / "images/bar" / name).write_bytes(content)
    problem = refused("images", **options)
    assert problem.code == code
    assert f"`bar/{name}`" in problem.got
    assert told in str(problem)


def test_a_photograph_cut_short(tmp_path: Path, refused: Any) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    for kind in ("bar", "beam"):
        (tmp_path / "images" / kind).mkdir(parents=True)
        noise.save(tmp_path / "images" / kind / "1.jpg")
    (tmp_path / "images/beam/1.jpg").write_bytes(file_of(noise, "JPEG")[:900])
    problem = refused("images", size=[8, 8], mode="RGB")
    assert problem.code == "ADC-DATA-002"
    assert "`beam/1.jpg`" in problem.got


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"size": [0, 8]}, "`size` does not fit"),
        ({"size": [8]}, "`size` does not fit"),
        ({"size": "large"}, "`size` does not fit"),
        ({"size": [8, 99999]}, "`size` does not fit"),
        ({"size": [8, 8], "mode": "rgb"}, "mode: L, RGB, RGBA"),
    ],
)
def test_options_that_do_not_fit(tmp_path: Path, refused: Any, options: Any, told: Any) -> None:
    (tmp_path / "images/bar").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(tmp_path / "images/bar/fine.png")
    problem = refused("images", **options)
    assert problem.code == "ADC-DATA-012"
    assert told in str(problem)


def test_all_bad_files_are_told_at_once(tmp_path: Path, read: Any) -> None:
    for kind in ("bar", "beam"):
        (tmp_path / "images" / kind).mkdir(parents=True)
        for i in range(40):
            Image.new("L", (8, 8)).save(tmp_path / "images" / kind / f"{i:02d}.png")
    for name in ("bar/07.png", "beam/00.png", "beam/39.png"):
        (tmp_path / "images" / name).write_bytes(b"no")
    with pytest.raises(Problems) as caught:
        read("images", size=[8, 8])
    named = [problem.got.split("`")[1] for problem in caught.value.problems]
    assert sorted(named) == ["bar/07.png", "beam/00.png", "beam/39.png"]


def test_images_of_two_modes_need_one_and_the_hint_says_which(tmp_path: Path, refused: Any) -> None:
    for kind, mode in (("bar", "L"), ("beam", "RGB")):
        (tmp_path / "images" / kind).mkdir(parents=True)
        Image.new(mode, (8, 8)).save(tmp_path / "images" / kind / "1.png")
    problem = refused("images", size=[8, 8])
    assert problem.code == "ADC-DATA-019"
    assert "`beam/1.png`" in problem.got
    assert "mode: RGB" in problem.hint
