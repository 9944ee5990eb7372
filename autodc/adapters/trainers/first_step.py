"""What a pipeline of a user's own is given first: texts or columns, told before a training finds out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from autodc.adapters.trainers.options import SklearnOptions
from autodc.adapters.trainers.sklearn_trainer import PLACE, WRAPPED, build_estimator
from autodc.errors import SpecError
from autodc.plugins import is_in_file
from autodc.table import Inputs, Table

SHOWN = 6


def first_step_problems(options: Mapping[str, Any], folder: str, x: Inputs) -> list[SpecError]:
    """Say that a pipeline begins with what takes texts and is given columns, or the other way round.

    The pipeline of a file of the user's own alone: others are given encoded rows.
    """
    if not is_in_file(str(options.get("estimator", ""))):
        return []
    try:
        parsed = SklearnOptions.model_validate(dict(options))
        estimator = build_estimator(parsed, folder, {})
    except (ValidationError, SpecError):
        return []  # told by check_trainer
    if parsed.encode not in ("auto", "none"):
        return []
    kind = x.kind if isinstance(x, Table) else "arrays"
    for step in _first(estimator):
        name = type(step).__name__
        if kind in ("table", "arrays") and _takes_texts(step):
            return [_of_columns(parsed.estimator, name, x)]
        if kind == "text" and _takes_columns(step):
            problem = f"the pipeline begins with {name}, which takes columns by name, and the input is one text"
            hint = "leave `text` out of the options of every source, and each column is an input"
            return [SpecError("ADC-TRAIN-105", problem, PLACE, parsed.estimator, hint)]
    return []


def _of_columns(estimator: str, step: str, x: Inputs) -> SpecError:
    """The pipeline wants texts; name the column that holds them."""
    problem = f"the pipeline begins with {step}, which takes texts, and the inputs are columns"
    if not isinstance(x, Table):
        problem = f"the pipeline begins with {step}, which takes texts, and the inputs are numbers"
        return SpecError("ADC-TRAIN-105", problem, PLACE, f"{estimator}, inputs of shape {x.shape[1:]}")
    more = f" and {len(x.names) - SHOWN} more" if len(x.names) > SHOWN else ""
    words = [name for name, kind in x.schema.items() if kind == "text"] or [
        name for name, kind in x.schema.items() if kind == "category"
    ]
    column = words[0] if len(words) == 1 else "COLUMN"
    hint = f"say options: {{text: {column}}} of every source; `where` may name the other columns all the same"
    if len(x.names) > 1:
        hint += f". To learn from all of them: ColumnTransformer([('words', {step}(), '{column}'), …])"
    got = f"{estimator}, columns {', '.join(x.names[:SHOWN])}{more}"
    return SpecError("ADC-TRAIN-105", problem, PLACE, got, hint)


def _first(estimator: Any) -> Iterator[Any]:
    """What is given the rows as they are: of a pipeline the first step, of a union each part, else what is wrapped."""
    try:
        params = estimator.get_params(deep=False)
    except Exception:  # of a user's own class
        return
    steps = [step for _, step in params.get("steps") or () if step is not None and not isinstance(step, str)]
    parts = [part for _, part in params.get("transformer_list") or () if not isinstance(part, str)]
    inner = [params[name] for name in WRAPPED if hasattr(params.get(name), "get_params")]
    if below := steps[:1] or parts or inner:
        for one in below:
            yield from _first(one)
    else:
        yield estimator


def _takes_texts(step: Any) -> bool:
    """Whether it is one of the vectorisers of texts, or says so of itself."""
    if getattr(step, "input", "content") != "content":
        return False  # names of files, or open ones
    if callable(getattr(step, "build_analyzer", None)):
        return True
    try:
        from sklearn.utils import get_tags

        tags = get_tags(step).input_tags
    except Exception:  # made by hand, without scikit-learn's mixins: it does not say
        return False
    return bool(tags.string and not tags.two_d_array)


def _takes_columns(step: Any) -> bool:
    from sklearn.compose import ColumnTransformer

    return isinstance(step, ColumnTransformer)
