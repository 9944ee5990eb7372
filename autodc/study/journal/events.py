"""The events of a study, in the order a study lives through them. State is `fold(events)` and nothing else.

Events are values: JSON in, JSON out, with a version. `time` is Unix time, `awake` the seconds that the session has
worked, by a clock that stands still while the machine sleeps; neither ever enters a decision. They hold no
secrets: what came with a password or token, also out of a journal of before, is masked as the event is made.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from autodc.masking import masked, masked_study, masked_tree
from autodc.study.journal.shapes import (
    CreditJson,
    DatasetsJson,
    EffectsJson,
    FrontJson,
    LookJson,
    MeasuredJson,
    ObservationsJson,
    OutcomeJson,
    PlanJson,
    SlicesJson,
    TrialJson,
)

KINDS: dict[str, type[Event]] = {}
"""Every class of events by its name, as they are defined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all events; its kind is the class name."""

    version: ClassVar[int] = 3
    """Of the payload, a class of its own each; what older ones are read as stands in `upcasts`."""
    news: ClassVar[bool] = False
    """Whether it is told to readers alone and changes no state."""
    time: float = 0.0
    awake: float = 0.0

    def __init_subclass__(cls) -> None:
        KINDS[cls.__name__] = cls

    @property
    def kind(self) -> str:
        """The name under which the event is stored."""
        return type(self).__name__

    def to_dict(self) -> dict[str, Any]:
        """The payload as JSON, without kind and version."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyStarted(Event):
    """The question is fixed."""

    fingerprint: str
    name: str
    spec: Mapping[str, Any]
    datasets: DatasetsJson
    """Base → {rows, fingerprint, left_out}, in journals of an older autodc also the candidates, with `candidate` and
    what DatasetAdmitted has."""
    slices: SlicesJson
    """Name → {role, margin, weight, rows, groups, counting, needed}, needed where the rows are too few to be evidence:
    how many it takes."""
    start: PlanJson
    """The plan the study begins with (Plan.to_dict)."""
    warnings: tuple[str, ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict)
    """Fingerprints of the held-out datasets, of the test set its inputs and metadata."""
    metric: Mapping[str, str] = field(default_factory=dict)
    """{name, better} of the primary metric, empty in journals of an older autodc (study/direction.py)."""

    def __post_init__(self) -> None:
        _mask_question(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricTold(Event):
    """A journal of an older autodc is taken up again, and a user's own metric says its {name, better}."""

    metric: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyExtended(Event):
    """The study goes on with a changed file: what it is from here on, and what changed. changed: key → (old, new).

    A finished study is taken up again; its error ledger goes on, its test set stays opened.
    """

    fingerprint: str
    spec: Mapping[str, Any]
    datasets: DatasetsJson
    slices: SlicesJson
    parts: Mapping[str, str]
    changed: Mapping[str, Any]
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _mask_question(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmStarted(Event):
    """Trainings of another study are known to the search from the start; the gate never sees them."""

    study: str
    source: str
    """study, source: what that study is called and its fingerprint."""
    observations: ObservationsJson
    """{plan, seed, values, fidelity, tradeoffs} each, in the names of this study."""
    left_out: Mapping[str, int]
    """Why → how many."""
    digest: str
    """Identity of the observations, part of this study's fingerprint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted(Event):
    """A process took the study up."""

    slots: int
    """Trainings at once."""
    machine: Mapping[str, Any]
    """MachineSpec as JSON."""
    pid: int = 0
    until: float | None = None
    """Unix time by which it is asked to be done. A limit that the clock set in a session before binds this one no
    more."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "machine", masked_tree(self.machine))


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseStarted(Event):
    """The loop went on."""

    round: int
    phase: str
    """calibration, search, gate, sweep, credit or test."""
    planned: int = 0
    """Trainings it may take, in credit and test the seeds of each arm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPlanned(Event):
    """A trial was decided, before it is submitted."""

    trial: TrialJson
    round: int
    horizon: int
    """Outcomes 0 … horizon − 1 were visible to the decision."""
    origin: str = ""
    of: int | None = None
    """The trial whose plan and seed it trains again, at another fidelity or because it failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialFinished(Event):
    """An outcome arrived, before it is used."""

    number: int
    outcome: OutcomeJson

    def __post_init__(self) -> None:
        if error := self.outcome.get("error"):
            object.__setattr__(self, "outcome", {**self.outcome, "error": masked(str(error))})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialHeldUp(Event):
    """The disk refused a training, and the run ended. It is trained once more; the second time it has failed."""

    number: int
    error: str = ""


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
    incumbent)."""
    challenger: PlanJson
    incumbent: PlanJson
    """challenger, incumbent: the two plans."""
    members: tuple[str, ...]
    """Datasets in question."""
    alpha: float
    """The level."""
    share: float | None = None
    """What of the error budget it spends, alpha ÷ (1 + keeps before it)."""


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
class BudgetLimited(Event):
    """Time, not trainings, is what is left: from here at most `trainings` in all. The last one counts: the clock's
    estimate may rise again, and a number not below the budget binds nothing. because: budget.wall_clock or until."""

    trainings: float
    because: str


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


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSetUnread(Event):
    """The test set could not be read or measured when its time had come. code, problem: the error, for people; the
    same command tries again."""

    __test__: ClassVar[bool] = False
    code: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GainCredited(Event):
    """What the gain is made of, and what the search had promised."""

    horizon: int
    credit: CreditJson
    """See `study.credit.Account`, None where the model of the start is still the best."""
    estimate: Mapping[str, float] | None
    """{mean, sd} of the incumbent's objective as the search believed it, from calibration and search trainings alone,
    None where it knew nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFinished(Event):
    """The study is over. because: rounds, findings, budget.trainings, budget.wall_clock, until or stopped."""

    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceAdmitted(Event):
    """A slice joined the study while it ran."""

    name: str
    rule: Mapping[str, Any]
    """The slice as a study file would name it (SliceSpec as JSON)."""
    card: Mapping[str, Any]
    """As in StudyStarted.slices."""
    values: Mapping[str, float]
    """Number of a training that had ended → its oriented metric there, from what was kept of it a row."""
    soft: Mapping[str, float] = field(default_factory=dict)
    """The same for the soft score, where that was kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPlanned(Event):
    """A prediction or a call was decided, before it is submitted. Trainings have events of their own."""

    number: int
    work: str
    """`prediction` or `call`."""
    digest: str
    """Identity of what is asked for; the same question has one answer."""
    asked: Mapping[str, Any]
    """The task as JSON, for readers; its secrets are masked."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "asked", masked_tree(self.asked))


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFinished(Event):
    """The answer arrived, before it is used; a second one of a task whose answer was lost replaces the first."""

    number: int
    answer: Mapping[str, Any]
    """`study.tasks.Answer` as JSON."""

    def __post_init__(self) -> None:
        if error := self.answer.get("error"):
            object.__setattr__(self, "answer", {**self.answer, "error": masked(str(error))})


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetAdmitted(Event):
    """A dataset joined the roster: given in the study file, before the first training, or proposed while it ran."""

    name: str
    card: Mapping[str, Any]
    """{rows, fingerprint, left_out, cost, tags, targets, source} and its provenance: {by, round, parent, finding}."""
    reference: str
    """Fingerprint under which its content is stored."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "card", masked_tree(self.card))


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeLost(Event):
    """What a training left is gone or damaged, and needed: the trial is trained again with the same plan and seed. Its
    outcome stays what it was to all decisions; the budget is not charged twice."""

    number: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRestored(Event):
    """A lost outcome was made again."""

    number: int
    arrays: str
    """Address of its arrays, another one where the trainer is not deterministic."""
    difference: float = 0.0
    """By how much a slice differs at most from the journalled outcome, which stands."""


def _mask_question(event: StudyStarted | StudyExtended) -> None:
    object.__setattr__(event, "spec", masked_study(event.spec))
    object.__setattr__(event, "datasets", masked_tree(event.datasets))
    object.__setattr__(event, "warnings", masked_tree(event.warnings))
