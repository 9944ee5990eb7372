"""Rows that a person should label, as files: a pool, a sheet that is a source once it is filled in, and a page."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, final

import numpy as np
import pandas as pd
from pydantic import JsonValue

from autodc.adapters.pictures.shown import data_uri, picture_of, picture_of_file
from autodc.data.catalogue import Catalogue
from autodc.diagnose.shadow.columns import Columns
from autodc.diagnose.shadow.mine import Learned, Mined, StreamFeatures
from autodc.report.labelling import render_sheet
from autodc.review.rule_words import chosen_words
from autodc.table import Inputs, Table
from autodc.verbs.shadow_rows import Rows

Array = np.ndarray[Any, Any]

SHEET, FOLDER, MANIFEST, FILES = "to_label.csv", "to_label", "manifest.csv", "rows"
POOL, PAGE, CORNERS = "pool.parquet", "sheet.html", "corner_cases.csv"
MARK = "shadow_"
"""How the columns begin that shadow mode adds."""
ADDED = tuple(MARK + name for name in ("id", "row", "file", "failure", "predicted", "why", "condition"))
ID, ROW, FILE, FAILURE, PREDICTED, WHY, CONDITION = ADDED
FACTS = 12
"""Attributes of a row that the page shows."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What a label is called and may be."""

    targets: tuple[str, ...]
    """Columns to fill in."""
    classes: tuple[Any, ...]
    """In the order of their codes; none where targets are no classes."""
    options: Mapping[str, JsonValue]
    """With which the filled-in sheet is read."""
    columns: tuple[str, ...]
    """Attributes, for the page."""
    is_table: bool

    @classmethod
    def of(cls, options: Mapping[str, JsonValue], catalogue: Catalogue, columns: Columns) -> Self:
        """Settle it by the base. options: of the base."""
        x = catalogue.base.x
        is_table = isinstance(x, Table) and x.kind != "files"
        wish = options.get("target", "target") if is_table else "target"
        targets = tuple(str(name) for name in wish) if isinstance(wish, list) else (str(wish),)
        mine: dict[str, JsonValue] = {}
        if is_table and isinstance(x, Table):
            text = {"text": x.names[0]} if x.kind == "text" else {}
            mine = {**text, **({"target": wish} if wish != "target" else {})}
        return cls(
            targets=targets,
            classes=tuple(catalogue.classes or ()),
            options=mine,
            columns=tuple(one.source for one in columns.columns),
            is_table=is_table,
        )


def write_sheet(
    folder: Path,
    rows: Rows,
    mined: Mined,
    seen: StreamFeatures,
    learned: Learned,
    labels: Labels,
    content: Mapping[str, Any],
) -> dict[str, Any]:
    """Write all files of a folder that nobody has seen yet; return what `shadow.json` says of them.

    rows: those that were picked, then corner cases that were not.
    """
    place = {int(row): at for at, row in enumerate(rows.rows)}
    picked = np.array([place[one.row] for one in mined.picked], dtype=int)
    ids = [f"r-{int(value):016x}" for value in rows.content]
    about = _about_picked(rows, picked, ids, mined, seen, labels)
    rules = [chosen_words(one.rule.sql, one.predicted) for one in learned.gathered]
    conditions = [rules[one.condition] if one.condition >= 0 else "" for one in mined.picked]
    x, metadata = rows.x[picked], rows.metadata.iloc[picked].reset_index(drop=True)
    inputs, source = _put_inputs(folder, x, metadata, about, labels)
    pool = pd.concat([about, pd.Series(conditions, name=CONDITION), inputs], axis=1)
    pool.to_parquet(folder / POOL, index=False)
    corners = _corners(mined, rows, place, ids)
    pd.DataFrame(corners, columns=["row", "id", "file", "kind", "attribute", "value"]).to_csv(
        folder / CORNERS, index=False
    )
    picks = [
        {"row": int(r), "id": i, "file": f, "failure": float(p), "why": w, "condition": c or None}
        for r, i, f, p, w, c in zip(
            about[ROW], about[ID], about[FILE], about[FAILURE], about[WHY], conditions, strict=True
        )
    ]
    found = {
        "picks": picks,
        "corner_cases": corners,
        "labelled": {"source": source, "options": dict(labels.options), "columns": list(labels.targets)},
        "files": {"sheet": _sheet(labels), "page": PAGE, "pool": POOL, "corner_cases": CORNERS},
    }
    predicted = about[PREDICTED].tolist() if labels.classes else [None] * len(about)
    shown = [
        {**pick, "predicted": label, **_shown(rows, at, labels)}
        for at, pick, label in zip(picked, picks, predicted, strict=True)
    ]
    (folder / PAGE).write_text(render_sheet({**content, **found}, shown, labels.classes), encoding="utf-8")
    return found


