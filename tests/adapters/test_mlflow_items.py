from __future__ import annotations

import math

import pytest

from autodc.adapters.mlflow_changes import STUDY, RunChange, merged, shortened
from autodc.adapters.mlflow_items import Projection
from autodc.study.journal import events as ev
from autodc.testing.tracker_contract import plan, study, trial


def projected(events: list[ev.Event]) -> dict[str, RunChange]:
    projection = Projection()
    return {change.key: change for change in merged([c for event in events for c in projection.feed(event)])}


def test_a_trial_tells_its_parameters_weights_slices_and_times() -> None:
    run = projected(study(trials=4))["trial-3"]
    assert run.create
    assert run.parameters["lr"] == "0.01"
    assert run.parameters["recipe"] == "concat"
    assert (run.parameters["weight.base"], run.parameters["weight.fog"], run.parameters["weight.noise"]) == (
        "1",
        "0.75",
        "0",
    )
    assert run.metrics["slice.dark"][0] == run.metrics["objective"][0] == pytest.approx(0.53)
    assert {"slice.overall", "soft.dark", "train_seconds", "predict_ms", "model_mb"} <= run.metrics.keys()
    assert (run.status, run.end - run.start) == ("FINISHED", 500)
    assert run.tags["autodc.phase"] == "search"
    assert run.tags["autodc.origin"] == "screen"
    assert [(d.name, d.tags["weight"], d.tags["mlflow.data.context"]) for d in run.datasets] == [
        ("base", "1", "training"),
        ("fog", "0.75", "training"),
    ]
    assert all(len(d.digest) <= 36 for d in run.datasets)


def test_a_failed_trial_keeps_its_parameters_and_says_why() -> None:
    run = projected(study(trials=4))["trial-2"]
    assert (run.status, run.tags["autodc.error"]) == ("FAILED", "RuntimeError: boom")
    assert run.parameters["weight.fog"] == "0.5"
    assert not run.metrics


def test_a_verdict_is_on_the_study_and_on_the_trainings_of_its_comparison() -> None:
    runs = projected(study(trials=4))
    assert runs[STUDY].tags["verdict.fog"] == "keep"
    assert runs[STUDY].tags["reasons.fog"].startswith("ADC-G001: A target slice got better")
    assert runs[STUDY].tags["autodc.kept"] == "fog"
    arms = {key: run.tags["autodc.arm"] for key, run in runs.items() if "autodc.arm" in run.tags}
    assert arms == {
        "trial-4": "challenger",
        "trial-5": "incumbent",
        "trial-6": "challenger",
        "trial-7": "incumbent",
    }
    judged = {key for key, run in runs.items() if "verdict.fog" in run.tags or "reasons.fog" in run.tags}
    assert judged == {STUDY, "trial-4", "trial-6"}
    assert runs["trial-4"].tags["verdict.fog"] == "keep"
    assert {runs[key].tags["autodc.comparison"] for key in arms} == {"1"}
    assert {run.tags["autodc.subject"] for key, run in runs.items() if key in arms} == {"fog"}
    compared = {key: run.tags["autodc.compare"] for key, run in runs.items() if "autodc.compare" in run.tags}
    assert compared == {"trial-0": "start", "trial-4": "incumbent"}


def test_what_was_judged_stays_so_when_others_are_held_against_it() -> None:
    events = study(trials=4)
    number = sum(isinstance(e, ev.TrialPlanned) for e in events)
    opened = next(e for e in events if isinstance(e, ev.ComparisonOpened))
    both = {"base": 1.0, "fog": 0.5, "noise": 1.0}
    later = [
        ev.ComparisonOpened(
            **{
                **opened.to_dict(),
                "id": 2,
                "subject": "noise",
                "challenger": plan(both),
                "incumbent": opened.challenger,
            }
        ),
        *trial(number, both, phase="gate", seed=41),
        ev.LookTaken(comparison=2, horizon=0, look={}, seeds=(41,)),
        ev.VerdictReached(
            comparison=2,
            round=2,
            horizon=0,
            subject="noise",
            subject_kind="dataset",
            verdict="drop",
            reasons=(),
            trainings=1,
        ),
    ]
    runs = projected([*events, *later])
    assert (runs["trial-4"].tags["autodc.arm"], runs["trial-4"].tags["verdict.fog"]) == ("challenger", "keep")
    assert "verdict.noise" not in runs["trial-4"].tags
    assert (runs[f"trial-{number}"].tags["autodc.arm"], runs[f"trial-{number}"].tags["verdict.noise"]) == (
        "challenger",
        "drop",
    )


