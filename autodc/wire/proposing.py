"""What a study makes for what it found: a round's proposals, and the door for what workers made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, final

import numpy as np

from autodc.adapters.artefacts import ArtefactStore
from autodc.data.admit import Candidate
from autodc.data.dataset import Dataset
from autodc.data.descent import refuse_descent
from autodc.diagnose.view import View as Rows
from autodc.errors import AutodcError, InputError, each_of
from autodc.propose import generate, oracle
from autodc.propose import made as making
from autodc.propose.proposal import Proposal
from autodc.review.deliveries import parts_of
from autodc.study.journal import events as ev
from autodc.study.phases.propose import weighs
from autodc.study.ports import ArtefactLost
from autodc.study.rules import served
from autodc.study.tasks import Answer
from autodc.study.view import View
from autodc.wire.admitting import Entrance, let_in, stored_dataset, with_pictures
from autodc.wire.declaring import declared
from autodc.wire.diagnosis import ExploreDiagnoser
from autodc.wire.inputs import Inputs
from autodc.wire.labelling import PEOPLE
from autodc.wire.proposers import PROPOSERS, Proposers

Array = np.ndarray[Any, Any]

FAILED = "ADC-PROP-004"
NOT_MADE = (
    "ADC-PROP-005",
    "a dataset could not be made",
    "the night goes on without it; mend what makes it for the next one",
)
ENDINGS: Mapping[str, tuple[str, str, str]] = {
    "timeout": (
        generate.TOO_LONG,
        "a dataset was not made in its time",
        "trial_timeout of the machine file sets how long a making may take; the night goes on without it, and only a "
        "new run asks for it again",
    ),
    "memory": (
        "ADC-PROP-081",
        "a dataset takes too much memory to make",
        "memory_per_trial of the machine file sets how much; the night goes on without it",
    ),
}
"""How a task ended → code, problem and hint."""
TOLD = {
    served.UNTOLD: (
        served.UNTOLD,
        "too few rows could be labelled",
        "the night goes on without it; another round asks of other rows for the same finding",
    )
}
"""The same of a call that said itself why it failed."""


@final
class Making:
    """The workshop of a study."""

    def __init__(
        self, inputs: Inputs, store: ArtefactStore, diagnoser: ExploreDiagnoser, made: Path, entrance: Entrance
    ) -> None:
        """Begin with nothing made.

        store: where the content of what is let in lies; diagnoser: has the explore rows as they were looked at;
        made: the folder in which makers write, one folder a proposal; entrance: that of the study.
        """
        self._inputs, self._store, self._diagnoser, self._made = inputs, store, diagnoser, made
        self._entrance = entrance
        self._answers: dict[str, Answer] = {}
        self._proposers = Proposers(inputs, store)

    def proposals(self, view: View) -> ev.ProposalsMade:
        """All that is to be made this round, of every proposer in the order the study file names them."""
        found, notes = list[Proposal](), list[Mapping[str, str]]()
        taken = {*view.state.roster, *view.state.unmade}
        rows = self._looked(view, notes)
        for name in view.spec.loop.propose:
            if name not in PROPOSERS:
                continue
            try:
                made, told = self._proposers.of(name, view, rows)
            except (AutodcError, ArtefactLost) as error:
                made, told = (), tuple({"code": one.code, "got": f"{name}: {one.brief}"} for one in each_of(error))
            except Exception as error:  # no proposer is worth a night
                made, told = (), ({"code": FAILED, "got": f"{name}: {type(error).__name__}: {error}"},)
            found += [one for one in made if one.name not in taken]
            notes += told
        to_make = [one for one in found if one.maker != PEOPLE]
        made, slices, undeclared = declared(
            self._inputs, view, to_make if weighs(view) else _affordable(view, to_make, notes)
        )
        return ev.ProposalsMade(
            round=view.state.round,
            horizon=view.horizon,
            proposals=tuple(one.to_dict() for one in made),
            notes=(*notes, *undeclared),
            slices=slices,
            to_label=tuple(one.to_dict() for one in found if one.maker == PEOPLE),
        )

    def ended(self, name: str, answer: Answer) -> None:
        """Take what came of the task of a proposal."""
        self._answers[name] = answer

    def outcome(self, view: View, proposal: Mapping[str, Any]) -> ev.DatasetAdmitted | ev.ProposalRefused | None:
        """Let in what was made, or say why it is not."""
        one = Proposal.of(proposal)
        answer = self._answers.get(one.name)
        if answer is None:
            return None
        del self._answers[one.name]
        place = f"{one.by}, {one.name}"
        if answer.status != "done":
            code, words, hint = TOLD.get(answer.code) or ENDINGS.get(answer.status, NOT_MADE)
            return _refused(one, view, InputError(code, words, place, answer.error, hint), self._paid(one))
        try:
            return self._let_in(one, answer, view, place)
        except AutodcError as error:
            return _refused(one, view, error, self._paid(one))

    def _let_in(self, one: Proposal, answer: Answer, view: View, place: str) -> ev.DatasetAdmitted:
        out = self._made / one.name
        made = making.read(out)
        descent = refuse_descent(
            one.name,
            made.origin.parents,
            np.asarray(made.origin.parent),
            np.asarray(made.origin.position),
            self._inputs.catalogue,
            joined=lambda name: stored_dataset(self._store, view.state, name) if name in view.state.roster else None,
            group=self._inputs.spec.data.base.group,
            place=place,
        )
        candidate = Candidate(
            name=one.name,
            place=place,
            rows=lambda read: self._as_dataset(one.name, made, descent.kept),
            cost=_price(one, int(made.facts.get("asked", len(made.x)))),
            tags=one.tags,
            targets=one.targets,
            by=one.by,
            round=view.state.round,
            parent=made.origin.parents,
            finding=one.finding,
        )
        admission = self._entrance.admit(candidate, view.state, "ADC-PROP-007")
        assert admission.data is not None
        data = with_pictures(self._store, admission.data, out)
        origin = made.origin if descent.kept is None else made.origin.take(descent.kept)
        event = let_in(self._store, candidate, replace(admission, data=data), origin)
        told = {"seconds": round(answer.seconds, 3), "rows": len(made.x), "facts": dict(made.facts)}
        return replace(event, card={**event.card, "how": one.to_dict(), "made": told})

    def _paid(self, one: Proposal) -> float:
        """What was paid for one of which nothing came: the rows that an oracle was asked for."""
        if one.maker != oracle.ASK:
            return 0.0
        return _price(one, oracle.asked_rows(oracle.answers_of(self._made, one.name)))

    def _as_dataset(self, name: str, made: making.Made, kept: Array | None) -> Dataset:
        """As a source would read it: classes as the user writes them, columns of a table among the metadata too."""
        classes = self._inputs.catalogue.classes
        y = np.asarray(made.y)
        if classes is not None and made.coded:
            y = np.asarray(classes, dtype=object)[y] if len(y) else y
            y = np.asarray(y.tolist())
        found = Dataset(name=name, x=made.x, y=y, metadata=made.metadata)
        return found if kept is None else found.take(kept)

    def _looked(self, view: View, notes: list[Mapping[str, str]]) -> Rows | None:
        try:
            return self._diagnoser.rows(view)
        except (AutodcError, ArtefactLost) as error:
            notes.append({"code": FAILED, "got": f"the explore rows cannot be looked at: {error}"})
            return None


def _affordable(view: View, found: Sequence[Proposal], notes: list[Mapping[str, str]]) -> list[Proposal]:
    """Those that the cost budget pays, in their order: in studies that weigh no actions."""
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


def _price(one: Proposal, rows: int) -> float:
    """What so many rows of a proposal cost."""
    return one.cost if one.rows <= 0 else round(one.cost * rows / one.rows, 6)


def _refused(one: Proposal, view: View, error: AutodcError, cost: float) -> ev.ProposalRefused:
    return ev.ProposalRefused(name=one.name, round=view.state.round, problems=parts_of(error), cost=cost)
