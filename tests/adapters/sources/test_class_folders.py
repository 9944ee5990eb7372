"""Folders with one subfolder a class, alone or with one table about all files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autodc.errors import Problems
from autodc.table import Table


@pytest.fixture
def images(tmp_path: Path) -> Any:
    """Ten pictures of two classes, each of a size and a mode of its own."""
    root = tmp_path / "images/train"
    for kind in ("bar", "beam"):
        (root / kind / "deep").mkdir(parents=True)
        for i in range(5):
            image = Image.new("RGB", (8 + i, 9), (20 * i, 0, 0)).convert(["RGB", "L", "P"][i % 3])
            image.save(root / kind / ("deep" if i == 4 else "") / f"{kind[:2]}{i}.{'png' if i % 2 else 'bmp'}")
    return root


def test_the_class_is_the_first_subfolder(images: Any, read: Any) -> None:
    data = read("images/train", size=[6, 7], mode="RGB")
    assert data.x.shape == (10, 6, 7, 3)
    paths = data.metadata["path"].tolist()
    assert sorted(paths)[:5] == ["bar/ba0.bmp", "bar/ba1.png", "bar/ba2.bmp", "bar/ba3.png", "bar/deep/ba4.bmp"]
    assert data.y.tolist() == [path.split("/")[0] for path in paths]
    assert read("images/train", size=[6, 7], mode="RGB").fingerprint == data.fingerprint


@pytest.mark.slow
def test_the_order_of_rows_tells_no_class(tmp_path: Path, read: Any) -> None:
    for kind in ("a", "b"):
        (tmp_path / "rows" / kind).mkdir(parents=True)
        for i in range(200):
            np.save(tmp_path / "rows" / kind / f"{i}.npy", np.array([[float(i)]]))
    data = read("rows")
    y = data.y
    assert abs((y[:200] == "a").mean() - 0.5) < 0.15
    assert (y[1:] == y[:-1]).mean() < 0.6
    (tmp_path / "rows/a/0.npy").unlink()
    others = [path for path in data.metadata["path"] if path != "a/0.npy"]
    assert read("rows").metadata["path"].tolist() == others


def test_without_a_size_inputs_are_the_files(images: Any, read: Any) -> None:
    x = read("images/train").x
    assert isinstance(x, Table)
    assert x.kind == "files"
    first = images / "bar/ba0.bmp"
    assert x.column("content")[x.texts().index(str(first))].as_py() == hashlib.sha256(first.read_bytes()).hexdigest()


def test_arrays_are_read_as_they_are(tmp_path: Path, read: Any, refused: Any) -> None:
    for at, kind in enumerate(("a", "b")):
        (tmp_path / "rows" / kind).mkdir(parents=True)
        np.save(tmp_path / "rows" / kind / "1.npy", np.full((2, 3), at, dtype=np.float32))
    data = read("rows")
    assert data.x[data.y == "a"].tolist() == [[[0, 0, 0]] * 2]
    assert data.x[data.y == "b"].tolist() == [[[1, 1, 1]] * 2]
    assert "these are arrays" in str(refused("rows", size=[2, 3]))


def test_what_systems_leave_is_ignored_and_what_is_no_image_is_told(images: Any, read: Any) -> None:
    for name in (".DS_Store", "bar/Thumbs.db", "bar/._ba0.png", "beam/desktop.ini"):
        (images / name).write_bytes(b"\0")
    (images / ".git/objects").mkdir(parents=True)
    (images / ".git/objects/a.png").write_bytes(b"")
    (images / "bar/labels.txt").write_text("no image")
    (images / "crate").mkdir()
    Image.new("L", (4, 4)).save(images / "alone.png")
    data = read("images/train", size=[6, 7], mode="L")
    assert len(data) == 10
    assert "`bar/labels.txt` is no images and not read" in data.notes
    assert "folder without images: `crate`" in data.notes
    assert any("`alone.png`" in note and "not read" in note for note in data.notes)


def test_links_are_followed_and_loops_end(images: Any, tmp_path: Path, read: Any, refused: Any) -> None:
    (tmp_path / "more").mkdir()
    Image.new("L", (4, 4)).save(tmp_path / "more/1.png")
    (images / "crate").symlink_to(tmp_path / "more")
    (images / "bar/loop").symlink_to(images)
    assert read("images/train", size=[4, 4], mode="L").y.tolist().count("crate") == 1
    (images / "crate/2.png").symlink_to(tmp_path / "nothing")
    problem = refused("images/train", size=[4, 4], mode="L")
    assert problem.code == "ADC-DATA-001"
    assert "`crate/2.png`" in problem.got


def test_a_pipe_among_the_images(images: Any, refused: Any) -> None:
    os.mkfifo(images / "bar/zz.png")
    for options in ({}, {"size": [4, 4], "mode": "L"}):
        problem = refused("images/train", **options)
        assert problem.code == "ADC-DATA-046"
        assert "`bar/zz.png`" in problem.got


def test_no_classes(images: Any, tmp_path: Path, refused: Any) -> None:
    problem = refused("images")
    assert problem.code == "ADC-DATA-073"
    assert "images/train" in problem.hint
    (images / "bar/deep/ba4.bmp").unlink()
    problem = refused("images/train/bar", size=[4, 4])
    assert problem.code == "ADC-DATA-073"
    assert "make one subfolder a class" in problem.hint
    (tmp_path / "empty/bar").mkdir(parents=True)
    assert refused("empty").code == "ADC-DATA-009"


def test_targets_that_are_no_classes_need_a_table(images: Any, read: Any, refused: Any) -> None:
    with pytest.raises(Exception, match="are no subfolders"):
        read("images/train", kind="regression", size=[4, 4])
    assert refused("images/train", target="weight").code == "ADC-DATA-005"


def meta(tmp_path: Path, rows: Any, header: Any = "file,camera,hour") -> None:
    (tmp_path / "meta.csv").write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")


def listed(images: Any) -> list[str]:
    return sorted(p.relative_to(images).as_posix() for p in images.rglob("*") if p.is_file())


@pytest.mark.parametrize(
    "named",
    [
        lambda path: path,
        lambda path: f"./images/train/{path}",
        lambda path: f"train/{path}",
        lambda path: path.split("/")[-1],
        lambda path: path.replace("/", "\\"),
        lambda path: path.rpartition(".")[0],
    ],
)
def test_a_central_table_names_files_by_the_end_of_their_path(
    images: Any, tmp_path: Path, read: Any, named: Any
) -> None:
    rows = [(named(path), f"c{i % 2}", i) for i, path in enumerate(listed(images))]
    meta(tmp_path, [*rows[::-1], ("val/other.png", "c9", 99)])
    data = read("images/train", size=[4, 4], mode="L", metadata="meta.csv")
    assert list(data.metadata.columns) == ["path", "camera", "hour"]
    told = data.metadata.sort_values("path")
    assert told["path"].tolist() == listed(images)
    assert told["hour"].tolist() == list(range(10))
    assert sorted(data.y) == ["bar"] * 5 + ["beam"] * 5


def test_files_without_a_row_are_told(images: Any, tmp_path: Path, read: Any, refused: Any) -> None:
    paths = listed(images)
    meta(tmp_path, [(path, "c", 1) for path in paths[:7]])
    data = read("images/train", metadata="meta.csv", size=[4, 4], mode="L")
    assert len(data) == 10
    assert data.metadata["hour"].isna().sum() == 3
    assert any(note.startswith("3 of 10 files have no row in meta.csv (`beam/be2.bmp`") for note in data.notes)
    meta(tmp_path, [("other/1.png", "c", 1)])
    problem = refused("images/train", metadata="meta.csv")
    assert problem.code == "ADC-DATA-072"
    assert "`other/1.png`" in problem.got


def test_one_row_a_file_and_one_file_a_row(images: Any, tmp_path: Path, refused: Any) -> None:
    paths = listed(images)
    meta(tmp_path, [(path, "c", 1) for path in [*paths, paths[3]]])
    problem = refused("images/train", metadata="meta.csv")
    assert "in rows 3 and 10" in problem.got
    Image.new("L", (4, 4)).save(images / "beam/ba0.bmp")
    meta(tmp_path, [("ba0.bmp", "c", 1)])
    problem = refused("images/train", metadata="meta.csv")
    assert problem.code == "ADC-DATA-072"
    assert "`bar/ba0.bmp`, `beam/ba0.bmp`" in problem.got


def test_targets_may_stand_in_the_table(images: Any, tmp_path: Path, read: Any) -> None:
    meta(tmp_path, [(path, i, i / 2) for i, path in enumerate(listed(images))][:8], "file,camera,weight")
    data = read("images/train", kind="regression", metadata="meta.csv", target="weight", size=[4, 4], mode="L")
    assert sorted(data.y) == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5]
    assert "they are left out" in data.notes[-1]
    assert "weight" not in data.metadata
    sealed = read(
        "images/train", kind="regression", sealed=True, metadata="meta.csv", target="weight", size=[4, 4], mode="L"
    )
    np.testing.assert_array_equal(sealed.x, data.x)
    assert sealed.metadata.equals(data.metadata)


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl", "metadata.parquet"])
def test_metadata_inside_the_folder(images: Any, read: Any, name: Any) -> None:
    import pandas as pd

    paths = listed(images)
    frame = pd.DataFrame({"file_name": paths, "hour": range(10)})
    write = {"metadata.csv": frame.to_csv, "metadata.parquet": frame.to_parquet}
    if name in write:
        write[name](images / name, index=False)
    else:
        frame.to_json(images / name, orient="records", lines=True)
    data = read("images/train", size=[4, 4], mode="L")
    assert sorted(data.y) == ["bar"] * 5 + ["beam"] * 5
    assert data.metadata.sort_values("path")["hour"].tolist() == list(range(10))
    assert data.notes == ()


def test_pictures_as_targets_named_by_a_table(images: Any, tmp_path: Path, read: Any) -> None:
    (tmp_path / "images/train/masks").mkdir()
    for i in range(5):
        Image.new("L", (30, 30), 10 * i).save(images / f"masks/{i}.png")
    meta(
        tmp_path,
        [(f"bar/{'deep/' if i == 4 else ''}ba{i}.{'png' if i % 2 else 'bmp'}", f"masks/{i}.png") for i in range(5)],
        "file,mask",
    )
    data = read("images/train", kind="image_to_image", metadata="meta.csv", target="mask", size=[6, 6], mode="L")
    assert data.x.shape == data.y.shape == (5, 6, 6)
    assert sorted(data.y[:, 0, 0]) == [0, 10, 20, 30, 40]


@pytest.mark.parametrize(
    ("option", "code", "told"),
    [
        ({"metadata": "mta.csv"}, "ADC-DATA-001", "there is no such file"),
        ({"metadata": ["camera"]}, "ADC-DATA-012", "`metadata` of a folder is a table"),
        ({"metadata": "meta.csv", "key": "fil"}, "ADC-DATA-004", "did you mean `file`?"),
        ({"metadata": "meta.csv", "target": "camra"}, "ADC-DATA-005", "did you mean `camera`?"),
        ({"metdata": "meta.csv"}, "ADC-DATA-012", "did you mean `metadata`?"),
    ],
)
def test_options_that_name_nothing(
    images: Any, tmp_path: Path, refused: Any, option: Any, code: Any, told: Any
) -> None:
    meta(tmp_path, [(path, "c", 1) for path in listed(images)])
    problem = refused("images/train", **option)
    assert problem.code == code
    assert told in str(problem)


def test_a_class_is_renamed_and_a_class_that_is_not_there_is_told(images: Any, read: Any, refused: Any) -> None:
    assert set(read("images/train", size=[4, 4], mode="L", map={"bar": "pole"}).y) == {"pole", "beam"}
    problem = refused("images/train", size=[4, 4], mode="L", map={"barr": "pole"})
    assert problem.code == "ADC-DATA-026"
    assert "bar, beam" in problem.hint


def test_several_rows_of_a_manifest_for_one_file_are_told(images: Any, read: Any) -> None:
    (images / "manifest.csv").write_text("path,target\nbar/ba0.bmp,1\nbar/ba0.bmp,0\nbar/ba3.png,1\n")
    assert read("images/train").notes == ("2 rows name files that other rows name too (row 0, 1)",)


def test_files_that_vanish_are_named(images: Any, read: Any) -> None:
    (images / "manifest.csv").write_text("path,target\nbar/ba0.bmp,1\nbar/gone.png,0\nbar/gone2.png,0\n")
    with pytest.raises(Problems) as caught:
        read("images/train")
    assert "row 1, `bar/gone.png`" in str(caught.value)
    assert "row 2, `bar/gone2.png`" in str(caught.value)
