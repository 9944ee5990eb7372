"""How rows of a pool without labels get them: of a function, a file that may arrive, or people who are asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, final

import numpy as np

from autodc.adapters.artefacts import ArtefactStore
from autodc.data.catalogue import POOL, Catalogue
from autodc.data.ids import as_ids
from autodc.diagnose.check import plain
from autodc.errors import InputError
from autodc.propose import oracle, pool
from autodc.propose.labels import Wanted
from autodc.propose.proposal import Proposal
from autodc.review.numbers import listed
from autodc.study.journal.state import State
from autodc.studyfile.study import StudySpec
from autodc.table import Table
from autodc.values import is_json
from autodc.wire.label_sheets import SETTLED, labels_in, sheet
from autodc.wire.oracles import is_function, oracle_file

Array = np.ndarray[Any, Any]
Part = tuple[tuple[Proposal, ...], tuple[Mapping[str, str], ...]]
Propose = Callable[[pool.PoolView, Sequence[pool.Wish]], Part]
"""Rows of a pool for wishes, as `propose.pool.proposals` chooses them."""
Most = Callable[[str], int]
"""Finding → the most rows that people are asked for (`study.rules.requests.most_rows`)."""

PEOPLE = "people"
"""The maker of what is not made but asked for: its rows go into a request."""


def wanted_of(catalogue: Catalogue) -> Wanted:
    """What the label of a row may be: as those of the base are."""
    base = catalogue.base.y
    assert base is not None
    if catalogue.classes is not None:
        return Wanted(form="classes", classes=tuple(plain(one) for one in catalogue.classes))
    if is_json(base):
        return Wanted(form="values")
    return Wanted(form="numbers", shape=tuple(base.shape[1:]), dtype=str(base.dtype))


def row_ids(catalogue: Catalogue) -> list[str]:
    """How people and functions call the rows of the pool.

    By the column that the study file names as `id`, by the path of files, else by the number of the row in its source.
    """
    data = catalogue.pool
    assert data is not None
    for name in (data.id, "path"):
        if name and name in data.metadata:
            values = as_ids(data.metadata[name])
            if values.notna().all() and values.is_unique:
                return list(map(str, values))
    if isinstance(data.x, Table) and data.x.kind == "files" and len(set(paths := data.x.texts())) == len(paths):
        return list(paths)
    return [str(one) for one in catalogue.in_source(POOL, np.arange(len(data))).tolist()]


@final
class Labelling:
    """Makes of rows that were chosen what can be made without their labels."""

    def __init__(self, spec: StudySpec, catalogue: Catalogue, store: ArtefactStore) -> None:
        """Begin. store: gets the sheets that people fill in."""
        self._spec, self._catalogue, self._store = spec, catalogue, store
        assert spec.data.pool is not None
        self._oracle = spec.data.pool.oracle
        self._wanted, self._ids = wanted_of(catalogue), row_ids(catalogue)

    def proposals(
        self, seen: pool.PoolView, wishes: Sequence[pool.Wish], propose: Propose, state: State, most: Most | None = None
    ) -> Part:
        """What an oracle labels, what a file has labels of, and what people are to label: with PEOPLE as its maker.

        most: rows that people are asked for; None: all that were chosen.
        """
        if is_function(self._oracle):
            made, notes = propose(seen, wishes)
            return tuple(replace(one, maker=oracle.ASK, arguments=self._asked(one)) for one in made), notes
        labels, told = self._of_file()
        known = np.array([one in labels for one in self._ids], dtype=bool)
        made, notes = propose(replace(seen, barred=seen.barred | ~known), wishes) if known.any() else ((), ())
        made = tuple(replace(one, maker=oracle.KNOWN, arguments=self._told(one, labels)) for one in made)
        asked, more = self._for_people(seen, wishes, propose, state, known, {one.name for one in made}, most)
        names = {one.name for one in asked}
        few = tuple(one for one in notes if str(one["got"]).partition(":")[0] not in names)
        return (*made, *asked), (*told, *(few if known.any() else ()), *more)

    def _for_people(
        self,
        seen: pool.PoolView,
        wishes: Sequence[pool.Wish],
        propose: Propose,
        state: State,
        known: Array,
        made: set[str],
        most: Most | None,
    ) -> Part:
        """Rows for findings that nothing is made for, and nobody was asked about."""
        served = {one.finding for one in state.requests.values() if one.label}
        left = [one for one in wishes if one.name not in made and one.finding and one.finding not in served]
        if not left:
            return (), ()
        if not self._wanted.columns:
            got = (
                f"{listed(one.name for one in left)}: labels of this kind fit into no sheet; only a function gives them"
            )
            return (), ({"code": "ADC-PROP-078", "got": got},)
        chosen, notes = propose(replace(seen, barred=seen.barred | known), left)
        asked = tuple(
            replace(
                one, maker=PEOPLE, arguments=self._on_a_sheet(one), words=f"{one.words}; people are asked for labels"
            )
            for one in (_cut(each, most) for each in chosen if not each.control_of)
        )
        return asked, notes

    def _named(self, one: Proposal) -> tuple[list[int], dict[str, Any]]:
        rows = [int(row) for row in one.arguments["rows"]]
        ids = [self._ids[row] for row in rows]
        return rows, {**one.arguments, "ids": ids, "wanted": self._wanted.to_dict(), "fewest": pool.FEWEST}

    def _asked(self, one: Proposal) -> dict[str, Any]:
        return {**self._named(one)[1], "oracle": self._oracle, "folder": self._spec.folder}

    def _told(self, one: Proposal, labels: Mapping[str, Any]) -> dict[str, Any]:
        _, told = self._named(one)
        return {**told, "oracle": self._oracle, "targets": [labels[name] for name in told["ids"]]}

    def _on_a_sheet(self, one: Proposal) -> dict[str, Any]:
        rows, told = self._named(one)
        data = self._catalogue.pool
        assert data is not None
        address = self._store.put(sheet(data.take(rows), told["ids"], self._wanted))
        return {"rows": rows, "matching": one.arguments.get("matching"), "pool": data.fingerprint, "sheet": address}

    def _of_file(self) -> tuple[dict[str, Any], tuple[Mapping[str, str], ...]]:
        """Id → target of what a file of labels has by now, and why it cannot be read."""
        if self._oracle is None:
            return {}, ()
        path = oracle_file(self._spec)
        try:
            is_fresh = time.time() - path.stat().st_mtime < SETTLED
        except OSError:
            return {}, ()
        left_out = self._catalogue.left_out.get(POOL, 0)
        try:
            return labels_in(path, self._oracle, self._wanted, self._ids, left_out, is_growing=is_fresh), ()
        except InputError as error:
            return {}, ({"code": error.code, "got": f"{self._oracle}: {error.brief}"},)


def _cut(one: Proposal, most: Most | None) -> Proposal:
    """What people are asked about: no more rows than a request would name."""
    if most is None or one.finding is None:
        return one
    every = one.arguments["rows"]
    rows = every[: most(one.finding)]
    cost = one.cost * len(rows) / max(1, len(every))
    return replace(one, rows=len(rows), cost=cost, arguments={**one.arguments, "rows": rows})
