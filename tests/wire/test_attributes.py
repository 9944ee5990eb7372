"""Attributes of a study on digits: `where` may name them, targets stay out of them, fingerprints stay as they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

import autodc
from autodc.adapters.enrichers.embedding import NAMED
from autodc.adapters.enrichers.spaces import is_installed
from autodc.data.attributes import Rows
from autodc.data.catalogue import Catalogue
from autodc.data.own_enricher import content_of_enricher
from autodc.errors import AutodcError, each_of
from autodc.studyfile.study import SliceSpec, StudySpec
from autodc.verbs.check import preflight
from autodc.wire.attributes import attributes_of, can_wait
from autodc.wire.explored import known_of
from autodc.wire.inputs import read_catalogue, read_inputs
from autodc.wire.measuring import named
from autodc.wire.study import cut

DIGITS = load_digits()
PARTS = {"base": (0, 300), "more": (300, 400), "validation": (400, 900), "test": (900, 1300)}
DARK = {"name": "dark", "where": "brightness < 0.28", "role": "target"}

Study = Callable[..., StudySpec]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def study(tmp_path: Path) -> Study:
    def made(attributes: list[str] | None, slices: tuple[Any, ...] = (DARK,), code: str = "", **more: Any) -> StudySpec:
        for name, (first, last) in PARTS.items():
            rows: dict[str, Any] = {"x": DIGITS.images[first:last], "y": DIGITS.target[first:last]}
            rows |= {key: values[first:last] for key, values in more.items()}
            np.savez(tmp_path / f"{name}.npz", **rows)
        (tmp_path / "mine.py").write_text("import numpy as np\nimport pandas as pd\n" + code)
        content = {
            "schema_version": 1,
            "name": "digits",
            "task": {"kind": "classification", "trainer": "sklearn"},
            "data": {
                "base": {"source": "base.npz"},
                "candidates": [{"name": "more", "source": "more.npz"}],
                "validation": {"source": "validation.npz"},
                "test": {"source": "test.npz"},
            },
            "metrics": {"primary": "accuracy"},
            "slices": [*slices, {"name": "all", "role": "target"}],
            "tracking": {"uri": "none"},
            **({} if attributes is None else {"attributes": attributes}),
        }
        (tmp_path / "study.yaml").write_text(json.dumps(content))
        return autodc.load(str(tmp_path / "study.yaml"))

    return made


def problems(study: Study, *asked: Any, **more: Any) -> list[AutodcError]:
    with pytest.raises(AutodcError) as caught:
        read_inputs(study(*asked, **more))
    return list(each_of(caught.value))


def test_a_condition_names_an_attribute_on_validation_and_test(study: Study) -> None:
    inputs = read_inputs(study(["image"]))
    validation, test = inputs.catalogue.validation, inputs.catalogue.test
    assert validation.attributes is not None
    assert test is not None
    brightness = validation.attributes["brightness"].to_numpy()
    np.testing.assert_allclose(brightness, DIGITS.images[400:900].mean(axis=(1, 2)) / 16, atol=1e-6)
    np.testing.assert_array_equal(inputs.table["dark"].rows, np.flatnonzero(brightness < 0.28))
    assert "brightness" in test.columns
    assert inputs.catalogue.unfit == ()


def test_a_study_without_attributes_is_the_study_it_was(study: Study) -> None:
    without, named = study(None, slices=()), study(["image"], slices=())
    assert "attributes" not in without.content()
    assert without.fingerprint() == study([], slices=()).fingerprint()
    assert without.fingerprint() != named.fingerprint()
    one, other = read_catalogue(without), read_catalogue(named)
    assert one.fingerprint == other.fingerprint
    assert one.validation.fingerprint == other.validation.fingerprint
    assert one.validation.attributes is None


def test_what_moves_rows_between_slices_is_another_question(study: Study) -> None:
    code = "def light(rows):\n    return pd.DataFrame({'light': rows.inputs.mean(axis=(1, 2)) * FACTOR})\n"
    slices = ({"name": "dark", "where": "light < 4.5", "role": "target"},)
    first, same, other = (
        read_inputs(study(["mine.py:light"], slices, code.replace("FACTOR", factor))).fingerprint
        for factor in ("1.0", "(1.0 + 0)", "1.1")
    )
    assert first == same
    assert first != other


def test_targets_leak_into_no_attribute(study: Study, tmp_path: Path) -> None:
    code = """
