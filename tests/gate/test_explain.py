from __future__ import annotations

import json
from dataclasses import replace

from autodc.gate.types import Look, Settling, SliceLook
from autodc.review.explain import advice, explain


def seen(z: float, bound: float | None, pairs: int = 1, gained: str = "not_shown") -> SliceLook:
    return SliceLook(
        role="target",
        difference=0.01,
        low=-0.02,
        high=0.04,
        rows=90,
        pairs=pairs,
        standard_error=0.02,
        df=3.0,
        z=z,
        bound=bound,
        declared=True,
        gained=gained,
    )


def told(dark: SliceLook, objective: SliceLook | None = None) -> str:
    whole = objective or seen(0.5, 94.0, gained="improved")
    look = Look(
        pairs=dark.pairs,
        verdict="drop",
        reasons=("ADC-G020",),
        slices={"dark": dark, "wet": dark},
        objective=whole,
        alpha=0.02,
    )
    return explain(look, "fog")


def test_a_bound_nobody_can_picture_is_told_as_too_few_pairs() -> None:
    text = told(seen(0.1, 3240.2))
    assert "0.1 times its noise: one pair can show only a far larger gain." in text
    assert "3240" not in text
    assert "2 pairs can show only" in told(seen(0.1, 50.0, pairs=2))


def test_a_bound_that_was_crossed_or_is_near_is_a_number() -> None:
    assert "30.0 times its noise (standard error) where 25.0 times were needed." in told(seen(30.0, 25.0))
    assert "0.1 times its noise (standard error) where 6.8 times were needed." in told(seen(0.1, 6.8))


def test_the_targets_together_are_told_by_what_was_found_of_them() -> None:
    text = told(seen(0.1, 6.8))
    assert "The weighted mean of the targets: +0.01 (95% sure of -0.02 or better), better." in text
    assert "94.0" not in text


def test_an_interval_without_ends_is_not_told_in_numbers() -> None:
    blank = replace(seen(0.0, None), low=None, high=None)
    assert "+0.01, with no interval that could be told." in told(blank)


def test_only_the_telling_targets_are_told_in_full() -> None:
    """What improved; where nothing did, what came nearest. The others in passing, rounding errors as nothing."""
    near, far = seen(1.4, 6.8), replace(seen(-0.3, 6.8), difference=-4.8e-18)
    look = Look(
        pairs=3,
        verdict="drop",
        reasons=("ADC-G020",),
        slices={"dark": far, "wet": near, "fog": far},
        objective=near,
        alpha=0.02,
    )
    text = explain(look, "rain")
    assert "On `wet` (90 rows) the difference is +0.01" in text
    assert "On `dark`" not in text
    assert "Not shown to gain: `dark` 0, `fog` 0." in text
    kept = replace(look, verdict="keep", slices={"dark": near, "wet": replace(near, gained="improved")})
    assert "On `wet`" in explain(kept, "rain")
    assert "Not shown to gain: `dark` +0.01." in explain(kept, "rain")


def test_what_would_settle_it_is_kept_as_numbers_and_told_in_words() -> None:
    pairs = Settling(name="dark", pairs=12, rows=None, pairs_now=5, rows_now=90, pairs_at_most=8)
    both = replace(pairs, name="objective", rows=400)
    never = replace(pairs, name="wet", pairs=None)
    dark = seen(1.4, 6.8)
    look = Look(pairs=5, verdict=None, reasons=(), slices={"dark": dark}, objective=dark, alpha=0.02)
    told = replace(look, settling=(pairs, both, never))
    assert advice(told) == (
        "`dark` would be settled by about 12 pairs instead of 5, if the difference is what it seems. "
        "The objective would be settled by about 12 pairs instead of 5 or about 400 rows instead of 90 at 8 pairs, "
        "if the difference is what it seems. "
        "`wet` cannot be settled by a reasonable number of rows or pairs at the difference seen."
    )
    assert Look.from_dict(json.loads(json.dumps(told.to_dict()))) == told
    assert advice(replace(look, unmeasured=("fog",))) == "Not measured: fog."
    assert advice(look) == ""


def test_a_look_of_an_older_journal_still_tells_its_advice() -> None:
    dark = seen(1.4, 6.8)
    old = Look(pairs=5, verdict="undecided", reasons=(), slices={"dark": dark}, objective=dark, alpha=0.02).to_dict()
    del old["settling"], old["unmeasured"]
    words = "`dark` would be settled by about 12 pairs instead of 5, if the difference is what it seems."
    assert advice(Look.from_dict({**old, "advice": words})) == words
