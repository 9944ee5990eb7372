"""A diagnosis of a study: finders look at explore rows, other rows confirm, causes are told; as it is journalled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from threading import Thread
from types import MappingProxyType
from typing import Any, final

import numpy as np

from autodc import seeds
from autodc.adapters.finders.registry import USUAL
from autodc.data.catalogue import VALIDATION
from autodc.data.dataset import Dataset
from autodc.diagnose.causes import causes
from autodc.diagnose.confirm import alpha_of
from autodc.diagnose.diagnosis import diagnose
from autodc.diagnose.finder import Finder
from autodc.diagnose.finding import Finding
from autodc.diagnose.more_rows import MoreRows
from autodc.diagnose.named_slices import Named
from autodc.diagnose.rule import Rule
from autodc.diagnose.view import View as Rows
from autodc.errors import AutodcError
from autodc.large import distinct_values
from autodc.plan.mixture import BASE
from autodc.plan.plan import Plan
from autodc.study.journal import events as ev
from autodc.study.journal.state import State
from autodc.study.phases.tools import Diagnosed
from autodc.study.ports import ArtefactLost, ArtefactStore
from autodc.study.view import View
from autodc.wire.checks import FAILED, journalled, labels_of_night
from autodc.wire.exhibits import NO_RULE, exhibit
from autodc.wire.explored import Known, explored, known_of, refuse_few, refuse_uncut
from autodc.wire.inputs import Inputs
from autodc.wire.more_rows import of_findings, told_of

Array = np.ndarray[Any, Any]

NOT_KEPT, FINDER_FAILED, CAUSES_FAILED = "ADC-DIAG-003", "ADC-DIAG-004", "ADC-DIAG-005"
"""Codes of notes: the predictions are not there, a finder raised, the causes of a finding could not be told."""
MORE_FAILED = "ADC-DIAG-059"
"""Code of a note: what more rows would do could not be told."""


_SKLEARN = ("cluster", "decomposition", "linear_model", "pipeline", "preprocessing", "tree")
LIBRARIES = ("scipy.stats", *(f"sklearn.{name}" for name in _SKLEARN))


def load_beside() -> Thread:
    """Import in a thread what a diagnosis looks with: a second of CPU, in which the loop would plan no trial."""
    loading = Thread(target=lambda: [import_module(name) for name in LIBRARIES], name="libraries", daemon=True)
    loading.start()
    return loading


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What one look at the explore rows came to."""

    rows: Rows | None
    """None where they could not be looked at."""
    findings: tuple[Finding, ...] = ()
    notes: tuple[Mapping[str, str], ...] = ()
    """{code, got}: what could not be done."""
    rules: Mapping[str, Rule] = field(default_factory=dict)
    """Id of a finding, as it is here → its rule."""

    def exhibit(self, finding: Finding) -> dict[str, Array]:
        """What a reader is shown of it."""
        assert self.rows is not None
        named = [one.attribute for one in finding.causes]
        return exhibit(self.rows, finding, named, self.rules.get(finding.id, NO_RULE))

    def with_more(self, told: Sequence[Sequence[MoreRows]]) -> Looked:
        """The same, with what more rows would do to each finding."""
        both = zip(self.findings, told, strict=True)
        return replace(self, findings=tuple(replace(one, told={**one.told, **told_of(more)}) for one, more in both))


