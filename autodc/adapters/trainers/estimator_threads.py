"""Holds estimators to the trial's share of cores whose library heeds no environment variable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import joblib

_OF = {"catboost": "thread_count"}
"""Package → its parameter. Of CatBoost: measured, two busy threads under OMP_NUM_THREADS=1 where nothing is said."""


def hold_threads(estimator: Any) -> None:
    """Set the number of threads of an estimator, or of those within it, where nobody has: it changes no result."""
    for one in _all(estimator):
        parameter = _OF.get(type(one).__module__.partition(".")[0])
        if parameter is not None and (one.get_params(deep=False).get(parameter) or -1) < 0:
            one.set_params(**{parameter: joblib.cpu_count()})


def _all(estimator: Any) -> Iterator[Any]:
    yield estimator
    for value in estimator.get_params(deep=True).values():
        if value is not estimator and callable(getattr(value, "set_params", None)):
            yield value
