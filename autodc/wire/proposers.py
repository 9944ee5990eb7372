"""Who proposes what is made in a round: of the pool, of generators, of the base itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal, final

import numpy as np
import pandas as pd

from autodc.adapters.artefacts import ArtefactStore
from autodc.adapters.generators import generator_of
from autodc.data.dataset import Dataset
from autodc.diagnose.check import plain
from autodc.diagnose.finding import Finding, Gap
from autodc.diagnose.view import View as Rows
from autodc.errors import AutodcError, each_of
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
from autodc.propose.mending import BaseKnown
from autodc.propose.proposal import Proposal
from autodc.review.labels import seen_by
from autodc.study.journal import events as ev
from autodc.study.journal.state import State
from autodc.study.view import View
from autodc.table import Table
from autodc.wire.explored import EMBEDDING, asked_attributes, measured_alike
from autodc.wire.inputs import Inputs

Array = np.ndarray[Any, Any]
Part = tuple[Sequence[Proposal], Sequence[Mapping[str, str]]]
"""Proposals, and notes {code, got}."""

CONFIRMED = "confirmed"
CURED, SUSPECTED = 0.6, 0.3
"""Rows for a finding are hoped to take so much of the error that it costs; for a suspected one so much of that."""
SUSPECTS = 2
"""Suspected findings that rows are made for in a round, at most: each takes a share of the search's trainings."""
MORE = 0.25
"""As many rows again are hoped to bring this share of what the first brought: e0·(1 + n/s)^-b of usual trainings."""
TURN = "."
"""Between the name of a dataset and how often rows like it were asked for."""


