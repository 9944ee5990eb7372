"""What every event is."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

__all__ = ["KINDS", "Event"]

KINDS: dict[str, type[Event]] = {}
"""Every class of events by its name, as they are defined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all events; its kind is the class name."""

    version: ClassVar[int] = 3
    """Of the payload, a class of its own each; what older ones are read as stands in `upcasts`."""
    news: ClassVar[bool] = False
    """Whether it is told to readers alone and changes no state."""
    time: float = 0.0
    awake: float = 0.0

    def __init_subclass__(cls) -> None:
        KINDS[cls.__name__] = cls

    @property
    def kind(self) -> str:
        """The name under which the event is stored."""
        return type(self).__name__

    def to_dict(self) -> dict[str, Any]:
        """The payload as JSON, without kind and version."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
