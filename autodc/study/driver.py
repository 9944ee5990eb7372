"""Runs a study: keeps the executor busy, tells what comes back, watches the clock, lets the tracker follow."""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import final

from autodc.errors import AutodcError, InputError, SurroundingsError
from autodc.plan.trial import Outcome, Trial
from autodc.study import pace
from autodc.study.attempts import RESTORES, TICK, TRIED_AGAIN
from autodc.study.core import StudyCore
from autodc.study.jobs import JobMaker
from autodc.study.journal import events as ev
from autodc.study.journal.state import State
from autodc.study.ports import Tracker
from autodc.study.rules import allowance
from autodc.study.simple import SimpleBaselines
from autodc.study.tasks import Answer, Tasks
from autodc.trial.executor import Completion, Executor, PredictTask

AHEAD = 1
"""Jobs queued for each slot beyond the one it trains: the next is there when a slot is free, however long the search
thinks about the one after. What a trial depends on is set by `search.lag`, not by when it is asked for."""

USUAL_SECONDS = 1.0
"""What trainings usually take is worked out so often, for the time after which one has failed."""

PORTION = 8
"""Trials are asked for by this part of those under way: a sync of the disk for each would bound a large cluster."""

LATE_SHARE = 0.1
"""The clock's estimate of the trainings left is journalled again when it has changed by this share, up or down."""

CUT_SHARE = 0.5
"""What still searches or compares is ended when no more time is left than this share of the last measurement takes."""

TIME_OVER = "the time was over before this training ended [ADC-RUN-070]"
NOT_MADE = "the time was over before it was made"

Progress = Callable[[State], None]


class Interrupted(Exception):
    """The user, the system or the clock asked the study to stop; the journal is whole and the same command goes on."""


