"""The state of a study: what its events say, taken together. `fold.apply` alone changes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, final

from autodc.errors import InputError
from autodc.plan.plan import Plan
from autodc.plan.trial import Outcome, Trial
from autodc.study.journal import events as ev
from autodc.study.journal.records import ComparisonState, DiagnosisState, Extension, Session, TaskState, TrialState


@final
@dataclass(slots=True)
class State:
    """All that is known of a study. Read it; only `apply` changes it."""

    started: ev.StudyStarted | None = None
    borrowed: ev.WarmStarted | None = None
    """Trainings of another study that the search knows."""
    trials: list[TrialState] = field(default_factory=list)
    comparisons: list[ComparisonState] = field(default_factory=list)
    decisions: dict[str, ComparisonState] = field(default_factory=dict)
    """Dataset → the last finished comparison of it alone."""
    sessions: list[Session] = field(default_factory=list)
    challengers: list[ev.ChallengerProposed] = field(default_factory=list)
    proposals: list[ev.TogetherProposed] = field(default_factory=list)
    """What the rounds began with that weigh evidence together."""
    moves: list[ev.IncumbentMoved] = field(default_factory=list)
    polished: list[ev.IncumbentPolished] = field(default_factory=list)
    """Settings of the incumbent that were taken as believed."""
    trained: dict[tuple[Plan, int], int] = field(default_factory=dict)
    """(plan, seed) → number of the trial that may serve any comparison, the last one where it was run again."""
    attempts: dict[tuple[Plan, int], int] = field(default_factory=dict)
    """How often it was run."""
    planned: dict[tuple[str, int], float] = field(default_factory=dict)
    """(phase, round) → trainings, each by its fidelity."""
    spent: float = 0.0
    """All of them."""
    suggested: list[int] = field(default_factory=list)
    """Numbers of the trials whose plan the search suggested."""
    again: dict[tuple[float, int], int] = field(default_factory=dict)
    """(fidelity, suggested trial) → the number of its training there."""
    fidelity: ev.FidelityMeasured | None = None
    """How well cheap trainings rank plans, None before it is measured."""
    probes: list[ev.ProbesMeasured] = field(default_factory=list)
    """What forks said of the candidates, a probe each."""
    horizon: int = 0
    """Outcomes 0 … horizon − 1 have been seen by an event."""
    round: int = 0
    phase: str = ""
    phases: list[ev.PhaseStarted] = field(default_factory=list)
    start: Plan | None = None
    incumbent: Plan | None = None
    """The best plan kept so far."""
    model: int = 0
    """The trial whose model `continue` goes on from."""
    warm: int | None = None
    """The one the incumbent itself continued."""
    challenger: Plan | None = None
    """The plan the gate is pruning in this round."""
    limit: ev.BudgetLimited | None = None
    """What the clock allows in this session."""
    paced: bool = False
    """Whether a clock ever set one, so that quotas of before are no measure."""
    held: set[int] = field(default_factory=set)
    """Trials that the disk refused."""
    failures: list[int] = field(default_factory=list)
    """Numbers of the trainings that failed."""
    lost: dict[int, str] = field(default_factory=dict)
    """Trial → why what it left is trained again."""
    restored: list[ev.OutcomeRestored] = field(default_factory=list)
    """Outcomes that were made again."""
    works: dict[str, int] = field(default_factory=dict)
    """Dataset → the first training with it that did not fail."""
    extensions: list[Extension] = field(default_factory=list)
    """Changes of the study file since it began."""
    tasks: list[TaskState] = field(default_factory=list)
    """Predictions and calls, by number."""
    rows: str = ""
    """Where it stands which held-out rows each slice has; empty in journals of an older autodc."""
    milestones: dict[str, ev.MilestoneNamed] = field(default_factory=dict)
    """Plans that the user gave a name."""
    admitted: list[ev.SliceAdmitted] = field(default_factory=list)
    """Slices that joined the study while it ran."""
    roster: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Candidates admitted so far, in that order: name → card."""
    refused: dict[str, ev.DeliveryRefused] = field(default_factory=dict)
    """What lies in the inbox and is not taken: file or folder → why."""
    proposed: dict[int, list[ev.ProposalsMade]] = field(default_factory=dict)
    """Round → what was to be made in it."""
    unmade: dict[str, ev.ProposalRefused] = field(default_factory=dict)
    """Proposals of which nothing came, by name."""
    by_chance: dict[str, ev.ControlCompared] = field(default_factory=dict)
    """Dataset → what its rows do beside as many by chance, as it was measured last."""
    outputs: dict[Plan, str] = field(default_factory=dict)
    """Plan → where the predictions of its first training in a pair lie."""
    baselines: ev.BaselinesChosen | None = None
    """The obvious, chosen for the last measurement under way or the last one made."""
    simple: dict[str, Outcome] = field(default_factory=dict)
    """What the simple baselines score, each by its METHOD."""
    asked: ev.TestOpeningAsked | None = None
    """The user's wish to open the test set now."""
    opened: list[ev.TestSetOpened] = field(default_factory=list)
    measured: ev.TestSetMeasured | None = None
    """The last reading of the test set."""
    measured_plan: Plan | None = None
    """The incumbent it was of."""
    measurements: int = 0
    """How many readings."""
    due: bool = True
    """Whether a reading is still to come."""
    unread: ev.TestSetUnread | None = None
    """Why the last one failed."""
    credited: ev.GainCredited | None = None
    diagnoses: list[DiagnosisState] = field(default_factory=list)
    """Looks at where an incumbent fails."""
    findings: dict[str, ev.FindingMade] = field(default_factory=dict)
    """All that were made, by id; those of the last diagnosis are of the model it looked at."""
    requests: dict[str, ev.RequestMade] = field(default_factory=dict)
    """What people were asked for, by id."""
    folder: str = ""
    """Of the study file, as the last session had it."""
    finished: ev.StudyFinished | None = None

    @property
    def question(self) -> ev.StudyStarted:
        """The first event. Raises InputError ADC-JRNL-003 where the journal has none."""
        if self.started is None:
            hint = "give the folder of a study that has begun; `autodc run` begins one, or goes on with it"
            raise InputError("ADC-JRNL-003", "the journal has no study in it", hint=hint)
        return self.started

    @property
    def candidates(self) -> tuple[str, ...]:
        """Names of the candidates, in the order they were admitted: the study file's own come first, in its order."""
        return tuple(self.roster)

    def card(self, dataset: str) -> Mapping[str, Any]:
        """What is known of a training dataset, the base or a candidate; nothing of one that is neither."""
        return self.roster.get(dataset) or self.question.datasets.get(dataset, {})

    def cost(self, dataset: str) -> float:
        """What a candidate costs to have."""
        return float(self.roster[dataset].get("cost") or 0.0)

    @property
    def kept(self) -> tuple[str, ...]:
        """The datasets of the incumbent beside the base, in the order they were admitted."""
        added = self.incumbent.mixture.added if self.incumbent else ()
        return tuple(n for n in self.candidates if n in added)

    @property
    def paid(self) -> float:
        """What was paid for data: for what is kept of that which was given, for what was made whatever came of it."""
        made = (n for n in self.roster if "how" in self.roster[n] and n not in self.kept)
        return sum(map(self.cost, (*self.kept, *made))) + sum(one.cost for one in self.unmade.values())

    @property
    def to_make(self) -> Iterator[Mapping[str, Any]]:
        """All that was ever to be made, in the order it was settled."""
        return (one for events in self.proposed.values() for event in events for one in event.proposals)

    @property
    def awaited(self) -> tuple[Mapping[str, Any], ...]:
        """Proposals of this round that are neither made nor refused yet, in the order they join the roster."""
        every = (one for made in self.proposed.get(self.round, ()) for one in made.proposals)
        return tuple(one for one in every if one["name"] not in self.roster and one["name"] not in self.unmade)

    @property
    def of_findings(self) -> dict[str, str]:
        """Slices that findings made, neither targets nor guards → the finding."""
        return {one.name: one.finding for one in self.admitted if one.finding}

    @property
    def keeps(self) -> int:
        """How many comparisons said keep so far."""
        return sum(t.verdict == "keep" for t in self.comparisons if t.claims)

    @property
    def risked(self) -> float:
        """What comparisons took of the error budget, from when each was opened."""
        return sum(t.share for t in self.comparisons if t.claims)

    @property
    def taken(self) -> int:
        """How many comparisons took of it."""
        return sum(t.claims for t in self.comparisons)

    @property
    def generation(self) -> int:
        """How often the incumbent has moved in this round."""
        return sum(m.round == self.round for m in self.moves)

    @property
    def open_comparison(self) -> ComparisonState | None:
        """The comparison under way, if any."""
        return self.comparisons[-1] if self.comparisons and self.comparisons[-1].verdict is None else None

    @property
    def unmeasured(self) -> bool:
        """Whether the test set was opened and not read since."""
        return len(self.opened) > self.measurements

    def ended(self) -> Iterator[tuple[int, Outcome]]:
        """Number and outcome of every training that has scores a row."""
        for one in self.trials:
            if one.outcome is not None and one.outcome.arrays:
                yield one.trial.number, one.outcome

    @property
    def pending(self) -> list[Trial]:
        """Trials to be trained, for the first time or because what they left is lost, in order of number."""
        return [t.trial for t in self.trials if t.outcome is None or t.trial.number in self.lost]

    def charged(self, phase: str, round_number: int) -> float:
        """Trainings planned in a phase of a round, each by its fidelity."""
        return self.planned.get((phase, round_number), 0.0)

    def allotted(self, phase: str) -> int:
        """What the phase may take (PhaseStarted.planned), as it was begun last; 0 where it never was."""
        return next((p.planned for p in reversed(self.phases) if p.phase == phase), 0)

    def count(self, phase: str) -> int:
        """Trials planned in a phase, over all rounds."""
        return sum(t.trial.phase == phase for t in self.trials)

    def diagnosed(self, plan: Plan | None) -> DiagnosisState | None:
        """The last diagnosis of a plan, or None."""
        return next((one for one in reversed(self.diagnoses) if one.plan == plan), None)

    @property
    def labels(self) -> Mapping[str, Any]:
        """What the diagnoses found of labels, the last word; nothing where none looked at them."""
        return next((one.made.labels for one in reversed(self.diagnoses) if one.made.labels), {})

    def shown_by(self, plan: Plan) -> int | None:
        """The training of a plan whose predictions are kept; None where none are."""
        address = self.outputs.get(plan)
        if address is None:
            return None
        mine = (t for t in self.trials if t.trial.plan == plan and t.outcome is not None)
        return next((t.trial.number for t in mine if t.outcome is not None and t.outcome.outputs == address), None)

    @property
    def next_finding(self) -> int:
        """The number of the first finding of a diagnosis: of the last one while it is not whole, else of the next."""
        open_ids = 0 if not self.diagnoses or self.diagnoses[-1].is_whole else len(self.diagnoses[-1].ids)
        return len(self.findings) - open_ids + 1

    def decided(self, dataset: str) -> ComparisonState | None:
        """The last finished comparison of a dataset of its own, or None."""
        return self.decisions.get(dataset)

    def verdict(self, dataset: str) -> Literal["keep", "drop", "undecided"]:
        """Keep where the incumbent has it, else what its last comparison says, else undecided.

        A dataset that passed inside a challenger which then failed as a whole is undecided.
        """
        if dataset in self.kept:
            return "keep"
        last = self.decided(dataset)
        return "drop" if last is not None and last.verdict == "drop" else "undecided"
