"""What is planted for diagnosis is there, truly fails, and is told truly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.diagnose.conditions import CONDITIONS, photograph
from benchmarks.diagnose.measures import measures

FASHION = Path("/usr/share/datasets/fashion-mnist")
needs_images = pytest.mark.skipif(not FASHION.is_dir(), reason="dataset-fashion-mnist is not installed")


@needs_images
@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_changes_pictures_and_stays_a_picture(name: str) -> None:
    from benchmarks.clothes import images

    few = images()[0][:20]
    names = np.array([name] * 20, dtype=object)
    strength = np.linspace(0.3, 1, 20)
    seen = photograph(few, names, strength, np.random.default_rng(0))
    plain = photograph(few, np.array(["plain"] * 20, dtype=object), strength, np.random.default_rng(0))
    assert seen.shape == few.shape
    assert seen.dtype == np.uint8
    assert (np.abs(seen.astype(int) - plain).mean((1, 2)) > 5).mean() > 0.8
    assert np.isfinite(measures(seen).to_numpy()).all()


@pytest.mark.slow
@needs_images
def test_a_setting_plants_failures_and_is_the_same_from_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.diagnose import world

    monkeypatch.setenv("AUTODC_BENCHMARKS", str(tmp_path))
    world.setting.cache_clear()
    made = world.setting(1)
    world.setting.cache_clear()
    again = world.setting(1)
    world.setting.cache_clear()
    assert again is not made
    assert np.array_equal(again.probabilities, made.probabilities)
    assert not set(made.base.source) & set(made.validation.source)
    assert not set(made.base.condition) & set(made.planted)
    assert len(made.truth) >= 2
    view = made.view("blind")
    assert len(view) == len(made.validation) == len(view.attributes)
    assert not set(view.attributes.columns) & {f"{name}_log" for name in made.planted}
    stream = made.draw(500, {made.planted[0]: 0.5}, seed=3)
    assert 0.4 < (stream.condition == made.planted[0]).mean() < 0.6
    assert not set(stream.source) & (set(made.base.source) | set(made.validation.source))
