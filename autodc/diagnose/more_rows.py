"""What data would help, and how much: so many more rows of a dataset would bring an error from here to there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from autodc.diagnose.curves import Curve, Forecast, learning_curve
from autodc.diagnose.sizes import Design, Training, sizes_of

LEAST = 0.01
"""Of the scale of an error: a gain below is none."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class MoreRows:
    """What more rows of a dataset would do to an error."""

    dataset: str
    now: float
    """Rows of it that the training has which is asked about."""
    more: float
    """Rows more; as many again, or where it has none all that there are."""
    before: Forecast
    """The error with those it has."""
    after: Forecast
    """The error with the others too."""
    gain: Forecast
    """Before minus after: above zero it helps."""
    least: float
    chance: float
    """How likely the gain is `least` or more."""
    known: bool
    """Whether trainings of enough sizes speak; else the intervals are mostly what is usual."""
    is_share: bool
    """Whether the errors are shares of 1."""
    curve: Curve
    """Of which other numbers of rows can be asked."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        head = {"dataset": self.dataset, "now": round(self.now, 2), "more": round(self.more, 2)}
        head |= {"known": self.known, "share": self.is_share}
        told = {name: getattr(self, name).to_dict() for name in ("before", "after", "gain")}
        return {
            **head,
            **told,
            "least": self.least,
            "chance": round(self.chance, 4),
            "points": [p.to_dict() for p in self.curve.points],
        }


def more_rows(
    trainings: Sequence[Training],
    at: Training,
    full: Mapping[str, float],
    scale: float | None = None,
    design: Design | None = None,
) -> tuple[MoreRows, ...]:
    """Say of each dataset what as many rows again would do, the one that helps most first.

    trainings: with the error of one slice, or of the rows of one finding, 0 or more; at: the one that is asked about,
    such as the incumbent (its own error is not looked at); full: dataset → rows that there are; scale: the size of an
    error, None for shares; design: of the same trainings, where it is known already.
    A dataset of which all trainings had the same rows is not told. Decisions on requests and on
    stopping take it: `chance` says whether more of it is worth waiting for.
    """
    found, design = [], design or Design(trainings, at)
    for name, there in full.items():
        sizes = sizes_of(trainings, name, at, scale or 1.0, design)
        if sizes is None:
            continue
        curve = learning_curve(sizes.points, scale or 1.0, noise=sizes.noise, count=sizes.count)
        now = at.rows.get(name, 0.0)
        found.append(of_curve(name, curve, now, now or there, scale))
    return tuple(sorted(found, key=lambda one: (-one.gain.mid, one.dataset)))


def errors_of(scores: Sequence[float], *, is_error: bool) -> tuple[list[float], float | None] | None:
    """Errors, 0 or more, and their size, None for shares; None where there are none, or the metric is neither.

    scores: oriented so that up is better; is_error: whether the metric is one, else it misses something to 1.
    """
    errors = [-score if is_error else 1 - score for score in scores]
    if not errors or not np.isfinite(errors).all() or min(errors) < 0:
        return None
    return errors, max(float(np.mean(errors)), 1e-12) if is_error else None


def of_curve(dataset: str, curve: Curve, now: float, more: float, scale: float | None = None) -> MoreRows:
    """What a curve says of so many more rows. scale: as in `more_rows`."""
    least = LEAST * (scale or 1.0)
    return MoreRows(
        dataset=dataset,
        now=now,
        more=more,
        before=curve.at(now),
        after=curve.at(now + more),
        gain=curve.gain(now, more),
        least=least,
        chance=curve.chance(now, more, least),
        known=curve.is_known,
        is_share=scale is None,
        curve=curve,
    )
