"""What a page shows of labels: a sentence for each thing that is told, and rows whose label is likely wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autodc.report.findings import drawn_rows
from autodc.review.labels import label_words, looked_at

Array = np.ndarray[Any, Any]

LABEL_ROWS = {
    "validation": "Rows of validation whose label is likely wrong, the surest first: as it stands → what is likely",
    "training": "Training rows whose label is likely wrong, the surest first: as it stands → what is likely",
}
"""Which rows are shown, in words."""


def label_section(found: Mapping[str, Any], shown: Callable[[str], Mapping[str, Array] | None]) -> dict[str, Any]:
    """Content for the template. found: `labels` as JSON; shown: part → rows that are shown of it, None without any."""
    rows = {words: arrays for part, words in LABEL_ROWS.items() if (arrays := shown(part)) is not None}
    return {
        "label_words": label_words(found),
        "looked_at": looked_at(found),
        "label_rows": [(words, drawn_rows(arrays)) for words, arrays in rows.items()],
    }
