"""NumPy archives: what is read, what is refused and how it is said."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodc.errors import Problems

X = np.arange(12, dtype=np.float32).reshape(6, 2)
Y = np.array([0, 1, 2, 0, 1, 2])


def test_other_arrays_of_the_same_length_are_metadata(tmp_path: Path, read: Any) -> None:
    np.savez(tmp_path / "a.npz", x=X, y=Y, region=np.array(list("aabbcc")), wide=np.zeros((6, 3)), short=np.zeros(2))
    data = read("a.npz")
    np.testing.assert_array_equal(data.x, X)
    np.testing.assert_array_equal(data.y, Y)
    assert list(data.metadata.columns) == ["region"]
    assert data.metadata["region"].tolist() == list("aabbcc")


def test_arrays_of_another_byte_order_are_turned(tmp_path: Path, read: Any) -> None:
    np.savez(tmp_path / "a.npz", x=X.astype(">f4"), y=Y.astype(">i2"), light=X[:, 0].astype(">f8"))
    data = read("a.npz")
    assert data.x.dtype.isnative
    np.testing.assert_array_equal(data.x, X)
    assert data.metadata["light"].sort_values().tolist() == X[:, 0].tolist()
    np.savez(tmp_path / "b.npz", x=X, y=Y, light=X[:, 0].astype(np.float64))
    assert read("b.npz").fingerprint == data.fingerprint


def test_groups_come_from_a_metadata_column(tmp_path: Path, read: Any, refused: Any) -> None:
    np.savez(tmp_path / "a.npz", x=X, y=Y, patient=np.array([1, 1, 2, 2, 3, 3]))
    assert len(set(read("a.npz", group="patient").groups)) == 3
    problem = refused("a.npz", group="patent")
    assert problem.code == "ADC-DATA-018"
    assert "`patient`" in problem.hint


def test_sealed_targets_are_not_read(tmp_path: Path, read: Any, refused: Any) -> None:
    """A damaged byte among the targets is noticed by whoever reads them, and by nobody else."""
    y = np.full(1000, 77, dtype=np.int64)
    np.savez(tmp_path / "a.npz", x=np.arange(2000.0).reshape(1000, 2), y=y)
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[content.index(y[:100].tobytes()) + 80] ^= 1
    (tmp_path / "a.npz").write_bytes(content)
    assert refused("a.npz").code == "ADC-DATA-002"
    data = read("a.npz", sealed=True)
    assert data.y is None
    assert len(data) == 1000


def test_sealed_targets_that_cannot_fit_are_refused_at_once(tmp_path: Path, refused: Any) -> None:
    np.savez(tmp_path / "a.npz", x=X, y=Y[:4])
    assert refused("a.npz", sealed=True).code == "ADC-DATA-006"
    np.savez(tmp_path / "a.npz", x=X, y=Y.astype(object))
    assert refused("a.npz", sealed=True).code == "ADC-DATA-003"


def test_a_sealed_set_without_targets_is_refused_at_once(tmp_path: Path, refused: Any) -> None:
    np.savez(tmp_path / "a.npz", x=X)
    assert refused("a.npz", sealed=True).code == "ADC-DATA-005"


def test_content_decides_the_fingerprint(tmp_path: Path, read: Any) -> None:
    np.savez(tmp_path / "a.npz", x=X, y=Y)
    np.savez_compressed(tmp_path / "b.npz", y=Y, x=X)
    changed = X.copy()
    changed[0, 0] += 1
    np.savez(tmp_path / "c.npz", x=changed, y=Y)
    assert read("a.npz").fingerprint == read("b.npz").fingerprint != read("c.npz").fingerprint


@pytest.mark.parametrize(
    ("arrays", "code", "words"),
    [
        ({"y": Y}, "ADC-DATA-004", "no array `x`"),
        ({"x": X}, "ADC-DATA-005", "no array of targets `y`"),
        ({"x": X, "y": Y[:4]}, "ADC-DATA-006", "6 and 4"),
        ({"x": X[:0], "y": Y[:0]}, "ADC-DATA-009", "no rows"),
        ({"x": np.float32(1), "y": Y}, "ADC-DATA-009", "no rows"),
        ({"x": X[:, 0], "y": Y}, "ADC-DATA-004", "two axes"),
        ({"x": np.where(X == 4, np.nan, X), "y": Y}, "ADC-DATA-007", "1 of 6 rows (row 2)"),
        ({"x": np.where(X == 4, np.inf, X), "y": Y}, "ADC-DATA-007", "NaN or infinity"),
        ({"x": X.astype(str), "y": Y}, "ADC-DATA-010", "must be numbers"),
        ({"x": X, "y": np.where(Y == 1, np.nan, Y)}, "ADC-DATA-008", "2 of 6 rows"),
        ({"x": X, "y": Y + 0.5}, "ADC-DATA-011", "whole numbers or text"),
        ({"x": X, "y": np.eye(3)[Y]}, "ADC-DATA-011", "argmax"),
        ({"x": X, "y": Y, "target": Y}, "ADC-DATA-017", "called `target`"),
        ({"x": X, "y": Y.astype(object)}, "ADC-DATA-003", "pickled"),
        ({"x": X.astype(object), "y": Y}, "ADC-DATA-003", "pickled"),
        ({"x": X, "y": Y, "note": np.array([None] * 6)}, "ADC-DATA-003", "array `note`"),
    ],
)
def test_bad_arrays(tmp_path: Path, refused: Any, arrays: Any, code: Any, words: Any) -> None:
    np.savez(tmp_path / "bad.npz", **arrays)
    problem = refused("bad.npz")
    assert problem.code == code
    assert words in str(problem)
    assert "bad.npz" in str(problem)


def test_a_pickle_is_never_run(tmp_path: Path, refused: Any) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (open, (str(tmp_path / "ran"), "w"))

    (tmp_path / "trap.npz").write_bytes(pickle.dumps(Trap()))
    np.savez(tmp_path / "inside.npz", x=np.array([Trap()], dtype=object), y=Y)
    (tmp_path / "ran").unlink(missing_ok=True)
    assert refused("trap.npz").code in ("ADC-DATA-002", "ADC-DATA-003")
    assert refused("inside.npz").code == "ADC-DATA-003"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("kept", [0, 10, 200, 0.5, 0.9])
def test_a_truncated_file_is_refused(tmp_path: Path, refused: Any, kept: Any) -> None:
    np.savez(tmp_path / "whole.npz", x=np.random.default_rng(0).normal(size=(50, 4)), y=np.arange(50) % 2)
    content = (tmp_path / "whole.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(content[: kept if isinstance(kept, int) else int(kept * len(content))])
    assert refused("cut.npz").code == "ADC-DATA-002"


def test_a_flipped_byte_is_noticed(tmp_path: Path, refused: Any) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((500, 4)), y=np.arange(500) % 2)
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[4000] ^= 1
    (tmp_path / "a.npz").write_bytes(content)
    assert refused("a.npz").code == "ADC-DATA-002"


def test_a_plain_array_is_no_archive(tmp_path: Path, refused: Any) -> None:
    with (tmp_path / "plain.npz").open("wb") as file:
        np.save(file, X)
    assert refused("plain.npz").code == "ADC-DATA-002"


def test_all_problems_come_together(tmp_path: Path, read: Any) -> None:
    np.savez(tmp_path / "a.npz", x=np.where(X == 4, np.nan, X), y=Y + 0.5, target=Y)
    with pytest.raises(Problems) as caught:
        read("a.npz")
    assert [problem.code for problem in caught.value.problems] == ["ADC-DATA-007", "ADC-DATA-017", "ADC-DATA-011"]


def test_regression_takes_numbers_and_columns_of_one(tmp_path: Path, read: Any, refused: Any) -> None:
    np.savez(tmp_path / "a.npz", x=X, y=Y[:, None])
    assert read("a.npz", kind="regression").y.shape == (6,)
    np.savez(tmp_path / "b.npz", x=X, y=np.array(list("abcabc")))
    assert refused("b.npz", kind="regression").code == "ADC-DATA-011"


def test_image_to_image_takes_images(tmp_path: Path, read: Any, refused: Any) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((6, 4, 4)), y=np.ones((6, 4, 4)))
    assert read("a.npz", kind="image_to_image").y.shape == (6, 4, 4)
    np.savez(tmp_path / "b.npz", x=np.zeros((6, 4, 4)), y=Y)
    assert refused("b.npz", kind="image_to_image").code == "ADC-DATA-011"


def test_map_renames_classes(tmp_path: Path, read: Any, refused: Any) -> None:
    np.savez(tmp_path / "a.npz", x=X, y=np.array(["cat", "dog", "cat", "dog", "dog", "dog"]))
    assert set(read("a.npz", map={"cat": "kitten"}).y) == {"kitten", "dog"}
    assert read("a.npz", map={"cat": 3, "dog": 5}).y.tolist() == [3, 5, 3, 5, 5, 5]
    assert refused("a.npz", map={"cow": "dog"}).code == "ADC-DATA-026"
    assert refused("a.npz", map={"cat": 3}).code == "ADC-DATA-026"
    assert refused("a.npz", kind="regression", map={"cat": 3}).code in ("ADC-DATA-011", "ADC-DATA-026")


def test_an_unknown_option_is_refused_with_the_nearest(tmp_path: Path, refused: Any) -> None:
    np.savez(tmp_path / "a.npz", x=X, y=Y)
    problem = refused("a.npz", grup="patient")
    assert problem.code == "ADC-DATA-012"
    assert "`group`" in problem.hint


@pytest.mark.parametrize(
    ("labels", "row"),
    [
        (np.array([1e300, 2e300, 1, 2, 3, 4]), "row 0, 1"),
        (np.array([1, 2, 3, 4, 2**64 - 1, 5], dtype=np.uint64), "row 4"),
        (np.array([1, 2, 3, 4, 5, 2049], dtype=np.float16), "row 5"),
    ],
)
def test_labels_that_would_wrap_or_fall_together_are_refused(
    tmp_path: Path, refused: Any, labels: Any, row: Any
) -> None:
    np.savez(tmp_path / "a.npz", x=X, y=labels)
    problem = refused("a.npz")
    assert problem.code == "ADC-DATA-058"
    assert problem.got.endswith(row)


def test_large_labels_that_are_exact_are_read(tmp_path: Path, read: Any) -> None:
    labels = np.array([2**63 - 1, 2**53 + 1, 2**53, 1, 2, 3], dtype=np.uint64)
    np.savez(tmp_path / "a.npz", x=X, y=labels)
    assert read("a.npz").y.tolist() == labels.tolist()
