"""What is drawn of a finding: densities with the rule's range, categories, and how much each of two conditions has."""

from __future__ import annotations

import json

import numpy as np
import pytest

from autodc.diagnose.failure_positions import lying
from autodc.diagnose.rule import Among, Missing, Range, Rule
from autodc.report.densities import drawn_lying
from autodc.testing.finder_contract import view_of

COLD = Range(attribute="heat", high=-5.0)


def test_the_range_of_a_rule_holds_the_share_that_the_rows_have() -> None:
    view = view_of(1500)
    seen = lying(view, Rule((COLD,)))
    assert seen is not None
    (heat,) = seen.along
    mask = view.attributes["heat"].to_numpy() < -5
    assert heat.inside == pytest.approx((mask[view.failed].mean(), mask[~view.failed].mean()))
    assert (heat.low, heat.high) == (None, -5.0)
    assert sum(heat.failing) == pytest.approx(1)
    assert sum(heat.passing) == pytest.approx(1)
    told = drawn_lying(json.loads(json.dumps(seen.to_dict())))
    (drawn,) = told["along"]
    assert drawn["band"]["x"] == drawn["left"]
    assert drawn["marks"][0]["words"] == "−5"
    assert f"heat below -5: {mask[view.failed].mean():.0%} of failing" in drawn["words"]
    assert told["map"] is None
    assert told["parts"] == []


def test_of_two_conditions_each_part_is_told_and_a_map_is_drawn() -> None:
    view = view_of(1500)
    frame = view.attributes.assign(hour=np.arange(1500) % 24)
    view = type(view)(**{**{name: getattr(view, name) for name in view.__slots__}, "attributes": frame})
    seen = lying(view, Rule((COLD, Range(attribute="hour", low=3.0, high=9.0))))
    assert seen is not None
    cold, early = frame["heat"].to_numpy() < -5, frame["hour"].between(3, 8).to_numpy()
    masks = [cold & early, cold & ~early, ~cold & early, ~cold & ~early]
    assert [one.rows for one in seen.parts] == [int(m.sum()) for m in masks]
    assert [one.error for one in seen.parts] == pytest.approx([view.error[m].mean() for m in masks])
    told = drawn_lying(json.loads(json.dumps(seen.to_dict())))
    assert told["map"]["image"].startswith("data:image/png;base64,")
    assert [one["name"] for one in told["parts"]] == [
        "both",
        "only heat below -5",
        "only hour at least 3 and below 9",
        "neither",
    ]


def test_categories_and_gaps_are_shares_and_what_the_rule_asks_is_marked() -> None:
    view = view_of(900)
    seen = lying(view, Rule((Among(attribute="indoors", values=(True,)), Missing(attribute="wind"))))
    assert seen is not None
    indoors, wind = seen.along
    assert indoors.chosen == ("true",)
    assert sum(indoors.failing) == pytest.approx(1)
    assert wind.chosen == ("(missing)",)
    assert seen.together is None
    told = drawn_lying(json.loads(json.dumps(seen.to_dict())))
    assert [row["value"] for row in told["along"][0]["rows"] if row["chosen"]] == ["true"]


def test_a_number_of_a_few_values_is_told_value_by_value() -> None:
    view = view_of(900)
    frame = view.attributes.assign(line=np.where(np.arange(900) % 3 == 0, 1.0, 0.0))
    view = type(view)(**{**{name: getattr(view, name) for name in view.__slots__}, "attributes": frame})
    seen = lying(view, Rule((Range(attribute="line", low=1.0),)))
    assert seen is not None
    (line,) = seen.along
    assert (line.values, line.chosen, line.edges) == (("0", "1"), ("1",), ())
    assert line.failing[1] == pytest.approx(frame["line"][view.failed].mean())


def test_a_cluster_without_a_rule_is_drawn_over_its_causes_and_nothing_over_nothing() -> None:
    view = view_of(600)
    seen = lying(view, Rule(()), ["heat"])
    assert seen is not None
    assert seen.along[0].inside is None
    assert drawn_lying(seen.to_dict())["along"][0]["band"] is None
    assert lying(view, Rule(())) is None
    assert lying(view.take(~view.failed), Rule((COLD,))) is None
    assert lying(view, Rule(()), ["always"]) is None
