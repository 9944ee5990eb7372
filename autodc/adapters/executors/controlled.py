"""An executor that a person can pause and give more or fewer slots while it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, final

from autodc.adapters.control import Control, Wish
from autodc.errors import InputError
from autodc.trial.executor import Adjustable, Completion, Executor, Task


class Answer(Protocol):
    """Takes what came of a wish, or of the nodes of a cluster.

    Slots as they are now, whether it is paused, the wish if there was one, why it was not met.
    """

    def __call__(self, *, slots: int, paused: bool, asked: str, refused: str) -> None:
        """Take it."""
        ...


@final
class Controlled:
    """Looks for a wish whenever somebody waits for the executor, in the thread that waits.

    So it is heeded also while one task is waited for and nothing else is done. answer: told of every wish, once, and
    where the slots are others without one.
    """

    def __init__(self, executor: Executor, control: Control, answer: Answer) -> None:
        self._executor, self._control, self._answer = executor, control, answer
        self._told = executor.slots
        self._paused = False
        self.submit: Callable[[Task], None] = executor.submit
        self.cancel: Callable[[], None] = executor.cancel
        self.close: Callable[[], None] = executor.close

    @property
    def slots(self) -> int:
        """How many tasks run at once, also while it is paused: what is planned does not depend on a pause."""
        return self._executor.slots

    def wait(self, timeout: float | None = None) -> list[Completion]:
        """Heed what is asked, then return completions as the executor does."""
        self.look()
        return self._executor.wait(timeout)

    def look(self) -> None:
        """Heed what is asked, where that is another thing than at the last look."""
        if (wish := self._control.news()) is None or not wish.id:
            if self.slots != self._told:
                self._tell()
            return
        refused = ""
        try:
            self._meet(wish)
        except InputError as error:
            refused = f"{error.brief}; {error.hint}"
        self._tell(wish.id, refused)

    def _tell(self, asked: str = "", refused: str = "") -> None:
        self._told = self.slots
        self._answer(slots=self._told, paused=self._paused, asked=asked, refused=refused)

    def _meet(self, wish: Wish) -> None:
        slots = self.slots if wish.slots is None else wish.slots
        if (wish.paused, slots) == (self._paused, self.slots):
            return
        if not isinstance(self._executor, Adjustable):
            hint = "stop it with Ctrl-C; the same command goes on where it stopped"
            raise InputError("ADC-EXEC-025", "this executor can be neither paused nor resized", hint=hint)
        if wish.paused != self._paused:
            self._executor.hold(wish.paused)
            self._paused = wish.paused
        if slots != self.slots:
            self._executor.resize(slots)
