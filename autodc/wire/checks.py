"""What a diagnosis looks at beside its findings: labels, edge cases, dull slices. Nothing of it ends verb or night."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, final

import numpy as np

from autodc.data.dataset import Dataset
from autodc.diagnose.view import View
from autodc.review.labels import shortened
from autodc.review.unit_tests import unit_tests_of
from autodc.study.driver import Interrupted
from autodc.study.journal.state import State
from autodc.study.ports import ArtefactStore
from autodc.wire.annotators import USUAL, Settled, settled_in
from autodc.wire.edges import edges_in
from autodc.wire.exhibits import rows_shown
from autodc.wire.inputs import Inputs
from autodc.wire.labels import (
    LabelsSeen,
    Rows,
    convention_dict,
    conventions_of,
    training_rows,
    validation_rows,
    wrong_in,
)

Array = np.ndarray[Any, Any]
T = TypeVar("T")

FAILED = "ADC-DIAG-016"
"""Code of a note: labels or slices could not be looked at."""
_UNFIT: Mapping[str, Any] = {"status": "not_applicable", "reason": "targets are no classes"}
NO_LABELS: Mapping[str, Any] = {**_UNFIT, "rows": 0, "of": 0, "datasets": [], "suspects": []}
NO_CONVENTIONS: Mapping[str, Any] = {**_UNFIT, "compared": 0, "found": []}
"""What is said of labels in a task without classes or numbers, and of conventions in one without classes."""


@final
@dataclass(slots=True, kw_only=True)
class Checks:
    """What was looked at, as JSON has it; what was not is None."""

    validation: Mapping[str, Any] | None = None
    training: Mapping[str, Any] | None = None
    conventions: Mapping[str, Any] | None = None
    annotators: list[Mapping[str, Any]] = field(default_factory=list)
    """Of each dataset that several people labelled."""
    edges: Mapping[str, Any] | None = None
    unit_tests: Mapping[str, Any] | None = None
    notes: list[Mapping[str, str]] = field(default_factory=list)
    """What could not be done: {code, got} each."""
    shown: dict[str, Mapping[str, Array]] = field(default_factory=dict)
    """`validation`, `training` and `edges` → rows for the page, where something is told of them."""

    @property
    def labels(self) -> dict[str, Any]:
        """JSON form of what was found of labels."""
        parts = {"validation": self.validation, "training": self.training, "conventions": self.conventions}
        return {**parts, "annotators": list(self.annotators)}

    def look_at_validation(self, inputs: Inputs, rows: View, patterns: Sequence[str]) -> None:
        """Look for wrong labels of the explore rows, as finders see them. patterns: names of columns of annotators."""
        if rows.target.ndim != 1 or not (rows.is_classification or rows.target.dtype.kind in "iuf"):
            self.validation = NO_LABELS
            return
        says = dict(zip(rows.ids.tolist(), rows.prediction.tolist(), strict=True)) if rows.is_classification else None
        if (own := self._tried("labels of validation", lambda: validation_rows(inputs, rows))) is None:
            return
        seen = self._tried("labels of validation", lambda: wrong_in(inputs, own, says))
        self.validation = None if seen is None else self._kept("validation", seen)
        self._settle(inputs, own, patterns)

    def look_at_training(
        self, inputs: Inputs, patterns: Sequence[str], stop: Callable[[], bool], joined: Sequence[Dataset] = ()
    ) -> None:
        """Look for wrong labels of training rows, and for conventions in which candidates and base differ.

        joined: candidates that are not in the study file.
        """
        targets = np.asarray(inputs.catalogue.base.y)
        if targets.ndim != 1 or targets.dtype.kind not in "iuf":
            self.training, self.conventions = NO_LABELS, NO_CONVENTIONS
            return
        if (rows := self._tried("labels of training rows", lambda: training_rows(inputs, joined))) is None:
            return
        seen = self._tried("labels of training rows", lambda: wrong_in(inputs, rows))
        self.training = None if seen is None else self._kept("training", seen)
        if inputs.catalogue.classes is None:
            self.conventions = NO_CONVENTIONS
            return
        self._settle(inputs, rows, patterns)
        if stop():
            raise Interrupted
        found = self._tried("label conventions", lambda: conventions_of(inputs, rows))
        if found is not None:
            differing = [convention_dict(inputs.spec, one) for one in found.found]
            self.conventions = {**found.to_dict(), "found": differing}

    def look_at_edges(self, inputs: Inputs, rows: View) -> None:
        """Look for explore rows that lie further out than rows of the base do."""
        seen = self._tried("edge cases", lambda: edges_in(inputs, rows))
        if seen is None:
            return
        self.edges = seen.to_dict()
        if len(places := seen.shown):
            shown = self._tried("rows that are edge cases", lambda: rows_shown(seen.rows, places))
            self.shown |= {} if shown is None else {"edges": shown}

    def recall(self, found: Mapping[str, Any], read: Callable[[str], Mapping[str, Array] | None]) -> None:
        """Tell of labels what a diagnosis of the run journalled. found: as `journalled` made it; read: an exhibit."""
        self.validation, self.training = found.get("validation"), found.get("training")
        self.conventions, self.annotators = found.get("conventions"), list(found.get("annotators", ()))
        shown = {part: read(address) for part, address in found.get("exhibits", {}).items()}
        self.shown |= {part: arrays for part, arrays in shown.items() if arrays is not None}

    def _settle(self, inputs: Inputs, rows: Rows, patterns: Sequence[str]) -> None:
        """Settle what several annotators say of rows with classes."""
        if inputs.catalogue.classes is None:
            return
        found: list[Settled] | None = self._tried("annotators", lambda: settled_in(inputs, rows, patterns))
        self.annotators += [one.to_dict() for one in found or ()]

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
            self.notes.append({"code": FAILED, "got": f"{what}: {type(error).__name__}: {error}"})
            return None


def labels_seen(
    inputs: Inputs,
    rows: View | None,
    quick: bool,
    stage: Callable[[str], None],
    stop: Callable[[], bool],
    patterns: Sequence[str] = USUAL,
) -> Checks:
    """Look at labels and edge cases.

    rows: the explore rows as finders see them, None where none are; quick: at those alone; patterns: names of columns
    that hold the labels of annotators.
    """
    checks = Checks()
    stage("looking at labels")
    if rows is not None:
        checks.look_at_validation(inputs, rows, patterns)
        if not quick:
            checks.look_at_edges(inputs, rows)
    if stop():
        raise Interrupted
    if not quick:
        checks.look_at_training(inputs, patterns, stop)
    return checks


def labels_of_night(inputs: Inputs, rows: View | None, joined: Sequence[Dataset] = ()) -> Checks:
    """Look at the labels of all that a running study may train on, and of its explore rows.

    rows: as finders see them, None where none are; joined: candidates that are not in the study file.
    """
    checks = Checks()
    if rows is not None:
        checks.look_at_validation(inputs, rows, USUAL)
    checks.look_at_training(inputs, USUAL, lambda: False, joined)
    return checks


def journalled(checks: Checks, content: Mapping[str, str], store: ArtefactStore) -> dict[str, Any]:
    """Labels as a diagnosis journals them: what is told, and the address of the rows that are shown of each part.

    content: dataset → what its rows are known by, of all that were looked at.
    """
    shown = {name: store.put(arrays) for name, arrays in checks.shown.items()}
    return {**shortened(checks.labels), "content": dict(content), "exhibits": shown}
