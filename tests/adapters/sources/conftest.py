"""Reads a source as a study would, with paths relative to a folder of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autodc.adapters.sources import read_source
from autodc.data.dataset import Dataset
from autodc.errors import DataError
from autodc.studyfile.study import SourceSpec

PLACE = "study.yaml: data.base"
Read = Callable[..., Dataset]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def reads(source: str, kind: str = "classification", sealed: bool = False, **options: Any) -> Dataset:
        spec = SourceSpec(source=source, options=options)
        return read_source(spec, folder=str(tmp_path), name="base", place=PLACE, kind=kind, targets=not sealed)  # type: ignore[arg-type]

    return reads


@pytest.fixture
def refused(read: Read) -> Callable[..., DataError]:
    """Read something bad and return the problem, which names the key of the study file."""

    def reads(source: str, **arguments: Any) -> DataError:
        with pytest.raises(DataError) as caught:
            read(source, **arguments)
        assert caught.value.place == PLACE
        return caught.value

    return reads
