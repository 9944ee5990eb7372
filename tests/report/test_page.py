from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from autodc.plan.plan import Plan
from autodc.report import write_report
from autodc.review.account import cheap
from autodc.study.journal import events as ev

_VOID = {"meta", "line", "circle", "path", "rect", "br", "link", "img"}


class Page(HTMLParser):
    """What a reader sees of a page: its words, its elements, and whether they nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(text)
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID and tag != "li":
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID and tag != "li":
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def written(study: Any, folder: Path) -> tuple[str, Page]:
    path = write_report(study.state(), study.result(), folder)
    assert path == folder / "report" / "index.html"
    text = path.read_text(encoding="utf-8")
    return text, Page(text)


def test_a_reader_finds_what_was_kept_what_it_gained_and_how_sure_that_is(whole: Any, tmp_path: Path) -> None:
    _, page = written(whole, tmp_path)
    assert "1 of 2 candidate datasets was kept: fog." in page.text
    assert "On the sealed test set dark got better: +0.066 (95% interval +0.046 to +0.086)." in page.text
    assert "q = 0.1" in page.text
    assert "2 comparisons were made" in page.text
    assert "Doubt" not in page.text
    assert "Note:" not in page.text


def test_the_page_has_every_candidate_and_every_slice_with_the_numbers_of_the_result(
    whole: Any, tmp_path: Path
) -> None:
    _, page = written(whole, tmp_path)
    found = whole.result()
    for decision in found["decisions"]:
        seen = decision["slices"]["dark"]
        signed = [f"{seen[key]:+.3f}".replace("-", "−") for key in ("difference", "low", "high")]
        assert f"{signed[1]} to {signed[2]}" in page.text
        assert signed[0] in page.text
        assert decision["subject"] in page.text
        assert decision["reasons"][0] in page.text
    for name in ("dark", "overall"):
        for side in ("validation", "test"):
            before, after = found[side]["before"][name], found[side]["after"][name]
            assert f"{before:.3f} → {after:.3f}" in page.text
    assert found["incumbent"]["mixture"]["fog"] == 1.5
    assert "lr 0.03 0.01" in page.text
    assert "noise was dropped." in page.text


def test_the_page_loads_nothing_and_runs_nothing(whole: Any, tmp_path: Path) -> None:
    text, page = written(whole, tmp_path)
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    loading = {"src", "srcset", "xlink:href", "data", "action", "style"}
    assert not [attrs for _, attrs in page.tags if loading & attrs.keys()]
    links = [(tag, str(attrs["href"])) for tag, attrs in page.tags if "href" in attrs]
    assert all(tag == "a" and href.startswith(("#", "data:")) for tag, href in links)
    ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    assert {href[1:] for _, href in links if href.startswith("#")} <= ids
    assert not re.search(r"url\(|@import|https?://", text)


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "`<b>`{{ 7*7 }}"])
def test_names_tags_warnings_and_errors_are_text_and_nothing_else(night: Any, tmp_path: Path, hostile: str) -> None:
    slices = {
        "overall": {"role": "guard", "margin": 0.01, "weight": 1.0, "rows": 600},
        "dark": {"role": "target", "margin": None, "weight": 1.0, "rows": 90},
        hostile: {"role": "target", "margin": None, "weight": 1.0, "rows": 90},
    }
    study = night(candidates=(hostile, "fog"), warnings=(hostile,), tags=(hostile,), slices=slices)
    study.train({"overall": 0.8, "dark": 0.6, hostile: 0.5}).train(None)
    study.decide(hostile, "keep", 0.07, ("ADC-G001",)).open(0.6, 0.67, 0.07).finish()
    text, page = written(study, tmp_path)
    assert not {tag for tag, _ in page.tags} & {"script", "img"}
    assert "<b>out of memory</b>" not in text
    assert "<b>out of memory</b>" in page.text
    assert page.text.count(hostile) > 5


def test_a_study_that_has_only_begun_has_a_page(night: Any, tmp_path: Path) -> None:
    _, page = written(night(), tmp_path)
    assert "None of 2 candidate datasets was kept so far." in page.text
    assert "The study is not finished." in page.text
    assert "No comparison was made yet" in page.text
    assert "has not been opened yet" in page.text
    assert "fog and noise were not compared to the end yet" in page.text
    assert page.text.count("It was not compared yet") == 2


def test_an_open_test_is_shown_as_still_under_way(night: Any, tmp_path: Path) -> None:
    study = night().train({"overall": 0.8, "dark": 0.6}).decide("fog", "keep", 0.07, ("ADC-G001",))
    study.events = study.events[:-3]
    _, page = written(study, tmp_path)
    assert "its trainings are under way" in page.text
    assert "still compared" in page.text
    assert "It is being compared" in page.text


def test_a_dataset_that_passed_waits_for_the_whole_challenger(night: Any, tmp_path: Path) -> None:
    study = night().train({"overall": 0.8, "dark": 0.6})
    study.decide("fog", "keep", 0.07, ("ADC-G001",), "removal")
    study.events = study.events[:-1]
    assert "better as a whole is still to be shown" in written(study, tmp_path)[1].text
    assert "ended before the challenger it is part of was compared" in written(study.finish(), tmp_path)[1].text


def test_a_dataset_that_passed_in_a_wave_waits_for_its_second_test(night: Any, tmp_path: Path) -> None:
    study = night().train({"overall": 0.8, "dark": 0.6}).decide("fog", "keep", 0.07, ("ADC-G001",))
    study.events = study.events[:-1]
    assert "beside the one that came after it, it is not compared again yet" in written(study, tmp_path)[1].text


def test_without_a_test_set_the_page_says_what_the_numbers_are_worth(night: Any, tmp_path: Path) -> None:
    study = night(test=False).train({"overall": 0.8, "dark": 0.6}).decide("fog", "keep", 0.07, ("ADC-G001",)).finish()
    _, page = written(study, tmp_path)
    assert "There is no sealed test set" in page.text
    assert "difference on test" not in page.text


def test_a_study_that_kept_nothing_says_so(night: Any, tmp_path: Path) -> None:
    study = night().train({"overall": 0.8, "dark": 0.6}).decide("fog", "drop", -0.01, ("ADC-G020",))
    _, page = written(study.open(0.6, 0.6, 0.0).finish("budget.trainings"), tmp_path)
    assert "None of 2 candidate datasets was kept." in page.text
    assert "Nothing was kept" in page.text
    assert "did not change by more than luck explains" in page.text
    assert "The study ended early: the budget of trainings was used up." in page.text


def test_a_study_without_candidates_has_a_page(night: Any, tmp_path: Path) -> None:
    _, page = written(night(candidates=()).finish(), tmp_path)
    assert "The study has no candidate datasets." in page.text


def test_a_metric_that_falls_is_shown_in_its_own_units_and_differences_point_up(night: Any, tmp_path: Path) -> None:
    study = night(metric="rmse", kind="regression").train({"overall": -4.1, "dark": -6.25})
    study.decide("fog", "keep", 0.5, ("ADC-G001",)).open(6.25, 5.75, 0.5).finish()
    _, page = written(study, tmp_path)
    assert "rmse, is better when it is lower" in page.text
    assert "6.250 → 5.750" in page.text
    assert "dark got better: +0.500 (95% interval +0.480 to +0.520)" in page.text


def test_doubts_come_before_notes_and_before_everything_else(whole: Any, night: Any, tmp_path: Path) -> None:
    whole.events.insert(-1, whole.events[-3])
    text, page = written(whole, tmp_path)
    assert "Doubt: The sealed test set was opened 2 times." in page.text
    assert text.index("opened 2 times") < text.index("How sure is this?")

    study = night(warnings=("3 rows of fog are validation rows",)).train(None).train({"overall": 0.8, "dark": 0.6})
    study.decide("fog", "keep", 0.07, ("ADC-G040",)).open(0.6, 0.5, -0.1).finish()
    _, page = written(study, tmp_path)
    order = [
        "On the test set overall lost more than the tolerated 0.01",
        "On the test set the target dark got worse",
        "looks like a leak",
        "3 rows of fog are validation rows",
        "noise was never compared",
        "1 of 2 trainings failed",
    ]
    places = [page.text.index(words) for words in order]
    assert places == sorted(places)


def test_a_study_with_two_objectives_shows_its_front(whole: Any, night: Any, tmp_path: Path) -> None:
    text, _ = written(whole, tmp_path)
    assert "Good and cheap" not in text

    study, wide = night(), Plan.of({"base": 1.0, "fog": 1.5}, {"lr": 0.03})
    study.train({"overall": 0.8, "dark": 0.61}, "search", study.start, predict_ms=2.0)
    study.train({"overall": 0.8, "dark": 0.75}, "search", wide, predict_ms=16.0)
    study.train({"overall": 0.8, "dark": 0.74}, "search", wide, predict_ms=0.0)
    front = [
        {
            "trials": trials,
            "plan": plan.to_dict(),
            "objective": {"estimate": mean, "sd": 0.01, "observed": mean + 0.005},
            "tradeoffs": {"predict_ms": {"estimate": cost, "observed": None}},
        }
        for trials, plan, mean, cost in (([1, 2], wide, 0.745, 15.0), ([0], study.start, 0.605, 2.5))
    ]
    study.add(ev.ChallengerProposed(round=1, horizon=3, plan=wide.to_dict(), mean=0.745, sd=0.01, front=tuple(front)))
    _, page = written(study, tmp_path)
    assert "a low prediction time beside the objective" in page.text
    assert "0.745 ± 0.010 seen 0.750" in page.text
    assert "believed 0.745 at 15 ms a row, base with fog" in page.text
    assert "training 1: 0.750 at 16 ms a row" in page.text
    assert "training 2:" not in page.text.split("Good and cheap")[1].split("What was spent")[0]
    circles = [a for tag, a in page.tags if tag == "circle" and a.get("class") == "after" and a.get("r") == "4.5"]
    right, left = (float(a["cx"] or 0) for a in circles[-2:])
    assert right > left


PART = {"difference": 0.03, "low": 0.01, "high": 0.05, "slices": {"dark": {"difference": 0.03}}}


def credited(night: Any, how: str = "trained") -> Any:
    """The end of a study whose gain is split: 0.9 was promised."""
    parts = dict.fromkeys(("total", "data", "hyperparameters", "interaction"), PART)
    worth = {"fog": {"difference": 0.02, "low": -0.01, "high": 0.05, "how": "model"}}
    account = {"how": how, "seeds": 3 if how == "trained" else 0, **parts, "datasets": worth}
    account["against_tuned_start"] = {"difference": 0.025, "low": 0.01, "high": 0.04, "settings": {}, "how": "model"}
    return night.add(ev.GainCredited(horizon=0, credit=account, estimate={"mean": 0.9, "sd": 0.012}))


def test_the_gain_is_split_and_the_promise_held_against_the_measurement(whole: Any, tmp_path: Path) -> None:
    _, page = written(credited(whole), tmp_path)
    assert "data alone +0.030, settings alone +0.030" in page.text
    assert "with 3 seeds that no decision had seen" in page.text
    assert "the search had promised 0.900 ± 0.012" in page.text
    assert "+0.025" not in page.text
    assert "Against the test," in page.text
    assert "believed" in page.text


def test_a_gain_that_was_not_measured_is_told_as_a_belief(whole: Any, tmp_path: Path) -> None:
    _, page = written(credited(whole, "model"), tmp_path)
    assert "believe them less than a measurement" in page.text


def test_without_an_account_there_is_no_section_of_it(whole: Any, tmp_path: Path) -> None:
    _, page = written(whole, tmp_path)
    assert "What brought the gain" not in page.text


def test_what_cheap_trainings_were_worth_is_told() -> None:
    asked = {"low": 0.25, "pairs": 8, "least_correlation": 0.8, "measured": True, "correlation": 0.5, "plans": 8}
    found = {**asked, "interval": [-0.3, 0.88], "used": False, "cheap_trainings": 8}
    assert "correlation 0.50 (95% interval -0.30 to 0.88), 0.8 was asked" in cheap({"search": {"fidelity": found}})
    assert "every later training was a full one" in cheap({"search": {"fidelity": found}})
    assert "40 were cheap" in cheap({"search": {"fidelity": {**found, "used": True, "cheap_trainings": 40}}})
    assert cheap({"search": {"fidelity": None}}) == ""


def test_what_was_asked_with_others_was_compared(night: Any, tmp_path: Path) -> None:
    study = night().train(None).together(("fog", "noise"), "undecided", -0.01, ("ADC-G112",), purpose="harm").finish()
    _, page = written(study, tmp_path)
    assert "asked together, and nothing was shown" in page.text
    assert "never compared" not in page.text
