"""What can be seen of a study at one moment: its spec, its state, and how far outcomes are revealed."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from autodc.plan.plan import Plan
from autodc.study.journal import events as ev
from autodc.study.journal.records import TrialState
from autodc.study.journal.state import State
from autodc.studyfile import dropped
from autodc.studyfile.study import StudySpec

if TYPE_CHECKING:
    from autodc.study.phases.phase import Phase


@final
@dataclass(frozen=True, slots=True)
class View:
    """What rules and phases are told, and nothing else: the same view gives the same decision."""

    spec: StudySpec
    """What is studied."""
    state: State
    """What the journal tells."""
    horizon: int
    """Outcomes 0 … horizon − 1 are visible, those beyond are not, whether they have arrived or not."""
    order: tuple[Phase, ...]
    """The phases of the study, in the order it goes through them."""

    @property
    def visible(self) -> Sequence[TrialState]:
        """Trials whose outcome is revealed."""
        return self.state.trials[: self.horizon]

    @property
    def hidden(self) -> Sequence[TrialState]:
        """Trials that are planned, and whose outcome is not revealed."""
        return self.state.trials[self.horizon :]

    @property
    def start(self) -> Plan:
        """The plan the study begins with."""
        assert self.state.start is not None
        return self.state.start

    @property
    def incumbent(self) -> Plan:
        """The best plan kept so far."""
        assert self.state.incumbent is not None
        return self.state.incumbent

    @property
    def phase(self) -> Phase | None:
        """The phase under way; None before the first one and between two turns of a study that had finished."""
        return self.named(self.state.phase)

    @property
    def has_start(self) -> bool:
        """Whether the study is beyond its first phase, which measures the start."""
        return self.state.phase not in ("", self.order[0].name)

    @property
    def closing(self) -> tuple[Phase, ...]:
        """The phases after the last verdict."""
        return tuple(p for p in self.order if p.closing)

    def named(self, name: str) -> Phase | None:
        """The phase that the journal calls so, or None."""
        return next((p for p in self.order if p.name == name), None)

    def closes(self, name: str) -> bool:
        """Whether the phase that the journal calls so comes after the last verdict."""
        return name in _closing(self.order)

    def after(self, phase: Phase) -> ev.PhaseStarted:
        """The phase that comes next begins."""
        return self.order[self.order.index(phase) + 1].begin(self)

    def close(self) -> ev.PhaseStarted:
        """The first phase after the last verdict begins."""
        return self.closing[0].begin(self)


@functools.lru_cache(maxsize=16)
def _closing(order: tuple[Phase, ...]) -> frozenset[str]:
    """Names of the phases after the last verdict: asked of every training that is seen."""
    return frozenset(phase.name for phase in order if phase.closing)


def spec_of(state: State) -> StudySpec:
    """What is studied, as the journal tells it. Raises InputError ADC-JRNL-003 where it has no study."""
    return _parsed(_Same(state.question))


class _Same:
    """An event by its identity: parsing what it holds takes longer than most that is asked of it."""

    def __init__(self, event: ev.StudyStarted) -> None:
        self.event = event

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.event is self.event

    def __hash__(self) -> int:
        return id(self.event)


@functools.lru_cache(maxsize=8)
def _parsed(question: _Same) -> StudySpec:
    return StudySpec.model_validate(dropped.upcast(question.event.spec))
