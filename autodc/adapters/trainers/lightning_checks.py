"""Checks the options of `lightning` and the search space against the module, before anything is trained or imported."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping

from autodc.adapters.trainers.lightning_arguments import PLACE, by_text, check_arguments
from autodc.adapters.trainers.options import LOADED, RECIPE_OF, LightningOptions
from autodc.errors import SpecError
from autodc.plugins import find_problem, is_path
from autodc.studyfile.study import ParameterSpec

PACKAGES = ("pytorch_lightning", "lightning")


def lightning_problems(
    options: LightningOptions, hyperparameters: Mapping[str, ParameterSpec], folder: str
) -> list[SpecError]:
    """What is missing or misnamed; hyperparameters of other recipes are told elsewhere."""
    problems: list[SpecError] = []
    if not any(importlib.util.find_spec(name) for name in PACKAGES) or importlib.util.find_spec("torch") is None:
        hint = "pip install 'autodc-optimizer[lightning]'"
        text = "this trainer needs pytorch-lightning"
        problems.append(SpecError("ADC-TRAIN-018", text, "task.trainer", "no pytorch-lightning", hint))
    for key in ("module", "transform", "collate"):
        name = getattr(options, key)
        if name is not None and (problem := _path_problem(name, folder, f"task.options.{key}")) is not None:
            problems.append(problem)
    if any(problem.place == PLACE for problem in problems):
        return problems
    takes = by_text(options.module, folder)
    if takes is None:
        return problems
    own = [name for name in hyperparameters if name not in (*LOADED, *RECIPE_OF) or name in takes.names]
    given = {**{n: f"task.options.params.{n}" for n in options.params}, **{n: f"search_space.{n}" for n in own}}
    return [*problems, *check_arguments(takes, given)]


def _path_problem(name: str, folder: str, place: str) -> SpecError | None:
    if is_path(name):
        return find_problem(name, folder, place)
    hint = "write path/to/file.py:Object or package.module:Object"
    return SpecError("ADC-TRAIN-022", "this names no object", place, name, hint)
