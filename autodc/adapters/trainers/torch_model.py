"""A trained network with the facts that it is built again by, and how both lie in a folder."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import torch
from torch import nn

from autodc.trial.outputs import TrainerError


@final
@dataclass(frozen=True, slots=True)
class TorchModel:
    """A network and the plain facts needed to build it again and to read its inputs and outputs."""

    network: nn.Module
    facts: Mapping[str, Any]


def device() -> torch.device:
    """The GPU that this process was given, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def save_model(model: TorchModel, folder: Path) -> None:
    """Write `weights.pt` and `model.json`."""
    torch.save(model.network.state_dict(), folder / "weights.pt")
    (folder / "model.json").write_text(json.dumps(dict(model.facts), sort_keys=True), encoding="utf-8")


def read_facts(folder: Path) -> dict[str, Any]:
    """Read `model.json`; raises TrainerError where the folder holds no model of ours."""
    try:
        facts: dict[str, Any] = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainerError("ADC-TRAIN-030", "this folder holds no saved model", str(folder), str(error)) from error
    return facts


def read_weights(network: nn.Module, folder: Path) -> None:
    """Load `weights.pt` into a network, ready to predict; raises TrainerError where it does not fit."""
    try:
        network.load_state_dict(torch.load(folder / "weights.pt", map_location=device(), weights_only=True))
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise TrainerError("ADC-TRAIN-031", "the saved weights do not fit", str(folder), str(error)) from error
    network.eval()
