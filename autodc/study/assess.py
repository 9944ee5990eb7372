"""Looks at evidence: from the arrays of trained pairs to the gate's judgement, and to the last measurement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, final

import numpy as np
from scipy.stats import t

from autodc.errors import InputError
from autodc.evaluation.metrics import Metric
from autodc.evaluation.slices import Comparison, SliceTable, compare, row_scores, score
from autodc.gate.judge import judge
from autodc.gate.noise import Pools
from autodc.gate.types import Look
from autodc.search.plan import Plan
from autodc.spec.study import StudySpec
from autodc.stats.variance import crossed, moderate
from autodc.study import events as ev
from autodc.study import pairs
from autodc.study.ports import OutcomeStore
from autodc.study.state import State, TestState

Array = np.ndarray[Any, Any]
Arrays = Mapping[str, Array]

INTERVAL_LEVEL = 0.95
"""Confidence level of the intervals of the last measurement, two-sided."""


@final
class EvidenceAssessor:
    """Reads stored outcomes and judges them.

    table: the validation slices; open_test: reads the sealed targets and cuts the test set, called once it is opened.
    """

    def __init__(
        self,
        spec: StudySpec,
        table: SliceTable,
        metric: Metric,
        store: OutcomeStore,
        open_test: Callable[[], SliceTable] | None,
    ) -> None:
        self._spec, self._table, self._metric, self._store = spec, table, metric, store
        self._open_test = open_test
        self._soft = spec.gate.score == "soft"

    def look(self, state: State, test: TestState, pair_seeds: tuple[int, ...]) -> Look:
        """Judge a test on the pairs of these seeds. A training that failed leaves a lost pair, which never passes."""
        anchored = test.purpose != "removal" and test.incumbent != state.start
        comparison = Comparison(
            challenger=[self._trained(state, test.challenger, seed) for seed in pair_seeds],
            incumbent=[self._trained(state, test.incumbent, seed) for seed in pair_seeds],
            start=self._calibration(state) if anchored else (),
            declared=self._declared(test),
        )
        evidence = compare(self._table, self._metric, comparison, self._soft)
        return judge(evidence, self._pools(state), self._spec.gate, test.alpha)

    def measure(self, state: State) -> ev.Event:
        """Open the test set; once that is journalled, compare start and incumbent on it with their fresh seeds."""
        if not state.opened:
            return ev.TestSetOpened(opened_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"))
        assert self._open_test is not None
        assert state.start is not None
        assert state.incumbent is not None
        table = self._open_test()
        numbers = pairs.final_pairs(self._spec, state)
        before = [self._final(state, a, table) for a, _ in numbers]
        after = [self._final(state, b, table) for _, b in numbers]
        pools = self._pools(state)
        differences = {}
        for one in table.slices:
            rows = np.array([row_scores(table, self._metric, one, a, soft=False) for a in after])
            start = np.array([row_scores(table, self._metric, one, b, soft=False) for b in before])
            estimate = moderate(crossed(rows - start, one.clusters), pools.of(one.name))
            reach = float(t.ppf(0.5 + INTERVAL_LEVEL / 2, estimate.df)) * estimate.standard_error
            differences[one.name] = {
                "difference": estimate.mean,
                "low": estimate.mean - reach,
                "high": estimate.mean + reach,
                "rows": len(one.rows),
                "pairs": len(numbers),
            }
        return ev.TestSetMeasured(
            before=self._natural(table, before), after=self._natural(table, after), differences=differences
        )

    def _trained(self, state: State, plan: Plan, seed: int) -> Arrays | None:
        return self._arrays(state, state.trained[plan, seed])

    def _arrays(self, state: State, number: int) -> Arrays | None:
        outcome = state.trials[number].outcome
        return None if outcome is None or not outcome.arrays else self._store.get(outcome.arrays)

    def _calibration(self, state: State) -> list[Arrays]:
        numbers = [one.trial.number for one in state.trials if one.trial.phase == "calibration"]
        return [a for a in (self._arrays(state, n) for n in numbers) if a is not None]

    def _declared(self, test: TestState) -> frozenset[str]:
        """The targets that the members of a test are meant to help; all of them where one does not say."""
        everything = frozenset(s.name for s in self._spec.targets)
        meant = [c.targets for c in self._spec.data.candidates if c.name in test.members]
        if not meant or any(t is None for t in meant):
            return everything
        return frozenset(name for targets in meant for name in targets or ())

    def _pools(self, state: State) -> Pools:
        """The study's pool of noise: calibration, then every finished test with two pairs or more."""
        runs = self._calibration(state)
        if len(runs) < 2:
            ended = [one.outcome for one in state.trials if one.outcome is not None]
            failed = next((outcome.error for outcome in ended if outcome.status == "failed"), "")
            raise InputError(
                "ADC-RUN-001",
                "the model the study begins with cannot be trained, so nothing can be compared with it",
                "calibration",
                failed or f"{len(runs)} trainings came to an end",
                "mend the trainer or the search space; the centre of the space is where the study begins",
            )
        pools = Pools.calibrated(
            {
                one.name: np.array(
                    [row_scores(self._table, self._metric, one, a, self._is_soft(one.role)) for a in runs]
                )
                for one in self._table.slices
            },
            {one.name: one.clusters for one in self._table.slices},
            {one.name: one.weight for one in self._table.slices if one.role == "target"},
        )
        for test in state.tests:
            if test.verdict is not None and test.looks and test.looks[-1]["pairs"] >= 2:
                pools = pools.updated(Look.from_dict(test.looks[-1]))
        return pools

    def _is_soft(self, role: str) -> bool:
        return self._soft and role == "target"

    def _final(self, state: State, number: int, table: SliceTable) -> Arrays:
        """What a final training scores on the opened test set."""
        arrays = self._arrays(state, number)
        assert arrays is not None
        outputs = {part: arrays[f"{part}.outputs"] for part in table.parts}
        return score(table, self._metric, self._spec.task.kind, outputs).arrays

    def _natural(self, table: SliceTable, runs: Sequence[Arrays]) -> dict[str, float]:
        """Mean metric of each slice over these runs, as the user knows it."""
        values = {}
        for one in table.slices:
            each = [row_scores(table, self._metric, one, a, soft=False).mean() for a in runs]
            values[one.name] = self._metric.natural(float(np.mean(each)))
        return values
