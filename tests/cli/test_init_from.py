"""`autodc init DIR --from SOURCE`: what it writes runs as it is, or it says in one message why there is nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

from autodc.studyfile import load
from autodc.verbs.check import preflight

RNG = np.random.default_rng


def customers(rows: Any, seed: Any = 0) -> pd.DataFrame:
    r = RNG(seed)
    age, plan = r.integers(18, 80, rows), r.choice(["basic", "plus", "pro"], rows)
    churn = np.where((age > 45) ^ (plan == "pro"), "stays", "leaves")
    return pd.DataFrame(
        {
            "customer_id": [f"c{seed}-{i}" for i in range(rows)],
            "age": pd.Series(age).where(r.random(rows) > 0.1),
            "plan": plan,
            "channel": r.choice(["web", "mobile"], rows),
            "country": "NO",
            "spend": r.gamma(2, 50, rows).round(2),
            "churn": churn,
        }
    )


@pytest.fixture
def made(autodc: Any, tmp_path: Path) -> Any:
    """Run init on rows or a path; return what it said in JSON, the study, and what check finds."""

    def init(source: Any, *words: Any, name: Any = "data.csv") -> Any:
        if isinstance(source, pd.DataFrame):
            path = tmp_path / name
            source.to_csv(path, index=False)
            source = path
        said = autodc("init", tmp_path / "new", "--from", source, *words, "--json")
        assert said.code == 0, said.err
        spec = load(tmp_path / "new" / "study.yaml")
        text = (tmp_path / "new" / "study.yaml").read_text()
        assert max(map(len, text.splitlines())) <= 80
        assert len(text.splitlines()) <= 60
        return json.loads(said.out), spec, preflight(spec)

    return init


@pytest.mark.slow
def test_a_table_with_gaps_categories_an_id_and_a_constant(made: Any) -> None:
    told, spec, found = made(customers(600), "--target", "churn")
    assert (told["kind"], told["inputs"]) == ("classification", ["age", "plan", "channel", "spend"])
    assert told["left_out"] == {"customer_id": "an id", "country": "the same in every row"}
    assert spec.data.base.options["metadata"] == ["customer_id", "country"]
    assert told["options"]["estimator"] == "HistGradientBoostingClassifier"
    assert {"channel_web", "channel_mobile"} <= set(told["slices"])
    assert found["warnings"] == []
    assert found["can_keep"]


@pytest.mark.slow
def test_margins_are_what_the_rows_certify(made: Any) -> None:
    *_, found = made(customers(600), "--target", "churn")
    guards = [row for row in found["slices"] if row["role"] == "guard"]
    assert guards
    for row in guards:
        assert row["certifies"] <= row["margin"] <= 1.2 * row["certifies"]


@pytest.mark.slow
def test_parts_share_no_row_and_lose_none(made: Any, tmp_path: Path) -> None:
    told, *_ = made(customers(400), "--target", "churn")
    parts = {part: pd.read_parquet(tmp_path / "new" / "data" / f"{part}.parquet") for part in told["parts"]}
    assert {part: len(rows) for part, rows in parts.items()} == told["parts"]
    every = pd.concat(parts.values())["customer_id"]
    assert sorted(every) == sorted(customers(400)["customer_id"])
    shares = [rows["churn"].eq("stays").mean() for rows in parts.values()]
    assert max(shares) - min(shares) < 0.02


@pytest.mark.slow
def test_groups_stay_whole(made: Any, tmp_path: Path) -> None:
    rows = customers(900)
    rows["patient"] = RNG(1).integers(0, 300, 900)
    told, spec, _ = made(rows, "--target", "churn")
    assert (told["group"], spec.data.validation.options["group"]) == ("patient", "patient")
    assert "patient" not in told["inputs"]
    seen = [set(pd.read_parquet(tmp_path / "new" / "data" / f"{p}.parquet")["patient"]) for p in told["parts"]]
    assert not seen[0] & seen[1]
    assert not (seen[0] | seen[1]) & seen[2]


@pytest.mark.slow
def test_a_date_makes_the_cut_a_cut_in_time(made: Any, tmp_path: Path) -> None:
    rows = customers(500)
    rows["created"] = pd.date_range("2026-01-01", periods=500, freq="6h").strftime("%Y-%m-%d %H:%M")
    rows["month"] = pd.to_datetime(rows["created"]).dt.month_name()
    rows = rows.sample(frac=1, random_state=0)
    told, spec, _ = made(rows, "--target", "churn")
    data = spec.data
    assert [one.options["time"] for one in (data.base, data.validation, data.test)] == ["created"] * 3
    read = [pd.read_parquet(tmp_path / "new" / "data" / f"{part}.parquet")["created"] for part in told["parts"]]
    assert read[0].max() < read[1].min()
    assert read[1].max() < read[2].min()
    assert told["left_out"]["created"] == "the time the rows are cut by"
    assert not [one.name for one in spec.slices if "month" in (one.where or "")]
    assert [one.name for one in spec.slices if "channel" in (one.where or "")]


@pytest.mark.slow
def test_a_date_of_birth_is_no_time(made: Any) -> None:
    rows = customers(300)
    rows["birth_date"] = pd.to_datetime("1950-01-01") + pd.to_timedelta(RNG(0).integers(0, 20000, 300), "D")
    told, *_ = made(rows, "--target", "churn")
    assert "birth_date" in told["inputs"]


@pytest.mark.slow
def test_files_beside_are_validation_test_and_candidates(made: Any, tmp_path: Path) -> None:
    for seed, name in enumerate(("churn_test", "churn_validation", "churn_2026_02", "churn_2026_03"), start=1):
        customers(300, seed).to_csv(tmp_path / f"{name}.csv", index=False)
    pd.DataFrame({"a": [1]}).to_csv(tmp_path / "other_test.csv", index=False)
    told, spec, found = made(customers(300), "--target", "churn", name="churn_2026_01.csv")
    assert spec.data.base.source == "../churn_2026_01.csv"
    assert spec.data.validation.source == "../churn_validation.csv"
    assert spec.data.test.source == "../churn_test.csv"
    assert told["candidates"] == ["churn_2026_02", "churn_2026_03"]
    assert not (tmp_path / "new" / "data").exists()
    assert found["warnings"] == []


@pytest.mark.slow
def test_a_copy_of_the_source_beside_it_is_no_candidate(made: Any, tmp_path: Path) -> None:
    customers(300).to_csv(tmp_path / "backup.csv", index=False)
    told, *_ = made(customers(300), "--target", "churn")
    assert told["candidates"] == []
    assert "held-out" in told["not_used"]["backup.csv"]


@pytest.mark.slow
def test_a_folder_of_candidates_names_those_that_do_not_fit(made: Any, tmp_path: Path) -> None:
    more = tmp_path / "more"
    more.mkdir()
    customers(200, 1).assign(extra=1).to_csv(more / "good one.csv", index=False)
    customers(200, 2).drop(columns="plan").to_csv(more / "no plan.csv", index=False)
    customers(200, 3).replace({"churn": {"stays": "perhaps"}}).to_csv(more / "labels.csv", index=False)
    (more / "readme.txt").write_text("hello")
    told, spec, _ = made(customers(300), "--target", "churn", "--candidates", more)
    assert [one.name for one in spec.data.candidates] == ["good_one"]
    assert told["not_used"]["no plan.csv"] == "without plan"
    assert "perhaps" in told["not_used"]["labels.csv"]
    assert told["not_used"]["readme.txt"] == "another kind of file"
    assert "no plan.csv" in (tmp_path / "new" / "study.yaml").read_text()


@pytest.mark.slow
def test_rows_without_a_target_are_left_out_and_told(made: Any, tmp_path: Path) -> None:
    rows = customers(300)
    rows.loc[:24, "churn"] = None
    told, *_ = made(rows, "--target", "churn")
    assert (told["rows"], told["without_target"]) == (275, 25)
    assert "25 rows without a target" in (tmp_path / "new" / "study.yaml").read_text()


@pytest.mark.slow
def test_numbers_are_regression_and_few_whole_ones_are_classes(made: Any) -> None:
    told, spec, _ = made(customers(600), "--target", "spend")
    assert (told["kind"], spec.metrics.primary, told["trainer"]) == ("regression", "mae", "sklearn")
    guards = [one.margin for one in spec.guards]
    assert guards
    assert all(0 < margin < 60 for margin in guards)


@pytest.mark.slow
def test_several_targets_are_one_regression(made: Any) -> None:
    rows = customers(300).assign(y1=RNG(0).normal(size=300), y2=RNG(1).normal(size=300))
    told, spec, _ = made(rows, "--target", "y1", "--target", "y2")
    assert (told["kind"], spec.data.base.options["target"]) == ("regression", ["y1", "y2"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reads", "kind"),
    [(load_iris, "classification"), (load_breast_cancer, "classification"), (load_diabetes, "regression")],
)
def test_tables_of_scikit_learn(made: Any, reads: Any, kind: Any) -> None:
    told, _, found = made(reads(as_frame=True).frame)
    assert (told["kind"], told["target"], told["trainer"]) == (kind, ["target"], "sklearn")
    assert found["can_keep"]


def test_text_is_what_there_is_to_learn_from(made: Any, tmp_path: Path) -> None:
    r = RNG(0)
    words = ["the", "food", "was", "good", "bad", "cold", "warm", "slow", "quick", "and", "nobody", "came"]
    rows = [
        {
            "review": " ".join(r.choice(words, 9)) + f" {i}",
            "stars": int(r.integers(1, 6)),
            "label": ["pos", "neg"][i % 2],
        }
        for i in range(300)
    ]
    source = tmp_path / "reviews.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    told, spec, _ = made(source)
    assert (spec.data.base.options["text"], told["options"]["estimator"]) == ("review", "LogisticRegression")


def pictures(folder: Path, count: Any, seed: Any) -> None:
    r = RNG(seed)
    for kind in ("bar", "beam"):
        (folder / kind).mkdir(parents=True)
        for i in range(count):
            image = Image.fromarray(r.integers(0, 255, (int(r.integers(20, 60)), 30, 3), dtype=np.uint8))
            image.convert(str(r.choice(["RGB", "L"]))).save(folder / kind / f"{seed}-{i}.png")


@pytest.mark.slow
def test_a_folder_of_images_is_cut_without_a_copy(made: Any, tmp_path: Path) -> None:
    pictures(tmp_path / "pets", 60, 0)
    told, spec, _ = made(tmp_path / "pets")
    height, width = spec.data.base.options.pop("size")
    assert (32 <= height <= 48, width) == (True, 32)
    assert spec.data.base.options == {"mode": "RGB", "target": "label"}
    assert (told["trainer"], sum(told["parts"].values())) == ("torch_image", 120)
    assert not [path for path in (tmp_path / "new").rglob("*") if path.suffix == ".png" and not path.is_symlink()]


@pytest.mark.slow
def test_a_folder_of_parts_is_taken_apart(made: Any, tmp_path: Path) -> None:
    for seed, part in enumerate(("train", "val", "test", "extra_rain")):
        pictures(tmp_path / "pets" / part, 40, seed)
    files = sorted(path.relative_to(tmp_path / "pets").as_posix() for path in (tmp_path / "pets").rglob("*.png"))
    about = pd.DataFrame({"file": files, "camera": ["a" if i % 2 else "b" for i in range(len(files))]})
    about.to_csv(tmp_path / "pets" / "meta.csv", index=False)
    told, spec, found = made(tmp_path / "pets")
    assert (spec.data.base.source, spec.data.validation.source) == ("../pets/train", "../pets/val")
    assert (spec.data.test.source, told["candidates"]) == ("../pets/test", ["extra_rain"])
    assert spec.data.base.options["metadata"] == "../pets/meta.csv"
    assert found["warnings"] == []


@pytest.mark.parametrize(("shape", "kind"), [((), "regression"), ((2,), "regression")])
def test_arrays(made: Any, tmp_path: Path, shape: Any, kind: Any) -> None:
    r = RNG(0)
    np.savez(tmp_path / "rows.npz", x=r.normal(size=(200, 5)), y=r.normal(size=(200, *shape)), side=["l", "r"] * 100)
    told, spec, _ = made(tmp_path / "rows.npz")
    assert (told["kind"], spec.data.base.source) == (kind, "data/train.npz")


@pytest.mark.slow
def test_a_url_is_copied_into_parts(made: Any, tmp_path: Path) -> None:
    customers(300).to_csv(tmp_path / "data.csv", index=False)
    told, spec, _ = made(f"file://{tmp_path}/data.csv", "--target", "churn")
    assert told["inputs"] == ["age", "plan", "channel", "spend"]
    assert spec.data.base.source == "data/train.parquet"


BAD: dict[str, Any] = {
    "no target": (customers(100), (), "ADC-INIT-003", "columns: customer_id"),
    "typo": (customers(100), ("--target", "chrun"), "ADC-INIT-003", "did you mean churn?"),
    "one class": (customers(100), ("--target", "country"), "ADC-INIT-004", "the same in every row"),
    "an id": (customers(100), ("--target", "customer_id"), "ADC-INIT-004", "another in nearly every row"),
    "few rows": (customers(20), ("--target", "churn"), "ADC-INIT-005", "found 20"),
    "no rows": (customers(0), ("--target", "churn"), "ADC-INIT-005", "no rows"),
    "nothing to learn from": (customers(100)[["customer_id", "churn"]], ("--target", "churn"), "ADC-INIT-006", "an id"),
    "no folder": (customers(100), ("--target", "churn", "--candidates", "nowhere"), "ADC-INIT-007", "nowhere"),
    "text among several": (customers(100), ("--target", "spend", "--target", "plan"), "ADC-INIT-004", "`plan`"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_learned_is_refused_and_leaves_nothing(autodc: Any, tmp_path: Path, name: Any) -> None:
    rows, words, code, hint = BAD[name]
    rows.to_csv(tmp_path / "data.csv", index=False)
    said = autodc("init", tmp_path / "deep" / "new", "--from", tmp_path / "data.csv", *words)
    assert (said.code, said.out) == (2, "")
    assert code in said.err
    assert hint in said.err
    assert os.listdir(tmp_path) == ["data.csv"]


def test_a_source_that_is_not_there_says_what_was_meant(autodc: Any, tmp_path: Path) -> None:
    customers(100).to_csv(tmp_path / "data.csv", index=False)
    said = autodc("init", tmp_path / "new", "--from", tmp_path / "dta.csv")
    assert said.code == 2
    assert "did you mean `data.csv`?" in said.err


def test_a_folder_that_is_taken_is_refused_and_left(autodc: Any, tmp_path: Path) -> None:
    customers(100).to_csv(tmp_path / "data.csv", index=False)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "mine.txt").write_text("mine")
    for words in (("--from", tmp_path / "data.csv", "--target", "churn"), ("--example", "tabular")):
        said = autodc("init", tmp_path / "new", *words)
        assert said.code == 2
        assert "not empty" in said.err
    assert os.listdir(tmp_path / "new") == ["mine.txt"]
    assert autodc("init", tmp_path / "data.csv" / "new").code == 2


@pytest.mark.slow
def test_an_empty_folder_is_filled(made: Any, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    before = (tmp_path / "new").stat().st_ino
    made(customers(100), "--target", "churn")
    assert (tmp_path / "new").stat().st_ino == before


@pytest.mark.parametrize("words", [("--target", "a"), ("--candidates", "b"), ("--from", "c", "--example", "digits")])
def test_options_that_do_not_go_together(autodc: Any, tmp_path: Path, words: Any) -> None:
    said = autodc("init", tmp_path / "new", *words)
    assert said.code == 2
    assert "--from" in said.err


@pytest.mark.slow
def test_awkward_names_are_quoted(made: Any) -> None:
    rows = customers(400).rename(columns={"plan": 'the "plan", now', "channel": "order", "churn": "it: #1"})
    rows["order"] = rows["order"].replace("web", "it's web")
    told, spec, _ = made(rows, "--target", "it: #1")
    assert told["target"] == ["it: #1"]
    assert [one.where for one in spec.slices if one.name.startswith("order")] == [
        "\"order\" = 'it''s web'",
        "\"order\" = 'mobile'",
    ]


@pytest.mark.slow
def test_the_same_source_gives_the_same_study(autodc: Any, tmp_path: Path) -> None:
    customers(300).to_csv(tmp_path / "data.csv", index=False)
    for name in ("a", "b"):
        assert autodc("init", tmp_path / name / "new", "--from", tmp_path / "data.csv", "--target", "churn").code == 0
    first, second = (tmp_path / name / "new" for name in ("a", "b"))
    assert (first / "study.yaml").read_text() == (second / "study.yaml").read_text()
    for part in ("train", "validation", "test"):
        one, two = (pd.read_parquet(folder / "data" / f"{part}.parquet") for folder in (first, second))
        pd.testing.assert_frame_equal(one, two)


@pytest.mark.slow
def test_what_it_writes_runs(autodc: Any, made: Any, tmp_path: Path, inline: Any) -> None:
    customers(300, 7).to_csv(tmp_path / "more.csv", index=False)
    made(customers(500), "--target", "churn")
    study = tmp_path / "new" / "study.yaml"
    small = ("budget.trainings=40", "search.trials_per_round=8", "loop.rounds=1", "tracking.uri=none")
    words = [word for one in small for word in ("--set", one)]
    said = autodc("run", study, "--machine", inline, "--out", tmp_path / "out", *words)
    assert said.code == 0, said.err
    assert json.loads((tmp_path / "out" / "result.json").read_text())["finished"]
