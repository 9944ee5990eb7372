"""The same rows before and after: what the model of the start made of them, and what the model at the end makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autodc.evaluation.images import error_on_scale, on_scale, psnr_rows
from autodc.report.findings import Exhibits, card_drawn, cards_of
from autodc.report.pictures import png
from autodc.study.journal.state import State
from autodc.study.view import spec_of

Array = np.ndarray[Any, Any]

VALIDATION = "validation"
SHOWN = 8
"""Rows of each group that are shown."""
HALF = 0.5
"""Share of its error below which a row of values counts as mended, above whose inverse as lost."""
GROUPS = {
    "mended": "Wrong at the start, right at the end",
    "still": "Wrong at the start, and at the end",
    "lost": "Right at the start, wrong at the end",
}

PICTURED = {
    "mended": "The error is at most half of what it was",
    "still": "The error is neither halved nor doubled",
    "lost": "The error is at least twice what it was",
}
"""The same of outputs that are pictures."""


def before_and_after(state: State, exhibits: Exhibits) -> dict[str, Any] | None:
    """Groups of rows that findings have shown; None where nothing is kept of either model, or both are one."""
    if state.start is None or state.incumbent is None or state.start == state.incumbent:
        return None
    before = _outputs(state.outputs.get(state.start), exhibits)
    after = _outputs(state.outputs.get(state.incumbent), exhibits)
    if before is None or after is None:
        return None
    kind, cards = _cards(state, exhibits, min(len(before), len(after)))
    if not cards:
        return None
    if before.ndim > 2 and kind == "image":
        rows = [_pictured(card, before, after) for card in cards]
    elif spec_of(state).task.kind == "classification" and before.ndim == 2:
        rows = _labelled(state, cards, before, after)
    elif before.ndim == 1 and before.dtype.kind == "f":
        rows = [_valued(card, before, after) for card in cards]
    else:
        return None
    groups = [
        {"words": words, "all": len(mine), "rows": [_shown(row) for row in _spread(mine)]}
        for key, words in (PICTURED if "made" in rows[0] else GROUPS).items()
        if (mine := [row for row in rows if row["group"] == key])
    ]
    columns = list(cards[0]["values"]) if kind == "table" else []
    return {"kind": kind, "groups": groups, "columns": columns, "looked": len(rows)} if groups else None


def _outputs(address: str | None, exhibits: Exhibits) -> Array | None:
    arrays = exhibits(address) if address else None
    return None if arrays is None or VALIDATION not in arrays else np.asarray(arrays[VALIDATION])


def _cards(state: State, exhibits: Exhibits, rows: int) -> tuple[str, list[dict[str, Any]]]:
    """The rows that findings have shown, each once, as it was shown first; all of the kind of the first."""
    kind, found = "", dict[int, dict[str, Any]]()
    for one in state.findings.values():
        arrays = exhibits(one.exhibit) if one.exhibit else None
        if arrays is None:
            continue
        told = cards_of(arrays)
        kind = kind or told["kind"]
        for k, card in enumerate(told["rows"] if told["kind"] == kind else ()):
            if card["id"] < rows and card["id"] not in found:
                kept = {"place": k, "arrays": arrays, "scale": told.get("scale"), "plan": _plan_of(state, one.id)}
                found[card["id"]] = card | kept
    return kind, list(found.values())


def _plan_of(state: State, finding: str) -> Any:
    return next((looked.plan for looked in state.diagnoses if finding in looked.ids), None)


def _labelled(state: State, cards: Sequence[dict[str, Any]], before: Array, after: Array) -> list[dict[str, Any]]:
    """Rows of a classification. What a column of the outputs is called, the cards of both models tell."""
    known = {state.start: before, state.incumbent: after}
    names = {
        int(known[card["plan"]][card["id"]].argmax()): card["prediction"] for card in cards if card["plan"] in known
    }
    rows = []
    for card in cards:
        was, now = int(before[card["id"]].argmax()), int(after[card["id"]].argmax())
        if was not in names or now not in names:
            continue
        right = names[was] == card["target"], names[now] == card["target"]
        rows.append(_row(card, {"before": names[was], "after": names[now]}, _group(*right)))
    return rows


def _valued(card: dict[str, Any], before: Array, after: Array) -> dict[str, Any]:
    """A row of values: mended where the error is at most half of what it was."""
    was, now, truth = float(before[card["id"]]), float(after[card["id"]]), card.get("target")
    if not isinstance(truth, int | float):
        return _row(card, {"before": was, "after": now}, "")
    group = _halved(abs(was - truth), abs(now - truth))
    return _row(card, {"before": f"{was:.4g}", "after": f"{now:.4g}"}, group)


def _pictured(card: dict[str, Any], before: Array, after: Array) -> dict[str, Any]:
    """A row whose output is a picture, on the scale of the truth: mended where the error is at most half of before.

    The truth is read from the picture of it that was kept, where it is as large as the outputs.
    """
    was, now = (np.asarray(one[card["id"]], dtype=float).squeeze() for one in (before, after))
    low, high = card["scale"] or (float(min(was.min(), now.min())), float(max(was.max(), now.max())))
    made = {name: on_scale(one, low, high) for name, one in (("before", was), ("after", now)) if one.ndim in (2, 3)}
    truth = _truth(card, was.shape)
    if truth is None:
        return {**_row(card, {"before": "", "after": ""}, "still"), "made": made}
    errors = [np.abs(one - truth) for one in (was, now)]
    made |= {f"error {name}": error_on_scale(one, truth, low, high) for name, one in (("before", was), ("after", now))}
    group = _halved(*(float(one.mean()) for one in errors))
    old, new = (float(psnr_rows(one[None], truth[None])[0]) for one in (was, now))
    said = {"before": f"{old:.1f}", "after": f"{new:.1f}", "better": new > old}
    return {**_row(card, said, group), "made": made}


def _truth(card: Mapping[str, Any], shape: tuple[int, ...]) -> Array | None:
    """What an output should have been; None where it is not known to the pixel."""
    pictures = card["arrays"].get("truths")
    if pictures is None or card["scale"] is None:
        return None
    low, high = card["scale"]
    kept = np.asarray(pictures[card["place"]], dtype=float)
    values = low + (high - low) * (kept if len(shape) == 3 else kept[..., 0]) / 255
    return values if values.shape == shape else None


def _halved(before: float, after: float) -> str:
    """Mended where the error is at most half of what it was, lost where it is at least twice."""
    return "mended" if after <= HALF * before else "lost" if before <= HALF * after else "still"


def _spread(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """So many of the rows as are shown, evenly from all of them: one finding after the other shows its own."""
    return [rows[k] for k in np.unique(np.linspace(0, len(rows) - 1, SHOWN).round().astype(int))]


def _group(was_right: bool, is_right: bool) -> str:
    if was_right:
        return "" if is_right else "lost"
    return "mended" if is_right else "still"


def _row(card: Mapping[str, Any], said: Mapping[str, Any], group: str) -> dict[str, Any]:
    return {"card": card, **said, "group": group}


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its card drawn; of outputs that are pictures input, both, truth and how far either is from it."""
    card = row["card"]
    own = card_drawn({k: v for k, v in card.items() if k not in _INNER}, card["place"], card["arrays"])
    if "made" in row:
        shown = {one["name"]: one for one in own["pictures"]}
        made = {name: {"name": name, "source": png(picture)} for name, picture in row["made"].items()}
        order = ("input", "before", "after", "truth", "error before", "error after")
        every = {**{name: shown[name] for name in ("input", "truth") if name in shown}, **made}
        own["pictures"] = [every[name] for name in order if name in every]
    return {**row, "card": own}


_INNER = ("place", "arrays", "plan", "scale", "quality")