def look(
    inputs: Inputs,
    outputs: Mapping[str, Array],
    k: int,
    known: Known | None = None,
    *,
    finders: Sequence[Finder] = USUAL,
    before: int = 0,
) -> Looked:
    """Look for where a model fails on the explore rows of a study: the same data, outputs and study, the same findings.

    outputs: part → what it predicts, row order; k: at most so many findings; known: the rows as they were measured
    before; finders: who looks; before: diagnoses of this study before this one, which leave it less of the error
    budget. Raises InputError ADC-DIAG-001 where no rows are set apart, 002 where they are too few to be cut in two.
    What a finder or an enricher raises is a note.
    """
    refuse_uncut(inputs)
    known = known or known_of(inputs)
    rows = explored(inputs, outputs, known)
    refuse_few(inputs, len(rows), len(distinct_values(rows.groups)))
    found = diagnose(
        rows,
        finders,
        named=named_slices(inputs, rows),
        k=k,
        seed=seeds.integer(inputs.spec.seed, "diagnose"),
        alpha=alpha_of(before),
    )
    notes = [*known.notes]
    notes += [{"code": one.code, "got": ": ".join(filter(None, (one.finder, one.got)))} for one in found.notes]
    findings = []
    for one in found.findings:
        try:
            why = causes(rows, np.isin(rows.ids, one.ids))
        except Exception as error:  # a finding without its causes is worth more than none
            notes.append({"code": CAUSES_FAILED, "got": f"{one.rule}: {type(error).__name__}: {error}"})
            why = ()
        findings.append(replace(one, causes=why))
    rules = {name: one.rule for name, one in found.suspicions.items()}
    return Looked(rows=rows, findings=tuple(findings), notes=tuple(notes), rules=rules)


def with_more_rows(looked: Looked, inputs: Inputs, view: View, store: ArtefactStore) -> Looked:
    """The same look, each finding with what more rows would do to it by the trainings of the study."""
    try:
        found = of_findings(inputs, view, store, {str(k): one.ids for k, one in enumerate(looked.findings)})
    except Exception as error:  # a finding without it is worth more than none
        note = {"code": MORE_FAILED, "got": f"{type(error).__name__}: {error}"}
        return replace(looked, notes=(*looked.notes, note))
    return looked.with_more([found.get(str(k), ()) for k in range(len(looked.findings))])


def named_slices(inputs: Inputs, rows: Rows) -> tuple[Named, ...]:
    """The slices of validation that the study file names by a condition, on these rows.

    A slice that was made of a finding later is not among them: it was found on these rows.
    """
    conditions = {one.name: one.where for one in inputs.spec.slices if one.where and one.source is None}
    return tuple(
        Named(name=one.name, where=where, mask=np.isin(rows.ids, one.rows), is_target=one.role == "target")
        for one in inputs.explore.slices
        if (where := conditions.get(one.name)) is not None
    )


