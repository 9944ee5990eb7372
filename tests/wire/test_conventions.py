"""Another convention of labels is found through the rows of a study, whatever form they have, and a map proposed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from autodc.propose.label_map import propose
from autodc.studyfile import load
from autodc.wire.inputs import Inputs, read_inputs
from autodc.wire.labels import conventions_of, training_rows
from autodc.wire.proposers import base_known

X, Y = load_digits(return_X_y=True)
ORDER = np.random.default_rng(3).permutation(len(Y))
BASE, OTHER, HELD = ORDER[:100], ORDER[100:700], ORDER[700:1000]
SWAP = np.array([0, 2, 1, 3, 4, 5, 6, 7, 8, 9])


def study(folder: Path, form: str) -> Inputs:
    """A few digits, and many whose ones and twos are called by each other's name."""
    suffix = "csv" if form == "table" else "npz"
    for name, rows in {"base": BASE, "other": OTHER, "validation": HELD}.items():
        x, y = X[rows].astype(np.float32), SWAP[Y[rows]] if name == "other" else Y[rows]
        if form == "table":
            columns = {f"p{at}": column for at, column in enumerate(x.T)}
            pd.DataFrame({**columns, "label": y}).to_csv(folder / f"{name}.csv", index=False)
        else:
            np.savez(folder / f"{name}.npz", x=x.reshape(-1, 8, 8) if form == "images" else x, y=y)
    options = {"options": {"target": "label"}} if form == "table" else {}
    content = {
        "schema_version": 1,
        "name": "digits",
        "task": {"kind": "classification", "trainer": "sklearn", "options": {"estimator": "GaussianNB"}},
        "data": {
            "base": {"source": f"base.{suffix}", **options},
            "candidates": [{"name": "other", "source": f"other.{suffix}", **options}],
            "validation": {"source": f"validation.{suffix}", **options},
        },
        "metrics": {"primary": "accuracy"},
        "slices": [{"name": "overall", "role": "target"}],
        "loop": {"rounds": 1, "propose": ["given", "label_map"]},
        "tracking": {"uri": "none"},
    }
    (folder / "study.yaml").write_text(json.dumps(content))
    return read_inputs(load(folder / "study.yaml"))


@pytest.mark.parametrize("form", ["images", "flat", "table"])
def test_the_map_is_found_and_proposed_whatever_form_the_rows_have(tmp_path: Path, form: str) -> None:
    inputs = study(tmp_path, form)
    found = conventions_of(inputs, training_rows(inputs)).to_dict()
    (one,) = found["found"]
    assert (one["of"], one["labels"]) == ("other", {"1": 2, "2": 1})
    (proposal,) = propose(base_known(inputs), found["found"], {"other": len(OTHER)})
    assert proposal.name == "other-mapped"
