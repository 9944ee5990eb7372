"""Makes a dataset of rows that lie in others as they are: a maker that chooses nothing, its rows were chosen before."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodc.large import taken, taken_values
from autodc.propose.made import Made, Origin, write
from autodc.trial.call import Call, CallError

TAKE = "autodc.propose.taking:take"
"""The name of the maker."""


def take(call: Call) -> dict[str, Any]:
    """Take rows of one part. Its arguments: {rows: positions in the part}."""
    ((name, part),) = call.parts.items()
    rows = np.asarray(call.arguments["rows"], dtype=np.int64)
    if part.y is None:
        hint = "give data.pool labels, or an oracle"
        raise CallError("ADC-PROP-001", "rows without labels cannot be trained on", name, f"{len(rows)} rows", hint)
    origin = Origin(parents=(name,), parent=np.zeros(len(rows), dtype=np.int64), position=rows)
    metadata = part.metadata.iloc[rows].reset_index(drop=True)
    return write(call.out, Made(x=taken(part.x, rows), y=taken_values(part.y, rows), metadata=metadata, origin=origin))
