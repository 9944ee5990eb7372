"""The slices of a running study: those of its file, and those that joined since."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, final

import numpy as np

from autodc.errors import DataError, InputError
from autodc.evaluation.metrics import Metric
from autodc.evaluation.scores import slice_value, soft_value
from autodc.evaluation.slices import Sides, Slice, SliceTable, slice_card
from autodc.search.engine import SearchProblem
from autodc.study.journal import events as ev
from autodc.study.journal.state import State
from autodc.study.ports import ArtefactStore
from autodc.studyfile.study import SliceSpec

Array = np.ndarray[Any, Any]

Cut = Callable[[SliceSpec], Slice]
"""Finds the rows of a slice in validation."""


@final
class Slices:
    """The slice tables as they are now: of all rows, of those the search sees, of those the gate decides on.

    Where rows are not cut all three are the same.
    """

    def __init__(self, table: SliceTable, cut: Cut | None, state: State, sides: Sides | None = None) -> None:
        self._cut, self._sides = cut, sides
        self._tell(table)
        for event in state.admitted:
            self.take(event)

    @property
    def is_cut(self) -> bool:
        """Whether search and gate see different rows."""
        return self._sides is not None

    @property
    def sides(self) -> Sides | None:
        """Who sees which rows; None where all see the same."""
        return self._sides

    def take(self, event: ev.SliceAdmitted) -> None:
        """The slice of an event is one of the table."""
        found = self._found(SliceSpec.model_validate(event.rule))
        self._tell(self.table.with_slice(found.of_finding() if event.finding else found))

    def _tell(self, table: SliceTable) -> None:
        self.table = table
        self.explore = table if self._sides is None else table.on(self._sides.explore)
        self.gate = table if self._sides is None else table.on(self._sides.gate)

    def asked(self, problem: SearchProblem, min_rows: int) -> SearchProblem:
        """The same problem of the slices as they are now."""
        return asked(problem, self.gate, self.explore, min_rows)

    def admission(
        self, one: SliceSpec, state: State, metric: Metric, store: ArtefactStore, min_rows: int, finding: str = ""
    ) -> ev.SliceAdmitted:
        """The event by which a slice joins: every training that ended is scored on it from what is kept of it a row.

        finding: whose own slice it is, neither target nor guard.
        Raises InputError ADC-RUN-090 for a name that is taken, and what `cut_slice` raises.
        """
        if one.name in state.question.slices:
            raise InputError("ADC-RUN-090", "the study has a slice of that name", one.name, "", "choose another name")
        found = self._found(one).of_finding() if finding else self._found(one)
        sides = Slices(replace(self.table, slices=(found,)), None, State(), self._sides)
        gate, explore = sides.gate.slices[0], sides.explore.slices[0]
        if not len(gate.rows):
            raise _undecidable(one, found)
        values = self._values(gate, state, metric, store)
        seen = self._values(explore, state, metric, store) if self.is_cut and len(explore.rows) else ({}, {})
        card, rule = slice_card(gate, min_rows, explore, found), one.model_dump(mode="json")
        return ev.SliceAdmitted(
            name=one.name,
            rule=rule,
            card=card,
            values=values[0],
            soft=values[1],
            explore=seen[0],
            explore_soft=seen[1],
            finding=finding,
        )

    def _values(
        self, one: Slice, state: State, metric: Metric, store: ArtefactStore
    ) -> tuple[dict[str, float], dict[str, float]]:
        """Number of a training → its metric on these rows, and its soft score where that was kept."""
        values, soft = {}, {}
        for number, outcome in state.ended():
            arrays: Mapping[str, Array] = store.get(outcome.arrays)
            if one.defined:
                values[str(number)] = slice_value(self.table, metric, one, arrays)
            if (mean := soft_value(one, arrays)) is not None:
                soft[str(number)] = mean
        return values, soft

    def _found(self, one: SliceSpec) -> Slice:
        assert self._cut is not None, "a study that admits slices is opened with `cut`"
        return self._cut(one)


def asked(problem: SearchProblem, gate: SliceTable, explore: SliceTable, min_rows: int) -> SearchProblem:
    """The same problem of these slices: weights of targets, margins of guards, both of what is evidence for the gate.

    What has no row that the search sees, or none that its metric is defined on, is none of its business.
    """
    seen = {s.name for s in explore.measured if len(s.rows)}
    guards = {s.name: s.margin for s in gate.slices if s.margin is not None and s.is_evidence(min_rows)}
    targets = {s.name: s.weight for s in gate.objective(min_rows)}
    return replace(
        problem,
        targets={name: weight for name, weight in targets.items() if name in seen} or targets,
        guards={name: margin for name, margin in guards.items() if name in seen},
    )


def _undecidable(one: SliceSpec, found: Slice) -> DataError:
    rows = f"{len(found.rows)} rows, all of them among those the search sees"
    hint = "widen the slice, or begin a study with a smaller data.explore_share"
    return DataError("ADC-SLICE-007", f"slice {one.name} has no rows to decide on", f"slice {one.name}", rows, hint)