class Spy:
    name = "spy"
    def fitted(self, base, targets):
        seen = [n for n in dir(base) if not n.startswith("_")]
        open("SEEN", "a").write(" ".join(seen) + chr(10))
        return self
    def attributes(self, rows):
        open("SEEN", "a").write(" ".join(n for n in dir(rows) if not n.startswith("_")) + chr(10))
        return pd.DataFrame({"n": np.arange(len(rows)) * 0})
""".replace("SEEN", str(tmp_path / "seen"))
    spec = study(["image", "mine.py:Spy"], (), code)
    catalogue = read_catalogue(spec)
    before = attributes_of(spec, catalogue, catalogue.validation)
    assert set((tmp_path / "seen").read_text().split()) == {"inputs", "kind", "metadata", "x"}
    for name, (first, last) in PARTS.items():
        if name != "base":  # its targets are known
            shuffled = np.random.default_rng(0).permutation(DIGITS.target[first:last])
            np.savez(tmp_path / f"{name}.npz", x=DIGITS.images[first:last], y=shuffled)
    again = read_catalogue(spec)
    pd.testing.assert_frame_equal(attributes_of(spec, again, again.validation), before)


def test_no_trainer_gets_them(study: Study) -> None:
    catalogue = read_catalogue(study(["image"]))
    assert list(catalogue.base.metadata) == []
    assert list(catalogue.validation.metadata) == []
    assert catalogue.base.attributes is None


def test_any_dataset_can_be_measured_and_the_same_rows_are_the_same(study: Study) -> None:
    spec = study(["image"], camera=np.arange(1797) % 3)
    catalogue = read_catalogue(spec)
    more = attributes_of(spec, catalogue, catalogue["more"])
    assert next(iter(more)) == "camera"
    assert len(more) == 100
    assert "target" not in more
    some = catalogue.validation.take(np.array([5, 3, 400]))
    assert some.attributes is not None
    whole = attributes_of(spec, catalogue, catalogue.validation)
    pd.testing.assert_frame_equal(attributes_of(spec, catalogue, some), whole.iloc[[5, 3, 400]].reset_index(drop=True))


def test_a_study_that_names_none_is_measured_for_diagnosis(study: Study) -> None:
    spec = study(None, slices=())
    catalogue = read_catalogue(spec)
    found = attributes_of(spec, catalogue, catalogue.validation)
    assert {"brightness", "orientation", "embedding_distance", "nearest_label"} <= set(found)


def test_a_slice_that_joins_late_may_name_what_the_study_does_not(study: Study) -> None:
    inputs = read_inputs(study(None, slices=()))
    late = cut(inputs, SliceSpec(name="late", where="brightness < 0.28", role="target"))
    dark = DIGITS.images[400:900].mean(axis=(1, 2)) / 16 < 0.28
    np.testing.assert_array_equal(late.rows, np.flatnonzero(dark))


def test_values_are_worked_out_once(study: Study, tmp_path: Path) -> None:
    code = "def light(rows):\n    open(r'LOG', 'a').write('x')\n    return pd.DataFrame({'light': [1.0] * len(rows)})\n"
    log = tmp_path / "log"
    spec = study(["mine.py:light"], (), code.replace("LOG", str(log)))
    read_catalogue(spec)
    first = log.read_text()
    assert len(first) == 2  # validation and test
    read_catalogue(spec)
    assert log.read_text() == first


LEVELS = """
from functools import partial

def share(rows, above):
    return pd.DataFrame({'share': (rows.inputs > above).mean(axis=(1, 2))})

