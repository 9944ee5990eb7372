"""Keys that study files had once. A file that names one is told so; a journal that holds one is read without it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from autodc.studyfile import codes
from autodc.studyfile.document import Document, Issue, Path

DROPPED: Final[dict[Path, str]] = {
    ("gate", "objective_alpha"): "the level is 0.2 in every study",
    ("gate", "guard_alpha"): "the level is 0.2 in every study",
    ("gate", "harm_alpha"): "the level is 0.05 in every study",
    ("gate", "futility_target"): "the bound is 0.25 in every study",
    ("gate", "futility_rest"): "the bound is 0.05 in every study",
    ("gate", "anchor_factor"): "a guard may lose 1.5 margins since the start in every study",
    ("gate", "incumbent"): "every study compares pair by pair",
    ("metrics", "tradeoffs"): "predict_ms, train_seconds and model_mb are measured in every study",
}
"""Where the key stood → what holds now."""

RENAMED: Final[dict[Path, str]] = {
    ("data", "diagnosis_share"): "write explore_share; search and diagnosis see these rows, comparisons the others",
}
"""Where the key stood → what to write instead."""


def upcast(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The study of a journal as it is read now; what is not a mapping is left for validation.

    A study of before the rows were cut for the search goes on with uncut rows, but for those it set apart, and judges
    each dataset alone.
    """
    found = dict(spec)
    data, gate = found.get("data"), found.get("gate", {})
    if isinstance(data, Mapping) and "explore_share" not in data:
        found["data"] = {**data, "explore_share": data.get("diagnosis_share", 0.0)}
    if isinstance(gate, Mapping) and "evidence" not in gate:
        found["gate"] = {**gate, "evidence": "each"}
    return without(found)


def without(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A study without the keys that are no more."""
    found = dict(spec)
    for section, key in (*DROPPED, *RENAMED):
        part = found.get(str(section))
        if isinstance(part, Mapping) and key in part:
            found[str(section)] = {k: v for k, v in part.items() if k != key}
    return found


def take_out(document: Document) -> list[Issue]:
    """Report every dropped key of a file, in one sentence each, and take it out of the document."""
    issues = []
    told = {path: f"this key was dropped, {now}: remove the line" for path, now in DROPPED.items()}
    told |= {path: f"this key is no more: {instead}" for path, instead in RENAMED.items()}
    for path, problem in told.items():
        if document.has(path):
            issues.append(document.issue(codes.DROPPED_KEY, path, problem))
            document.drop(path)
    return issues
