"""From a stored record to its event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autodc.errors import SurroundingsError
from autodc.study.journal import upcasts
from autodc.study.journal.events import KINDS, Event


def from_dict(kind: str, version: int, payload: Mapping[str, Any]) -> Event:
    """Read an event back. Raises SurroundingsError ADC-JRNL-002 for a kind or version of a newer autodc."""
    kind = upcasts.RENAMED.get(kind, kind)
    found = KINDS.get(kind)
    if found is None or version > found.version:
        raise SurroundingsError(
            "ADC-JRNL-002",
            "the journal was written by a newer autodc",
            got=f"event {kind} version {version}",
            hint="install the autodc that wrote it, or a newer one",
        )
    return found(**upcasts.upcast(kind, version, found.version, payload))
