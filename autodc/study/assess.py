"""Looks at evidence: from the arrays of trained pairs to the gate's judgement, and to the last measurement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import Any, final

import numpy as np

from autodc.errors import InputError
from autodc.evaluation.evidence import Evidence
from autodc.evaluation.metrics import Metric
from autodc.evaluation.scores import PairedOutputs, compare, row_scores, score
from autodc.evaluation.slices import Slice, SliceTable
from autodc.gate.judge import judge, judge_last, too_good
from autodc.gate.limits import limited
from autodc.gate.noise import OBJECTIVE, Pools, weighted_rows
from autodc.gate.questions import PATIENT, TOGETHER_ALONE
from autodc.gate.reasons import NO_CHANGE, OVER_LIMIT
from autodc.gate.types import Leaks, Look
from autodc.large import distinct_values
from autodc.plan.plan import Plan
from autodc.study import beside
from autodc.study.beside import Arm, bounded
from autodc.study.journal import events as ev
from autodc.study.journal.records import ComparisonState, TrialState
from autodc.study.journal.state import State
from autodc.study.ports import ArtefactLost, ArtefactStore
from autodc.study.row_effects import RowEffects
from autodc.study.rules import costs, last
from autodc.study.rules.comparisons import declared, draws, is_novel, pooled
from autodc.study.rules.credit import PARTS
from autodc.study.rules.searched import Missed, missed, trainings
from autodc.study.rules.tolerated import tolerated
from autodc.study.slicing import Slices
from autodc.study.view import View
from autodc.studyfile.study import GateSpec, SliceSpec, StudySpec

Array = np.ndarray[Any, Any]
Arrays = Mapping[str, Array]

NO_ARMS: Mapping[str, Arm] = MappingProxyType({})

OpenTest = Callable[[Sequence[SliceSpec]], SliceTable]
"""Reads the sealed targets and cuts the test set into the slices of the study file and these further ones."""

LookForLeaks = Callable[[tuple[str, ...], Mapping[str, Array]], Leaks]
"""Training datasets and part → positions of held-out rows, to what of the rows is found in the datasets."""


@final
class EvidenceAssessor:
    """Reads stored outcomes and judges them.

    slices: those of validation; open_test: reads the sealed targets and cuts the test set, called once it is opened;
    leaks: looks for answers to validation rows in training datasets, where a gain looks too good.
    """

    def __init__(
        self,
        slices: Slices,
        metric: Metric,
        store: ArtefactStore,
        open_test: OpenTest | None,
        leaks: LookForLeaks | None = None,
    ) -> None:
        self._slices, self._metric, self._store = slices, metric, store
        self._open_test, self._leaks = open_test, leaks
        self._effects = RowEffects(slices, metric, store)
        self._missed: tuple[Any, Missed] = (None, Missed())

    def look(self, view: View, comparison: ComparisonState, pair_seeds: tuple[int, ...], last: bool = False) -> Look:
        """Judge it on the gate rows, or on all. A training that failed leaves a lost pair, and that never passes.

        last: no trainings are left for another look.
        """
        table = self._slices.table if comparison.all_rows else self._slices.gate
        look = self._look_on(table, view, comparison, pair_seeds, last)
        if comparison.pairs is None:
            return look
        told = tuple(code for code in look.reasons if code in (NO_CHANGE, OVER_LIMIT))
        return replace(look, verdict=None, reasons=told)

    @property
    def explore_share(self) -> float | None:
        """Explore rows as a share of those that targets have; None where search and gate see the same rows."""
        if not self._slices.is_cut:
            return None
        parts = [
            sum(len(s.rows) for s in t.slices if s.role == "target") for t in (self._slices.explore, self._slices.table)
        ]
        return parts[0] / parts[1] if 0 < parts[0] < parts[1] else None

    def row_spreads(self, view: View, names: Sequence[str]) -> Mapping[str, float]:
        """Dataset → how far another draw of explore rows would move its effect on the objective."""
        return self._effects.spreads(view, names)

    def stand_ins(self, view: View, members: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
        """Those of the others that help the same rows as the members do."""
        return self._effects.stand_ins(view, members, others)

    def _look_on(
        self,
        table: SliceTable,
        view: View,
        comparison: ComparisonState,
        pair_seeds: tuple[int, ...],
        last: bool,
    ) -> Look:
        """Judge a comparison on the rows of a table, on the pairs of these seeds; last: as of `look`."""
        state, spec, meant = view.state, view.spec, declared(view.state, comparison)
        own = not meant.isdisjoint(state.of_findings)
        anchored = comparison.purpose != "removal" and comparison.incumbent != state.start
        paired = PairedOutputs(
            challenger=[self._trained(state, comparison.challenger, seed) for seed in pair_seeds],
            incumbent=[self._trained(state, comparison.incumbent, seed) for seed in pair_seeds],
            start=self._calibration(state) if anchored else (),
            declared=meant,
        )
        evidence = compare(table, self._metric, paired, _soft(spec))
        pools, newer = self._pools(view, table), state.question.rules >= 1
        judged = partial(
            judge,
            evidence,
            self._with_search(view, comparison, pools) if newer else pools,
            alpha=comparison.alpha,
            fresh=draws(comparison.challenger) or draws(comparison.incumbent),
            novel=newer and is_novel(state, comparison),
            leaks=self._leaks_in(spec.gate, comparison, evidence, table),
            whole=bool(state.proposals),
            objective_alone=comparison.purpose in TOGETHER_ALONE,
            patient=comparison.purpose in PATIENT,
            tolerated=tolerated(view) if own else 0.0,
        )
        look = judge_last(judged, spec.gate, last)
        last = last or look.pairs >= spec.gate.looks[-1] or comparison.pairs is not None
        alone = comparison.purpose in ("removal", "addition")
        seen = costs.of_comparison(state, comparison, pair_seeds)
        return limited(look, spec.metrics.most, seen, alone=alone, last=last)

    def _leaks_in(
        self, gate: GateSpec, comparison: ComparisonState, evidence: Evidence, table: SliceTable
    ) -> Leaks | None:
        """Look for answers to the rows that got better in the datasets that are new; None where nothing is suspicious.

        Where none is new (other settings, other weights), all datasets of the challenger are looked at.
        """
        seen = {one.name: evidence[one.name] for one in table.slices}
        counted = {name: e for name, e in seen.items() if e.is_evidence(gate.min_rows)}
        if not counted or not too_good(counted):
            return None
        better: dict[str, list[Array]] = {}
        for name, one in counted.items():
            rows = table[name].rows[(np.atleast_2d(one.differences) > 0).any(axis=0)]
            better.setdefault(table[name].part, []).append(rows)
        new = tuple(n for n in comparison.challenger.mixture.added if n not in comparison.incumbent.mixture)
        names = new or tuple(name for name, _ in comparison.challenger.mixture)
        trust = set(gate.trust)
        if self._leaks is None:
            return Leaks(datasets=names, looked=(), trusted=True) if set(names) <= trust else None
        found = self._leaks(names, {part: distinct_values(np.concatenate(rows)) for part, rows in better.items()})
        return replace(found, trusted={leak.dataset for leak in found.found} <= trust)

    def measure(self, view: View) -> ev.Event:
        """Open the test set; once that is journalled, compare start and incumbent on it with their fresh seeds."""
        state = view.state
        if not state.unmeasured:
            now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
            return ev.TestSetOpened(opened_at=now, forced=bool(state.opened))
        assert self._open_test is not None
        table = self._open_test([SliceSpec.model_validate(one.rule) for one in state.admitted])
        table = table.of_findings(state.of_findings)
        numbers = last.pairs(view)
        before = [self._final(view, a, table) for a, _ in numbers]
        after = [self._final(view, b, table) for _, b in numbers]
        pools, fresh = self._pools(view, self._slices.gate), draws(view.start) or draws(view.incumbent)
        differences = {}
        for one in table.measured:
            rows, start = self._scored(table, one, after), self._scored(table, one, before)
            vouched = not fresh and pools.speaks(one.name, float(np.mean(np.square(rows - start))))
            found = bounded(rows - start, one.clusters, pools.of(one.name), vouched=vouched)
            differences[one.name] = {**found, "rows": len(one.rows), "pairs": len(numbers)}
        return ev.TestSetMeasured(
            before=self._natural(table, before),
            after=self._natural(table, after),
            differences=differences,
            baselines=self._beside(view, table, lambda number: self._final(view, number, table)),
        )

    def beside(self, view: View) -> dict[str, Any] | None:
        """The arms of the last measurement on the gate rows of validation."""

        def read(number: int) -> Arrays:
            return self._arrays(view.state, number) or {}

        fixed = dict[str, Arrays]()
        for name, outcome in view.state.simple.items():
            with suppress(ArtefactLost):  # it is told without
                fixed |= {name: self._store.get(outcome.arrays)} if outcome.arrays else {}
        return self._beside(view, self._slices.gate, read, beside.simple(view, fixed, read, draws(view.incumbent)))

    def _beside(
        self, view: View, table: SliceTable, read: Callable[[int], Arrays], simple: Mapping[str, Arm] = NO_ARMS
    ) -> dict[str, Any] | None:
        """The same on the rows of a table. read: what a training scored on them; None where nothing is beside it."""
        if view.state.baselines is None or len(self._calibration(view.state)) < 2:
            return None
        pools = Pools() if _soft(view.spec) else self._pools(view, self._slices.gate)
        targets = table.objective(view.spec.gate.min_rows)
        return beside.told(table, self._metric, targets, {**simple, **beside.arms(view, read, draws)}, pools)

    def contrast(
        self, view: View, better: Plan, worse: Plan, seeds: Sequence[int], on: str = ""
    ) -> Mapping[str, float]:
        """By how much one plan is above another on the gate rows, of pairs that are trained.

        on: the slice on which; left out: the objective.
        """
        table, name = self._slices.gate, on or OBJECTIVE
        among = [table[on]] if on else table.objective(view.spec.gate.min_rows)
        above, below = ([self._trained(view.state, plan, seed) or {} for seed in seeds] for plan in (better, worse))
        rows, clusters = weighted_rows(
            [
                (self._scored(table, one, above) - self._scored(table, one, below), one.clusters, one.weight)
                for one in among
            ]
        )
        pools = Pools() if _soft(view.spec) and len(seeds) > 1 else self._pools(view, table)
        vouched = not (draws(better) or draws(worse)) and pools.speaks(name, float(np.mean(np.square(rows))))
        return bounded(rows, clusters, pools.of(name), vouched=vouched)

    def credit(self, view: View, tables: Sequence[tuple[int, int, int, int]]) -> dict[str, Any] | None:
        """Split the gain by the contrasts of `study.credit`, on validation. tables: the four trainings of each seed.

        None where one seed alone speaks and the pool has the soft score's noise instead of the metric's.
        """
        soft = _soft(view.spec)
        if soft and len(tables) < 2:
            return None
        pools = Pools() if soft else self._pools(view, self._slices.gate)
        targets = self._slices.gate.objective(view.spec.gate.min_rows)
        arrays = {number: self._arrays(view.state, number) or {} for table in tables for number in table}
        scores = {one.name: self._scores(arrays, one, tables) for one in targets}
        parts: dict[str, Any] = {}
        for name, contrast in PARTS.items():
            moved = {n: np.tensordot(contrast, s, axes=1) for n, s in scores.items()}
            spread = float(np.sqrt(np.sum(np.square(contrast)) / 2))
            rows, clusters = weighted_rows([(moved[s.name], s.clusters, s.weight) for s in targets])
            parts[name] = bounded(rows, clusters, pools.of(OBJECTIVE), spread) | {
                "slices": {s.name: bounded(moved[s.name], s.clusters, pools.of(s.name), spread) for s in targets}
            }
        return {"how": "trained", "seeds": len(tables), **parts}

    def _scores(self, arrays: Mapping[int, Arrays], one: Slice, tables: Sequence[tuple[int, int, int, int]]) -> Array:
        """Row scores of a slice, shape (4 arms, seeds, rows)."""
        arms = ([arrays[table[arm]] for table in tables] for arm in range(4))
        return np.array([self._scored(self._slices.gate, one, runs) for runs in arms])

    def _scored(self, table: SliceTable, one: Slice, runs: Sequence[Arrays]) -> Array:
        """Row scores of a slice by trainings, shape (runs, rows)."""
        return np.array([row_scores(table, self._metric, one, arrays, soft=False) for arrays in runs])

    def _trained(self, state: State, plan: Plan, seed: int) -> Arrays | None:
        return self._arrays(state, state.trained[plan, seed])

    def _arrays(self, state: State, number: int) -> Arrays | None:
        outcome = state.trials[number].outcome
        return None if outcome is None or not outcome.arrays else self._store.get(outcome.arrays)

    def _calibration(self, state: State) -> list[Arrays]:
        numbers = [one.trial.number for one in state.trials if one.trial.phase == "calibration"]
        return [a for a in (self._arrays(state, n) for n in numbers) if a is not None]

    def _pools(self, view: View, table: SliceTable) -> Pools:
        """The study's pool of noise on the rows of a table.

        It is of calibration, then of every finished comparison with two pairs or more.
        """
        state, spec = view.state, view.spec
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
                    [row_scores(table, self._metric, one, a, _soft(spec) and one.role == "target") for a in runs]
                )
                for one in table.slices
            },
            {one.name: one.clusters for one in table.slices},
            {one.name: one.weight for one in table.objective(spec.gate.min_rows)},
        )
        for comparison in pooled(state):
            pools = pools.updated(comparison.typed_looks[-1])
        return pools

    def _with_search(self, view: View, comparison: ComparisonState, pools: Pools) -> Pools:
        """The pools, and what the search's trainings show beside them on the rows that the search sees."""
        table, targets = self._slices.explore, self._slices.gate.objective(view.spec.gate.min_rows)
        total = sum(one.weight for one in targets)
        of_rows = {s.name: max(0.0, pools.of(s.name).residual) / (2 * max(1, s.groups)) for s in table.slices}
        of_rows[OBJECTIVE] = sum((one.weight / total) ** 2 * of_rows[one.name] for one in targets)
        ended = trainings(view, comparison.round)
        known = tuple(one.trial.number for one in ended), tuple(one.name for one in table.slices)
        if known != self._missed[0]:
            self._missed = known, missed(ended, partial(_on, table, targets, _soft(view.spec)), OBJECTIVE)
        return replace(pools, searched=self._missed[1].of(comparison, of_rows))

    def _final(self, view: View, number: int, table: SliceTable) -> Arrays:
        """What a final training scores on the opened test set."""
        arrays = self._arrays(view.state, number)
        assert arrays is not None
        outputs = {part: arrays[f"{part}.outputs"] for part in table.parts}
        return score(table, self._metric, view.spec.task.kind, outputs).arrays

    def _natural(self, table: SliceTable, runs: Sequence[Arrays]) -> dict[str, float]:
        """Mean metric of each slice over these runs, as the user knows it."""
        values = {}
        for one in table.measured:
            each = [row_scores(table, self._metric, one, a, soft=False).mean() for a in runs]
            values[one.name] = self._metric.natural(float(np.mean(each)))
        return values


def _on(table: SliceTable, targets: Sequence[Slice], soft: bool, one: TrialState) -> Mapping[str, float]:
    """What the search saw of a training: slice, and the objective → value; nothing where a target is missing."""
    assert one.outcome is not None
    hard, gentle = one.outcome.searched, one.outcome.searched_soft
    seen = {s.name: (gentle if soft and s.role == "target" else hard).get(s.name) for s in table.slices}
    known = {name: value for name, value in seen.items() if value is not None}
    if not known.keys() >= {t.name for t in targets}:
        return {}
    return known | {OBJECTIVE: sum(t.weight * known[t.name] for t in targets) / sum(t.weight for t in targets)}


def _soft(spec: StudySpec) -> bool:
    return spec.gate.score == "soft"
