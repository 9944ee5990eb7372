"""The slice table and comparisons: which rows, what a set of predictions scores there, what a lost pair leaves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodc.adapters.sources import read_source
from autodc.data.catalogue import open_test
from autodc.errors import InputError
from autodc.evaluation.metrics import find_metric
from autodc.evaluation.scores import Keep, PairedOutputs, compare, kept_bytes, row_scores, score
from autodc.evaluation.slices import part_of, validation_table
from autodc.evaluation.slices import sealed_table as opened_table
from autodc.gate.noise import objective_evidence
from autodc.stats.variance import crossed
from autodc.studyfile import load
from autodc.studyfile.study import SliceSpec
from autodc.testing.worlds.cells import write_world
from autodc.wire.inputs import read_catalogue

ACCURACY = find_metric("accuracy", "classification", ".")
SLICES = [
    {"name": "overall", "role": "guard", "margin": 0.05},
    {"name": "dark", "where": "region = 'dark'", "role": "target", "margin": 0.02, "weight": 2.0},
    {"name": "first", "where": "target = 0", "role": "target"},
    {"name": "own", "source": "data/lamps.npz", "role": "target"},
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("world")
    candidates = [{"name": "wrong", "source": "data/wrong.npz"}]
    spec = load(write_world(folder, slices=SLICES, data__candidates=candidates))
    catalogue = read_catalogue(spec, read_source)
    return spec, catalogue, validation_table(spec, catalogue), np.load(folder / "data" / "validation.npz")


@pytest.fixture(scope="module")
def runs(world: Any) -> Any:
    """Outputs of four trainings, and what `score` keeps of them."""
    _, _, table, _ = world
    outputs = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        outputs.append({part: rng.random((len(table.targets[part]), 3)) for part in table.parts})
    return outputs, [score(table, ACCURACY, "classification", one) for one in outputs]


def test_slices_by_expression_and_by_file(world: Any) -> None:
    _, _, table, data = world
    assert table.parts == ("validation", part_of("own"))
    np.testing.assert_array_equal(table["overall"].rows, np.arange(600))
    np.testing.assert_array_equal(table["dark"].rows, np.flatnonzero(data["region"] == "dark"))
    np.testing.assert_array_equal(table["first"].rows, np.flatnonzero(data["y"] == 0))
    assert (table["own"].part, len(table["own"].rows)) == (part_of("own"), 160)
    assert (table["dark"].weight, table["first"].weight) == (2.0, 1.0)


def test_the_test_set_has_the_same_slices_but_those_with_a_file_of_their_own(world: Any) -> None:
    spec, catalogue, _, _ = world
    table = opened_table(spec, catalogue, open_test(spec, read_source, catalogue))
    assert [s.name for s in table.slices] == ["overall", "dark", "first"]
    assert table.parts == ("test",)


def test_an_admitted_slice_that_the_test_set_cannot_be_cut_by_is_left_out(world: Any) -> None:
    spec, catalogue, _, _ = world
    opened = open_test(spec, read_source, catalogue)
    later = [
        SliceSpec(name="lost", where="camera = 'left'", role="target"),
        SliceSpec(name="second", where="target = 1", role="target"),
    ]
    table = opened_table(spec, catalogue, opened, later)
    assert [s.name for s in table.slices] == ["overall", "dark", "first", "second"]
    with pytest.raises(InputError, match="ADC-DATA-031"):
        opened_table(spec, catalogue, replace(opened, metadata=opened.metadata.drop(columns="region")), later)


def test_an_empty_slice_is_refused_with_its_place_and_all_of_them_at_once(tmp_path: Path) -> None:
    slices = [
        {"name": "dark", "where": "region = 'dark'", "role": "target"},
        {"name": "dusk", "where": "region = 'dusk'", "role": "target"},
        {"name": "dawn", "where": "region = 'dawn'", "role": "target"},
    ]
    spec = load(write_world(tmp_path, slices=slices))
    with pytest.raises(InputError) as caught:
        validation_table(spec, read_catalogue(spec, read_source))
    assert [p.code for p in caught.value.problems] == ["ADC-SLICE-001"] * 2
    text = str(caught.value)
    assert "slice dusk has no rows" in text
    assert "slice dawn has no rows" in text
    assert "study.yaml:" in text
    assert "matches none of 600 validation rows" in text


def test_scores_are_the_metric_on_the_rows_of_each_slice(world: Any, runs: Any) -> None:
    _, _, table, _ = world
    outputs, scored = runs
    for one in table.slices:
        truth = table.targets[one.part][one.rows]
        expected = (outputs[0][one.part][one.rows].argmax(1) == truth).mean()
        assert scored[0].slices[one.name] == pytest.approx(expected)


def test_differences_are_challenger_minus_incumbent_row_by_row(world: Any, runs: Any) -> None:
    _, _, table, _ = world
    arrays = [one.arrays for one in runs[1]]
    evidence = compare(table, ACCURACY, PairedOutputs(challenger=arrays[:2], incumbent=arrays[2:], declared={"dark"}))
    assert list(evidence) == ["overall", "dark", "first", "own"]
    for name, seen in evidence.items():
        means = [runs[1][j].slices[name] - runs[1][j + 2].slices[name] for j in range(2)]
        assert seen.differences.shape == (2, len(table[name].rows))
        np.testing.assert_allclose(seen.differences.mean(axis=1), means, atol=1e-6)
    assert evidence["dark"].declared
    assert not evidence["first"].declared
    assert (evidence["dark"].margin, evidence["overall"].margin, evidence["first"].margin) == (0.02, 0.05, None)
    assert evidence["dark"].anchor is None


def test_a_failed_training_leaves_a_row_of_nan(world: Any, runs: Any) -> None:
    _, _, table, _ = world
    arrays = [one.arrays for one in runs[1]]
    for pairs in (
        PairedOutputs(challenger=[arrays[0], None], incumbent=arrays[2:]),
        PairedOutputs(challenger=arrays[:2], incumbent=[arrays[2], None]),
    ):
        for seen in compare(table, ACCURACY, pairs).values():
            assert np.isfinite(seen.differences[0]).all()
            assert np.isnan(seen.differences[1]).all()


def test_soft_evidence_judges_targets_on_the_probability_and_guards_them_on_the_metric(world: Any, runs: Any) -> None:
    _, _, table, _ = world
    arrays = [one.arrays for one in runs[1]]
    evidence = compare(table, ACCURACY, PairedOutputs(challenger=arrays[:2], incumbent=arrays[2:]), soft=True)
    assert list(evidence) == ["overall", "dark", "dark.metric", "first", "own"]
    soft = [runs[1][j].soft["dark"] - runs[1][j + 2].soft["dark"] for j in range(2)]
    np.testing.assert_allclose(evidence["dark"].differences.mean(axis=1), soft, atol=1e-6)
    assert evidence["dark"].margin is None
    guard = evidence["dark.metric"]
    assert (guard.role, guard.margin) == ("guard", 0.02)
    metric = [runs[1][j].slices["dark"] - runs[1][j + 2].slices["dark"] for j in range(2)]
    np.testing.assert_allclose(guard.differences.mean(axis=1), metric, atol=1e-6)


def test_a_metric_that_is_no_mean_is_compared_by_pseudo_values(world: Any, runs: Any) -> None:
    _, _, table, _ = world
    macro = find_metric("macro_f1", "classification", ".")
    scored = [score(table, macro, "classification", one) for one in runs[0]]
    arrays = [one.arrays for one in scored]
    evidence = compare(table, macro, PairedOutputs(challenger=arrays[:2], incumbent=arrays[2:], start=arrays[:1]))
    means = [scored[j].slices["dark"] - scored[j + 2].slices["dark"] for j in range(2)]
    np.testing.assert_allclose(evidence["dark"].differences.mean(axis=1), means, atol=5e-3)
    assert evidence["dark"].anchor.shape == (1, len(table["dark"].rows))
    np.testing.assert_allclose(evidence["dark"].anchor, 0.0)


def test_a_row_has_one_cluster_number_in_all_slices(world: Any) -> None:
    _, _, table, _ = world
    number = dict(zip(table["overall"].rows, table["overall"].clusters, strict=True))
    for name in ("dark", "first"):
        assert [number[row] for row in table[name].rows] == list(table[name].clusters)
    elsewhere = set(table["own"].clusters)
    assert elsewhere.isdisjoint(number.values())
    assert len(elsewhere) == 160


def test_rows_shared_by_two_targets_are_one_sample_in_the_objective(tmp_path: Path) -> None:
    """Two targets with the same rows say no more than one of them."""
    slices = [
        {"name": "dark", "where": "region = 'dark'", "role": "target"},
        {"name": "again", "where": "region != 'bright'", "role": "target"},
    ]
    spec = load(write_world(tmp_path, slices=slices, data__candidates=None))
    table = validation_table(spec, read_catalogue(spec, read_source))
    rng = np.random.default_rng(3)
    arrays = [{"validation.score": rng.random(600)} for _ in range(4)]
    evidence = compare(table, ACCURACY, PairedOutputs(challenger=arrays[:2], incumbent=arrays[2:]))
    whole = objective_evidence(evidence.values())
    alone, both = crossed(evidence["dark"].differences), crossed(whole.differences, whole.clusters)
    assert both.rows == alone.rows == len(table["dark"].rows)
    assert both.row == pytest.approx(alone.row)


def test_groups_and_copies_are_joined_over_slices(tmp_path: Path) -> None:
    write_world(tmp_path)
    data = dict(np.load(tmp_path / "data" / "validation.npz"))
    data["x"][7] = data["x"][3]
    data["patient"] = np.arange(600) // 2
    np.savez(tmp_path / "data" / "validation.npz", **data)
    own = {"x": data["x"][:2] + 50.0, "y": data["y"][:2], "region": data["region"][:2], "patient": np.array([0, 999])}
    np.savez(tmp_path / "data" / "own.npz", **own)
    grouped = {"options": {"group": "patient"}}
    slices = [
        {"name": "overall", "role": "target"},
        {"name": "own", "source": "data/own.npz", "role": "target", **grouped},
    ]
    file = write_world(
        tmp_path / "other",
        slices=slices,
        data__validation={"source": str(tmp_path / "data" / "validation.npz"), **grouped},
        data__candidates=None,
        data__test=None,
    )
    (tmp_path / "other" / "data" / "own.npz").write_bytes((tmp_path / "data" / "own.npz").read_bytes())
    spec = load(file)
    table = validation_table(spec, read_catalogue(spec, read_source))
    whole, alone = table["overall"].clusters, table["own"].clusters
    assert whole[0] == whole[1] == alone[0]
    assert whole[2] == whole[3] == whole[6] == whole[7]
    assert len(set(whole)) == 299
    assert alone[1] not in set(whole)


def test_comparisons_on_accuracy_are_the_same_from_bytes_as_from_the_decimal_numbers_of_old_folders(
    world: Any, runs: Any
) -> None:
    _, _, table, _ = world
    outputs, _ = runs
    few = [score(table, ACCURACY, "classification", one, Keep(soft=False, outputs=False)).arrays for one in outputs]
    assert {name: array.dtype for name, array in few[0].items()} == {
        f"{part}.score": np.dtype(np.int8) for part in table.parts
    }
    old = [{name: array.astype(np.float32) for name, array in one.items()} for one in few]
    for one in table.slices:
        np.testing.assert_array_equal(
            row_scores(table, ACCURACY, one, few[0], soft=False), row_scores(table, ACCURACY, one, old[0], soft=False)
        )
    new_found, mixed = (
        compare(table, ACCURACY, PairedOutputs(challenger=some[:2], incumbent=few[2:])) for some in (few, old)
    )
    for name in new_found:
        np.testing.assert_array_equal(new_found[name].differences, mixed[name].differences)


@pytest.mark.parametrize(
    ("metric", "keep", "kept"),
    [
        ("log_loss", Keep(soft=False, outputs=False), {"score": np.float32}),
        ("accuracy", Keep(soft=True, outputs=False), {"soft": np.float32, "score": np.int8}),
        ("macro_f1", Keep(soft=False, outputs=False), {"outputs": np.float32}),
        ("accuracy", Keep(), {"soft": np.float32, "score": np.int8, "outputs": np.float32}),
    ],
)
def test_what_is_kept_of_a_row(world: Any, runs: Any, metric: Any, keep: Any, kept: Any) -> None:
    _, _, table, _ = world
    found = score(table, find_metric(metric, "classification", "."), "classification", runs[0][0], keep)
    assert {n.split(".")[-1]: a.dtype for n, a in found.arrays.items() if n.startswith("validation.")} == kept
    assert set(found.soft) == {one.name for one in table.slices}
    told = kept_bytes(table, find_metric(metric, "classification", "."), "classification", 3, keep)
    stored = sum(a.nbytes for a in found.arrays.values())
    assert 0.5 * stored <= told <= stored or metric == "accuracy"
