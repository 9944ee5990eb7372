"""One run of Lightning's Trainer: so many batches, on one device, without loggers, checkpoints, bars and advice."""

from __future__ import annotations

import importlib
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autodc.adapters.trainers.torch_model import device

FAMILIES = {"pytorch_lightning": "pytorch_lightning", "lightning": "lightning.pytorch"}
"""Package → where its Trainer is: Lightning comes as two, and neither takes the other's modules."""
LOGGERS = ("pytorch_lightning", "lightning", "lightning.pytorch", "lightning.fabric", "lightning_fabric")
RATES = ("lr", "initial_lr", "max_lr", "min_lr")
"""Of a group of parameters, set by optimizers and schedulers."""


def family_of(module: Any) -> str | None:
    """Which Lightning a module is of; None where it is no LightningModule."""
    for parent in type(module).__mro__:
        home = parent.__module__.partition(".")[0]
        if parent.__name__ == "LightningModule" and home in FAMILIES:
            return FAMILIES[home]
    return None


def fit(
    module: Any, rows: Any, steps: int, lr_factor: float, folder: Path, *, clip: Any = None, precision: Any = "32-true"
) -> None:
    """Train a module on so many batches of a loader; lr_factor: on every learning rate it configures."""
    lightning = importlib.import_module(str(family_of(module)))
    environments = importlib.import_module(f"{lightning.__name__}.plugins.environments")
    with _quiet():
        trainer = lightning.Trainer(
            accelerator="cpu" if device().type == "cpu" else "gpu",
            devices=1,
            num_nodes=1,
            precision=precision,
            max_epochs=-(-steps // len(rows)),
            max_steps=steps if module.automatic_optimization else -1,
            gradient_clip_val=clip,
            limit_val_batches=0,
            num_sanity_val_steps=0,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
            deterministic=True,
            default_root_dir=str(folder),
            plugins=[environments.LightningEnvironment()],
            callbacks=[_ending(lightning, steps, lr_factor)],
        )
        trainer.fit(module, train_dataloaders=rows)


def _ending(lightning: Any, steps: int, lr_factor: float) -> Any:
    """What ends a run after so many batches, also of a module that steps its optimizers itself."""

    class Ending(lightning.Callback):  # type: ignore[misc]
        def on_train_start(self, trainer: Any, pl_module: Any) -> None:
            for optimizer in trainer.optimizers if lr_factor != 1 else ():
                for group in optimizer.param_groups:
                    group.update({name: group[name] * lr_factor for name in RATES if name in group})
            for config in trainer.lr_scheduler_configs if lr_factor != 1 else ():
                if hasattr(config.scheduler, "base_lrs"):
                    config.scheduler.base_lrs = [rate * lr_factor for rate in config.scheduler.base_lrs]

        def on_train_batch_end(self, trainer: Any, *rest: Any) -> None:
            self.done = getattr(self, "done", 0) + 1
            trainer.should_stop = trainer.should_stop or self.done >= steps

    return Ending()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Lightning's own advice out of the log; what the user's code warns of stays."""
    before = {name: logging.getLogger(name).level for name in LOGGERS}
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"(pytorch_)?lightning(_fabric|_utilities)?\b")
            warnings.filterwarnings(
                "ignore", message=".*(dataloader|Trainer|LightningModule|TensorBoard|num_workers).*"
            )
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
