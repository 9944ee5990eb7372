"""Inputs as an estimator can take them: columns encoded as suits it, text as weighted words, or nothing touched."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, final

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from autodc.adapters.trainers.options import Encode
from autodc.data.views import numeric
from autodc.errors import SpecError
from autodc.table import ColumnType, Inputs, Table
from autodc.trial.outputs import TrainerError

Array = np.ndarray[Any, Any]

Way = Literal["none", "onehot", "ordinal", "category"]
MOST_CATEGORIES = {"onehot": 64, "ordinal": 254}
"""The rarer ones share a column, or a number."""
WORDS = 20_000
"""Words that text is weighed by, at most; in a column of a table a tenth of them."""
DENSE_WORDS = 64
"""An estimator that takes no sparse numbers gets so many combinations of them."""
BOOSTERS = ("lightgbm", "xgboost")
"""Packages whose estimators take pandas' categories and missing values as they are."""


@final
@dataclass(slots=True)
class Encoder:
    """Learns from the training rows how inputs become what an estimator takes."""

    way: Way
    schema: Mapping[str, ColumnType]
    scale: bool
    positive: bool
    """Whether the estimator takes no negative numbers: then they are scaled to 0 … 1."""
    fills: bool
    """Whether missing numbers become the median, with a column beside them that says so."""
    sparse: bool
    categories: dict[str, list[str]] = field(default_factory=dict)
    inner: Any = None
    names: tuple[str, ...] = ()
    """Of the encoded columns, where there are any."""

    def fit_transform(self, table: Table) -> Any:
        """Learn categories, medians, scales and words of the training rows, and give these as `transform` does.

        They are read once.
        """
        if self.way == "category":
            self.categories = {
                name: sorted(set(table.column(name).drop_null().to_pylist()))
                for name, kind in self.schema.items()
                if kind == "category"
            }
        self.inner = self._transformer()
        frame = self._frame(table)
        if self._is_as_it_is:  # nothing to learn but the names; scikit-learn would copy all of it
            self.inner.fit(frame.iloc[:1])
            turned = frame.to_numpy()
        else:
            turned = self.inner.fit_transform(frame)
        self.names = tuple(str(name) for name in self.inner.get_feature_names_out())
        return self._given(turned, table)

    def transform(self, table: Table) -> Any:
        """The rows as the estimator takes them: an array, a sparse matrix, or a frame with categories."""
        if self._is_as_it_is:
            return self._given(self._frame(table).to_numpy(), table)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Found unknown categories")
            turned = self.inner.transform(self._frame(table))
        return self._given(turned, table)

    def _given(self, turned: Any, table: Table) -> Any:
        if self.way != "category":
            return turned if self.sparse else np.asarray(turned)
        frame = pd.DataFrame(np.asarray(turned, dtype=np.float64), columns=list(self.names))
        for name, known in self.categories.items():
            frame[name] = pd.Categorical(table.column(name).to_pandas(), categories=known)
        return frame

    @property
    def _is_of_numbers(self) -> bool:
        return not {"category", "text"} & {*self.schema.values()}

    @property
    def _is_as_it_is(self) -> bool:
        """Whether all columns are numbers that the estimator takes as they are."""
        return self._is_of_numbers and not (self.fills or self.scale or self.positive)

    @property
    def categorical(self) -> list[bool]:
        """Which of the encoded columns are numbers of categories."""
        return [self.schema.get(name) == "category" for name in self.names]

    def _frame(self, table: Table) -> pd.DataFrame:
        """Numbers, truth values and dates as float64, text as text."""
        if self._is_of_numbers:
            numbers = np.empty((len(self.schema), len(table)))
            for at, name in enumerate(self.schema):
                numbers[at] = numeric(table, name)
            return pd.DataFrame(numbers.T, columns=[*self.schema], copy=False)  # as pandas lays it: not copied again
        columns: dict[str, Any] = {}
        for name, kind in self.schema.items():
            if kind == "text":
                columns[name] = table.texts(name)
            elif kind == "category":
                names = table.column(name).to_pandas()
                columns[name] = names.astype(object).where(names.notna(), np.nan)
            else:
                columns[name] = numeric(table, name)
        return pd.DataFrame(columns)

    def _transformer(self) -> Any:
        from sklearn.compose import ColumnTransformer

        of = {kind: [name for name, one in self.schema.items() if one == kind] for kind in ("category", "text")}
        plain = [name for name, kind in self.schema.items() if kind not in of]
        steps: list[tuple[str, Any, Any]] = (
            [("numbers", _numbers(self.fills, self.scale, self.positive), plain)] if plain else []
        )
        if of["category"] and self.way != "category":
            steps.append(("categories", _categories(self.way, self.sparse), of["category"]))
        steps += [(f"words of {name}", words(WORDS // 10, self.sparse), name) for name in of["text"]]
        dense = 1.0 if self.sparse else 0.0
        return ColumnTransformer(steps, sparse_threshold=dense, verbose_feature_names_out=False)


def encoder_of(estimator: Any, encode: Encode, x: Inputs, *, is_own: bool, scale: bool | None) -> Any | None:
    """What learns to encode these inputs for an estimator; None where it gets them as they are.

    is_own: whether it was named by the path of a file, and so is the user's own. scale: whether numbers are
    standardised; None: where the estimator minds.
    """
    if not isinstance(x, Table) or encode == "none" or (is_own and encode == "auto"):
        return None
    if x.kind == "files":
        hint = "options: {size: [h, w]} of the source reads images as arrays; a pipeline of your own gets the paths"
        raise TrainerError(
            "ADC-TRAIN-100", "this estimator cannot read files", "sklearn", type(estimator).__name__, hint
        )
    takes = _tags(estimator)
    if x.kind == "text":
        return Words(takes["sparse"])
    sparse = takes["sparse"] and "text" in x.types
    way: Way = _way(estimator) if encode == "auto" else encode
    minds = not (_is_tree(estimator) or way == "category")
    return Encoder(
        way=way,
        schema=x.schema,
        scale=minds if scale is None else scale,
        positive=takes["positive"],
        fills=sparse or not takes["missing"],
        sparse=sparse,
    )


@final
class Words:
    """Text as weighted words and pairs of words."""

    def __init__(self, sparse: bool) -> None:
        self._inner = words(WORDS, sparse)

    def fit_transform(self, table: Table) -> Any:
        """Learn the words of the training rows, and give these as `transform` does. Raises TrainerError without any."""
        try:
            self._inner.fit(table.texts())
        except ValueError as error:
            raise TrainerError("ADC-TRAIN-101", "the texts hold no words", "sklearn", str(error)) from error
        return self.transform(table)

    def transform(self, table: Table) -> Any:
        """A sparse matrix, or an array."""
        return self._inner.transform(table.texts())


def words(most: int, sparse: bool) -> Any:
    """TF-IDF of words and pairs of words; dense by a truncated singular value decomposition."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline

    weigh = TfidfVectorizer(max_features=most, ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
    return weigh if sparse else make_pipeline(weigh, Dense())


@final
class Dense(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Few combinations of many sparse numbers, by a truncated singular value decomposition."""

    def __init__(self) -> None:
        self._inner: Any = None

    def fit(self, x: Any, y: Any = None) -> Dense:
        """Learn as many combinations as there are numbers for, DENSE_WORDS at most."""
        from sklearn.decomposition import TruncatedSVD

        if x.shape[1] > DENSE_WORDS:
            self._inner = TruncatedSVD(DENSE_WORDS, random_state=0).fit(x)
        return self

    def transform(self, x: Any) -> Array:
        """An array, (n, combinations)."""
        return np.asarray(x.toarray() if self._inner is None else self._inner.transform(x))

    def __sklearn_is_fitted__(self) -> bool:
        """There may be nothing to learn."""
        return True

    def get_feature_names_out(self, names: Any = None) -> Array:
        """Numbered, where they are no words any more."""
        if self._inner is None:
            return np.asarray(names, dtype=object)
        return np.array([f"words {at}" for at in range(DENSE_WORDS)], dtype=object)


def with_categories(estimator: Any, encoder: Any) -> None:
    """Tell histogram gradient boosting which of its columns are categories, unless the user has."""
    if not isinstance(encoder, Encoder) or encoder.way != "ordinal":
        return
    if type(estimator).__name__.startswith("HistGradientBoosting") and any(encoder.categorical):
        estimator.set_params(categorical_features=encoder.categorical)


def encode_problem(encode: Encode, scale: bool | None) -> SpecError | None:
    """Options that cannot both be meant."""
    if encode == "none" and scale:
        hint = "leave `scale` out, or choose another `encode`"
        return SpecError(
            "ADC-TRAIN-102", "inputs that are not encoded cannot be scaled", "task.options.scale", "", hint
        )
    return None


def _numbers(fills: bool, scale: bool, positive: bool) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

    steps: Sequence[Any] = (
        *([SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)] if fills else []),
        *([MinMaxScaler(clip=True)] if positive else [StandardScaler()] if scale else []),
    )
    return make_pipeline(*steps) if steps else FunctionTransformer(feature_names_out="one-to-one")


def _categories(way: Way, sparse: bool) -> Any:
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

    if way == "ordinal":
        return OrdinalEncoder(
            handle_unknown="use_encoded_value",
            unknown_value=np.nan,
            encoded_missing_value=np.nan,
            max_categories=MOST_CATEGORIES[way],
        )
    return OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=MOST_CATEGORIES["onehot"], sparse_output=sparse
    )


def _way(estimator: Any) -> Way:
    if type(estimator).__module__.partition(".")[0] in BOOSTERS:
        return "category"
    return "ordinal" if type(estimator).__name__.startswith("HistGradientBoosting") else "onehot"


def _is_tree(estimator: Any) -> bool:
    name = type(estimator).__name__
    return any(word in name for word in ("Tree", "Forest", "Boost", "Bagging", "GBM", "XGB"))


def _tags(estimator: Any) -> dict[str, bool]:
    """Whether an estimator takes sparse numbers, missing ones, positive ones alone; what does not say: none of it."""
    if type(estimator).__module__.partition(".")[0] in BOOSTERS:
        return {"sparse": False, "missing": True, "positive": False}
    try:
        from sklearn.utils import get_tags

        tags = get_tags(estimator).input_tags
        takes = {"sparse": tags.sparse, "missing": tags.allow_nan, "positive": tags.positive_only}
        return {name: bool(value) for name, value in takes.items()}
    except Exception:  # made by hand, without scikit-learn's mixins
        return {"sparse": False, "missing": False, "positive": False}
