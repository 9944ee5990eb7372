"""IDX files, plain and gzipped, and the real ones where they are installed."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

SCANS = load_digits().images[:20].astype(np.uint8)
LABELS = load_digits().target[:20].astype(np.uint8)
FASHION = Path("/usr/share/datasets/fashion-mnist")


def idx(array: Any, code: Any = 8) -> Any:
    sizes = np.array(array.shape, dtype=">u4").tobytes()
    return bytes([0, 0, code, array.ndim]) + sizes + array.tobytes()


@pytest.fixture
def files(tmp_path: Path) -> Any:
    (tmp_path / "images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(SCANS)))
    (tmp_path / "labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(LABELS)))
    (tmp_path / "images-idx3-ubyte").write_bytes(idx(SCANS))
    (tmp_path / "labels-idx1-ubyte").write_bytes(idx(LABELS))
    return tmp_path


def labels(end: Any) -> Any:
    return {"targets": f"labels-idx1-ubyte{end}"}


@pytest.mark.parametrize("end", ["", ".gz"])
def test_images_and_labels(files: Any, read: Any, end: Any) -> None:
    data = read(f"images-idx3-ubyte{end}", **labels(end))
    np.testing.assert_array_equal(data.x, SCANS)
    np.testing.assert_array_equal(data.y, LABELS)
    part = read(f"images-idx3-ubyte{end}", rows=[5, 15], **labels(end))
    np.testing.assert_array_equal(part.x, SCANS[5:15])
    np.testing.assert_array_equal(part.y, LABELS[5:15])


def test_big_endian_numbers(files: Any, read: Any) -> None:
    (files / "values.idx").write_bytes(idx(np.arange(40, dtype=">f4").reshape(20, 2), 0x0D))
    data = read("values.idx", **labels(""))
    assert data.x.dtype == np.float32
    assert data.x[1, 1] == 3


def test_sealed_labels_are_counted_but_not_read(files: Any, read: Any, refused: Any) -> None:
    content = (files / "labels-idx1-ubyte").read_bytes()
    (files / "labels-idx1-ubyte").write_bytes(content[:8])  # the header alone
    assert read("images-idx3-ubyte", sealed=True, **labels("")).y is None
    (files / "labels-idx1-ubyte").write_bytes(idx(LABELS[:5]))
    assert refused("images-idx3-ubyte", sealed=True, **labels("")).code == "ADC-DATA-006"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({}, "ADC-DATA-005"),
        ({"targets": "nowhere"}, "ADC-DATA-001"),
        ({**labels(".gz"), "rows": [5]}, "ADC-DATA-012"),
        ({**labels(".gz"), "rows": [5, 5]}, "ADC-DATA-012"),
        ({**labels(".gz"), "rows": [0, 21]}, "ADC-DATA-012"),
        ({**labels(".gz"), "rows": ["0", 2]}, "ADC-DATA-012"),
    ],
)
def test_bad_options(files: Any, refused: Any, options: Any, code: Any) -> None:
    assert refused("images-idx3-ubyte.gz", **options).code == code


@pytest.mark.parametrize("kept", [0, 3, 10, 100, -1])
def test_a_truncated_file_is_refused(files: Any, refused: Any, kept: Any) -> None:
    for end in ("", ".gz"):
        path = files / f"images-idx3-ubyte{end}"
        path.write_bytes(path.read_bytes()[:kept])
        assert refused(path.name, **labels(end)).code == "ADC-DATA-002"


def test_other_content_is_refused(files: Any, refused: Any) -> None:
    (files / "images-idx3-ubyte.gz").write_bytes(gzip.compress(b"no idx file at all"))
    assert refused("images-idx3-ubyte.gz", **labels("")).code == "ADC-DATA-002"
    (files / "images-idx3-ubyte").write_bytes(idx(SCANS) + b"more")
    assert refused("images-idx3-ubyte", **labels("")).code == "ADC-DATA-002"


@pytest.mark.skipif(not FASHION.is_dir(), reason="Debian package dataset-fashion-mnist is not installed")
def test_fashion_mnist(read: Any) -> None:
    options = {"targets": "t10k-labels-idx1-ubyte.gz", "rows": [0, 1000]}
    data = read(str(FASHION / "t10k-images-idx3-ubyte.gz"), **options)
    assert data.x.shape == (1000, 28, 28)
    assert sorted(set(data.y)) == list(range(10))
