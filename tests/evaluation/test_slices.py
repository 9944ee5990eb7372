"""The slice table and comparisons: which rows, what a set of predictions scores there, what a lost pair leaves."""

from __future__ import annotations

import numpy as np
import pytest

from autodc.adapters.sources import read_source
from autodc.data.catalogue import build_catalogue, open_test
from autodc.errors import InputError
from autodc.evaluation.metrics import find_metric
from autodc.evaluation.slices import Comparison, compare, part_of, score, validation_table
from autodc.evaluation.slices import test_table as opened_table
from autodc.spec import load
from autodc.testing.world import write_world

ACCURACY = find_metric("accuracy", "classification", ".")
SLICES = [
    {"name": "overall", "role": "guard", "margin": 0.05},
    {"name": "dark", "where": "region = 'dark'", "role": "target", "margin": 0.02, "weight": 2.0},
    {"name": "first", "where": "target = 0", "role": "target"},
    {"name": "own", "source": "data/lamps.npz", "role": "target"},
]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    candidates = [{"name": "wrong", "source": "data/wrong.npz"}]
    spec = load(write_world(folder, slices=SLICES, data__candidates=candidates))
    catalogue = build_catalogue(spec, read_source)
    return spec, catalogue, validation_table(spec, catalogue), np.load(folder / "data" / "validation.npz")


@pytest.fixture(scope="module")
def runs(world):
    """Outputs of four trainings, and what `score` keeps of them."""
    _, _, table, _ = world
    outputs = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        outputs.append({part: rng.random((len(table.targets[part]), 3)) for part in table.parts})
    return outputs, [score(table, ACCURACY, "classification", one) for one in outputs]


def test_slices_by_expression_and_by_file(world):
    _, _, table, data = world
    assert table.parts == ("validation", part_of("own"))
    np.testing.assert_array_equal(table["overall"].rows, np.arange(600))
    np.testing.assert_array_equal(table["dark"].rows, np.flatnonzero(data["region"] == "dark"))
    np.testing.assert_array_equal(table["first"].rows, np.flatnonzero(data["y"] == 0))
    assert (table["own"].part, len(table["own"].rows)) == (part_of("own"), 160)
    assert (table["dark"].weight, table["first"].weight) == (2.0, 1.0)


def test_the_test_set_has_the_same_slices_but_those_with_a_file_of_their_own(world):
    spec, catalogue, _, _ = world
    table = opened_table(spec, catalogue, open_test(spec, read_source, catalogue))
    assert [s.name for s in table.slices] == ["overall", "dark", "first"]
    assert table.parts == ("test",)


def test_an_empty_slice_is_refused_with_its_place_and_all_of_them_at_once(tmp_path):
    slices = [
        {"name": "dark", "where": "region = 'dark'", "role": "target"},
        {"name": "dusk", "where": "region = 'dusk'", "role": "target"},
        {"name": "dawn", "where": "region = 'dawn'", "role": "target"},
    ]
    spec = load(write_world(tmp_path, slices=slices))
    with pytest.raises(InputError) as caught:
        validation_table(spec, build_catalogue(spec, read_source))
    assert [p.code for p in caught.value.problems] == ["ADC-SLICE-001"] * 2
    text = str(caught.value)
    assert "slice dusk has no rows" in text
    assert "slice dawn has no rows" in text
    assert "study.yaml:" in text
    assert "matches none of 600 validation rows" in text


def test_scores_are_the_metric_on_the_rows_of_each_slice(world, runs):
    _, _, table, _ = world
    outputs, scored = runs
    for one in table.slices:
        truth = table.targets[one.part][one.rows]
        expected = (outputs[0][one.part][one.rows].argmax(1) == truth).mean()
        assert scored[0].slices[one.name] == pytest.approx(expected)


def test_differences_are_challenger_minus_incumbent_row_by_row(world, runs):
    _, _, table, _ = world
    arrays = [one.arrays for one in runs[1]]
    evidence = compare(table, ACCURACY, Comparison(challenger=arrays[:2], incumbent=arrays[2:], declared={"dark"}))
    assert list(evidence) == ["overall", "dark", "first", "own"]
    for name, seen in evidence.items():
        means = [runs[1][j].slices[name] - runs[1][j + 2].slices[name] for j in range(2)]
        assert seen.differences.shape == (2, len(table[name].rows))
        np.testing.assert_allclose(seen.differences.mean(axis=1), means, atol=1e-6)
    assert evidence["dark"].declared
    assert not evidence["first"].declared
    assert (evidence["dark"].margin, evidence["overall"].margin, evidence["first"].margin) == (0.02, 0.05, None)
    assert evidence["dark"].anchor is None


def test_a_failed_training_leaves_a_row_of_nan(world, runs):
    _, _, table, _ = world
    arrays = [one.arrays for one in runs[1]]
    for pairs in (
        Comparison(challenger=[arrays[0], None], incumbent=arrays[2:]),
        Comparison(challenger=arrays[:2], incumbent=[arrays[2], None]),
    ):
        for seen in compare(table, ACCURACY, pairs).values():
            assert np.isfinite(seen.differences[0]).all()
            assert np.isnan(seen.differences[1]).all()


def test_soft_evidence_judges_targets_on_the_probability_and_guards_them_on_the_metric(world, runs):
    _, _, table, _ = world
    arrays = [one.arrays for one in runs[1]]
    evidence = compare(table, ACCURACY, Comparison(challenger=arrays[:2], incumbent=arrays[2:]), soft=True)
    assert list(evidence) == ["overall", "dark", "dark.metric", "first", "own"]
    soft = [runs[1][j].soft["dark"] - runs[1][j + 2].soft["dark"] for j in range(2)]
    np.testing.assert_allclose(evidence["dark"].differences.mean(axis=1), soft, atol=1e-6)
    assert evidence["dark"].margin is None
    guard = evidence["dark.metric"]
    assert (guard.role, guard.margin) == ("guard", 0.02)
    metric = [runs[1][j].slices["dark"] - runs[1][j + 2].slices["dark"] for j in range(2)]
    np.testing.assert_allclose(guard.differences.mean(axis=1), metric, atol=1e-6)


def test_a_metric_that_is_no_mean_is_compared_by_pseudo_values(world, runs):
    _, _, table, _ = world
    macro = find_metric("macro_f1", "classification", ".")
    scored = [score(table, macro, "classification", one) for one in runs[0]]
    arrays = [one.arrays for one in scored]
    evidence = compare(table, macro, Comparison(challenger=arrays[:2], incumbent=arrays[2:], start=arrays[:1]))
    means = [scored[j].slices["dark"] - scored[j + 2].slices["dark"] for j in range(2)]
    np.testing.assert_allclose(evidence["dark"].differences.mean(axis=1), means, atol=5e-3)
    assert evidence["dark"].anchor.shape == (1, len(table["dark"].rows))
    np.testing.assert_allclose(evidence["dark"].anchor, 0.0)
