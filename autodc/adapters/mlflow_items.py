"""What MLflow is told: events of the journal as runs and changes of runs. Pure; MLflow itself is not needed here."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, final

from autodc.gate.reasons import SENTENCES
from autodc.masking import masked
from autodc.plan.mixture import BASE
from autodc.study.journal import events as ev

STUDY = "study"
KEY_TAG = "autodc.key"

_ENDED = {"done": "FINISHED", "cancelled": "KILLED"}
_LONGEST_PARAMETER = 500
_LONGEST_TAG = 4000
_LONGEST_NAME = 240
_LONGEST_DIGEST = 36
_MOST_ZERO_WEIGHTS = 40  # candidates that are left out are named with weight 0 up to this many: charts need the zeros


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetInput:
    """A dataset as MLflow knows it. digest: at most 36 characters; tags: context, weight, stage."""

    name: str
    digest: str
    source_type: str
    source: str
    profile: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be true of the run `key`. create: the run is made if it is not there; it hangs below `study`
    unless it is that run. start, end, metrics' times: milliseconds of Unix time; status: as MLflow calls it."""

    key: str
    create: bool = False
    name: str = ""
    start: int = 0
    end: int | None = None
    status: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, tuple[float, int, int]] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    datasets: tuple[DatasetInput, ...] = ()

    def then(self, later: Change) -> Change:
        """This change and a later one of the same run as one."""
        return replace(
            self,
            create=self.create or later.create,
            name=later.name or self.name,
            start=self.start or later.start,
            end=later.end if later.status else self.end,
            status=later.status or self.status,
            parameters={**self.parameters, **later.parameters},
            metrics={**self.metrics, **later.metrics},
            tags={**self.tags, **later.tags},
            datasets=self.datasets + later.datasets,
        )


def merged(changes: list[Change]) -> list[Change]:
    """One change per run, in the order in which the runs first appear."""
    by_key: dict[str, Change] = {}
    for change in changes:
        by_key[change.key] = by_key[change.key].then(change) if change.key in by_key else change
    return list(by_key.values())


