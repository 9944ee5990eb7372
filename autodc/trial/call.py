"""What an object is called with on a worker, and what it may give back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, final

import numpy as np
import pandas as pd

from autodc.errors import AutodcError
from autodc.table import Inputs

Array = np.ndarray[Any, Any]


class CallError(AutodcError):
    """What was called answered badly. The task has failed and is not run again."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CallPart:
    """Stored rows: read-only, memory-mapped."""

    name: str
    x: Inputs
    """Shape (n, ...)."""
    y: Array | None
    """None where the store holds inputs alone."""
    metadata: pd.DataFrame
    folder: Path


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The one argument of the object."""

    arguments: Mapping[str, Any]
    """JSON, as it was planned; a seed among them where chance is needed."""
    parts: Mapping[str, CallPart]
    out: Path
    """An empty folder; what is written there stays."""
    seconds: float | None = None
    """After which the call is ended from outside; None: never."""


class Callee(Protocol):
    """A function of a call. The same call gives the same answer."""

    def __call__(self, call: Call) -> Any:
        """Return a JSON value, or None; write files below `call.out`."""
        ...


def as_json(value: Any, place: str) -> Any:
    """The value as the journal will hold it. Raises CallError where it is no JSON."""
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        hint = "return numbers, text, lists and dicts; write arrays and tables below call.out"
        raise CallError("ADC-TASK-001", "a call gives back JSON", place, str(error), hint) from error
