"""The picture of where failures lie is highest where they lie."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd

from autodc.diagnose.density import density
from autodc.testing.finder_contract import view_of


def test_failures_lie_in_the_cold() -> None:
    view = view_of(1500)
    seen = density(view, ["heat"])
    assert seen is not None
    middle = (seen.edges[0][:-1] + seen.edges[0][1:]) / 2
    assert np.nanmax(seen.error[middle < -7]) > 0.5
    assert np.nanmax(seen.error[middle > 3]) < 0.3
    assert seen.failed[middle < -3].sum() > 0.5 > seen.rows[middle < -3].sum()
    assert abs(seen.rows.sum() - 1) < 1e-9


def test_two_attributes_and_gaps() -> None:
    view = view_of(900)
    seen = density(view, ["heat", "wind"], cells=20)
    assert seen is not None
    assert seen.error.shape == seen.rows.shape == (20, 20)
    assert seen.left_out == int(view.attributes["wind"].isna().sum())
    assert json.loads(json.dumps(seen.to_dict()))["shape"] == [20, 20]


def test_nothing_to_draw_is_no_picture() -> None:
    view = view_of(300)
    assert density(view, ["always"]) is None
    assert density(view, ["never"]) is None
    assert density(view, ["file"]) is None
    assert density(view, ["heat", "indoors"]) is None
    assert density(view_of(0), ["heat"]) is None


def test_far_outliers_do_not_stretch_it_and_rare_values_are_seen() -> None:
    view = view_of(1000)
    far = view.attributes.assign(heat=np.where(np.arange(1000) == 3, 1e9, view.attributes.heat))
    seen = density(replace(view, attributes=far), ["heat"])
    assert seen is not None
    assert seen.edges[0][-1] < 100
    rare = pd.DataFrame({"flag": (np.arange(1000) == 5).astype(float)})
    assert density(replace(view, attributes=rare), ["flag"]) is not None
