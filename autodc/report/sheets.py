"""Writes the sheet of a request for labels: a table to fill in, and pictures of its rows beside it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autodc.files import write_whole
from autodc.report.pictures import png_file
from autodc.review.requests import CARDS, PICTURES

Array = np.ndarray[Any, Any]

ROWS = "rows"
"""Folder of pictures, beside the sheet."""


def write_sheet(stored: Mapping[str, Array], count: int, path: Path) -> None:
    """Write the first rows of a stored sheet. One that is there stays as it is: somebody may be filling it in.

    Its columns: `id`, one for each label, `picture` where inputs are pictures, then what is known of a row.
    """
    if path.exists():
        return
    cards = json.loads(bytes(np.asarray(stored[CARDS], dtype=np.uint8)))
    ids, labels = cards["ids"][:count], cards["labels"]
    columns: dict[str, list[Any]] = {"id": ids, **{name: [""] * len(ids) for name in labels}}
    if PICTURES in stored:
        columns["picture"] = [f"{ROWS}/{at:05d}.png" for at in range(len(ids))]
        for file, picture in zip(columns["picture"], stored[PICTURES], strict=False):
            write_whole(path.parent / file, png_file(picture, optimize=False))
    for name, values in cards["context"].items():
        columns[name if name not in columns else f"row_{name}"] = values[: len(ids)]
    with io.StringIO(newline="") as text:
        lines = csv.writer(text)
        lines.writerow(columns)
        lines.writerows(zip(*columns.values(), strict=True))
        write_whole(path, text.getvalue())
