"""What a study file means once it is read."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autodc.studyfile
from autodc.studyfile import MachineSpec, StudySpec, dump, load, load_machine
from autodc.studyfile.values import seconds


def test_values_are_those_of_yaml_1_2(write: Any) -> None:
    changes = (
        ("trainer: torch_image", "trainer: torch_image\n  options: {a: no, b: 1e-3, c: 010, d: 2026-11-23, e: ~}"),
    )
    options = load(write(*changes)).task.options
    assert options == {"a": "no", "b": 0.001, "c": 10, "d": "2026-11-23", "e": None}
    assert isinstance(options["c"], int)


def test_folder_is_absolute_and_places_are_known(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write()
    monkeypatch.chdir(path.parent)
    spec = load("study.yaml")
    assert spec.folder == str(path.parent)
    assert spec.place("slices[1].where") == "study.yaml:17:18: slices[1].where"
    assert spec.place("slices[1].source") == "study.yaml:17:5: slices[1].source"
    assert StudySpec.model_validate(dump(spec)).place("slices[1]") == "slices[1]"


def test_json_is_yaml(spec: Any, tmp_path: Path) -> None:
    for indent in (None, 1, "\t"):
        path = tmp_path / "again.json"
        path.write_text(json.dumps(dump(spec), indent=indent))
        assert load(path).fingerprint() == spec.fingerprint()


def test_byte_order_mark_is_no_part_of_the_text(write: Any) -> None:
    path = write()
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load(path).name == "night-shift"


def test_include_is_relative_to_the_including_file(write: Any, tmp_path: Path) -> None:
    (tmp_path / "spaces" / "parts").mkdir(parents=True)
    (tmp_path / "spaces" / "cnn.yaml").write_text("lr: !include parts/lr.yaml\n")
    (tmp_path / "spaces" / "parts" / "lr.yaml").write_text("{type: float, low: 1e-4, high: 1}\n")
    path = write()
    text = path.read_text()
    head, tail = text.index("search_space:"), text.index("recipes:")
    path.write_text(text[:head] + "search_space: !include spaces/cnn.yaml\n" + text[tail:])
    spec = load(path)
    assert spec.search_space["lr"].low == 1e-4
    assert spec.place("search_space.lr.low") == f"{tmp_path}/spaces/parts/lr.yaml:1:15: search_space.lr.low"


def test_anchors_and_merge_keys(write: Any) -> None:
    changes = (
        (
            "lr: {type: float, low: 1e-4, high: 1e-1, log: true}",
            "lr: &lr {type: float, low: 1e-4, high: 1e-1, log: true}",
        ),
        ("recipes:", "  lr2: {<<: *lr, high: 1.0}\nrecipes:"),
    )
    space = load(write(*changes)).search_space
    assert (space["lr2"].low, space["lr2"].high, space["lr2"].log) == (1e-4, 1.0, True)
    assert space["lr"].high == 0.1


def test_when_may_list_values(write: Any) -> None:
    spec = load(write(("when: {optimiser: sgd}", "when: {optimiser: [sgd, adam], recipe: concat}")))
    assert spec.search_space["momentum"].when == {"optimiser": ["sgd", "adam"], "recipe": "concat"}


def test_plugged_in_trainer_and_metric(write: Any) -> None:
    changes = (("trainer: torch_image", "trainer: my/net.py:Net"), ("primary: accuracy", "primary: my.metrics:Dice"))
    assert load(write(*changes)).metrics.primary == "my.metrics:Dice"


def test_machine(tmp_path: Path) -> None:
    assert load_machine() == load_machine(None) == MachineSpec()
    path = tmp_path / "cluster.yaml"
    path.write_text("runner: actors\naddress: auto\ntrial_timeout: 1h30m\ncpus_per_trial: 0.5\n")
    machine = load_machine(path)
    assert (machine.runner, machine.trial_timeout, machine.cpus_per_trial) == ("actors", 5400.0, 0.5)


@given(st.lists(st.tuples(st.integers(1, 99), st.sampled_from("dhms")), min_size=1, max_size=4))
def test_durations_add_up(parts: Any) -> None:
    factor = {"d": 86400, "h": 3600, "m": 60, "s": 1}
    expected = sum(number * factor[unit] for number, unit in parts)
    assert seconds("".join(f"{n}{u}" for n, u in parts)) == expected
    assert seconds(" ".join(f"{n} {u}" for n, u in parts)) == expected


@pytest.mark.parametrize("text", ["", "8", "h8", "8 hours", "1h-3m", "8h!", "٣h x"])
def test_what_is_no_duration(text: Any) -> None:
    with pytest.raises(ValueError, match="duration"):
        seconds(text)


@pytest.mark.slow
def test_reading_needs_no_heavy_package() -> None:
    heavy = ("numpy", "pandas", "torch", "ray", "optuna")
    code = f"import sys, autodc.studyfile; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_public_names() -> None:
    assert autodc.studyfile.__all__ == ["MachineSpec", "StudySpec", "dump", "load", "load_machine"]


def test_a_spec_keeps_folder_and_places_through_pickling(write: Any) -> None:
    spec = load(write())
    copy = pickle.loads(pickle.dumps(spec))
    assert (copy, copy.folder, copy.place("seed")) == (spec, spec.folder, spec.place("seed"))


def test_paths_may_be_text_or_path(write: Any) -> None:
    path = write()
    assert load(str(path)).content() == load(Path(path)).content()
