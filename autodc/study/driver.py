"""Runs a study: keeps the executor busy, tells what comes back, watches the clock, lets the tracker follow."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import final

from autodc.errors import AutodcError, InputError, SurroundingsError
from autodc.study import allowance
from autodc.study import events as ev
from autodc.study.core import StudyCore
from autodc.study.jobs import JobMaker
from autodc.study.ports import Tracker
from autodc.study.state import State
from autodc.trial.executor import Completion, Executor
from autodc.trial.trial import Trial

AHEAD = 1
"""Jobs queued for each slot beyond the one it trains: the next is there when a slot is free, however long the search
thinks about the one after. What a trial depends on is set by `search.lag`, not by when it is asked for."""

TICK = 0.5
"""Seconds after which the driver looks up even when nothing came back."""

LATE_SHARE = 0.1
"""The clock's estimate of the trainings left is journalled again when it has changed by this share."""

_AGAIN = frozenset({"crashed", "lost"})

Progress = Callable[[State], None]


class Interrupted(Exception):
    """The user or the system asked the study to stop; the journal is whole and the same command goes on."""


@final
class Driver:
    """One process's turn at a study.

    retries: how often a crashed or lost attempt is made again; deadline: Unix time by which the study is to be over,
    because: `budget.wall_clock` or `until`; stop: asked between events, True ends the turn; first: train the first so
    many trials of the study and no more.
    """

    def __init__(
        self,
        study: StudyCore,
        executor: Executor,
        jobs: JobMaker,
        tracker: Tracker,
        *,
        retries: int = 1,
        deadline: float = math.inf,
        because: str = "budget.wall_clock",
        progress: Progress = lambda state: None,
        stop: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.time,
        first: int | None = None,
    ) -> None:
        self._first = first
        self._study, self._executor, self._jobs, self._tracker = study, executor, jobs, tracker
        self._retries, self._deadline, self._because = retries, deadline, because
        self._progress, self._stop, self._clock = progress, stop, clock
        self._under_way: dict[int, tuple[Trial, int]] = {}

    def run(self) -> None:
        """Run until the study, or its first trials, are finished. Raises Interrupted when asked to stop."""
        study = self._study
        while not (study.finished or self._enough()):
            if self._stop():
                self._executor.cancel()
                raise Interrupted
            self._mind_the_clock()
            while self._wanted() > 0 and (trials := study.ask(1)):
                self._submit(trials[0], 0)
            if study.finished:
                break
            if not self._under_way:
                raise AutodcError("ADC-LOOP-002", "nothing is under way and nothing can be planned")
            for completion in self._executor.wait(TICK):
                self._take(completion)
            self._tracker.follow()
            self._progress(study.state)
        self._tracker.follow()
        self._progress(study.state)

    def _wanted(self) -> int:
        """How many trials to ask for now."""
        room = (1 + AHEAD) * self._executor.slots - len(self._under_way)
        if self._first is None:
            return room
        ended = sum(t.outcome is not None for t in self._study.state.trials)
        return min(room, self._first - ended - len(self._under_way))

    def _enough(self) -> bool:
        trials = self._study.state.trials
        return self._first is not None and sum(t.outcome is not None for t in trials) >= self._first

    def _submit(self, trial: Trial, attempt: int) -> None:
        self._under_way[trial.number] = (trial, attempt)
        self._executor.submit(self._jobs.job(trial, attempt))

    def _take(self, completion: Completion) -> None:
        trial, attempt = self._under_way.get(completion.number, (None, -1))
        if trial is None or attempt != completion.attempt:
            return
        if completion.status == "surroundings":
            self._executor.cancel()
            raise SurroundingsError(
                "ADC-RUN-007",
                "what a training stands on failed, which no other plan would have escaped",
                f"trial {trial.number}",
                completion.error,
                "mend that, then give the same command again: it trains that trial once more",
            )
        if completion.status in _AGAIN and attempt < self._retries:
            self._submit(trial, attempt + 1)
            return
        del self._under_way[completion.number]
        self._study.tell(trial, self._study.score(trial, completion))
        self._check_start()

    def _check_start(self) -> None:
        """Stop early where the model the study begins with cannot be trained at all."""
        runs = allowance.calibration_planned(self._study.state)
        mine = [t.outcome for t in self._study.state.trials[:runs]]
        failed = [o for o in mine if o is not None and o.status == "failed"]
        if len(failed) > runs - 2:
            self._executor.cancel()
            raise InputError(
                "ADC-RUN-001",
                "the model the study begins with cannot be trained, so nothing can be compared with it",
                "calibration",
                failed[-1].error,
                "mend the trainer or the search space; the study begins at the centre of the space",
            )

    def _mind_the_clock(self) -> None:
        """Turn the time left into trainings left, so that the loop opens nothing it cannot finish."""
        if math.isinf(self._deadline):
            return
        study, now = self._study, self._clock()
        recent = [t for t in study.state.trials[-50:] if t.outcome is not None and t.outcome.ended > 0]
        if not recent and now < self._deadline:
            return
        taken = sum(t.outcome.ended - t.outcome.started for t in recent if t.outcome is not None)
        seconds = taken / sum(t.trial.fidelity for t in recent) if recent else math.inf
        more = max(0.0, self._deadline - now) * self._executor.slots / max(seconds, 1e-3)
        total = math.floor(study.state.spent - sum(t.fidelity for t, _ in self._under_way.values()) + more)
        cap = allowance.cap(study.spec, study.state)
        if total < cap and (math.isinf(cap) or cap - total > LATE_SHARE * max(cap - study.state.spent, 0.0)):
            study.record(ev.BudgetLimited(trainings=max(float(total), study.state.spent), because=self._because))
