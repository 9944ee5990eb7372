"""A study written whole into a store that may have none of it, some or all: what is there is compared, not trusted.

It keeps nothing of its own: no cursor, no file. What is to be there follows from the journal, what is there is asked of
the store; only the difference is sent. So it may be cut short and begun again, and a second time changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, final

from autodc.adapters.mlflow.changes import STUDY, RunChange, merged
from autodc.adapters.mlflow.projection import Projection
from autodc.adapters.mlflow.runs import KEY_TAG, Runs
from autodc.study.journal import events as ev

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_Answer = TypeVar("_Answer")
_PAGE = 1000
_BACKOFF = (0.5, 15.0)  # seconds, first and longest
_STOPPED = "interrupted"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What was done."""

    experiment_id: str
    run_id: str
    runs: int
    """Of the study, its own among them."""
    made: int
    changed: int
    """made, changed: runs that were not there, or not as they are now."""
    refused: str = ""
    """What MLflow refused for its content, in a sentence."""


def wanted_of(events: Iterable[ev.Event], running: bool = False) -> tuple[list[RunChange], Projection]:
    """What is to be true of every run of a study, the study's own first and its note last.

    running: a process is at work on it; else a study that has not finished is one that was interrupted.
    """
    projection = Projection()
    found = merged([change for event in events for change in projection.feed(event)])
    if found and not projection.finished and not running:
        found[0] = found[0].then(RunChange(key=STUDY, status="KILLED", tags={"autodc.status": _STOPPED}))
    return [*found, *projection.note()], projection


@final
class Replay:
    """Makes a store what it is wanted to be. `patience`: seconds a store may be away before what it says is raised."""

    def __init__(
        self,
        client: MlflowClient,
        identity: str,
        patience: float,
        progress: Callable[[int, int], None] = lambda done, of: None,
    ) -> None:
        """identity: of the journal; progress: told how many runs of how many are as they should be."""
        self._client, self._identity, self._patience = client, identity, patience
        self._progress = progress
        self._runs = Runs(client, identity)

    def write(self, wanted: list[RunChange], experiment: str, uri: str) -> Replayed:
        """Write what is missing. Raises what MLflow raises for longer than `patience`; the same call goes on."""
        experiment_id = self.patiently(lambda: self._runs.experiment(experiment, uri))
        there, generation = _newest(self.patiently(lambda: self._found(experiment_id)))
        study = there.get(STUDY)
        self._runs.resume(experiment_id, generation, study.info.run_id if study else None)
        self._runs.know({key: run.info.run_id for key, run in there.items()})
        for change in wanted:
            if change.experiment:
                self.patiently(partial(self._runs.tell_experiment, change))
        done: dict[str, set[str]] = {"made": set(), "changed": set(), "same": set()}
        for number, change in enumerate(wanted, 1):
            done[self._settle(change, there.get(change.of))].add(change.of)
            self._progress(number, len(wanted))
        return Replayed(
            experiment_id=experiment_id,
            run_id=self._runs.linked(f"⟦{STUDY}⟧"),
            runs=len({change.of for change in wanted}),
            made=len(done["made"]),
            changed=len(done["changed"] - done["made"]),
            refused=self._runs.refused,
        )

    def patiently(self, call: Callable[[], _Answer]) -> _Answer:
        """Call until it succeeds, and raise what it raises once that has gone on for too long."""
        begun, pause = time.monotonic(), _BACKOFF[0]
        while True:
            try:
                return call()
            # MLflow lets through whatever its store, driver or server raises; all of it may mean "not now"
            except Exception:
                if time.monotonic() - begun + pause > self._patience:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, _BACKOFF[1])

    def _settle(self, change: RunChange, run: Run | None) -> str:
        """Make one change true. The answer is `made`, `changed` or `same`."""
        if run is None:
            found = self.patiently(lambda: self._runs.find_or_create(change, looking=False))
            if found is None:
                return "same"
            self._send(change)
            return "made" if change.create else "same" if _is_empty(change) else "changed"
        missing = self._missing(change, run)
        if _is_empty(missing):
            return "same"
        self._send(missing)
        return "changed"

    def _send(self, change: RunChange) -> None:
        runs = self._runs
        for call in (runs.log_texts, runs.log, runs.log_datasets, runs.set_status, runs.rename):
            self.patiently(partial(call, change))

    def _missing(self, change: RunChange, run: Run) -> RunChange:
        """What of a change is not true of the run as it was found."""
        data, info = run.data, run.info
        parameters = {n: v for n, v in change.parameters.items() if data.params.get(n) is None}
        tags = {n: v for n, v in change.tags.items() if data.tags.get(n) != self._runs.linked(v)}
        metrics = {n: one for n, one in change.metrics.items() if not _same(data.metrics.get(n), one[0])}
        inputs = {(one.dataset.name, one.dataset.digest) for one in run.inputs.dataset_inputs}
        cut = (*parameters, *tags)
        return replace(
            change,
            name=change.name if change.name != info.run_name else "",
            status=change.status if change.status and change.status != info.status else "",
            parameters=parameters,
            tags=tags,
            metrics=metrics,
            history=self._missing_steps(change, run),
            datasets=tuple(one for one in change.datasets if (one.name, one.digest) not in inputs),
            texts={path: text for path, text in change.texts.items() if any(_named(n) in path for n in cut)},
        )

    def _missing_steps(self, change: RunChange, run: Run) -> dict[tuple[str, int], tuple[float, int]]:
        missing: dict[tuple[str, int], tuple[float, int]] = {}
        for name in dict.fromkeys(name for name, _ in change.history):
            there: dict[int, float] = {}
            if name in run.data.metrics:
                history = self.patiently(partial(self._client.get_metric_history, run.info.run_id, name))
                there = {point.step: point.value for point in sorted(history, key=lambda point: point.timestamp)}
            steps = {key: one for key, one in change.history.items() if key[0] == name}
            missing |= {key: one for key, one in steps.items() if not _same(there.get(key[1]), one[0])}
        return missing

    def _found(self, experiment_id: str) -> list[Any]:
        """Every run of this journal that nobody deleted."""
        found, token = list[Any](), None
        while True:
            query = f"tags.`{KEY_TAG}` LIKE '{self._identity}%'"
            page = self._client.search_runs([experiment_id], query, max_results=_PAGE, page_token=token)
            found += page
            token = page.token
            if not token:
                return found


def _newest(runs: Iterable[Run]) -> tuple[dict[str, Run], int]:
    """The runs by their keys, and their generation: how often somebody deleted the study's own."""
    by_generation: dict[int, dict[str, Run]] = {}
    for run in runs:
        told, _, key = run.data.tags[KEY_TAG].partition("/")
        generation = told.rpartition(".")[2]
        by_generation.setdefault(int(generation) if "." in told else 0, {})[key] = run
    whole = [number for number, found in by_generation.items() if STUDY in found]
    if whole:
        return by_generation[max(whole)], max(whole)
    return {}, max(by_generation, default=-1) + 1


def _is_empty(change: RunChange) -> bool:
    parts: tuple[Mapping[Any, Any] | tuple[Any, ...], ...] = (
        *(change.parameters, change.metrics, change.history, change.tags, change.datasets),
    )
    return not any(parts) and not change.status and not change.name


def _same(there: float | None, wanted: float) -> bool:
    return there is not None and abs(there - wanted) <= 1e-12 * max(1.0, abs(wanted))


def _named(name: str) -> str:
    return f"/{name.replace('/', '_')}.txt"
