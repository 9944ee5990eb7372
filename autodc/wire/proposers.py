"""Who proposes what is made in a round: of the pool, of generators, of the base itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, final

import numpy as np
import pandas as pd

from autodc.adapters.artefacts import ArtefactStore
from autodc.data.dataset import Dataset
from autodc.data.descent import held_out
from autodc.diagnose.check import plain
from autodc.diagnose.view import View as Rows
from autodc.propose import (
    augment,
    deduplicate,
    edge_cases,
    generate,
    label_map,
    outliers,
    pool,
    prune,
    rebalance,
    relabel,
)
from autodc.propose.base_edits import BaseKnown
from autodc.propose.proposal import REST, Proposal
from autodc.study.journal import events as ev
from autodc.study.journal.state import State
from autodc.study.rules.requests import most_rows
from autodc.study.view import View
from autodc.table import Table
from autodc.wire.explored import EMBEDDING, asked_attributes, measured_alike
from autodc.wire.inputs import Inputs
from autodc.wire.labelling import Labelling
from autodc.wire.lacking import lacking
from autodc.wire.wishes import (
    as_finding,
    declared_by,
    every,
    facts_of,
    for_findings,
    for_lack,
    hope,
    is_lack_asked,
    more_of_kept,
    past,
    slow_generators,
    taken_of_pool,
    to_cure,
    widely,
)

Array = np.ndarray[Any, Any]
Part = tuple[Sequence[Proposal], Sequence[Mapping[str, str]]]
"""Proposals, and notes {code, got}."""


@final
class Proposers:
    """All that a study file may name in `loop.propose` beside `given`, over the data of a study."""

    def __init__(self, inputs: Inputs, store: ArtefactStore) -> None:
        """Begin. store: gets what makers are to look at."""
        self._inputs, self._store = inputs, store
        self._pool: tuple[pd.DataFrame, Mapping[str, Array], Array, Array] | None = None
        self._labelling: Labelling | None = None

    def of(self, name: str, view: View, rows: Rows | None) -> Part:
        """What one of them proposes. rows: the explore rows as the incumbent sees them, None where nobody can look."""
        own = {pool.POOL: self._of_pool, generate.BY: self._of_generators}
        return own[name](view, rows) if name in own else self._of_base(_OF_BASE[name], view)

    def _of_base(self, propose: Callable[[BaseKnown, View], Sequence[Proposal]], view: View) -> Part:
        """What is made of the base itself, once in a study."""
        state = view.state
        known = base_known(self._inputs, {*state.roster, *(one.name for one in every(state))})
        return propose(known, view), ()

    def _of_pool(self, view: View, rows: Rows | None) -> Part:
        """Rows of the pool: for what was found of the incumbent, and more like those that were kept."""
        spec, catalogue = self._inputs.spec, self._inputs.catalogue
        if catalogue.pool is None or spec.data.pool is None or rows is None:
            return (), ()
        wishes = [*for_findings(view, rows), *more_of_kept(view)]
        seen = self._seen(rows, view.state)
        if catalogue.pool.y is not None:
            wishes += [*widely(view, rows, seen, len(catalogue.base)), *self._for_lack(view, rows, seen.barred)]
        wishes.sort(key=lambda wish: (REST in wish.tags, bool(wish.tags), -wish.expected))
        if not wishes:
            return (), ()
        propose = partial(
            pool.proposals,
            base=len(catalogue.base),
            cost=spec.data.pool.cost_per_row,
            most=spec.loop.proposals,
            round_number=view.state.round,
            seed=spec.seed,
        )
        if catalogue.pool.y is not None:
            return propose(seen, wishes)
        self._labelling = self._labelling or Labelling(spec, catalogue, self._store)
        return self._labelling.proposals(seen, wishes, propose, view.state, partial(most_rows, view))

    def _for_lack(self, view: View, rows: Rows, barred: Array) -> list[pool.Wish]:
        """Rows of the pool that validation has and the rows of the incumbent lack."""
        state = view.state
        if not is_lack_asked(state):
            return []
        found = lacking(self._inputs, rows, taken_of_pool(state), barred, state.round)
        return [] if found is None else for_lack(view, rows, found, len(self._inputs.catalogue.base))

    def _of_generators(self, view: View, rows: Rows | None) -> Part:
        """Rows of every generator for what was found; where it makes them, its maker finds by the explore rows."""
        inputs, state = self._inputs, view.state
        if not inputs.spec.data.generators or rows is None:
            return (), ()
        late = slow_generators(state)
        notes = [{"code": "ADC-PROP-082", "got": f"{name}: {late[name]} was not made in its time"} for name in late]
        made = generate.proposals(
            [one for one in inputs.spec.data.generators if one.name not in late],
            declared_by(state),
            [as_finding(one) for one in to_cure(view)],
            [known for one in every(state) if (known := past(one, state)) is not None],
            inputs.spec.seed,
            folder=inputs.spec.folder,
            attributes=asked_attributes(inputs),
            classes=[plain(one) for one in inputs.catalogue.classes or ()],
        )
        found = []
        for one in made:
            assert one.finding is not None
            event = state.findings[one.finding]
            looked = self._looked_at(rows, event)
            found.append(replace(one, parts=(*one.parts, looked), expected=hope(event, float(np.mean(rows.error)))))
        return found, notes

    def _looked_at(self, rows: Rows, one: ev.FindingMade) -> str:
        """The explore rows as a part of a proposal, told by their attributes, and which failed and are inside."""
        columns = rows.attributes.assign(_failed=rows.failed, _inside=np.isin(rows.ids, one.ids))
        x = rows.x if isinstance(rows.x, Table) and rows.x.kind == "table" else np.zeros((len(rows), 1), np.float32)
        if isinstance(x, Table):
            columns = columns.drop(columns=[name for name in x.names if name in columns])
        code = {str(name): at for at, name in enumerate(rows.classes)}
        y = np.array([code[str(name)] for name in rows.target]) if rows.classes else None
        data = Dataset(name="looked", x=x, y=y, metadata=columns.reset_index(drop=True))
        _ = self._store.put_dataset(data)
        return f"looked={data.fingerprint}"

    def _seen(self, rows: Rows, state: State) -> pool.PoolView:
        """The explore rows as the incumbent sees them, and the pool, which is measured once."""
        catalogue = self._inputs.catalogue
        assert catalogue.pool is not None
        labels = rows.labels
        if self._pool is None:
            measured, places, _ = measured_alike(self._inputs, catalogue.pool)
            content = np.unique(catalogue.pool.hashes, return_inverse=True)[1].ravel()
            self._pool = (measured, places, content, never_drawn(self._inputs))
        attributes, embeddings, same, never = self._pool
        return pool.PoolView(
            ids=rows.ids,
            failed=rows.failed,
            target=np.zeros(len(rows)) if labels is None else labels,
            attributes=rows.attributes,
            embeddings=rows.embeddings,
            pool_attributes=attributes,
            pool_embeddings=embeddings,
            content=same,
            barred=self._barred(never, state),
        )

    def _barred(self, never: Array, state: State) -> Array:
        """Rows of the pool that are never drawn, that were taken before, or that people were asked about."""
        catalogue, barred = self._inputs.catalogue, never.copy()
        assert catalogue.pool is not None
        for one in every(state):
            if one.parts == (pool.POOL,):
                rows = np.asarray(one.arguments.get("rows", ()), dtype=np.int64)
                left = int(facts_of(one.name, state).get("left", 0))  # the last rows: an oracle had no time for them
                barred[rows[: len(rows) - left]] = True
        for asked in state.requests.values():
            if asked.label and asked.label["pool"] == catalogue.pool.fingerprint:
                barred[np.asarray(asked.label["rows"], dtype=np.int64)] = True
        return barred


def never_drawn(inputs: Inputs) -> Array:
    """Rows of the pool that the base has, or of which nothing may be made: they, or others of their group, are held."""
    catalogue = inputs.catalogue
    assert catalogue.pool is not None
    barred = np.isin(catalogue.pool.hashes, catalogue.base.hashes)
    barred |= held_out(catalogue.pool, catalogue, inputs.spec.data.base.group)
    return np.asarray(barred)


def base_known(inputs: Inputs, taken: Collection[str] = ()) -> BaseKnown:
    """What is known of the base before anything is made of it. taken: names that are not free any more."""
    spec, base, classes = inputs.spec, inputs.catalogue.base, inputs.catalogue.classes or ()
    counts = np.bincount(np.asarray(base.y, dtype=int), minlength=len(classes)) if classes else ()
    return BaseKnown(
        kind=spec.task.kind,
        rows=len(base),
        classes=tuple(classes),
        counts=tuple(int(n) for n in counts),
        group=spec.data.base.group or "",
        networks=EMBEDDING in spec.attributes,
        taken=taken,
        seed=spec.seed,
    )


def _mapped(known: BaseKnown, view: View) -> Sequence[Proposal]:
    conventions = view.state.labels.get("conventions") or {}
    roster = {name: int(view.state.card(name)["rows"]) for name in view.state.candidates}
    told = [*(conventions.get("found") or ()), *(conventions.get("suspected") or ())]
    return label_map.propose(known, told, roster)


def _augmented(known: BaseKnown, view: View) -> Sequence[Proposal]:
    return augment.propose(known, [as_finding(one).to_dict() for one in to_cure(view)])


def _whatever_the_round(
    propose: Callable[[BaseKnown], Sequence[Proposal]],
) -> Callable[[BaseKnown, View], Sequence[Proposal]]:
    return lambda known, view: propose(known)


OF_BASE: Mapping[str, Callable[[BaseKnown], Sequence[Proposal]]] = {
    relabel.BY: relabel.propose,
    prune.BY: prune.propose,
    deduplicate.BY: deduplicate.propose,
    outliers.BY: outliers.propose,
    rebalance.BY: rebalance.propose,
    edge_cases.BY: edge_cases.propose,
    augment.BY: augment.propose,
}
"""Proposers that may say before a night what they will make of the base."""

_OF_BASE: Mapping[str, Callable[[BaseKnown, View], Sequence[Proposal]]] = {
    **{name: _whatever_the_round(own) for name, own in OF_BASE.items()},
    augment.BY: _augmented,
    label_map.BY: _mapped,
}


PROPOSERS = (pool.POOL, generate.BY, *_OF_BASE)
"""What `loop.propose` may name beside `given`."""
