"""The test set is lost or spoilt while the night goes on: what was decided is there, and the same command finishes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodc
from autodc.errors import InputError
from autodc.studyfile.study import MachineSpec
from autodc.testing.worlds.cells import write_world
from autodc.verbs.outputs import open_result
from autodc.verbs.run import without_test

INLINE = MachineSpec(runner="inline")
SMALL = {"budget__trainings": 40, "loop__rounds": 1, "gate__evidence": "each", "data__explore_share": 0}


def lost(path: Any, arrays: Any) -> None:
    path.unlink()


def relabelled(path: Any, arrays: Any) -> None:
    np.savez(path, **{**arrays, "y": np.where(np.arange(len(arrays["y"])) == 7, 9, arrays["y"])})


def shortened(path: Any, arrays: Any) -> None:
    np.savez(path, **{name: values[1:] for name, values in arrays.items()})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "code", "again"),
    [
        (lost, "ADC-DATA-001", "ADC-DATA-001"),
        (relabelled, "ADC-DATA-023", "ADC-DATA-023"),
        (shortened, "ADC-DATA-028", "ADC-RUN-047"),
    ],
)
def test_the_decisions_are_kept_and_the_same_call_finishes_once_it_is_mended(
    tmp_path: Path, spoil: Any, code: Any, again: Any
) -> None:
    spec, out = autodc.load(write_world(tmp_path, **SMALL)), tmp_path / "out"
    path = tmp_path / "data" / "test.npz"
    whole = path.read_bytes()
    arrays = dict(np.load(path))

    def progress(state: Any) -> None:
        if state.phase == "gate" and state.unread is None and path.exists() and path.read_bytes() == whole:
            spoil(path, arrays)

    with pytest.raises(InputError) as caught:
        autodc.run(spec, INLINE, out, progress=progress)
    assert (caught.value.code, caught.value.exit_code) == (code, 2)
    content = json.loads((out / "result.json").read_text())
    assert (content["test"], content["finished"], content["kept"]) == (None, False, ["lamps"])
    assert code in content["test_unread"]
    assert content["credit"] is not None
    assert "could not be measured" in (out / "report" / "index.html").read_text()
    assert (out / "models" / "incumbent").is_dir()
    trained = len(open_result(out)[0].trials)

    with pytest.raises(InputError) as caught:
        autodc.run(spec, INLINE, out)
    assert caught.value.code == again
    (out / "result.json").write_text("")
    decided = without_test(spec, out)
    assert decided is not None
    assert decided.to_dict()["decisions"] == content["decisions"]
    (out / "result.json").write_text(json.dumps(content))
    assert json.loads((out / "result.json").read_text())["decisions"] == content["decisions"]

    path.write_bytes(whole)
    finished = autodc.run(spec, INLINE, out).to_dict()
    assert finished["finished"]
    assert finished["test"]["opened"] == 1
    assert finished["decisions"] == content["decisions"]
    assert "test_unread" not in finished
    assert len(open_result(out)[0].trials) == trained
    assert "could not be measured" not in (out / "report" / "index.html").read_text()


def test_other_test_rows_are_told_with_a_way_on(tmp_path: Path) -> None:
    spec, out = autodc.load(write_world(tmp_path, **SMALL)), tmp_path / "out"
    with autodc.Study.open(spec, out):
        pass
    path = tmp_path / "data" / "test.npz"
    shortened(path, dict(np.load(path)))
    with pytest.raises(InputError) as caught:
        autodc.Study.open(spec, out)
    assert caught.value.code == "ADC-RUN-047"
    assert caught.value.place == "data.test"
    assert "labels alone may be mended" in caught.value.hint
    assert "new study" in caught.value.hint


@pytest.mark.slow
def test_a_test_set_without_rows_of_any_slice_is_told_and_does_not_end_the_night(tmp_path: Path) -> None:
    slices = [
        {"name": "bright", "where": "region = 'bright'", "role": "guard", "margin": 0.05},
        {"name": "dark", "where": "region = 'dark'", "role": "target"},
    ]
    study = write_world(tmp_path, **{**SMALL, "budget__trainings": 60}, slices=slices)
    path = tmp_path / "data" / "test.npz"
    arrays = dict(np.load(path))
    np.savez(path, **{**arrays, "region": np.full(len(arrays["y"]), "fog")})
    said = []
    result = autodc.run(autodc.load(study), INLINE, tmp_path / "out", stage=said.append)
    assert "warning: no slice has rows in the test set: opening it will measure nothing" in said
    assert result.content["finished"]
    assert result.content["test"]["differences"] == {}
    assert result.kept == ("lamps",)
