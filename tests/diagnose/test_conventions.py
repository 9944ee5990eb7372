"""Datasets that label alike rows differently are told with the map; overlap and careless labels are no convention."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits

from autodc.diagnose.conventions import label_conventions
from autodc.diagnose.matching_rows import Labelled
from autodc.errors import DataError

X, Y = load_digits(return_X_y=True)
WORDS = np.array([f"d{k}" for k in range(10)], dtype=object)
ORDER = np.random.default_rng(0).permutation(len(Y))
FIRST, SECOND = ORDER[:900], ORDER[900:]


def parts(second: np.ndarray) -> list[Labelled]:
    first = Labelled(name="base", target=WORDS[Y[FIRST]], embedding=X[FIRST])
    return [first, Labelled(name="other", target=second, embedding=X[SECOND])]


def renamed(labels: np.ndarray, names: dict[str, str]) -> np.ndarray:
    return np.array([names.get(one, one) for one in labels], dtype=object)


def test_the_same_convention_passes() -> None:
    found = label_conventions(parts(WORDS[Y[SECOND]]))
    assert (found.status, found.compared) == ("passed", 1)


@pytest.mark.parametrize(
    "names",
    [{"d3": "three"}, {"d3": "d8", "d8": "d3"}, {"d1": "d7"}, {word: word.upper() for word in WORDS}],
    ids=["another word", "swapped", "merged", "all words"],
)
def test_another_convention_is_told_with_the_map_that_undoes_it(names: dict[str, str]) -> None:
    found = label_conventions(parts(renamed(WORDS[Y[SECOND]], names)))
    (one,) = found.found
    merged = set(names.values()) & (set(WORDS) - set(names))
    if merged:
        assert (one.of, dict(one.labels)) == ("base", names)
    else:
        assert (one.of, dict(one.labels)) == ("other", {new: old for old, new in names.items()})
    assert one.mapped > 0.95 > one.agreement
    assert found.to_dict()["found"][0]["code"] == "ADC-D011"


def test_labels_by_chance_are_no_convention_that_a_map_reconciles() -> None:
    careless = np.random.default_rng(1).permutation(WORDS[Y[SECOND]])
    found = label_conventions(parts(careless))
    assert all(not one.labels and one.of is None for one in found.found)


def overlapping(rng: np.random.Generator, n: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Two classes that nobody can tell apart in the middle."""
    y = (rng.random(n) < share).astype(int)
    return rng.normal(size=(n, 2)) + y[:, None], np.array(["kerb", "road"], dtype=object)[y]


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.5, 0.15])
def test_classes_that_overlap_are_no_convention(share: float) -> None:
    told = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        drawn = [overlapping(rng, 600, share) for _ in range(2)]
        some = [Labelled(name=f"set {k}", target=y, embedding=x) for k, (x, y) in enumerate(drawn)]
        told += label_conventions(some).status == "found"
    assert told <= 2


def test_kerbs_that_one_calls_road_are_told_though_the_classes_overlap() -> None:
    rng = np.random.default_rng(5)
    (x, y), (other, labels) = overlapping(rng, 1500, 0.5), overlapping(rng, 1500, 0.5)
    labels[:] = "road"
    (one,) = label_conventions(
        [Labelled(name="base", target=y, embedding=x), Labelled(name="other", target=labels, embedding=other)]
    ).found
    assert (one.of, dict(one.labels)) == ("base", {"kerb": "road"})
    assert one.mapped == 1.0


def test_rows_of_one_group_are_one_observation() -> None:
    groups = np.zeros(len(SECOND), dtype=int)
    labels = renamed(WORDS[Y[SECOND]], {"d3": "three"})
    first, other = parts(labels)
    one = Labelled(name="other", target=labels, embedding=other.embedding, groups=groups)
    assert label_conventions([first, one]).reason == "no two rows are alike"


def test_copies_are_enough() -> None:
    same = np.arange(len(FIRST))
    base = Labelled(name="base", target=WORDS[Y[FIRST]], same=same)
    swap = Labelled(name="other", target=renamed(base.target, {"d3": "d8", "d8": "d3"}), same=same)
    (one,) = label_conventions([base, swap]).found
    assert dict(one.labels) == {"d8": "d3", "d3": "d8"}
    assert np.isnan(one.expected)
    assert label_conventions([base, Labelled(name="again", target=base.target, same=same)]).status == "passed"


def test_two_who_are_careless_on_the_same_rows_have_no_convention() -> None:
    rng = np.random.default_rng(0)
    sets = [
        Labelled(name=name, target=np.where(rng.random(900) < 0.3, rng.permutation(WORDS[Y[FIRST]]), WORDS[Y[FIRST]]))
        for name in "ab"
    ]
    known = [Labelled(name=one.name, target=one.target, same=np.arange(900)) for one in sets]
    assert label_conventions(known).status == "passed"


def test_rows_that_are_not_alike_are_not_compared() -> None:
    far = [*parts(WORDS[Y[SECOND]])[:1], Labelled(name="far", target=WORDS[Y[SECOND]], embedding=X[SECOND] + 100)]
    assert label_conventions(far).reason == "no two rows are alike"
    assert label_conventions(far[:1]).reason == "there is only one dataset"
    numbers = [Labelled(name=name, target=np.linspace(0, 1, 50), embedding=X[:50]) for name in "ab"]
    assert label_conventions(numbers).reason == "targets are no classes"


def test_embeddings_of_two_widths_are_refused() -> None:
    narrow = [parts(Y[SECOND])[0], Labelled(name="other", target=Y[SECOND], embedding=X[SECOND, :10])]
    with pytest.raises(DataError, match="ADC-DIAG-055"):
        label_conventions(narrow)
    with pytest.raises(DataError, match=r"other: 3 for .*ADC-DIAG-055"):
        label_conventions([narrow[0], Labelled(name="other", target=Y[SECOND], embedding=X[:3])])


@pytest.mark.parametrize(("rows", "where"), [(110, "found"), (60, "suspected")])
def test_a_swap_of_classes_with_few_rows_is_told_by_both_together_or_suspected(rows: int, where: str) -> None:
    few = FIRST[:rows]
    base = Labelled(name="base", target=WORDS[Y[few]], embedding=X[few])
    rest = np.concatenate([FIRST[rows:], SECOND])[:600]
    names = {"d1": "d2", "d2": "d1"}
    other = Labelled(name="other", target=renamed(WORDS[Y[rest]], names), embedding=X[rest])
    found = label_conventions([base, other])
    (one,) = getattr(found, where)
    assert (one.of, dict(one.labels)) == ("other", names)
    assert found.to_dict().get("suspected", []) == [one.to_dict() for one in found.suspected]
    assert label_conventions([base, Labelled(name="other", target=WORDS[Y[rest]], embedding=X[rest])]) == replace(
        found, status="passed", found=(), suspected=()
    )


def test_names_that_three_classes_pass_round_are_one_map() -> None:
    names = {"d1": "d2", "d2": "d7", "d7": "d1"}
    base = Labelled(name="base", target=WORDS[Y[FIRST[:150]]], embedding=X[FIRST[:150]])
    other = Labelled(name="other", target=renamed(WORDS[Y[SECOND]], names), embedding=X[SECOND])
    (one,) = label_conventions([base, other]).found
    assert (one.of, dict(one.labels)) == ("other", {new: old for old, new in names.items()})
