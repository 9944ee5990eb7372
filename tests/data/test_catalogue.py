"""Every dataset of a study, read from real files, made to agree, cleared of what is held out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from autodc.adapters.sources import read_source
from autodc.data.catalogue import open_test
from autodc.errors import DataError, Problems, SurroundingsError
from autodc.studyfile.study import StudySpec
from autodc.table import Table
from autodc.wire.inputs import read_catalogue

SCANS, LABELS = load_digits(return_X_y=True)
SCANS = SCANS.reshape(-1, 8, 8).astype(np.float32)
PARTS = {"base": (0, 300), "one": (300, 400), "two": (400, 500), "validation": (500, 700), "test": (700, 900)}


@pytest.fixture
def study(tmp_path: Path) -> Any:
    """Write digits as a study's files; arrays and the study file may be changed by name."""

    def write(
        arrays: Any = None,
        kind: Any = "classification",
        slices: Any = (),
        pool: Any = None,
        options: Any = None,
        **data: Any,
    ) -> Any:
        for name, (first, last) in PARTS.items():
            part = {"x": SCANS[first:last], "y": LABELS[first:last], "row": np.arange(first, last)}
            np.savez(tmp_path / f"{name}.npz", **{**part, **(arrays or {}).get(name, {})})
        options = options or {}

        def source(name: Any) -> Any:
            return {"source": f"{name}.npz", "options": options.get(name, {})}

        return StudySpec.model_validate(
            {
                "schema_version": 1,
                "name": "digits",
                "task": {"kind": kind, "trainer": "sklearn"},
                "data": {
                    "base": source("base"),
                    "candidates": [{"name": name, **source(name)} for name in ("one", "two")],
                    "validation": source("validation"),
                    "test": source("test"),
                    **({"pool": {"source": pool}} if pool else {}),
                    **data,
                },
                "metrics": {"primary": "accuracy"},
                "slices": [{"name": "overall", "role": "target"}, *slices],
            }
        ).placed(str(tmp_path))

    return write


def refused(spec: Any) -> Any:
    with pytest.raises(DataError) as caught:
        read_catalogue(spec, read_source)
    return caught.value


def rows(name: Any, x: Any = None, y: Any = None) -> Any:
    first, last = PARTS[name]
    return {name: {"x": SCANS[first:last] if x is None else x, "y": LABELS[first:last] if y is None else y}}


def test_all_datasets_are_read_and_the_test_targets_stay_sealed(study: Any) -> None:
    catalogue = read_catalogue(study(), read_source)
    assert list(catalogue.candidates) == ["one", "two"]
    assert catalogue["base"] is catalogue.base
    assert catalogue["two"] is catalogue.candidates["two"]
    assert catalogue.test.y is None
    assert catalogue.original_target(catalogue.test) is None
    assert catalogue.classes == tuple(range(10))
    assert (dict(catalogue.left_out), catalogue.warnings) == ({}, ())
    np.testing.assert_array_equal(catalogue.validation.y, LABELS[500:700])


@pytest.mark.parametrize("part", ["one", "validation", "test"])
def test_inputs_are_never_wrapped_to_the_type_of_the_base(study: Any, part: Any) -> None:
    """A camera of twelve bits beside the base's eight."""
    whole = {name: {"x": SCANS[first:last].astype(np.uint8)} for name, (first, last) in PARTS.items()}
    first, last = PARTS[part]
    whole[part] = {"x": SCANS[first:last].astype(np.uint16)}
    np.testing.assert_array_equal(read_catalogue(study(whole), read_source).base.x, SCANS[:300])
    whole[part] = {"x": SCANS[first:last].astype(np.uint16) * 100}
    problem = refused(study(whole))
    assert problem.code == "ADC-DATA-021"
    assert "uint16" in problem.got


def test_a_slice_of_its_own_file_is_not_wrapped_either(study: Any, tmp_path: Path) -> None:
    whole = {name: {"x": SCANS[first:last].astype(np.uint8)} for name, (first, last) in PARTS.items()}
    np.savez(tmp_path / "glasses.npz", x=SCANS[900:960].astype(np.int64) - 1, y=LABELS[900:960])
    problem = refused(study(whole, slices=[{"name": "glasses", "role": "target", "source": "glasses.npz"}]))
    assert (problem.code, problem.place) == ("ADC-DATA-021", "study.yaml: slices[glasses].source")
    assert ": -1;" in problem.got


