"""The rounds of a night as the page tells them: the findings of each with a few pictures of rows that fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autodc.report.findings import Exhibits, drawn_worst

PICTURES = 4
"""Rows of a finding that are shown, those that fail worst."""


def told_rounds(rounds: Sequence[Mapping[str, Any]], exhibits: Exhibits) -> list[dict[str, Any]]:
    """The rounds of `review.rounds.rounds`, each finding with what is shown of it."""
    return [{**one, "findings": [_shown(f, exhibits) for f in one["findings"]]} for one in rounds]


def _shown(finding: Mapping[str, Any], exhibits: Exhibits) -> dict[str, Any]:
    arrays = exhibits(finding["exhibit"]) if finding["exhibit"] else None
    kind, cards = (None, []) if arrays is None else drawn_worst(arrays, PICTURES)
    return {**finding, "cards": [] if kind == "table" else cards, "shows": kind}
