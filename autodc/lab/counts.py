"""Many campaigns in figures, each share with the interval its number of repeats allows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autodc.lab.simulate import CampaignResult, Decided

LEVEL = 0.95
"""Two-sided level of the Monte-Carlo intervals."""


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `of` repeats; 0 of 0 is a share of 0 that says nothing."""

    hits: int
    of: int

    @classmethod
    def counted(cls, flags: Iterable[bool]) -> Share:
        """Count flags."""
        listed = list(flags)
        return cls(sum(listed), len(listed))

    @property
    def value(self) -> float:
        """The share."""
        return self.hits / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval (1927) for the true share; all of [0, 1] without repeats."""
        if not self.of:
            return 0.0, 1.0
        from scipy.stats import binomtest

        found = binomtest(self.hits, self.of).proportion_ci(LEVEL, method="wilson")
        return float(found.low), float(found.high)

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        low, high = self.interval
        return {"share": self.value, "hits": self.hits, "of": self.of, "low": low, "high": high}


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over repeats with its Monte-Carlo standard error."""

    value: float
    error: float

    @classmethod
    def over(cls, values: Iterable[float]) -> Mean:
        """Average; repeats are independent."""
        listed = np.asarray(list(values), dtype=np.float64)
        error = float(listed.std(ddof=1) / np.sqrt(len(listed))) if len(listed) > 1 else 0.0
        return cls(float(listed.mean()) if len(listed) else 0.0, error)

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {"mean": self.value, "standard_error": self.error}


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Many nights."""

    nights: int
    kept: Share
    """Of all candidates, like the next two."""
    dropped: Share
    undecided: Share
    false_keeps: Share
    """Of all keeps, like the next."""
    guard_harmed: Share
    power: Share
    """Share of helpful candidates with at least `at` gain that are kept."""
    nights_keeping: Share
    """Nights that keep anything."""
    pairs: Mean
    """A candidate."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        names = ("kept", "dropped", "undecided", "false_keeps", "guard_harmed", "power", "nights_keeping", "pairs")
        return {"nights": self.nights, **{name: getattr(self, name).to_dict() for name in names}}


def summarise(results: Iterable[CampaignResult], at: float = 0.02) -> Summary:
    """Count over nights. at: the gain from which on a helpful candidate counts for power, a rounding error below."""
    listed = list(results)
    decisions = [d for r in listed for d in r.decisions]
    kept = [d for d in decisions if d.verdict == "keep"]
    able = [d for d in decisions if d.helpful and d.gain >= at - 1e-9]
    return Summary(
        nights=len(listed),
        kept=_verdict(decisions, "keep"),
        dropped=_verdict(decisions, "drop"),
        undecided=_verdict(decisions, "undecided"),
        false_keeps=Share.counted(not d.helpful for d in kept),
        guard_harmed=Share.counted(d.worst < 0 for d in kept),
        power=_verdict(able, "keep"),
        nights_keeping=Share.counted(bool(r.kept) for r in listed),
        pairs=Mean.over(r.pairs for r in listed),
    )


def _verdict(decisions: Iterable[Decided], verdict: str) -> Share:
    return Share.counted(d.verdict == verdict for d in decisions)
