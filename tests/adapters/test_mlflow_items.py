from __future__ import annotations

import json
import math

import pytest

from autodc.adapters.mlflow_changes import STUDY, RunChange, merged, shortened
from autodc.adapters.mlflow_items import Projection
from autodc.adapters.mlflow_names import Initials
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
    assert run.metrics["validation/dark"][0] == run.metrics["objective"][0] == pytest.approx(0.53)
    assert {
        "validation/overall",
        "soft/dark",
        "cost/train_seconds",
        "cost/predict_ms",
        "cost/model_mb",
    } <= run.metrics.keys()
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
    assert "geheim" not in f"{sent} {projection.question.spec}"
    assert sent[-1].parameters["weights"] == "https://h/w?token=***"
    assert sent[-1].datasets[0].source == '{"source": "https://bob:***@host/base.npz"}'


def test_the_study_ends_as_it_ended() -> None:
    run = projected(study())[STUDY]
    assert (run.status, run.tags["autodc.stopped_because"]) == ("FINISHED", "rounds")
    line = [run.history["test/dark", step][0] for step in (0, 1)]
    assert line == [0.5, 0.6]
    assert run.history["test_gain/dark", 1][0] == 0.1
    cut = [*study(finished=False), ev.SessionStarted(slots=1, machine={})]
    assert projected(cut)[STUDY].status == "RUNNING"


def test_numbers_mlflow_would_bend_become_tags() -> None:
    events = study(trials=1, finished=False)[:3]
    planned, finished = trial(0, {"base": 1.0})
    outcome = {**finished.outcome, "slices": {"dark": math.nan, "overall": -math.inf}}  # type: ignore[attr-defined]
    run = projected([*events, planned, ev.TrialFinished(number=0, outcome=outcome)])["trial-0"]
    assert not {"validation/dark", "validation/overall", "objective"} & run.metrics.keys()
    assert run.tags["autodc.not_finite.validation/overall"] == "-inf"


def test_long_values_are_cut_visibly_and_odd_names_mended() -> None:
    events = study(trials=1, finished=False)[:3]
    hyperparameters = {"layers[0]:width": "x" * 7000}
    run = projected([*events, *trial(0, {"base": 1.0}, hyperparameters=hyperparameters)])["trial-0"]
    value = run.parameters["layers_0__width"]
    whole = "long/parameters/layers_0__width.txt"
    assert len(value) == 6000
    assert value.endswith(f"[7000 characters, whole in the artifact {whole}]")
    assert run.texts == {whole: "x" * 7000}
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


def test_the_seed_is_a_tag_and_names_are_told_apart() -> None:
    runs = projected(study(trials=4))
    children = [run for key, run in runs.items() if key != STUDY]
    assert not any("seed" in run.parameters for run in runs.values())
    assert all(run.tags["autodc.seed"] for run in children)
    assert len({run.name for run in runs.values()}) == len(runs)
    assert runs["trial-4"].name == "0004 challenger b1 f0.5"
    assert runs["trial-5"].name == "0005 incumbent b1"
    shared = ("autodc.study", "autodc.run", "autodc.metric", "autodc.trainer", "autodc.fingerprint")
    assert {tuple(run.tags[name] for name in shared) for run in children} == {
        tuple(runs[STUDY].tags[name] for name in shared)
    }


def test_the_note_tells_verdicts_the_test_and_what_to_compare() -> None:
    projection = Projection()
    for event in study(trials=4):
        projection.feed(event)
    (note,) = projection.note()
    text = note.tags["mlflow.note.content"]
    assert "made-up: kept fog." in text
    assert "The sealed test agrees: dark is better." in text
    assert "| fog | keep | 1 | A target slice got better" in text
    assert "[start](#/experiments/⟦experiment⟧/runs/⟦trial-0⟧?workflowType=machine_learning)" in text
    assert "[compare them](#/compare-runs?runs=%5B%22⟦trial-0⟧%22%2C%22⟦trial-4⟧%22%5D" in text
    assert projection.note() == []


