"""Datasets that take another's place in training, alone and several of one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodc.adapters.artefacts import ArtefactStore, open_part
from autodc.data.dataset import Dataset
from autodc.errors import SurroundingsError
from autodc.plan.plan import Plan
from autodc.plan.trial import Trial
from autodc.study import pace
from autodc.study.core import StudyCore
from autodc.study.replacing import standing
from autodc.studyfile import load
from autodc.studyfile.study import MachineSpec
from autodc.testing.worlds.cells import write_world
from autodc.trial.executor import TrainTask
from autodc.wire.admitting import DATASETS, origin_file
from autodc.wire.inputs import Inputs, read_inputs
from autodc.wire.leaks import LeakSearch
from autodc.wire.study import job_maker, open_study


class World:
    """The world of cells, with datasets that were made of its base."""

    def __init__(self, folder: Path) -> None:
        self.out = folder / "out"
        self.inputs: Inputs = read_inputs(load(write_world(folder)))
        self.core: StudyCore
        self.core, self.journal = open_study(self.inputs, self.out)
        self.base = self.inputs.catalogue.base
        self.jobs = job_maker(self.inputs, self.core.state, MachineSpec(runner="inline"), self.out)

    def made(self, name: str, rows: np.ndarray, y: np.ndarray, replaces: str | None, of: str = "base") -> Dataset:
        """Let a dataset in as the study does that made it."""
        parent = self.inputs.catalogue[of]
        data = Dataset(name=name, x=parent.x[rows], y=y, metadata=parent.metadata.iloc[rows].reset_index(drop=True))
        ArtefactStore(self.out / DATASETS).put_dataset(data)
        origin = pd.DataFrame({"parent": np.zeros(len(rows), dtype=int), "position": rows})
        origin.to_parquet(origin_file(self.out / DATASETS, data.fingerprint))
        how = {} if replaces is None else {"replaces": replaces}
        card = {"rows": len(data), "fingerprint": data.fingerprint, "parent": [of], "how": how, "by": "prune"}
        self.core.state.roster[name] = card
        return data

    def job(self, weights: dict[str, float], **more: Any) -> TrainTask:
        plan = Plan.of(weights, {}, **more)
        return self.jobs.job(Trial(number=0, plan=plan, seed=1, phase="search"), 0)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    found = World(tmp_path)
    yield found
    found.journal.close()


def parts(job: TrainTask) -> dict[str, float]:
    return {part.name: part.weight for part in job.train}


def test_a_mended_base_stands_in_the_place_of_the_base_at_its_weight(world: World) -> None:
    rows = np.arange(0, len(world.base), 2)
    data = world.made("pruned", rows, np.asarray(world.base.y)[rows], "base")
    job = world.job({"pruned": 0.3, "lamps": 0.5})
    assert parts(job) == {"lamps": 0.5, "pruned": 1.0}
    path = next(part.path for part in job.train if part.name == "pruned")
    np.testing.assert_array_equal(open_part(path)[1], data.y)
    assert parts(world.job({"lamps": 0.5})) == {"base": 1.0, "lamps": 0.5}


def test_a_mapped_candidate_has_the_weight_and_stage_of_the_one_it_replaces(world: World) -> None:
    wrong = world.inputs.catalogue["wrong"]
    world.made("wrong-mapped", np.arange(len(wrong)), (np.asarray(wrong.y) + 2) % 3, "wrong", of="wrong")
    both = world.job({"wrong": 0.4, "wrong-mapped": 1.7}, recipe="pretrain_finetune", pretrain=("wrong",))
    assert [(part.name, part.weight, part.stage) for part in both.train if part.name != "base"] == [
        ("wrong-mapped", 0.4, "pretrain")
    ]
    assert parts(world.job({"wrong-mapped": 1.7})) == {"base": 1.0, "wrong-mapped": 1.7}


def test_two_replacements_of_the_base_are_composed_by_where_their_rows_come_from(world: World) -> None:
    y, count = np.asarray(world.base.y), len(world.base)
    mended = y.copy()
    mended[[3, 10]] = (y[[3, 10]] + 1) % 3
    kept, fewer = np.setdiff1d(np.arange(count), [10, 20]), np.setdiff1d(np.arange(count), [0])
    world.made("relabelled", np.arange(count), mended, "base")
    world.made("pruned", kept, y[kept], "base")
    world.made("deduplicated", fewer, y[fewer], "base")
    job = world.job({"relabelled": 0.2, "pruned": 0.6, "deduplicated": 1.0, "lamps": 1.0})
    assert parts(job) == {"relabelled+pruned+deduplicated": 1.0, "lamps": 1.0}
    x, labels, metadata = open_part(next(part.path for part in job.train if "+" in part.name))
    both = np.setdiff1d(np.arange(count), [0, 10, 20])
    np.testing.assert_array_equal(labels, mended[both])
    np.testing.assert_array_equal(x, world.base.x[both])
    assert list(metadata["region"]) == list(world.base.metadata["region"].iloc[both])
    again = world.job({"relabelled": 1.0, "pruned": 1.0, "deduplicated": 0.1})
    assert again.train[0].path == next(part.path for part in job.train if "+" in part.name)


def test_what_was_composed_is_made_again_where_it_is_gone(world: World, tmp_path: Path) -> None:
    import shutil

    y = np.asarray(world.base.y)
    for name, first in (("pruned", 5), ("deduplicated", 9)):
        world.made(name, np.arange(first, len(y)), y[first:], "base")
    (path,) = [part.path for part in world.job({"pruned": 1.0, "deduplicated": 1.0}).train]
    shutil.rmtree(path)
    assert world.jobs.restore()
    assert [part.path for part in world.job({"pruned": 1.0, "deduplicated": 1.0}).train] == [path]
    assert len(open_part(path)[0]) == len(y) - 9


def test_without_an_origin_nothing_is_composed(world: World) -> None:
    y = np.asarray(world.base.y)
    for name, first in (("pruned", 5), ("deduplicated", 9)):
        data = world.made(name, np.arange(first, len(y)), y[first:], "base")
    origin_file(world.out / DATASETS, data.fingerprint).unlink()
    with pytest.raises(SurroundingsError) as caught:
        world.job({"pruned": 1.0, "deduplicated": 1.0})
    assert caught.value.code == "ADC-PROP-032"


def test_rows_are_counted_as_they_are_trained_on(world: World) -> None:
    y = np.asarray(world.base.y)
    world.made("pruned", np.arange(40, len(y)), y[40:], "base")
    lamps = len(world.inputs.catalogue["lamps"])
    state = world.core.state
    assert pace.rows(state, Plan.of({"pruned": 0.2, "lamps": 1.0}, {})) == len(y) - 40 + lamps
    given = sum(len(one) for one in world.inputs.catalogue.candidates.values())
    assert pace.typical_rows(state) == len(y) + given / 2
    assert [one.of for one in standing(state, Plan.of({"pruned": 0.2}, {}))] == [("pruned",)]


def test_rows_of_the_base_are_no_news_in_what_replaces_it(world: World) -> None:
    """Held-out rows that stand in the base as well were there before: they explain no gain."""
    held = world.inputs.catalogue.validation
    base = world.base
    x = np.concatenate([np.asarray(base.x), np.asarray(held.x)[:40]])
    y = np.concatenate([np.asarray(base.y), np.asarray(held.y)[:40]])
    leaky = Dataset(name="leaky", x=x, y=y, metadata=pd.concat([base.metadata, held.metadata[:40]], ignore_index=True))
    mended = base.take(np.arange(5, len(base)), "pruned")
    made = {"leaky": leaky, "pruned": mended}
    search = LeakSearch(world.inputs.catalogue, made.__getitem__, lambda name: ("base",))
    assert search(("pruned",), {"validation": np.arange(40)}).found == ()
    found = search(("leaky",), {"validation": np.arange(40)}).found
    assert ("leaky", "exact") in [(one.dataset, one.kind) for one in found]
