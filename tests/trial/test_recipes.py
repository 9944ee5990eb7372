"""How recipes cut a training into legs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodc.trial.fitting import draw
from autodc.trial.recipes import phases
from autodc.trial.trainer import TrainingJob, TrainPart


def part(name: str, n: int, *tags: str, **more: Any) -> TrainPart:
    x = np.full((n, 1), len(name), dtype=np.float32)
    fields: dict[str, Any] = {"weight": 1.0, "stage": "main", "folder": Path(name), "tags": tags, **more}
    return TrainPart(name=name, x=x, y=x[:, 0], metadata=pd.DataFrame(index=range(n)), **fields)


def legs(recipe: str, parts: Any, **hyperparameters: Any) -> Any:
    job = TrainingJob(
        kind="regression",
        n_classes=0,
        train=tuple(parts),
        predict={},
        hyperparameters=hyperparameters,
        recipe=recipe,
        seed=1,
        fidelity=1.0,
        warm_start=Path("model"),
        out=Path("out"),
    )
    return phases(job)


PARTS = (part("made", 40, "synthetic"), part("base", 20), part("mined", 10))


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("base_first", [["base"], ["base", "mined"], ["made", "base", "mined"]]),
        ("synthetic_first", [["made"], ["made", "mined"], ["made", "base", "mined"]]),
    ],
)
def test_a_curriculum_lets_datasets_in_one_after_the_other(order: str, names: Any) -> None:
    found = legs("curriculum", PARTS, curriculum_order=order, curriculum_pacing=0.6)
    assert [[one.name for one in leg.parts] for leg in found] == names
    assert [leg.share for leg in found] == pytest.approx([0.3, 0.3, 0.4])
    assert [leg.index for leg in found] == [0, 1, 2]


def test_a_curriculum_of_one_kind_of_data_or_without_pacing_is_one_leg() -> None:
    assert len(legs("curriculum", PARTS[1:2])) == 1
    (leg,) = legs("curriculum", PARTS, curriculum_pacing=0.0)
    assert (leg.parts, leg.share) == (PARTS, 1.0)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_replay_is_the_share_of_the_rows_drawn_that_are_of_the_base(share: float) -> None:
    (leg,) = legs("continue", PARTS, replay=share)
    drawn = next(draw(leg, 50, 100, seed=0))
    of_base = (drawn.x[drawn.batches][..., 0] == len("base")).mean() - 0.0
    names = np.array([one.name for one in leg.parts])[drawn.part][drawn.batches]
    assert (names == "base").mean() == pytest.approx(share, abs=0.03)
    assert (names == "made").mean() == pytest.approx((1 - share) * 40 / 50, abs=0.03)
    assert of_base >= share - 0.03


def test_replay_of_nothing_leaves_the_base_out_and_all_of_it_is_the_base_alone() -> None:
    assert [one.name for one in legs("continue", PARTS, replay=0.0)[0].parts] == ["made", "mined"]
    assert [one.name for one in legs("continue", PARTS, replay=1.0)[0].parts] == ["base"]
    assert legs("continue", PARTS[1:2], replay=0.2)[0].parts == PARTS[1:2]


def test_replay_is_for_continue_alone_and_left_out_weights_are_as_they_are() -> None:
    assert legs("continue", PARTS)[0].parts == PARTS
    assert legs("concat", PARTS, replay=0.2)[0].parts == PARTS


def test_label_adapt_begins_with_the_base() -> None:
    first, then = legs("label_adapt", PARTS, adapter_warmup=0.25)
    assert [one.name for one in first.parts] == ["base"]
    assert (first.share, then.share, then.parts) == (0.25, 0.75, PARTS)
    assert len(legs("label_adapt", PARTS, adapter_warmup=0.0)) == 1


def test_layers_are_frozen_in_the_fine_tuning_alone() -> None:
    parts = (PARTS[1], part("old", 5, stage="pretrain"))
    assert [leg.frozen for leg in legs("pretrain_finetune", parts, frozen_layers=2)] == [0.0, 2.0]
    assert [leg.frozen for leg in legs("concat", parts, frozen_layers=2)] == [0.0]
