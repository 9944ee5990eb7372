"""Attributes on workers: the same values piece by piece, and an enricher that ends its process ends no study."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

import autodc
from autodc.adapters.enrichers.cache import kept_frames
from autodc.adapters.executors import InlineExecutor
from autodc.data.attributes import stacked
from autodc.errors import AutodcError, each_of
from autodc.large import throw_away_unused
from autodc.wire import measuring
from autodc.wire.explored import known_of
from autodc.wire.inputs import read_inputs
from autodc.wire.workers import Workers, local_workers

DIGITS = load_digits()


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "MOST_ROWS", 200)
    monkeypatch.setattr(measuring, "FEW_ROWS", 0)


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    made = Workers(lambda calls: InlineExecutor(), tmp_path / "measured")
    yield made
    made.close()
    assert not (tmp_path / "measured").exists()


def study(folder: Path, attributes: list[str], code: str = "") -> autodc.StudySpec:
    for name, (first, last) in {"base": (0, 300), "validation": (400, 900)}.items():
        camera = np.arange(first, last) % 3
        np.savez(folder / f"{name}.npz", x=DIGITS.images[first:last], y=DIGITS.target[first:last], camera=camera)
    (folder / "mine.py").write_text(f"import os\nimport numpy as np\nimport pandas as pd\n{code}")
    content: dict[str, Any] = {
        "schema_version": 1,
        "name": "digits",
        "task": {"kind": "classification", "trainer": "sklearn"},
        "data": {"base": {"source": "base.npz"}, "validation": {"source": "validation.npz"}},
        "metrics": {"primary": "accuracy"},
        "slices": [{"name": "all", "role": "target"}],
        "tracking": {"uri": "none"},
        **({"attributes": attributes} if attributes else {}),
    }
    (folder / "study.yaml").write_text(json.dumps(content))
    return autodc.load(str(folder / "study.yaml"))


OWN = """
class Beside:
    name = "beside"
    def fitted(self, base, targets):
        self.mean, self.most = base.inputs.mean(), int(targets.max())
        return self
    def attributes(self, rows):
        lighter = rows.inputs.mean(axis=(1, 2)) > self.mean
        return pd.DataFrame({"lighter": lighter, "most": self.most, "lens": rows.metadata["camera"] + 1})
