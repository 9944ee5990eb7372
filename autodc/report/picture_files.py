"""The pictures of findings as files: what MLflow and people who send pictures around can open alone."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from autodc.files import write_whole
from autodc.report.findings import Exhibits, drawn
from autodc.review import findings
from autodc.study.journal.state import State

FOLDER = Path("report") / "assets"


def galleries(state: State, exhibits: Exhibits) -> dict[str, bytes]:
    """Path below the study's folder → a PNG: of each finding of the last diagnosis, what fails and what passes."""
    found: dict[str, bytes] = {}
    for one in drawn(findings.views(state), exhibits):
        shown = one["shown"] or {}
        for side in ("failing", "passing"):
            found |= dict(_pictures(f"{one['id']}-{side}", shown.get(side) or ()))
    return found


def write_galleries(state: State, folder: Path, exhibits: Exhibits) -> None:
    """Write the pictures, and take away those of an earlier diagnosis. Raises OSError as the system does."""
    wanted = galleries(state, exhibits)
    for path in (folder / FOLDER).glob("F*.png"):
        if path.relative_to(folder).as_posix() not in wanted:
            path.unlink()
    for name, content in wanted.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_whole(folder / name, content)


def _pictures(name: str, rows: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, bytes]]:
    for number, row in enumerate(rows, 1):
        for picture in row.get("pictures") or ():
            source = str(picture["source"])
            if source.startswith("data:image/png;base64,"):
                what = re.sub(r"\W+", "-", str(picture["name"]))
                path = (FOLDER / f"{name}-{number:02d}-{what}.png").as_posix()
                yield path, base64.b64decode(source.partition(",")[2])
