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


def upcast(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The study of a journal without the keys that are no more; what is not a mapping is left for validation."""
    found = dict(spec)
    for section, key in DROPPED:
        part = found.get(str(section))
        if isinstance(part, Mapping) and key in part:
            found[str(section)] = {k: v for k, v in part.items() if k != key}
    return found


def take_out(document: Document) -> list[Issue]:
    """Report every dropped key of a file, in one sentence each, and take it out of the document."""
    issues = []
    for path, now in DROPPED.items():
        if document.has(path):
            problem = f"this key was dropped, {now}: remove the line"
            issues.append(document.issue(codes.DROPPED_KEY, path, problem))
            document.drop(path)
    return issues