by_hand = partial(share, above=LEVEL)
"""


def test_an_argument_that_is_changed_in_the_named_file_is_measured_anew(study: Study) -> None:
    for level in (4, 12):
        found = read_catalogue(study(["mine.py:by_hand"], (), LEVELS.replace("LEVEL", str(level)))).validation
        assert found.attributes is not None
        wanted = (DIGITS.images[400:900] > level).mean(axis=(1, 2))
        np.testing.assert_allclose(found.attributes["share"], wanted)


def test_an_instance_of_a_library_is_known_by_the_file_that_makes_it(tmp_path: Path) -> None:
    """By its digest: the class says nothing of the arguments."""
    made = []
    for level in (3, 5):
        (tmp_path / "e.py").write_text(f"from functools import partial\nA = partial(print, {level})\n")
        made.append(content_of_enricher("e.py:A", partial(print, level), str(tmp_path)))
    assert made[0] != made[1]
    assert made[1] == content_of_enricher("e.py:A", partial(print, 5), str(tmp_path))


def test_our_measure_gives_way_to_a_column_of_the_data(study: Study) -> None:
    given = np.linspace(0, 1, 1797)
    catalogue: Catalogue = read_catalogue(study(["image"], (), brightness=given))
    np.testing.assert_array_equal(catalogue.validation.columns["brightness"], given[400:900])
    assert catalogue.validation.attributes is not None
    assert "image_brightness" in catalogue.validation.attributes
    assert catalogue.test is not None
    assert "image_brightness" in catalogue.test.columns


def test_check_shows_them_and_what_has_no_value(study: Study) -> None:
    code = "def hole(rows):\n    return pd.DataFrame({'hole': [float('nan')] * len(rows), 'way': ['a'] * len(rows)})\n"
    found = preflight(study(["image", "mine.py:hole"], (), code))
    rows = {one["name"]: one for one in found["attributes"]}
    assert 0 < rows["brightness"]["low"] < rows["brightness"]["high"] < 1
    assert rows["hole"] == {"name": "hole", "missing": 500, "low": None, "high": None, "values": 0}
    assert rows["way"]["values"] == 1
    assert any("attributes of validation without a single value: hole" in one for one in found["warnings"])


BAD = {
    "raises": ("def bad(rows):\n    return 1 / 0\n", "ADC-ATTR-003", "mine.py:4: ZeroDivisionError"),
    "no frame": ("def bad(rows):\n    return np.zeros(len(rows))\n", "ADC-ATTR-004", "a ndarray"),
    "short": ("def bad(rows):\n    return pd.DataFrame({'a': [1.0]})\n", "ADC-ATTR-005", "1 rows for 500"),
    "infinite": (
        "def bad(rows):\n    return pd.DataFrame({'a': [np.inf] + [1.0] * (len(rows) - 1)})\n",
        "ADC-ATTR-006",
        "`a`: 1 of 500 rows (row 0)",
    ),
    "target": ("def bad(rows):\n    return pd.DataFrame({'Target': [1] * len(rows)})\n", "ADC-ATTR-007", "`Target`"),
    "lists": ("def bad(rows):\n    return pd.DataFrame({'a': [[1]] * len(rows)})\n", "ADC-ATTR-007", "`a` holds lists"),
    "unnamed": ("def bad(rows):\n    return pd.DataFrame({3: [1] * len(rows)})\n", "ADC-ATTR-007", "3"),
    "of metadata": (
        "def bad(rows):\n    return pd.DataFrame({'Camera': [1] * len(rows)})\n",
        "ADC-ATTR-008",
        "`Camera`",
    ),
    "of another": ("def bad(rows):\n    return pd.DataFrame({'ink': [1] * len(rows)})\n", "ADC-ATTR-009", "`ink`"),
    "unfit": (
        "class bad:\n    def fitted(self, base, targets):\n        raise OSError('no weights')\n",
        "ADC-ATTR-010",
        "mine.py:5: OSError: no weights",
    ),
    "nothing": (
        "class bad:\n    def fitted(self, base, targets):\n        pass\n",
        "ADC-ATTR-003",
        "'NoneType' object has no attribute 'attributes'",
    ),
    "no enricher": ("bad = 3\n", "ADC-ATTR-002", "mine.py:bad: a int"),
    "no object": ("bath = 3\n", "ADC-ATTR-001", "mine.py:bad"),
    "class": ("class bad:\n    def __init__(self, way):\n        pass\n", "ADC-ATTR-001", "missing 1 required"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_enricher_is_told_once_at_its_line(study: Study, what: str) -> None:
    code, number, got = BAD[what]
    (found,) = problems(study, ["image", "mine.py:bad"], (DARK,), code, camera=np.arange(1797))
    assert found.code == number
    assert got in found.got
    assert "attributes[1]" in found.place


def test_an_enricher_for_other_inputs_is_told_with_those_that_fit(study: Study) -> None:
    one, other = problems(study, ["text", "table"], ())
    assert one.code == other.code == "ADC-ATTR-011"
    assert one.hint.endswith("image, embedding")


def test_unknown_and_double_names_are_told_with_all_else(study: Study) -> None:
    with pytest.raises(AutodcError) as caught:
        study(["imag", "image", "image"], ({**DARK, "rol": 1},))
    found = each_of(caught.value)
    told = " ".join(f"{one.code} {one.hint}" for one in found)
    assert "ADC-SPEC-024 did you mean image?" in told
    assert "ADC-SPEC-040" in told
    assert "ADC-SPEC-020" in told


def test_rows_are_read_only_for_an_enricher(study: Study) -> None:
    code = "def bad(rows):\n    rows.inputs[:] = 0\n    return pd.DataFrame({'a': [1] * len(rows)})\n"
    (found,) = problems(study, ["mine.py:bad"], (), code)
    assert "read-only" in found.got


def test_rows_say_what_they_are() -> None:
    rows = Rows(x=DIGITS.images[:3], metadata=pd.DataFrame(index=range(3)))
    assert (rows.kind, len(rows)) == ("arrays", 3)


def test_lists_and_records_are_no_conditions(study: Study, tmp_path: Path) -> None:
    study(None, slices=())
    content = json.loads((tmp_path / "study.yaml").read_text())
    del content["data"]["candidates"]
    for name in ("base", "validation", "test"):
        first, last = PARTS[name]
        table = load_digits(as_frame=True).data.iloc[first:last].reset_index(drop=True)
        table = table.assign(y=DIGITS.target[first:last], camera=np.arange(len(table)) % 3)
        table["tags"] = [["a", "b"][: k % 3] for k in range(len(table))]
        table["lens"] = [{"mm": k % 5} for k in range(len(table))]
        table.to_parquet(tmp_path / f"{name}.parquet")
        options = {"target": "y", "metadata": ["camera", "tags", "lens"]}
        content["data"][name] = {"source": f"{name}.parquet", "options": options}
    (tmp_path / "study.yaml").write_text(json.dumps(content))
    inputs = read_inputs(autodc.load(str(tmp_path / "study.yaml")))
    seen = known_of(inputs).attributes
    assert {"camera", "tags", "lens"} <= set(inputs.catalogue.validation.metadata)
    assert "camera" in seen
    assert not {"tags", "lens"} & set(seen)


@pytest.mark.skipif(not is_installed("lite0"), reason="the extra vision is not installed")
def test_check_asks_no_network_where_no_slice_needs_it(study: Study) -> None:
    found = preflight(study(["image", "embedding"], slices=()))
    assert found["measured_later"] == ["embedding"]
    names = {one["name"] for one in found["attributes"]}
    assert "brightness" in names
    assert not {name for name in names if NAMED.fullmatch(name)}
    near = {"name": "near", "where": '"Nearest_Share" < 0.5', "role": "target"}
    spec = study(["embedding"], slices=(near,))
    embedding = named("embedding", ".", "attributes[0]", DIGITS.images, networks=True)
    assert not can_wait(embedding, spec, DIGITS.images)