@final
class ExploreDiagnoser:
    """Looks with the predictions that a study keeps of its incumbent; whatever hinders it is a note.

    Predictions that are lost are trained again first: ArtefactLost is raised, but where that has been done.
    """

    def __init__(self, inputs: Inputs, store: ArtefactStore, joined: Callable[[str], Dataset]) -> None:
        """joined: reads a candidate that is not in the study file."""
        self._inputs, self._store, self._joined = inputs, store, joined
        self._known: Known | None = None

    def diagnose(self, view: View, number: int | None) -> Diagnosed:
        """Look with what the training of this number predicts, and at labels where not all were looked at before."""
        looked = self._looked(view, number)
        labels, notes = self._labels(view, looked.rows)
        looked = replace(looked, notes=(*looked.notes, *notes))
        state = view.state
        return as_events(
            looked,
            plan=view.incumbent,
            trial=number,
            round_number=state.round,
            horizon=view.horizon,
            first=state.next_finding,
            store=self._store,
            labels=labels,
        )

    def _looked(self, view: View, number: int | None) -> Looked:
        address = view.state.outputs.get(view.incumbent)
        if number is None or address is None:
            return _noted(NOT_KEPT, "no training of the incumbent kept its predictions")
        try:
            refuse_uncut(self._inputs)
            outputs = self._store.get(address)
            self._known = self._known or known_of(self._inputs)
            before = looks(view.state, beside=view.incumbent)
            looked = look(self._inputs, outputs, view.spec.loop.findings, self._known, before=before)
            return with_more_rows(looked, self._inputs, view, self._store)
        except ArtefactLost as error:
            if not any(one.number == number for one in view.state.restored):
                raise  # it is trained again, and looked at then
            return _noted(NOT_KEPT, str(error))
        except AutodcError as error:
            return _noted(error.code, error.brief)
        except Exception as error:  # no look at rows is worth a night
            return _noted(FINDER_FAILED, f"{type(error).__name__}: {error}")

    def rows(self, view: View) -> Rows | None:
        """The explore rows with what the incumbent predicts of them; None where they cannot be looked at."""
        address = view.state.outputs.get(view.incumbent)
        if address is None or not self._inputs.separation.is_cut:
            return None
        outputs = self._store.get(address)
        self._known = self._known or known_of(self._inputs)
        return explored(self._inputs, outputs, self._known)

    def _labels(self, view: View, rows: Rows | None) -> tuple[dict[str, Any], Sequence[Mapping[str, str]]]:
        """What is found of labels, as it is journalled, and what could not be done; empty where it was told before."""
        catalogue, state = self._inputs.catalogue, view.state
        content = {BASE: catalogue.base.fingerprint}
        content |= {name: str(state.card(name)["fingerprint"]) for name in state.candidates}
        if rows is not None:
            content[VALIDATION] = catalogue.validation.fingerprint
        if content.items() <= state.labels.get("content", {}).items():
            return {}, ()
        try:
            joined = [self._joined(name) for name in state.candidates if name not in catalogue.candidates]
            checks = labels_of_night(self._inputs, rows, joined)
            return journalled(checks, content, self._store), checks.notes
        except Exception as error:  # no look at labels is worth a night
            return {}, ({"code": FAILED, "got": f"labels: {type(error).__name__}: {error}"},)


def looks(state: State, beside: Plan | None = None) -> int:
    """How many diagnoses of a study saw rows; beside: those of this plan do not count."""
    return sum(one.made.rows > 0 and one.plan != beside for one in state.diagnoses)


def as_events(
    looked: Looked,
    *,
    plan: Plan,
    trial: int | None,
    round_number: int,
    horizon: int,
    first: int,
    store: ArtefactStore,
    labels: Mapping[str, Any] = MappingProxyType({}),
) -> Diagnosed:
    """A look as it is journalled.

    first: the number of its first finding; store: gets what readers are shown; labels: what is found of them.
    """
    made = ev.DiagnosisMade(
        round=round_number,
        horizon=horizon,
        plan=plan.to_dict(),
        trial=trial,
        rows=0 if looked.rows is None else len(looked.rows),
        findings=len(looked.findings),
        notes=looked.notes,
        labels=dict(labels),
    )
    found = tuple(
        _finding_event(replace(one, id=f"F{first + k}", round=round_number), horizon, _shown(looked, one, store))
        for k, one in enumerate(looked.findings)
    )
    return made, found


def _finding_event(one: Finding, horizon: int, shown: str) -> ev.FindingMade:
    """A finding as it is journalled. shown: address of its exhibit."""
    return ev.FindingMade(
        id=one.id,
        code=one.code,
        round=one.round,
        horizon=horizon,
        basis=one.kind,
        rule=one.rule,
        status=one.status,
        found=one.found,
        confirmed=one.confirmed,
        error=one.error.to_dict(),
        by=one.by,
        causes=tuple(cause.to_dict() for cause in one.causes),
        ids=tuple(int(n) for n in one.ids),
        told=dict(one.told),
        exhibit=shown,
    )


def _shown(looked: Looked, one: Finding, store: ArtefactStore) -> str:
    """Address of what readers are shown of a finding; "" where it cannot be made: the finding stands without it."""
    try:
        shown = looked.exhibit(one)
    except Exception:  # rows may hold anything, and no exhibit is worth a night
        return ""
    return store.put(shown)


def _noted(code: str, got: str) -> Looked:
    return Looked(rows=None, notes=({"code": code, "got": got},))
