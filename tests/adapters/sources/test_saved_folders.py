"""Folders as `save_to_disk` of Hugging Face `datasets` writes them: Arrow streams beside two JSON files."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from autodc.table import Table

FEATURES = {
    "image": {"_type": "Image"},
    "label": {"names": ["bar", "beam"], "_type": "ClassLabel"},
    "camera": {"dtype": "string", "_type": "Value"},
}


def png(value: Any, side: Any = 9) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (side, 7), value).save(stream, "PNG")
    return stream.getvalue()


def save(folder: Path, table: Any, features: Any = FEATURES, shards: Any = 2) -> None:
    """Write as `datasets` 4 does."""
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    step = -(-len(table) // shards)
    for at in range(shards):
        names.append(f"data-{at:05d}-of-{shards:05d}.arrow")
        part = table.slice(at * step, step)
        with pa.OSFile(str(folder / names[-1]), "wb") as file, pa.ipc.new_stream(file, part.schema) as writer:
            writer.write_table(part, max_chunksize=3)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names]}))
    (folder / "dataset_info.json").write_text(json.dumps({"features": features}))


def pictures(count: Any) -> Any:
    cells = [{"bytes": png(10 * i, 8 + i), "path": f"{i}.png"} for i in range(count)]
    kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    labels = pa.array([i % 2 for i in range(count)], pa.int64())
    return pa.table({"image": pa.array(cells, kind), "label": labels, "camera": pa.array(["a", "b"] * (count // 2))})


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    save(tmp_path / "set", pictures(10))
    return tmp_path / "set"


def test_images_classes_and_the_rest(saved: Path, read: Any) -> None:
    data = read("set", size=[5, 6], mode="L")
    assert data.x.shape == (10, 5, 6)
    assert data.x[:, 0, 0].tolist() == [10 * i for i in range(10)]
    assert data.y.tolist() == ["bar", "beam"] * 5
    assert data.metadata["camera"].tolist() == ["a", "b"] * 5
    assert list(data.metadata.columns) == ["camera"]


def test_without_a_size_the_bytes_become_files_by_their_content(saved: Path, read: Any) -> None:
    x = read("set").x
    assert isinstance(x, Table)
    assert [Path(path).read_bytes() for path in x.texts()] == [png(10 * i, 8 + i) for i in range(10)]
    assert x.texts()[0].endswith(f"{x.column('content')[0].as_py()}.png")
    assert read("set").x.texts() == x.texts()


def test_text_and_tables(tmp_path: Path, read: Any) -> None:
    table = pa.table(
        {"review": [f"good or bad, number {i}" for i in range(6)], "stars": [i % 2 for i in range(6)], "age": range(6)}
    )
    save(
        tmp_path / "reviews",
        table,
        {"stars": {"names": ["no", "yes"], "_type": "ClassLabel"}, "review": {"_type": "Value"}},
    )
    data = read("reviews", text="review")
    assert data.x.texts()[5] == "good or bad, number 5"
    assert data.y.tolist() == ["no", "yes"] * 3
    assert read("reviews", features=["age"], target="stars").x.frame()["age"].tolist() == list(range(6))


def test_splits(tmp_path: Path, saved: Path, read: Any, refused: Any) -> None:
    save(tmp_path / "both/train", pictures(6))
    save(tmp_path / "both/test", pictures(4))
    (tmp_path / "both/dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    assert len(read("both", split="test", size=[4, 4], mode="L")) == 4
    problem = refused("both")
    assert problem.code == "ADC-DATA-074"
    assert "options: {split: train}" in problem.hint
    assert "did you mean `train`?" in refused("both", split="trian").hint
    assert "leave `split` out" in refused("set", split="train").hint


def test_rows_that_were_picked_without_writing_them_anew(saved: Path, read: Any) -> None:
    with pa.OSFile(str(saved / "indices.arrow"), "wb") as file:
        rows = pa.table({"indices": pa.array([7, 0, 7], pa.uint64())})
        with pa.ipc.new_stream(file, rows.schema) as writer:
            writer.write_table(rows)
    state = json.loads((saved / "state.json").read_text())
    (saved / "state.json").write_text(json.dumps({**state, "_indices_data_files": [{"filename": "indices.arrow"}]}))
    assert read("set", size=[4, 4], mode="L").x[:, 0, 0].tolist() == [70, 0, 70]


def test_a_label_that_is_none(tmp_path: Path, refused: Any) -> None:
    table = pictures(4).set_column(1, "label", pa.array([0, 1, -1, 1]))
    save(tmp_path / "set", table)
    problem = refused("set", size=[4, 4], mode="L")
    assert problem.code == "ADC-DATA-008"
    assert "row 2" in problem.got


def test_what_is_missing_or_damaged(saved: Path, refused: Any) -> None:
    part = saved / "data-00001-of-00002.arrow"
    whole = part.read_bytes()
    part.write_bytes(whole[:200])
    assert refused("set").code == "ADC-DATA-002"
    part.unlink()
    problem = refused("set")
    assert problem.code == "ADC-DATA-001"
    assert part.name in str(problem)
    (saved / "state.json").write_text(json.dumps({"_data_files": [{"filename": "../elsewhere.arrow"}]}))
    assert refused("set").code == "ADC-DATA-014"
    (saved / "state.json").write_text("{")
    assert refused("set").code == "ADC-DATA-002"
    (saved / "state.json").write_text("{}")
    assert "does not name the files" in str(refused("set"))


def test_an_image_that_is_none_is_named_by_its_row(tmp_path: Path, refused: Any) -> None:
    table = pictures(4)
    cells = [*table["image"].to_pylist()[:3], {"bytes": b"no", "path": "3.png"}]
    save(tmp_path / "set", table.set_column(0, "image", pa.array(cells, table.schema.field("image").type)))
    for options in ({}, {"size": [4, 4]}):
        problem = refused("set", **options)
        assert problem.code == "ADC-DATA-002"
        assert "row 3" in problem.got


def test_rows_are_not_in_memory_twice(saved: Path, read: Any) -> None:
    before = pa.total_allocated_bytes()
    read("set", size=[4, 4], mode="L")
    assert pa.total_allocated_bytes() - before < 10_000
    assert np.array_equal(read("set", size=[7, 8], mode="L").x[0], np.zeros((7, 8)))
