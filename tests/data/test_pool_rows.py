"""A pool is read with its labels or without; one whose labels only have another name is not taken for one without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits

from autodc.adapters.sources import read_source
from autodc.data.pool import WITHOUT, read_pool
from autodc.errors import InputError
from autodc.studyfile.study import PoolSpec, StudySpec


def spec(folder: Path, target: str | None = None, **pool: Any) -> tuple[StudySpec, PoolSpec]:
    options = {} if target is None else {"target": target}
    made = StudySpec.model_validate(
        {
            "schema_version": 1,
            "name": "pools",
            "task": {"kind": "classification", "trainer": "sklearn"},
            "data": {"base": {"source": "base", "options": options}, "validation": {"source": "v"}, "pool": pool},
            "metrics": {"primary": "accuracy"},
            "slices": [{"name": "overall", "role": "target"}],
        }
    ).placed(str(folder))
    assert made.data.pool is not None
    return made, made.data.pool


@pytest.fixture
def files(tmp_path: Path) -> Path:
    x, y = load_digits(return_X_y=True)
    np.savez(tmp_path / "with.npz", x=x, y=y)
    np.savez(tmp_path / "without.npz", x=x, hour=y)
    table = load_breast_cancer(as_frame=True).frame.rename(columns={"target": "diagnosis"})
    table.to_csv(tmp_path / "with.csv", index=False)
    table.drop(columns="diagnosis").to_csv(tmp_path / "without.csv", index=False)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pool", "has_labels", "notes"),
    [
        ({"source": "with.npz"}, True, ()),
        ({"source": "with.npz", "labelled": False}, False, ()),
        ({"source": "without.npz"}, False, (WITHOUT,)),
        ({"source": "with.csv", "options": {"target": "diagnosis"}}, True, ()),
        ({"source": "with.csv", "options": {"target": "diagnosis"}, "labelled": False}, False, ()),
        ({"source": "without.csv"}, False, (WITHOUT,)),
    ],
)
def test_labels_are_read_where_they_are(
    files: Path, pool: dict[str, Any], has_labels: bool, notes: tuple[str, ...]
) -> None:
    study, one = spec(files, "diagnosis", **pool)
    data = read_pool(study, one, "here", read_source)
    assert (data.y is not None, data.notes) == (has_labels, notes)
    assert "diagnosis" not in {*data.features, *data.metadata}


@pytest.mark.parametrize(
    "pool",
    [
        {"source": "with.csv"},  # the base's target is there, under the base's name
        {"source": "without.npz", "labelled": True},
        {"source": "without.csv", "options": {"target": "diagnosis"}},
        {"source": "nowhere.npz"},
    ],
)
def test_labels_that_should_be_there_are_missed(files: Path, pool: dict[str, Any]) -> None:
    study, one = spec(files, "diagnosis", **pool)
    with pytest.raises(InputError) as told:
        read_pool(study, one, "here", read_source)
    assert told.value.code in ("ADC-DATA-005", "ADC-DATA-001")
