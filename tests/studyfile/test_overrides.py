"""`--set a.b=c`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodc.studyfile import load
from autodc.studyfile.document import spell
from autodc.studyfile.override import parse

KEYS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,8}", fullmatch=True)


def test_values_are_put_in(write: Any) -> None:
    overrides = ("loop.rounds=2", "slices[1].margin=0.02", "data.candidates[0].cost=5", "budget.trainings=1e2")
    spec = load(write(), overrides)
    assert (spec.loop.rounds, spec.slices[1].margin, spec.data.candidates[0].cost) == (2, 0.02, 5)
    assert (spec.budget.trainings, spec.budget.wall_clock) == (100, 8 * 3600)


def test_a_section_the_file_lacks_is_made(write: Any) -> None:
    spec = load(write(), ("tracking.experiment=no", "task.options.network.layers=[1, 2]", "data.test.source=t.npz"))
    assert spec.tracking.experiment == "no"
    assert spec.task.options == {"network": {"layers": [1, 2]}}
    assert spec.data.test is not None
    assert spec.data.test.source == "t.npz"


def test_the_value_may_hold_an_equals_sign(write: Any) -> None:
    assert load(write(), ("slices[1].where=region = 'north'",)).slices[1].where == "region = 'north'"


def test_the_last_one_wins_and_may_unset(write: Any) -> None:
    spec = load(write(), ("budget.cost=3", "budget.cost=", "seed=1", "seed=2"))
    assert (spec.budget.cost, spec.seed) == (None, 2)


def test_an_override_mends_the_file(write: Any) -> None:
    assert load(write(("seed: 7", "seed: seven")), ("seed=7",)).seed == 7


@pytest.mark.parametrize(
    ("override", "code", "place", "word"),
    [
        ("loop.roundz=2", "ADC-SPEC-020", "--set loop.roundz", "did you mean rounds?"),
        ("lop.rounds=2", "ADC-SPEC-020", "--set lop.rounds: lop", "did you mean loop?"),
        ("slices[9].margin=1", "ADC-SPEC-061", "--set slices[9].margin", "slices has 2 entries"),
        ("slices.dark.margin=1", "ADC-SPEC-061", "--set slices.dark.margin", "write slices[1].margin"),
        ("data[0]=1", "ADC-SPEC-061", "--set data[0]", "name a key"),
        ("name.first=x", "ADC-SPEC-061", "--set name.first", "night-shift"),
        ("loop.rounds=two", "ADC-SPEC-022", "--set loop.rounds", "whole number"),
        ("loop={rounds: 0}", "ADC-SPEC-023", "--set loop: loop.rounds", "1 or more"),
        ("slices[0].margin=-0.1", "ADC-SPEC-023", "--set slices[0].margin", "0 or more"),
        (
            "search_space.momentum.when.optimiser=sdg",
            "ADC-SPEC-046",
            "--set search_space.momentum.when.optimiser",
            "sgd",
        ),
        ("data.candidates[1].name=fog", "ADC-SPEC-040", "--set data.candidates[1].name", "fog"),
        ("search_space=!include gone.yaml", "ADC-SPEC-001", "--set search_space", "gone.yaml"),
        ("seed=[", "ADC-SPEC-003", "--set seed", "not YAML"),
        ("seed", "ADC-SPEC-060", "--set seed", "--set loop.rounds=2"),
        ("=3", "ADC-SPEC-060", "--set =3", "--set loop.rounds=2"),
        ("a..b=3", "ADC-SPEC-060", "--set a..b=3", "--set loop.rounds=2"),
        ("[0].b=3", "ADC-SPEC-060", "--set [0].b=3", "--set loop.rounds=2"),
        ("schema_version=2", "ADC-SPEC-006", "--set schema_version", "2"),
    ],
)
def test_problems_point_to_the_override(refused: Any, override: Any, code: Any, place: Any, word: Any) -> None:
    (problem,) = refused(overrides=(override,))
    assert (problem.code, problem.place) == (code, place)
    assert word in str(problem)


@pytest.mark.slow
@given(st.lists(st.one_of(KEYS, st.integers(0, 99)), min_size=1, max_size=6), KEYS)
def test_paths_read_back(rest: Any, first: Any) -> None:
    path = (first, *rest)
    assert parse(spell(path)) == path


@pytest.mark.slow
@given(st.text(max_size=20))
def test_any_text_is_a_path_or_none(text: Any) -> None:
    path = parse(text)
    assert path is None or spell(path) == text


@pytest.mark.slow
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(10**12), 10**12)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(
            st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029\x85\ufeff\ufffe\uffff")
        ),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
        max_leaves=8,
    )
)
def test_json_values_arrive_as_they_are(value: Any) -> None:
    from autodc.studyfile.reader import read_text

    document, issues = read_text(json.dumps(value), "--set x", ".", 0)
    assert issues == []
    assert document.value == value
