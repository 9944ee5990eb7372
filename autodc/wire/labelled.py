"""Rows of a pool that people were asked to label, as candidates once a sheet or a file says their labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np

from autodc.adapters.artefacts import ArtefactStore
from autodc.adapters.label_files import ID, WHOLE, ids_in, is_one, names_in, read_label_file
from autodc.data.admit import Admission, Candidate, Read
from autodc.data.catalogue import POOL
from autodc.data.dataset import Dataset
from autodc.data.descent import refuse_descent
from autodc.errors import DataError
from autodc.large import taken_values
from autodc.propose.made import Origin
from autodc.propose.pool import FEWEST
from autodc.review.requests import SHEET
from autodc.study.journal import events as ev
from autodc.study.journal.state import State
from autodc.study.rules.requests import delivered
from autodc.table import Table
from autodc.wire.admitting import let_in
from autodc.wire.inputs import Inputs
from autodc.wire.label_sheets import UNFIT, whole_sheet
from autodc.wire.labelling import row_ids, wanted_of

Array = np.ndarray[Any, Any]

BY = "inbox"
"""Who proposed a dataset that was delivered."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    rows: Array
    """Positions in the pool."""
    by: str
    """What said so."""


@final
class LabelledRows:
    """Makes candidates of rows of the pool that people were asked to label."""

    def __init__(self, inputs: Inputs) -> None:
        self._spec, self._catalogue = inputs.spec, inputs.catalogue
        self._told: dict[str, _Told] = {}

    @cached_property
    def ids(self) -> list[str]:
        """How people call the rows of the pool, of which there may be a million: worked out once, when it is asked."""
        return row_ids(self._catalogue)

    def of_sheet(
        self, name: str, path: Path, place: str, state: State, asked: ev.RequestMade | None
    ) -> Candidate | None:
        """A delivery as labels of the rows that a request names; None where it is something else.

        It is a file that may hold labels, or a folder with a sheet, and has ids that were asked for.
        """
        file = path / SHEET if path.is_dir() else path
        if asked is None or not asked.label or not is_one(file) or not file.is_file():
            return None
        if not self._is_sheet(file, asked):
            return None
        wanted = wanted_of(self._catalogue)

        def targets(ids: Sequence[str]) -> list[Any]:
            return whole_sheet(read_label_file(file, wanted.columns, place), ids, wanted, place)

        return self.candidate(name, str(path), place, state, asked, targets)

    def candidate(
        self,
        name: str,
        source: str,
        place: str,
        state: State,
        asked: ev.RequestMade,
        targets: Callable[[Sequence[str]], Sequence[Any]],
    ) -> Candidate:
        """The rows of a request with what was said of them. targets: of the ids in their order, None: open."""

        def rows(read: Read) -> Dataset:
            data = self._catalogue.pool
            if data is None or data.fingerprint != asked.label["pool"]:
                hint = "put the pool back as it was, or deliver rows with their labels"
                raise DataError("ADC-PROP-077", UNFIT, place, f"the pool is another than {asked.id} was asked of", hint)
            positions = np.asarray(asked.label["rows"], dtype=np.int64)
            found = targets([self.ids[at] for at in positions.tolist()])
            self._refuse_again(name, place, state, asked)
            is_known = np.array([one is not None for one in found], dtype=bool)
            may = self._may_train(name, positions, place)
            taken = np.flatnonzero(is_known & may)
            if len(taken) < min(FEWEST, len(positions)):
                hint = "rows that nobody can tell are left out; the others are too few to be a dataset"
                got = f"{len(taken)} of {len(positions)} rows"
                raise DataError("ADC-PROP-075", "too few rows could be labelled", place, got, hint)
            self._told[name] = _Told(rows=positions[taken], by=place)
            y = wanted_of(self._catalogue).array([found[at] for at in taken.tolist()])
            classes = self._catalogue.classes
            y = y if classes is None else taken_values(np.asarray(classes), y)
            return replace(data.take(positions[taken], name), y=y, fingerprint="")

        return Candidate(name=name, place=place, rows=rows, source=source, by=BY, round=state.round, parent=(POOL,))

    def let_in(self, store: ArtefactStore, candidate: Candidate, admission: Admission) -> ev.DatasetAdmitted:
        """Store what came through the door, and where its rows come from; the event by which it joins."""
        told, origin = self._told.pop(candidate.name, None), None
        if told is not None:
            parent, by = np.zeros(len(told.rows), dtype=np.int64), [told.by] * len(told.rows)
            origin = Origin(parents=(POOL,), parent=parent, position=told.rows, changed={"labelled_by": by})
        return let_in(store, candidate, admission, origin)

    def _may_train(self, name: str, positions: Array, place: str) -> Array:
        """Rows of which nothing, neither content nor group, is held out, shape (n,)."""
        parent, group = np.zeros(len(positions), dtype=np.int64), self._spec.data.base.group
        found = refuse_descent(name, (POOL,), parent, positions, self._catalogue, group=group, place=place)
        return np.ones(len(positions), bool) if found.kept is None else np.isin(np.arange(len(positions)), found.kept)

    def _refuse_again(self, name: str, place: str, state: State, asked: ev.RequestMade) -> None:
        before = [one for one in delivered(state, asked.id) if tuple(state.card(one).get("parent") or ()) == (POOL,)]
        if before:
            hint = "nothing is lost: they are judged under that name; mended labels come as rows, under another name"
            raise DataError(
                "ADC-PROP-079", "these rows were labelled before", place, f"{asked.id}: `{before[0]}`", hint
            )

    def _is_sheet(self, file: Path, asked: ev.RequestMade) -> bool:
        """Whether a file has ids of what was asked for; else it is rows of a person's own.

        Rows may have ids and labels too: what has the columns of the inputs is a sheet where most ids were asked for.
        """
        names = set(names_in(file))
        if ID not in names and not (names and file.suffix.casefold() in WHOLE):
            return False
        labels = {*self._labels}
        if self._inputs and self._inputs <= names and not labels <= names:
            return False
        data = self._catalogue.pool
        if data is None or data.fingerprint != asked.label["pool"]:
            return True
        there = ids_in(file)
        mine = there & {self.ids[row] for row in asked.label["rows"]}
        if self._inputs and self._inputs <= names:
            return 2 * len(mine) >= len(there) > 0
        return bool(mine) or labels <= names

    @property
    def _inputs(self) -> set[str]:
        """The columns of inputs in a file of rows; none where a file of labels holds no inputs."""
        base = self._catalogue.base
        if base.features or not isinstance(base.x, Table):
            return set(base.features)
        return {base.x.names[0] if base.x.kind == "text" else "path"}

    @property
    def _labels(self) -> tuple[str, ...]:
        return wanted_of(self._catalogue).columns
