from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from autodc.gate.types import Look, SliceLook
from autodc.plan.plan import Plan
from autodc.plan.trial import Outcome, Trial
from autodc.review.result import result
from autodc.study.journal import events as ev
from autodc.study.journal.fold import fold
from autodc.study.journal.state import State

SLICES = {
    "overall": {"role": "guard", "margin": 0.01, "weight": 1.0, "rows": 600},
    "dark": {"role": "target", "margin": None, "weight": 1.0, "rows": 90},
}


@dataclass
class Night:
    """Writes the events of a small study, one after the other."""

    candidates: tuple[str, ...] = ("fog", "noise")
    metric: str = "accuracy"
    kind: str = "classification"
    test: bool = True
    slices: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: SLICES)
    warnings: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    events: list[ev.Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.start = Plan.of({"base": 1.0}, {"lr": 0.01})
        data: dict[str, Any] = {"base": {"source": "base.npz"}, "validation": {"source": "validation.npz"}}
        data["candidates"] = [{"name": f"c{i}", "source": "c.npz"} for i in range(len(self.candidates))]
        if self.test:
            data["test"] = {"source": "test.npz"}
        spec = {
            "schema_version": 1,
            "name": "night",
            "task": {"kind": self.kind, "trainer": "sklearn"},
            "data": data,
            "metrics": {"primary": self.metric},
            "slices": [{"name": "overall", "role": "guard", "margin": 0.01}, {"name": "dark", "role": "target"}],
        }
        datasets = {n: {"rows": 200, "cost": 12.0, "tags": list(self.tags), "candidate": True} for n in self.candidates}
        self.add(
            ev.StudyStarted(
                fingerprint="e" * 64,
                name="night",
                spec=spec,
                datasets={"base": {"rows": 500}, **datasets},
                slices=self.slices,
                start=self.start.to_dict(),
                warnings=self.warnings,
            ),
            ev.SessionStarted(slots=2, machine={}, time=100.0),
            ev.PhaseStarted(round=1, phase="search"),
        )

    def add(self, *events: ev.Event) -> Night:
        self.events += events
        return self

    def train(
        self,
        scores: Mapping[str, float] | None,
        phase: str = "calibration",
        plan: Plan | None = None,
        predict_ms: float = 0.0,
    ) -> Night:
        """One training; scores: oriented, None: it failed."""
        number = sum(isinstance(e, ev.TrialPlanned) for e in self.events)
        trial = Trial(number=number, plan=plan or self.start, seed=number, phase=phase)  # type: ignore[arg-type]
        times = {"started": 100.0 + number, "ended": 101.0 + number}
        outcome = (
            Outcome(status="failed", error="RuntimeError: <b>out of memory</b>", **times)
            if scores is None
            else Outcome(status="done", slices=scores, arrays="a", predict_ms=predict_ms, **times)
        )
        return self.add(
            ev.TrialPlanned(trial=trial.to_dict(), round=1, horizon=0),
            ev.TrialFinished(number=number, outcome=outcome.to_dict(), time=101.0 + number),
        )

    def decide(
        self, name: str, verdict: str, difference: float, reasons: tuple[str, ...], purpose: str = "addition"
    ) -> Night:
        """A test of one dataset with one look, whose interval reaches 0.02 to both sides."""
        number = sum(isinstance(e, ev.ComparisonOpened) for e in self.events)
        new = Plan.of({"base": 1.0, name: 1.5}, {"lr": 0.03})
        self.add(
            ev.ComparisonOpened(
                id=number,
                round=1,
                horizon=0,
                subject=name,
                subject_kind="dataset",
                purpose=purpose,
                challenger=new.to_dict(),
                incumbent=self.start.to_dict(),
                members=(name,),
                alpha=0.025,
            ),
            ev.LookTaken(comparison=number, horizon=0, look=look(difference, verdict, reasons).to_dict(), seeds=(5, 6)),
            ev.VerdictReached(
                comparison=number,
                round=1,
                horizon=0,
                subject=name,
                subject_kind="dataset",
                verdict=verdict,
                reasons=reasons,
                trainings=4,
            ),
        )
        if verdict == "keep":
            self.add(ev.IncumbentMoved(round=1, horizon=0, plan=new.to_dict(), comparison=number, model=0))
        return self

    def together(
        self,
        members: tuple[str, ...],
        verdict: str,
        difference: float,
        reasons: tuple[str, ...],
        purpose: str = "block",
        beside: tuple[str, ...] = (),
    ) -> Night:
        """A comparison of several as one, looked at once; a keep makes them the incumbent's."""
        number = sum(isinstance(e, ev.ComparisonOpened) for e in self.events)
        new = Plan.of({"base": 1.0, **dict.fromkeys(members, 1.0)}, {"lr": 0.03})
        arms = (new, self.start) if purpose not in ("harm", "pruning") else (self.start, new)
        self.add(
            ev.ComparisonOpened(
                id=number,
                round=1,
                horizon=0,
                subject="+".join(members),
                subject_kind="block",
                purpose=purpose,
                challenger=arms[0].to_dict(),
                incumbent=arms[1].to_dict(),
                members=members,
                alpha=0.025,
                share=0.0,
                pairs=3,
            ),
            ev.LookTaken(comparison=number, horizon=0, look=look(difference, "keep", ()).to_dict(), seeds=(5, 6)),
            ev.VerdictReached(
                comparison=number,
                round=1,
                horizon=0,
                subject="+".join(members),
                subject_kind="block",
                verdict=verdict,
                reasons=reasons,
                trainings=4,
                beside=beside,
            ),
        )
        if verdict == "keep":
            self.add(ev.IncumbentMoved(round=1, horizon=0, plan=new.to_dict(), comparison=number, model=0))
        return self

    def beside(
        self, base: float, everything: float, end: float, ahead: tuple[float, float], reach: float = 0.01
    ) -> Night:
        """The obvious baselines of the last measurement on gate rows. ahead: the end minus everything, minus base."""
        plans = {"base_tuned": Plan.of({"base": 1.0}, {"lr": 0.02})}
        plans["everything_tuned"] = Plan.of({"base": 1.0, **dict.fromkeys(self.candidates, 1.0)}, {"lr": 0.02})
        arms: dict[str, Any] = {"incumbent": {"seeds": 2, "objective": end, "values": {"dark": end}, "slices": {}}}
        for name, value, difference in (("everything_tuned", everything, ahead[0]), ("base_tuned", base, ahead[1])):
            seen = {"difference": difference, "low": difference - reach, "high": difference + reach}
            slices = {"dark": {**seen, "rows": 90}}
            arms[name] = {"seeds": 2, "objective": value, "values": {"dark": value}, **seen, "slices": slices}
        return self.add(
            ev.BaselinesChosen(
                horizon=0, plans={n: p.to_dict() for n, p in plans.items()}, members=self.candidates, seeds=2
            ),
            ev.GainCredited(horizon=0, credit=None, estimate=None, baselines=arms),
        )

    def open(self, before: float, after: float, difference: float, reach: float = 0.02) -> Night:
        """Open the test set and measure it; before and after: natural, difference: oriented."""
        seen = {"difference": difference, "low": difference - reach, "high": difference + reach, "rows": 90, "pairs": 5}
        return self.add(
            ev.TestSetOpened(opened_at="2026-03-01T06:00:00Z"),
            ev.TestSetMeasured(
                before=dict.fromkeys(self.slices, before),
                after=dict.fromkeys(self.slices, after),
                differences=dict.fromkeys(self.slices, seen),
            ),
        )

    def finish(self, because: str = "rounds") -> Night:
        return self.add(ev.StudyFinished(because=because))

    def state(self) -> State:
        return fold(self.events)

    def result(self) -> dict[str, Any]:
        return result(self.state())


def look(difference: float, verdict: str, reasons: tuple[str, ...]) -> Look:
    def seen(role: str, margin: float | None, gained: str | None = None, step: str | None = None) -> SliceLook:
        return SliceLook(
            role=role,
            difference=difference,
            low=difference - 0.02,
            high=difference + 0.02,
            rows=90,
            pairs=2,
            standard_error=0.01,
            df=9.0,
            z=100 * difference,
            bound=3.0,
            margin=margin,
            gained=gained,  # type: ignore[arg-type]
            step=step,  # type: ignore[arg-type]
        )

    return Look(
        pairs=2,
        verdict=verdict,  # type: ignore[arg-type]
        reasons=reasons,
        slices={"overall": seen("guard", 0.01, step="holds"), "dark": seen("target", None, "improved")},
        objective=seen("target", None, "improved"),
        alpha=0.025,
    )


@pytest.fixture
def night() -> Callable[..., Night]:
    return Night


@pytest.fixture
def whole(night: Callable[..., Night]) -> Night:
    """A finished study: fog kept, noise dropped, the test set measured."""
    study = night()
    study.train({"overall": 0.8, "dark": 0.61}).train({"overall": 0.82, "dark": 0.63})
    study.train({"overall": 0.84, "dark": 0.7}, "search", Plan.of({"base": 1.0, "fog": 1.5}, {"lr": 0.03}))
    study.decide("fog", "keep", 0.0715, ("ADC-G001",)).decide("noise", "drop", -0.0035, ("ADC-G020",))
    study.train({"overall": 0.85, "dark": 0.694}, "test", Plan.of({"base": 1.0, "fog": 1.5}, {"lr": 0.03}))
    return study.open(0.602, 0.668, 0.066).finish()
