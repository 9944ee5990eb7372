"""A stream has the rows of its source, without targets, whatever it is written in and however it is cut."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from autodc.adapters.sources import read_source, stream
from autodc.adapters.sources.stream import Stream
from autodc.data.dataset import Dataset
from autodc.errors import AutodcError
from autodc.studyfile.study import SourceSpec
from autodc.table import Table

DIGITS = load_digits()


def base_of(path: Path, **options: Any) -> Dataset:
    spec = SourceSpec(source=str(path), options=options)
    return read_source(spec, folder=str(path.parent), name="base", place="data.base", kind="classification")


def opened(path: Path, base: Dataset, options: dict[str, Any] | None = None, **own: Any) -> Stream:
    spec = SourceSpec(source=str(path), options=own)
    return Stream(spec=spec, folder=str(path.parent), kind="classification", base=base, base_options=options or {})


def all_of(found: Stream) -> tuple[Any, pd.DataFrame, list[int]]:
    pieces = list(found.pieces())
    assert [one.first for one in pieces] == np.cumsum([0, *(len(one.data) for one in pieces)])[:-1].tolist()
    assert all(one.data.y is None for one in pieces)
    x = [one.data.x for one in pieces]
    joined = Table.concat(x).frame() if isinstance(x[0], Table) else np.concatenate(x)
    return (
        joined,
        pd.concat([one.data.metadata for one in pieces], ignore_index=True),
        [len(one.data) for one in pieces],
    )


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MOST", 40)


@pytest.fixture
def digits(tmp_path: Path) -> Dataset:
    np.savez(tmp_path / "base.npz", x=DIGITS.images[:300].astype(np.float32), y=DIGITS.target[:300])
    return base_of(tmp_path / "base.npz")


def table(count: int = 130) -> pd.DataFrame:
    r = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "age": pd.Series(r.integers(18, 80, count)).where(r.random(count) > 0.1).astype("Int64"),
            "plan": r.choice(["basic", "pro", "007"], count),
            "spend": r.gamma(2, 30, count).round(2),
            "text": [f"row {i}, and more" for i in range(count)],
            "churn": r.choice(["stays", "leaves"], count),
        }
    )


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("labelled", [True, False])
def test_arrays_come_in_pieces_with_their_columns(
    tmp_path: Path, digits: Dataset, save: Callable[..., None], labelled: bool
) -> None:
    x, hour = DIGITS.images[300:430], np.arange(130)
    more = {"y": DIGITS.target[300:430]} if labelled else {}
    save(tmp_path / "s.npz", x=x, hour=hour, odd=np.zeros((130, 2)), **more)
    found, about, sizes = all_of(opened(tmp_path / "s.npz", digits))
    assert sizes == [40, 40, 40, 10]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, x)
    assert about["hour"].tolist() == hour.tolist()
    assert list(about) == ["hour"]
    notes = {note for one in opened(tmp_path / "s.npz", digits).pieces() for note in one.data.notes}
    assert notes == ({"the stream holds targets (`y`); they are not looked at"} if labelled else set())


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("ending", [".parquet", ".jsonl", ".csv"])
@pytest.mark.parametrize("labelled", [True, False])
def test_tables_come_as_the_base_has_them(tmp_path: Path, ending: str, labelled: bool) -> None:
    options: dict[str, Any] = {"target": "churn", "metadata": ["text"], "types": {"plan": "category"}}
    table().to_csv(tmp_path / "base.csv", index=False)
    base = base_of(tmp_path / "base.csv", **options)
    rows = table().iloc[:90].assign(device="north")
    rows = rows if labelled else rows.drop(columns="churn")
    path = tmp_path / f"s{ending}"
    if ending == ".parquet":
        rows.to_parquet(path, row_group_size=25)
    elif ending == ".jsonl":
        rows.to_json(path, orient="records", lines=True)
    else:
        rows.to_csv(path, index=False)
    found, about, sizes = all_of(opened(path, base, options))
    assert sizes == [40, 40, 10]
    pd.testing.assert_frame_equal(found, base.x[:90].frame())
    assert "churn" not in about
    assert set(about["device"]) == {"north"}


@pytest.mark.usefixtures("small_pieces")
def test_a_folder_of_batches_is_one_stream(tmp_path: Path, digits: Dataset) -> None:
    (tmp_path / "days").mkdir()
    for day in range(3):
        rows = slice(300 + 50 * day, 350 + 50 * day)
        np.savez(tmp_path / "days" / f"2026-01-0{day + 1}.npz", x=DIGITS.images[rows], day=np.full(50, day))
    found, about, sizes = all_of(opened(tmp_path / "days", digits))
    assert sizes == [40, 10, 40, 10, 40, 10]
    np.testing.assert_array_equal(found, DIGITS.images[300:450])
    assert about["day"].tolist() == [0] * 50 + [1] * 50 + [2] * 50


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("layout", ["flat", "classes", "metadata"])
def test_a_folder_of_pictures_needs_no_classes(tmp_path: Path, layout: str) -> None:
    def put(folder: Path, numbers: range, classes: bool) -> None:
        for i in numbers:
            path = folder / (str(DIGITS.target[i]) if classes else "") / f"{i:04}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray((DIGITS.images[i] * 15).astype(np.uint8)).save(path)

    put(tmp_path / "base", range(60), classes=True)
    options = {"size": [8, 8], "mode": "L"}
    base = base_of(tmp_path / "base", **options)
    put(tmp_path / "s", range(100, 150), classes=layout == "classes")
    if layout == "metadata":
        lines = [f"{i:04}.png,{'north' if i % 2 else 'south'}" for i in range(100, 150)]
        (tmp_path / "s" / "metadata.csv").write_text("file_name,camera\n" + "\n".join(lines) + "\n")
    found, about, sizes = all_of(opened(tmp_path / "s", base, options))
    assert sizes == [40, 10]
    want = np.sort((DIGITS.images[100:150] * 15).astype(np.uint8).sum(axis=(1, 2)))
    np.testing.assert_array_equal(np.sort(found.sum(axis=(1, 2))), want)
    assert ("camera" in about) == (layout == "metadata")


def test_texts_and_arrays_in_columns(tmp_path: Path, digits: Dataset) -> None:
    texts = table()[["text", "churn"]]
    texts.to_csv(tmp_path / "t.csv", index=False)
    options = {"text": "text", "target": "churn"}
    base = base_of(tmp_path / "t.csv", **options)
    with (tmp_path / "s.jsonl").open("w") as file:
        file.writelines(json.dumps({"text": f"new {i}", "length": i}) + "\n" for i in range(7))
    found, about, _ = all_of(opened(tmp_path / "s.jsonl", base, options))
    assert found["text"].tolist() == [f"new {i}" for i in range(7)]
    assert about["length"].tolist() == list(range(7))
    pd.DataFrame({"x": DIGITS.images[:5].tolist(), "hour": range(5)}).to_parquet(tmp_path / "a.parquet")
    arrays, about, _ = all_of(opened(tmp_path / "a.parquet", digits))
    np.testing.assert_array_equal(arrays, DIGITS.images[:5])
    assert about["hour"].tolist() == list(range(5))


def broken(tmp_path: Path, what: str) -> Path:
    rows = table(500)
    if what == "cut.parquet":
        rows.to_parquet(tmp_path / "whole.parquet")
        content = (tmp_path / "whole.parquet").read_bytes()
        (tmp_path / what).write_bytes(content[: len(content) // 2])
    elif what == "cut.jsonl":
        rows.to_json(tmp_path / "whole.jsonl", orient="records", lines=True)
        (tmp_path / what).write_bytes((tmp_path / "whole.jsonl").read_bytes()[:-30])
    elif what == "cut.npz":
        np.savez(tmp_path / "whole.npz", x=DIGITS.images)
        (tmp_path / what).write_bytes((tmp_path / "whole.npz").read_bytes()[:5000])
    elif what == "empty.jsonl":
        (tmp_path / what).write_text("\n")
    elif what == "empty.parquet":
        rows.iloc[:0].to_parquet(tmp_path / what)
    elif what == "other.parquet":
        rows.drop(columns="age").to_parquet(tmp_path / what)
    elif what == "words.parquet":
        rows.assign(age="many").to_parquet(tmp_path / what)
    return tmp_path / what


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("cut.parquet", "ADC-DATA-002"),
        ("cut.jsonl", "ADC-DATA-076"),
        ("cut.npz", "ADC-DATA-002"),
        ("empty.jsonl", "ADC-DATA-009"),
        ("empty.parquet", "ADC-DATA-009"),
        ("other.parquet", "ADC-DATA-020"),
        ("words.parquet", "ADC-DATA-091"),
        ("nowhere.npz", "ADC-DATA-001"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_message(tmp_path: Path, what: str, code: str) -> None:
    table().to_csv(tmp_path / "base.csv", index=False)
    options: dict[str, Any] = {"target": "churn", "metadata": ["text"]}
    base = base_of(tmp_path / "base.csv", **options)
    with pytest.raises(AutodcError) as told:
        list(opened(broken(tmp_path, what), base, options).pieces())
    assert told.value.code == code
    assert told.value.exit_code == 2
    assert what in str(told.value)


@pytest.mark.parametrize("ending", ["parquet", "jsonl", "csv"])
def test_a_table_at_an_address_with_a_query_is_read_with_the_options_of_the_base(
    tmp_path: Path, ending: str, web: Callable[[Path], str]
) -> None:
    options: dict[str, Any] = {"target": "churn", "metadata": ["text"], "types": {"plan": "category"}}
    table().to_csv(tmp_path / "base.csv", index=False, sep=";")
    options |= {"separator": ";"} if ending == "csv" else {}
    base = base_of(tmp_path / "base.csv", **{**options, "separator": ";"})
    rows = table().iloc[:30].drop(columns="churn")
    if ending == "parquet":
        rows.to_parquet(tmp_path / "s.parquet")
    elif ending == "jsonl":
        rows.to_json(tmp_path / "s.jsonl", orient="records", lines=True)
    else:
        rows.to_csv(tmp_path / "s.csv", index=False, sep=";")
    spec = SourceSpec(source=f"{web(tmp_path)}/s.{ending}?version=3")
    found, _, _ = all_of(
        Stream(spec=spec, folder=str(tmp_path), kind="classification", base=base, base_options=options)
    )
    pd.testing.assert_frame_equal(found, base.x[:30].frame())


def test_options_that_are_asked_for_are_told_once_each(tmp_path: Path) -> None:
    table().to_csv(tmp_path / "base.csv", index=False)
    base = base_of(tmp_path / "base.csv", target="churn")
    table().to_parquet(tmp_path / "s.parquet")
    with pytest.raises(AutodcError) as told:
        list(opened(tmp_path / "s.parquet", base, {"target": "churn"}, colour="red").pieces())
    assert told.value.hint.count("features") == 1


@pytest.fixture
def web() -> Iterator[Callable[[Path], str]]:
    """Serves a folder on this machine."""
    servers: list[ThreadingHTTPServer] = []

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    def serve(folder: Path) -> str:
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield serve
    for one in servers:
        one.shutdown()
        one.server_close()
