"""What MLflow is told: events of the journal as runs and changes of runs. Pure; MLflow itself is not needed here."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, final

from autodc.adapters.mlflow import ending
from autodc.adapters.mlflow.changes import (
    STUDY,
    RunChange,
    fitted,
    metrics_at,
    milliseconds,
    short_name,
    stepped,
)
from autodc.adapters.mlflow.findings import Findings
from autodc.adapters.mlflow.note import Note
from autodc.adapters.mlflow.question import Question
from autodc.adapters.mlflow.roles import Roles, Shown, identity
from autodc.adapters.mlflow.run_names import OBVIOUS, Initials, trial_name
from autodc.adapters.mlflow.study_tags import StudyTags
from autodc.adapters.mlflow.trial import VALIDATION, description, objective_of, parameters_of, trial_tags, values_of
from autodc.adapters.mlflow.views import TAG, experiment_tags
from autodc.plan.mixture import BASE
from autodc.review.reasons import sentence
from autodc.study.journal import events as ev

_NEWS = (
    *(ev.StudyStarted, ev.StudyExtended, ev.SessionStarted, ev.PhaseStarted, ev.VerdictReached, ev.IncumbentMoved),
    *(ev.DiagnosisMade, ev.FindingMade, ev.RequestMade, ev.GainCredited, ev.TestSetMeasured, ev.StudyFinished),
)
"""Events after which the note says something else."""
_ENDED = {"done": "FINISHED", "cancelled": "KILLED"}


@final
class Projection:
    """Folds events into changes. Feed it every event from the first one on; what was sent before is thrown away."""

    def __init__(self) -> None:
        self.question = Question()
        """What is studied."""
        self._planned: dict[int, ev.TrialPlanned] = {}
        self._trials_of_plan: dict[str, list[int]] = {}
        self._plan_of: dict[int, str] = {}
        self._seeds: dict[int, tuple[int, ...]] = {}
        self._slices: dict[int, Mapping[str, float]] = {}
        self._roles, self._shown = Roles(), Shown()
        self._challengers: set[int] = set()
        self._initials, self._note = Initials(), Note()
        self._findings, self._study_tags = Findings(), StudyTags()
        self._sessions = self._opened = 0
        self._spent = 0.0
        self._told, self._moves = True, False
        self.finished = False

    def feed(self, event: ev.Event) -> list[RunChange]:
        """The changes this event makes; none for events MLflow need not know."""
        return [fitted(change) for change in self._fed(event)]

    def note(self) -> list[RunChange]:
        """What the study's run says of itself, where that is another than at the last call.

        Send it after all that was fed: it links to runs.
        """
        if self._told:
            return []
        self._told = True
        note = self._note
        note.findings, note.requests = self._findings.told(), self._study_tags.requests
        note.legend = self._initials.legend([BASE, *self.question.candidates])
        note.shown = {what: _key(number) for what, number in self._shown.runs.items()}
        return [fitted(note.change())]

    def _fed(self, event: ev.Event) -> list[RunChange]:
        self._told = self._told and not isinstance(event, _NEWS)
        self.question.feed(event)
        match event:
            case ev.StudyStarted():
                return [self._study(event)]
            case ev.StudyExtended():
                return self._extended(event)
            case ev.DatasetAdmitted():
                self._initials.learn([event.name])
                return [RunChange(key=STUDY, datasets=(self.question.dataset(event.name, "candidate", {}),))]
            case ev.SessionStarted():
                return self._session()
            case ev.PhaseStarted():
                return self._phase(event)
            case ev.TrialPlanned():
                self._plan(event)
            case ev.TrialFinished():
                return self._trial(event)
            case ev.ComparisonOpened():
                self._roles.comparisons[event.id] = event
                self._spent += event.share or 0.0
                step = stepped(milliseconds(event.time), len(self._roles.comparisons), {"ledger/spent": self._spent})
                return [RunChange(key=STUDY, history=step)]
            case ev.LookTaken():
                self._seeds[event.comparison] = tuple(event.seeds)
            case ev.VerdictReached():
                return self._verdict(event)
            case ev.IncumbentMoved():
                return self._moved(event)
            case ev.IncumbentPolished():
                self._roles.incumbent = identity(event.plan)
                return [RunChange(key=STUDY, tags={"autodc.incumbent": json.dumps(event.plan, sort_keys=True)})]
            case ev.DiagnosisMade():
                return [self._findings.diagnosed(event)]
            case ev.FindingMade():
                return [self._findings.found(event)]
            case ev.TestSetOpened():
                self._opened += 1
                return [RunChange(key=STUDY, tags={"autodc.test_set_opened": str(self._opened)})]
            case ev.BaselinesChosen():
                self._roles.choose(event)
            case ev.BaselineMeasured():
                return [ending.simple(event, self.question.sign, self.question.terms)]
            case ev.GainCredited():
                self._note.baselines = ending.baselines_line(event.baselines) if event.baselines else ""
                return ending.credited(event)
            case ev.TestSetMeasured():
                self._note.measured = (event.before, event.after, event.differences)
                if event.baselines:
                    self._note.baselines = ending.baselines_line(event.baselines)
                return [ending.measured(event)]
            case ev.StudyFinished():
                self.finished, self._note.finished = True, event.because
                tags = {"autodc.status": "finished", "autodc.stopped_because": event.because}
                return [RunChange(key=STUDY, status="FINISHED", end=milliseconds(event.time), tags=tags)]
        tag = self._study_tags.told(event)
        return [] if tag is None else [tag]

    def _study(self, event: ev.StudyStarted) -> RunChange:
        question = self.question
        self._roles.start = self._roles.incumbent = identity(event.start)
        self._note.study = event.name
        self._initials.learn(question.candidates)
        seed = str(event.spec.get("seed", 0))
        tags = {**question.facts, "autodc.status": "running", "autodc.kept": "", "autodc.seed": seed}
        on_offer = [name for name in question.candidates if name in event.datasets]
        known = [question.dataset(BASE, "training", {}), *(question.dataset(n, "candidate", {}) for n in on_offer)]
        return RunChange(
            key=STUDY,
            create=True,
            name=question.name,
            start=milliseconds(event.time),
            parameters=question.parameters,
            tags=tags,
            datasets=tuple(known),
            experiment=experiment_tags(question, milliseconds(event.time)),
        )

    def _extended(self, event: ev.StudyExtended) -> list[RunChange]:
        """The study goes on with a changed file: later trials may name datasets it did not have."""
        self._initials.learn(self.question.candidates)
        tags = {"autodc.fingerprint": event.fingerprint, "autodc.extended": ", ".join(event.changed)}
        return [RunChange(key=STUDY, tags=tags)]

    def _session(self) -> list[RunChange]:
        self._sessions += 1
        self.finished, self._note.finished = False, ""
        return [RunChange(key=STUDY, status="RUNNING", tags={"autodc.status": "running"})] if self._sessions > 1 else []

    def _plan(self, event: ev.TrialPlanned) -> None:
        number, plan = int(event.trial["number"]), identity(event.trial["plan"])
        self._planned[number], self._plan_of[number] = event, plan
        self._trials_of_plan.setdefault(plan, []).append(number)

    def _phase(self, event: ev.PhaseStarted) -> list[RunChange]:
        self._note.round, self._note.phase = event.round, event.phase
        tags = {"autodc.round": str(event.round), "autodc.phase": event.phase}
        found = [RunChange(key=STUDY, tags=tags)]
        if event.phase != "calibration" and not self._moves:
            found.append(self._values_of_incumbent(0, event.time, self._trials_of_plan.get(self._roles.incumbent, [])))
        self._moves = True
        return found

    def _trial(self, event: ev.TrialFinished) -> list[RunChange]:
        planned, outcome = self._planned[event.number], event.outcome
        trial, plan = planned.trial, planned.trial["plan"]
        phase, failed = str(trial["phase"]), outcome.get("status") != "done"
        ended = milliseconds(outcome.get("ended") or event.time)
        self._slices[event.number] = outcome.get("slices", {})
        values = values_of(outcome, self.question.terms, self.question.sign)
        role, what = self._roles.of(self._plan_of[event.number], phase, planned.round)
        tags = {
            **self.question.facts,
            **trial_tags(planned, outcome, values),
            "autodc.role": role,
            TAG: description(role, planned.round, trial, str(outcome.get("error", "")) if failed else ""),
            **({"autodc.baseline": what} if what in OBVIOUS.values() and not failed else {}),
            **({} if failed else self._shown.tags(what, event.number)),
        }
        fidelity = float(trial.get("fidelity", 1.0))
        change = RunChange(
            key=_key(event.number),
            create=True,
            name=trial_name(event.number, role, fidelity, self._initials.of(plan["mixture"])),
            start=milliseconds(outcome.get("started") or event.time),
            end=ended,
            status=_ENDED.get(str(outcome.get("status")), "FAILED"),
            parameters=parameters_of(trial, self.question.candidates),
            metrics=metrics_at(ended, values),
            tags={name: value for name, value in tags.items() if value},
            datasets=tuple(
                self.question.dataset(
                    name, "training", {"weight": f"{weight:g}", "stage": plan["stages"].get(name, "main")}
                )
                for name, weight in plan["mixture"].items()
            ),
        )
        return [change]

    def _verdict(self, event: ev.VerdictReached) -> list[RunChange]:
        told = ((code, sentence(code, event.beside)) for code in event.reasons)
        reasons = "; ".join(f"{code}: {words}" if words else code for code, words in told)
        verdict, why = short_name(f"verdict.{event.subject}"), short_name(f"reasons.{event.subject}")
        tags = {verdict: event.verdict, why: reasons}
        words = " ".join(sentence(code, event.beside) or code for code in event.reasons)
        self._note.verdicts[event.subject] = (event.round, event.verdict, words)
        changes = [RunChange(key=STUDY, tags=tags)]
        opened = self._roles.comparisons.get(event.comparison)
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
                changes.append(RunChange(key=_key(number), tags={**said, **about}))
        return changes

    def _trials(self, plan: Mapping[str, Any], seeds: tuple[int, ...]) -> list[int]:
        same = self._trials_of_plan.get(identity(plan), [])
        return [number for number in same if self._planned[number].trial["seed"] in seeds]

    def _moved(self, event: ev.IncumbentMoved) -> list[RunChange]:
        self._roles.incumbent = identity(event.plan)
        kept = [name for name in event.plan["mixture"] if name != BASE]
        self._note.kept, self._note.targets = kept, self.question.targets
        tags = {
            "autodc.kept": ", ".join(kept),
            "autodc.incumbent": json.dumps(event.plan, sort_keys=True),
        }
        step = stepped(milliseconds(event.time), event.round, {"kept": float(len(kept))})
        changes = [RunChange(key=STUDY, tags=tags, history=step)]
        numbers = self._trials(event.plan, self._seeds.get(event.comparison, ()))
        changes.append(self._values_of_incumbent(event.round, event.time, numbers))
        if numbers:
            changes += [RunChange(key=_key(n), tags=told) for n, told in self._shown.moved(numbers[0]).items()]
        return changes

    def _values_of_incumbent(self, step: int, time: float, numbers: list[int]) -> RunChange:
        """The incumbent of a round on gate rows, as the mean of its trainings: a line over the rounds."""
        seen = [slices for number in numbers if (slices := self._slices.get(number))]
        if not seen:
            return RunChange(key=STUDY)
        means = {name: sum(one.get(name, math.nan) for one in seen) / len(seen) for name in seen[0]}
        values: dict[str, float | None] = {
            f"{VALIDATION}{name}": self.question.sign * value for name, value in means.items()
        }
        mean = objective_of(means, self.question.terms)
        values["objective"] = None if mean is None else self.question.sign * mean
        return RunChange(key=STUDY, history=stepped(milliseconds(time), step, values))


def _key(number: int) -> str:
    return f"trial-{number}"
