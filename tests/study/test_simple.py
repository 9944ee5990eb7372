"""Simple baselines: measured beside the first trainings, on the same rows; they cost no training and decide nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from autodc.cli import show
from autodc.report.page import render
from autodc.review.concerns import concerns
from autodc.review.numbers import Numbers
from autodc.review.result import result
from autodc.study.driver import Interrupted
from autodc.trial.executor import Completion, MethodRef, PredictTask, StoredPart

SHORT = {"budget__trainings": 30, "loop__rounds": 1}


def asked(*names: str) -> dict[str, PredictTask]:
    """Tasks of these methods."""
    part = StoredPart(name="validation", path="validation")
    return {
        name: PredictTask(
            number=0,
            attempt=0,
            out="work/baseline",
            timeout=60.0,
            method=MethodRef(name=name, folder=".", kind="classification", row_shape=(2,)),
            parts=(part,),
        )
        for name in names
    }


@pytest.fixture(scope="module")
def answering(executor_of: Any) -> Any:
    """An executor that predicts, too: the shares of the classes, the truth, or nothing but an error."""

    class Answering(executor_of):
        predicted: list[str]

        def _run(self, job: Any) -> Completion:
            if job.work == "training":
                return super()._run(job)
            self.predicted = [*getattr(self, "predicted", []), job.method.name]
            common = {"number": job.number, "attempt": job.attempt, "work": "prediction"}
            if job.method.name == "broken":
                return Completion(status="failed", error="ValueError: no such luck", **common)
            truth = self._hand.inputs.catalogue.validation.y
            classes = len(self._hand.inputs.catalogue.classes)
            rows = np.eye(classes)[truth] if job.method.name == "oracle" else np.full((len(truth), classes), 1.0)
            rows = rows + np.eye(classes)[0] * (job.method.name == "constant")
            return Completion(status="done", outputs={"validation": rows / rows.sum(1)[:, None]}, **common)

    return Answering


@pytest.fixture(scope="module")
def nights(world: Any, answering: Any, essence: Any) -> Mapping[str, Any]:
    """The same study without and with baselines."""
    hand, found = world(**SHORT), {}
    for name, methods in (("without", ()), ("with", ("constant", "broken", "oracle"))):
        study, rows = hand.open(events := []), events
        executor = answering(hand, study, 2)
        hand.drive(study, executor, baselines=asked(*methods))
        found[name] = (hand, study, rows, executor)
    return found


def test_they_decide_nothing_and_cost_no_training(nights: Mapping[str, Any], essence: Any) -> None:
    without, beside = nights["without"][1], nights["with"][1]
    assert essence(beside) == essence(without)
    assert result(beside.state)["spent"]["trainings"] == result(without.state)["spent"]["trainings"]
    kinds = [kind for kind, _, _ in nights["with"][2]]
    assert kinds.count("BaselineMeasured") == 3
    assert kinds.index("BaselineMeasured") < kinds.index("BaselinesChosen")


def test_each_is_scored_on_the_rows_of_all_trainings_and_the_end_is_held_against_it(nights: Mapping[str, Any]) -> None:
    hand, study, _, _ = nights["with"]
    found = result(study.state)["baselines"]
    assert list(found) == ["base_tuned", "everything_tuned", "incumbent", "constant", "broken", "oracle"]
    gate = hand.inputs.gate
    for name in ("overall", "dark"):
        truth = hand.inputs.catalogue.validation.y[gate[name].rows]
        assert found["constant"]["slices"][name]["value"] == pytest.approx((truth == 0).mean(), abs=1e-6)
    constant = found["constant"]
    assert constant["rows"] == "gate"
    assert constant["low"] < constant["difference"] < constant["high"]
    assert constant["standing"] == ("ahead" if constant["low"] > 0 else "level")
    end = result(study.state)["validation"]["after"]["dark"]
    assert constant["difference"] == pytest.approx(end - constant["objective"], abs=0.05)


def test_one_that_fails_is_told_and_one_that_is_better_is_red(nights: Mapping[str, Any], capsys: Any) -> None:
    _, study, _, _ = nights["with"]
    content = result(study.state)
    assert content["baselines"]["broken"]["error"] == "ValueError: no such luck"
    assert content["baselines"]["oracle"]["standing"] == "behind"
    told = " ".join(one.text for one in concerns(study.state, content, Numbers(3)) if one.tone == "bad")
    assert "Oracle, is better than the model at the end" in told
    show._print_baselines(Console(width=200, highlight=False, markup=False), study.state, content)
    said = capsys.readouterr().out
    assert "simple: constant 0." in said
    assert "broken not measured · oracle 1.000" in said
    assert "oracle, is better than the end" in said


def test_each_is_a_line_in_the_plots_of_the_page(nights: Mapping[str, Any]) -> None:
    _, study, _, _ = nights["with"]
    page = render(study.state, result(study.state))
    assert '<th scope="row">constant <small class="soft">simple</small></th>' in page
    for label in ("the objective of every training", "The search over"):
        drawing = page[page.index(label) :]
        drawing = drawing[: drawing.index("</svg>")]
        assert ">oracle 1.000" in drawing
        assert ">constant 0." in drawing


def test_a_night_of_an_older_autodc_has_none(nights: Mapping[str, Any]) -> None:
    _, study, _, _ = nights["without"]
    content = result(study.state)
    assert set(content["baselines"]) == {"base_tuned", "everything_tuned", "incumbent"}
    assert "simple" not in render(study.state, content).split('id="beside"')[1].split("</section>")[0]


def test_what_was_measured_is_not_asked_again_and_what_was_not_is(world: Any, answering: Any) -> None:
    hand, rows = world(**SHORT), []
    study = hand.open(rows)
    executor = answering(hand, study, 1)
    with pytest.raises(Interrupted):
        hand.drive(study, executor, baselines=asked("constant"), stop=lambda: len(executor.attempts) >= 3)
    again = hand.open(rows)
    assert list(again.state.simple) == ["constant"]
    assert result(again.state)["baselines"]["constant"]["standing"] is None
    later = answering(hand, again, 1)
    hand.drive(again, later, baselines=asked("constant", "oracle"))
    assert later.predicted == ["oracle"]


def test_one_without_time_left_is_told_and_ends_nothing(world: Any, answering: Any) -> None:
    hand = world(**SHORT)

    class Slow(answering):
        def submit(self, job: Any) -> None:
            if job.work == "training":
                super().submit(job)

    study = hand.open([])
    hand.drive(study, Slow(hand, study, 2), baselines=asked("constant"))
    assert study.finished
    assert "time was over" in result(study.state)["baselines"]["constant"]["error"]
