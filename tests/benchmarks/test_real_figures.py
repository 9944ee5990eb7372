"""What the page of the real cases counts, on nights made up; peers that spend what they have on a case made up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodc.plan.plan import Plan
from benchmarks.real.case import Case, Rows, Term
from benchmarks.real.figures import Summary, told
from benchmarks.real.learners import KERNEL_SPACE, kernel
from benchmarks.real.night import Ground, night
from benchmarks.real.page import page
from benchmarks.real.peers import PEERS, answer
from benchmarks.real.reference import classified, difference, shares
from benchmarks.real.store import Store, key

REFERENCE = {
    "candidates": {
        name: {"alone": [1.0, 0.1], "in_all": [1.0, 0.1], "beside": [1.0, 0.1], "class": kind}
        for name, kind in (("good", "helps"), ("bad", "harms"), ("twin", "redundant"), ("vain", "useless"))
    },
    "base_tuned": 1.0,
    "everything_tuned": 2.0,
    "best_tuned": 2.5,
    "best": ["good"],
}


def record(end: float, **result: list[str]) -> dict[str, Any]:
    """A night that starts at .6 and prints a gain of .05."""
    verdicts = {"kept": [], "dropped": [], "undecided": [], **result}
    values = {"before": {"t": 0.6}, "after": {"t": 0.65}}
    return {
        "case": "made",
        "seed": 0,
        "digest": "d",
        "budget": 120,
        "spent": 100,
        "metric": "accuracy",
        "targets": ["t"],
        "points": 100.0,
        "held": {"start": 0.6, "end": end},
        "result": {**verdicts, "validation": values},
    }


def peer(name: str, held: float, digest: str = "d") -> dict[str, Any]:
    return {"peer": name, "seed": 0, "digest": digest, "after": {"120": {"held": held}}}


def test_a_night_is_held_against_the_best_of_its_peers() -> None:
    peers = [peer("base", 0.61), peer("everything", 0.66), peer("random", 0.9), peer("tpe", 0.9, digest="other rows")]
    one = Summary(nights=[told(record(0.65), peers, REFERENCE)])
    assert one.rival == ("everything", pytest.approx(6.0))
    assert one.ahead == pytest.approx(-1.0)
    assert one.worst("base") == pytest.approx(4.0)
    assert one.behind("everything") == (1, 1)
    assert one.peer("tpe") is None
    assert one.optimism == pytest.approx(0.0)


def test_what_is_decided_is_right_where_the_reference_says_so() -> None:
    good = told(record(0.65, kept=["good", "twin"], dropped=["bad", "vain"]), [], REFERENCE)
    bad = told(record(0.65, kept=["bad"], dropped=["good", "twin"], undecided=["vain"]), [], REFERENCE)
    assert good.right == dict.fromkeys(("good", "twin", "bad"), True)
    assert bad.right == {"bad": False, "good": False, "twin": True}
    both = Summary(nights=[good, bad])
    assert both.decided == pytest.approx(7 / 8)
    assert both.right == pytest.approx(4 / 6)


def test_the_page_has_every_night_and_says_what_was_not_measured() -> None:
    nights = [told(record(0.65, kept=["good"]), [peer("base", 0.61)], REFERENCE)]
    text = page(nights, [], {"made": REFERENCE}, {"made": "made up"}, 60.0)
    assert "| made 0 | 100 | +5.00 | +1.00 | – | – | – | – | – | good | – | – |" in text
    assert "| worst night against the tuned base | ≥ −0.3 | +4.00 |" in text
    assert "| good | +1.00 ± 0.10 | +1.00 ± 0.10 | +1.00 ± 0.10 | helps | 1 | 0 | 0 |" in text


@pytest.mark.parametrize(
    ("alone", "beside", "kind"),
    [
        ((1.0, 0.1), (0.5, 0.1), "helps"),
        ((1.0, 0.1), (0.1, 0.1), "redundant"),
        ((1.0, 0.1), (-0.5, 0.1), "harms"),
        ((0.1, 0.1), (0.1, 0.1), "useless"),
        ((1.0, 0.6), (0.5, 0.3), "unclear"),
    ],
)
def test_a_class_says_what_a_candidate_adds_beside_the_best(
    alone: tuple[float, float], beside: tuple[float, float], kind: str
) -> None:
    assert classified(alone, beside) == kind


def test_a_difference_knows_the_rows_also_where_the_learner_is_deterministic(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    case = small(monkeypatch, tmp_path).case
    rng, share = np.random.default_rng(3), shares(case)
    rows = rng.choice([-1.0, 0.0, 1.0], len(case.held), p=[0.1, 0.6, 0.3])
    odd = rows[case.held.meta["odd"] == 1]
    mean, error = difference(case, np.stack([rows, rows]), share)
    assert mean == pytest.approx(odd.mean(), abs=1e-3)
    assert error == pytest.approx(odd.std() / np.sqrt(len(odd)), abs=1e-3)


def test_a_training_is_kept_by_what_it_depends_on(tmp_path: Path) -> None:
    made = []

    def make() -> Any:
        made.append(1)
        return np.array([[0.25, 0.75]])

    plan, store = Plan.of({}, {"a": 1}), Store(tmp_path / "kept.sqlite")
    first = store.array(key("x", plan, 3), make)
    again = Store(tmp_path / "kept.sqlite").array(key("x", plan, 3), make)
    assert np.array_equal(first, again)
    assert len(made) == 1
    _ = store.array(key("x", Plan.of({}, {"a": 2}), 3), make)
    assert len(made) == 2


def small(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Ground:
    """A case in which one candidate has the class that the base lacks, and another has its labels turned round."""
    monkeypatch.setenv("AUTODC_BENCH_DATA", str(folder))
    rng = np.random.default_rng(2)

    def rows(count: int, odd: float, turned: bool = False) -> Rows:
        side = (rng.random(count) < odd).astype(np.int64)
        y = rng.integers(0, 2, count)
        x = rng.normal(0, 0.5, (count, 4)) + np.column_stack([2.0 * y, 4.0 * side, -2.0 * y * side, 0.0 * y])
        labels = 1 - y if turned else y
        return Rows(x=x.astype(np.float32), y=labels, meta=pd.DataFrame({"odd": side, "even": 1 - side}))

    case = Case(
        name="made",
        title="made up",
        kind="classification",
        metric="accuracy",
        terms=(Term(name="even", role="guard", margin=0.05), Term(name="odd", role="target")),
        space=KERNEL_SPACE,
        learner=kernel,
        base=rows(60, 0.0),
        candidates={"cure": rows(60, 1.0), "turned": rows(60, 1.0, turned=True)},
        pool=rows(800, 0.5),
        tune=rows(100, 0.5),
        held=rows(400, 0.5),
        rows=600,
        classes=2,
    )
    return Ground(case=case, seed=0)


@pytest.mark.parametrize("name", [name for name in PEERS if name != "gp"])
def test_a_peer_spends_its_trainings_and_takes_what_it_saw_be_best(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    ground = small(monkeypatch, tmp_path)
    trained = PEERS[name][1](ground, 12, 5)
    assert len(trained) == 12
    assert answer(trained) in [plan for plan, value in trained if value == max(v for _, v in trained)]
    added = {plan.mixture.added for plan, _ in trained}
    assert name not in ("base", "everything") or added == {() if name == "base" else ("cure", "turned")}


@pytest.mark.slow
def test_a_night_is_the_products_own_study(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ground = small(monkeypatch, tmp_path)
    found = night(ground.case, 0, 60)
    assert found["result"]["finished"]
    assert found["spent"] <= 60
    assert "turned" not in found["result"]["kept"]
    assert set(found["plan"]["mixture"]) <= {"base", "cure"}
    assert found["held"]["end"] > found["held"]["start"] + 0.05