@final
class Projection:
    """Folds events into changes. Feed it every event from the first one on; what was sent before is thrown away."""

    def __init__(self) -> None:
        self._started: ev.StudyStarted | None = None
        self._planned: dict[int, ev.TrialPlanned] = {}
        self._trials_of_plan: dict[str, list[int]] = {}
        self._plan_of: dict[int, str] = {}
        self._tests: dict[int, ev.ComparisonOpened] = {}
        self._seeds: dict[int, tuple[int, ...]] = {}
        self._shown: dict[str, int] = {}
        self._challengers: set[int] = set()
        self._sessions = self._opened = 0
        self._spent = 0.0
        self.specification: Mapping[str, Any] = {}
        self.finished = False

    def feed(self, event: ev.Event) -> list[Change]:
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
                return [Change(key=STUDY, tags={"autodc.round": str(event.round), "autodc.phase": event.phase})]
            case ev.TrialPlanned():
                self._plan(event)
            case ev.TrialFinished():
                return self._trial(event)
            case ev.ComparisonOpened():
                self._tests[event.id] = event
                self._spent += event.share or 0.0
                spent = (self._spent, _ms(event.time), len(self._tests))
                return [Change(key=STUDY, metrics={"ledger.spent": spent})]
            case ev.LookTaken():
                self._seeds[event.comparison] = tuple(event.seeds)
            case ev.VerdictReached():
                return self._verdict(event)
            case ev.IncumbentMoved():
                return self._incumbent(event)
            case ev.TestSetOpened():
                self._opened += 1
                return [Change(key=STUDY, tags={"autodc.test_set_opened": str(self._opened)})]
            case ev.TestSetMeasured():
                return [_measured(event)]
            case ev.StudyFinished():
                self.finished = True
                tags = {"autodc.status": "finished", "autodc.stopped_because": event.because}
                return [Change(key=STUDY, status="FINISHED", end=_ms(event.time), tags=tags)]
        return []

    def _study(self, event: ev.StudyStarted) -> Change:
        self._started, self.specification = event, event.spec
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
        return Change(
            key=STUDY,
            create=True,
            name=event.name,
            start=_ms(event.time),
            parameters={name: str(value) for name, value in parameters.items() if value is not None},
            tags=_short_tags(tags),
            datasets=known,
        )

    def _extended(self, event: ev.StudyExtended) -> list[Change]:
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
        self.specification = event.spec
        tags = {"autodc.fingerprint": event.fingerprint, "autodc.extended": ", ".join(event.changed)}
        return [Change(key=STUDY, tags=_short_tags(tags))]

    def _session(self) -> list[Change]:
        self._sessions += 1
        self.finished = False
        return [Change(key=STUDY, status="RUNNING", tags={"autodc.status": "running"})] if self._sessions > 1 else []

    def _plan(self, event: ev.TrialPlanned) -> None:
        number, plan = int(event.trial["number"]), _identity(event.trial["plan"])
        self._planned[number], self._plan_of[number] = event, plan
        self._trials_of_plan.setdefault(plan, []).append(number)

    def _trial(self, event: ev.TrialFinished) -> list[Change]:
        planned, outcome = self._planned[event.number], event.outcome
        trial, plan = planned.trial, planned.trial["plan"]
        phase, failed = str(trial["phase"]), outcome.get("status") != "done"
        ended = _ms(outcome.get("ended") or event.time)
        values, odd = self._values(outcome)
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
        change = Change(
            key=_key(event.number),
            create=True,
            name=f"{event.number:04d} {phase}",
            start=_ms(outcome.get("started") or event.time),
            end=ended,
            status=_ENDED.get(str(outcome.get("status")), "FAILED"),
            parameters=self._parameters(trial),
            metrics={name: (value, ended, 0) for name, value in values.items()},
            tags=_short_tags({name: value for name, value in tags.items() if value}),
            datasets=tuple(
                self._dataset(name, "training", {"weight": f"{weight:g}", "stage": plan["stages"].get(name, "main")})
                for name, weight in plan["mixture"].items()
            ),
        )
        return [change]

    def _values(self, outcome: Mapping[str, Any]) -> tuple[dict[str, float], dict[str, float]]:
        slices: Mapping[str, float] = outcome.get("slices", {})
        values = {f"slice.{name}": value for name, value in slices.items()}
        values |= {f"soft.{name}": value for name, value in outcome.get("soft", {}).items()}
        if outcome.get("status") == "done":
            values |= {name: outcome[name] for name in ("train_seconds", "predict_ms", "model_mb") if name in outcome}
        targets = {
            name: float(terms.get("weight") or 1.0)
            for name, terms in (self._started.slices if self._started else {}).items()
            if terms.get("role") == "target" and terms.get("needed") is None
        }
        if targets and targets.keys() <= slices.keys():
            total = sum(weight * slices[name] for name, weight in targets.items())
            values["objective"] = total / sum(targets.values())
        numbers = {_safe(name): math.nan if value is None else float(value) for name, value in values.items()}
        finite = {name: value for name, value in numbers.items() if math.isfinite(value)}
        return finite, {name: value for name, value in numbers.items() if name not in finite}

    def _parameters(self, trial: Mapping[str, Any]) -> dict[str, str]:
        plan = trial["plan"]
        weights = dict(plan["mixture"])
        candidates = self._candidates()
        if len(candidates) <= _MOST_ZERO_WEIGHTS:
            weights = {**dict.fromkeys(candidates, 0), **weights}
        values: dict[str, Any] = {
            **plan["hyperparameters"],
            "recipe": plan["recipe"],
            "seed": trial["seed"],
            "fidelity": trial["fidelity"],
            **{f"weight.{name}": f"{weight:g}" for name, weight in weights.items()},
            **{f"stage.{name}": stage for name, stage in plan["stages"].items() if stage != "main"},
        }
        return {_safe(name): shortened(masked(str(value)), _LONGEST_PARAMETER) for name, value in values.items()}

    def _candidates(self) -> list[str]:
        given = _part(self._started.spec if self._started else {}, "data").get("candidates") or ()
        later = [name for name, card in (self._started.datasets if self._started else {}).items() if "by" in card]
        return [*dict.fromkeys([*(candidate["name"] for candidate in given), *later])]

    def _dataset(self, name: str, context: str, tags: Mapping[str, str]) -> DatasetInput:
        card = (self._started.datasets if self._started else {}).get(name, {})
        data = _part(self._started.spec if self._started else {}, "data")
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

    def _verdict(self, event: ev.VerdictReached) -> list[Change]:
        reasons = "; ".join(f"{code}: {SENTENCES[code]}" if code in SENTENCES else code for code in event.reasons)
        verdict, why = _safe(f"verdict.{event.subject}"), _safe(f"reasons.{event.subject}")
        tags = _short_tags({verdict: event.verdict, why: reasons})
        changes = [Change(key=STUDY, tags=tags)]
        opened = self._tests.get(event.comparison)
        if opened is None:
            return changes
        seeds = self._seeds.get(event.comparison, ())
        for arm, plan, said in (("challenger", opened.challenger, tags), ("incumbent", opened.incumbent, {})):
            for number in self._trials(plan, seeds):
                if arm == "challenger":
                    self._challengers.add(number)
                elif number in self._challengers:  # what it was judged as is worth more than what it was held against
                    continue
                about = {"autodc.test": str(event.comparison), "autodc.arm": arm, "autodc.subject": event.subject}
                changes.append(Change(key=_key(number), tags={**said, **_short_tags(about)}))
        return changes

    def _trials(self, plan: Mapping[str, Any], seeds: tuple[int, ...]) -> list[int]:
        same = self._trials_of_plan.get(_identity(plan), [])
        return [number for number in same if self._planned[number].trial["seed"] in seeds]

    def _incumbent(self, event: ev.IncumbentMoved) -> list[Change]:
        kept = [name for name in event.plan["mixture"] if name != BASE]
        tags = {
            "autodc.kept": ", ".join(kept),
            "autodc.incumbent": json.dumps(event.plan, sort_keys=True),
        }
        step = (float(len(kept)), _ms(event.time), event.round)
        changes = [Change(key=STUDY, tags=_short_tags(tags), metrics={"kept": step})]
        numbers = self._trials(event.plan, self._seeds.get(event.comparison, ()))
        if numbers:
            if (former := self._shown.get("incumbent")) is not None:
                changes.append(Change(key=_key(former), tags={"autodc.compare": "former incumbent"}))
            self._shown["incumbent"] = numbers[0]
            changes.append(Change(key=_key(numbers[0]), tags={"autodc.compare": "incumbent"}))
        return changes

    def _show(self, what: str, number: int) -> dict[str, str]:
        if self._shown.setdefault(what, number) != number:
            return {}
        return {"autodc.compare": what}


