"""A result in Python: tidy tables, what a notebook shows, Optuna's own plots, event files that TensorBoard reads."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest

import autodc as package
from autodc.errors import InputError
from autodc.review.frames import COLUMNS

GUIDE = Path(__file__).resolve().parents[2] / "docs/guide"


@pytest.fixture(scope="module")
def result(finished: Any) -> package.Result:
    return package.Result.open(finished[1])


@pytest.mark.parametrize("name", COLUMNS)
def test_every_column_of_a_frame_is_told(result: Any, name: str) -> None:
    told = set(COLUMNS[name])
    families = {column.partition(".")[0] for column in told if "." in column}
    frame = result.frame(name)
    assert len(frame)
    for column in frame.columns:
        assert column in told or column.partition(".")[0] in families
    assert {c for c in told if "." not in c} <= set(frame.columns)


def test_the_frames_say_what_the_result_says(result: Any) -> None:
    content = result.to_dict()
    trials, decisions = result.frame("trials"), result.frame("decisions")
    assert trials.fidelity.sum() == content["spent"]["trainings"]
    assert list(decisions.verdict) == [one["verdict"] for one in content["decisions"]]
    assert list(decisions.difference) == [one["objective"]["difference"] for one in content["decisions"]]
    slices = result.frame("slices")
    for part in ("validation", "test"):
        for when in ("before", "after"):
            mine = slices[(slices.part == part) & (slices.when == when)].set_index("slice").value
            assert dict(mine) == content[part][when]
    last = result.frame("evidence").groupby("comparison").tail(1)
    assert list(last.difference) == list(decisions.difference)
    with pytest.raises(InputError, match=r"did you mean trials\?") as error:
        result.frame("trails")
    assert error.value.code == "ADC-CMP-005"


def test_a_notebook_shows_it(result: Any) -> None:
    shown = result._repr_html_()
    assert "kept: lamps" in shown
    assert "0.9" in shown
    assert "<script" not in shown
    hostile = package.Result(content={**result.content, "study": "<img src=x>"}, folder=result.folder)
    assert "<img" not in hostile._repr_html_()
    assert "dark" in package.compare(result.folder)._repr_html_()


@pytest.mark.slow(seconds=3)
def test_optunas_own_tools_work_on_the_search(result: Any) -> None:
    pytest.importorskip("plotly")
    study = result.optuna_study()
    trials = result.frame("trials")
    assert [t.value for t in study.trials] == list(trials.searched)
    for trial, (_, row) in zip(study.trials, trials.iterrows(), strict=True):
        assert trial.params["weight:lamps"] == row["weight.lamps"]
        assert trial.params["smooth"] == pytest.approx(row["setting.smooth"])
    calibration = trials[trials.phase == "calibration"]
    margin = 0.05
    for trial, (_, row) in zip(study.trials, trials.iterrows(), strict=True):
        lost = calibration["gate.overall"].mean() - row["gate.overall"] - margin
        assert trial.constraints["guard overall"] == pytest.approx(lost)
    assert any(value > 0 for t in study.trials for value in t.constraints.values())
    assert all(value <= 0 for value in study.best_trial.constraints.values())
    importances = optuna.importance.get_param_importances(study)
    assert set(importances) >= {"weight:lamps", "smooth", "width"}
    for plot in (
        optuna.visualization.plot_optimization_history,
        optuna.visualization.plot_param_importances,
        optuna.visualization.plot_slice,
        optuna.visualization.plot_parallel_coordinate,
        optuna.visualization.plot_edf,
        optuna.visualization.plot_timeline,
    ):
        assert plot(study).data


@pytest.mark.slow(seconds=1)
def test_event_files_hold_the_trainings(autodc: Any, result: Any, tmp_path: Path) -> None:
    from tensorboardX.proto.event_pb2 import Event

    logs, words = tmp_path / "logs", ("export", result.folder, "--as", "tensorboard", "--out", tmp_path / "logs")
    assert autodc(*words).code == 0
    again = autodc(*words)
    assert again.code == 2
    assert "[ADC-COPY-002]" in again.err
    trials = result.frame("trials").set_index("number")
    assert len(list(logs.iterdir())) == len(trials) + 1
    for number in (0, int(trials.index[-1])):
        (folder,) = logs.glob(f"{number:04d}_*")
        events = [Event.FromString(record) for file in folder.iterdir() for record in records(file)]
        told = {v.tag: v.simple_value for e in events for v in e.summary.value if v.HasField("simple_value")}
        assert told["slice/dark"] == pytest.approx(trials.loc[number, "gate.dark"], rel=1e-6)
        assert told["objective"] == pytest.approx(trials.loc[number, "objective"], rel=1e-6)
        plugins = {v.metadata.plugin_data.plugin_name for e in events for v in e.summary.value}
        assert "hparams" in plugins
    points = [Event.FromString(r) for f in (logs / "search").iterdir() for r in records(f)]
    best = [v.simple_value for e in points for v in e.summary.value if v.tag == "best_so_far"]
    assert best == sorted(best)
    assert best[-1] == pytest.approx(trials.objective.max(), rel=1e-6)


def records(path: Path) -> Iterator[bytes]:
    """The records of a file of TensorFlow: length, its checksum, content, its checksum."""
    data, at = path.read_bytes(), 0
    while at < len(data):
        (size,) = struct.unpack_from("<Q", data, at)
        yield data[at + 12 : at + 12 + size]
        at += 16 + size


@pytest.mark.slow(seconds=3)
def test_the_code_of_the_page_about_notebooks(
    result: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("plotly")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs/night").symlink_to(result.folder)
    (tmp_path / "runs/monday").symlink_to(result.folder)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for page in ("notebook.md", "compare.md"):
        for block in re.findall(r"^```python\n(.*?)^```$", (GUIDE / page).read_text(), re.MULTILINE | re.DOTALL):
            exec(compile(block, page, "exec"), names)
    said = capsys.readouterr().out
    assert "lamps" in said
    assert json.dumps(names["found"].to_dict())