@pytest.mark.slow
def test_what_a_source_has_to_say_is_a_warning(study: Any, tmp_path: Path) -> None:
    spec = study()
    frame = pd.DataFrame(SCANS[:, 0]).add_prefix("p")
    frame["dose"] = [f"{i % 7},{i % 5}" for i in range(len(frame))]
    frame["target"] = LABELS
    for name, (first, last) in PARTS.items():
        frame.iloc[first:last].to_csv(tmp_path / f"{name}.csv")

    def table(source: Any) -> Any:
        return source.model_copy(update={"source": source.source.replace(".npz", ".csv")})

    data = spec.data
    tables = data.model_copy(
        update={
            **{part: table(getattr(data, part)) for part in ("base", "validation", "test")},
            "candidates": tuple(table(c) for c in data.candidates),
            "max_overlap": 1.0,
        }
    )
    catalogue = read_catalogue(spec.model_copy(update={"data": tables}), read_source)
    notes = [warning for warning in catalogue.warnings if warning.startswith("`base`: ")]
    assert [note for note in notes if "`Unnamed: 0` is taken for an index" in note]
    assert [note for note in notes if "`dose` is text that looks like numbers (dose: '0,0')" in note]
    assert catalogue.base.x.names == tuple(f"p{i}" for i in range(1, 8))  # p0 is always dark


def test_opening_the_test_gives_its_targets(study: Any) -> None:
    spec = study()
    opened = open_test(spec, read_source, read_catalogue(spec, read_source))
    np.testing.assert_array_equal(opened.y, LABELS[700:900])


def test_a_test_set_that_changed_is_not_opened(study: Any) -> None:
    catalogue = read_catalogue(study(), read_source)
    changed = study(rows("test", x=SCANS[700:900] + 1))
    with pytest.raises(DataError) as caught:
        open_test(changed, read_source, catalogue)
    assert caught.value.code == "ADC-DATA-028"


def test_labels_become_codes_and_back(study: Any) -> None:
    names = np.array([f"digit {label}" for label in LABELS])
    spec = study({name: {"y": names[first:last]} for name, (first, last) in PARTS.items()})
    catalogue = read_catalogue(spec, read_source)
    assert catalogue.classes == tuple(sorted(set(names)))
    np.testing.assert_array_equal(catalogue.validation.y, LABELS[500:700])
    np.testing.assert_array_equal(catalogue.original_target(catalogue.validation), names[500:700])
    np.testing.assert_array_equal(open_test(spec, read_source, catalogue).y, LABELS[700:900])


def test_whole_numbers_that_are_no_codes_become_codes(study: Any) -> None:
    spec = study({name: {"y": LABELS[first:last] * 10 + 5} for name, (first, last) in PARTS.items()})
    catalogue = read_catalogue(spec, read_source)
    assert catalogue.classes == tuple(range(5, 100, 10))
    np.testing.assert_array_equal(catalogue.validation.y, LABELS[500:700])


def test_classes_of_the_base_alone_unless_mapped(study: Any) -> None:
    y = np.where(LABELS[300:400] == 7, 70, LABELS[300:400])
    problem = refused(study(rows("one", y=y)))
    assert problem.code == "ADC-DATA-023"
    assert "70" in problem.got
    assert problem.place == "study.yaml: data.candidates[one]"
    mapped = study(rows("one", y=y), options={"one": {"map": {"70": 7}}})
    np.testing.assert_array_equal(read_catalogue(mapped, read_source).candidates["one"].y, LABELS[300:400])


def test_a_class_of_validation_that_the_base_lacks(study: Any) -> None:
    problem = refused(study(rows("validation", y=LABELS[500:700] + 1)))
    assert problem.code == "ADC-DATA-023"
    assert "data.validation" in problem.place


