"""What was decided of several datasets at once, and the end beside the obvious: result, terminal, page and `why`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from autodc.adapters.mlflow.changes import STUDY, merged
from autodc.adapters.mlflow.projection import Projection
from autodc.cli import show
from autodc.cli.terminal import print_table
from autodc.report.page import render
from autodc.review import beside, reasons, views
from autodc.review.concerns import concerns
from autodc.review.numbers import Numbers
from autodc.review.status import status

Made = Callable[..., Any]
NAMES = ("reviews_a", "reviews_b", "tweets", "forum", "wiki", "noise")


@pytest.fixture
def block(night: Made) -> Any:
    """Five kept together, one that left because two others stand in for it."""
    study = night(NAMES).train({"overall": 0.8, "dark": 0.61}).train({"overall": 0.82, "dark": 0.63})
    study.together(("noise",), "drop", 0.001, ("ADC-G104", "ADC-G107"), "pruning", ("tweets", "wiki"))
    return study.together(NAMES[:5], "keep", 0.009, ("ADC-G100", "ADC-G101"))


def test_every_kept_name_is_a_member_of_a_kept_block(block: Any) -> None:
    content = block.finish().result()
    assert content["kept"] == list(NAMES[:5])
    (kept,) = [d for d in content["decisions"] if d["verdict"] == "keep"]
    assert kept["kind"] == "block"
    assert kept["members"] == list(NAMES[:5])


def test_a_block_is_one_row_of_its_members_with_its_own_interval(block: Any) -> None:
    joint, alone = views.verdict_rows(block.state())
    assert joint["members"] == list(NAMES[:5])
    assert (joint["verdict"], joint["difference"], joint["level"]) == ("keep", pytest.approx(0.009), 0.9)
    assert joint["low"] < 0.009 < joint["high"]
    assert joint["rows"] == 1000
    assert alone["members"] == ["noise"]
    assert alone["difference"] == pytest.approx(-0.001), "it was asked by leaving it out, and is told as having it"


def test_why_tells_the_whole_block_and_that_none_was_told_apart(block: Any) -> None:
    found = views.why(block.state(), "tweets")
    assert found["verdict"] == "keep"
    assert "together with reviews_a, reviews_b, forum and wiki" in found["summary"]
    assert "These 5 together: +0.009 (90% interval" in found["summary"]
    assert "none of them could be told apart on these rows" in found["summary"]
    assert "worth alone, nobody has shown" in found["summary"]
    assert found["comparisons"][0]["members"] == list(NAMES[:5])


def test_what_is_redundant_names_what_stands_in_for_it(block: Any) -> None:
    found = views.why(block.state(), "noise")
    assert found["verdict"] == "drop"
    assert "Redundant beside tweets and wiki" in found["summary"]
    assert found["comparisons"][0]["reasons"][0]["text"].startswith("Redundant beside tweets and wiki")


def test_a_block_fits_eighty_columns(block: Any, capsys: Any) -> None:
    out = Console(width=80, highlight=False, markup=False)
    print_table(out, show._VERDICTS, [show._verdict_cells(row) for row in views.verdict_rows(block.state())])
    text = capsys.readouterr().out
    assert "5 together:" in text
    assert all(name in text for name in NAMES)
    assert max(map(len, text.splitlines())) <= 80


def test_the_page_shows_the_block_and_what_its_keep_does_not_say(block: Any) -> None:
    page = render(block.finish().state(), block.result())
    assert "5 together: reviews_a, reviews_b, tweets, forum, wiki" in page
    assert "What one of them is worth alone was not shown" in page
    assert "the whole without these against the whole" in page


def test_the_sentence_of_every_reason_is_whole() -> None:
    for code in reasons.SENTENCES:
        for several in (False, True):
            text = reasons.sentence(code, (), several)
            assert "{" not in text, code
            assert text.endswith("."), code


def test_the_end_stands_beside_the_obvious_everywhere(whole: Any) -> None:
    study = whole.beside(base=0.605, everything=0.634, end=0.661, ahead=(0.027, 0.056))
    content = study.result()
    found = content["baselines"]
    assert {one["rows"] for one in found.values()} == {"gate"}, "the test of an older autodc knows no baselines"
    assert {name: one["objective"] for name, one in found.items()} == {
        "base_tuned": 0.605,
        "everything_tuned": 0.634,
        "incumbent": 0.661,
    }
    line = "end 0.661 · everything in, tuned 0.634 · base, tuned 0.605"
    assert beside.line(found, Numbers(3)) == line
    assert status(study.state())["baselines"].startswith("end 0.66")
    page = render(study.state(), content)
    assert page.index("everything in, tuned") < page.index("How sure is this?")
    assert 'class="level open"' in page
    assert 'line class="level bad"' not in page
    assert not [c for c in concerns(study.state(), content, Numbers(3)) if "better than the model at the end" in c.text]


def test_where_everything_in_is_better_it_is_red_everywhere(whole: Any, capsys: Any) -> None:
    study = whole.beside(base=0.605, everything=0.7, end=0.661, ahead=(-0.039, 0.056))
    content = study.result()
    assert content["baselines"]["everything_tuned"]["standing"] == "behind"
    (bad,) = [c for c in concerns(study.state(), content, Numbers(3)) if "better than the model at the end" in c.text]
    assert bad.tone == "bad"
    assert "Everything in, tuned" in bad.text
    assert "0.039" in bad.text
    page = render(study.state(), content)
    assert 'line class="level bad"' in page
    assert 'tr class="behind"' in page
    show._print_baselines(Console(width=200, highlight=False, markup=False), study.state(), content)
    assert "everything in, tuned, is better than the end" in capsys.readouterr().out


def test_a_better_tuned_base_is_a_concern(whole: Any) -> None:
    study = whole.beside(base=0.7, everything=0.634, end=0.661, ahead=(0.027, -0.039))
    found = [c.text for c in concerns(study.state(), study.result(), Numbers(3)) if c.tone == "bad"]
    assert any("Base, tuned, is better than the model at the end" in text for text in found)


def test_mlflow_has_them_on_the_run_of_the_study(whole: Any) -> None:
    study = whole.beside(base=0.605, everything=0.634, end=0.661, ahead=(0.027, 0.056))
    projection = Projection()
    runs = {c.key: c for c in merged([c for event in study.events for c in projection.feed(event)])}
    told = runs[STUDY]
    assert told.history["baseline.gate/everything_tuned", 0][0] == 0.634
    assert told.history["baseline.gate.ahead/base_tuned", 0][0] == 0.056
    assert told.tags["baseline.rows"] == "gate"
    assert told.tags["baseline.objectives"].startswith("end 0.66")


def test_a_study_without_them_says_nothing_of_them(whole: Any) -> None:
    content = whole.result()
    assert content["baselines"] is None
    assert status(whole.state())["baselines"] == ""
    assert "Beside the obvious" not in render(whole.state(), content)
