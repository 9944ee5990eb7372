"""What a diagnosis looks at beside its findings: labels, and slices that tell nothing. Nothing of it ends the verb."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, final

import numpy as np

from autodc.diagnose.view import View
from autodc.review import findings as told
from autodc.review.unit_tests import unit_tests_of
from autodc.study.driver import Interrupted
from autodc.study.journal.state import State
from autodc.wire.exhibits import rows_shown
from autodc.wire.inputs import Inputs
from autodc.wire.labels import LabelsSeen, convention_dict, conventions_of, training_rows, validation_rows, wrong_in

Array = np.ndarray[Any, Any]
T = TypeVar("T")

FAILED = "ADC-DIAG-016"
"""Code of a note: labels or slices could not be looked at."""
_UNFIT: Mapping[str, Any] = {"status": "not_applicable", "reason": "targets are no classes"}
NO_LABELS: Mapping[str, Any] = {**_UNFIT, "rows": 0, "of": 0, "datasets": [], "suspects": []}
NO_CONVENTIONS: Mapping[str, Any] = {**_UNFIT, "compared": 0, "found": []}
"""What is said of labels in a task without classes."""


@final
@dataclass(slots=True, kw_only=True)
class Checks:
    """What was looked at, as JSON has it; what was not is None."""

    validation: Mapping[str, Any] | None = None
    training: Mapping[str, Any] | None = None
    conventions: Mapping[str, Any] | None = None
    unit_tests: Mapping[str, Any] | None = None
    notes: list[str] = field(default_factory=list)
    """What could not be done."""
    shown: dict[str, Mapping[str, Array]] = field(default_factory=dict)
    """`validation` and `training` → rows for the page, where labels are told."""

    @property
    def labels(self) -> dict[str, Any]:
        """JSON form of what was found of labels."""
        return {"validation": self.validation, "training": self.training, "conventions": self.conventions}

    def look_at_validation(self, inputs: Inputs, rows: View) -> None:
        """Look for wrong labels of the explore rows, as finders see them."""
        if not rows.is_classification or rows.target.ndim != 1:
            self.validation = NO_LABELS
            return
        says = dict(zip(rows.ids.tolist(), rows.prediction.tolist(), strict=True))
        seen = self._tried("labels of validation", lambda: wrong_in(inputs, validation_rows(inputs, rows), says))
        self.validation = None if seen is None else self._kept("validation", seen)

    def look_at_training(self, inputs: Inputs, stop: Callable[[], bool]) -> None:
        """Look for wrong labels of training rows, and for conventions in which candidates and base differ."""
        if inputs.catalogue.classes is None:
            self.training, self.conventions = NO_LABELS, NO_CONVENTIONS
            return
        if (rows := self._tried("labels of training rows", lambda: training_rows(inputs))) is None:
            return
        seen = self._tried("labels of training rows", lambda: wrong_in(inputs, rows))
        self.training = None if seen is None else self._kept("training", seen)
        if stop():
            raise Interrupted
        found = self._tried("label conventions", lambda: conventions_of(inputs, rows))
        if found is not None:
            differing = [convention_dict(inputs.spec, one) for one in found.found]
            self.conventions = {**found.to_dict(), "found": differing}

    def look_at_slices(self, state: State, inputs: Inputs | None) -> None:
        """Look for slices of a run that tell nothing. inputs: where its data were read."""
        rows = None if inputs is None else {one.name: one.rows for one in inputs.table.slices}
        found = self._tried("slices that tell nothing", lambda: unit_tests_of(state, rows))
        self.unit_tests = None if found is None else found.to_dict()

    def _kept(self, name: str, seen: LabelsSeen) -> dict[str, Any]:
        if len(places := seen.shown):
            shown = self._tried("rows of likely wrong labels", lambda: rows_shown(seen.rows, places))
            self.shown |= {} if shown is None else {name: shown}
        return seen.to_dict()

    def _tried(self, what: str, make: Callable[[], T]) -> T | None:
        try:
            return make()
        except Interrupted:
            raise
        except Exception as error:  # what is found stands without it
            self.notes.append(told.note_words({"code": FAILED, "got": f"{what}: {type(error).__name__}: {error}"}))
            return None


def labels_seen(
    inputs: Inputs, rows: View | None, quick: bool, stage: Callable[[str], None], stop: Callable[[], bool]
) -> Checks:
    """Look at labels. rows: the explore rows as finders see them, None where none are; quick: at those alone."""
    checks = Checks()
    stage("looking at labels")
    if rows is not None:
        checks.look_at_validation(inputs, rows)
    if stop():
        raise Interrupted
    if not quick:
        checks.look_at_training(inputs, stop)
    return checks