def relabelled(row: Any, label: Any, kind: Any = None) -> Any:
    y = LABELS[700:900].astype(kind or LABELS.dtype)
    y[row] = label
    return rows("test", y=y)


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (relabelled([7, 9], 12), "ADC-DATA-023", "2 of 200 rows (row 7, 9): 12"),
        (relabelled(7, np.nan, float), "ADC-DATA-008", "1 of 200 rows (row 7)"),
        (relabelled(7, "seven", "<U5"), "ADC-DATA-022", "1 of 200 rows (row 7): text, the base has whole numbers"),
        ({"test": {"y": np.eye(10)[LABELS[700:900]]}}, "ADC-DATA-011", "shape (200, 10)"),
    ],
    ids=["unknown", "missing", "other type", "one-hot"],
)
def test_a_sealed_target_that_does_not_fit_is_told_before_anything_is_trained(
    study: Any, change: Any, code: Any, words: Any
) -> None:
    problem = refused(study(change))
    assert problem.code == code
    assert words in problem.got
    assert problem.place == "study.yaml: data.test"
    assert "the test set" in problem.problem
    assert "stays sealed" in problem.hint


def test_a_missing_sealed_label_among_text_is_told_with_its_row(study: Any, tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": np.arange(100) * 1.1, "target": ["cat", "dog"] * 50})
    for name, (first, last) in {"base": (0, 40), "one": (40, 60), "validation": (60, 80)}.items():
        frame.iloc[first:last].to_csv(tmp_path / f"{name}.csv", index=False)
    test = frame.iloc[80:].reset_index(drop=True)
    test.loc[7, "target"] = None
    test.to_parquet(tmp_path / "test.parquet")
    sources = {
        "base": {"source": "base.csv"},
        "candidates": [{"name": "one", "source": "one.csv"}],
        "validation": {"source": "validation.csv"},
        "test": {"source": "test.parquet"},
    }
    problem = refused(study(**sources))
    assert problem.code == "ADC-DATA-008"
    assert "row 7" in problem.got
    assert "cat" not in str(problem)


def test_a_label_that_went_wrong_after_the_start_is_told_with_its_row_when_it_is_opened(study: Any) -> None:
    spec = study()
    catalogue = read_catalogue(spec, read_source)
    study(relabelled(7, 12))
    with pytest.raises(DataError) as caught:
        open_test(spec, read_source, catalogue)
    assert (caught.value.code, caught.value.got) == ("ADC-DATA-023", "1 of 200 rows (row 7): 12")


@pytest.mark.parametrize(
    ("y", "code", "words"),
    [
        (np.where(np.arange(200) == 3, np.inf, 1.0), "ADC-DATA-008", "row 3"),
        (np.array(["1.5"] * 3 + ["high"] + ["2"] * 196), "ADC-DATA-011", "no number in row 3"),
        (np.zeros((200, 2)), "ADC-DATA-022", "(2,) a row"),
    ],
)
def test_sealed_numbers_that_do_not_fit(study: Any, y: Any, code: Any, words: Any) -> None:
    numbers = {name: {"y": LABELS[a:b] / 7} for name, (a, b) in PARTS.items()}
    problem = refused(study({**numbers, "test": {"y": y}}, kind="regression"))
    assert problem.code == code
    assert words in problem.got
    assert "high" not in problem.got


def test_sealed_images_of_another_shape(study: Any) -> None:
    images = {name: {"y": SCANS[a:b]} for name, (a, b) in PARTS.items()}
    problem = refused(study({**images, "test": {"y": SCANS[700:900, :4]}}, kind="image_to_image"))
    assert problem.code == "ADC-DATA-022"
    assert problem.got == "(4, 8) a row, the base has (8, 8)"


def test_of_the_sealed_targets_nothing_is_kept_whatever_they_are(study: Any) -> None:
    one = read_catalogue(study(), read_source)
    other = read_catalogue(study(rows("test", y=LABELS[700:900][::-1])), read_source)
    assert one.test.y is None
    assert one.test.fingerprint == other.test.fingerprint
    assert (one.warnings, one.fingerprint, dict(one.left_out)) == (other.warnings, other.fingerprint, {})


def test_slices_without_test_rows_are_told_and_a_where_that_fails_there_tells_no_value(study: Any) -> None:
    rare = {"name": "nines", "where": "target = 9", "role": "target"}
    spec = study(rows("test", y=LABELS[700:900] % 9), slices=[rare])
    assert read_catalogue(spec, read_source).warnings == (
        "slice nines has no rows in the test set: it is not measured there",
    )
    ratio = {"name": "ratio", "where": "CAST(replace(CAST(target AS VARCHAR), '1', 'x') AS INT) = 1", "role": "target"}
    (problem,) = read_catalogue(study(slices=[ratio]), read_source).unfit
    assert problem.code == "ADC-DATA-034"
    assert "slice ratio of the test set" in problem.place
    assert problem.got == repr(ratio["where"])


def coarse(rows_: Any, seed: Any, columns: Any = 4, values: Any = 4) -> Any:
    return np.random.default_rng(seed).integers(0, values, (rows_, columns)).astype(float)


def people(study: Any, overlap: Any = None, **changed: Any) -> Any:
    """A study of independent people of whom a few answers are known."""
    sizes = {"base": 400, "one": 200, "two": 200, "validation": 1500, "test": 800}
    arrays = {}
    for seed, (name, size) in enumerate(sizes.items()):
        x = changed.get(name, coarse(size, seed))
        noise = np.random.default_rng(seed + 90).integers(0, 2, len(x))
        arrays[name] = {"x": x, "y": (x.sum(axis=1) + noise > 6).astype(int), "row": np.arange(len(x))}
    return study(arrays, **({"overlap": overlap} if overlap else {}))


@pytest.mark.parametrize("overlap", ["refuse", "drop", "allow"])
def test_equal_rows_of_a_coarse_table_are_different_people(study: Any, overlap: Any) -> None:
    catalogue = read_catalogue(people(study, overlap), read_source)
    assert (len(catalogue.base), len(catalogue.candidates["one"]), dict(catalogue.left_out)) == (400, 200, {})
    told = [w for w in catalogue.warnings if "different examples" in w]
    assert len(told) == 3
    assert "`base`" in told[0]
    assert "`validation`" in told[0]


def test_copies_beyond_chance_are_refused_in_a_coarse_table_too(study: Any) -> None:
    held = coarse(1500, 3, columns=7)
    copied = np.concatenate([coarse(300, 0, columns=7), held[:100]])
    others = {name: coarse(200, seed, columns=7) for seed, name in enumerate(("one", "two", "test"), 7)}
    problem = refused(people(study, base=copied, validation=held, **others))
    assert problem.code == "ADC-DATA-024"
    assert problem.place == "study.yaml: data.base"
    assert 80 <= int(problem.got.split()[0]) <= 120
    assert "`validation`" in problem.got


def test_drop_leaves_copies_out_whatever_their_share_and_allow_keeps_them(study: Any) -> None:
    x = SCANS[300:400].copy()
    x[:60] = SCANS[600:660]
    assert "data.overlap: drop" in refused(study(rows("one", x))).hint
    dropped = read_catalogue(study(rows("one", x), overlap="drop"), read_source)
    assert dict(dropped.left_out) == {"one": 60}
    assert "60 of 100 rows (60.0%) of `one` are also in `validation` (60); they are left out" in dropped.warnings[0]
    np.testing.assert_array_equal(dropped.candidates["one"].x, x[60:])
    allowed = read_catalogue(study(rows("one", x), overlap="allow"), read_source)
    assert (len(allowed.candidates["one"]), dict(allowed.left_out)) == (100, {})
    assert "60 of 100 rows (60.0%) of `one`" in allowed.warnings[0]
    assert "learned and tested on" in allowed.warnings[0]


def test_held_rows_alone_may_be_allowed_and_not_dropped(study: Any) -> None:
    problem = refused(study(rows("one", SCANS[500:600]), overlap="drop"))
    assert (problem.code, problem.got.split(" of `one`")[0]) == ("ADC-DATA-024", "100 of 100 rows (100.0%)")
    assert "nothing would be left" in problem.hint
    assert (
        len(read_catalogue(study(rows("one", SCANS[500:600]), overlap="allow"), read_source).candidates["one"]) == 100
    )


def test_one_class_is_no_classification(study: Any) -> None:
    assert refused(study({name: {"y": np.zeros(b - a, int)} for name, (a, b) in PARTS.items()})).code == "ADC-DATA-025"


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"x": SCANS[300:400, :4]}, "ADC-DATA-020", "(4, 8), the base has (8, 8)"),
        ({"x": SCANS[300:400].astype(np.uint8)}, "ADC-DATA-021", "uint8, the base has float32"),
        ({"y": LABELS[300:400].astype(str)}, "ADC-DATA-022", "text, the base has whole numbers"),
        ({"y": LABELS[300:399]}, "ADC-DATA-006", "100 and 99"),
    ],
)
def test_a_candidate_unlike_the_base(study: Any, change: Any, code: Any, words: Any) -> None:
    problem = refused(study({"one": change}))
    assert problem.code == code
    assert words in str(problem)
    assert "candidates[one]" in problem.place


