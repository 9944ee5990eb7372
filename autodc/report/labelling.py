"""The page beside a labelling sheet: every row to label, with its picture, in one file that loads nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autodc.report.page import environment
from autodc.review import shadow


def render_sheet(content: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], classes: Sequence[Any]) -> str:
    """Return the page as text. content: as `shadow.json`; rows: as the page shows them; classes: labels."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row["condition"] or row["why"], []).append(row)
    page = environment().get_template("labelling.html.j2")
    return page.render(
        content=content,
        headline=shadow.headline(content),
        warnings=shadow.warnings(content),
        represents=shadow.represents(content),
        moved=[shadow.moved_words(one) for one in content["drift"]["moved"]],
        groups=groups,
        percent=shadow.percent,
        classes=classes,
        sheet=content["files"]["sheet"],
    )
