"""The slices of a running study: those of its file, and those that joined since."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, final

import numpy as np

from autodc.errors import InputError
from autodc.evaluation.metrics import Metric
from autodc.evaluation.scores import slice_value
from autodc.evaluation.slices import Slice, SliceTable, slice_card
from autodc.search.engine import SearchProblem
from autodc.study.journal import events as ev
from autodc.study.journal.state import State
from autodc.study.ports import ArtefactStore
from autodc.studyfile.study import SliceSpec

Array = np.ndarray[Any, Any]

Cut = Callable[[SliceSpec], Slice]
"""Finds the rows of a slice among those of validation that are the gate's."""


@final
class Slices:
    """The slice table as it is now."""

    def __init__(self, table: SliceTable, cut: Cut | None, state: State) -> None:
        self.table, self._cut = table, cut
        for event in state.admitted:
            self.take(event)

    def take(self, event: ev.SliceAdmitted) -> None:
        """The slice of an event is one of the table."""
        self.table = self.table.with_slice(self._found(SliceSpec.model_validate(event.rule)))

    def asked(self, problem: SearchProblem, min_rows: int) -> SearchProblem:
        """The same problem of the slices as they are now: weights of targets, margins of guards that are evidence."""
        guards = {s.name: s.margin for s in self.table.slices if s.margin is not None and s.is_evidence(min_rows)}
        return replace(problem, targets={s.name: s.weight for s in self.table.objective(min_rows)}, guards=guards)

    def admission(
        self, one: SliceSpec, state: State, metric: Metric, store: ArtefactStore, min_rows: int
    ) -> ev.SliceAdmitted:
        """The event by which a slice joins: every training that ended is scored on it from what is kept of it a row.

        Raises InputError ADC-RUN-090 for a name that is taken, and what `cut_slice` raises.
        """
        if one.name in state.question.slices:
            raise InputError("ADC-RUN-090", "the study has a slice of that name", one.name, "", "choose another name")
        found = self._found(one)
        table = self.table.with_slice(found)
        values, soft = {}, {}
        for number, outcome in state.ended():
            arrays: Mapping[str, Array] = store.get(outcome.arrays)
            values[str(number)] = slice_value(table, metric, found, arrays)
            if f"{found.part}.soft" in arrays:
                soft[str(number)] = float(arrays[f"{found.part}.soft"][found.rows].mean(dtype=float))
        card, rule = slice_card(found, min_rows), one.model_dump(mode="json")
        return ev.SliceAdmitted(name=one.name, rule=rule, card=card, values=values, soft=soft)

    def _found(self, one: SliceSpec) -> Slice:
        assert self._cut is not None, "a study that admits slices is opened with `cut`"
        return self._cut(one)
