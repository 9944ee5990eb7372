"""The port of a phase: what it is called, what it may spend, what it decides and wants trained, what comes after it.

A phase holds nothing: all it knows it is told. A new one is a file here and a line in `order.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from autodc.study.journal import events as ev
from autodc.study.phases.tools import Tools
from autodc.study.view import View
from autodc.studyfile.study import StudySpec


class Phase(Protocol):
    """A stretch of the study with a purpose of its own. Trainings are its own where they are planned in its name."""

    name: str
    """The word of the journal, for ever."""

    words: str
    """What is done in it, for those who follow a run."""

    purpose: str = ""
    """What its trainings are for, for those who read what was spent; empty where it plans none in its own name."""

    closing: bool = False
    """Whether it comes after the last verdict: the search never learns from its trainings, the clock cuts them last,
    and who asks for the test set is taken to the first such phase."""

    keeps_soft: bool = False
    """Whether the soft score of its trainings is kept for every row, asked for or not."""

    predicts_test: bool = False
    """Whether its trainings predict the sealed test set; its inputs go to them alone."""

    def keeps_model(self, spec: StudySpec) -> bool:
        """Whether the models of its trainings are kept."""
        return False

    def apart(self, spec: StudySpec, rules: int) -> int:
        """Trainings that are set apart for it, so that no other phase spends them. rules: StudyStarted.rules."""
        return 0

    def takes_up(self, view: View) -> bool:
        """Whether a finished study that was extended may go on here; the first phase that says so is begun."""
        return False

    def declares(self, view: View) -> Sequence[Mapping[str, Any]]:
        """The slices of findings that what it makes is meant to help; those that the study has not join first."""
        return ()

    def awaits(self, view: View) -> bool:
        """Whether the next decision needs what workers make.

        No outcome becomes visible meanwhile: the same decisions follow whenever it is there.
        """
        return False

    def begin(self, view: View) -> ev.PhaseStarted:
        """Begin, with what it may take."""
        return ev.PhaseStarted(round=view.state.round, phase=self.name)

    def decide(self, view: View, tools: Tools) -> ev.Event | None:
        """The next event that the visible outcomes imply, that another phase begins for one; None: it waits."""
        ...

    def want(self, view: View, tools: Tools) -> ev.TrialPlanned | None:
        """What is to be trained next; None: nothing before another outcome is visible."""
        return None
