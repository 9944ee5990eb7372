"""A part of the measurement: what is asked, its cases, each of them measured in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, final

Figures = Mapping[str, str]
"""Column → what stands there."""
RUNNERS: tuple[Literal["actors", "ray"], ...] = ("actors", "ray")
"""Those on Ray, the usual one first."""
Case = Callable[[bool], Figures]
"""Measures; True: with small arguments, for a quick look."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One table of the page."""

    title: str
    words: str
    """What is measured, and the goal."""
    cases: Mapping[str, Case]