@final
class Proposers:
    """All that a study file may name in `loop.propose` beside `given`, over the data of a study."""

    def __init__(self, inputs: Inputs, store: ArtefactStore) -> None:
        """Begin. store: gets what makers are to look at."""
        self._inputs, self._store = inputs, store
        self._pool: tuple[pd.DataFrame, Mapping[str, Array], Array] | None = None

    def of(self, name: str, view: View, rows: Rows | None) -> Part:
        """What one of them proposes. rows: the explore rows as the incumbent sees them, None where nobody can look."""
        return PROPOSERS[name](self, view, rows)

    def _of_base(self, propose: Callable[[BaseKnown, View], Sequence[Proposal]], view: View) -> Part:
        """What is made of the base itself, once in a study."""
        inputs, state = self._inputs, view.state
        spec, base, classes = inputs.spec, inputs.catalogue.base, inputs.catalogue.classes or ()
        counts = np.bincount(np.asarray(base.y, dtype=int), minlength=len(classes)) if classes else ()
        known = BaseKnown(
            kind=spec.task.kind,
            rows=len(base),
            classes=tuple(classes),
            counts=tuple(int(n) for n in counts),
            group=str(spec.data.base.options.get("group") or ""),
            networks=EMBEDDING in spec.attributes,
            taken={*state.roster, *(one.name for one in every(state))},
            seed=spec.seed,
        )
        return propose(known, view), ()

    def _of_pool(self, view: View, rows: Rows | None) -> Part:
        """Rows of the pool: for what was found of the incumbent, and more like those that were kept."""
        spec, catalogue = self._inputs.spec, self._inputs.catalogue
        if catalogue.pool is None or spec.data.pool is None or rows is None:
            return (), ()
        wishes = [*_for_findings(view, rows), *_more_of_kept(view)]
        wishes.sort(key=lambda wish: -wish.expected)
        if not wishes:
            return (), ()
        seen = self._seen(rows, view.state)
        return pool.proposals(
            seen,
            wishes,
            base=len(catalogue.base),
            cost=spec.data.pool.cost_per_row,
            most=spec.loop.proposals,
            round_number=view.state.round,
            seed=spec.seed,
        )

    def _of_generators(self, view: View, rows: Rows | None) -> Part:
        """Rows of every generator for what was found; where it makes them, its maker finds by the explore rows."""
        inputs, state = self._inputs, view.state
        if not inputs.spec.data.generators or rows is None:
            return (), ()
        declared, notes = self._declared()
        made = generate.proposals(
            [one for one in inputs.spec.data.generators if one.name in declared],
            declared,
            [as_finding(one) for one in _to_cure(view)],
            [past for one in every(state) if (past := _past(one, state)) is not None],
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
            found.append(replace(one, parts=(*one.parts, looked), expected=_hope(event, float(np.mean(rows.error)))))
        return found, notes

    def _declared(self) -> tuple[dict[str, Mapping[str, Any]], list[Mapping[str, str]]]:
        """The parameters of every generator that can be loaded, and why others cannot."""
        found, notes = dict[str, Mapping[str, Any]](), list[Mapping[str, str]]()
        for one in self._inputs.spec.data.generators:
            place = f"data.generators.{one.name}"
            try:
                loaded = generator_of(one.generator, one.options, self._inputs.spec.folder, place)
                found[one.name] = loaded.parameters
            except AutodcError as error:
                notes += [{"code": each.code, "got": f"{one.name}: {each.brief}"} for each in each_of(error)]
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

    def _seen(self, rows: Rows, state: State) -> pool.Seen:
        """The explore rows as the incumbent sees them, and the pool, which is measured once."""
        catalogue = self._inputs.catalogue
        assert catalogue.pool is not None
        labels = rows.labels
        if self._pool is None:
            measured, places, _ = measured_alike(self._inputs, catalogue.pool)
            content = np.unique(catalogue.pool.hashes, return_inverse=True)[1].ravel()
            self._pool = (measured, places, content)
        attributes, embeddings, same = self._pool
        return pool.Seen(
            ids=rows.ids,
            failed=rows.failed,
            target=np.zeros(len(rows)) if labels is None else labels,
            attributes=rows.attributes,
            embeddings=rows.embeddings,
            pool_attributes=attributes,
            pool_embeddings=embeddings,
            content=same,
            barred=self._barred(state),
        )

    def _barred(self, state: State) -> Array:
        """Rows of the pool that the base has, or that were taken before."""
        catalogue = self._inputs.catalogue
        assert catalogue.pool is not None
        barred = np.isin(catalogue.pool.hashes, catalogue.base.hashes)
        for one in every(state):
            if one.parts == (pool.POOL,):
                barred[np.asarray(one.arguments.get("rows", ()), dtype=np.int64)] = True
        return barred


def as_finding(event: ev.FindingMade) -> Finding:
    """A finding of the journal as proposers are told it."""
    return Finding(
        id=event.id,
        kind="cluster" if event.basis == "cluster" else "attributes",
        rule=event.rule,
        status="confirmed" if event.status == CONFIRMED else "suspected",
        found=event.found,
        confirmed=event.confirmed,
        error=Gap(**event.error),
        by=event.by,
        ids=event.ids,
        round=event.round,
        told=event.told,
    )


def every(state: State) -> list[Proposal]:
    """All that was ever to be made."""
    return [Proposal.of(one) for made in state.proposed.values() for event in made for one in event.proposals]


def _to_cure(view: View) -> list[ev.FindingMade]:
    """The findings of the incumbent that data are made for: those that are confirmed, and a few that are suspected."""
    known = view.state.diagnosed(view.incumbent)
    made = [] if known is None else [view.state.findings[name] for name in known.ids]
    sure = [one for one in made if one.status == CONFIRMED]
    return [*sure, *[one for one in made if one.status != CONFIRMED][:SUSPECTS]]


def _past(one: Proposal, state: State) -> generate.Past | None:
    """What became of an earlier proposal of a generator; None of what is no such, or was not made."""
    if one.by != generate.BY or one.name not in state.roster or one.finding is None:
        return None
    facts = state.card(one.name).get("made", {}).get("facts", {})
    return generate.Past(
        generator=str(one.arguments["name"]),
        finding=one.finding,
        rule=str(one.arguments.get("rule", "")),
        parameters=facts.get("parameters", {}),
        verdict=_verdict(state.verdict(one.name)),
        rows=int(state.card(one.name)["rows"]),
    )


def _verdict(word: str) -> Literal["keep", "drop", "undecided"]:
    return "keep" if word == "keep" else "drop" if word == "drop" else "undecided"


def _for_findings(view: View, rows: Rows) -> list[pool.Wish]:
    """What is hoped for of rows for each finding of the incumbent, for which the pool gave none yet."""
    served = {one.finding for one in every(view.state) if one.by == pool.POOL}
    return [
        pool.Wish(
            name=f"pool-{one.id}",
            why=f"{one.id}, {one.status}",
            expected=_hope(one, float(np.mean(rows.error))),
            finding=one.id,
            code=one.code,
            rule=one.rule,
            ids=np.asarray(one.ids, dtype=np.int64),
            told=one.told,
        )
        for one in _to_cure(view)
        if one.id not in served
    ]


def _hope(one: ev.FindingMade, error: float) -> float:
    """The gain that rows for a finding may bring: a share of the error that it costs, less where it is suspected."""
    cost = float(one.told.get("cost", 0.0)) * error
    return CURED * cost * (1.0 if one.status == CONFIRMED else SUSPECTED)


def _more_of_kept(view: View) -> list[pool.Wish]:
    """More rows of the pool like those of a dataset that was kept, where that was the last of its kind."""
    state, found = view.state, list[pool.Wish]()
    asked = [one for one in every(state) if one.by == pool.POOL]
    for one in asked:
        kind, _, turn = one.name.partition(TURN)
        again = f"{kind}{TURN}{int(turn or 1) + 1}"
        decided = state.decided(one.name)
        if one.name not in state.kept or again in {other.name for other in asked} or decided is None:
            continue
        gained = decided.typed_looks[-1].objective.difference if decided.looks else 0.0
        made = None if one.finding is None else state.findings.get(one.finding)
        found.append(
            pool.Wish(
                name=again,
                why=f"more like {one.name}, which was kept",
                expected=MORE * max(0.0, float(gained)),
                finding=None if made is None else made.id,
                code="" if made is None else made.code,
                rule="" if made is None else made.rule,
                ids=np.asarray(() if made is None else made.ids, dtype=np.int64),
                told={} if made is None else made.told,
            )
        )
    return found


def _mapped(known: BaseKnown, view: View) -> Sequence[Proposal]:
    conventions = seen_by(view.state).get("conventions") or {}
    roster = {name: int(view.state.card(name)["rows"]) for name in view.state.candidates}
    return label_map.propose(known, conventions.get("found") or (), roster)


def _augmented(known: BaseKnown, view: View) -> Sequence[Proposal]:
    return augment.propose(known, [as_finding(one).to_dict() for one in _to_cure(view)])


_OF_BASE: Mapping[str, Callable[[BaseKnown, View], Sequence[Proposal]]] = {
    relabel.BY: lambda known, view: relabel.propose(known),
    prune.BY: lambda known, view: prune.propose(known),
    deduplicate.BY: lambda known, view: deduplicate.propose(known),
    outliers.BY: lambda known, view: outliers.propose(known),
    rebalance.BY: lambda known, view: rebalance.propose(known),
    edge_cases.BY: lambda known, view: edge_cases.propose(known),
    augment.BY: _augmented,
    label_map.BY: _mapped,
}


def _made_of_base(
    propose: Callable[[BaseKnown, View], Sequence[Proposal]], own: Proposers, view: View, rows: Rows | None
) -> Part:
    return own._of_base(propose, view)


PROPOSERS: Mapping[str, Callable[[Proposers, View, Rows | None], Part]] = {
    pool.POOL: Proposers._of_pool,
    generate.BY: Proposers._of_generators,
    **{name: partial(_made_of_base, propose) for name, propose in _OF_BASE.items()},
}
"""What `loop.propose` may name beside `given`."""