def _about_picked(
    rows: Rows, picked: Array, ids: list[str], mined: Mined, seen: StreamFeatures, labels: Labels
) -> pd.DataFrame:
    """What shadow mode adds to the picked rows but for the condition, one row each."""
    at = rows.rows[picked]
    classes = {PREDICTED: [labels.classes[int(seen.predicted[row])] for row in at]} if labels.classes else {}
    return pd.DataFrame(
        {
            ID: [ids[one] for one in picked],
            ROW: at,
            FILE: [rows.files[one] for one in picked],
            FAILURE: seen.failure[at].astype(float).round(4),
            **classes,
            WHY: [one.why for one in mined.picked],
        }
    )


def _sheet(labels: Labels) -> str:
    return SHEET if labels.is_table else f"{FOLDER}/{MANIFEST}"


def _put_inputs(
    folder: Path, x: Inputs, metadata: pd.DataFrame, about: pd.DataFrame, labels: Labels
) -> tuple[pd.DataFrame, str]:
    """Write the sheet, with a file a row beside it where inputs are no table; return inputs, metadata, the source."""
    empty = pd.DataFrame({name: [None] * len(about) for name in labels.targets}, dtype=object)
    metadata = metadata.drop(columns=[name for name in labels.targets if name in metadata])
    if labels.is_table and isinstance(x, Table):
        inputs = x.frame()
        inputs = pd.concat([inputs, metadata.drop(columns=[n for n in inputs if n in metadata])], axis=1)
        pd.concat([inputs, about, empty], axis=1).to_csv(folder / SHEET, index=False)
        return inputs, SHEET
    (folder / FOLDER / FILES).mkdir(parents=True)
    paths = []
    for at, name in enumerate(about[ID]):
        if isinstance(x, Table):
            path = f"{FILES}/{name}{Path(x.texts()[at]).suffix}"
            shutil.copyfile(x.texts()[at], folder / FOLDER / path)
        else:
            path = f"{FILES}/{name}.npy"
            np.save(folder / FOLDER / path, np.ascontiguousarray(x[at]), allow_pickle=False)
        paths.append(path)
    metadata = metadata.rename(columns={name: f"source_{name}" for name in ("path",) if name in metadata})
    files = pd.Series(paths, name="path", dtype=object)
    pd.concat([files, empty, about, metadata], axis=1).to_csv(folder / FOLDER / MANIFEST, index=False)
    return pd.concat([files, metadata], axis=1), FOLDER


def _corners(mined: Mined, rows: Rows, place: Mapping[int, int], ids: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "row": one.row,
            "id": ids[place[one.row]],
            "file": rows.files[place[one.row]],
            "kind": one.kind,
            "attribute": one.attribute or None,
            "value": one.value,
        }
        for one in mined.corners
    ]


def _shown(rows: Rows, at: int, labels: Labels) -> dict[str, Any]:
    """The inputs of one row as the page shows them."""
    x, picture, text = rows.x, None, None
    if isinstance(x, Table):
        if x.kind == "files":
            picture = picture_of_file(x[at : at + 1].texts()[0])
        elif x.kind == "text":
            text = x[at : at + 1].texts()[0]
    else:
        picture = picture_of(np.asarray(x[at]))
    line = rows.metadata.iloc[at]
    names = list(dict.fromkeys(name for name in (*labels.columns, *rows.metadata.columns) if name in rows.metadata))
    facts = [(name, _fact(line[name])) for name in names if name not in ("path", *labels.targets)][:FACTS]
    return {"picture": picture and data_uri(picture), "text": text, "facts": facts}


def _fact(value: Any) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return "–"
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)[:80]
