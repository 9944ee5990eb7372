"""What a study makes for what it found: a round's proposals, and the door for what workers made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
import pandas as pd

from autodc.adapters.artefacts import ArtefactStore
from autodc.adapters.generators import generator_of
from autodc.adapters.sources import read_source
from autodc.data.admit import Candidate
from autodc.data.dataset import Dataset
from autodc.diagnose.check import plain
from autodc.diagnose.finding import Finding, Gap
from autodc.diagnose.view import View as Rows
from autodc.errors import AutodcError, InputError, each_of
from autodc.files import write_whole
from autodc.propose import generate, pool
from autodc.propose import made as making
from autodc.propose.proposal import Proposal
from autodc.review.deliveries import PARTS
from autodc.study.journal import events as ev
from autodc.study.journal.state import State
from autodc.study.ports import ArtefactLost
from autodc.study.tasks import Answer
from autodc.study.view import View
from autodc.studyfile.study import StudySpec
from autodc.table import Table
from autodc.wire.admitting import let_in
from autodc.wire.diagnosis import ExploreDiagnoser
from autodc.wire.explored import asked_attributes, measured_alike
from autodc.wire.inputs import Inputs

Array = np.ndarray[Any, Any]
Notes = tuple[Mapping[str, str], ...]
Part = tuple[Sequence[Proposal], Sequence[Mapping[str, str]]]

CONFIRMED = "confirmed"
CURED, SUSPECTED = 0.6, 0.3
"""Rows for a finding are hoped to take so much of the error that it costs; for a suspected one so much of that."""
SUSPECTS = 2
"""Suspected findings that rows are made for in a round, at most: each takes a share of the search's trainings."""
MORE = 0.25
"""As many rows again are hoped to bring this share of what the first brought: e0·(1 + n/s)^-b of usual trainings."""
TURN = "."
"""Between the name of a dataset and how often rows like it were asked for."""
ORIGIN = ".origin.parquet"
"""Beside the folder of a dataset that was made: where each of its rows comes from."""
FAILED = "ADC-PROP-004"