def test_a_wider_type_of_the_same_kind_is_narrowed_to_the_base(study: Any) -> None:
    catalogue = read_catalogue(study(rows("one", x=SCANS[300:400].astype(np.float64))), read_source)
    assert catalogue.candidates["one"].x.dtype == np.float32


def test_a_few_copies_of_held_rows_are_left_out_and_counted(study: Any) -> None:
    x = SCANS[300:400].copy()
    x[5], y = SCANS[650], LABELS[300:400].copy()
    y[5] = 3  # a copy with another label is a copy
    catalogue = read_catalogue(study(rows("one", x, y)), read_source)
    assert dict(catalogue.left_out) == {"one": 1}
    assert "1 of 100 rows (1.0%) of `one` are also in `validation` (1)" in catalogue.warnings[0]
    np.testing.assert_array_equal(catalogue.candidates["one"].x, np.delete(x, 5, axis=0))
    assert catalogue.candidates["one"].metadata["row"].tolist() == [i for i in range(300, 400) if i != 305]


@pytest.mark.parametrize(("held", "first"), [("validation", 600), ("test", 800)])
def test_more_copies_are_refused_unless_allowed(study: Any, held: Any, first: Any) -> None:
    x = SCANS[300:400].copy()
    x[:20] = SCANS[first : first + 20]
    problem = refused(study(rows("one", x)))
    assert problem.code == "ADC-DATA-024"
    assert f"20 of 100 rows (20.0%) of `one` are also in `{held}` (20)" in problem.got
    assert "data.max_overlap" in problem.hint
    catalogue = read_catalogue(study(rows("one", x), max_overlap=0.2), read_source)
    assert dict(catalogue.left_out) == {"one": 20}


