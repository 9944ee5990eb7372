"""A training set written out: another program reads it, our own sources do, and every row says where it is from."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner
from PIL import Image
from pyarrow import parquet
from sklearn.datasets import load_digits, load_wine

import autodc
from autodc.adapters.export import Part, written
from autodc.adapters.sources import read_source
from autodc.cli.main import cli
from autodc.data.dataset import Dataset
from autodc.errors import DataError, InputError
from autodc.plan.plan import Plan
from autodc.review.lineage import trained_on
from autodc.study.journal.state import State
from autodc.studyfile.study import SourceSpec
from autodc.table import Table
from autodc.verbs.folder import open_state

DIGITS = load_digits()
LINEAGE = [f"autodc_{n}" for n in ("dataset", "weight", "row", "parent", "parent_row", "finding", "round", "by")]


def begun(folder: Path, data: dict[str, Any], kind: str = "classification", **task: Any) -> Path:
    """A run that has just begun: its incumbent is the start, trained on the base."""
    study = {
        "schema_version": 1,
        "name": "night",
        "task": {"kind": kind, "trainer": "sklearn", **task},
        "data": {name: one if isinstance(one, dict) else {"source": one} for name, one in data.items()},
        "metrics": {"primary": "accuracy" if kind == "classification" else "mae"},
        "slices": [{"name": "overall", "role": "target"}],
        "tracking": {"uri": "none"},
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(study))
    autodc.Study.open(autodc.load(folder / "study.yaml"), folder / "run").close()
    return folder / "run"


def digits(folder: Path, values: Callable[[Any], Any], **more: Any) -> Path:
    for name, rows in (("base", slice(0, 300)), ("validation", slice(300, 600))):
        hour = np.arange(300) % 24
        np.savez(folder / f"{name}.npz", x=values(DIGITS.images[rows]), y=DIGITS.target[rows], hour=hour)
    return begun(folder, {"base": "base.npz", "validation": "validation.npz", **more})


def again(content: dict[str, Any], kind: str = "classification") -> Dataset:
    """The folder, read by our own sources as its README says."""
    read = content["read"]
    source = SourceSpec(source=f"{content['out']}/{read['source']}".rstrip("/"), options=read["options"])
    return read_source(source, folder="", name="base", place="data.base", kind=kind, targets=True)


@pytest.mark.slow
def test_a_table_is_parquet_that_is_read_as_it_was(tmp_path: Path) -> None:
    frame = load_wine(as_frame=True).frame.rename(columns={"target": "grape"})
    frame["grape"] = frame["grape"].map({0: "barolo", 1: "grignolino", 2: "barbera"})
    frame["cultivar"] = np.arange(len(frame)) % 3
    frame["cellar"], frame["colour"] = np.arange(len(frame)) % 7, np.where(frame["hue"] > 1, "pale", None)
    even = np.arange(len(frame)) % 2 == 0
    frame[even].to_csv(tmp_path / "base.csv", index=False)
    frame[~even].assign(cellar=np.arange(89) % 30 + 100).to_csv(tmp_path / "validation.csv", index=False)
    options = {"target": "grape", "group": "cellar", "types": {"magnesium": "number", "cultivar": "category"}}
    sources = {name: {"source": f"{name}.csv", "options": options} for name in ("base", "validation")}
    run = begun(tmp_path, sources, options={"estimator": "HistGradientBoostingClassifier"})
    content = autodc.export(run, tmp_path / "out").to_dict()
    told = pd.read_parquet(tmp_path / "out" / "data.parquet")
    assert told["grape"].tolist() == frame.loc[even, "grape"].tolist()
    assert told["autodc_row"].tolist() == list(range(even.sum()))
    assert set(told["autodc_dataset"]) == {"base"}
    assert set(told["autodc_weight"]) == {1.0}
    base = read_source(
        SourceSpec(source="base.csv", options=options),
        folder=str(tmp_path),
        name="base",
        place="",
        kind="classification",
    )
    found = again(content)
    assert isinstance(found.x, Table)
    assert isinstance(base.x, Table)
    assert found.x.schema == base.x.schema
    assert (found.x.schema["magnesium"], found.x.schema["cultivar"]) == ("number", "category")
    assert found.x.arrow.equals(base.x.arrow)
    assert found.y is not None
    assert found.y.tolist() == told["grape"].tolist()
    assert found.groups is not None
    assert found.groups.tolist() == frame.loc[even, "cellar"].astype(str).tolist()
    (tmp_path / "second").mkdir()
    read = {"source": "../out/data.parquet", "options": content["read"]["options"]}
    second = begun(
        tmp_path / "second", {"base": read, "validation": {"source": "../validation.csv", "options": options}}
    )
    assert open_state(second).card("base")["rows"] == even.sum()


@pytest.mark.slow
def test_pictures_are_png_with_a_manifest(tmp_path: Path) -> None:
    run = digits(tmp_path, lambda x: (x * 15).astype(np.uint8))
    content = autodc.export(run, tmp_path / "out").to_dict()
    manifest = pd.read_csv(tmp_path / "out" / "manifest.csv")
    assert list(manifest) == ["path", "target", "hour", *LINEAGE]
    assert manifest["target"].tolist() == DIGITS.target[:300].tolist()
    picture = np.asarray(Image.open(tmp_path / "out" / manifest["path"][17]))
    assert np.array_equal(picture, (DIGITS.images[17] * 15).astype(np.uint8))
    found = again(content)
    assert np.array_equal(np.asarray(found.x), (DIGITS.images[:300] * 15).astype(np.uint8))
    assert found.metadata["hour"].tolist() == (np.arange(300) % 24).tolist()


@pytest.mark.parametrize(
    ("values", "file"),
    [(lambda x: x, "data.npz"), (lambda x: x.reshape(len(x), -1).astype(np.float32), "data.parquet")],
    ids=["arrays", "vectors"],
)
def test_numbers_keep_their_type_and_shape(tmp_path: Path, values: Callable[[Any], Any], file: str) -> None:
    run = digits(tmp_path, values)
    content = autodc.export(run, tmp_path / "out").to_dict()
    assert content["read"]["source"] == file
    found, wanted = again(content), values(DIGITS.images[:300])
    assert isinstance(found.x, np.ndarray)
    assert found.x.dtype == wanted.dtype
    assert np.array_equal(found.x, wanted)
    assert found.y is not None
    assert found.y.tolist() == DIGITS.target[:300].tolist()
    beside = pd.read_parquet(tmp_path / "out" / content["files"][0])
    assert beside["hour"].tolist() == (np.arange(300) % 24).tolist()
    assert beside["autodc_parent_row"].isna().all()


def test_rows_are_written_a_piece_at_a_time(tmp_path: Path) -> None:
    rows, few = 66_000, 10
    frame = pd.DataFrame({"size": np.linspace(0, 1, rows)})
    frame["day"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(rows) % 9, unit="D")
    parts = []
    for name, weight, count in (("base", 1.0, rows), ("more", 0.5, few)):
        x = Table.of("table", {"size": frame["size"][:count].to_numpy()}, ("number",))
        metadata = frame if name == "base" else frame[:few].drop(columns="day").assign(size=None, extra="new")
        data = Dataset(name=name, x=x, y=np.arange(count) % 3, metadata=metadata)
        y = np.array(["low", "mid", "high"])[np.arange(count) % 3]
        parts.append(Part(data=data, y=y, weight=weight, by="given", round=0, finding=None))
    layout = written(tmp_path, parts, {})
    file = parquet.ParquetFile(tmp_path / layout.files[0])
    assert file.metadata.num_rows == rows + few
    assert file.metadata.num_row_groups == 3
    told = file.read().to_pandas()
    assert np.array_equal(told["size"], [*frame["size"], *frame["size"][:few]])
    assert np.array_equal(told["day"][:rows], frame["day"])
    assert told["day"][rows:].isna().all()
    assert set(told["extra"][rows:]) == {"new"}
    assert told.groupby("autodc_dataset")["autodc_weight"].mean().to_dict() == {"base": 1.0, "more": 0.5}


def test_text_and_numbers_as_targets(tmp_path: Path) -> None:
    rows = pd.DataFrame({"body": [f"page {n}, line\ntwo" for n in range(40)], "stars": np.linspace(0, 5, 40)})
    rows[:20].to_parquet(tmp_path / "base.parquet")
    rows[20:].to_parquet(tmp_path / "validation.parquet")
    options = {"text": "body", "target": "stars"}
    sources = {name: {"source": f"{name}.parquet", "options": options} for name in ("base", "validation")}
    run = begun(tmp_path, sources, "regression", options={"estimator": "Ridge"})
    found = again(autodc.export(run, tmp_path / "out").to_dict(), "regression")
    assert isinstance(found.x, Table)
    assert found.x.texts() == rows["body"][:20].tolist()
    assert found.y is not None
    assert found.y.tolist() == rows["stars"][:20].tolist()


def test_files_are_copied_and_labels_like_numbers_stay_labels(tmp_path: Path) -> None:
    for part, rows in (("base", range(60)), ("validation", range(60, 120))):
        for row in rows:
            place = tmp_path / part / f"0{DIGITS.target[row]}"
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray((DIGITS.images[row] * 15).astype(np.uint8)).resize((8 + row % 3, 9)).save(
                place / f"{row}.png"
            )
    (tmp_path / "mine.py").write_text("class T:\n    def train(self, job):\n        raise NotImplementedError\n")
    run = begun(tmp_path, {"base": "base", "validation": "validation"}, trainer="mine.py:T")
    content = autodc.export(run, tmp_path / "out").to_dict()
    manifest = pd.read_csv(tmp_path / "out" / "manifest.csv", dtype=str)
    for copy, source in zip(manifest["path"], manifest["source_path"], strict=True):
        assert (tmp_path / "out" / copy).read_bytes() == (tmp_path / "base" / source).read_bytes()
    found = again(content)
    assert found.y is not None
    assert found.y.tolist() == [path.split("/")[0] for path in manifest["source_path"]]


def test_what_is_there_stays_and_what_fails_leaves_nothing(tmp_path: Path) -> None:
    run = digits(tmp_path, lambda x: x)
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError) as caught:
        autodc.export(run, tmp_path / "out")
    assert caught.value.code == "ADC-PROP-060"
    assert not list((tmp_path / "out").iterdir())
    shutil.copy(tmp_path / "validation.npz", tmp_path / "base.npz")
    with pytest.raises(DataError):
        autodc.export(run, tmp_path / "new")
    np.savez(tmp_path / "base.npz", x=DIGITS.images[700:1000], y=DIGITS.target[700:1000], hour=np.arange(300))
    with pytest.raises(DataError) as changed:
        autodc.export(run, tmp_path / "new")
    assert changed.value.code == "ADC-PROP-061"
    assert "data.base" in changed.value.place
    assert sorted(path.name for path in tmp_path.iterdir() if "new" in path.name) == []


def test_the_command_says_what_was_written(tmp_path: Path) -> None:
    run = digits(tmp_path, lambda x: x)
    done = CliRunner().invoke(cli, ["export", str(run), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0
    assert f"300 rows in {tmp_path / 'out'}" in done.output
    told = CliRunner().invoke(cli, ["export", str(run), "--out", str(tmp_path / "again"), "--json"])
    assert json.loads(told.output)["rows"] == 300
    assert sorted(json.loads((tmp_path / "out" / "digests.json").read_text())) == sorted(
        path.name for path in (tmp_path / "out").iterdir() if path.name != "digests.json"
    )


def test_what_takes_the_place_of_the_base_is_trained_on_instead() -> None:
    plan = Plan.of({"base": 1, "mended": 0.5, "more": 2}, {})
    roster = {"more": {"by": "given"}, "mended": {"by": "relabel", "how": {"replaces": "base"}}}
    assert trained_on(State(incumbent=plan, roster=roster)) == {"more": 2, "mended": 1}


def test_the_croissant_file_has_what_the_standard_requires(tmp_path: Path) -> None:
    run = digits(tmp_path, lambda x: (x * 15).astype(np.uint8))
    autodc.export(run, tmp_path / "out", license_url="https://creativecommons.org/publicdomain/zero/1.0/")
    told = json.loads((tmp_path / "out" / "croissant.json").read_text())
    needed = "@context @type conformsTo name description license url creator datePublished distribution recordSet"
    assert set(needed.split()) <= set(told)
    assert told["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    for one in told["distribution"]:
        if one["@type"] == "cr:FileObject":
            assert one["sha256"] == hashlib.sha256((tmp_path / "out" / one["contentUrl"]).read_bytes()).hexdigest()
    records, images = told["recordSet"]
    assert [one["name"] for one in records["field"]] == ["path", "target", "hour", *LINEAGE]
    assert [one["dataType"] for one in images["field"]] == ["sc:Text", "sc:ImageObject"]
    if importlib.util.find_spec("mlcroissant") is not None:
        import mlcroissant

        assert len(list(mlcroissant.Dataset(str(tmp_path / "out" / "croissant.json")).records("rows"))) == 300


@pytest.mark.slow
def test_an_export_is_exported_again(tmp_path: Path) -> None:
    run = digits(tmp_path, lambda x: x.reshape(len(x), -1))
    first = autodc.export(run, tmp_path / "first").to_dict()
    held = pd.DataFrame({"x": list(DIGITS.images[300:600].reshape(300, -1)), "target": DIGITS.target[300:600]})
    held.to_parquet(tmp_path / "held.parquet")
    options = first["read"]["options"]
    (tmp_path / "next").mkdir()
    sources = {"base": "first/data.parquet", "validation": "held.parquet"}
    data = {name: {"source": f"../{source}", "options": options} for name, source in sources.items()}
    autodc.export(begun(tmp_path / "next", data), tmp_path / "second")
    told = pd.read_parquet(tmp_path / "second" / "data.parquet")
    assert told["former_autodc_row"].tolist() == told["autodc_row"].tolist()
    assert told["target"].tolist() == DIGITS.target[:300].tolist()
