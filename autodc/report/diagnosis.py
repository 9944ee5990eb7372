"""Writes the page of a diagnosis: one file that loads nothing and runs no script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autodc.files import write_whole
from autodc.report.findings import Exhibits as Exhibits
from autodc.report.findings import drawn, drawn_rows
from autodc.report.labels import label_section
from autodc.report.page import environment
from autodc.review.edges import edge_words
from autodc.review.more_rows import offer_words, slice_words
from autodc.review.unit_tests import unit_test_words

Array = np.ndarray[Any, Any]

PAGE = Path("diagnosis") / "index.html"
EDGE_ROWS = "Rows that are edge cases, the furthest out first"


def write_diagnosis(
    path: Path,
    *,
    study: str,
    model: str,
    rows: int,
    views: Sequence[Mapping[str, Any]],
    notes: Sequence[str],
    exhibits: Exhibits,
    nearest: Mapping[str, Mapping[str, Any]],
    labels: Mapping[str, Any],
    unit_tests: Mapping[str, Any] | None,
    edges: Mapping[str, Any] | None,
    more_rows: Mapping[str, Any],
    shown: Mapping[str, Mapping[str, Array]],
    folder: str | None,
) -> Path:
    """Write the page and return its path.

    views: of review.findings; nearest: finding → what would have to be different (verbs/nearest.py); labels,
    unit_tests, edges, more_rows: as JSON has them; shown: rows of likely wrong labels, `validation` and `training`, and
    `edges`; folder: of the run,
    where a finding can be promoted.
    """
    found = drawn(views, exhibits, nearest)
    confirmed = [one for one in found if one["status"] == "confirmed"]
    suspected = [one for one in found if one["status"] != "confirmed"]
    content = {
        "study": study,
        "model": model,
        "rows": rows,
        "confirmed": confirmed,
        "suspected": suspected,
        "notes": list(notes),
        "folder": folder,
        **label_section(labels, shown.get),
        "edge_words": edge_words(edges),
        "edge_rows": [(EDGE_ROWS, drawn_rows(shown["edges"]))] if "edges" in shown else [],
        "more_words": slice_words(more_rows["slices"]),
        "offer_words": [offer_words(one) for one in more_rows["offers"]],
        "unit_test_words": unit_test_words(unit_tests),
    }
    write_whole(path, environment().get_template("diagnosis.html.j2").render(content))
    return path