@final
class Making:
    """The workshop of a study."""

    def __init__(self, inputs: Inputs, store: ArtefactStore, diagnoser: ExploreDiagnoser, made: Path) -> None:
        """Begin with nothing made.

        store: where the content of what is let in lies; diagnoser: has the explore rows as they were looked at;
        made: the folder in which makers write, one folder a proposal.
        """
        self._inputs, self._store, self._diagnoser, self._made = inputs, store, diagnoser, made
        self._door = inputs.catalogue.door(inputs.spec.data)
        self._answers: dict[str, Answer] = {}
        self._pool: tuple[pd.DataFrame, Mapping[str, Array], Array] | None = None

    def proposals(self, view: View) -> ev.ProposalsMade:
        """All that is to be made this round, of every proposer in the order the study file names them."""
        found, notes = list[Proposal](), list[Mapping[str, str]]()
        taken = {*view.state.roster, *view.state.unmade}
        rows = self._looked(view, notes)
        for name in view.spec.loop.propose:
            if name not in MAKERS:
                continue
            try:
                made, told = MAKERS[name](self, view, rows)
            except (AutodcError, ArtefactLost) as error:
                made, told = (), tuple({"code": one.code, "got": f"{name}: {one.brief}"} for one in each_of(error))
            except Exception as error:  # no proposer is worth a night
                made, told = (), ({"code": FAILED, "got": f"{name}: {type(error).__name__}: {error}"},)
            found += [one for one in made if one.name not in taken]
            notes += told
        return ev.ProposalsMade(
            round=view.state.round,
            horizon=view.horizon,
            proposals=tuple(one.to_dict() for one in _affordable(view, found, notes)),
            notes=tuple(notes),
        )

    def ended(self, name: str, answer: Answer) -> None:
        """Take what came of the task of a proposal."""
        self._answers[name] = answer

    def has(self, name: str) -> bool:
        """Whether that was taken."""
        return name in self._answers

    def outcome(self, view: View, proposal: Mapping[str, Any]) -> ev.DatasetAdmitted | ev.ProposalRefused | None:
        """Let in what was made, or say why it is not."""
        one = Proposal.of(proposal)
        answer = self._answers.get(one.name)
        if answer is None:
            return None
        del self._answers[one.name]
        place = f"{one.by}, {one.name}"
        if answer.status != "done":
            hint = "the night goes on without it; mend what makes it for the next one"
            problem = InputError("ADC-PROP-005", "a dataset could not be made", place, answer.error, hint)
            return _refused(one, view, problem)
        try:
            return self._let_in(one, answer, view, place)
        except AutodcError as error:
            return _refused(one, view, error)

    def _let_in(self, one: Proposal, answer: Answer, view: View, place: str) -> ev.DatasetAdmitted:
        out = self._made / one.name
        made = making.read(out)
        candidate = Candidate(
            name=one.name,
            place=place,
            rows=lambda read: self._as_dataset(one.name, made),
            cost=one.cost if one.rows <= 0 else round(one.cost * len(made.x) / one.rows, 6),
            tags=one.tags,
            targets=one.targets,
            by=one.by,
            round=view.state.round,
            parent=made.origin.parents,
            finding=one.finding,
        )
        admission = self._door.admit(candidate, read_source)
        event = let_in(self._store, candidate, admission)
        assert admission.data is not None
        self._put_origin(admission.data.fingerprint, out, admission.kept)
        told = {"seconds": round(answer.seconds, 3), "rows": len(made.x), "facts": dict(made.facts)}
        return replace(event, card={**event.card, "how": one.to_dict(), "made": told})

    def _as_dataset(self, name: str, made: making.Made) -> Dataset:
        """As a source would read it: classes as the user writes them, columns of a table among the metadata too."""
        classes = self._inputs.catalogue.classes
        y = np.asarray(made.y)
        if classes is not None and made.coded:
            y = np.asarray(classes, dtype=object)[y] if len(y) else y
            y = np.asarray(y.tolist())
        return Dataset(name=name, x=made.x, y=y, metadata=made.metadata)

    def _put_origin(self, content: str, out: Path, kept: Array | None) -> None:
        """Keep where rows come from beside their content, whatever else of the making goes."""
        origin = pd.read_parquet(out / making.ORIGIN)
        if kept is not None:
            origin = origin.iloc[kept].reset_index(drop=True)
        path = self._store.path / f"{content}{ORIGIN}"
        write_whole(path, origin.to_parquet)

    def _looked(self, view: View, notes: list[Mapping[str, str]]) -> Rows | None:
        try:
            return self._diagnoser.rows(view)
        except (AutodcError, ArtefactLost) as error:
            notes.append({"code": FAILED, "got": f"the explore rows cannot be looked at: {error}"})
            return None

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
            [past for one in _every(state) if (past := _past(one, state)) is not None],
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
        for one in _every(state):
            if one.parts == (pool.POOL,):
                barred[np.asarray(one.arguments.get("rows", ()), dtype=np.int64)] = True
        return barred


MAKERS: Mapping[str, Callable[[Making, View, Rows | None], Part]] = {
    pool.POOL: Making._of_pool,
    generate.BY: Making._of_generators,
}
"""What `loop.propose` may name beside `given`."""


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


def makes(spec: StudySpec) -> bool:
    """Whether a study file names anybody who makes data."""
    return any(name in MAKERS for name in spec.loop.propose)


def _every(state: State) -> list[Proposal]:
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
    served = {one.finding for one in _every(view.state) if one.by == pool.POOL}
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
    every = [one for one in _every(state) if one.by == pool.POOL]
    for one in every:
        kind, _, turn = one.name.partition(TURN)
        again = f"{kind}{TURN}{int(turn or 1) + 1}"
        decided = state.decided(one.name)
        if one.name not in state.kept or again in {other.name for other in every} or decided is None:
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


def _affordable(view: View, found: Sequence[Proposal], notes: list[Mapping[str, str]]) -> list[Proposal]:
    """Those that the cost budget pays, in their order."""
    limit = view.spec.budget.cost
    if limit is None:
        return list(found)
    left, paid = limit - view.state.paid, list[Proposal]()
    for one in found:
        if one.cost > left:
            notes.append({"code": "ADC-PROP-006", "got": f"{one.name} costs {one.cost:g}, {max(0.0, left):g} is left"})
            continue
        left -= one.cost
        paid.append(one)
    return paid


def _refused(one: Proposal, view: View, error: AutodcError) -> ev.ProposalRefused:
    problems = [{part: str(getattr(e, part)) for part in PARTS} for e in each_of(error)]
    return ev.ProposalRefused(name=one.name, round=view.state.round, problems=tuple(problems))