"""


def test_workers_give_what_this_process_gives(tmp_path: Path, workers: Workers, small_pieces: None) -> None:
    spec = study(tmp_path, ["image", "mine.py:Beside"], OWN)
    there = read_inputs(spec, workers=workers).catalogue.validation.attributes
    (tmp_path / "cache").rename(tmp_path / "elsewhere")
    here = read_inputs(spec).catalogue.validation.attributes
    assert there is not None
    assert here is not None
    pd.testing.assert_frame_equal(there, here)
    np.testing.assert_allclose(there["brightness"], DIGITS.images[400:900].mean(axis=(1, 2)) / 16, atol=1e-6)
    np.testing.assert_array_equal(there["lens"], np.arange(400, 900) % 3 + 1)
    assert (there["most"] == 9).all()
    kept = list((tmp_path / "elsewhere" / "autodc" / "attributes").iterdir())
    assert len(kept) == 6  # two enrichers, three pieces of at most 200 rows


def test_for_measures_of_ours_no_base_is_copied_to_workers(
    tmp_path: Path, workers: Workers, small_pieces: None
) -> None:
    (tmp_path / "cache").mkdir()
    there = read_inputs(study(tmp_path, ["image"]), workers=workers).catalogue.validation.attributes
    stored = [np.load(path, mmap_mode="r").shape for path in (tmp_path / "measured").rglob("x.npy")]
    assert stored == [DIGITS.images[400:900].shape], "the rows that are measured, and none of the base"
    assert there is not None
    np.testing.assert_allclose(there["brightness"], DIGITS.images[400:900].mean(axis=(1, 2)) / 16, atol=1e-6)


def test_a_changed_row_is_measured_again_with_its_piece_alone(
    tmp_path: Path, small_pieces: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    code = (
        f"def mine(rows):\n    open({str(log)!r}, 'a').write(f'{{len(rows)}} ')\n"
        "    return pd.DataFrame({'n': [1] * len(rows)})\n"
    )
    spec = study(tmp_path, ["mine.py:mine"], code)
    read_inputs(spec)
    assert log.read_text() == "200 200 100 "
    images = DIGITS.images[400:900].copy()
    images[250, 0, 0] += 1
    np.savez(tmp_path / "validation.npz", x=images, y=DIGITS.target[400:900], camera=np.arange(400, 900) % 3)
    read_inputs(spec)
    assert log.read_text() == "200 200 100 200 "


@pytest.mark.parametrize(
    ("code", "number", "got"),
    [
        ("def bad(rows):\n    return 1 / 0\n", "ADC-ATTR-003", "mine.py:5: ZeroDivisionError"),
        ("def bad(rows):\n    return pd.DataFrame({'a': [1.0]})\n", "ADC-ATTR-005", "1 rows for 200"),
        (
            "def bad(rows):\n    a = rows.inputs[:, 0, 0] * 1.0\n    a[99] = np.inf if len(rows) == 100 else 0\n"
            "    return pd.DataFrame({'a': a})\n",
            "ADC-ATTR-006",
            "row 499",
        ),
        (
            "def bad(rows):\n    return pd.get_dummies(rows.inputs.sum(axis=(1, 2)).astype(int).astype(str))\n",
            "ADC-ATTR-013",
            "`",
        ),
    ],
)
def test_what_is_wrong_there_is_told_as_it_is_here(
    tmp_path: Path, workers: Workers, small_pieces: None, code: str, number: str, got: str
) -> None:
    spec = study(tmp_path, ["image", "mine.py:bad"], code)
    with pytest.raises(AutodcError) as caught:
        read_inputs(spec, workers=workers)
    (found,) = each_of(caught.value)
    assert found.code == number
    assert got in found.got
    assert "attributes[1]" in found.place


@pytest.mark.slow
def test_an_enricher_that_ends_its_process_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    spec = study(tmp_path, ["mine.py:bad"], "def bad(rows):\n    os._exit(3)\n")
    with pytest.raises(AutodcError) as caught:
        autodc.run(spec, autodc.MachineSpec(runner="inline"), tmp_path / "out")
    assert caught.value.code == "ADC-ATTR-012"
    assert "exit code 3" in caught.value.got
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_processes_measure_what_is_large(tmp_path: Path, small_pieces: None) -> None:
    spec = study(tmp_path, ["image"])
    with local_workers() as workers:
        there = read_inputs(spec, workers=workers).catalogue.validation.attributes
    (tmp_path / "cache").rename(tmp_path / "elsewhere")
    here = read_inputs(spec).catalogue.validation.attributes
    assert there is not None
    pd.testing.assert_frame_equal(there, here)  # type: ignore[arg-type]


def test_diagnosis_goes_on_without_what_cannot_be_measured(
    tmp_path: Path, workers: Workers, small_pieces: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autodc.adapters.enrichers.image._values", lambda pixels: {}["gone"])
    known = known_of(read_inputs(study(tmp_path, [])), workers)
    assert list(known.attributes) == ["camera"]
    assert [one["code"] for one in known.notes] == ["ADC-ATTR-003"]
    assert "enricher image fails" in known.notes[0]["got"]
    assert set(known.embeddings) == {"pca"}


def test_pieces_without_values_take_the_type_of_the_others() -> None:
    gone = pd.DataFrame({"n": [np.nan], "word": [None], "yes": [None]}, dtype=object)
    some = pd.DataFrame({"n": [3], "word": ["a"], "yes": [True]})
    found = stacked("mine", [gone, some], "attributes[0]")
    assert found["n"].dtype == float
    assert found["n"].isna().tolist() == [True, False]
    assert found["word"].isna().tolist() == [True, False]
    assert found["word"][1] == "a"
    assert found["yes"].tolist() == [None, True]
    assert stacked("mine", [some, some], "")["n"].dtype == np.int64


def test_what_nobody_used_for_longest_goes_first(tmp_path: Path) -> None:
    for age, name in enumerate(("new", "older", "oldest")):
        (tmp_path / name).write_bytes(bytes(100))
        os.utime(tmp_path / name, (1e9 * 1.7 - age, 4e9 - age))
    throw_away_unused(tmp_path, 300)
    assert len(list(tmp_path.iterdir())) == 3
    throw_away_unused(tmp_path, 250)
    assert {path.name for path in tmp_path.iterdir()} == {"new", "older"}


def test_what_is_kept_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autodc.adapters.enrichers.cache.MOST_KEPT", 40_000)
    monkeypatch.setattr("autodc.adapters.enrichers.cache._written", Counter())
    for number in range(40):
        noise = np.random.default_rng(number).normal(size=500)
        kept_frames([[f"{number}"]], lambda places, noise=noise: [(0, pd.DataFrame({"n": noise}))])  # type: ignore[misc]
    folder = tmp_path / "cache" / "autodc" / "attributes"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 60_000
