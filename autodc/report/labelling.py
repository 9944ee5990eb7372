"""The page beside a labelling sheet: every row to label, with its picture, in one file that loads nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from autodc.review import shadow


def render_sheet(content: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], classes: Sequence[Any]) -> str:
    """Return the page as text. content: as `shadow.json`; rows: as the page shows them; classes: labels."""
    environment = Environment(
        loader=PackageLoader("autodc.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = shadow.percent
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row["condition"] or row["why"], []).append(row)
    return environment.get_template("labelling.html.j2").render(
        content=content,
        headline=shadow.headline(content),
        warnings=shadow.warnings(content),
        represents=shadow.represents(content),
        moved=[shadow.moved_words(one) for one in content["drift"]["moved"]],
        groups=groups,
        classes=classes,
        sheet=content["files"]["sheet"],
    )
