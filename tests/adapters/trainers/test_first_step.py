"""A pipeline that begins with another kind of input than it is given is refused before a training, with the way on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodc.adapters.trainers.checking import check_trainer, input_problems
from autodc.studyfile.study import ParameterSpec
from autodc.table import Table

MODEL = """\
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler


def plain():
    return Pipeline([("words", TfidfVectorizer()), ("model", LogisticRegression())])


def union():
    return make_pipeline("passthrough", FeatureUnion([("w", CountVectorizer())]), LogisticRegression())


def searched():
    return GridSearchCV(plain(), {"model__C": [1, 2]})


def columns():
    chosen = ColumnTransformer([("words", TfidfVectorizer(), "text")])
    return make_pipeline(chosen, LogisticRegression())


def numbers():
    return make_pipeline(StandardScaler(), LogisticRegression())


def of_files():
    return make_pipeline(TfidfVectorizer(input="filename"), LogisticRegression())
"""
TEXTS = ["the zip broke within a week", "it fits and came a day early"]
ONE = Table.of("table", {"text": TEXTS}, ("text",))
TWO = Table.of("table", {"text": TEXTS, "shop": ["north", "south"]}, ("text", "category"))
WORDS = Table.of_texts(TEXTS)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    (tmp_path / "my_model.py").write_text(MODEL)
    return str(tmp_path)


def problems(folder: str, function: str, x: Any) -> list[str]:
    return [str(one) for one in input_problems("sklearn", {"estimator": f"my_model.py:{function}"}, x, folder)]


@pytest.mark.parametrize("function", ["plain", "union", "searched"])
@pytest.mark.parametrize("x", [ONE, TWO])
def test_texts_are_wanted_and_columns_given(folder: str, function: str, x: Any) -> None:
    (told,) = problems(folder, function, x)
    assert "which takes texts, and the inputs are columns" in told
    assert "say options: {text: text} of every source" in told
    assert ("ColumnTransformer([('words'" in told) == (x is TWO)


def test_numbers_are_no_texts(folder: str) -> None:
    (told,) = problems(folder, "plain", np.zeros((4, 3)))
    assert "the inputs are numbers" in told


def test_columns_are_wanted_and_one_text_given(folder: str) -> None:
    (told,) = problems(folder, "columns", WORDS)
    assert "leave `text` out" in told


@pytest.mark.parametrize(
    ("function", "x"), [("plain", WORDS), ("columns", TWO), ("numbers", ONE), ("of_files", ONE), ("none", ONE)]
)
def test_what_fits_or_cannot_be_known_is_not_refused(folder: str, function: str, x: Any) -> None:
    assert problems(folder, function, x) == []


FLOAT = ParameterSpec(type="float", low=0.1, high=1)


@pytest.mark.parametrize(
    ("function", "name", "meant"),
    [
        ("plain", "C", "model__C"),
        ("plain", "clf__C", "model__C"),
        ("plain", "min_df", "words__min_df"),
        ("plain", "ngram_rnage", "words__ngram_range"),
        ("searched", "C", "estimator__model__C"),
        ("columns", "max_df", "columntransformer__words__max_df"),
    ],
)
def test_a_parameter_of_a_step_is_meant(folder: str, function: str, name: str, meant: str) -> None:
    options: dict[str, Any] = {"estimator": f"my_model.py:{function}"}
    (told,) = check_trainer("sklearn", options, "classification", {name: FLOAT}, ("concat",), folder)
    assert f"did you mean {meant}?" in str(told)
    (told,) = check_trainer("sklearn", {**options, "params": {name: 1}}, "classification", {}, ("concat",), folder)
    assert told.place == f"task.options.params.{name}"
    assert f"did you mean {meant}?" in str(told)


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("make_pipeline", "pipeline"),
        ("pipelin", "pipeline"),
        ("estimator", "pipeline"),
        ("LogisticRegressor", "pipeline"),
    ],
)
def test_the_function_that_is_there_is_named(tmp_path: Path, asked: str, meant: str) -> None:
    (tmp_path / "my_model.py").write_text(
        "from sklearn.linear_model import LogisticRegression\nfrom sklearn.pipeline import make_pipeline\n\n\n"
        "def pipeline():\n    return make_pipeline(LogisticRegression())\n"
    )
    options = {"estimator": f"my_model.py:{asked}"}
    (told,) = check_trainer("sklearn", options, "classification", {}, ("concat",), str(tmp_path))
    assert f"did you mean my_model.py:{meant}?" in str(told)