def test_an_experiment_offers_views_with_the_columns_of_its_study() -> None:
    told = projected(study(trials=4))[STUDY].experiment
    assert told["mlflow.experimentKind"] == "custom_model_development"
    for key in ("autodc-compare", "autodc-best"):
        assert f"viewStateShareKey={key}" in told["mlflow.note.content"]
        view = json.loads(told[f"mlflow.sharedViewState.{key}"])
        state = json.loads(view["state"])
        columns = {"metrics.`objective`", "metrics.`validation/dark`", "params.`weight.fog`"}
        assert columns <= {*state["selectedColumns"]}
        assert (state["orderByKey"], state["orderByAsc"]) == ("metrics.`objective`", False)
        assert len(told[f"mlflow.sharedViewState.{key}"]) <= 5000


def test_a_training_says_what_it_is() -> None:
    runs = projected(study(trials=4))
    assert "challenger, round 1: base × 1, fog × 0.5; recipe concat" in runs["trial-4"].tags["mlflow.note.content"]
    failed = next(run for run in runs.values() if run.status == "FAILED")
    assert "Failed: " in failed.tags["mlflow.note.content"]


def test_a_note_of_very_many_verdicts_stays_short_and_says_where_the_rest_is() -> None:
    projection = Projection()
    projection.feed(study()[0])
    for number in range(200):
        projection.feed(
            ev.VerdictReached(
                comparison=number,
                round=1,
                horizon=0,
                subject=f"candidate-{number}",
                subject_kind="dataset",
                verdict="undecided",
                reasons=("ADC-G001",),
                trainings=2,
            )
        )
    (note,) = projection.note()
    text = note.tags["mlflow.note.content"]
    assert len(text) <= 7500
    assert "more, in the artifact `tables/decisions.json`" in text


def test_a_metric_that_is_better_when_lower_is_told_as_the_user_knows_it() -> None:
    started, *rest = study(trials=1, finished=False)[:3]
    assert isinstance(started, ev.StudyStarted)
    lower = ev.StudyStarted(**{**started.to_dict(), "metric": {"name": "rmse", "better": "lower"}})
    planned, finished = trial(0, {"base": 1.0})
    assert isinstance(finished, ev.TrialFinished)
    outcome = {**finished.outcome, "slices": {"dark": -3.0, "overall": -2.0}, "explore": {"dark": -4.0}}
    run = projected([lower, *rest, planned, ev.TrialFinished(number=0, outcome=outcome)])["trial-0"]
    values = [run.metrics[name][0] for name in ("validation/dark", "validation/overall", "explore/dark", "objective")]
    assert values == [3.0, 2.0, 4.0, 3.0]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["fog", "dark"], "b1.15 f2 d2"),
        (["set_a", "set_b"], "b1.15 a2 sb2"),
        (["gen-1", "gen-2"], "b1.15 g1×2 g2×2"),
        (["dark", "dim", "damp"], "b1.15 d2 di2 da2"),
    ],
)
def test_datasets_have_signs_of_their_own(names: list[str], told: str) -> None:
    signs = Initials()
    signs.learn(names)
    assert signs.of({"base": 1.15, **dict.fromkeys(names, 2.0)}) == told
    assert signs.legend(["base", names[0]]).startswith("b = base, ")


def test_what_is_worth_comparing_stays_below_what_a_chart_shows() -> None:
    events = [event for event in study(trials=0, finished=False) if not isinstance(event, ev.TrialPlanned)]
    projection = Projection()
    tagged = set()
    for event in events[:3]:
        projection.feed(event)
    for number in range(700):
        for event in trial(number, {"base": 1.0, "fog": number + 1.0}, phase="gate"):
            projection.feed(event)
        moved = ev.IncumbentMoved(
            round=number, horizon=0, plan=plan({"base": 1.0, "fog": number + 1.0}), comparison=9, model=number
        )
        projection._seeds[9] = (100 + number,)
        tagged |= {c.key for c in projection.feed(moved) if "autodc.compare" in c.tags}
    assert 10 < len(tagged) <= 500
