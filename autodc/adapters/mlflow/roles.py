"""What a training is of, in a word or two, and which few of a study are worth comparing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, final

from autodc.adapters.mlflow.run_names import OBVIOUS
from autodc.adapters.mlflow.views import COMPARED
from autodc.study.journal import events as ev

_MOST_COMPARED = 200
"""Runs tagged as worth comparing: MLflow draws at most 500, and several nights may share an experiment."""


def identity(plan: Mapping[str, Any]) -> str:
    """A plan as text: the same plan, the same text."""
    return json.dumps(plan, sort_keys=True)


@final
class Roles:
    """Told what is compared with what as the study goes on."""

    def __init__(self) -> None:
        self.start = self.incumbent = ""
        """Their plans."""
        self.comparisons: dict[int, ev.ComparisonOpened] = {}
        self._obvious: dict[str, str] = {}

    def choose(self, event: ev.BaselinesChosen) -> None:
        """The obvious are known."""
        self._obvious = {identity(plan): name for name, plan in event.plans.items()}

    def of(self, plan: str, phase: str, round_number: int) -> tuple[str, str]:
        """The role of a training, and as what it is worth comparing: empty where it is not."""
        if phase == "test":
            return self._measured(plan)
        start = "start" if plan == self.start else ""
        if phase == "calibration":
            return "start", start
        if phase not in ("search", "credit"):
            for opened in reversed(self.comparisons.values()):
                if opened.round == round_number and plan == identity(opened.challenger):
                    return "challenger", f"challenger of round {round_number}" if opened.purpose == "whole" else ""
                if opened.round == round_number and plan == identity(opened.incumbent):
                    return "incumbent", ""
        return phase, start

    def _measured(self, plan: str) -> tuple[str, str]:
        if plan == self.incumbent:
            return "end", "end"
        if plan == self.start:
            return "start", "start"
        name = OBVIOUS.get(self._obvious.get(plan, ""), "")
        return (name, name) if name else ("test", "")


@final
class Shown:
    """The runs that are worth comparing, few enough for a chart."""

    def __init__(self) -> None:
        self.runs: dict[str, int] = {}
        """As what → number of the training; of each the first."""
        self._tagged: set[int] = set()

    def tags(self, what: str, number: int) -> dict[str, str]:
        """The tag of a training that is the first of its sort; none for another."""
        if not what or what in self.runs or len(self._tagged) >= _MOST_COMPARED:
            return {}
        return self._tag(what, number)

    def moved(self, number: int) -> dict[int, dict[str, str]]:
        """The tags of trainings as another becomes the incumbent."""
        if len(self._tagged) >= _MOST_COMPARED:
            return {}
        former = self.runs.get("incumbent")
        past = {former: {COMPARED: "former incumbent"}} if former is not None and former != number else {}
        return {**past, number: self._tag("incumbent", number)}

    def _tag(self, what: str, number: int) -> dict[str, str]:
        self.runs[what] = number
        self._tagged.add(number)
        return {COMPARED: what}