def test_the_base_itself_may_not_hold_validation(study: Any) -> None:
    problem = refused(study(rows("base", SCANS[500:800])))
    assert problem.place == "study.yaml: data.base"
    assert "`validation` (200), `test` (100)" in problem.got


def test_a_dataset_of_held_rows_alone_is_refused_even_where_allowed(study: Any) -> None:
    assert refused(study(rows("one", SCANS[500:600]), max_overlap=1)).code == "ADC-DATA-024"


def test_slice_sets_are_held_out_too_and_may_overlap_validation(study: Any, tmp_path: Path) -> None:
    np.savez(tmp_path / "glasses.npz", x=SCANS[[500, 501, 300]], y=LABELS[[500, 501, 300]])
    catalogue = read_catalogue(study(slices=[{"name": "one", "source": "glasses.npz", "role": "target"}]), read_source)
    assert list(catalogue.slice_sets) == ["one"]
    assert dict(catalogue.left_out) == {"one": 1}


def test_a_pool_gives_its_copies_up_without_refusal(study: Any, tmp_path: Path) -> None:
    np.savez(tmp_path / "pool.npz", x=SCANS[600:1000], y=LABELS[600:1000])
    catalogue = read_catalogue(study(pool="pool.npz"), read_source)
    assert len(catalogue.pool) == 100
    assert dict(catalogue.left_out) == {"pool": 300}


def test_the_same_rows_twice_are_a_warning(study: Any) -> None:
    first = {"x": SCANS[:100], "y": LABELS[:100]}
    catalogue = read_catalogue(study({"one": first, "two": first}), read_source)
    assert catalogue.warnings == ("`two` has the same rows as `one`",)


