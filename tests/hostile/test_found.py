"""The smallest case of what hostile inputs have found, each by itself."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from autodc.adapters.sources import read_source
from autodc.data.dataset import Dataset
from autodc.errors import DataError, each_of
from autodc.studyfile.study import SourceSpec


def read(folder: Path, source: str, **options: object) -> Dataset:
    spec = SourceSpec(source=source, options=options)  # type: ignore[arg-type]
    return read_source(spec, folder=str(folder), name="base", place="data.base", kind="classification")


def test_a_link_to_itself_in_a_folder_of_classes_is_told(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / "x" / name).mkdir(parents=True)
        Image.new("L", (4, 4)).save(tmp_path / "x" / name / "0.png")
    (tmp_path / "x" / "dog" / "loop.png").symlink_to("loop.png")
    with pytest.raises(DataError) as caught:
        read(tmp_path, "x")
    assert "loop.png" in str(caught.value)


def test_what_pandas_noted_in_a_parquet_file_may_be_anything(tmp_path: Path) -> None:
    table = pa.table({"x": [1.0, 2.0], "target": [0, 1]})
    for k, noted in enumerate((b"{", b"[]", b'{"columns": [1], "index_columns": 2}', b'{"columns": null}', b"\xff")):
        pq.write_table(table.replace_schema_metadata({b"pandas": noted}), tmp_path / f"{k}.parquet")
        found = read(tmp_path, f"{k}.parquet", target="target")
        assert len(found.x) == 2


@pytest.mark.parametrize("path", ["../outside/notes.txt", "/etc/passwd", "~/notes"])
def test_a_table_names_no_file_elsewhere_that_is_no_image(tmp_path: Path, path: str) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "inside").mkdir()
    (tmp_path / "outside" / "notes.txt").write_text("secret")
    pd.DataFrame({"image": [path], "target": [0]}).to_csv(tmp_path / "inside" / "rows.csv", index=False)
    with pytest.raises(DataError) as caught:
        read(tmp_path, "inside/rows.csv", target="target", image="image")
    assert [one.code for one in each_of(caught.value)] == ["ADC-DATA-014"]


def test_a_table_of_ones_own_may_name_images_elsewhere_and_what_is_called_one_is_looked_at(tmp_path: Path) -> None:
    for name in ("outside", "inside"):
        (tmp_path / name).mkdir()
    Image.new("L", (4, 4), 7).save(tmp_path / "outside" / "0.png")
    (tmp_path / "outside" / "1.png").write_text("a secret that is called an image")
    rows = pd.DataFrame({"image": ["../outside/0.png"], "target": [0]})
    rows.to_csv(tmp_path / "inside" / "rows.csv", index=False)
    x = read(tmp_path, "inside/rows.csv", target="target", image="image", size=[4, 4], mode="L").x
    assert np.asarray(x).max() == 7
    rows.assign(image=os.fspath(tmp_path / "outside" / "1.png")).to_csv(tmp_path / "inside" / "rows.csv", index=False)
    with pytest.raises(DataError):
        read(tmp_path, "inside/rows.csv", target="target", image="image")
