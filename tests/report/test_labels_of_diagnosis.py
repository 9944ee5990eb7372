"""Labels, conventions and slices in words: what is told, what is not, and that data stay text on the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autodc.report.diagnosis import write_diagnosis
from autodc.report.findings import nothing
from autodc.review.labels import convention_words, label_words, looked_at
from autodc.review.unit_tests import unit_test_words


def dataset(name: str, **more: Any) -> dict[str, Any]:
    """What a check of one dataset says where it found nothing."""
    found = {"name": name, "status": "passed", "rows": 300, "scattered": 0, "pairs": [], "auc": 0.9, "by_chance": False}
    return {**found, **more}


def convention(**more: Any) -> dict[str, Any]:
    cell = {"ours": "road", "theirs": "kerb", "rows": 40, "expected": 1.0, "share": 0.8, "chance": 1e-6}
    base = {"ours": "night", "theirs": "base", "differing": [cell], "agreement": 0.6, "mapped": 0.95}
    return {**base, "of": "night", "labels": {"road": "kerb"}, "yaml": "labels: {road: kerb}", **more}


def part(*datasets: dict[str, Any], suspects: tuple[dict[str, Any], ...] = (), **more: Any) -> dict[str, Any]:
    return {"status": "found", "rows": 300, "of": 300, "datasets": list(datasets), "suspects": list(suspects), **more}


PAIR = {"given": "road", "likely": "kerb", "rows": 14, "reverse": 1, "expected": 4.2, "told": True}


def test_pairs_and_rows_are_told_of_the_dataset_that_has_them() -> None:
    row = {"row": 17, "given": "road", "likely": "kerb", "sure": True, "dataset": "night"}
    seen = part(dataset("base", pairs=[{**PAIR, "told": False}]), dataset("night", pairs=[PAIR]), suspects=(row,))
    assert label_words({"validation": None, "training": seen, "conventions": None}) == [
        "night: 14 rows labelled road look like kerb, about 4 expected; first row 17 (road, likely kerb)"
    ]


def test_what_is_not_applicable_or_not_looked_at_is_not_told() -> None:
    unfit = {"status": "not_applicable", "reason": "targets are no classes"}
    none = {"validation": {**part(), **unfit}, "training": None, "conventions": {**unfit, "found": []}}
    assert label_words(none) == []
    assert looked_at(none) == ""
    assert looked_at({"training": part(of=9000), "validation": None}) == "looked at 300 of 9000 training rows, evenly"


def test_a_convention_is_told_with_what_mends_it_and_where_nothing_does() -> None:
    said = convention_words(convention())
    assert said == (
        "night calls road what base calls kerb (40 of 50 alike rows); write below the candidate night "
        "`labels: {road: kerb}`, and labels of alike rows then agree in 95%, not 60%"
    )
    merged = convention_words(convention(of="base", yaml="options: {map: {kerb: road}}"))
    assert "write below base, validation and test `options: {map: {kerb: road}}`" in merged
    assert "no map of labels would reconcile them" in convention_words(convention(of=None, labels={}, yaml=""))


def test_slices_are_told_in_words() -> None:
    dull = {"slice": "zeros", "kind": "constant"}
    together = {"slices": ["overall", "day", "noon"], "correlation": 0.987, "same_rows": False}
    said = unit_test_words({"models": 24, "dull": [dull, {**dull, "kind": "noise"}], "together": [together]})
    assert said[0] == "zeros: 24 models and not two that differ on it"
    assert said[1] == "zeros: models differ on it no more than trainings of one model do"
    assert said[2].endswith("(correlation 0.99): day and noon tell nothing that overall does not")


@pytest.mark.parametrize("hostile", ["</li><script>alert(1)</script>", "{{ 7 * 7 }}", "`<b>`"])
def test_what_comes_from_data_is_text_and_nothing_else(tmp_path: Path, hostile: str) -> None:
    seen = part(dataset(hostile, pairs=[{**PAIR, "given": hostile}]))
    other = {"found": [convention(yaml=f"labels: {{{hostile}: kerb}}", ours=hostile)]}
    dull = {"models": 24, "dull": [{"slice": hostile, "kind": "constant"}], "together": []}
    page = write_diagnosis(
        tmp_path / "index.html",
        study="roads",
        model="constant",
        rows=300,
        views=(),
        notes=(),
        exhibits=nothing,
        nearest={},
        labels={"validation": None, "training": seen, "conventions": other},
        unit_tests=dull,
        edges=None,
        more_rows={"slices": {}, "offers": []},
        shown={},
        folder=None,
    ).read_text()
    assert "<script" not in page
    assert "<b>" not in page
    assert "Unit tests that tell nothing" in page
    assert "{{ 7" in page or "{{" not in hostile
