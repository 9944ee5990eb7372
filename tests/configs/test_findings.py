"""What the shipped studies begin with fails where it lacks rows, and `autodc diagnose` says so first, of each."""

from __future__ import annotations

from pathlib import Path

import pytest

import autodc

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
FASHION = Path("/usr/share/datasets/fashion-mnist")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits", "tabular", "reviews", "fashion"])
def test_each_lacking_condition_is_named_before_anything_else(name: str, tmp_path: Path) -> None:
    if name == "fashion" and not FASHION.is_dir():
        pytest.skip("needs dataset-fashion-mnist")
    spec = autodc.load(CONFIGS / name / "study.yaml")
    lacking = {one.name: one.where for one in spec.slices if one.role == "target"}
    found = autodc.diagnose(spec, out=tmp_path / "page", quick=True)
    first = found.findings[: len(lacking)]
    assert {one["rule"] for one in first} == set(lacking.values())
    assert {one["told"]["slice"] for one in first} == set(lacking)
    for one in first:
        assert one["status"] == "confirmed"
        assert one["error"]["low"] > 0
        assert one["causes"]
    text = found.page.read_text()
    assert all(f"slice {condition}" in text for condition in lacking)


@pytest.mark.slow
def test_of_people_on_whom_the_model_hardly_errs_more_it_says_how_many_rows_would_tell(tmp_path: Path) -> None:
    """On women a model of 500 men errs by two to three points more, which these rows cannot show."""
    found = autodc.diagnose(autodc.load(CONFIGS / "census" / "study.yaml"), out=tmp_path / "page", quick=True)
    told = {one["told"]["slice"]: one for one in found.findings if "slice" in one.get("told", {})}
    assert "women" in told
    for one in told.values():
        assert one["status"] == "suspected"
        assert one["error"]["low"] <= 0 < one["error"]["high"] < 0.2
        assert one["told"]["rows_needed"] > 5 * found.rows
    assert "explore rows would confirm it" in found.page.read_text()
