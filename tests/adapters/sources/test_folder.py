"""Folders of images with a manifest, on real scans."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from autodc.errors import Problems

DIGITS = load_digits()
SCANS = (DIGITS.images[:8] * 15).astype(np.uint8)
LABELS = DIGITS.target[:8]


@pytest.fixture
def folder(tmp_path: Path) -> Any:
    root = tmp_path / "scans"
    (root / "deep").mkdir(parents=True)
    paths = [f"deep/{i}.png" for i in range(len(SCANS))]
    for path, scan in zip(paths, SCANS, strict=True):
        Image.fromarray(scan).save(root / path)
    pd.DataFrame({"path": paths, "target": LABELS, "light": SCANS.mean((1, 2))}).to_csv(
        root / "manifest.csv", index=False
    )
    return root


def manifest(folder: Any, **columns: Any) -> None:
    frame = pd.read_csv(folder / "manifest.csv")
    for name, values in columns.items():
        frame[name] = values
    frame.to_csv(folder / "manifest.csv", index=False)


def test_images_targets_and_metadata(folder: Any, read: Any) -> None:
    data = read("scans", size="as_it_is")
    np.testing.assert_array_equal(data.x, SCANS)
    assert data.x.dtype == np.uint8
    np.testing.assert_array_equal(data.y, LABELS)
    assert list(data.metadata.columns) == ["path", "light"]


def test_arrays_and_a_parquet_manifest(folder: Any, read: Any) -> None:
    for i, scan in enumerate(SCANS):
        np.save(folder / f"{i}.npy", scan.astype(np.float32))
    frame = pd.DataFrame({"path": [f"{i}.npy" for i in range(8)], "what": LABELS})
    frame.to_parquet(folder / "manifest.parquet")
    assert read("scans", target="what").x.dtype == np.float32


def test_colour_images_keep_their_channels(folder: Any, read: Any) -> None:
    for i in range(8):
        Image.fromarray(SCANS[i]).convert("P").save(folder / f"deep/{i}.png")
    assert read("scans", size="as_it_is").x.shape == (8, 8, 8, 3)


def test_targets_may_be_images(folder: Any, read: Any) -> None:
    manifest(folder, target=[f"deep/{7 - i}.png" for i in range(8)])
    data = read("scans", kind="image_to_image")
    np.testing.assert_array_equal(data.y, SCANS[::-1])
    assert read("scans", kind="image_to_image", sealed=True).y is None


def test_paths_stay_in_the_folder(folder: Any, tmp_path: Path, refused: Any) -> None:
    Image.fromarray(SCANS[0]).save(tmp_path / "secret.png")
    inside = [f"deep/{i}.png" for i in range(7)]
    for path in ("../secret.png", str(tmp_path / "secret.png"), "deep/../../secret.png", "../scans/deep/1.png", ".."):
        manifest(folder, path=[*inside, path])
        problem = refused("scans")
        assert problem.code == "ADC-DATA-014"
        assert path in str(problem)


def test_links_that_lie_in_the_folder_are_read_wherever_they_lead(folder: Any, tmp_path: Path, read: Any) -> None:
    """Data tools keep files in a cache and link to them: single files, a folder of them, the manifest, all of it."""
    cache = tmp_path / "cache"
    cache.mkdir()
    for path in sorted((folder / "deep").iterdir()):
        path.rename(cache / path.name)
        path.symlink_to(cache / path.name)
    np.testing.assert_array_equal(read("scans", size="as_it_is").x, SCANS)
    for path in (folder / "deep").iterdir():
        path.unlink()
    (folder / "deep").rmdir()
    (folder / "deep").symlink_to(cache)
    (folder / "manifest.csv").rename(tmp_path / "kept.csv")
    (folder / "manifest.csv").symlink_to(tmp_path / "kept.csv")
    (tmp_path / "alias").symlink_to(folder)
    manifest(folder, path=[f"./deep/../deep/{i}.png" for i in range(8)])
    np.testing.assert_array_equal(read("alias", size="as_it_is").x, SCANS)


def test_a_broken_link_is_named_with_what_it_stands_for(folder: Any, tmp_path: Path, refused: Any) -> None:
    (folder / "deep/5.png").unlink()
    (folder / "deep/5.png").symlink_to(tmp_path / "cache" / "ab12")
    problem = refused("scans")
    assert problem.code == "ADC-DATA-001"
    assert "row 5, `deep/5.png`" in problem.got
    assert "cache/ab12" in problem.got


@pytest.mark.parametrize(
    "names", [[f"{i:04d}" for i in range(8)], ["NA", "null", "1.0", "1e5", "nan", "True", "0", "-1"]]
)
def test_file_names_are_text_whatever_they_look_like(folder: Any, read: Any, names: Any) -> None:
    for i, name in enumerate(names):
        Image.fromarray(SCANS[i]).save(folder / name, format="PNG")
    pd.DataFrame({"path": names, "target": LABELS}).to_csv(folder / "manifest.csv", index=False)
    data = read("scans", size="as_it_is")
    np.testing.assert_array_equal(data.x, SCANS)
    assert data.metadata["path"].tolist() == names
    pd.DataFrame({"path": names, "target": names[::-1]}).to_csv(folder / "manifest.csv", index=False)
    np.testing.assert_array_equal(read("scans", kind="image_to_image").y, SCANS[::-1])


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("a" * 5000, "ADC-DATA-047"),
        ("deep", "ADC-DATA-046"),
        ("deep/pipe", "ADC-DATA-046"),
        ("lfs.png", "ADC-DATA-002"),
    ],
)
def test_what_is_no_file_of_an_image_is_refused(folder: Any, refused: Any, path: Any, code: Any) -> None:
    os.mkfifo(folder / "deep/pipe")
    (folder / "lfs.png").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 3\n")
    manifest(folder, path=[*(f"deep/{i}.png" for i in range(7)), path])
    problem = refused("scans")
    assert problem.code == code
    assert "row 7" in problem.got
    assert len(str(problem)) < 1000


def test_a_path_with_nul_in_a_parquet_manifest(folder: Any, refused: Any) -> None:
    frame = pd.DataFrame({"path": [*(f"deep/{i}.png" for i in range(7)), "deep/7.png\0"], "target": LABELS})
    frame.to_parquet(folder / "manifest.parquet")
    assert refused("scans").code == "ADC-DATA-047"


def test_every_missing_or_broken_file_is_named(folder: Any, read: Any) -> None:
    (folder / "deep/1.png").unlink()
    (folder / "deep/2.png").write_bytes((folder / "deep/2.png").read_bytes()[:40])
    (folder / "deep/3.png").write_text("no image")
    with pytest.raises(Problems) as caught:
        read("scans")
    text = str(caught.value)
    assert all(f"row {row}, `deep/{row}.png`" in text for row in (1, 2, 3))
    assert [problem.code for problem in caught.value.problems] == ["ADC-DATA-001", "ADC-DATA-002", "ADC-DATA-002"]


def test_images_of_two_sizes(folder: Any, refused: Any) -> None:
    Image.fromarray(SCANS[5]).resize((9, 9)).save(folder / "deep/5.png")
    problem = refused("scans", size="as_it_is")
    assert problem.code == "ADC-DATA-019"
    assert "row 5" in problem.got


def test_a_pickled_array(folder: Any, refused: Any) -> None:
    np.save(folder / "p.npy", np.array([{}], dtype=object))
    manifest(folder, path=[f"deep/{i}.png" for i in range(7)] + ["p.npy"])
    assert refused("scans", size="as_it_is").code == "ADC-DATA-003"


def test_bad_manifests(folder: Any, refused: Any) -> None:
    manifest(folder, path=[*(f"deep/{i}.png" for i in range(7)), None])
    assert "names no file" in str(refused("scans"))
    pd.DataFrame({"picture": ["a"], "target": [0]}).to_csv(folder / "manifest.csv")
    assert refused("scans").code == "ADC-DATA-004"
    pd.DataFrame({"path": ["a"]}).to_csv(folder / "manifest.csv")
    assert refused("scans").code == "ADC-DATA-005"