@final
class Driver:
    """One process's turn at a study.

    retries: how often a crashed or lost attempt is made again; deadline: Unix time by which the study is to be over,
    because: what a limit by it is called; seconds: what `budget.wall_clock` leaves to this turn, while the machine is
    awake; stop: asked between events, True ends the turn; clock: Unix time; monotonic: seconds awake; first: train the
    first so many trials of the study and no more; begun: called once, when the first trainings are handed out;
    baselines: the simple ones, by name, measured before anything.
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
        seconds: float = math.inf,
        progress: Progress = lambda state: None,
        stop: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        first: int | None = None,
        begun: Callable[[], object] | None = None,
        baselines: Mapping[str, PredictTask] = MappingProxyType({}),
    ) -> None:
        self._first, self._begun = first, begun
        self._study, self._executor, self._jobs, self._tracker = study, executor, jobs, tracker
        self._retries, self._deadline, self._because = retries, deadline, because
        self._progress, self._stop = progress, stop
        self._clock, self._monotonic = clock, monotonic
        self._end = monotonic() + seconds
        self._under_way: dict[int, tuple[Trial, int]] = {}
        self._held: dict[int, tuple[Trial, int]] = {}
        self._remade: set[int] = set()
        self._restores: Counter[int] = Counter()
        self._mended, self._found = 0, dict[int, int]()
        self._tasks = Tasks(study, executor, retries=retries, restore=self._restore)
        self._simple = SimpleBaselines(study, self._tasks, baselines)
        self._making, self._handed = dict[str, int](), set[str]()
        self._thinking: deque[float] = deque(maxlen=pace.RECENT)
        self._usual: tuple[pace.Pace, float] | None = None
        self._usual_due = -math.inf
        self._over = self._ended = False

    def run(self) -> None:
        """Run until the study, or its first trials, are finished.

        Raises Interrupted when asked to stop, or where the time was over before the start was measured.
        """
        study = self._study
        self._simple.begin()
        while not (study.finished or self._enough()):
            if self._stop():
                self._executor.cancel()
                raise Interrupted
            self._mind_the_clock()
            while (wanted := self._wanted()) > 0 and (trials := study.ask(min(wanted, self._at_once()))):
                for trial in trials:
                    self._submit(trial, 0)
            if study.finished:
                break
            if self._makes():
                continue
            self._tell_begun()
            if not self._under_way and not self._making.keys() - self._handed:
                if study.state.lost:
                    raise Interrupted("the time was over before what was lost was trained again")
                raise AutodcError("ADC-LOOP-002", "nothing is under way and nothing can be planned")
            completions = self._executor.wait(TICK)
            begun = self._monotonic()
            with study.together():
                for completion in completions:
                    self._take(completion)
            self._simple.take()
            self._tracker.follow()
            if completions:
                self._thinking.append((self._monotonic() - begun) / len(completions))
            self._progress(study.state)
        self._simple.cut()
        self._tracker.follow()
        self._progress(study.state)

    def _tell_begun(self) -> None:
        if self._begun is not None and self._under_way:
            self._begun()
            self._begun = None

    def _wanted(self) -> int:
        """How many trials to ask for now."""
        room = (1 + AHEAD) * self._executor.slots - len(self._under_way)
        if self._first is None:
            return room
        ended = sum(t.outcome is not None for t in self._study.state.trials)
        return min(room, self._first - ended - len(self._under_way))

    def _at_once(self) -> int:
        """How many trials to ask for in one go, which is journalled in one go: a slot that is idle waits for none."""
        return max(1, len(self._under_way) // PORTION)

    def _enough(self) -> bool:
        trials = self._study.state.trials
        return self._first is not None and sum(t.outcome is not None for t in trials) >= self._first

    def _submit(self, trial: Trial, attempt: int) -> None:
        if self._over:
            self._study.tell(trial, _cancelled(attempt))
            return
        if self._waits_for_model(trial, attempt):
            return
        self._under_way[trial.number] = (trial, attempt)
        self._found[trial.number] = self._mended
        job = self._jobs.job(trial, attempt)
        if job.timeout is None:
            job = replace(job, timeout=self._timeout(trial))
        self._executor.submit(job)

    def _timeout(self, trial: Trial) -> float:
        """How long a training may take; what is usual is asked for once a while: it takes longer than all the rest."""
        state, now = self._study.state, self._monotonic()
        if self._usual is None or now >= self._usual_due:
            self._usual, self._usual_due = pace.usual(state), now + USUAL_SECONDS
        return pace.timeout(state, trial.plan, trial.fidelity, self._usual)

    def _take(self, completion: Completion) -> None:
        if self._tasks.take(completion):
            return
        trial, attempt = self._under_way.get(completion.number, (None, -1))
        if trial is None or attempt != completion.attempt:
            return
        if completion.status == "surroundings" and self._held_up(trial, attempt, completion):
            return
        if completion.status in TRIED_AGAIN and attempt - self._restores[trial.number] < self._retries:
            self._submit(trial, attempt + 1)
            return
        del self._under_way[completion.number]
        self._study.tell(trial, self._study.score(trial, completion))
        self._release(trial.number)
        self._check_start()

    def _makes(self) -> bool:
        """See to what is being made: hand on what is there, and say whether anything was."""
        before = len(self._handed)
        for told in self._study.state.awaited:
            name = str(told["name"])
            if name in self._handed:
                continue
            if name not in self._making and not self._ended:
                self._making[name] = self._tasks.submit(self._jobs.making(told))
            over = Answer(status="lost", error=NOT_MADE) if self._ended else None
            answer = over or self._tasks.answers.get(self._making[name])
            if answer is not None:
                self._study.made(name, answer)
                self._handed.add(name)
        return len(self._handed) > before

    def _restore(self) -> bool:
        """Put stored data in place again, and say whether any was gone."""
        return self._jobs.restore()

    def _waits_for_model(self, trial: Trial, attempt: int) -> bool:
        """Whether the model that a trial goes on from is lost: that is trained again first."""
        origin = trial.warm_start
        if origin is None or origin in self._remade or not (why := self._jobs.lost_model(origin)):
            return False
        self._study.lose(origin, f"its model: {why}")
        self._held[trial.number] = (trial, attempt)
        return True

    def _release(self, number: int) -> None:
        """Submit what waited for the model of a trial."""
        waiting = [one for one in self._held.values() if one[0].warm_start == number]
        self._remade |= {number} if waiting else set()
        for trial, attempt in waiting:
            del self._held[trial.number]
            self._submit(trial, attempt)

    def _held_up(self, trial: Trial, attempt: int, completion: Completion) -> bool:
        """See to a training that the surroundings ended.

        Put stored data in place again and train once more, else end the run. False where the disk refuses this very
        training for the second time: then its plan has failed.
        """
        if completion.missing:
            if self._restores[trial.number] < RESTORES and self._is_restored(trial):
                self._restores[trial.number] += 1
                self._submit(trial, attempt + 1)
                return True
            hint = "where trainings run on other machines, --out and cache_dir lie on a disk that all of them see"
            problem = "stored data is not there where a training looks for it"
        elif trial.number in self._study.state.held:
            return False
        else:
            self._study.record(ev.TrialHeldUp(number=trial.number, error=completion.error))
            hint = "make room, then give the same command again: it trains that trial once more"
            problem = "a training met a disk that refuses"
        self._executor.cancel()
        raise SurroundingsError("ADC-RUN-007", problem, f"trial {trial.number}", completion.error, hint)

    def _is_restored(self, trial: Trial) -> bool:
        """Whether data was gone and is in place again, now or since the training was submitted.

        Or a model was gone, which is trained again.
        """
        if self._restore():
            self._mended += 1
        gone = trial.warm_start is not None and self._jobs.lost_model(trial.warm_start) != ""
        return self._mended > self._found.get(trial.number, 0) or gone

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

    def _time_left(self) -> tuple[float, str]:
        """Seconds until the study is to be over, and which limit says so."""
        until, budget = self._deadline - self._clock(), self._end - self._monotonic()
        return (until, self._because) if until <= budget else (budget, "budget.wall_clock")

    def _mind_the_clock(self) -> None:
        """Turn the time left into trainings left, so that the loop opens nothing it cannot finish.

        End what would not leave the last measurement its time, and everything when the time is over.
        """
        left, because = self._time_left()
        if math.isinf(left):
            return
        state, view = self._study.state, self._study.view
        if left <= 0 and not view.has_start:
            self._executor.cancel()
            raise Interrupted("the time was over before the model the study begins with was measured")
        found = pace.pace(state)
        each = math.inf if found is None else self._each(found)
        total = state.spent
        if left > 0 and not self._over:
            if found is None:
                return
            under_way = sum(t.fidelity for t, _ in self._under_way.values())
            total = max(total, math.floor(total - under_way + left * self._executor.slots / each))
        self._limit(total, because, left <= 0)
        if left <= 0 or (self._searches() and left <= CUT_SHARE * self._last_seconds(each)):
            self._cut(over=left <= 0)

    def _each(self, found: pace.Pace) -> float:
        """Seconds that a training of the kind to come takes of a slot, what this process does beside it included."""
        thinking = sum(self._thinking) / max(len(self._thinking), 1)
        return max(found.seconds(pace.typical_rows(self._study.state)), thinking * self._executor.slots, 1e-3)

    def _limit(self, total: float, because: str, over: bool) -> None:
        """Journal what the clock allows, where that is something else than before."""
        state, asked = self._study.state, allowance.asked(self._study.spec)
        total, cap = min(total, asked), allowance.cap(self._study.view)
        if over:
            changed = state.limit is None or state.limit.trainings > state.spent
        elif math.isinf(cap):
            changed = True
        else:
            changed = abs(cap - total) > max(LATE_SHARE * (cap - state.spent), 1 - allowance.CRUMB)
        if changed and not (total == cap == asked):
            self._study.record(ev.BudgetLimited(trainings=float(total), because=because))

    def _searches(self) -> bool:
        """Whether anything but the last measurement is under way, once the start is measured."""
        view, makes = self._study.view, bool(self._making.keys() - self._handed)
        return view.has_start and (makes or not all(view.closes(trial.phase) for trial, _ in self._under_way.values()))

    def _last_seconds(self, each: float) -> float:
        """What the last measurement is likely to take."""
        rules = self._study.state.question.rules
        trainings = sum(phase.apart(self._study.spec, rules) for phase in self._study.view.closing)
        return trainings * each / self._executor.slots if math.isfinite(each) else 0.0

    def _cut(self, over: bool) -> None:
        """End what is under way: it says nothing of its plan. Where there is time, the last measurement goes on."""
        self._over, self._ended = over, True
        under_way, lost = sorted((self._under_way | self._held).items()), frozenset(self._study.state.lost)
        self._under_way.clear()
        self._held.clear()
        self._executor.cancel()
        self._simple.cut()
        for _, (trial, attempt) in under_way:
            if (self._study.view.closes(trial.phase) or trial.number in lost) and not over:
                self._submit(trial, attempt)
            else:
                self._study.tell(trial, _cancelled(attempt))


def _cancelled(attempt: int) -> Outcome:
    return Outcome(status="cancelled", error=TIME_OVER, attempts=attempt + 1)
