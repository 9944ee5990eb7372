"""The events that fix the question, change it, and bring in what it is about; and who works on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from autodc.masking import masked, masked_study, masked_tree
from autodc.study.journal.events.base import Event
from autodc.study.journal.shapes import (
    DatasetsJson,
    ObservationsJson,
    PlanJson,
    ProblemsJson,
    SlicesJson,
)

__all__ = [
    "RULES",
    "DatasetAdmitted",
    "DeliveryRefused",
    "MetricTold",
    "MilestoneNamed",
    "RowsTold",
    "SessionStarted",
    "SliceAdmitted",
    "SlotsSet",
    "StudyExtended",
    "StudyStarted",
    "WarmStarted",
]

RULES = 7
"""What plans the trainings of a study that is begun now (StudyStarted.rules)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyStarted(Event):
    """The question is fixed."""

    fingerprint: str
    name: str
    spec: Mapping[str, Any]
    datasets: DatasetsJson
    """Base → {rows, fingerprint, left_out, inputs}, in journals of an older autodc also the candidates, with
    `candidate` and what DatasetAdmitted has."""
    slices: SlicesJson
    """Name → {role, margin, weight, rows, groups, counting, needed, explore_rows, all_rows}. rows, groups, counting: of
    its gate rows; needed: where those are too few to be evidence, how many it takes."""
    start: PlanJson
    """The plan the study begins with (Plan.to_dict)."""
    warnings: tuple[str, ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict)
    """Fingerprints of the held-out datasets, of the test set its inputs and metadata."""
    metric: Mapping[str, str] = field(default_factory=dict)
    """{name, better} of the primary metric, empty in journals of an older autodc (study/direction.py)."""
    rules: int = 0
    """0: trainings are planned as by an autodc that knew no obvious baselines and no explore rows, so that its journals
    go on to the same decisions; 1: by one whose rounds began with no diagnosis; 2: by one that made no data; 3: by one
    that made them in the order of what is hoped alone, and in which no finding had a slice of its own; 4: by one that
    corrected no hope by what came true, held nothing against its control on the slice of its finding, let no delivery
    declare one, asked no oracle again for a finding of which it could tell too few rows, and let rows by chance ride
    in a block; 5: by one whose slots stood idle in the gate of the last round; 6: by one that asked for no rows that
    validation has and what is trained on lacks; 7: as today."""

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

    version: ClassVar[int] = 4
    slots: int
    """Trainings at once."""
    machine: Mapping[str, Any]
    """MachineSpec as JSON."""
    pid: int = 0
    until: float | None = None
    """Unix time by which it is asked to be done. A limit that the clock set in a session before binds this one no
    more."""
    folder: str = ""
    """Of the study file, against which its paths are read; empty in journals of an older autodc."""
    reading: float = 0.0
    """Seconds before it in which data were read and their attributes measured; 0 where nobody said."""
    command: str = ""
    """The command line that began it, for people; empty where a program did, and in journals of an older autodc."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What of the machine a reader may ask for: versions of Python, autodc and what trains, the system, its cores."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "machine", masked_tree(self.machine))
        object.__setattr__(self, "command", masked(self.command))


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotsSet(Event):
    """More or fewer trainings run at once: a person said so, or paused the run, or nodes came or went.

    No decision depends on it.
    """

    slots: int
    """Trainings at once from here on."""
    paused: bool = False
    """Whether none is begun until the run is let go on."""
    asked: str = ""
    """The wish that it answers; empty where nodes of the cluster came or went."""
    refused: str = ""
    """Why it is not met; all stays as it was."""


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
class DeliveryRefused(Event):
    """What lies in the inbox is not taken, and why; or a file that was refused is gone."""

    delivered: str
    """The file or folder in the inbox."""
    name: str
    """The dataset that it would be."""
    mark: str
    """Identity of the file as it is and of the question: while it is the same, it is not looked at again."""
    problems: ProblemsJson
    """What hinders, and how to mend it; none where the file is gone."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "problems", tuple(masked_tree(one) for one in self.problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceAdmitted(Event):
    """A slice joined the study while it ran."""

    name: str
    rule: Mapping[str, Any]
    """The slice as a study file would name it (SliceSpec as JSON)."""
    card: Mapping[str, Any]
    """As in StudyStarted.slices."""
    values: Mapping[str, float]
    """Number of a training that had ended → its oriented metric on the gate rows, from what was kept of it a row."""
    soft: Mapping[str, float] = field(default_factory=dict)
    """The same for the soft score, where that was kept."""
    explore: Mapping[str, float] = field(default_factory=dict)
    explore_soft: Mapping[str, float] = field(default_factory=dict)
    """explore, explore_soft: both on the explore rows; empty where the rows are not cut."""
    finding: str = ""
    """The finding whose rule it is, where what is made for it may gain there: neither target nor guard. Empty for a
    slice that the user let in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsTold(Event):
    """Which held-out rows every slice has, which the gate decides on, and which are one observation.

    So whoever has the folder can reckon any slice again from the scores a row, without the data.
    """

    arrays: str
    """Address of what study/membership.py writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneNamed(Event):
    """The user gave a plan of the study a name, to compare with it later."""

    name: str
    plan: PlanJson
    model: str = ""
    """Folder of its model below that of the study, empty where none was there."""


def _mask_question(event: StudyStarted | StudyExtended) -> None:
    object.__setattr__(event, "spec", masked_study(event.spec))
    object.__setattr__(event, "datasets", masked_tree(event.datasets))
    object.__setattr__(event, "warnings", masked_tree(event.warnings))
