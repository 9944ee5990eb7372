"""The events of what is decided: phases, challengers, comparisons, the incumbent, the test set, the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from autodc.study.journal.events.base import Event
from autodc.study.journal.shapes import (
    BaselinesJson,
    ChangesJson,
    CreditJson,
    EffectsJson,
    FrontJson,
    LookJson,
    MeasuredJson,
    PlanJson,
    PlansJson,
    ProposalJson,
)

__all__ = [
    "BaselinesChosen",
    "BudgetLimited",
    "ChallengerProposed",
    "ChallengerPruned",
    "ComparisonOpened",
    "FidelityMeasured",
    "GainCredited",
    "IncumbentMoved",
    "IncumbentPolished",
    "LookTaken",
    "PhaseStarted",
    "ProbesMeasured",
    "StudyFinished",
    "TestOpeningAsked",
    "TestSetMeasured",
    "TestSetOpened",
    "TestSetUnread",
    "TogetherProposed",
    "VerdictReached",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseStarted(Event):
    """The loop went on."""

    round: int
    phase: str
    """calibration, search, gate, sweep, credit or test."""
    planned: int = 0
    """Trainings it may take, in credit and test the seeds of each arm."""
    horizon: int = 0
    """What the phase before had seen; 0 in journals of before, which went back to the last decision that says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLimited(Event):
    """Time, not trainings, is what is left: from here at most `trainings` in all.

    The last one counts: the clock's estimate may rise again, and a number not below the budget binds nothing. because:
    budget.wall_clock or until.
    """

    trainings: float
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FidelityMeasured(Event):
    """Cheap trainings were held against full ones."""

    round: int
    horizon: int
    fidelity: float
    """The share that a cheap one got."""
    pairs: int
    correlation: float | None
    """Spearman's over `pairs` plans, None where it is not defined."""
    low: float | None
    high: float | None
    """low, high: its 95% interval."""
    used: bool
    """Whether plans are left out by what a cheap training says from here on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbesMeasured(Event):
    """Forks of one training told what some of every candidate changes."""

    round: int
    horizon: int
    plan: PlanJson
    """The training that was forked."""
    trials: tuple[int, ...]
    """The trials it was forked in; candidates of one that failed are in no number here."""
    changes: ChangesJson
    """Of the soft score on explore rows, up is better."""
    believed: Mapping[str, float]
    """Dataset → what the probes of this round say of it together, for the search."""
    leads_to: PlanJson
    """The plan with the datasets that are believed to help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengerProposed(Event):
    """The search recommends a plan."""

    round: int
    horizon: int
    plan: PlanJson
    mean: float
    sd: float
    """mean, sd: posterior of the objective."""
    worth: Mapping[str, float] = field(default_factory=dict)
    """Dataset → expected loss without it."""
    effects: EffectsJson = field(default_factory=dict)
    front: FrontJson = ()
    """Where the study has several objectives, the trained plans that none is believed to beat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TogetherProposed(Event):
    """What a round that weighs evidence together begins with."""

    round: int
    horizon: int
    plans: PlansJson
    """The incumbent, the base tuned, everything tuned, what the search recommends."""
    proposal: ProposalJson
    """gate.together.Proposal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonOpened(Event):
    """The gate starts a comparison."""

    __test__: ClassVar[bool] = False
    id: int
    round: int
    horizon: int
    subject: str
    """Dataset name, `tuning`, or the bundle's name."""
    subject_kind: str
    purpose: str
    """Removal (a member inside a challenger), whole (challenger against incumbent), addition (one dataset to the
    incumbent); of evidence together those of gate.together."""
    challenger: PlanJson
    incumbent: PlanJson
    """challenger, incumbent: the two plans."""
    members: tuple[str, ...]
    """Datasets in question."""
    alpha: float
    """The level."""
    share: float | None = None
    """What of the error budget it spends, alpha ÷ (1 + keeps before it)."""
    pairs: int | None = None
    """So many, looked at once: it claims nothing, or what another comparison has shown. None: the looks of the gate."""
    all_rows: bool = False
    """It is asked of every row of validation: what is compared was fixed before any was seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookTaken(Event):
    """The gate looked at a comparison."""

    comparison: int
    horizon: int
    look: LookJson
    """gate.Look as JSON."""
    seeds: tuple[int, ...] = ()
    """The training seeds of its pairs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictReached(Event):
    """A comparison ended."""

    comparison: int
    round: int
    horizon: int
    subject: str
    subject_kind: str
    verdict: str
    """Keep, drop or undecided."""
    reasons: tuple[str, ...]
    trainings: int
    """What it took, reused ones not counted."""
    prunes: bool = False
    """Read from a journal of before ChallengerPruned: the verdict itself says what leaves the challenger."""
    beside: tuple[str, ...] = ()
    """What stands in for its members, where they are redundant."""
    combined: Mapping[str, float] | None = None
    """{mean, sd} of the objective's difference by gate rows and the search's belief together, where that decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengerPruned(Event):
    """A dataset leaves the challenger of the round. comparison: the one whose verdict says so."""

    round: int
    horizon: int
    comparison: int
    dataset: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncumbentMoved(Event):
    """A better model is the incumbent, and what is kept is what it was given."""

    round: int
    horizon: int
    plan: PlanJson
    comparison: int
    """The one that moved it."""
    model: int
    """The trial whose model `continue` now goes on from."""
    warm: int | None = None
    """The trial the new incumbent itself continued."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselinesChosen(Event):
    """The obvious, with which the end is to be compared: each at the settings that the search now believes best."""

    horizon: int
    plans: PlansJson
    """`base_tuned` and `everything_tuned` → plan, without those of which the search knows no settings."""
    members: tuple[str, ...]
    """The datasets of `everything_tuned` beside the base."""
    seeds: int
    """Fresh seeds each of them gets, those of start and end among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncumbentPolished(Event):
    """The settings of what is kept, by all trainings so far on every row: taken as believed, nothing is claimed."""

    round: int
    horizon: int
    plan: PlanJson


@dataclass(frozen=True, slots=True, kw_only=True)
class TestOpeningAsked(Event):
    """The user asked to open the test set now: search and gate stop where they are. forced: it was opened before."""

    __test__: ClassVar[bool] = False
    forced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSetOpened(Event):
    """The sealed test set was opened: its targets are read after this. forced: not for the first time."""

    __test__: ClassVar[bool] = False
    opened_at: str
    forced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSetMeasured(Event):
    """Start against end on the sealed test."""

    __test__: ClassVar[bool] = False
    before: Mapping[str, float]
    after: Mapping[str, float]
    """before, after: slice → metric as the user knows it."""
    differences: MeasuredJson
    """Slice → {difference, low, high, rows, pairs}, oriented."""
    baselines: BaselinesJson = None
    """The arms of the last measurement on the sealed test, as of `study.beside`; None where only start and end are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSetUnread(Event):
    """The test set could not be read or measured when its time had come; the same command tries again.

    code, problem: the error, for people.
    """

    __test__: ClassVar[bool] = False
    code: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GainCredited(Event):
    """What the gain is made of, and what the search had promised."""

    horizon: int
    credit: CreditJson
    """See `study.rules.credit.Account`, None where the model of the start is still the best."""
    estimate: Mapping[str, float] | None
    """{mean, sd} of the incumbent's objective as the search believed it, from calibration and search trainings alone,
    None where it knew nothing."""
    baselines: BaselinesJson = None
    """The arms of the last measurement on the gate rows of validation, as of `study.beside`; None where only start and
    end are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFinished(Event):
    """The study is over. because: rounds, findings, expected, budget.trainings, budget.wall_clock, until or stopped."""

    because: str
