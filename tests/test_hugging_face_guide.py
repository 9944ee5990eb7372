"""The page about Hugging Face datasets is true: its code writes one, its commands and studies read it."""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from autodc.adapters.sources import read_source
from autodc.cli.main import cli
from autodc.errors import InputError
from autodc.studyfile import load
from autodc.studyfile.study import SourceSpec
from autodc.table import Table
from autodc.verbs.init import write_study
from autodc.wire.inputs import read_inputs

PAGE = (Path(__file__).resolve().parents[1] / "docs/guide/my-hugging-face-dataset.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dataset that the code of the page writes, once."""
    folder = tmp_path_factory.mktemp("written")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        exec(compile(blocks("python")[0], "page", "exec"), {})
    return folder / "scans"


@pytest.fixture
def scans(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, in a folder of one's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    shutil.copytree(written, "scans")
    return tmp_path / "scans"


def rows_of(scans: Path, split: str) -> pa.Table:
    with pa.memory_map(str(scans / split / "data-00000-of-00001.arrow")) as file:
        return pa.ipc.open_stream(file).read_all()


@pytest.mark.slow
def test_the_commands_of_the_page_make_splits_what_they_are_called(scans: Path) -> None:
    for line in blocks("sh")[0].splitlines()[:2]:
        said = CliRunner().invoke(cli, shlex.split(line)[1:], catch_exceptions=False)
        assert said.exit_code == 0, said.output
    data = load("scans-study/study.yaml").data
    assert data.base.source == "../scans/train"
    assert data.validation.source == "../scans/validation"
    assert data.test is not None
    assert data.test.source == "../scans/test"
    assert [one.name for one in data.candidates] == ["night"]
    assert not Path("scans-study/data").exists()


def test_the_study_of_the_page_reads_the_splits(scans: Path) -> None:
    Path("study.yaml").write_text(blocks("yaml")[0])
    catalogue = read_inputs(load("study.yaml")).catalogue
    assert catalogue.base.x.shape == (500, 16, 16)
    assert catalogue.classes == tuple(f"digit {i}" for i in range(10))
    assert len(catalogue["night"]) == 300
    assert set(catalogue.validation.metadata["ink"]) == {"faint", "dark"}


def test_without_size_rows_are_files(scans: Path) -> None:
    spec = SourceSpec(source="scans", options={"split": "night"})
    data = read_source(spec, folder=str(scans.parent), name="base", place="page", kind="classification")
    assert isinstance(data.x, Table)
    assert data.x.kind == "files"


def shard(path: str, rows: list[dict[str, Any]], start: int) -> None:
    with tarfile.open(path, "w") as file:
        for i, row in enumerate(rows, start):
            about = json.dumps({"ink": row["ink"]}).encode()
            parts = {"png": row["image"]["bytes"], "cls": str(row["label"]).encode(), "json": about}
            for end, content in parts.items():
                member = tarfile.TarInfo(f"{i:04}.{end}")
                member.size = len(content)
                file.addfile(member, io.BytesIO(content))


def exported(scans: Path) -> None:
    """The night as Parquet and as two shards, as the page names them."""
    night = rows_of(scans, "night")
    pq.write_table(night, "scans.parquet")
    rows = night.to_pylist()
    shard("scans-000.tar", rows[:150], 0)
    shard("scans-001.tar", rows[150:], 150)


@pytest.mark.parametrize("at", [1, 2], ids=["parquet", "shards"])
def test_parquet_and_shards_hold_the_same_images(scans: Path, at: int) -> None:
    exported(scans)
    (source,) = YAML(typ="safe").load(blocks("yaml")[at]).values()
    known = {"folder": str(scans.parent), "place": "page", "kind": "classification"}
    found = read_source(SourceSpec(**source), name="night", **known)
    options = {"split": "night", "size": [16, 16], "mode": "L"}
    saved = read_source(SourceSpec(source="scans", options=options), name="night", **known)
    assert (found.x == saved.x).all()
    assert [f"digit {label}" for label in found.y] == saved.y.tolist()


@pytest.mark.parametrize("source", ["scans.parquet", "scans-{000..001}.tar"])
def test_init_makes_a_study_of_an_export_that_needs_no_cache(scans: Path, source: str) -> None:
    exported(scans)
    shutil.rmtree("scans")
    told = write_study("new", source)
    assert sum(told["parts"].values()) == 300
    shutil.rmtree(".cache", ignore_errors=True)
    catalogue = read_inputs(load("new/study.yaml")).catalogue
    assert catalogue.base.x.shape[1:] == (8, 8)
    assert len(catalogue.classes) == 10


def splits(scans: Path, *names: str) -> None:
    """Leave of the dataset these splits, under these names."""
    for name, kept in zip(names, ("train", "night"), strict=False):
        if name != kept:
            (scans / kept).rename(scans / name)
    for gone in {path.name for path in scans.iterdir() if path.is_dir()} - {*names}:
        shutil.rmtree(scans / gone)
    (scans / "dataset_dict.json").write_text(json.dumps({"splits": names}))


@pytest.mark.slow
def test_what_is_not_held_out_is_cut(scans: Path) -> None:
    splits(scans, "train", "night")
    told = write_study("new", "scans")
    assert (sum(told["parts"].values()), told["candidates"]) == (500, ["night"])
    read_inputs(load("new/study.yaml"))


def test_a_single_split_is_the_one_that_is_meant(scans: Path) -> None:
    splits(scans, "labelled")
    assert sum(write_study("new", "scans")["parts"].values()) == 500


def test_splits_of_which_none_is_called_train_are_refused_with_the_way_on(scans: Path) -> None:
    splits(scans, "labelled", "other")
    with pytest.raises(InputError, match="no split is called train") as told:
        write_study("new", "scans")
    assert told.value.hint == f"name the one to train on: --from {scans / 'labelled'}"
    assert write_study("new", "scans/labelled")["candidates"] == ["other"]


@pytest.fixture
def manifest(scans: Path) -> Callable[[str, str], None]:
    """Writes the scans of the night as files with a table of them."""

    def write(table: str, key: str) -> None:
        rows = rows_of(scans, "night").to_pylist()
        Path("files").mkdir()
        for i, row in enumerate(rows):
            Path(f"files/{i}.png").write_bytes(row["image"]["bytes"])
        lines = [f"{i}.png,{row['label']},{row['ink']}" for i, row in enumerate(rows)]
        Path(f"files/{table}").write_text("\n".join([f"{key},label,shade", *lines]) + "\n")

    return write


@pytest.mark.parametrize(("table", "key"), [("manifest.csv", "path"), ("metadata.csv", "file_name")])
def test_init_finds_the_targets_in_the_table_of_a_folder(
    manifest: Callable[[str, str], None], table: str, key: str
) -> None:
    manifest(table, key)
    told = write_study("new", "files")
    assert (told["target"], told["kind"]) == (["label"], "classification")
    catalogue = read_inputs(load("new/study.yaml")).catalogue
    assert catalogue.base.x.shape[1:] == (8, 8)
