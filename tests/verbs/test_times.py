"""`time` makes the cut one in time: old rows are searched on, new ones decide, newer training rows are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import autodc
from autodc.cli.show_before import show_preflight
from autodc.errors import AutodcError
from autodc.testing.worlds.cells import write_world
from autodc.verbs.check import preflight
from autodc.wire.inputs import read_inputs

SLICES = [
    {"name": "overall", "role": "guard", "margin": 0.1},
    {"name": "dark", "where": "region = 'dark'", "role": "target"},
]
DAYS = np.random.default_rng(3).permutation(600)


def timed(folder: Path, day: Any, base: Any = None, group: Any = None, **changes: Any) -> Any:
    """The world with a time for each row of validation, and of the base."""
    options = {"time": "day", **({} if group is None else {"group": "patient"})}
    wanted: dict[str, Any] = {"data__validation": {"source": "data/timed.npz", "options": options}}
    if base is not None:
        wanted["data__base"] = {"source": "data/old.npz", "options": {"time": "day"}}
    study = write_world(folder, slices=SLICES, data__test=None, **wanted, **changes)
    rows = dict(np.load(folder / "data" / "validation.npz"))
    more = {} if group is None else {"patient": group}
    np.savez(folder / "data" / "timed.npz", **rows, **more, day=day)
    if base is not None:
        np.savez(folder / "data" / "old.npz", **dict(np.load(folder / "data" / "base.npz")), day=base)
    return autodc.load(study)


@pytest.mark.parametrize("share", [None, 0.3])
def test_the_search_sees_the_oldest_rows_and_the_newest_decide(tmp_path: Path, share: float | None) -> None:
    asked = {} if share is None else {"data__explore_share": share}
    apart = read_inputs(timed(tmp_path, DAYS, **asked)).separation
    assert len(apart.explore) == 600 * (share or 0.4)
    assert DAYS[apart.explore].max() < DAYS[apart.gate].min()


def test_dates_as_text_are_times_and_rows_of_one_time_stay_together(tmp_path: Path) -> None:
    dates = pd.to_datetime("2026-01-01") + pd.to_timedelta(DAYS // 50, "D")
    apart = read_inputs(timed(tmp_path, dates.strftime("%Y-%m-%d").to_numpy(str))).separation
    assert sorted(set(dates[apart.explore].day)) == [1, 2, 3, 4, 5]
    assert sorted(set(dates[apart.gate].day)) == [6, 7, 8, 9, 10, 11, 12]


def test_a_group_is_as_new_as_its_newest_row(tmp_path: Path) -> None:
    patient = np.arange(600) // 4
    apart = read_inputs(timed(tmp_path, DAYS, group=patient)).separation
    assert not set(patient[apart.explore]) & set(patient[apart.gate])
    newest = pd.Series(DAYS).groupby(patient).transform("max").to_numpy()
    assert newest[apart.explore].max() < newest[apart.gate].min()


def test_check_says_that_the_cut_is_one_in_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show_preflight(preflight(timed(tmp_path, DAYS)))
    assert "240 rows, 360 others decide, the newest by `day`" in " ".join(capsys.readouterr().out.split())


def test_training_rows_that_are_newer_than_held_out_ones_are_told(tmp_path: Path) -> None:
    count = len(np.load(write_world(tmp_path / "size").parent / "data/base.npz")["x"])
    old = read_inputs(timed(tmp_path / "old", 1000 + DAYS, base=np.arange(count)))
    assert not any("newer" in one for one in old.warnings)
    new = read_inputs(timed(tmp_path / "new", 7 + DAYS, base=np.arange(count)))
    assert any(f"{count - 8} of {count} rows of `base` are newer than the oldest of" in one for one in new.warnings)


WRONG = {
    "ADC-DATA-150": ({"time": "daz"}, "did you mean `day`"),
    "ADC-DATA-151": ({"time": "gap"}, "row 3"),
    "ADC-DATA-152": ({"time": "words"}, "row 0: 'soon'"),
}


@pytest.mark.parametrize("code", WRONG)
def test_what_is_no_time_is_refused(code: str, tmp_path: Path) -> None:
    options, words = WRONG[code]
    study = write_world(tmp_path, data__validation={"source": "data/timed.npz", "options": options}, data__test=None)
    rows = dict(np.load(tmp_path / "data" / "validation.npz"))
    gap = np.where(DAYS[3] == DAYS, np.nan, DAYS)
    np.savez(tmp_path / "data" / "timed.npz", **rows, day=DAYS, gap=gap, words=np.full(600, "soon"))
    with pytest.raises(AutodcError, match=code) as caught:
        read_inputs(autodc.load(study))
    assert words in str(caught.value)


def test_the_time_of_a_table_is_no_input(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"seen": np.arange(300), "size": rng.normal(size=300).round(3), "label": rng.integers(0, 2, 300)}
    )
    for name in ("base", "validation"):
        table.sample(frac=1, random_state=len(name)).to_csv(tmp_path / f"{name}.csv", index=False)
    (tmp_path / "study.yaml").write_text(
        "schema_version: 1\nname: t\ntask: {kind: classification, trainer: sklearn}\n"
        "data:\n  base: {source: base.csv, options: {target: label, time: seen}}\n"
        "  validation: {source: validation.csv, options: {target: label, time: seen}}\n  overlap: allow\n"
        "metrics: {primary: accuracy}\nslices: [{name: all, role: target}]\n"
    )
    catalogue = read_inputs(autodc.load(tmp_path / "study.yaml")).catalogue
    assert catalogue.base.features == ("size",)
