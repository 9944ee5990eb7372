"""From what a training gave to its outcome: scores of every slice, what comparisons need of each row, or why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from autodc.evaluation.metrics import Metric
from autodc.evaluation.own_metric import MetricError
from autodc.evaluation.probing import probed_changes, probed_rows
from autodc.evaluation.scores import Keep, Scores, kept_outputs, score
from autodc.evaluation.slices import TEST, SliceTable
from autodc.plan.trial import Forks, Outcome
from autodc.study.ports import ArtefactStore
from autodc.study.slicing import Slices
from autodc.studyfile.study import StudySpec
from autodc.trial.executor import Completion
from autodc.values import is_json, kept

Array = np.ndarray[Any, Any]

LARGEST_SCORE = 1e100
"""Scores above are of trainings that ran away; their squares would be infinite."""


@final
@dataclass(frozen=True, slots=True)
class Scorer:
    """Scores trainings on the validation slices of a study."""

    spec: StudySpec
    slices: Slices
    metric: Metric
    store: ArtefactStore

    def outcome(self, completion: Completion, soft: bool, shown: bool = False) -> Outcome:
        """Score on every validation row, and store what comparisons need.

        soft: the soft score of every row too; shown: the predictions as well, by themselves.

        A completion that is not `done`, or has outputs that cannot be scored, is a failed trial.
        """
        seconds = _times(completion)
        scores, error = None, completion.error or completion.status
        if completion.status == "done":
            scores, error = self._scored(completion.outputs, soft)
        if scores is None:
            return Outcome(status="failed", error=error, train_seconds=completion.train_seconds, **seconds)
        arrays = dict(scores.arrays)
        if TEST in completion.outputs:
            arrays[f"{TEST}.outputs"] = kept(completion.outputs[TEST])
        return Outcome(
            status="done",
            slices=scores.slices,
            soft=scores.soft,
            explore=scores.explore,
            explore_soft=scores.explore_soft,
            arrays=self.store.put(arrays),
            outputs=self.store.put(kept_outputs(completion.outputs, self.slices.table.parts)) if shown else "",
            train_seconds=completion.train_seconds,
            predict_ms=completion.predict_ms,
            model_mb=completion.model_mb,
            **seconds,
        )

    def probe(self, completion: Completion, forks: Forks) -> Outcome:
        """What every fork of a training changes on the rows the search sees; its plan is not scored."""
        outputs, count = completion.outputs, 1 + len(forks.datasets)
        error = "" if completion.status == "done" else completion.error or completion.status
        if not error:
            uneven = any(len(outputs.get(part, ())) != count for part in self.slices.table.parts)
            error = f"not {count} forks, the control among them" if uneven else ""
        for number in range(0 if error else count):
            error = error or _misfit(self.slices.table, {part: rows[number] for part, rows in outputs.items()})
        seconds = _times(completion)
        if error:
            return Outcome(status="failed", error=error, train_seconds=completion.train_seconds, **seconds)
        rows = probed_rows(self.slices.explore, self.spec.task.kind, outputs)
        return Outcome(
            status="done",
            forks=probed_changes(self.slices.explore, rows, forks.datasets),
            forked=self.store.put({f"{part}.forks": values for part, values in rows.items()}),
            train_seconds=completion.train_seconds,
            **seconds,
        )

    def _scored(self, outputs: Mapping[str, Array], soft: bool) -> tuple[Scores | None, str]:
        """Scores, or why there are none: a user's own metric may raise, or give what is no number."""
        if problem := _misfit(self.slices.table, outputs):
            return None, problem
        metric, keep, slices = self.metric, Keep.of(self.spec), self.slices
        keep = replace(keep, soft=soft or keep.soft)
        explore = slices.explore if slices.is_cut else None
        try:
            scores = score(slices.table, metric, self.spec.task.kind, outputs, keep, gate=slices.gate, explore=explore)
        except MetricError as error:
            return None, str(error)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            return None, f"metric {metric.name} raises {type(error).__name__}: {error}"
        problem = _no_number(self.slices.table, metric, scores)
        return (None, problem) if problem else (scores, "")


def _times(completion: Completion) -> dict[str, Any]:
    return {
        "started": completion.started,
        "ended": completion.ended,
        "seconds": completion.seconds,
        "attempts": completion.attempt + 1,
    }


def _no_number(table: SliceTable, metric: Metric, scores: Scores) -> str:
    """Which slice and row a metric gives no number for that can be compared; empty where all is well."""
    for one in table.slices:
        rows = scores.arrays.get(f"{one.part}.score")
        bad = [] if rows is None else one.rows[~_comparable(rows[one.rows])].tolist()
        if rows is not None and bad:
            count = f"{len(bad)} rows, the first of them row" if len(bad) > 1 else "row"
            what = _whats_wrong(rows[bad[0]])
            return f"metric {metric.name} is {what} for {count} {bad[0]} of {one.part} (slice {one.name})"
        values = [side[one.name] for side in (scores.slices, scores.explore) if one.name in side]
        if bad := [value for value in values if not _comparable(value)]:
            return f"metric {metric.name} is {_whats_wrong(bad[0])} on slice {one.name}"
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
        if not is_json(outputs[part]) and not np.isfinite(outputs[part]).all():
            return f"predictions for {part} are not finite"
    return ""
