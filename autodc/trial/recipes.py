"""How a recipe cuts a training into legs: which datasets, for which share of the budget, at which learning rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, final

from autodc.plan.mixture import BASE
from autodc.trial.outputs import TrainerError
from autodc.trial.pacing import BY_DIFFICULTY, HARD_FIRST, Growth, Pace
from autodc.trial.trainer import TrainingJob, TrainPart

SYNTHETIC: Final = "synthetic"
"""The tag of datasets that were made, not gathered."""
DEFAULTS: Final[Mapping[str, Any]] = {
    "pretrain_share": 0.4,
    "finetune_lr_factor": 1.0,
    "frozen_layers": 0.0,
    "adapter_warmup": 0.3,
    "curriculum_order": "base_first",
    "curriculum_pacing": 0.5,
    "curriculum_start": 0.2,
    "curriculum_growth": "linear",
    "replay": None,
}
"""The parameters of recipes that cut a training, where nobody says otherwise.

`pretrain_share`: share of the budget that goes to the parts of stage `pretrain`; `finetune_lr_factor`: on the learning
rate in stage `main` after it; `frozen_layers`: leading layers that stay as they are there, below 1 a share of all, from
1 on their number; `adapter_warmup`: share of the budget for the base alone, before other datasets say what they call
differently; `curriculum_order`: which datasets, or which rows, come first; `curriculum_pacing`: share of the budget
before all are in; `curriculum_start`: share of the rows that come first, where it goes by rows; `curriculum_growth`:
how that grows; `replay`: share of the rows drawn that are the base's where a training goes on from a model, None as
weighted.
"""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TrainPhase:
    """One leg of a training."""

    parts: tuple[TrainPart, ...]
    share: float
    """Of the whole budget, (0, 1]."""
    lr_factor: float
    """On the learning rate."""
    index: int
    """From 0."""
    frozen: float = 0.0
    """Leading layers that do not learn: below 1 a share of all layers, from 1 on their number."""
    pace: Pace | None = None
    """How its rows come in; None where all are in from the first step."""


def phases(job: TrainingJob, fixed: Mapping[str, Any] | None = None) -> tuple[TrainPhase, ...]:
    """Cut a job into the legs of its recipe. fixed: parameters of recipes where no hyperparameter says otherwise.

    `pretrain_finetune`: the parts of stage `pretrain` get `pretrain_share` of the budget, then those of stage `main`
    the rest, at `finetune_lr_factor` times the learning rate and with `frozen_layers`; without pretraining parts it is
    `concat`. `label_adapt`: the base alone for `adapter_warmup` of the budget, then all. `curriculum`: the base, other
    real datasets and those tagged synthetic join one after the other, or the other way round, within
    `curriculum_pacing` of the budget; the last leg has them all. By the difficulty of rows it is one leg with
    a pace, whose ranks a trainer measures. `continue` with `replay`: the base's weight is such that its rows are that
    share of all. A part whose weight comes to no row an epoch is left out.
    Raises TrainerError where there are no rows, and where `continue` has no model to start from.
    """
    told = {**DEFAULTS, **{name: value for name, value in (fixed or {}).items() if name in DEFAULTS}}
    told |= {name: value for name, value in job.hyperparameters.items() if name in DEFAULTS}
    parts = tuple(part for part in job.train if round(part.weight * len(part.x)) > 0)
    if not parts:
        raise TrainerError("ADC-TRAIN-008", "there are no rows to train on", "train", f"{len(job.train)} empty parts")
    if job.recipe == "continue" and job.warm_start is None:
        raise TrainerError("ADC-TRAIN-009", "recipe continue has no model to start from", "warm_start")
    if job.recipe == "pretrain_finetune":
        return _pretrained(parts, told)
    if job.recipe == "label_adapt":
        return _base_before_all(parts, float(told["adapter_warmup"]))
    if job.recipe == "curriculum":
        return _curriculum(parts, told)
    if job.recipe == "continue" and told["replay"] is not None:
        parts = replayed(parts, float(told["replay"]))
    return _whole(parts)


def replayed(parts: Sequence[TrainPart], share: float) -> tuple[TrainPart, ...]:
    """The parts with a weight of the base that makes its rows this share of all that are drawn; alone it stays.

    At 0 the base is left out, where anything else is left.
    """
    others = tuple(part for part in parts if part.name != BASE)
    base = next((part for part in parts if part.name == BASE), None)
    drawn = sum(part.weight * len(part.x) for part in others)
    if base is None or not others or share >= 1:
        return tuple(parts) if base is None or not others else (replace(base, weight=1.0),)
    weight = share / (1 - share) * drawn / len(base.x)
    return (replace(base, weight=weight), *others) if round(weight * len(base.x)) > 0 else others


def _whole(parts: Sequence[TrainPart]) -> tuple[TrainPhase, ...]:
    return (TrainPhase(parts=tuple(parts), share=1.0, lr_factor=1.0, index=0),)


def _pretrained(parts: Sequence[TrainPart], told: Mapping[str, Any]) -> tuple[TrainPhase, ...]:
    first = tuple(part for part in parts if part.stage == "pretrain")
    main = tuple(part for part in parts if part.stage == "main")
    if not first or not main:
        return _whole(parts)
    share, factor = float(told["pretrain_share"]), float(told["finetune_lr_factor"])
    frozen = float(told["frozen_layers"])
    return (
        TrainPhase(parts=first, share=share, lr_factor=1.0, index=0),
        TrainPhase(parts=main, share=1.0 - share, lr_factor=factor, index=1, frozen=frozen),
    )


def _base_before_all(parts: Sequence[TrainPart], share: float) -> tuple[TrainPhase, ...]:
    base = tuple(part for part in parts if part.name == BASE)
    if not base or len(base) == len(parts) or share <= 0:
        return _whole(parts)
    return (
        TrainPhase(parts=base, share=share, lr_factor=1.0, index=0),
        TrainPhase(parts=tuple(parts), share=1.0 - share, lr_factor=1.0, index=1),
    )


def _curriculum(parts: Sequence[TrainPart], told: Mapping[str, Any]) -> tuple[TrainPhase, ...]:
    order, pacing = str(told["curriculum_order"]), float(told["curriculum_pacing"])
    if order in BY_DIFFICULTY:
        return _by_rows(parts, told)
    groups = ([part for part in parts if _rank(part) == rank] for rank in range(3))
    steps = [group for group in groups if group]
    if order == "synthetic_first":
        steps.reverse()
    if len(steps) < 2 or pacing <= 0:
        return _whole(parts)
    shares = [pacing / (len(steps) - 1)] * (len(steps) - 1) + [1.0 - pacing]
    names = [{part.name for group in steps[: i + 1] for part in group} for i in range(len(steps))]
    return tuple(
        TrainPhase(parts=tuple(p for p in parts if p.name in names[i]), share=share, lr_factor=1.0, index=i)
        for i, share in enumerate(shares)
        if share > 0
    )


def _by_rows(parts: Sequence[TrainPart], told: Mapping[str, Any]) -> tuple[TrainPhase, ...]:
    growth: Growth = "exponential" if told["curriculum_growth"] == "exponential" else "linear"
    start, pacing = float(told["curriculum_start"]), float(told["curriculum_pacing"])
    if len(parts) < 2 or pacing <= 0 or start >= 1:
        return _whole(parts)
    pace = Pace(start=start, full=pacing, growth=growth, hard_first=told["curriculum_order"] == HARD_FIRST)
    return (TrainPhase(parts=tuple(parts), share=1.0, lr_factor=1.0, index=0, pace=pace),)


def _rank(part: TrainPart) -> int:
    """0 the base, 1 other real rows, 2 synthetic ones."""
    return 0 if part.name == BASE else 2 if SYNTHETIC in part.tags else 1
