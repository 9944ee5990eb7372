"""A small valid study on disk, and the problems that reading a changed one gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from autodc.errors import AutodcError, InputError, Problems
from autodc.studyfile import StudySpec, load
from autodc.studyfile.reader import read_text

STUDY = """\
schema_version: 1
name: night-shift
seed: 7
task:
  kind: classification
  trainer: torch_image
data:
  base: {source: data/base.npz}
  candidates:
    - {name: fog, source: data/fog.npz, cost: 120}
    - {name: night, source: data/night.npz, targets: [dark]}
  validation: {source: data/validation.npz}
metrics:
  primary: accuracy
slices:
  - {name: overall, role: guard, margin: 0.01}
  - {name: dark, where: "brightness < 0.2", role: target}
search_space:
  lr: {type: float, low: 1e-4, high: 1e-1, log: true}
  optimiser: {type: categorical, choices: [sgd, adam]}
  momentum: {type: float, low: 0, high: 1, when: {optimiser: sgd}}
recipes: [concat, pretrain_finetune]
loop: {rounds: 5, propose: [given]}
search: {trials_per_round: 48, enqueue: [{fog: 1.0}]}
gate: {looks: [1, 2, 3]}
budget: {wall_clock: 8h}
"""

Write = Callable[..., Path]
Refused = Callable[..., tuple[AutodcError, ...]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write the study with (old, new) pieces of text replaced, each of which must occur."""

    def write(*changes: tuple[str, str]) -> Path:
        text = STUDY
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / "study.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def refused(write: Write, problems_of: Callable[..., tuple[AutodcError, ...]]) -> Refused:
    """All problems of the changed study, their places without the folder."""

    def refused(*changes: tuple[str, str], overrides: Sequence[str] = ()) -> tuple[AutodcError, ...]:
        path = write(*changes)
        return problems_of(lambda: load(path, overrides), path.parent)

    return refused


@pytest.fixture
def problems_of() -> Callable[..., tuple[AutodcError, ...]]:
    """The problems that reading raises, their places without the folder."""

    def problems_of(read: Callable[[], object], folder: Path) -> tuple[AutodcError, ...]:
        with pytest.raises(InputError) as caught:
            read()
        assert caught.value.exit_code == 2
        found = caught.value.problems if isinstance(caught.value, Problems) else (caught.value,)
        for problem in found:
            problem.place = problem.place.replace(f"{folder}/", "")
        return found

    return problems_of


@pytest.fixture
def spec(write: Write) -> StudySpec:
    """The study as it is read."""
    return load(write())


@pytest.fixture(scope="session")
def tree() -> Any:
    """The small study as JSON."""
    return read_text(STUDY, "study.yaml", ".", 0)[0].value
