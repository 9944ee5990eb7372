"""The phases of a study, in the order it goes through them, and a study seen with them."""

from __future__ import annotations

from autodc.study.journal.events import RULES
from autodc.study.journal.state import State
from autodc.study.phases.calibration import Calibration
from autodc.study.phases.credit import Credit
from autodc.study.phases.diagnose import Diagnose
from autodc.study.phases.gate import Gate
from autodc.study.phases.last_measurement import LastMeasurement
from autodc.study.phases.phase import Phase
from autodc.study.phases.propose import Propose
from autodc.study.phases.search import Search
from autodc.study.phases.sweep import Sweep
from autodc.study.phases.tuning import Tuning
from autodc.study.view import View, spec_of
from autodc.studyfile.study import StudySpec

ORDER: tuple[Phase, ...] = (
    Calibration(),
    Diagnose(),
    Propose(),
    Search(),
    Gate(),
    Sweep(),
    Tuning(),
    Credit(),
    LastMeasurement(),
)


def set_apart(spec: StudySpec) -> int:
    """Trainings of a study that no phase but their own may spend."""
    return sum(phase.apart(spec, RULES) for phase in ORDER)


def view_of(state: State, order: tuple[Phase, ...] = ORDER) -> View:
    """A study as its journal tells it: what is visible is what a decision in it has seen."""
    return View(spec_of(state), state, state.horizon, order)
