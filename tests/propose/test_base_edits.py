"""What is made of the base's own rows: wrong labels mended or left out, copies and outliers gone, rows drawn again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_diabetes, load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from autodc.propose import augment, deduplicate, edge_cases, label_map, made, outliers, prune, rebalance, relabel
from autodc.propose.base_edits import BaseKnown
from autodc.propose.made import Made
from autodc.table import Inputs, Table
from autodc.trial.call import Call, CallError, CallPart
from autodc.wire import makers_of_base as makers

X, Y = load_digits(return_X_y=True)
X = X.astype(np.float32)
ORDER = np.random.default_rng(0).permutation(len(Y))
TRAIN, TEST = ORDER[:1200], ORDER[1200:]
FEW = TRAIN[np.isin(Y[TRAIN], (1, 3, 7, 8))][:400]
NAMES = [f"digit {k}" for k in range(10)]
KNOWN = BaseKnown(kind="classification", rows=1200, classes=tuple(NAMES), counts=(120,) * 10, seed=3)


def call(out: Path, x: Inputs, y: Any, metadata: pd.DataFrame | None = None, **arguments: Any) -> Call:
    found = pd.DataFrame(index=range(len(x))) if metadata is None else metadata
    part = CallPart(name="base", x=x, y=y, metadata=found, folder=out)
    return Call(arguments={"classes": NAMES, "seed": 1, **arguments}, parts={"base": part}, out=out)


def made_by(maker: Callable[[Call], Any], asked: Call) -> Made:
    answer, found = maker(asked), made.read(asked.out)
    assert answer["rows"] == len(found.x) == len(found.y) == len(found.metadata)
    return found


def flipped(rows: np.ndarray, share: float = 0.25) -> tuple[np.ndarray, np.ndarray]:
    """Labels of which a share of the threes is called eight, and which rows those are."""
    y = Y[rows].copy()
    threes = np.random.default_rng(2).permutation(np.flatnonzero(y == 3))
    y[threes[: int(share * len(threes))]] = 8
    return y, y != Y[rows]


@pytest.mark.slow
def test_planted_flips_are_mended_with_what_was_there_before(tmp_path: Path) -> None:
    y, wrong = flipped(FEW)
    found = made_by(relabel.make, call(tmp_path, X[FEW], y))
    changed = np.array([one is not None for one in found.origin.changed["label"]])
    assert wrong[changed].mean() > 0.9
    assert changed[wrong].mean() > 0.4
    assert {one for one in found.origin.changed["label"] if one} <= {"digit 8"}
    assert (found.y == Y[FEW]).mean() > (y == Y[FEW]).mean()
    np.testing.assert_array_equal(found.origin.position, np.arange(len(FEW)))
    assert found.facts["pairs"][0][:2] == ["digit 8", "digit 3"]


@pytest.mark.slow
def test_planted_flips_are_left_out(tmp_path: Path) -> None:
    y, wrong = flipped(FEW)
    found = made_by(prune.make, call(tmp_path, X[FEW], y))
    out = np.setdiff1d(np.arange(len(FEW)), found.origin.position)
    assert len(out) == found.facts["left_out"]
    assert wrong[out].mean() > 0.9
    np.testing.assert_array_equal(found.y, y[found.origin.position])


@pytest.mark.slow
@pytest.mark.parametrize("maker", [makers.relabel, makers.prune])
def test_a_model_of_the_mended_base_gains_on_the_noisy_class(tmp_path: Path, maker: Callable[[Call], Any]) -> None:
    y, _ = flipped(TRAIN, 0.4)
    found = made_by(maker, call(tmp_path, X[TRAIN], y))

    def error(x: np.ndarray, labels: np.ndarray) -> float:
        threes = X[TEST][Y[TEST] == 3]
        return float((RandomForestClassifier(random_state=0).fit(x, labels).predict(threes) != 3).mean())

    assert error(np.asarray(found.x), found.y) < error(X[TRAIN], y) - 0.1


@pytest.mark.slow
def test_labels_by_chance_are_mostly_put_right(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    y = np.where(rng.random(1200) < 0.15, rng.integers(0, 10, 1200), Y[TRAIN])
    found = made_by(relabel.make, call(tmp_path, X[TRAIN], y))
    assert (found.y == Y[TRAIN]).mean() > 0.95 > (y == Y[TRAIN]).mean()


def test_numbers_that_lie_out_are_mended(tmp_path: Path) -> None:
    x, y = load_diabetes(return_X_y=True)
    wrong = np.arange(20) * 20
    typed = y.copy()
    typed[wrong] *= 10
    found = made_by(relabel.make, call(tmp_path, x, typed, classes=[]))
    changed = np.flatnonzero(found.y != typed)
    assert set(changed) <= set(wrong)
    assert len(changed) > 15
    assert np.abs(found.y[changed] - y[changed]).mean() < np.abs(typed[changed] - y[changed]).mean() / 4


@pytest.mark.parametrize(
    "maker",
    [pytest.param(relabel.make, marks=pytest.mark.slow), outliers.make, deduplicate.make, rebalance.make],
    ids=["relabel", "outliers", "deduplicate", "rebalance"],
)
def test_a_base_without_fault_is_not_mended(tmp_path: Path, maker: Callable[[Call], Any]) -> None:
    with pytest.raises(CallError, match="nothing to mend") as caught:
        maker(call(tmp_path, X[FEW], np.searchsorted((1, 3, 7, 8), Y[FEW]), classes=["1", "3", "7", "8"]))
    assert caught.value.code == "ADC-PROP-030"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape", [(-1, 64), (-1, 8, 8)], ids=["columns", "pictures"])
def test_copies_and_near_copies_of_one_label_are_left_out(tmp_path: Path, shape: tuple[int, ...]) -> None:
    x, y = X[TRAIN], Y[TRAIN]
    noise = np.random.default_rng(1).normal(0, 1e-4, (100, 64)).astype(np.float32) * (X.std(axis=0) > 1)
    ridden = np.concatenate([x, x[:200], x[200:300] + noise, x[300:310]])
    labels = np.concatenate([y, y[:300], (y[300:310] + 1) % 10])
    found = made_by(deduplicate.make, call(tmp_path, ridden.reshape(shape), labels))
    np.testing.assert_array_equal(found.origin.position, [*range(1200), *range(1500, 1510)])


def test_texts_that_are_the_same_but_for_a_word_are_left_out(tmp_path: Path) -> None:
    words = np.random.default_rng(0).integers(0, 500, (60, 20))
    texts = [" ".join(f"w{one}" for one in row) for row in words]
    again = [f"{one.rsplit(' ', 1)[0]} other" for one in texts[:10]]
    found = made_by(deduplicate.make, call(tmp_path, Table.of_texts(texts + again), np.arange(70) % 60 % 2))
    np.testing.assert_array_equal(found.origin.position, np.arange(60))


def test_rows_far_from_all_are_left_out(tmp_path: Path) -> None:
    junk = np.random.default_rng(0).uniform(0, 16, (20, 64)).astype(np.float32)
    x, y = np.concatenate([X[TRAIN], junk]), np.concatenate([Y[TRAIN], np.arange(20) % 10])
    found = made_by(makers.outliers, call(tmp_path, x, y))
    out = np.setdiff1d(np.arange(len(x)), found.origin.position)
    assert len(out) > 10
    assert out.min() >= 1200


def test_rare_classes_are_drawn_again_up_to_a_bound(tmp_path: Path) -> None:
    rows = TRAIN[(Y[TRAIN] > 1) | (np.arange(1200) % 6 == 0)]
    counts = np.bincount(Y[rows])
    found = made_by(rebalance.make, call(tmp_path, X[rows], Y[rows]))
    assert set(found.y) == {0, 1}
    after = counts + np.bincount(found.y, minlength=10)
    assert (after[:2] == np.minimum(counts.max(), 5 * counts[:2])).all()
    np.testing.assert_array_equal(found.x, X[rows][found.origin.position])
    known = BaseKnown(kind="classification", rows=len(rows), classes=tuple(NAMES), counts=tuple(counts.tolist()))
    (proposal,) = rebalance.propose(known)
    assert (proposal.rows, proposal.replaces) == (len(found.y), None)


@pytest.mark.slow
def test_edge_cases_are_hard_and_not_mislabelled(tmp_path: Path) -> None:
    y, wrong = flipped(FEW)
    found = made_by(edge_cases.make, call(tmp_path, X[FEW], y))
    assert 20 <= len(found.y) <= 0.1 * len(FEW)
    assert wrong[found.origin.position].mean() < 0.1
    model = LogisticRegression(max_iter=500, C=1e-3)
    hard = cross_val_predict(model, X[FEW], Y[FEW]) != Y[FEW]
    inside = np.isin(np.arange(len(FEW)), found.origin.position)
    assert hard[inside].mean() > 2 * hard[~inside].mean()
    shares = np.array([[0.5, 0.45, 0.05], [0.4, 0.6, 0.0], [0.05, 0.05, 0.9]])
    np.testing.assert_allclose(edge_cases.margins(np.array([0, 0, 2]), shares), [0.05, np.inf, 0.85])


def test_pictures_are_changed_near_the_failures(tmp_path: Path) -> None:
    metadata = pd.DataFrame({"ink": X[TRAIN].mean(axis=1)})
    asked = call(tmp_path, X[TRAIN].reshape(-1, 8, 8), Y[TRAIN], metadata, rows=200, rule="ink > 6 AND ink < 9")
    found = made_by(augment.make, asked)
    inside = metadata["ink"].between(6, 9, inclusive="neither").to_numpy()
    assert inside[found.origin.position].all()
    assert found.facts["near"] == inside.sum()
    assert (found.x.dtype, found.x.shape) == (np.dtype("float32"), (200, 8, 8))
    before = X[TRAIN].reshape(-1, 8, 8)[found.origin.position]
    assert (np.abs(np.asarray(found.x) - before).max(axis=(1, 2)) > 0).mean() > 0.95
    assert (
        np.abs(np.asarray(found.x) - before).mean(axis=(1, 2)) < np.abs(X[TRAIN[1:]] - X[TRAIN[:-1]]).mean()
    ).mean() > 0.9
    assert set(found.origin.changed) == {"rotate", "down", "across", "zoom", "light", "noise", "flip"}
    assert not any(found.origin.changed["flip"]), "a digit from right to left is none"
    np.testing.assert_array_equal(found.y, Y[TRAIN][found.origin.position])


def test_a_rule_over_what_is_measured_is_read_of_the_base(tmp_path: Path) -> None:
    asked = call(tmp_path, X[TRAIN].reshape(-1, 8, 8), Y[TRAIN], rows=50, rule="brightness > 0.32")
    bright = X[TRAIN].mean(axis=1)[made_by(makers.augment, asked).origin.position]
    assert bright.min() > 0.3 * 16


def test_the_same_call_makes_the_same_rows(tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        found.append(made_by(augment.make, call(tmp_path / name, X[FEW].reshape(-1, 8, 8), Y[FEW], rows=30)))
    np.testing.assert_array_equal(found[0].x, found[1].x)


def test_tables_and_texts_are_changed_a_little(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    columns = {"age": [*rng.integers(18, 90, 99), None], "kind": ["a", "b"] * 50, "pay": rng.normal(2e4, 5e3, 100)}
    table = Table.of("table", columns, ("integer", "category", "number"))
    (tmp_path / "table").mkdir()
    found = made_by(augment.make, call(tmp_path / "table", table, np.arange(100) % 2, rows=100))
    assert isinstance(found.x, Table)
    assert found.x.schema == table.schema
    before, after = table[found.origin.position].frame(), found.x.frame()
    assert (before["kind"] == after["kind"]).all()
    assert (before["age"].isna() == after["age"].isna()).all()
    assert 0 < (before["pay"] - after["pay"]).abs().mean() < 1000
    (tmp_path / "text").mkdir()
    texts = Table.of_texts(["the lamp is broken since 1984"] * 50)
    words = made_by(augment.make, call(tmp_path / "text", texts, np.arange(50) % 2)).x
    assert isinstance(words, Table)
    assert len(set(words.texts())) > 5
    assert all("1984" in one for one in words.texts())


def test_files_of_pictures_are_changed_as_files(tmp_path: Path) -> None:
    paths = []
    for at in range(6):
        paths.append(str(tmp_path / f"{at}.png"))
        Image.fromarray((X[at].reshape(8, 8) * 15).astype(np.uint8)).resize((32, 32)).save(paths[-1])
    content = [hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in paths]
    (tmp_path / "out").mkdir()
    found = made_by(augment.make, call(tmp_path / "out", Table.of_files(paths, content), np.arange(6) % 2, rows=12))
    assert isinstance(found.x, Table)
    for path in found.x.texts():
        with Image.open(path) as image:
            assert (image.mode, image.size) == ("L", (32, 32))


def test_a_candidate_of_another_convention_is_mapped(tmp_path: Path) -> None:
    told = [
        {"of": "other", "labels": {"digit 3": "digit 8", "digit 8": "digit 3"}},
        {"of": "base", "labels": {"digit 1": "digit 7"}},
        {"of": None, "labels": {}},
    ]
    (proposal,) = label_map.propose(KNOWN, told, {"other": 400})
    assert (proposal.name, proposal.parts, proposal.replaces, proposal.rows) == (
        "other-mapped",
        ("other",),
        "other",
        400,
    )
    swapped = np.where(Y[FEW] == 3, 8, np.where(Y[FEW] == 8, 3, Y[FEW]))
    found = made_by(label_map.make, call(tmp_path, X[FEW], swapped, **proposal.arguments))
    np.testing.assert_array_equal(found.y, Y[FEW])
    assert found.origin.changed["label"][int(np.argmax(Y[FEW] == 3))] == "digit 8"


@pytest.mark.parametrize("labels", [{"digit 3": "no digit"}, {"digit 0": "digit 1"}], ids=["unknown", "not there"])
def test_a_label_map_onto_classes_that_do_not_exist_is_refused(tmp_path: Path, labels: dict[str, str]) -> None:
    with pytest.raises(CallError) as caught:
        label_map.make(call(tmp_path, X[FEW], Y[FEW], labels=labels))
    assert caught.value.code == "ADC-PROP-031"


def test_proposals_name_makers_that_exist_and_replace_the_base_where_it_is_mended() -> None:
    finding = {"id": "F2", "kind": "attributes", "status": "confirmed", "rule": "ink > 6"}
    every = [
        *relabel.propose(KNOWN),
        *prune.propose(KNOWN),
        *deduplicate.propose(KNOWN),
        *outliers.propose(KNOWN),
        *edge_cases.propose(KNOWN),
        *augment.propose(KNOWN, [finding]),
    ]
    assert [one.by for one in every if one.replaces == "base"] == ["relabel", "prune", "deduplicate", "outliers"]
    assert [(one.name, one.finding) for one in every if one.finding] == [("augmented-F2", "F2")]
    for one in every:
        module, name = one.maker.split(":")
        assert module == makers.__name__
        assert callable(getattr(makers, name))
        assert type(one).of(one.to_dict()) == one
    again = BaseKnown(kind="classification", rows=1200, taken=[one.name for one in every])
    assert not [*relabel.propose(again), *deduplicate.propose(again), *augment.propose(again, [finding])]
    assert not rebalance.propose(KNOWN), "no class is rare"
