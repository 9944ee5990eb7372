"""The simple baselines of a study: asked for before the first training, journalled as they end, waited for by nobody.

They are no trainings: `budget.trainings` does not pay them, no decision looks at them, and one that fails is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, final

from autodc.study.tasks import Answer, Tasks
from autodc.trial.executor import Completion, PredictTask

if TYPE_CHECKING:
    from autodc.study.core import StudyCore

NO_TIME = "the time was over before it was measured"


@final
class SimpleBaselines:
    """Those of one turn at a study. asked: name → the task that predicts; what the journal has is not asked again."""

    def __init__(self, core: StudyCore, tasks: Tasks, asked: Mapping[str, PredictTask]) -> None:
        self._core, self._tasks = core, tasks
        self._asked = {name: task for name, task in asked.items() if name not in core.state.simple}
        self._numbers = dict[str, int]()

    def begin(self) -> None:
        """Hand them to the executor."""
        self._numbers = {name: self._tasks.submit(task) for name, task in self._asked.items()}

    def take(self) -> None:
        """Journal those that have ended."""
        for name, number in list(self._numbers.items()):
            if (answer := self._tasks.answers.get(number)) is not None:
                del self._numbers[name]
                self._core.measured(name, _completion(number, answer))

    def cut(self) -> None:
        """Those that have not ended never will."""
        for name, number in self._numbers.items():
            self._core.measured(name, _completion(number, Answer(status="lost", error=NO_TIME)))
        self._numbers = {}


def _completion(number: int, answer: Answer) -> Completion:
    return Completion(
        number=number,
        attempt=answer.attempts - 1,
        work="prediction",
        status=answer.status,
        outputs=answer.outputs,
        predict_ms=answer.predict_ms,
        seconds=answer.seconds,
        error=answer.error,
    )