def shortened(text: str, longest: int) -> str:
    """Cut text that is too long for MLflow, and say in it how much was cut."""
    if len(text) <= longest:
        return text
    note = f" … [{len(text)} characters]"
    return text[: longest - len(note)] + note


def _measured(event: ev.TestSetMeasured) -> Change:
    values = {f"test.before.{name}": value for name, value in event.before.items()}
    values |= {f"test.after.{name}": value for name, value in event.after.items()}
    for name, difference in event.differences.items():
        values |= {
            f"test.{part}.{name}": difference[part] for part in ("difference", "low", "high") if part in difference
        }
    finite = {_safe(name): float(value) for name, value in values.items() if value is not None and math.isfinite(value)}
    return Change(key=STUDY, metrics={name: (value, _ms(event.time), 0) for name, value in finite.items()})


def _short_tags(tags: Mapping[str, str]) -> dict[str, str]:
    return {_safe(name): shortened(masked(value), _LONGEST_TAG) for name, value in tags.items()}


def _safe(name: str) -> str:
    return re.sub(r"[^\w\-. /]", "_", name)[:_LONGEST_NAME]


def _key(number: int) -> str:
    return f"trial-{number}"


def _identity(plan: Mapping[str, Any]) -> str:
    return json.dumps(plan, sort_keys=True)


def _part(spec: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = spec.get(name)
    return value if isinstance(value, Mapping) else {}


def _ms(time: float) -> int:
    return int(time * 1000)
