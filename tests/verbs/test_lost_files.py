"""Files of a study are deleted, cut or changed while it runs and after it: it ends as if nothing had been."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import autodc
from autodc.adapters.journal import open_for_reading
from autodc.errors import InputError, SurroundingsError
from autodc.files import damage
from autodc.study.driver import Interrupted
from autodc.study.journal.fold import fold
from autodc.study.journal.state import State
from autodc.studyfile.study import MachineSpec
from autodc.testing.world import write_world
from autodc.verbs.outputs import open_result

INLINE = MachineSpec(runner="inline")
SMALL = {"loop__rounds": 1, "budget__trainings": 30}

CONTINUING = """
import json
from dataclasses import replace

from autodc.testing.world import CellTrainer

class Continuing:
    def train(self, job):
        grown = 0
        if job.recipe == "continue":
            grown = json.loads((job.warm_start / "model.json").read_text()) + 1
        (job.out / "model").mkdir()
        (job.out / "model" / "model.json").write_text(json.dumps(grown))
        return CellTrainer().train(replace(job, seed=job.seed + 7 * grown))
"""


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.chmod(0o644)
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.chmod(0o644)
    os.truncate(path, path.stat().st_size // 2)


HARMS: tuple[Callable[[Path], object], ...] = (flip, cut, os.remove)


def told(content: dict[str, Any]) -> dict[str, Any]:
    """What must not depend on what happened to the files."""
    names = ("kept", "dropped", "undecided", "incumbent", "decisions", "validation", "finished")
    spent = {key: value for key, value in content["spent"].items() if key in ("trainings", "by_phase")}
    return {name: content[name] for name in names} | {"spent": spent, "after": content["test"]["after"]}


def state_of(folder: Path) -> State:
    with open_for_reading(folder / "journal.sqlite") as journal:
        return fold(event for _, event in journal.read())


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("study"), **SMALL)


@pytest.fixture(scope="module")
def finished(study: Path) -> Path:
    folder = study.parent / "run"
    autodc.run(autodc.load(study), INLINE, folder)
    return folder


def run(study: Path, out: Path, harm: Callable[[], object], at: int) -> dict[str, Any]:
    """Run a study and do harm to its files once, when so many trainings have ended."""
    done: list[object] = []

    def progress(state: State) -> None:
        if not done and sum(t.outcome is not None for t in state.trials) >= at:
            done.append(harm())

    content = autodc.run(autodc.load(study), INLINE, out, progress=progress).to_dict()
    assert done
    return content


def harm_each(*files: Path) -> None:
    assert files
    for harm, path in zip(itertools.cycle(HARMS), sorted(files), strict=False):
        harm(path)


@pytest.mark.slow
def test_outcomes_that_are_harmed_in_the_midst_are_made_again(study: Path, finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    content = run(study, out, lambda: harm_each(*(out / "outcomes").iterdir()), at=22)
    assert told(content) == told(open_result(finished)[1])
    state = state_of(out)
    assert len(state.restored) > 2
    assert not state.lost
    assert all(one.difference == 0 for one in state.restored)
    page = (out / "report" / "index.html").read_text()
    assert "trained again" in page


@pytest.mark.slow
def test_stored_data_that_is_harmed_in_the_midst_is_put_in_place_again(
    study: Path, finished: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    content = run(study, out, lambda: harm_each(*(out / "work" / "data").glob("*/*.*")), at=10)
    assert told(content) == told(open_result(finished)[1])
    assert not state_of(out).failures


@pytest.mark.slow
def test_a_cache_that_is_deleted_in_the_midst_is_filled_again(study: Path, finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    content = run(study, out, lambda: shutil.rmtree(out / "work" / "data"), at=10)
    assert told(content) == told(open_result(finished)[1])
    assert not state_of(out).failures


@pytest.fixture(scope="module")
def continuing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("continuing")
    (folder / "trainer.py").write_text(CONTINUING)
    return write_world(folder, **SMALL, task__trainer="trainer.py:Continuing", recipes=["concat", "continue"])


def flip_model(folder: Path) -> None:
    flip(folder / "model" / "model.json")


@pytest.mark.slow
@pytest.mark.parametrize("harm", [shutil.rmtree, flip_model])
def test_a_model_to_go_on_from_that_is_lost_is_trained_again(
    continuing: Path, tmp_path: Path, harm: Callable[[Path], object]
) -> None:
    untroubled = autodc.run(autodc.load(continuing), INLINE, tmp_path / "untroubled").to_dict()
    assert any(t.trial.warm_start is not None for t in state_of(tmp_path / "untroubled").trials)
    out = tmp_path / "run"
    content = run(continuing, out, lambda: [harm(path) for path in (out / "models").iterdir()], at=8)
    assert told(content) == told(untroubled)
    state = state_of(out)
    assert state.restored
    assert not state.failures
    assert (out / "models" / "incumbent" / "digests.json").exists()
    assert damage(out / "models" / "incumbent") == ""


@pytest.mark.slow
def test_a_finished_study_tells_and_reports_without_its_outcomes(study: Path, finished: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(finished, tmp_path / "out"))
    shutil.rmtree(out / "outcomes")
    wanted = told(open_result(out)[1])
    assert told(autodc.run(autodc.load(study), INLINE, out).to_dict()) == wanted


@pytest.mark.slow
def test_a_result_that_is_cut_anywhere_is_written_again_from_the_journal(
    study: Path, finished: Path, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(finished, tmp_path / "out"))
    path, spec = out / "result.json", autodc.load(study)
    whole = path.read_bytes()
    for length in (0, 1, len(whole) // 3, len(whole) // 2, len(whole) - 3):
        path.write_bytes(whole[:length])
        assert told(open_result(out)[1]) == told(json.loads(whole))
        autodc.run(spec, INLINE, out)
        assert path.read_bytes() == whole


def test_the_noise_of_a_study_whose_outcomes_are_lost_is_not_borrowed(
    study: Path, finished: Path, tmp_path: Path
) -> None:
    from autodc.verbs.calibration import read_calibration
    from autodc.wire.inputs import read_inputs

    out = Path(shutil.copytree(finished, tmp_path / "out"))
    harm_each(*(out / "outcomes").iterdir())
    with pytest.raises(SurroundingsError, match="leave --from out") as caught:
        read_calibration(read_inputs(autodc.load(study)), out)
    assert caught.value.code == "ADC-DISK-002"


@pytest.mark.slow
def test_a_source_that_changed_since_is_named_when_its_stored_rows_are_gone(study: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(study.parent, tmp_path / "study", ignore=shutil.ignore_patterns("run")))
    out, spec = tmp_path / "run", autodc.load(folder / "study.yaml")
    ends: list[State] = []
    with pytest.raises(Interrupted):
        autodc.run(spec, INLINE, out, progress=ends.append, stop=lambda: len(ends) > 9)
    shutil.rmtree(out / "work" / "data")
    shutil.copy(folder / "data" / "copies.npz", folder / "data" / "base.npz")
    with pytest.raises(InputError, match="base") as caught:
        autodc.run(spec, INLINE, out)
    assert caught.value.hint
