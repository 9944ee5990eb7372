"""From a record of a journal to its event: whether the chain vouches for it, else whether it may be one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autodc.adapters.journal_file import damaged
from autodc.study.journal.chain import seal
from autodc.study.journal.codec import from_text, known
from autodc.study.journal.events import Event

Record = tuple[int, Any, Any, Any, Any]
"""Position, kind, version, payload and time, as the table has them; texts as bytes."""

_SEALED_SINCE = 3
"""Events of this version or a later one were never written without a seal."""


def event_of(path: Path, record: Record, before: bytes | None, found: Any) -> Event:
    """The event of a record. before: the seal of the record before it, None in a journal of before; found: its own.

    Raises SurroundingsError ADC-JRNL-007 where it is not as it was written, or no event, ADC-JRNL-002 as `known` does.
    """
    position, kind, version, payload, written = record
    try:
        kind, payload = kind.decode(), payload.decode()
        if type(version) is not int or type(written) is not float:
            raise TypeError(f"version {version!r}, written {written!r}")
        known(kind, version)
        if before is None and version >= _SEALED_SINCE:
            raise ValueError("its checksum is lost")
        if before is not None and seal(before, position, kind, version, written, payload) != found:
            raise ValueError("it, or the one before, is not as it was written: its checksum does not fit")
        return from_text(kind, version, payload, vouched=before is not None)
    except (AttributeError, RecursionError, TypeError, ValueError) as error:
        name = kind if isinstance(kind, str) else "of no kind"
        raise damaged(path, f"event {position}, {name}: {error}") from error
