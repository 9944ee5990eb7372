"""Writes the page of a diagnosis: one file that loads nothing and runs no script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autodc.files import write_whole
from autodc.report.findings import Exhibits as Exhibits
from autodc.report.findings import drawn
from autodc.report.page import environment

PAGE = Path("diagnosis") / "index.html"


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
    folder: str | None,
) -> Path:
    """Write the page and return its path.

    views: of review.findings; nearest: finding → what would have to be different (verbs/nearest.py); folder: of the
    run, where a finding can be promoted.
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
    }
    write_whole(path, environment().get_template("diagnosis.html.j2").render(content))
    return path
