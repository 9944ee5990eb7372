"""Failures are learnt from validation, probabilities hold on new rows, and the estimate knows what it cannot know."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodc.diagnose.shadow import mine as mining
from autodc.diagnose.shadow.beyond import beyond
from autodc.diagnose.shadow.columns import Columns
from autodc.diagnose.shadow.conditions import PREDICTED, found_before, gatherings, which
from autodc.diagnose.shadow.drift import domain, moved, shares
from autodc.diagnose.shadow.estimate import estimate, rosiness
from autodc.diagnose.shadow.failure import FailureModel, auroc
from autodc.diagnose.shadow.features import Layout
from autodc.diagnose.shadow.mine import Learned, StreamFeatures, mine
from autodc.diagnose.unlabelled import Unlabelled
from autodc.errors import DataError

Array = np.ndarray[Any, Any]


def rows(count: int, seed: int, night: float = 0.2) -> tuple[pd.DataFrame, Array, Array]:
    """Attributes, how sure the model is, and whether it fails: at night four times as often, sure or not."""
    r = np.random.default_rng(seed)
    dark = r.random(count) < night
    frame = pd.DataFrame(
        {
            "light": np.where(dark, r.uniform(0, 0.3, count), r.uniform(0.3, 1, count)),
            "place": r.choice(["north", "south"], count),
            "heat": np.where(r.random(count) < 0.1, np.nan, r.normal(15, 8, count)),
        }
    )
    sure = r.normal(0, 1, count)
    failed = r.random(count) < np.where(dark, 0.6, 0.1) * (1.3 - 0.3 * np.tanh(sure))
    return frame, sure, failed


def features(columns: Columns, frame: pd.DataFrame, sure: Array) -> Array:
    return np.concatenate([sure[:, None], columns.encode(frame)], axis=1).astype(np.float32)


@pytest.fixture(scope="module")
def known() -> tuple[Columns, Array, Array, FailureModel]:
    frame, sure, failed = rows(2500, 1)
    columns = Columns.shared(frame, frame)
    x = features(columns, frame, sure)
    return columns, x, failed, FailureModel.fit(x, failed, np.arange(2500), np.array([False, False, True, False]), 0)


MET = np.array([False, True, True, True])


@pytest.mark.slow
def test_probabilities_of_failure_hold_on_new_rows(known: Any) -> None:
    columns, _, _, model = known
    frame, sure, failed = rows(20_000, 2)
    found = model.predict(features(columns, frame, sure))
    assert auroc(failed, found) > 0.75 > auroc(failed, -sure)  # type: ignore[operator]
    for low, high in ((0.0, 0.15), (0.15, 0.5), (0.5, 1.0)):
        inside = (found >= low) & (found < high)
        assert abs(found[inside].mean() - failed[inside].mean()) < 0.05


@pytest.mark.slow
def test_rows_of_one_group_are_in_one_fold() -> None:
    _, sure, _ = rows(600, 3)
    r = np.random.default_rng(0)
    patient = np.repeat(np.arange(60), 10)
    failed = np.repeat(r.random(60) < 0.3, 10)  # whole patients fail, and nothing else tells it but who they are
    x = np.stack([patient, sure], axis=1).astype(np.float32)
    alone = FailureModel.fit(x, failed, np.arange(600), np.zeros(2, bool), 0)
    whole = FailureModel.fit(x, failed, patient, np.zeros(2, bool), 0)
    assert alone.auroc is not None
    assert whole.auroc is not None
    assert alone.auroc > 0.9
    assert whole.auroc < 0.75


def test_too_few_failures_give_the_rate_of_validation_and_no_more() -> None:
    frame, sure, _ = rows(400, 4)
    failed = np.zeros(400, bool)
    failed[:3] = True
    columns = Columns.shared(frame, frame)
    x = features(columns, frame, sure)
    model = FailureModel.fit(x, failed, np.arange(400), np.zeros(4, bool), 0)
    assert model.auroc is None
    assert np.allclose(model.predict(x), 3.5 / 401)


def test_how_well_confidence_tells_failures_is_no_other_way_round_where_they_are_few() -> None:
    sure = np.linspace(-2, 2, 400).astype(np.float32)
    failed = np.zeros(400, bool)
    failed[[0, 2, 5]] = True  # where it is least sure
    model = FailureModel.fit(sure[:, None], failed, np.arange(400), np.zeros(1, bool), 0)
    assert model.auroc is None
    assert model.auroc_of_confidence == auroc(failed, -sure)
    assert model.auroc_of_confidence > 0.99  # type: ignore[operator]
    nothing = FailureModel.fit(np.zeros((400, 0)), failed, np.arange(400), np.zeros(0, bool), 0)
    assert nothing.auroc_of_confidence is None


@pytest.mark.slow
@pytest.mark.parametrize("night", [0.2, 0.6])
def test_the_estimate_of_a_stream_holds_though_it_has_more_nights(known: Any, night: float) -> None:
    columns, x, failed, model = known
    frame, sure, truth = rows(10_000, 5, night)
    stream = features(columns, frame, sure)
    apart = domain(x[:, MET], stream[:, MET], np.array([False, True, False]), 0)
    rosy = rosiness(x, MET, failed, np.array([False, False, True, False]), 0)
    found = estimate(model, failed, apart.known, model.predict(stream), apart.sampled, rosy)
    assert found.low <= truth.mean() <= found.high
    assert found.high - found.low < 0.12
    assert apart.differs == (night > 0.2)
    if night > 0.2:
        same = estimate(model, failed, np.ones(len(failed)), model.predict(x), np.ones(len(failed)), rosy)
        assert found.counting < same.counting
        assert found.high - found.low > same.high - same.low


@pytest.mark.slow
def test_the_interval_widens_and_warns_where_validation_has_no_such_rows(known: Any) -> None:
    columns, x, failed, model = known
    frame, sure, _ = rows(5000, 6)
    new = frame.assign(heat=np.where(np.arange(5000) < 1500, 90.0, frame.heat))
    rosy = rosiness(x, MET, failed, np.array([False, False, True, False]), 0)
    found = {}
    for name, one in (("known", frame), ("new", new)):
        stream = features(columns, one, sure)
        apart = domain(x[:, MET], stream[:, MET], np.array([False, True, False]), 0)
        away = beyond(x[:, MET], stream[:, MET], apart.known, np.array([False, True, False]), 0)
        found[name] = estimate(model, failed, apart.known, model.predict(stream), apart.sampled, rosy, away)
    assert found["known"].new < 0.02
    assert not found["known"].warned
    assert found["new"].new > 0.15
    assert found["new"].warned
    assert found["new"].high - found["new"].low > 1.1 * (found["known"].high - found["known"].low)


@pytest.mark.slow
def test_what_is_new_is_told_from_what_is_only_more_common(known: Any) -> None:
    columns, x, _, _ = known
    categorical = np.array([False, True, False])

    def new_in(frame: pd.DataFrame, seed: int) -> float:
        stream = features(columns, frame, np.zeros(len(frame)))[:, MET]
        weight = domain(x[:, MET], stream, categorical, seed).known
        return beyond(x[:, MET], stream, weight, categorical, seed)

    for seed in range(3):
        assert new_in(rows(4000, 20 + seed)[0], seed) < 0.02
        assert new_in(rows(4000, 30 + seed, night=0.6)[0], seed) < 0.02
    frame = rows(4000, 40)[0]
    assert new_in(frame.assign(heat=np.where(np.arange(4000) < 800, 70.0, frame.heat)), 0) == pytest.approx(
        0.2, abs=0.04
    )


def test_findings_of_the_study_are_conditions_of_their_own_and_the_prediction_stands_in_for_no_label() -> None:
    frame, _, failed = rows(1500, 13)
    said = np.where(np.arange(1500) % 3 == 0, "cat", "dog")
    of_class = {"where": "place = 'south'", "predicted": ["cat"], "rows": 9, "precision": 0.5, "reached": 0.5}
    findings = {
        "F1": Unlabelled.of("light < 0.3", {}),
        "F2": Unlabelled.of("place = 'south' AND target = 'dog'", {"unlabelled": of_class}),
        "F3": Unlabelled.of("gone > 2", {}),
        "F4": Unlabelled.of("heat > 1000", {}),
        "F5": Unlabelled.of("target = 'dog'", {"slice": "dogs"}),
        "F6": Unlabelled.of("badge = 'x'", {}),
    }
    stream = frame.assign(**{PREDICTED: said})
    known = stream.assign(badge="x")
    found, left = found_before(findings, Columns.shared(known, frame), known, failed)
    assert [one.finding for one in found] == ["F1", "F2"]
    assert left.keys() == {"F3", "F5", "F6"}  # of F4 there is no row, of F6 the stream has no column
    assert found[1].predicted == ("cat",)
    at = which(tuple(one.rule for one in found), stream)
    np.testing.assert_array_equal(at == 0, frame.light < 0.3)
    np.testing.assert_array_equal(at == 1, (said == "cat") & (frame.place == "south") & ~(frame.light < 0.3))


def test_a_rule_that_a_batch_cannot_be_asked_holds_in_none_of_its_rows_and_is_told() -> None:
    frame, _, failed = rows(300, 14)
    stream = frame.assign(**{PREDICTED: "cat"})
    findings = {"F1": Unlabelled(where="place = 'south'"), "F2": Unlabelled(where="light < 0.3")}
    found, _ = found_before(findings, Columns.shared(frame, frame), stream, failed)
    rules, unread = [one.rule for one in found], dict[int, str]()
    numbers = stream.assign(place=3.5)
    with pytest.raises(DataError, match="ADC-DATA-034"):
        which(rules, numbers)
    at = which(rules, numbers, unread)
    np.testing.assert_array_equal(at == 1, frame.light < 0.3)
    assert not (at == 0).any()
    assert unread == {0: "`where` cannot be evaluated"}


def test_drift_names_what_moved_and_stays_quiet_where_nothing_did() -> None:
    frame, _, _ = rows(4000, 7)
    columns = Columns.shared(frame, frame)
    for seed in range(3):
        same, _, _ = rows(4000, 70 + seed)
        assert moved(columns, columns.encode(frame), columns.encode(same)) == ()
        assert shares(columns, columns.encode(frame), columns.encode(same), "validation") == ()
    other, _, _ = rows(4000, 8, night=0.45)
    other["place"] = np.where(np.arange(4000) % 4 == 0, "harbour", other.place)
    found = moved(columns, columns.encode(frame), columns.encode(other))
    assert {one.attribute for one in found} == {"light", "place"}
    told = {one.attribute: one for one in found}["place"]
    assert told.value == "(another)"
    assert told.stream == pytest.approx(0.25, abs=0.01)
    said = [one.to_dict() for one in shares(columns, columns.encode(frame), columns.encode(other), "validation")]
    night = next(one for one in said if one["says"].startswith("light <"))
    assert night["verb"] == "under-represents"
    assert night["factor"] == pytest.approx(0.45 / 0.2, rel=0.15)


def test_gatherings_are_rules_that_say_where_it_fails() -> None:
    frame, _, failed = rows(3000, 9)
    failed = failed | ((frame.place == "south") & (frame.light > 0.8)).to_numpy()
    found = gatherings(Columns.shared(frame, frame), frame, failed, 0)
    assert found
    for one in found:
        inside = one.rule.mask(frame)
        assert inside.sum() == one.rows
        assert failed[inside].mean() == pytest.approx(one.failures)
        assert one.failures > 1.25 * failed.mean()
    assert any("place = 'south'" in one.rule.sql and "light >=" in one.rule.sql for one in found)


@pytest.mark.slow
def test_the_estimate_is_the_same_where_only_some_rows_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Validation rows that are not in the sample are as common in the stream as those that are."""
    frame, sure, failed = rows(3000, 11)
    failed = failed | (np.isnan(frame.heat) & (np.random.default_rng(0).random(3000) < 0.5)).to_numpy()
    columns = Columns.shared(frame, frame)
    layout = Layout(proxies=("log-odds",), columns=columns, coordinates=0, predicted=None)
    learned = Learned.of(
        features(columns, frame, sure), layout, frame, np.arange(3000), failed, np.arange(3000), seed=0
    )
    other, certain, _ = rows(4000, 12, night=0.6)
    made = features(columns, other, certain)
    nothing = np.zeros(4000, dtype=np.int16)
    seen = StreamFeatures(
        features=made,
        failure=learned.model.predict(made),
        content=np.arange(4000),
        condition=nothing - 1,
        predicted=nothing,
    )
    whole = mine(learned, seen, 10, {}, seed=0).estimate
    monkeypatch.setattr(mining, "MOST", 1500)
    part = mine(learned, seen, 10, {}, seed=0).estimate
    assert part.counting == pytest.approx(whole.counting, rel=0.2)
    assert part.estimate == pytest.approx(whole.estimate, abs=0.02)