def test_a_copy_of_the_base_is_a_warning(study: Any) -> None:
    base = {"x": SCANS[:300], "y": LABELS[:300], "row": np.arange(300)}
    assert read_catalogue(study({"one": base}), read_source).warnings == ("`one` has the same rows as `base`",)


def test_groups_on_both_sides_are_a_warning(study: Any) -> None:
    groups = {name: {"who": np.arange(a, b) // 50} for name, (a, b) in PARTS.items()}
    groups["one"]["who"] = np.full(100, 12)  # a group of validation
    options = {name: {"group": "who"} for name in PARTS}
    catalogue = read_catalogue(study(groups, options=options), read_source)
    assert len(catalogue.warnings) == 1
    assert "1 of 1 groups of `one` are also in `validation`" in catalogue.warnings[0]


def test_all_problems_come_at_once(study: Any, tmp_path: Path) -> None:
    spec = study({"one": {"x": SCANS[300:400, :4]}, "two": {"x": SCANS[500:600]}, "test": {"y": LABELS[:5]}})
    (tmp_path / "validation.npz").write_bytes(b"PK")
    with pytest.raises(Problems) as caught:
        read_catalogue(spec, read_source)
    places = [problem.place for problem in caught.value.problems]
    sources = ["study.yaml: data.validation.source", "study.yaml: data.test.source"]
    assert places == [*sources, "study.yaml: data.candidates[one]"]
    assert caught.value.exit_code == 2


def test_names_are_used_once(study: Any) -> None:
    candidates = [{"name": name, "source": "one.npz"} for name in ("a", "a", "base")]
    with pytest.raises(Problems) as caught:
        read_catalogue(study(candidates=candidates), read_source)
    assert [problem.code for problem in caught.value.problems] == ["ADC-DATA-027", "ADC-DATA-027"]


def test_the_surroundings_are_not_blamed_on_the_input(study: Any) -> None:
    def silent(*_: Any, **__: Any) -> None:
        raise SurroundingsError("ADC-DATA-040", "no answer")

    with pytest.raises(SurroundingsError):
        read_catalogue(study(), silent)


def test_the_fingerprint_is_the_content_of_everything_but_the_sealed_targets(study: Any) -> None:
    first = read_catalogue(study(), read_source).fingerprint
    assert read_catalogue(study(), read_source).fingerprint == first
    assert read_catalogue(study(rows("test", y=LABELS[700:900][::-1])), read_source).fingerprint == first
    assert read_catalogue(study(rows("one", y=LABELS[300:400][::-1])), read_source).fingerprint != first
    assert read_catalogue(study(rows("test", x=SCANS[700:900] + 1)), read_source).fingerprint != first


def test_columns_of_tables_are_put_in_the_order_of_the_base(study: Any, tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": np.arange(100) / 4, "b": np.arange(100) // 3, "target": [0, 1] * 50})
    frame.head(40).to_csv(tmp_path / "base.csv", index=False)
    frame.iloc[40:60, [2, 1, 0]].to_csv(tmp_path / "one.csv", index=False)
    frame.tail(40).to_csv(tmp_path / "validation.csv", index=False)
    sources = {
        "base": {"source": "base.csv"},
        "candidates": [{"name": "one", "source": "one.csv"}],
        "validation": {"source": "validation.csv"},
        "test": None,
    }
    catalogue = read_catalogue(study(**sources), read_source)
    inputs = catalogue.candidates["one"].x
    assert isinstance(inputs, Table)
    pd.testing.assert_frame_equal(inputs.frame(), frame[["a", "b"]].iloc[40:60].reset_index(drop=True))
    frame.iloc[40:60].rename(columns={"b": "c"}).to_csv(tmp_path / "one.csv", index=False)
    problem = refused(study(**sources))
    assert problem.code == "ADC-DATA-020"
    assert problem.got == "b; columns here: a, c, target"


def test_regression_keeps_its_numbers(study: Any) -> None:
    spec = study({name: {"y": LABELS[a:b] / 7} for name, (a, b) in PARTS.items()}, kind="regression")
    catalogue = read_catalogue(spec, read_source)
    assert catalogue.classes is None
    np.testing.assert_array_equal(catalogue.original_target(catalogue.validation), LABELS[500:700] / 7)
