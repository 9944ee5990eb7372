"""What a reader is shown of a finding: rows that fail in it, and of the same classes rows that pass elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from autodc.diagnose.failure_positions import lying
from autodc.diagnose.finding import Finding
from autodc.diagnose.rule import Rule
from autodc.diagnose.view import View
from autodc.diagnose.wording import telling_words
from autodc.evaluation.images import are_masks, error_on_scale, iou_rows, on_scale, psnr_rows, ssim_rows
from autodc.table import Table
from autodc.wire.shown_pictures import framed, opened, pictures_of, scale_of

Array = np.ndarray[Any, Any]

FAILING, PASSING = 12, 6
"""Rows that are shown of either kind."""
COLUMNS = 8
"""Columns that are shown of a row, those that tell most first."""
LONGEST = 320
"""Characters of a text that are shown."""
MASK_VALUES = 32
"""Whole numbers in images, up to which they are classes."""
CARDS = "cards"
"""Name of the array that holds all but pictures, as JSON in UTF-8."""


NO_RULE = Rule(())


def exhibit(seen: View, finding: Finding, named: Sequence[str] = (), rule: Rule = NO_RULE) -> dict[str, Array]:
    """Arrays for the artefact store. named: attributes that are to be shown first; rule: that of the finding."""
    inside = pd.Index(seen.ids).get_indexer(pd.Index(np.asarray(finding.ids, dtype=int)))
    inside = inside[inside >= 0]
    failing = inside[seen.failed[inside]][:FAILING]
    cards, pictures = _shown(seen, failing, _controls(seen, inside, failing), named)
    if cards["kind"] == "text":
        outside = np.setdiff1d(np.arange(len(seen)), inside)
        cards["words"] = telling_words(_texts(seen, inside[seen.failed[inside]]), _texts(seen, outside))
    if (drawn := lying(seen, rule, named)) is not None:
        cards["lying"] = drawn.to_dict()
    return {**_stored(cards), **pictures}


def rows_shown(seen: View, places: Array) -> dict[str, Array]:
    """The same of single rows, in this order. places: among the rows of the view."""
    cards, pictures = _shown(seen, np.asarray(places, dtype=int), np.zeros(0, dtype=int), ())
    return {**_stored(cards), **pictures}


def _shown(seen: View, failing: Array, passing: Array, named: Sequence[str]) -> tuple[dict[str, Any], dict[str, Array]]:
    shown = np.concatenate([failing, passing]).astype(int)
    kind, pictures = _pictures(seen, shown)
    rows = [_card(seen, int(k), kind, list(named)) for k in shown]
    told = {"kind": kind, "failing": len(failing), "rows": rows}
    if (made := _image_answers(seen, shown)) is not None:
        for row, quality in zip(rows, _qualities(*made), strict=True):
            row["quality"] = quality
        told["scale"] = scale_of(made[0])
    return told, pictures


def _stored(cards: Mapping[str, Any]) -> dict[str, Array]:
    return {CARDS: np.frombuffer(json.dumps(cards, ensure_ascii=False).encode(), dtype=np.uint8)}


def _controls(seen: View, inside: Array, failing: Array) -> Array:
    """Rows outside that pass, of the classes of those that fail, one for one."""
    others = np.setdiff1d(np.flatnonzero(~seen.failed), inside)
    if not seen.is_classification or seen.target.ndim != 1:
        return others[np.argsort(seen.error[others], kind="stable")][:PASSING]
    alike = {label: iter(others[seen.target[others] == label]) for label in set(seen.target[failing].tolist())}
    chosen = [one for k in failing if (one := next(alike[seen.target[k].item()], None)) is not None]
    return np.array(chosen[:PASSING], dtype=int)


def _card(seen: View, k: int, kind: str, named: list[str]) -> dict[str, Any]:
    """One row as JSON."""
    card: dict[str, Any] = {"id": int(seen.ids[k]), "error": round(float(seen.error[k]), 6)}
    if seen.target.ndim < 3:
        truth = seen.target[k]
        card |= {
            "target": _said(truth) if seen.target.ndim == 2 else _plain(truth),
            "prediction": _said(seen.prediction[k]),
        }
    if seen.probabilities is not None:
        card["confidence"] = round(float(seen.probabilities[k].max()), 4)
    order = [*dict.fromkeys([*(n for n in named if n in seen.attributes), *seen.attributes.columns])]
    own = [name for name in order if kind != "text" or name in named or not _is_long(seen.attributes[name])]
    card["values"] = {str(name): _plain(seen.attributes[name].iloc[k]) for name in own[:COLUMNS]}
    if kind == "text":
        card["text"] = _texts(seen, np.array([k]))[0][:LONGEST]
    return card


def _said(prediction: Any) -> Any:
    """A prediction of one row, as a person reads it."""
    values = np.asarray(prediction)
    if values.dtype == object or values.ndim == 0:
        return _plain(values.item() if values.ndim == 0 else prediction)
    return [round(float(v), 6) for v in values.ravel()[:COLUMNS]]


def _is_long(column: Any) -> bool:
    return bool(column.dtype == object or str(column.dtype).startswith(("str", "string"))) and bool(
        column.astype(str).str.len().mean() > COLUMNS * 5
    )


def _texts(seen: View, rows: Array) -> list[str]:
    assert isinstance(seen.x, Table)
    return seen.x[np.asarray(rows, dtype=int)].texts()


def _pictures(seen: View, rows: Array) -> tuple[str, dict[str, Array]]:
    """What an input is for a reader, and the pictures: name → (n, h, w, 3), bytes."""
    if isinstance(seen.x, Table):
        if seen.x.kind == "text":
            return "text", {}
        if seen.x.kind == "files":
            shown = [opened(path) for path in seen.x[rows].texts()]
            return ("image", {"inputs": framed(shown)}) if any(one is not None for one in shown) else ("files", {})
        return "table", {}
    if seen.x is None or (inputs := pictures_of(np.asarray(seen.x[rows]))) is None:
        return "table", {}
    found: dict[str, Array | None] = {"inputs": inputs}
    if (made := _image_answers(seen, rows)) is not None:
        truth, said = made
        x, (low, high) = np.asarray(seen.x[rows]), scale_of(truth)
        alike = x.shape == truth.shape and (x.dtype == np.uint8) == (truth.dtype == np.uint8)
        found |= {"inputs": pictures_of(on_scale(x, low, high))} if alike else {}
        found |= {
            "predictions": pictures_of(on_scale(said, low, high)),
            "truths": pictures_of(on_scale(truth, low, high)),
        }
        found["errors"] = pictures_of(error_on_scale(said, truth, low, high))
    return "image", {name: framed(list(one)) for name, one in found.items() if one is not None}


def _image_answers(seen: View, rows: Array) -> tuple[Array, Array] | None:
    """Truths and outputs of these rows, where both are images of one shape."""
    if seen.target.ndim < 3 or seen.target.shape != seen.prediction.shape or not len(rows):
        return None
    truth, said = np.asarray(seen.target[rows]), np.asarray(seen.prediction[rows], dtype=float)
    return (truth, said) if truth.dtype.kind in "buif" and pictures_of(truth) is not None else None


def _qualities(truth: Array, said: Array) -> list[dict[str, float]]:
    """What each row is worth: of masks the overlap, of other images how near and how alike they are."""
    is_mask = are_masks(truth) and len(np.unique(truth)) <= MASK_VALUES
    of = {"iou": iou_rows} if is_mask else {"psnr": psnr_rows, "ssim": ssim_rows}
    values = {name: rows(said, truth) for name, rows in of.items()}
    return [{name: _plain(float(one[k])) for name, one in values.items()} for k in range(len(truth))]


def _plain(value: Any) -> Any:
    """A value as JSON has it; numbers to six digits, what is missing as null."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return None
    if isinstance(value, float):
        return float(f"{value:.6g}")
    return value if isinstance(value, (int, bool, str)) else str(value)
