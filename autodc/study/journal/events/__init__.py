"""The events of a study, in the order a study lives through them. State is `fold(events)` and nothing else.

Events are values: JSON in, JSON out, with a version. `time` is Unix time, `awake` the seconds that the session has
worked, by a clock that stands still while the machine sleeps; neither ever enters a decision. They hold no
secrets: what came with a password or token, also out of a journal of before, is masked as the event is made.
"""

from autodc.study.journal.events.base import KINDS, Event
from autodc.study.journal.events.decisions import (
    BudgetLimited,
    ChallengerProposed,
    ChallengerPruned,
    ComparisonOpened,
    FidelityMeasured,
    GainCredited,
    IncumbentMoved,
    LookTaken,
    PhaseStarted,
    StudyFinished,
    TestOpeningAsked,
    TestSetMeasured,
    TestSetOpened,
    TestSetUnread,
    VerdictReached,
)
from autodc.study.journal.events.question import (
    DatasetAdmitted,
    MetricTold,
    SessionStarted,
    SliceAdmitted,
    StudyExtended,
    StudyStarted,
    WarmStarted,
)
from autodc.study.journal.events.work import (
    OutcomeLost,
    OutcomeRestored,
    TaskFinished,
    TaskPlanned,
    TrialFinished,
    TrialHeldUp,
    TrialPlanned,
)

__all__ = [
    "KINDS",
    "BudgetLimited",
    "ChallengerProposed",
    "ChallengerPruned",
    "ComparisonOpened",
    "DatasetAdmitted",
    "Event",
    "FidelityMeasured",
    "GainCredited",
    "IncumbentMoved",
    "LookTaken",
    "MetricTold",
    "OutcomeLost",
    "OutcomeRestored",
    "PhaseStarted",
    "SessionStarted",
    "SliceAdmitted",
    "StudyExtended",
    "StudyFinished",
    "StudyStarted",
    "TaskFinished",
    "TaskPlanned",
    "TestOpeningAsked",
    "TestSetMeasured",
    "TestSetOpened",
    "TestSetUnread",
    "TrialFinished",
    "TrialHeldUp",
    "TrialPlanned",
    "VerdictReached",
    "WarmStarted",
]
