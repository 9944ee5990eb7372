"""What MLflow is told: events of the journal as runs and changes of runs. Pure; MLflow itself is not needed here."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, final

from autodc.adapters import mlflow_ending as ending
from autodc.adapters.mlflow_changes import (
    STUDY,
    DatasetInput,
    RunChange,
    metrics_at,
    milliseconds,
    short_name,
    short_tags,
)
from autodc.adapters.mlflow_findings import Findings
from autodc.adapters.mlflow_trial import parameters_of, values_of
from autodc.plan.mixture import BASE
from autodc.review.reasons import sentence
from autodc.study.journal import events as ev

_ENDED = {"done": "FINISHED", "cancelled": "KILLED"}
_LONGEST_DIGEST = 36


@final
class Projection:
    """Folds events into changes. Feed it every event from the first one on; what was sent before is thrown away."""

    def __init__(self) -> None:
        self._started: ev.StudyStarted | None = None
        self._planned: dict[int, ev.TrialPlanned] = {}
        self._trials_of_plan: dict[str, list[int]] = {}
        self._plan_of: dict[int, str] = {}
        self._comparisons: dict[int, ev.ComparisonOpened] = {}
        self._seeds: dict[int, tuple[int, ...]] = {}
        self._shown: dict[str, int] = {}
        self._challengers: set[int] = set()
        self._obvious: dict[str, str] = {}
        self._findings = Findings()
        self._sessions = self._opened = 0
        self._spent = 0.0
        self.finished = False

    @property
    def specification(self) -> Mapping[str, Any]:
        """The study file as it is now; empty before the study has started."""
        return self._started.spec if self._started else {}

    @property
    def _cards(self) -> Mapping[str, Mapping[str, Any]]:
        return self._started.datasets if self._started else {}

    def feed(self, event: ev.Event) -> list[RunChange]:
        """The changes this event makes; none for events MLflow need not know."""
        match event:
            case ev.StudyStarted():
                return [self._study(event)]
            case ev.StudyExtended():
                return self._extended(event)
            case ev.DatasetAdmitted() if self._started is not None:
                datasets = {**self._started.datasets, event.name: event.card}
                self._started = replace(self._started, datasets=datasets)
            case ev.SessionStarted():
                return self._session()
            case ev.PhaseStarted():
                return [RunChange(key=STUDY, tags={"autodc.round": str(event.round), "autodc.phase": event.phase})]
            case ev.TrialPlanned():
                self._plan(event)
            case ev.TrialFinished():
                return self._trial(event)
            case ev.ComparisonOpened():
                self._comparisons[event.id] = event
                self._spent += event.share or 0.0
                spent = (self._spent, milliseconds(event.time), len(self._comparisons))
                return [RunChange(key=STUDY, metrics={"ledger.spent": spent})]
            case ev.LookTaken():
                self._seeds[event.comparison] = tuple(event.seeds)
            case ev.VerdictReached():
                return self._verdict(event)
            case ev.IncumbentMoved():
                return self._incumbent(event)
            case ev.DiagnosisMade():
                return [self._findings.diagnosed(event)]
            case ev.FindingMade():
                return [self._findings.found(event)]
            case ev.TestSetOpened():
                self._opened += 1
                return [RunChange(key=STUDY, tags={"autodc.test_set_opened": str(self._opened)})]
            case ev.BaselinesChosen():
                self._obvious = {_identity(plan): name for name, plan in event.plans.items()}
            case ev.GainCredited():
                return ending.credited(event)
            case ev.TestSetMeasured():
                return [ending.measured(event)]
            case ev.StudyFinished():
                self.finished = True
                tags = {"autodc.status": "finished", "autodc.stopped_because": event.because}
                return [RunChange(key=STUDY, status="FINISHED", end=milliseconds(event.time), tags=tags)]
        return []

    def _study(self, event: ev.StudyStarted) -> RunChange:
        self._started = event
        tags = {
            "autodc.study": event.name,
            "autodc.fingerprint": event.fingerprint,
            "autodc.status": "running",
            "autodc.kept": "",
            "mlflow.source.name": "autodc",
        }
        search, task = _part(event.spec, "search"), _part(event.spec, "task")
        parameters = {
            "seed": event.spec.get("seed"),
            "trainer": task.get("trainer"),
            "metric": _part(event.spec, "metrics").get("primary"),
            "sampler": search.get("sampler"),
            "trials_per_round": search.get("trials_per_round"),
        }
        known = tuple(self._dataset(name, "validation", {}) for name in ("validation",) if name in event.datasets)
        return RunChange(
            key=STUDY,
            create=True,
            name=event.name,
            start=milliseconds(event.time),
            parameters={name: str(value) for name, value in parameters.items() if value is not None},
            tags=short_tags(tags),
            datasets=known,
        )

    def _extended(self, event: ev.StudyExtended) -> list[RunChange]:
        """The study goes on with a changed file: later trials may name datasets it did not have."""
        if self._started is None:
            return []
        self._started = replace(
            self._started,
            fingerprint=event.fingerprint,
            spec=event.spec,
            datasets={**self._started.datasets, **event.datasets},
            slices=event.slices,
            parts=event.parts,
        )
        tags = {"autodc.fingerprint": event.fingerprint, "autodc.extended": ", ".join(event.changed)}
        return [RunChange(key=STUDY, tags=short_tags(tags))]

    def _session(self) -> list[RunChange]:
        self._sessions += 1
        self.finished = False
        return [RunChange(key=STUDY, status="RUNNING", tags={"autodc.status": "running"})] if self._sessions > 1 else []

    def _plan(self, event: ev.TrialPlanned) -> None:
        number, plan = int(event.trial["number"]), _identity(event.trial["plan"])
        self._planned[number], self._plan_of[number] = event, plan
        self._trials_of_plan.setdefault(plan, []).append(number)

    def _trial(self, event: ev.TrialFinished) -> list[RunChange]:
        planned, outcome = self._planned[event.number], event.outcome
        trial, plan = planned.trial, planned.trial["plan"]
        phase, failed = str(trial["phase"]), outcome.get("status") != "done"
        ended = milliseconds(outcome.get("ended") or event.time)
        values = values_of(outcome, self._started.slices if self._started else {})
        odd = {name: value for name, value in values.items() if not math.isfinite(value)}
        tags = {
            "autodc.phase": phase,
            "autodc.round": str(planned.round),
            "autodc.trial": str(event.number),
            "autodc.status": str(outcome.get("status")),
            "autodc.origin": planned.origin,
            "autodc.attempts": str(outcome.get("attempts", 1)),
            **{f"autodc.not_finite.{name}": str(value) for name, value in odd.items()},
            **({"autodc.error": str(outcome.get("error", ""))} if failed else {}),
        }
        if self._started is not None and _identity(self._started.start) == self._plan_of[event.number]:
            tags |= self._show("start", event.number)
        if phase == "test" and (name := self._obvious.get(self._plan_of[event.number])) is not None:
            tags |= {"autodc.baseline": name, **self._show(name, event.number)}
        change = RunChange(
            key=_key(event.number),
            create=True,
            name=f"{event.number:04d} {phase}",
            start=milliseconds(outcome.get("started") or event.time),
            end=ended,
            status=_ENDED.get(str(outcome.get("status")), "FAILED"),
            parameters=parameters_of(trial, self._candidates()),
            metrics=metrics_at(ended, values),
            tags=short_tags({name: value for name, value in tags.items() if value}),
            datasets=tuple(
                self._dataset(name, "training", {"weight": f"{weight:g}", "stage": plan["stages"].get(name, "main")})
                for name, weight in plan["mixture"].items()
            ),
        )
        return [change]

    def _candidates(self) -> list[str]:
        given = _part(self.specification, "data").get("candidates") or ()
        later = [name for name, card in self._cards.items() if "by" in card]
        return [*dict.fromkeys([*(candidate["name"] for candidate in given), *later])]

    def _dataset(self, name: str, context: str, tags: Mapping[str, str]) -> DatasetInput:
        card = self._cards.get(name, {})
        data = _part(self.specification, "data")
        given = {c["name"]: c for c in data.get("candidates") or ()}
        source = (given.get(name) or data.get(name) or {}).get("source", "")
        return DatasetInput(
            name=name,
            digest=str(card.get("fingerprint") or "unknown")[:_LONGEST_DIGEST],
            source_type="given" if source else "generated",
            source=json.dumps({"source": source}),
            profile=json.dumps({"num_rows": card["rows"]}) if "rows" in card else "{}",
            tags={"mlflow.data.context": context, **tags},
        )

    def _verdict(self, event: ev.VerdictReached) -> list[RunChange]:
        told = ((code, sentence(code, event.beside)) for code in event.reasons)
        reasons = "; ".join(f"{code}: {words}" if words else code for code, words in told)
        verdict, why = short_name(f"verdict.{event.subject}"), short_name(f"reasons.{event.subject}")
        tags = short_tags({verdict: event.verdict, why: reasons})
        changes = [RunChange(key=STUDY, tags=tags)]
        opened = self._comparisons.get(event.comparison)
        if opened is None:
            return changes
        seeds = self._seeds.get(event.comparison, ())
        for arm, plan, said in (("challenger", opened.challenger, tags), ("incumbent", opened.incumbent, {})):
            for number in self._trials(plan, seeds):
                if arm == "challenger":
                    self._challengers.add(number)
                elif number in self._challengers:  # what it was judged as is worth more than what it was held against
                    continue
                about = {"autodc.comparison": str(event.comparison), "autodc.arm": arm, "autodc.subject": event.subject}
                changes.append(RunChange(key=_key(number), tags={**said, **short_tags(about)}))
        return changes

    def _trials(self, plan: Mapping[str, Any], seeds: tuple[int, ...]) -> list[int]:
        same = self._trials_of_plan.get(_identity(plan), [])
        return [number for number in same if self._planned[number].trial["seed"] in seeds]

    def _incumbent(self, event: ev.IncumbentMoved) -> list[RunChange]:
        kept = [name for name in event.plan["mixture"] if name != BASE]
        tags = {
            "autodc.kept": ", ".join(kept),
            "autodc.incumbent": json.dumps(event.plan, sort_keys=True),
        }
        step = (float(len(kept)), milliseconds(event.time), event.round)
        changes = [RunChange(key=STUDY, tags=short_tags(tags), metrics={"kept": step})]
        numbers = self._trials(event.plan, self._seeds.get(event.comparison, ()))
        if numbers:
            if (former := self._shown.get("incumbent")) is not None:
                changes.append(RunChange(key=_key(former), tags={"autodc.compare": "former incumbent"}))
            self._shown["incumbent"] = numbers[0]
            changes.append(RunChange(key=_key(numbers[0]), tags={"autodc.compare": "incumbent"}))
        return changes

    def _show(self, what: str, number: int) -> dict[str, str]:
        if self._shown.setdefault(what, number) != number:
            return {}
        return {"autodc.compare": what}


def _key(number: int) -> str:
    return f"trial-{number}"


def _identity(plan: Mapping[str, Any]) -> str:
    return json.dumps(plan, sort_keys=True)


def _part(spec: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = spec.get(name)
    return value if isinstance(value, Mapping) else {}
