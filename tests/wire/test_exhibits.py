"""What a reader is shown of a finding is made of rows of any targets; a finding whose rows cannot be shown stands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from autodc.diagnose.finding import Finding, Gap
from autodc.diagnose.view import View
from autodc.plan.plan import Plan
from autodc.table import Table
from autodc.wire.diagnosis import Looked, as_events
from autodc.wire.exhibits import CARDS, exhibit

FINDING = Finding(
    id="F1",
    kind="attributes",
    rule="hour < 6.0",
    status="confirmed",
    found=10,
    confirmed=10,
    error=Gap(inside=1.0, outside=0.0, difference=1.0, low=0.5, high=1.0),
    by="beam",
    ids=tuple(range(20)),
)


class Kept:
    """Keeps arrays in memory."""

    def __init__(self) -> None:
        self.arrays: list[Mapping[str, Any]] = []

    def put(self, arrays: Mapping[str, Any]) -> str:
        self.arrays.append(arrays)
        return f"{len(self.arrays)}"

    def get(self, address: str) -> Mapping[str, Any]:
        return self.arrays[int(address) - 1]

    def drop(self, address: str) -> None:
        del self.arrays[int(address) - 1]


@pytest.fixture
def rows() -> View:
    """Boxes of pictures: a list of records a row, some without any."""
    boxes = np.empty(60, dtype=object)
    boxes[:] = [[{"box": [1, 2, 3, k], "label": "square"}] * (k % 3) for k in range(60)]
    return View(
        ids=np.arange(60),
        error=(np.arange(60) < 20).astype(float),
        failed=np.arange(60) < 20,
        target=boxes,
        prediction=boxes,
        attributes=pd.DataFrame({"hour": np.arange(60), "tags": [["a", "b"], None] * 30}),
        groups=np.arange(60),
    )


def journalled(rows: View, store: Kept) -> Any:
    looked = Looked(rows=rows, findings=(FINDING,))
    how = {"plan": Plan.of({"base": 1.0}, {}), "trial": None, "round_number": 1, "horizon": 0, "first": 3}
    return as_events(looked, **how, store=store)


def test_targets_that_are_lists_are_shown(rows: View) -> None:
    cards = json.loads(bytes(exhibit(rows, FINDING)[CARDS]))
    assert cards["failing"] == 12
    assert cards["rows"][1]["target"] == str(rows.target[1])
    assert cards["rows"][0]["target"] == "[]"
    assert [one["values"]["tags"] for one in cards["rows"][:2]] == ["['a', 'b']", None]


def test_image_files_are_shown_as_they_look_on_one_sheet(rows: View, tmp_path: Path) -> None:
    paths = [str(tmp_path / f"{k}.png") for k in range(len(rows))]
    for k, path in enumerate(paths):
        Image.new("RGB", (8, 8 + k % 2), (k, 0, 200)).save(path)
    made = exhibit(replace(rows, x=Table.of_files(paths, paths)), FINDING)
    cards = json.loads(bytes(made[CARDS]))
    assert cards["kind"] == "image"
    assert made["inputs"].shape == (len(cards["rows"]), 9, 8, 3)
    assert [one[4, 4].tolist() for one in made["inputs"]] == [[row["id"], 0, 200] for row in cards["rows"]]


def test_a_finding_that_cannot_be_shown_stands_without_its_rows(rows: View) -> None:
    store = Kept()
    made, (found,) = journalled(rows, store)
    assert (found.id, found.exhibit, made.findings, len(store.arrays)) == ("F3", "1", 1, 1)
    made, (found,) = journalled(replace(rows, prediction=np.zeros(3)), store)  # rows that are not there
    assert (found.id, found.exhibit, made.findings, len(store.arrays)) == ("F3", "", 1, 1)
    assert found.ids == FINDING.ids


def test_a_store_that_cannot_be_written_is_no_lost_exhibit(rows: View) -> None:
    class Full(Kept):
        def put(self, arrays: Mapping[str, Any]) -> str:
            raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        journalled(rows, Full())
