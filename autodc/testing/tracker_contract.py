"""What every tracker owes, and a small made-up study to show it: subclass, give one fixture, run under pytest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from autodc.adapters.journal import SqliteJournal
from autodc.study.journal import events as ev
from autodc.study.ports import Tracker
from autodc.testing.waiting import PATIENCE

TrackerOf = Callable[[Path], Tracker]

_START = 1.7e9


class TrackerContract:
    """Subclasses give `tracker_of`: a fixture whose value makes the tracker of a journal's path."""

    @pytest.fixture
    def tracker_of(self) -> TrackerOf:
        """Make the tracker under test."""
        raise NotImplementedError

    def test_a_journal_that_is_not_there_yet_is_no_trouble(self, tracker_of: TrackerOf, tmp_path: Path) -> None:
        """Waits without a complaint, and makes no folder."""
        tracker = tracker_of(tmp_path / "out" / "journal.sqlite")
        tracker.follow()
        assert tracker.finish(PATIENCE)
        assert tracker.complaint == ""
        assert not (tmp_path / "out").exists()

    def test_a_study_arrives_and_says_where(self, tracker_of: TrackerOf, tmp_path: Path) -> None:
        """Sends everything that was journalled; a second tracker of the journal knows the same place."""
        journal = SqliteJournal(tmp_path / "journal.sqlite")
        tracker = tracker_of(journal.path)
        for event in study(trials=3):
            journal.append([event])
            tracker.follow()
        assert tracker.finish(PATIENCE)
        assert tracker.complaint == ""
        reference = tracker.reference
        assert reference is None or set(reference) == {"uri", "experiment_id", "run_id"}
        assert tracker_of(journal.path).reference == reference
        journal.close()

    def test_finishing_twice_is_finishing_once(self, tracker_of: TrackerOf, tmp_path: Path) -> None:
        """Answers that everything arrived, the second time too."""
        journal = SqliteJournal(tmp_path / "journal.sqlite")
        journal.append(study(trials=1))
        tracker = tracker_of(journal.path)
        assert tracker.finish(PATIENCE)
        assert tracker.finish(PATIENCE)
        journal.close()


def study(trials: int = 4, name: str = "made-up", finished: bool = True) -> list[ev.Event]:
    """The events of a study with two candidates, `trials` search trainings (the third fails), one test and a keep."""
    events: list[ev.Event] = [_started(name), ev.SessionStarted(slots=2, machine={}, pid=1, time=_START)]
    events.append(ev.PhaseStarted(round=1, phase="search", planned=trials, time=_START))
    for number in range(trials):
        events += trial(number, {"base": 1.0, "fog": 0.25 * (number % 4)}, failed=number == 2)
    events += _gate(trials)
    if finished:
        events.append(
            ev.TestSetMeasured(
                before={"dark": 0.5, "overall": 0.7},
                after={"dark": 0.6, "overall": 0.71},
                differences={"dark": {"difference": 0.1, "low": 0.05, "high": 0.15, "rows": 90, "pairs": 3}},
                time=_START + 900,
            )
        )
        events.append(ev.StudyFinished(because="rounds", time=_START + 1000))
    return events


def trial(
    number: int,
    mixture: Mapping[str, float],
    phase: str = "search",
    seed: int | None = None,
    failed: bool = False,
    hyperparameters: Mapping[str, Any] | None = None,
) -> list[ev.Event]:
    """Plan and outcome of one trial; a finished one lasts half a second."""
    planned = {
        "number": number,
        "plan": plan(mixture, hyperparameters),
        "seed": 100 + number if seed is None else seed,
        "phase": phase,
        "fidelity": 1.0,
        "warm_start": None,
    }
    begun = _START + number
    outcome: dict[str, Any] = {"status": "failed", "error": "RuntimeError: boom", "attempts": 2}
    if not failed:
        outcome = {
            "status": "done",
            "slices": {"dark": 0.5 + 0.01 * number, "overall": 0.75},
            "soft": {"dark": 0.4},
            "arrays": "ab" * 32,
            "train_seconds": 0.5,
            "predict_ms": 0.02,
            "model_mb": 1.5,
            "attempts": 1,
        }
    outcome |= {"started": begun, "ended": begun + 0.5}
    return [
        ev.TrialPlanned(trial=planned, round=1, horizon=0, origin="screen", time=begun),
        ev.TrialFinished(number=number, outcome=outcome, time=begun + 0.6),
    ]


def plan(mixture: Mapping[str, float], hyperparameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A plan as the journal holds it."""
    added = {name: weight for name, weight in mixture.items() if weight > 0}
    return {
        "mixture": dict(sorted(added.items())),
        "stages": {name: "main" for name in sorted(added) if name != "base"},
        "recipe": "concat",
        "hyperparameters": dict(hyperparameters or {"lr": 0.01}),
    }


def _started(name: str) -> ev.StudyStarted:
    card = {"rows": 500, "fingerprint": "f" * 64, "cost": 0, "tags": [], "targets": None, "left_out": 0}
    return ev.StudyStarted(
        fingerprint="e" * 64,
        name=name,
        spec={
            "name": name,
            "seed": 7,
            "task": {"kind": "classification", "trainer": "sklearn"},
            "data": {
                "base": {"source": "data/base.npz"},
                "candidates": [{"name": n, "source": f"data/{n}.npz"} for n in ("fog", "noise")],
                "validation": {"source": "data/validation.npz"},
            },
            "metrics": {"primary": "accuracy"},
            "search": {"sampler": "mixture", "trials_per_round": 4},
        },
        datasets={n: {**card, "fingerprint": n.ljust(64, "0")} for n in ("base", "fog", "noise", "validation")},
        slices={
            "dark": {"role": "target", "margin": None, "weight": 1.0, "rows": 90},
            "overall": {"role": "guard", "margin": 0.01, "weight": None, "rows": 600},
        },
        start=plan({"base": 1.0}),
        time=_START,
    )


def _gate(first: int) -> list[ev.Event]:
    challenger, incumbent = {"base": 1.0, "fog": 0.5}, {"base": 1.0}
    events: list[ev.Event] = [
        ev.ComparisonOpened(
            id=1,
            round=1,
            horizon=first,
            subject="fog",
            subject_kind="dataset",
            purpose="removal",
            challenger=plan(challenger),
            incumbent=plan(incumbent),
            members=("fog",),
            alpha=0.05,
            time=_START + 100,
        )
    ]
    for pair, seed in enumerate((41, 42)):
        events += trial(first + 2 * pair, challenger, phase="gate", seed=seed)
        events += trial(first + 2 * pair + 1, incumbent, phase="gate", seed=seed)
    look = {"pairs": 2, "verdict": "keep", "reasons": ["ADC-G001"], "slices": {}, "alpha": 0.05}
    end: dict[str, Any] = {"horizon": first + 4, "time": _START + 200}
    events.append(ev.LookTaken(comparison=1, look=look, seeds=(41, 42), **end))
    events.append(
        ev.VerdictReached(
            comparison=1,
            round=1,
            subject="fog",
            subject_kind="dataset",
            verdict="keep",
            reasons=("ADC-G001",),
            trainings=4,
            **end,
        )
    )
    moved: dict[str, Any] = {"round": 1, "plan": plan(challenger), "comparison": 1, **end}
    events.append(ev.IncumbentMoved(model=first, **moved))
    return events
