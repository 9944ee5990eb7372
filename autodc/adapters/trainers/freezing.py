"""Layers of a network that stay as they are while the others learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from autodc.hints import suggest
from autodc.trial.outputs import TrainerError


def layers_of(network: nn.Module) -> list[nn.Module]:
    """Modules with parameters of their own, from the inputs to the outputs.

    In the order in which they were registered, unless the network says another by a method `in_order`.
    """
    own = [module for module in network.modules() if next(module.parameters(recurse=False), None) is not None]
    if not hasattr(network, "in_order"):
        return own
    said = {id(module): place for place, top in enumerate(network.in_order()) for module in top.modules()}
    return sorted(own, key=lambda module: said.get(id(module), len(said)))


def freeze(network: nn.Module, amount: float) -> int:
    """Keep leading layers as they are from now on, what they normalise by too; returns how many.

    amount: below 1 a share of the layers, rounded down, from 1 on their number. The last layer always learns.
    """
    layers = layers_of(network)
    count = int(amount * len(layers)) if amount < 1 else int(amount)
    count = max(0, min(count, len(layers) - 1))
    for layer in layers[:count]:
        _hold(layer)
    return count


def freeze_named(network: nn.Module, names: Sequence[str]) -> None:
    """Keep the modules of these names as they are from now on, with all that is in them.

    Raises TrainerError ADC-TRAIN-113 for a name that there is not, and where nothing is left that learns.
    """
    known = [name for name, _ in network.named_modules() if name]
    for name in names:
        if name not in known:
            hint = suggest(name, known, "modules")
            raise TrainerError("ADC-TRAIN-113", "there is no such module to freeze", "task.options.frozen", name, hint)
        for layer in network.get_submodule(name).modules():
            _hold(layer)
    if names and not any(parameter.requires_grad for parameter in network.parameters()):
        hint = "leave out the last one"
        got = ", ".join(names)
        raise TrainerError("ADC-TRAIN-113", "nothing is left that learns", "task.options.frozen", got, hint)


def _hold(layer: nn.Module) -> None:
    for parameter in layer.parameters(recurse=False):
        parameter.requires_grad_(False)
    layer.register_forward_pre_hook(_as_in_prediction)


def _as_in_prediction(layer: nn.Module, inputs: Any) -> None:
    layer.training = False
