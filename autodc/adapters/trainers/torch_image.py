"""The trainer `torch_image`: small networks on images, for classes, values or images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from autodc.adapters.pictures.wish import Wish, wished
from autodc.adapters.trainers import image_rows
from autodc.adapters.trainers.image_axes import BYTE, as_floats, channels_first, from_channels, layout_of, shape_of
from autodc.adapters.trainers.networks import BUILDERS, DEFAULT_WIDTH, Builder
from autodc.adapters.trainers.options import TorchHyperparameters, TorchImageOptions, torch_hyperparameters
from autodc.adapters.trainers.torch_model import TorchModel, device, read_facts, read_weights
from autodc.adapters.trainers.torch_scaling import scaled, target_scale, unscaled
from autodc.adapters.trainers.torch_steps import Codec, Prepared, TorchFitting, loss_of
from autodc.plugins import is_path, load_object
from autodc.table import Inputs
from autodc.trial.forking import Forked, ForkingJob
from autodc.trial.outputs import TrainerError
from autodc.trial.trainer import Trained, TrainingJob

Array = np.ndarray[Any, Any]
SIXTEEN_BITS = 65535.0
SHIFT_SHARE = 8
"""Augmentation `shift` moves by up to one part in this many of the side, at least one pixel."""


@final
class TorchImage(TorchFitting):
    """Trains a network on images: (n, h, w), (n, h, w, c) or (n, c, h, w), or files of images.

    Bytes are scaled to 0..1, and so are inputs of 16 bits.
    """

    def __init__(self, options: TorchImageOptions, folder: str) -> None:
        self._options, self._folder = options, folder
        self._wish = wished(options.size, options.mode)

    def train(self, job: TrainingJob) -> Trained:
        """Decode image files where no training before has, then train."""
        return super().train(image_rows.of_job(job, self._wish))

    def fork(self, job: ForkingJob) -> Forked:
        """The same for a training that forks."""
        return super().fork(image_rows.of_forking(job, self._wish))

    def prepare(self, job: TrainingJob) -> Prepared:
        """Build or load the network."""
        hyper = torch_hyperparameters(self._options, dict(job.hyperparameters))
        if job.recipe == "continue" and job.warm_start is not None:
            model = self.load(job.warm_start)
        else:
            facts = self._facts(job, hyper)
            model = TorchModel(self._network(facts), facts)
        codec = Codec(
            inputs=lambda x: self._tensor(x, model.facts),
            targets=lambda y: self._targets(y, model.facts),
            batch=lambda x, y: (as_floats(x), as_floats(y)),
            augment=self._augment if self._options.augment != "none" else None,
        )
        loss = loss_of(job.kind, hyper, self._options.loss)
        ours = not is_path(str(model.facts["network"]))
        return Prepared(model=model, hyper=hyper, steps=self._options.steps, codec=codec, loss=loss, rows_alone=ours)

    def predict(self, model: TorchModel, x: Inputs) -> Array:
        """Class probabilities (n, C), values (n, ...) or images in the layout and units of the targets."""
        facts = model.facts
        with torch.inference_mode():
            out = model.network(as_floats(self._tensor(x, facts).to(device()))).float()
            if facts["kind"] == "classification":
                out = functional.softmax(out, dim=1)
            elif facts["kind"] == "regression":
                out = unscaled(out, facts)
            else:
                out = out.clamp(0, 1) * BYTE if facts["y_bytes"] else out
                out = from_channels(out, facts["y_shape"], facts["y_layout"])
        array: Array = out.cpu().numpy()
        return array

    def load(self, folder: Path) -> TorchModel:
        """Read a model back; its architecture is the saved one, whatever a trial says of width or depth."""
        facts = read_facts(folder)
        model = TorchModel(self._network(facts), facts)
        read_weights(model.network, folder)
        return model

    def _network(self, facts: Mapping[str, Any]) -> nn.Module:
        name = facts["network"]
        builder: Builder = load_object(name, self._folder, "task.options.network") if is_path(name) else BUILDERS[name]
        network = builder(shape_of(facts["x_shape"], facts["layout"]), facts["outputs"], facts["hyper"])
        if not isinstance(network, nn.Module):
            raise TrainerError(
                "ADC-TRAIN-063", "a network function gives back a torch.nn.Module", name, type(network).__name__
            )
        return network.to(device())

    def _facts(self, job: TrainingJob, hyper: TorchHyperparameters) -> dict[str, Any]:
        """Everything the network and the reading of its inputs depend on, as JSON."""
        x, y = job.train[0].x, job.train[0].y
        width = hyper.width or DEFAULT_WIDTH.get(self._options.network, DEFAULT_WIDTH["small_cnn"])
        facts: dict[str, Any] = {
            "kind": job.kind,
            "network": self._options.network,
            "hyper": {**dict(job.hyperparameters), **hyper.model_dump(), "width": width},
            "x_shape": list(x.shape[1:]),
            "wish": self._wish.model_dump(mode="json"),
            "layout": layout_of(x.shape[1:], self._options.layout),
            "y_shape": list(y.shape[1:]),
        }
        if job.kind == "classification":
            return {**facts, "outputs": job.n_classes}
        if job.kind == "image_to_image":
            y_layout = layout_of(y.shape[1:], self._options.layout)
            return {
                **facts,
                "outputs": shape_of(facts["y_shape"], y_layout)[0],
                "y_layout": y_layout,
                "y_bytes": y.dtype == np.uint8,
            }
        return {**facts, "outputs": int(np.prod(y.shape[1:])), **target_scale(job)}

    def _tensor(self, x: Inputs, facts: Mapping[str, Any]) -> torch.Tensor:
        rows = image_rows.rows(x, Wish(**facts.get("wish", {})))
        if rows.dtype == np.uint16 and "wish" in facts:
            rows = rows.astype(np.float32) / SIXTEEN_BITS
        if list(rows.shape[1:]) != facts["x_shape"]:
            problem = f"inputs have the wrong shape, {tuple(facts['x_shape'])} is needed"
            raise TrainerError("ADC-TRAIN-032", problem, "torch_image", str(rows.shape[1:]))
        return channels_first(rows, facts["layout"])

    def _targets(self, y: Array, facts: Mapping[str, Any]) -> torch.Tensor:
        if facts["kind"] == "classification":
            return torch.from_numpy(y.astype(np.int64))
        if facts["kind"] == "image_to_image":
            return channels_first(y, facts["y_layout"])
        return scaled(y, facts)

    def _augment(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Shift and mirror each image of a batch by chance, targets alike where they are images."""
        images = [x, y] if y.dim() == 4 and y.shape[-2:] == x.shape[-2:] else [x]
        n, _, h, w = x.shape
        rows, columns = torch.arange(h).expand(n, h), torch.arange(w).expand(n, w)
        if "flip" in self._options.augment:
            columns = torch.where(torch.rand(n, 1) < 0.5, w - 1 - columns, columns)
        if "shift" in self._options.augment:
            down, right = max(1, h // SHIFT_SHARE), max(1, w // SHIFT_SHARE)
            rows = rows + torch.randint(-down, down + 1, (n, 1))
            columns = columns + torch.randint(-right, right + 1, (n, 1))
        inside = ((rows >= 0) & (rows < h))[:, :, None] & ((columns >= 0) & (columns < w))[:, None, :]
        rows, columns = rows.clamp(0, h - 1).to(x.device), columns.clamp(0, w - 1).to(x.device)
        at = torch.arange(n, device=x.device)[:, None, None]
        mask = inside[:, None].to(x.device)
        moved = [im[at, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2) * mask for im in images]
        return moved[0], moved[1] if len(moved) == 2 else y
