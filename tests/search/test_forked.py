"""What probes say together."""

from __future__ import annotations

from autodc.search import Plan, SearchProblem, make_engine
from autodc.search.forked import believed, mixture


def test_a_later_probe_adds_to_an_earlier_one_in_units_of_its_own() -> None:
    first, second = {"cure": 0.3, "twin": 0.2, "harm": -0.4}, {"cure": -0.001, "twin": -0.02, "harm": -0.02}
    found = believed([first, second])
    assert found["cure"] > 0, "that it is in already and more of it helps no more is no reason to leave"
    assert found["harm"] < found["twin"] < 0, "a probe of ten times smaller changes says as much as the first"
    assert mixture(found, 2.0) == {"cure": 1.0}
    assert mixture(found, 0.5) == {"cure": 0.5}


def test_nothing_is_believed_of_what_was_not_probed() -> None:
    assert believed([]) == {}
    assert believed([{}, {"a": 0.0}]) == {"a": 0.0}


def test_a_search_that_knows_what_probes_say_screens_less() -> None:
    names = tuple(f"d{i}" for i in range(40))
    origins = {}
    for probed in (False, True):
        problem = SearchProblem(
            datasets=names,
            hyperparameters={},
            recipes=("concat",),
            max_weight=2.0,
            targets={"dark": 1.0},
            guards={},
            start=Plan.of({}, {}),
            probes={name: float(i) for i, name in enumerate(names)},
            probed=probed,
        )
        engine = make_engine("mixture", problem, 1)
        origins[probed] = [engine.suggest(number, [], []).origin for number in range(20)]
    assert origins[False].count("screen") == 16
    assert origins[True].count("screen") == 4
    assert origins[True][:2] == origins[False][:2] == ["start", "anchor"]