def test_nothing_that_is_sent_holds_a_secret() -> None:
    events = study(trials=1)
    started = events[0]
    assert isinstance(started, ev.StudyStarted)
    data = {**started.spec["data"], "base": {"source": "https://bob:geheim@host/base.npz"}}
    spec = {**started.spec, "data": data, "tracking": {"uri": "http://alice:geheim@host"}}
    planned, finished = trial(0, {"base": 1.0}, hyperparameters={"weights": "https://h/w?token=geheim"})
    assert isinstance(finished, ev.TrialFinished)
    failed = ev.TrialFinished(number=0, outcome={"status": "failed", "error": "no https://u:geheim@h/x", "attempts": 1})
    projection = Projection()
    sent = [
        c for e in [ev.StudyStarted(**{**started.to_dict(), "spec": spec}), planned, failed] for c in projection.feed(e)
    ]
    assert "geheim" not in f"{sent} {projection.specification}"
    assert sent[-1].parameters["weights"] == "https://h/w?token=***"
    assert sent[-1].datasets[0].source == '{"source": "https://bob:***@host/base.npz"}'


def test_the_study_ends_as_it_ended() -> None:
    run = projected(study())[STUDY]
    assert (run.status, run.tags["autodc.stopped_because"]) == ("FINISHED", "rounds")
    assert run.metrics["test.after.dark"][0] == 0.6
    assert run.metrics["test.difference.dark"][0] == 0.1
    cut = [*study(finished=False), ev.SessionStarted(slots=1, machine={})]
    assert projected(cut)[STUDY].status == "RUNNING"


def test_numbers_mlflow_would_bend_become_tags() -> None:
    events = study(trials=1, finished=False)[:3]
    planned, finished = trial(0, {"base": 1.0})
    outcome = {**finished.outcome, "slices": {"dark": math.nan, "overall": -math.inf}}  # type: ignore[attr-defined]
    run = projected([*events, planned, ev.TrialFinished(number=0, outcome=outcome)])["trial-0"]
    assert not {"slice.dark", "slice.overall", "objective"} & run.metrics.keys()
    assert run.tags["autodc.not_finite.slice.overall"] == "-inf"


def test_long_values_are_cut_visibly_and_odd_names_mended() -> None:
    events = study(trials=1, finished=False)[:3]
    hyperparameters = {"layers[0]:width": "x" * 900}
    run = projected([*events, *trial(0, {"base": 1.0}, hyperparameters=hyperparameters)])["trial-0"]
    value = run.parameters["layers_0__width"]
    assert len(value) == 500
    assert value.endswith("[900 characters]")
    assert shortened("short", 500) == "short"


def test_changes_of_one_batch_become_one_change_per_run() -> None:
    events = study(trials=2)
    projection = Projection()
    changes = merged([c for event in events for c in projection.feed(event)])
    assert len(changes) == len({change.key for change in changes})
    assert changes[0].key == STUDY
    assert len(changes) == 1 + 2 + 4


def test_many_candidates_are_named_only_where_they_are_in() -> None:
    started = study()[0]
    assert isinstance(started, ev.StudyStarted)
    many = [{"name": f"c{n}", "source": "x"} for n in range(200)]
    spec = {**started.spec, "data": {**started.spec["data"], "candidates": many}}
    big = ev.StudyStarted(**{**started.to_dict(), "spec": spec, "start": plan({"base": 1.0})})
    run = projected([big, *trial(0, {"base": 1.0, "c7": 0.5})])["trial-0"]
    assert {name for name in run.parameters if name.startswith("weight.")} == {"weight.base", "weight.c7"}


def test_an_extended_study_says_so_and_knows_its_new_datasets() -> None:
    events = study(trials=4)
    started = next(e for e in events if isinstance(e, ev.StudyStarted))
    card = {"rows": 10, "fingerprint": "f" * 64, "candidate": True, "source": "rain.npz"}
    spec = {**started.spec, "data": {**started.spec.get("data", {})}}
    extended = ev.StudyExtended(
        fingerprint="e" * 64,
        spec=spec,
        datasets={**started.datasets, "rain": card},
        slices=started.slices,
        parts={},
        changed={"data.candidates[]": [["fog", "noise"], ["fog", "noise", "rain"]]},
    )
    number = sum(isinstance(e, ev.TrialPlanned) for e in events)
    later = trial(number, {"base": 1.0, "rain": 0.5})
    runs = projected([*events, extended, ev.SessionStarted(slots=1, machine={}), *later])
    assert runs[STUDY].tags["autodc.extended"] == "data.candidates[]"
    assert runs[STUDY].tags["autodc.fingerprint"] == "e" * 64
    assert (runs[STUDY].status, runs[STUDY].tags["autodc.status"]) == ("RUNNING", "running")
    assert "rain" in {d.name for d in runs[f"trial-{number}"].datasets}
