"""A model that is loaded says what rows it predicts."""

from __future__ import annotations

import numpy as np
import pytest

import autodc
from autodc.errors import InputError


def test_rows_of_another_kind_are_refused() -> None:
    model = autodc.Model(folder="runs/a", inputs={"kind": "table", "columns": {"hour": "number"}}, method=None)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="predicts a DataFrame with the columns hour"):
        model.predict(np.zeros((2, 3)))
    model = autodc.Model(folder="runs/a", inputs={"kind": "text"}, method=None)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="a list of texts"):
        model.predict("one text")
