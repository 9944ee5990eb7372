"""The maker searches a generator's parameters by what was failed on; the proposer learns from what became of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodc.diagnose.finding import Finding, Gap
from autodc.propose.generate import Past, most_rows, proposals
from autodc.propose.made import Made
from autodc.propose.parameter_search import chosen
from autodc.propose.parameters import declared, narrowed, spread
from autodc.studyfile.study import GeneratorSpec
from autodc.table import Table
from autodc.trial.call import CallError
from autodc.wire.makers_generate import generate
from tests.propose.generating import SENSOR, call, digit_parts, digits, made, part, sensor_parts, sensors

Array = np.ndarray[Any, Any]
RANGES = {"night": {"type": "float", "low": 0.0, "high": 1.0}, "cold": {"type": "float", "low": 0.0, "high": 1.0}}
IMAGE = ("rotation", "brightness", "noise", "blur")


def dark(x: Array, rng: np.random.Generator) -> Array:
    return np.asarray(x * rng.uniform(0.1, 0.25, (len(x), 1, 1)))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "gen.py").write_text(SENSOR)
    return tmp_path


@pytest.mark.slow
def test_a_simulator_makes_the_rows_that_are_failed_on(home: Path) -> None:
    asked = call(home, sensor_parts("night", home), generator="gen.py:Sensor", classes=[0, 1], rule="hour < 6")
    found, facts = made(asked)
    assert facts["parameters"]["night"][0] > 0.6
    assert facts["inside"] > 0.8
    assert facts["sure"] > 3 * facts["rate"]
    assert len(found.x) == len(found.y) == 200
    assert found.x.dtype == np.float32
    assert (np.asarray(found.origin.position) == -1).all()
    low, high = facts["parameters"]["night"]
    assert all(low <= night <= high for night in found.origin.changed["night"])


@pytest.mark.slow
def test_pictures_are_changed_in_what_is_failed_on_and_in_nothing_else(home: Path) -> None:
    parts, _ = digit_parts(dark, home, lambda frame: frame["brightness"] < 0.12)
    asked = call(
        home, parts, name="p", generator="image", options={"vary": IMAGE}, attributes=["image"], classes=[*range(10)]
    )
    found, facts = made(asked)
    low, high = facts["parameters"]["brightness"]
    assert 0.1 <= low < high < 0.5
    assert facts["parameters"] | {"brightness": 0} == {
        "rotation": [0, 0],
        "brightness": 0,
        "noise": [0, 0],
        "blur": [0, 0],
    }
    x, y = digits()
    parents = np.asarray(found.origin.position)
    assert (y[:900][parents] == found.y).all()
    factors = np.array(found.origin.changed["brightness"])
    assert np.allclose(np.asarray(found.x), x[:900][parents] * factors[:, None, None], atol=1e-6)


@pytest.mark.slow
def test_the_same_call_makes_the_same_rows(home: Path) -> None:
    parts = sensor_parts("cold", home)
    one, other = (made(call(home, parts, generator="gen.py:Sensor", classes=[0, 1])) for _ in range(2))
    assert np.array_equal(one[0].x, other[0].x)
    assert one[1] == other[1]


@pytest.mark.slow
def test_without_rows_that_were_looked_at_the_whole_range_is_made(home: Path) -> None:
    told = {
        "generator": "gen.py:Sensor",
        "classes": [0, 1],
        "parameters": {"night": 1.0, "cold": [0.0, 0.2]},
        "rows": 50,
    }
    found, facts = made(call(home, sensor_parts("night", home)[:1], **told))
    assert facts["parameters"]["night"] == [1.0, 1.0]
    assert "sure" not in facts
    assert (found.metadata["hour"] < 6).all()


@pytest.mark.slow
def test_labels_are_given_as_the_user_writes_them(home: Path) -> None:
    own = SENSOR + (
        "\nclass Named(Sensor):\n    def generate(self, p, rows, seed):\n"
        "        x, y, m = super().generate(p, rows, seed)\n        return x, ['up' if v else 'down' for v in y], m\n"
    )
    (home / "own.py").write_text(own)
    told = {"generator": "own.py:Named", "rows": 30}
    found, _ = made(call(home, sensor_parts("night", home)[:1], classes=["up", "down"], **told))
    plain, _ = made(call(home, sensor_parts("night", home)[:1], classes=[1, 0], generator="gen.py:Sensor", rows=30))
    assert found.y.tolist() == plain.y.tolist()
    with pytest.raises(CallError) as caught:
        generate(call(home, sensor_parts("night", home)[:1], classes=["high", "low"], **told))
    assert caught.value.code == "ADC-PROP-020"


@pytest.mark.parametrize("same", [True, False])
def test_a_generator_that_ignores_its_parameters_is_told(home: Path, same: bool) -> None:
    """The same rows are refused; other rows that measure the same are told."""
    deaf = SENSOR + (
        "\nclass Deaf(Sensor):\n    def generate(self, p, rows, seed):\n"
        "        x, y, _ = super().generate({'night': 0, 'cold': 0}, rows, seed)\n"
        f"        return x + {0.0 if same else 1.0} * p['night'], y, None\n"
    )
    (home / "deaf.py").write_text(deaf)
    asked = call(home, sensor_parts("night", home)[:1], generator="deaf.py:Deaf", classes=[0, 1], rows=20)
    if same:
        with pytest.raises(CallError) as caught:
            generate(asked)
        assert caught.value.code == "ADC-PROP-021"
        assert "night 1.0" in caught.value.got
    else:
        assert "attributes" in made(asked)[1]["warnings"][0]


@pytest.mark.slow
def test_a_generator_that_cannot_meet_a_finding_is_refused(home: Path) -> None:
    asked = {"generator": "gen.py:Sensor", "classes": [0, 1], "parameters": {"night": 0.0, "cold": [0.0, 0.05]}}
    with pytest.raises(CallError) as caught:
        generate(call(home, sensor_parts("night", home), **asked))
    assert caught.value.code == "ADC-PROP-024"


@pytest.mark.slow
@pytest.mark.parametrize("vary", ["noise", "rotation", "blur"])
def test_pictures_of_another_condition_are_refused(home: Path, vary: str) -> None:
    """Dark ones are failed on: nothing but light makes rows that are near enough to them."""
    parts, _ = digit_parts(dark, home, lambda frame: frame["brightness"] < 0.12)
    with pytest.raises(CallError) as caught:
        generate(call(home, parts, generator="image", options={"vary": [vary]}, attributes=["image"]))
    assert caught.value.code == "ADC-PROP-024"


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"generator": "image"}, "ADC-PROP-022"),
        ({"generator": "text"}, "ADC-PROP-022"),
        ({"generator": "table", "options": {"vary": ["steps"]}}, "ADC-PROP-014"),
        ({"generator": "gen.py:Sensor", "parameters": {"rain": 1}}, "ADC-PROP-013"),
        ({"generator": "gen.py:Sensor", "parameters": {"night": [0, 2]}}, "ADC-PROP-013"),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_made(home: Path, told: dict[str, Any], code: str) -> None:
    asked = call(home, sensor_parts("night", home)[:1], classes=[0, 1], **told)
    with pytest.raises(CallError) as caught:
        generate(asked)
    assert caught.value.code == code
    assert not list(asked.out.iterdir())


@pytest.mark.slow
def test_rows_of_a_table_come_of_parents_that_are_like_failures(home: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"age": rng.integers(18, 90, 700), "pay": rng.normal(30, 8, 700)})
    y = (frame["pay"] > 30).to_numpy().astype(int)
    x = Table.of("table", frame, ["integer", "number"])
    old = (frame["age"] > 65).to_numpy()
    looked = frame.assign(_failed=old & (rng.random(700) < 0.6), _inside=old)
    parts = [part("base", x, y, pd.DataFrame(index=range(700)), home), part("looked", x, y, looked, home)]
    told = {"generator": "table", "options": {"vary": ["step", "jitter"]}, "classes": ["no", "yes"], "rule": "age > 65"}
    found, facts = made(call(home, parts, **told))
    assert isinstance(found.x, Table)
    assert found.x.schema == x.schema
    assert (found.x.frame()["age"] > 65).mean() > 0.7 > 1.5 * old.mean()
    assert facts["inside"] > 0.7
    assert (y[np.asarray(found.origin.position)] == found.y).all()


def finding(name: str = "F1", rule: str = "hour < 6") -> Finding:
    gap = Gap(inside=0.5, outside=0.1, difference=0.4, low=0.2, high=0.6)
    return Finding(
        id=name, kind="attributes", rule=rule, status="confirmed", found=90, confirmed=80, error=gap, by="beam"
    )


SPEC = GeneratorSpec(name="sensor", generator="gen.py:Sensor", cost_per_row=0.01, rows=100)


def past(verdict: Any, night: tuple[float, float], name: str = "F1", rule: str = "hour < 6", rows: int = 100) -> Past:
    region = {"night": night, "cold": (0.0, 1.0)}
    return Past(generator="sensor", finding=name, rule=rule, parameters=region, verdict=verdict, rows=rows)


def test_each_finding_has_a_proposal_of_each_generator() -> None:
    other = SPEC.model_copy(update={"name": "other"})
    found = proposals([SPEC, other], {"sensor": RANGES}, [finding(), finding("F2", "heat < -3")], (), 1, classes=[0, 1])
    assert [one.name for one in found] == ["sensor-F1", "other-F1", "sensor-F2", "other-F2"]
    assert [one.cost for one in found] == [1.0] * 4
    assert found[0].arguments["parameters"] == {}
    assert len({one.arguments["seed"] for one in found}) == 4
    assert proposals([SPEC], {"sensor": RANGES}, [], (), 1) == ()
    assert proposals([SPEC, other], {"sensor": RANGES}, [finding()], (), 1) == proposals(
        [SPEC, other], {"sensor": RANGES}, [finding()], (), 1
    )


def test_what_stays_undecided_has_no_more_rows_than_a_person_was_told() -> None:
    spec = SPEC.model_copy(update={"rows": 500})
    history, rows = list[Past](), list[int]()
    for _ in range(5):
        (one,) = proposals([spec], {}, [finding()], history, 1)
        rows.append(one.rows)
        history.append(past("undecided", (0.1, 0.4), rows=one.rows))
    assert rows == [most_rows(500, turn) for turn in range(1, 6)] == [500, 1000, 2000, 4000, 4000]


def test_what_was_kept_narrows_and_what_was_dropped_is_avoided() -> None:
    told = {"sensor": RANGES}
    (kept,) = proposals([SPEC], told, [finding("F7")], [past("keep", (0.8, 0.9))], 1)
    low, high = kept.arguments["parameters"]["night"]
    assert 0.5 < low < 0.8
    assert high == 1.0
    (again,) = proposals([SPEC], told, [finding()], [past("drop", (0.0, 0.3))], 1)
    assert again.name == "sensor-F1-2"
    assert again.arguments["avoid"] == [{"night": [0.0, 0.3], "cold": [0.0, 1.0]}]
    (unrelated,) = proposals([SPEC], told, [finding("F9", "heat < -3")], [past("drop", (0.0, 0.3))], 1)
    assert unrelated.arguments["avoid"] == []
    assert proposals([SPEC], told, [finding()], [past("drop", (0.0, 0.3)), past("drop", (0.5, 0.7))], 1) == ()
    (more,) = proposals([SPEC], told, [finding()], [past("undecided", (0.4, 0.6))], 1)
    assert more.rows == more.arguments["rows"] == 200


def test_a_region_that_did_not_help_is_left_out_of_the_search() -> None:
    parameters = declared(RANGES, "here")

    def score(settings: Any) -> list[Array]:
        return [np.full(4, max(0.9 - abs(s["night"] - 0.1), 0.8 - abs(s["night"] - 0.9))) for s in settings]

    assert chosen(parameters, score, 0).region["night"].high < 0.35
    region = chosen(parameters, score, 0, [{"night": [0.0, 0.5]}]).region["night"]
    assert region.low > 0.6


def test_both_sides_of_the_value_of_no_effect_may_be_meant() -> None:
    """Turned either way by a lot: what is between is not made."""
    told = {"rotation": {"type": "float", "low": -45, "high": 45, "identity": 0}}
    more = {"noise": {"type": "float", "low": 0, "high": 1, "identity": 0}}

    def score(settings: Any) -> list[Array]:
        return [np.full(4, 0.8 if abs(s["rotation"]) > 25 else 0.1) for s in settings]

    found = chosen(declared(told | more, "here"), score, 0)
    low, left, right, high = found.region["rotation"].told()
    assert low < -35 < -12 > left < 0 < right > 12 < 35 < high
    assert found.region["noise"].told() == [0.0, 0.0]
    drawn = [one["rotation"] for one in spread({"rotation": found.region["rotation"]}, 64, 0)]
    assert min(map(abs, drawn)) > 12
    assert 16 < sum(value < 0 for value in drawn) < 48
    assert found.sure > 0.7 > found.usual


def test_parameters_are_read_narrowed_and_drawn() -> None:
    told = {
        "size": {"type": "int", "low": 1, "high": 9},
        "power": {"type": "float", "low": 0.01, "high": 100, "log": True},
        "kind": {"type": "categorical", "choices": ["a", "b", "c"]},
    }
    parameters = declared(told, "here")
    assert parameters["power"].value(0.5) == pytest.approx(1.0)
    few = narrowed(parameters, {"size": {"low": 4}, "kind": ["a", "c"], "power": 2}, "here")
    drawn = spread(few, 24, 0)
    assert {one["size"] for one in drawn} == {4, 5, 6, 7, 8, 9}
    assert {one["kind"] for one in drawn} == {"a", "c"}
    assert {one["power"] for one in drawn} == {2.0}
    assert parameters["size"].within(3, 3).is_fixed
    for bad in ({"size": 2.5}, {"size": [5, 2]}, {"kind": "d"}, {"power": "much"}):
        with pytest.raises(CallError):
            narrowed(parameters, bad, "here")


def test_every_value_of_a_parameter_with_a_step_is_on_its_grid_whatever_part_is_taken() -> None:
    told = {
        "wide": {"type": "float", "low": 0, "high": 1, "step": 0.6},
        "fine": {"type": "float", "low": 0, "high": 1, "step": 0.25},
        "whole": {"type": "int", "low": 1, "high": 10, "step": 3},
    }
    parameters = declared(told, "here")
    assert {parameters["wide"].value(u) for u in np.linspace(0, 1, 50)} == {0.0, 0.6}
    few = narrowed(parameters, {"wide": [0.3, 1], "fine": [0.3, 0.9], "whole": [2, 9]}, "here")
    drawn = spread(few, 32, 0)
    assert {one["fine"] for one in drawn} == {0.5, 0.75}
    assert ({one["wide"] for one in drawn}, {one["whole"] for one in drawn}) == ({0.6}, {4, 7})
    with pytest.raises(CallError):
        narrowed(parameters, {"fine": 0.3}, "here")


def test_what_was_kept_on_both_sides_of_no_effect_is_made_again_on_both_sides() -> None:
    told = {"turn": {"type": "float", "low": -90, "high": 90, "identity": 0}}
    region: Any = {"turn": [-40, -20, 20, 40]}
    before = Past(generator="sensor", finding="F1", rule="hour < 6", parameters=region, verdict="keep", rows=100)
    (again,) = proposals([SPEC], {"sensor": told}, [finding("F7")], [before], 1)
    one = narrowed(declared(told, "here"), again.arguments["parameters"], "here")["turn"]
    assert one.told() == [-85.0, -10.0, 10.0, 85.0]
    drawn = [setting["turn"] for setting in spread({"turn": one}, 64, 0)]
    assert min(map(abs, drawn)) >= 10
    assert 16 < sum(value < 0 for value in drawn) < 48
    assert one.within(-5, 30).told() == [10.0, 30.0]


def test_made_rows_can_be_read_by_who_admits_them(home: Path) -> None:
    found, _ = made(call(home, sensor_parts("night", home)[:1], generator="gen.py:Sensor", classes=[0, 1], rows=12))
    x, _, _ = sensors(5, 0, 0.0, 0.0)
    assert isinstance(found, Made)
    assert found.x.shape[1:] == x.shape[1:]  # type: ignore[union-attr]
    assert found.origin.parents == ("base",)
    assert found.coded
