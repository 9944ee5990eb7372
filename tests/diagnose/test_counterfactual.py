"""Counterfactuals: they succeed, they are near, and the table of shifts names what was planted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from autodc.adapters.decoders import ConditionalAutoencoder
from autodc.codes import CODES
from autodc.diagnose.counterfactual import Counterfactuals, counterfactuals
from autodc.diagnose.view import View, failed_rows
from autodc.table import Table
from tests.diagnose.worlds import CONFIGS, digits, measure, seen


def of_digits(condition: str = "dark", **options: Any) -> tuple[View, Counterfactuals]:
    view, has, model = digits(condition)
    return view, counterfactuals(
        view, has, options.pop("predict", lambda x: model.predict_proba(x.reshape(len(x), -1))),
        options.pop("measured_by", measure), **options,
    )  # fmt: skip


def test_the_model_succeeds_on_them_and_they_stay_in_range() -> None:
    view, told = of_digits()
    assert told.by == "pca"
    assert len(told.rows) >= 0.9 * told.tried
    assert (told.new_prediction == told.truth).all()
    assert (told.prediction != told.truth).all()
    assert told.counterfactuals.min() >= view.x.min()
    assert told.counterfactuals.max() <= view.x.max()
    assert np.allclose(told.counterfactuals - told.inputs, told.difference)


def test_the_shift_of_dark_digits_is_light() -> None:
    _, told = of_digits()
    assert told.shifts[0].attribute in {"lightest", "brightness", "contrast"}
    assert told.shifts[0].low > 0
    assert told.shifts[0].after > told.shifts[0].before
    assert abs(told.shifts[0].control) < told.shifts[0].after - told.shifts[0].before
    table = told.to_dict()
    assert table["found"] == len(told.rows)
    assert {"attribute", "difference", "low", "high", "before", "after", "control"} <= set(table["shifts"][0])


def test_the_same_seed_gives_the_same() -> None:
    assert of_digits(seed=5)[1].to_dict() == of_digits(seed=5)[1].to_dict()


@pytest.mark.slow
def test_a_conditional_autoencoder_does_it_too() -> None:
    _, told = of_digits(decoder=ConditionalAutoencoder(epochs=10))
    assert told.by == "vae"
    assert len(told.rows) >= 0.5 * told.tried
    assert {"lightest", "brightness", "contrast"} & {one.attribute for one in told.shifts[:3]}


def test_of_a_table_the_column_that_was_swapped_has_to_change() -> None:
    table = pd.read_parquet(CONFIGS / "census" / "data" / "validation.parquet").head(1500)
    names = ["age", "weeks", "schooling", "sex", "marital"]
    y = (table["income"] == table["income"].iloc[0]).to_numpy().astype(int)
    frame = table[names].assign(
        schooling=table["schooling"].astype(str), sex=table["sex"].astype(str), marital=table["marital"].astype(str)
    )
    frame["weeks"] = frame["weeks"].astype(float)
    types = ("integer", "number", "category", "category", "category")

    def features(rows: pd.DataFrame) -> np.ndarray:
        degree = rows["schooling"].str.contains("degree\\(")
        return np.stack([rows["age"] / 50, rows["weeks"].fillna(0) / 26, degree, rows["sex"] == "Male"], 1).astype(
            float
        )

    model = LogisticRegression(max_iter=300, class_weight="balanced").fit(features(frame), y)
    broken = np.random.default_rng(0).random(len(frame)) < 0.15
    frame.loc[broken, "weeks"] = 52 - frame.loc[broken, "weeks"]
    view = seen(
        model.predict_proba(features(frame)), y, Table.of("table", frame, types), frame, np.random.default_rng(0)
    )
    told = counterfactuals(
        view, broken, lambda x: model.predict_proba(features(x.arrow.to_pandas())), lambda x: x.arrow.to_pandas()
    )
    assert told.by == "columns"
    assert (told.new_prediction == told.truth).all()
    assert told.needed[0][0] == "weeks"
    assert told.needed[0][1] > 0.5
    assert told.difference is not None
    assert told.difference.sum(1).mean() < 2.5
    assert "marital" not in dict(told.needed)  # the model does not look at it
    assert told.shifts[0].attribute == "weeks"


def test_of_text_the_words_that_mislead_are_replaced() -> None:
    rows = pd.read_parquet(CONFIGS / "reviews" / "data" / "validation.parquet").head(900)
    text, y = rows["text"].astype(str).to_numpy(object), (rows["label"] == "positive").to_numpy().astype(int)
    model = make_pipeline(CountVectorizer(min_df=2), LogisticRegression(max_iter=300)).fit(text, y)
    words, weights = model[0].get_feature_names_out(), model[1].coef_[0]
    worst, best = words[weights.argmin()], words[weights.argmax()]
    hit = np.random.default_rng(0).random(len(text)) < 0.2
    text = np.array(
        [f"{t} {' '.join([worst if k else best] * 4)}" if h else t for t, k, h in zip(text, y, hit, strict=True)],
        dtype=object,
    )
    measured = lambda x: pd.DataFrame(  # noqa: E731
        {
            "length": [len(t) for t in x.arrow.column("text").to_pylist()],
            "misled": [t.split().count(worst) + t.split().count(best) for t in x.arrow.column("text").to_pylist()],
        }
    )
    view = seen(
        model.predict_proba(text),
        y,
        Table.of_texts(text),
        pd.DataFrame(index=range(len(text))),
        np.random.default_rng(0),
    )
    told = counterfactuals(
        view, hit, lambda x: model.predict_proba(x.arrow.column("text").to_pylist()), measured, rows=40
    )
    assert told.by == "words"
    assert len(told.rows) > 20
    assert (told.new_prediction == told.truth).all()
    assert told.shifts[0].attribute == "misled"
    assert told.shifts[0].high < 0


def test_a_regression_succeeds_at_the_median_error_of_what_passes() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(800, 4))
    y = x[:, 0] * 2 + rng.normal(0, 0.1, 800)
    off = rng.random(800) < 0.15
    x[off, 1] += 6

    def predict(rows: np.ndarray) -> np.ndarray:
        return np.asarray(rows[:, 0] * 2 + np.maximum(rows[:, 1] - 3, 0))

    error = np.abs(predict(x) - y)
    view = View(
        ids=np.arange(800), error=error, failed=failed_rows(error, is_classification=False), target=y,
        prediction=predict(x), attributes=pd.DataFrame(x), groups=np.arange(800), x=x,
    )  # fmt: skip
    told = counterfactuals(view, off, predict, pd.DataFrame)
    assert len(told.rows) > 10
    assert told.needed[0][0] == "x1"
    assert told.shifts[0].attribute == "1"


def raising(x: Any) -> np.ndarray:
    raise RuntimeError("no card in this machine")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"predict": raising}, "ADC-DIAG-040"),
        ({"predict": lambda x: np.zeros((3, 10))}, "ADC-DIAG-041"),
        ({"measured_by": raising}, "ADC-DIAG-042"),
        ({"measured_by": lambda x: measure(x)[:-1]}, "ADC-DIAG-045"),
    ],
)
def test_code_that_fails_is_told_and_the_rest_stands(options: dict[str, Any], code: str) -> None:
    _, told = of_digits(**options)
    assert [one.code for one in told.left_out] == [code]
    assert code in CODES
    assert told.shifts == ()
    assert bool(len(told.rows)) == ("measured_by" in options)
    assert code in told.to_dict()["left_out"][0]


def test_nothing_to_move_and_inputs_that_cannot_be_changed_are_told() -> None:
    view, has, _ = digits("dark")
    never, always = (replace(view, failed=np.full(len(view), one)) for one in (False, True))
    files = replace(view, x=Table.of_files(["/a"] * len(view), ["0"] * len(view)))
    codes = [
        counterfactuals(one, has, raising, measure).left_out[0].code
        for one in (never, always, files, replace(view, x=None))
    ]
    assert codes == ["ADC-DIAG-043", "ADC-DIAG-043", "ADC-DIAG-044", "ADC-DIAG-044"]
