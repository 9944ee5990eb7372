"""A study that is open: ask for trials, tell what came of them, read the result. The journal is written ahead."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, final

import numpy as np
import threadpoolctl

from autodc.errors import AutodcError, InputError
from autodc.evaluation.metrics import Metric
from autodc.evaluation.own_metric import MetricError
from autodc.evaluation.slices import TEST, Keep, Scores, SliceTable, score
from autodc.plan.trial import Outcome, Trial
from autodc.search.engine import SearchEngine
from autodc.study.assess import EvidenceAssessor, LookForLeaks
from autodc.study.direction import guessed
from autodc.study.journal import events as ev
from autodc.study.journal.state import State, fold
from autodc.study.loop import Finished, Loop, Step, Waiting
from autodc.study.ports import ArtefactLost, ArtefactStore, Journal
from autodc.study.rules import allowance, losses, pairs
from autodc.study.rules.extend import extension
from autodc.studyfile.study import StudySpec
from autodc.trial.executor import Completion

Array = np.ndarray[Any, Any]

LARGEST_SCORE = 1e100
"""Scores above are of trainings that ran away; their squares would be infinite."""


@final
class StudyCore:
    """One study over its journal.

    Every event is durable before it is used. Opening a journal that has events goes on where it stopped: trials that
    were planned and have no outcome are handed out again by the first `ask`, with the same number and seed.
    """

    def __init__(
        self,
        spec: StudySpec,
        started: ev.StudyStarted,
        *,
        journal: Journal,
        store: ArtefactStore,
        table: SliceTable,
        metric: Metric,
        engine: SearchEngine,
        open_test: Callable[[], SliceTable] | None = None,
        leaks: LookForLeaks | None = None,
        borrowed: ev.WarmStarted | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open. A changed study file or changed data extends the study, where that may be (study/rules/extend.py).

        Raises InputError ADC-RUN-002 where the journal belongs to another study, 012 and 013 as `extension` does,
        ADC-RUN-060 where its metric was turned round.
        """
        self._journal, self._store, self._clock, self._monotonic = journal, store, clock, monotonic
        self._begun: float | None = None
        self._spec, self._table, self._metric = spec, table, metric
        self.state = fold(event for _, event in journal.read())
        if self.state.started is None:
            self.record(started, *([] if borrowed is None else [borrowed]))
        else:
            _refuse_other_direction(self.state, metric)
            if guessed(self.state):
                self.record(ev.MetricTold(metric=started.metric))
        if self.state.question.fingerprint != started.fingerprint:
            extended = extension(self.state, started)
            if extended is not None:
                self.record(extended)
        assessor = EvidenceAssessor(spec, table, metric, store, open_test, leaks)
        self._loop = Loop(spec, self.state, engine, assessor)
        self._again: list[Trial] = list(self.state.pending)
        self._libraries = threadpoolctl.ThreadpoolController()

    @property
    def spec(self) -> StudySpec:
        """What is studied."""
        return self._spec

    def record(self, *events: ev.Event) -> None:
        """Journal events, then apply them."""
        if any(isinstance(event, ev.SessionStarted) for event in events):
            self._begun = self._monotonic()
        awake = 0.0 if self._begun is None else round(self._monotonic() - self._begun, 3)
        stamped = [replace(event, time=self._clock(), awake=awake) for event in events]
        self._journal.append(stamped)
        for event in stamped:
            self.state.apply(event)

    def ask(self, n: int = 1) -> list[Trial]:
        """Return up to n trials to train now. Fewer than n: the next ones wait for outcomes, or the study is over. A
        trial comes again where its outcome is lost and needed.

        Decisions are worked out on one thread: their matrices are small, the other cores are training, and the sums
        then come out the same whatever the number of cores. Raises SurroundingsError where the journal cannot be
        written.
        """
        with self._libraries.limit(limits=1):
            return self._asked(n)

    def _asked(self, n: int) -> list[Trial]:
        trials: list[Trial] = []
        while len(trials) < n:
            if self._again:
                trials.append(self._again.pop(0))
                continue
            step = self._step()
            if isinstance(step, (Waiting, Finished)):
                if self._again:
                    continue
                break
            self.record(step)
            if isinstance(step, ev.TrialPlanned):
                trials.append(self.state.trials[-1].trial)
        return trials

    def _step(self) -> Step:
        """The next step. What it needs and is lost is trained again first; where it cannot measure the test set, the
        journal says why before the error goes on."""
        try:
            return self._loop.step()
        except ArtefactLost as error:
            self._lose_with(error)
            return Waiting()
        except AutodcError as error:
            if len(self.state.opened) > self.state.measurements:
                self.record(ev.TestSetUnread(code=error.code, problem=str(error)))
            raise

    def open_test(self, force: bool = False) -> None:
        """Ask to open the sealed test set now: search and gate stop where they are, the last measurement follows.

        What is on its way already is not asked for twice. force: open it though it was opened before. Raises
        InputError ADC-RUN-014 without a test set, 015 where it was opened before, 016 where no training can be paid.
        """
        state = self.state
        if self._spec.data.test is None:
            hint = "name one as data.test in a new study; this one has chosen by validation alone"
            raise InputError("ADC-RUN-014", "the study has no test set to open", "--open-test", "", hint)
        under_way = state.asked is not None or (state.phase in ("credit", "test") and state.due)
        if len(state.opened) > state.measurements or (under_way and state.finished is None):
            return
        refuse_second_opening(state, force)
        cap = allowance.asked(self._spec)
        if pairs.final_seeds(self._spec, state, cap) < 1:
            raise InputError(
                "ADC-RUN-016",
                "no training is left for the last measurement",
                "--open-test",
                f"{state.spent:g} of {cap:g} trainings spent",
                f"raise budget.trainings by {2 * allowance.FINAL_SEEDS} or so: --set budget.trainings=…",
            )
        self.record(ev.TestOpeningAsked(forced=bool(state.opened)))

    def tell(self, trial: Trial, outcome: Outcome) -> None:
        """Journal the outcome of a trial. The first one told counts; a later duplicate is ignored.

        Raises InputError ADC-RUN-003 for a trial this study never planned, SurroundingsError ADC-DISK-013 where one
        whose outcome is lost fails when it is trained again.
        """
        known = self.state.trials[trial.number] if trial.number < len(self.state.trials) else None
        if known is None or known.trial != trial:
            raise InputError("ADC-RUN-003", "this study never planned that trial", got=f"trial {trial.number}")
        if known.outcome is None:
            self.record(ev.TrialFinished(number=trial.number, outcome=outcome.to_dict()))
        elif trial.number in self.state.lost and (restored := losses.restored(known, outcome)) is not None:
            self.record(restored)

    def lose(self, number: int, why: str) -> None:
        """Journal that what a trial left is lost: the next `ask` hands it out again."""
        if number not in self.state.lost:
            self.record(ev.OutcomeLost(number=number, why=why))
            self._again.append(self.state.trials[number].trial)

    def _lose_with(self, error: ArtefactLost) -> None:
        """Lose the outcome that was found lost, and those that the same decision needs and are lost too."""
        for number in losses.lost_with(self.state, error.address, self._store):
            self.lose(number, str(error))
        if not self.state.lost:
            raise error

    def score(self, trial: Trial, completion: Completion) -> Outcome:
        """Score a finished training on every validation row, and store what comparisons need.

        completion.outputs: part → predictions in row order. Outputs on the sealed test set are stored, not scored.
        A completion that is not `done`, or has outputs that are not finite, is a failed trial.
        """
        seconds: dict[str, Any] = {
            "started": completion.started,
            "ended": completion.ended,
            "seconds": completion.seconds,
            "attempts": completion.attempt + 1,
        }
        scores, error = None, completion.error or completion.status
        if completion.status == "done":
            keep = Keep.of(self._spec)
            if trial.phase == "calibration":  # few, and `simulate` may ask them what they were not trained for
                keep = replace(keep, soft=True)
            scores, error = self._scored(completion.outputs, keep)
        if scores is None:
            return Outcome(status="failed", error=error, train_seconds=completion.train_seconds, **seconds)
        arrays = dict(scores.arrays)
        if TEST in completion.outputs:
            arrays[f"{TEST}.outputs"] = np.asarray(completion.outputs[TEST], dtype=np.float32)
        return Outcome(
            status="done",
            slices=scores.slices,
            soft=scores.soft,
            arrays=self._store.put(arrays),
            train_seconds=completion.train_seconds,
            predict_ms=completion.predict_ms,
            model_mb=completion.model_mb,
            **seconds,
        )

    def incumbent_arrays(self) -> Mapping[str, Array] | None:
        """Per-example arrays of the last full training of the incumbent, None where it has none yet."""
        lost: ArtefactLost | None = None
        for one in reversed(self.state.trials):
            full = one.trial.plan == self.state.incumbent and one.trial.fidelity == 1
            if full and one.outcome is not None and one.outcome.arrays:
                try:
                    return self._store.get(one.outcome.arrays)
                except ArtefactLost as error:
                    lost = lost or error
        if lost is not None:
            raise lost
        return None

    def _scored(self, outputs: Mapping[str, Array], keep: Keep) -> tuple[Scores | None, str]:
        """Scores, or why there are none: a user's own metric may raise, or give what is no number."""
        if problem := _misfit(self._table, outputs):
            return None, problem
        metric = self._metric
        try:
            scores = score(self._table, metric, self._spec.task.kind, outputs, keep)
        except MetricError as error:
            return None, str(error)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            return None, f"metric {metric.name} raises {type(error).__name__}: {error}"
        problem = _no_number(self._table, metric, scores)
        return (None, problem) if problem else (scores, "")

    @property
    def finished(self) -> bool:
        """Whether nothing is left to train or decide."""
        return self.state.finished is not None


