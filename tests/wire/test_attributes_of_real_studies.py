"""What ships as an example is measured: census tables, film reviews, clothes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import autodc
from autodc.data.catalogue import Catalogue
from autodc.studyfile.study import StudySpec
from autodc.wire.attributes import attributes_of
from autodc.wire.inputs import read_catalogue

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def opened(name: str, *attributes: str) -> tuple[StudySpec, Catalogue]:
    spec = autodc.load(str(CONFIGS / name / "study.yaml"))
    spec = spec.model_copy(update={"attributes": attributes})
    return spec, read_catalogue(spec)


def test_people_whom_the_base_does_not_know_are_told_by_the_census() -> None:
    spec, catalogue = opened("census", "table")
    found = attributes_of(spec, catalogue, catalogue.validation)
    assert {"sex", "employer", "missing", "rarity", "distance"} <= set(found)
    assert found["distance"].median() == pytest.approx(1, abs=0.3)
    assert len(found) == len(catalogue.validation)
    own = attributes_of(spec, catalogue, catalogue.base)
    assert own["distance"].median() == pytest.approx(1, abs=0.1)
    assert (own["unseen"] == 0).all()
    inputs = set(catalogue.base.features)
    assert set(found["rarest_column"].dropna()) <= inputs


def test_reviews_are_texts_in_one_language() -> None:
    spec, catalogue = opened("reviews", "text")
    found = attributes_of(spec, catalogue, catalogue.validation)
    assert set(found["script"]) == {"latin"}
    known = found.loc[found["language"].notna(), "language"]
    assert (known == "english").mean() > 0.9
    own = attributes_of(spec, catalogue, catalogue.base)
    assert (own["unseen_words"].fillna(0) == 0).all()
    assert found["unseen_words"].mean() > 0


@pytest.mark.slow
def test_clothes_that_were_changed_have_other_measures() -> None:
    spec, catalogue = opened("fashion", "image")
    found = attributes_of(spec, catalogue, catalogue.validation)
    assert np.isfinite(found.select_dtypes("number").to_numpy(dtype=float)).mean() > 0.99
    assert found["brightness"].between(0, 1).all()
