"""The five questions of the morning: their words, and that a reader finds them without scrolling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import autodc
from autodc.report import write_report
from autodc.report.page import render
from autodc.review.concerns import concerns
from autodc.review.morning import agreement, morning
from autodc.review.next_night import command, elsewhere, next_night
from autodc.review.numbers import Numbers
from autodc.study.journal import events as ev
from tests.screens.browser import chromium, serious

ASKED = ("Sealed test", "What it cost", "What next", "The model")


def answered(study: Any) -> dict[str, Any]:
    state, result = study.state(), study.result()
    numbers = Numbers(3)
    return morning(state, result, numbers, concerns(state, result, numbers), "runs/night")


def begun_by(study: Any, words: str) -> Any:
    study.events[1] = ev.SessionStarted(slots=2, machine={}, time=100.0, command=words)
    return study


def test_the_five_answers_of_a_finished_night(whole: Any) -> None:
    told = answered(begun_by(whole, "autodc run night.yaml --out runs/night"))
    assert [(one["verdict"], one["number"]) for one in told["counts"]] == [("keep", 1), ("drop", 1), ("undecided", 0)]
    assert (told["test"]["word"], told["test"]["tone"]) == ("agrees", "good")
    assert told["model"]["path"] == "models/incumbent"
    assert told["model"]["load"] == 'autodc.load_model("runs/night")'
    assert told["next"]["command"] == "autodc run night.yaml --out runs/night --set loop.rounds=4"
    assert told["cost"]["trainings"] == "4"
    page = render(whole.state(), whole.result(), folder="runs/night")
    screen = page[page.index('<div class="screen">') : page.index('<nav class="toc"')]
    for words in (*ASKED, "models/incumbent", "autodc.load_model(&#34;runs/night&#34;)", "--set loop.rounds=4"):
        assert words in screen


@pytest.mark.parametrize(
    ("difference", "reach", "word", "tone"),
    [
        (0.066, 0.02, "agrees", "good"),
        (0.01, 0.02, "cannot tell", "open"),
        (-0.005, 0.02, "does not confirm", "bad"),
        (-0.1, 0.02, "does not agree", "bad"),
    ],
)
def test_whether_the_sealed_test_agrees(night: Any, difference: float, reach: float, word: str, tone: str) -> None:
    study = night().train({"overall": 0.8, "dark": 0.6}).decide("fog", "keep", 0.07, ("ADC-G001",))
    study.open(0.6, 0.6 + difference, difference, reach).finish()
    found = agreement(study.state(), study.result())
    assert (found.word, found.tone) == (word, tone)
    page = render(study.state(), study.result())
    assert f'<section class="tile test {tone}"' in page


def test_the_end_behind_the_obvious_is_red_on_the_first_screen(night: Any) -> None:
    study = night().train({"overall": 0.8, "dark": 0.6}).decide("fog", "keep", 0.07, ("ADC-G001",))
    study.beside(0.6, 0.7, 0.65, (-0.05, 0.05)).open(0.6, 0.66, 0.06).finish()
    told = answered(study)
    assert told["test"]["tone"] == "bad"
    assert told["test"]["behind"] == ["everything in, tuned"]


def test_what_is_undecided_and_what_would_settle_it(night: Any) -> None:
    study = night().train({"overall": 0.8, "dark": 0.6}).decide("fog", "undecided", 0.01, ("ADC-G031",)).finish()
    told = next_night(study.state(), "runs/night")
    assert told.unsettled == 2
    assert told.settles


def test_a_study_under_way_goes_on_with_its_own_command(night: Any) -> None:
    told = answered(begun_by(night(), "autodc run night.yaml"))
    assert told["next"]["command"] == "autodc run night.yaml"
    assert told["next"]["does"] == "goes on where it stopped"
    assert not told["model"]["there"]


def test_a_budget_that_was_used_up_is_made_larger(night: Any) -> None:
    study = night()
    study.events[0].spec["budget"] = {"trainings": 40}
    told = next_night(study.finish("budget.trainings").state(), "runs/night")
    assert told.command == "autodc run STUDY --out runs/night --set budget.trainings=60"


def test_what_was_asked_of_one_night_alone_is_left_out(night: Any) -> None:
    words = "autodc run a.yaml --until 07:00 --set loop.rounds=3 --set gate.fdr=0.2 --open-test --force --json"
    state = begun_by(night(), words).state()
    assert command(state, "x", ["loop.rounds=4"]) == "autodc run a.yaml --set gate.fdr=0.2 --set loop.rounds=4"
    assert elsewhere("autodc run a.yaml --out runs/a") == "autodc run a.yaml --out NEW"
    assert elsewhere("autodc run a.yaml") == "autodc run a.yaml --out NEW"


def test_what_is_no_command_line_is_left_aside(night: Any) -> None:
    state = begun_by(night(), "autodc run 'a.yaml").state()
    assert command(state, "runs/night") == "autodc run STUDY --out runs/night"


def test_a_command_tells_no_password() -> None:
    told = ev.SessionStarted(slots=1, machine={}, command="autodc run a --set tracking.uri=postgresql://me:secret@h/db")
    assert "secret" not in told.command


@pytest.mark.slow(seconds=6)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_all_five_without_scrolling(whole: Any, tmp_path: Path, scheme: str) -> None:
    page = write_report(whole.state(), whole.result(), tmp_path)
    with chromium() as browser:
        for width, height in ((1280, 800), (390, 844)):
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme, bypass_csp=True
            )
            opened = context.new_page()
            said, asked = list[str](), list[str]()
            opened.on("console", lambda message, said=said: said.append(message.text))
            opened.on("pageerror", lambda error, said=said: said.append(str(error)))
            opened.on("request", lambda request, asked=asked: asked.append(request.url))
            opened.goto(page.as_uri())
            ends = opened.evaluate("[...document.querySelectorAll('.tile')].map(e => e.getBoundingClientRect().bottom)")
            assert len(ends) == len(ASKED)
            assert max(ends) <= height
            assert opened.evaluate("document.querySelector('h1').getBoundingClientRect().bottom") < height
            assert opened.evaluate("document.documentElement.scrollWidth") <= width
            opened.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
            assert opened.evaluate("document.documentElement.scrollWidth") <= width
            assert serious(opened) == []
            assert said == []
            assert asked == [page.as_uri()]
            with opened.expect_download() as loaded:
                opened.click("a[download$='trials.csv']")
            assert Path(loaded.value.path()).read_text().startswith("trial,round,phase")
            context.close()


def test_a_model_that_is_loaded_predicts_rows(tmp_path: Path) -> None:
    with pytest.raises(autodc.AutodcError, match="no study in this folder"):
        autodc.load_model(tmp_path)
