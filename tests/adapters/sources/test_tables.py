"""CSV and Parquet tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

ROWS = 30


def table(**change: Any) -> Any:
    rng = np.random.default_rng(0)
    columns = {
        "age": rng.integers(20, 80, ROWS),
        "dose": rng.normal(size=ROWS),
        "site": np.array(["north", "south"] * (ROWS // 2)),
        "patient": np.arange(ROWS) // 3,
        "target": np.arange(ROWS) % 2,
    }
    return pd.DataFrame({**columns, **change})


def write(folder: Any, frame: Any, suffix: Any, name: Any = "t") -> Any:
    path = folder / f"{name}{suffix}"
    frame.to_parquet(path, index=False) if suffix == ".parquet" else frame.to_csv(path, index=False)
    return path.name


SUFFIXES = pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])


@SUFFIXES
def test_columns_are_inputs_in_their_types_and_all_but_the_target_are_metadata(
    tmp_path: Path, read: Any, suffix: Any
) -> None:
    data = read(write(tmp_path, table(), suffix), group="patient")
    pd.testing.assert_frame_equal(data.x.frame(), table()[["age", "dose", "site"]], rtol=1e-12)
    assert data.x.schema == {"age": "integer", "dose": "number", "site": "category"}
    assert list(data.metadata.columns) == ["age", "dose", "site", "patient"]
    assert len(set(data.groups)) == ROWS // 3
    assert data.y.tolist() == table()["target"].tolist()


def test_both_formats_give_the_same_rows(tmp_path: Path, read: Any) -> None:
    one, two = (read(write(tmp_path, table().round(3), suffix)) for suffix in (".csv", ".parquet"))
    assert one.fingerprint == two.fingerprint


@SUFFIXES
def test_options_choose_target_features_and_metadata(tmp_path: Path, read: Any, suffix: Any) -> None:
    name = write(tmp_path, table().rename(columns={"target": "ill"}), suffix)
    data = read(name, target="site", features=["dose"])
    assert data.x.shape == (ROWS, 1)
    assert set(data.y) == {"north", "south"}
    assert read(name, target="ill", metadata=["age"], group="patient").x.names == ("dose", "site")


@SUFFIXES
def test_another_column_may_not_be_called_target(tmp_path: Path, refused: Any, suffix: Any) -> None:
    assert refused(write(tmp_path, table(), suffix), target="site").code == "ADC-DATA-017"


@SUFFIXES
def test_sealed_targets_are_not_read(tmp_path: Path, read: Any, refused: Any, suffix: Any) -> None:
    data = read(write(tmp_path, table(), suffix), sealed=True)
    assert data.y is None
    assert "target" not in data.metadata
    bare = write(tmp_path, table().drop(columns="target"), suffix, "bare")
    assert refused(bare, sealed=True).code == "ADC-DATA-005"


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize(
    ("frame", "options", "code", "words"),
    [
        (table(), {"target": "taget"}, "ADC-DATA-005", "did you mean `target`?"),
        (table(), {"features": ["age", "dos"]}, "ADC-DATA-004", "did you mean `dose`?"),
        (table(), {"features": ["age", "target"]}, "ADC-DATA-012", "among the features"),
        (table(), {"features": "age"}, "ADC-DATA-012", "list of columns"),
        (table(dose=np.where(np.arange(ROWS) == 7, np.inf, 1.0)), {}, "ADC-DATA-091", "row 7: inf"),
        (table(), {"types": {"site": "number"}}, "ADC-DATA-091", "row 0, 1, 2, 3, 4, 5, 6, 7, …: 'north'"),
        (table(), {"types": {"site": "colour"}}, "ADC-DATA-090", "no type `colour`"),
        (table(), {"types": {"sight": "category"}}, "ADC-DATA-090", "no column `sight`"),
        (table(target=np.where(np.arange(ROWS) == 7, np.nan, 1.0)), {}, "ADC-DATA-008", "row 7"),
        (table(target=np.where(np.arange(ROWS) == 7, None, "a")), {}, "ADC-DATA-008", "no value"),
        (table(patient=np.where(np.arange(ROWS) == 7, np.nan, 1.0)), {"group": "patient"}, "ADC-DATA-018", "row 7"),
        (table().head(0), {}, "ADC-DATA-009", "no rows"),
        (
            table()[["target"]].assign(site="north"),
            {},
            "ADC-DATA-004",
            "`site` is left out: it is the same in every row",
        ),
    ],
)
def test_bad_tables(tmp_path: Path, refused: Any, suffix: Any, frame: Any, options: Any, code: Any, words: Any) -> None:
    problem = refused(write(tmp_path, frame, suffix), **options)
    assert problem.code == code
    assert words in str(problem)
    assert f"t{suffix}" in str(problem)


@SUFFIXES
def test_a_truncated_or_foreign_file_is_refused(tmp_path: Path, refused: Any, suffix: Any) -> None:
    name = write(tmp_path, table(), suffix)
    content = (tmp_path / name).read_bytes()
    if suffix != ".csv":  # a text table cut short is a shorter table
        (tmp_path / name).write_bytes(content[: len(content) // 2])
        assert refused(name).code == "ADC-DATA-002"
    (tmp_path / name).write_bytes(b"\x80\x04\x95" + bytes(range(256)))
    assert refused(name).code in ("ADC-DATA-002", "ADC-DATA-005")
    (tmp_path / name).write_bytes(b"")
    assert refused(name).code == "ADC-DATA-002"


def test_a_ragged_csv_is_refused(tmp_path: Path, refused: Any) -> None:
    (tmp_path / "t.csv").write_text("a,target\n1,0\n2,1,5,6\n")
    assert refused("t.csv").code == "ADC-DATA-002"


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_what_is_missing_stays_missing(tmp_path: Path, read: Any, suffix: Any) -> None:
    dose, site = table()["dose"].where(np.arange(ROWS) != 7), table()["site"].where(np.arange(ROWS) != 8)
    data = read(write(tmp_path, table(dose=dose, site=site), suffix))
    frame = data.x.frame()
    assert np.flatnonzero(frame["dose"].isna()).tolist() == [7]
    assert np.flatnonzero(frame["site"].isna()).tolist() == [8]