def _refuse_other_direction(state: State, metric: Metric) -> None:
    """Raise InputError ADC-RUN-060 where a user's metric was turned round since the study began."""
    told = state.question.metric.get("better", metric.better)
    if told != metric.better:
        raise InputError(
            "ADC-RUN-060",
            "this study began with a metric that gets better the other way",
            "metrics.primary",
            f"better = {metric.better!r} of {metric.name}, {told!r} in the journal",
            f"put it back to {told!r}, or choose another folder: all its trainings were judged by it",
        )


def refuse_second_opening(state: State, force: bool) -> None:
    """Raise InputError ADC-RUN-015 where the test set was read already and this is not forced."""
    if force or not state.opened or len(state.opened) > state.measurements:
        return
    raise InputError(
        "ADC-RUN-015",
        "the test set was opened already",
        "--open-test",
        ", ".join(one.opened_at for one in state.opened),
        "its first reading is the honest one: what is chosen after it may be chosen by it. --force opens it again, and "
        "the report will say so in red",
    )


def _no_number(table: SliceTable, metric: Metric, scores: Scores) -> str:
    """Which slice and row a metric gives no number for that can be compared; empty where all is well."""
    for one in table.slices:
        rows = scores.arrays.get(f"{one.part}.score")
        bad = [] if rows is None else one.rows[~_comparable(rows[one.rows])].tolist()
        if rows is not None and bad:
            count = f"{len(bad)} rows, the first of them row" if len(bad) > 1 else "row"
            what = _whats_wrong(rows[bad[0]])
            return f"metric {metric.name} is {what} for {count} {bad[0]} of {one.part} (slice {one.name})"
        if not _comparable(scores.slices[one.name]):
            return f"metric {metric.name} is {_whats_wrong(scores.slices[one.name])} on slice {one.name}"
    return ""


def _comparable(values: Any) -> Any:
    """Whether numbers are finite, and stay so when they are squared and summed."""
    return np.abs(np.asarray(values, dtype=np.float64)) <= LARGEST_SCORE  # false for NaN


def _whats_wrong(value: float) -> str:
    return f"too large to be compared ({value:.3g})" if np.isfinite(value) else "not a finite number"


def _misfit(table: SliceTable, outputs: Mapping[str, Array]) -> str:
    for part in table.parts:
        if part not in outputs:
            return f"no predictions for {part}"
        if len(outputs[part]) != len(table.targets[part]):
            return f"{len(outputs[part])} predictions for the {len(table.targets[part])} rows of {part}"
        if not np.isfinite(outputs[part]).all():
            return f"predictions for {part} are not finite"
    return ""
