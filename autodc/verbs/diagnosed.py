"""What `autodc diagnose` found: as values, as JSON, and as a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from autodc.report.diagnosis import Exhibits, write_diagnosis
from autodc.wire.checks import Checks

NOTHING_MORE: Mapping[str, Any] = {"slices": {}, "offers": []}
"""What more rows would do, where nothing was trained that says it."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosisResult:
    """Where a model fails."""

    study: str
    model: str
    """Which model, in words."""
    rows: int
    """Explore rows that were looked at."""
    views: tuple[Mapping[str, Any], ...]
    """The findings with their words, confirmed ones first (review.findings.view)."""
    notes: tuple[str, ...]
    """What could not be done."""
    page: Path
    folder: Path | None
    """Of the run whose model it is; None of any other."""
    nearest: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Finding → the nearest inputs on which the model succeeds, and what changes on the way (verbs/nearest.py)."""
    checks: Checks = field(default_factory=Checks)
    """Labels, edge cases, and slices that tell nothing (wire/checks.py)."""
    more_rows: Mapping[str, Any] = field(default_factory=lambda: dict(NOTHING_MORE))
    """`slices`: slice → what more rows of each dataset would do; `offers`: what datasets on offer would be worth."""
    gone: tuple[Mapping[str, Any], ...] = ()
    """Findings that were confirmed in a round before and hold no more, with their words."""
    promoted: str = ""
    """What it changes that a finding is a slice of the study now, in words."""

    @property
    def findings(self) -> tuple[Mapping[str, Any], ...]:
        """In the form of the contract, in the order they were found."""
        keys = ("id", "code", "kind", "rule", "status", "round", "rows", "error", "causes", "by", "told")
        found = sorted(self.views, key=lambda one: int(one["id"][1:]))
        return tuple({**{key: one[key] for key in keys if key in one}, **self._more(one)} for one in found)

    def _more(self, one: Mapping[str, Any]) -> dict[str, Any]:
        seen = self.nearest.get(one["id"])
        if seen is None:
            return {}
        table = {key: value for key, value in seen.items() if key not in ("examples", "pictures")}
        return {"told": {**one.get("told", {}), "counterfactuals": table}}

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        more = {"promoted": self.promoted} if self.promoted else {}
        return {
            "study": self.study,
            "model": self.model,
            "rows": self.rows,
            "findings": [dict(one) for one in self.findings],
            "more_rows": dict(self.more_rows),
            "gone": [one["id"] for one in self.gone],
            "labels": self.checks.labels,
            "edges": self.checks.edges,
            "unit_tests": self.checks.unit_tests,
            "notes": list(self.notes),
            "page": str(self.page),
            **more,
        }


def write_page(result: DiagnosisResult, exhibits: Exhibits) -> None:
    """Write it where the result says."""
    write_diagnosis(
        result.page,
        study=result.study,
        model=result.model,
        rows=result.rows,
        views=result.views,
        notes=result.notes,
        exhibits=exhibits,
        nearest=result.nearest,
        labels=result.checks.labels,
        unit_tests=result.checks.unit_tests,
        edges=result.checks.edges,
        more_rows=result.more_rows,
        shown=result.checks.shown,
        folder=None if result.folder is None else str(result.folder),
    )
