"""Numbers as a person reads them: one precision for the whole page, a true minus sign, time in hours and minutes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
_MOST_DECIMALS = 8


@final
@dataclass(frozen=True, slots=True)
class Numbers:
    """Writes metric values with `decimals` places, the same in every table, so that columns can be compared."""

    decimals: int

    @classmethod
    def for_values(cls, values: Iterable[float]) -> Numbers:
        """Choose the places from the largest value: 0.912, 3.125, 25.31, 250.1."""
        scale = max((abs(v) for v in values if math.isfinite(v)), default=1.0)
        if scale == 0:
            return cls(3)
        digits = math.floor(math.log10(scale)) + 1
        return cls(min(_MOST_DECIMALS, max(0, 3 - digits if digits <= 0 else 4 - digits)))

    def plain(self, value: float | None) -> str:
        """A value, or a dash where there is none."""
        return "–" if value is None or not math.isfinite(value) else _minus(f"{value:.{self.decimals}f}")

    def signed(self, value: float | None) -> str:
        """A difference, with its sign."""
        return "–" if value is None or not math.isfinite(value) else _minus(f"{value:+.{self.decimals}f}")

    def span(self, low: float | None, high: float | None) -> str:
        """An interval of differences; one without ends is not known."""
        if low is None or high is None:
            return "not known"
        return f"{self.signed(low)} to {self.signed(high)}"


def tenths(value: float | None) -> str:
    """A number of standard errors, or a dash where nothing tells it."""
    return "–" if value is None else _minus(f"{value:.1f}")


def duration(seconds: float | None) -> str:
    """Seconds in words: 45 s, 12 min, 3 h 05 min, 2 d 4 h."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    minutes = round(seconds / _MINUTE)
    if minutes < _HOUR / _MINUTE:
        return f"{minutes} min"
    if seconds < _DAY:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    hours = round(seconds / _HOUR)
    return f"{hours // 24} d {hours % 24} h"


def short(value: object) -> str:
    """A setting: numbers without needless digits, anything else as it is."""
    if isinstance(value, float):
        return _minus(f"{value:.6g}")
    return json.dumps(value) if value is None or isinstance(value, list) else str(value)


def count(number: float, one: str, many: str | None = None) -> str:
    """A number with its noun: 1 pair, 2 pairs."""
    return f"{number:g} {one if number == 1 else many or one + 's'}"


def listed(names: Iterable[str], empty: str = "none") -> str:
    """Names in a sentence: a, b and c."""
    found = list(names)
    if len(found) < 2:
        return found[0] if found else empty
    return f"{', '.join(found[:-1])} and {found[-1]}"


def as_sentence(words: str) -> str:
    """Words with a capital and a full stop."""
    return f"{words[:1].upper()}{words[1:]}."


def _minus(text: str) -> str:
    """A true minus sign, and no sign at all on what is rounded to nothing."""
    return text.replace("-", "−") if text.strip("-+0.") else text.lstrip("-+")
