"""A study of files whose files move or vanish: before it runs, between two runs, and while it runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import autodc
from autodc.adapters.journal import state_of
from autodc.errors import AutodcError
from autodc.study.driver import Interrupted
from autodc.studyfile.study import MachineSpec
from autodc.verbs.check import preflight

INLINE = MachineSpec(runner="inline")
NAMES = ("base", "more", "validation")
TRAINER = """
import numpy as np
from PIL import Image

from autodc.trial.trainer import Trained

def pixels(x):
    return np.array([np.asarray(Image.open(path)).ravel() for path in x.texts()], float)

class Nearest:
    def train(self, job):
        x, y = (np.concatenate(one) for one in zip(*((pixels(part.x), part.y) for part in job.train)))
        middle = np.array([x[y == code].mean(axis=0) for code in (0, 1)])
        chance = np.random.default_rng(job.seed).normal(0, 3 * job.hyperparameters["blur"], middle.shape)
        (job.out / "model").mkdir()
        far = {name: ((pixels(part)[:, None] - middle - chance) ** 2).sum(2) for name, part in job.predict.items()}
        scores = {name: np.exp(-one / 5000) + 1e-3 for name, one in far.items()}
        return Trained(
            outputs={name: one / one.sum(1, keepdims=True) for name, one in scores.items()},
            train_seconds=0.1,
            predict_ms=0.1,
            model_mb=0.1,
        )
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return make(tmp_path)


@pytest.fixture(scope="module")
def untroubled(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a run comes to whose files stay where they are."""
    folder = tmp_path_factory.mktemp("untroubled")
    return whole(make(folder), folder / "run")


def make(tmp_path: Path) -> Path:
    """Pictures of two classes in folders, under `photos`."""
    for number, name in enumerate(NAMES):
        rng = np.random.default_rng(number)
        for label, ink in (("cat", 90), ("dog", 140)):
            (tmp_path / "photos" / name / label).mkdir(parents=True)
            for row in range(120 if name == "validation" else 30):
                values = rng.normal(ink, 60, (3, 3)).clip(0, 255).astype(np.uint8)
                Image.fromarray(values).save(tmp_path / "photos" / name / label / f"{row:03d}.png")
    (tmp_path / "trainer.py").write_text(TRAINER)
    return write(tmp_path, "photos")


def write(folder: Path, photos: str) -> Path:
    content = {
        "schema_version": 1,
        "name": "moved",
        "task": {"kind": "classification", "trainer": "trainer.py:Nearest"},
        "data": {
            "base": {"source": f"{photos}/base"},
            "candidates": [{"name": "more", "source": f"{photos}/more"}],
            "validation": {"source": f"{photos}/validation"},
        },
        "metrics": {"primary": "accuracy"},
        "slices": [{"name": "all", "role": "target"}],
        "search_space": {"blur": {"type": "float", "low": 1.0, "high": 20.0}},
        "loop": {"rounds": 1},
        "search": {"trials_per_round": 8},
        "budget": {"trainings": 24},
        "tracking": {"uri": "none"},
    }
    (folder / "study.yaml").write_text(json.dumps(content))
    return folder / "study.yaml"


def begin(study: Path, out: Path) -> None:
    """Run a study until ten of its trainings have ended."""
    seen: list[object] = []
    with pytest.raises(Interrupted):
        autodc.run(autodc.load(study), INLINE, out, progress=seen.append, stop=lambda: len(seen) > 9)


def told(content: dict[str, Any]) -> Any:
    return [content[name] for name in ("kept", "undecided", "incumbent", "decisions", "validation", "finished")]


def whole(study: Path, out: Path) -> Any:
    found = told(autodc.run(autodc.load(study), INLINE, out).to_dict())
    assert not state_of(out).failures
    return found


@pytest.mark.slow
def test_files_that_moved_between_two_runs_are_trained_on_where_they_are(study: Path, untroubled: Any) -> None:
    folder = study.parent
    begin(study, folder / "run")
    shutil.move(folder / "photos", folder / "elsewhere")
    assert whole(write(folder, "elsewhere"), folder / "run") == untroubled
    assert state_of(folder / "run").extensions == []


@pytest.mark.slow
def test_a_folder_that_moved_with_all_that_is_in_it_goes_on(
    study: Path, untroubled: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    begin(study, study.parent / "run")
    folder = tmp_path_factory.mktemp("new") / "place"
    shutil.copytree(study.parent, folder)
    shutil.rmtree(study.parent)
    assert whole(folder / "study.yaml", folder / "run") == untroubled


def refused(call: Any) -> str:
    with pytest.raises(AutodcError) as caught:
        call()
    assert caught.value.exit_code == 2, caught.value
    return str(caught.value)


@pytest.mark.slow
def test_a_folder_that_vanished_after_check_is_named_once(study: Path) -> None:
    spec, folder = autodc.load(study), study.parent
    preflight(spec)
    shutil.rmtree(folder / "photos/more")
    said = refused(lambda: autodc.run(spec, INLINE, folder / "run"))
    assert "photos/more" in said
    assert said.count("photos/more") == 1
    assert not (folder / "run").exists()


@pytest.mark.slow
def test_a_file_that_vanished_between_two_runs_is_told_as_another_dataset(study: Path) -> None:
    folder = study.parent
    begin(study, folder / "run")
    (folder / "photos/base/cat/007.png").unlink()
    before = len(state_of(folder / "run").trials)
    said = refused(lambda: autodc.run(autodc.load(study), INLINE, folder / "run"))
    assert "content of.base" in said
    assert len(state_of(folder / "run").trials) == before


@pytest.mark.slow
def test_a_listed_file_that_vanished_after_check_is_named(study: Path) -> None:
    folder = study.parent
    for name in NAMES:
        files = sorted((folder / "photos" / name).rglob("*.png"))
        lines = [f"{path.relative_to(folder / 'photos' / name)},{path.parent.name}" for path in files]
        (folder / "photos" / name / "manifest.csv").write_text("\n".join(["path,target", *lines, ""]))
    spec = autodc.load(study)
    preflight(spec)
    (folder / "photos/more/dog/011.png").unlink()
    said = refused(lambda: autodc.run(spec, INLINE, folder / "run"))
    assert "dog/011.png" in said
    assert not (folder / "run").exists()


@pytest.mark.slow
def test_files_that_vanish_while_the_study_runs_live_on_in_their_links(study: Path) -> None:
    folder, seen = study.parent, list[object]()

    def progress(state: object) -> None:
        seen.append(state)
        if len(seen) == 1:
            shutil.rmtree(folder / "photos")

    with pytest.raises(Interrupted):
        autodc.run(autodc.load(study), INLINE, folder / "run", progress=progress, stop=lambda: len(seen) > 9)
    assert not state_of(folder / "run").failures
