"""The page about rows that are also in validation says what the program says, and its ways on are ways on."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodc
from autodc.data.shared import OVERLAP_HINT
from autodc.errors import DataError
from autodc.wire.inputs import read_inputs

PAGE = (Path(__file__).resolve().parents[1] / "docs/guide/overlap.md").read_text(encoding="utf-8")


def customers(rows: int, seed: int, first: int) -> list[list[Any]]:
    rng = np.random.default_rng(seed)
    return [
        [
            f"c{first + i}",
            int(rng.integers(18, 80)),
            str(rng.choice(["basic", "plus", ""])),
            round(rng.gamma(2, 50), 2),
            i % 2,
        ]
        for i in range(rows)
    ]


def study(folder: Path, south: list[list[Any]], overlap: str = "refuse", **options: Any) -> autodc.StudySpec:
    files = {"base": customers(200, 1, 0), "south": south, "validation": customers(400, 3, 5000)}
    for name, rows in files.items():
        with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([["customer", "age", "plan", "spend", "stays"], *rows])

    def source(name: str) -> dict[str, Any]:
        return {"source": f"{name}.csv", "options": {"target": "stays", **options}}

    content = {
        "schema_version": 1,
        "name": "customers",
        "task": {"kind": "classification", "trainer": "sklearn"},
        "data": {
            "base": source("base"),
            "candidates": [{"name": "south", **source("south")}],
            "validation": source("validation"),
            "overlap": overlap,
        },
        "metrics": {"primary": "accuracy"},
        "slices": [{"name": "all", "role": "target"}],
        "tracking": {"uri": "none"},
    }
    (folder / "study.yaml").write_text(json.dumps(content))
    return autodc.load(str(folder / "study.yaml"))


SOUTH = [*customers(60, 3, 5000), *customers(40, 2, 9000)]


def test_copies_are_refused_in_the_words_of_the_page(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_inputs(study(tmp_path, SOUTH))
    assert caught.value.code == "ADC-DATA-024"
    assert "60 of 100 rows (60.0%) of `south` are also in `validation` (60, the same `customer`)" in caught.value.got
    assert "row 0 of `south` is row 0 of `validation`" in caught.value.got
    assert caught.value.hint == OVERLAP_HINT.format(0.01)
    assert caught.value.hint in PAGE


def test_every_way_on_is_one(tmp_path: Path) -> None:
    renamed = [[f"n{i}", *row[1:]] for i, row in enumerate(SOUTH)]
    assert read_inputs(study(tmp_path, SOUTH, "drop")).catalogue.left_out == {"south": 60}
    assert len(read_inputs(study(tmp_path, SOUTH, "allow")).catalogue["south"]) == 100
    catalogue = read_inputs(study(tmp_path, renamed, id="customer")).catalogue
    assert len(catalogue["south"]) == 100
    assert catalogue["south"].features == ("age", "plan", "spend")
    with pytest.raises(DataError, match="also in `validation`"):
        read_inputs(study(tmp_path, renamed))


def test_an_id_column_that_is_not_there_is_told_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(autodc.AutodcError) as caught:
        read_inputs(study(tmp_path, SOUTH, id="custmer"))
    assert "there is no id column `custmer`" in str(caught.value)
    assert "did you mean `customer`?" in str(caught.value)
