"""Checks a study's trainer, options and hyperparameters before anything is trained, without importing torch."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from autodc.adapters.pictures.kept import unlike
from autodc.adapters.pictures.wish import wished
from autodc.adapters.trainers.command_checking import command_problems
from autodc.adapters.trainers.lightning_checks import lightning_problems
from autodc.adapters.trainers.nested import suggest_nested
from autodc.adapters.trainers.options import (
    BUILT_IN,
    NETWORKS,
    RECIPE_OF,
    CommandOptions,
    LightningOptions,
    SklearnOptions,
    TorchHyperparameters,
    TorchImageOptions,
)
from autodc.adapters.trainers.recipe_checking import order_problems, recipe_problems
from autodc.adapters.trainers.registry import PLACE, unknown_trainer
from autodc.errors import SpecError
from autodc.hints import suggest
from autodc.plugins import TRAINERS, find_problem, is_in_file, is_known, is_path, load_plugin
from autodc.studyfile.study import ParameterSpec, TaskKind
from autodc.studyfile.values import Spec
from autodc.table import Inputs, Table
from autodc.trial.forking import can_fork

OPTIONS_PLACE = "task.options"
SPACE_PLACE = "search_space"


def check_trainer(
    name: str,
    options: Mapping[str, Any],
    kind: TaskKind,
    hyperparameters: Mapping[str, ParameterSpec],
    recipes: Sequence[str],
    folder: str,
) -> list[SpecError]:
    """Return every problem of the task section and of the names in the search space, in the order of the file."""
    if name not in BUILT_IN:
        if is_path(name):
            problem = find_problem(name, folder, "task.trainer")
            return [problem] if problem else []
        return [] if is_known(name, (), TRAINERS) else [unknown_trainer(name)]
    problems: list[SpecError] = []
    ours = BUILT_IN[name]
    if kind not in ours.kinds:
        fitting = ", ".join(trainer for trainer, one in BUILT_IN.items() if kind in one.kinds)
        unfit = f"trainer {name} does not learn {kind}"
        problems.append(SpecError("ADC-TRAIN-016", unfit, "task.kind", kind, f"trainers that do: {fitting}"))
    problems += recipe_problems(name, kind, recipes)
    problems += order_problems(kind, options, hyperparameters, recipes)
    try:
        parsed = ours.options.model_validate(dict(options))
    except ValidationError as error:
        return [*problems, *_option_problems(error, ours.options)]
    if isinstance(parsed, CommandOptions):
        return [*problems, *command_problems(parsed, hyperparameters, recipes, folder)]
    if isinstance(parsed, SklearnOptions):
        return [*problems, *_sklearn_problems(parsed, kind, hyperparameters, recipes, folder)]
    if isinstance(parsed, LightningOptions):
        stray = [_stray(name, recipes) for name in hyperparameters]
        own = lightning_problems(parsed, hyperparameters, folder)
        return [*problems, *own, *(problem for problem in stray if problem is not None)]
    if isinstance(parsed, TorchHyperparameters):
        return [*problems, *_torch_problems(parsed, kind, hyperparameters, recipes, folder)]
    return problems


def fork_problems(name: str, folder: str) -> list[SpecError]:
    """Say that a trainer cannot fork, which `search.probes: fork` asks for; of a function it is not known before."""
    if name in BUILT_IN:
        able = BUILT_IN[name].forks
    elif find_problem(name, folder, PLACE) if is_path(name) else not is_known(name, (), TRAINERS):
        return []  # told by check_trainer
    else:
        try:
            found = load_plugin(name, TRAINERS, folder, PLACE)
        except SpecError as error:
            return [error]
        able = can_fork(found) or not (isinstance(found, type) or hasattr(found, "train"))
    if able:
        return []
    ours = ", ".join(trainer for trainer, one in BUILT_IN.items() if one.forks)
    hint = f"write probes: none, or use a trainer that can: {ours}, or your own with a method `fork`"
    return [SpecError("ADC-TRAIN-070", f"trainer {name} cannot fork a training", "search.probes", "fork", hint)]


def input_problems(name: str, options: Mapping[str, Any], x: Inputs, folder: str = "") -> list[SpecError]:
    """Say that a trainer of ours does not learn from inputs of this kind, and which does. folder: of the study file."""
    kind, ours = x.kind if isinstance(x, Table) else "arrays", BUILT_IN.get(name)
    if ours is None:
        return []
    hint = f"trainers that do: {', '.join(trainer for trainer, one in BUILT_IN.items() if kind in one.inputs)}"
    if kind == "files":
        hint = f"say options: {{size: [h, w], mode: RGB}} of every source, and images are read as arrays; or {hint}"
    if kind in ("table", "text") and name == "torch_image":
        hint = f"name the column of images with options: {{image: COLUMN}} of every source; or {hint}"
    if kind not in ours.inputs:
        return [SpecError("ADC-TRAIN-104", f"trainer {name} does not learn from {kind}", PLACE, name, hint)]
    if name == "torch_image" and not isinstance(x, Table) and x.ndim not in (3, 4):
        got = f"inputs of shape {x.shape[1:]}"
        hint = "images are (n, h, w), (n, h, w, c) or (n, c, h, w); for rows of numbers take torch_tabular or sklearn"
        return [SpecError("ADC-TRAIN-104", "trainer torch_image learns from images", PLACE, got, hint)]
    if name == "torch_image" and isinstance(x, Table):
        return _unlike_files(options, x)
    if name == "sklearn" and kind != "files":
        from autodc.adapters.trainers.first_step import first_step_problems

        return first_step_problems(options, folder, x)
    if name != "sklearn":
        return []
    estimator = str(options.get("estimator", ""))
    if is_in_file(estimator):
        return []
    return [SpecError("ADC-TRAIN-104", "this estimator does not read files", PLACE, estimator, hint)]


def _unlike_files(options: Mapping[str, Any], files: Table) -> list[SpecError]:
    """Say that images of several sizes or modes need one, before a training finds out."""
    try:
        parsed = TorchImageOptions.model_validate(dict(options))
    except ValidationError:
        return []  # told by check_trainer
    found = unlike(files, wished(parsed.size, parsed.mode))
    if not found:
        return []
    size = list(parsed.size or (64, 64))
    hint = f"task: {{options: {{size: {size}, mode: {parsed.mode or 'RGB'}}}}} makes all of one size and mode"
    return [SpecError("ADC-TRAIN-033", "the image files are not alike", OPTIONS_PLACE, found, hint)]


def _option_problems(error: ValidationError, model: type[Spec]) -> list[SpecError]:
    problems = []
    for detail in error.errors():
        keys = [str(key) for key in detail["loc"]]
        place = ".".join([OPTIONS_PLACE, *keys])
        if detail["type"] == "extra_forbidden":
            hint = suggest(keys[-1], list(model.model_fields), "options")
            problems.append(SpecError("ADC-TRAIN-017", "unknown option", place, keys[-1], hint))
        else:
            text = detail["msg"][:1].lower() + detail["msg"][1:]
            found = "" if detail["type"] == "missing" else repr(detail["input"])
            hint = _description(model, keys[0]) if keys else ""
            problems.append(SpecError("ADC-TRAIN-012", f"the option does not fit: {text}", place, found, hint))
    return problems


def _description(model: type[Spec], key: str) -> str:
    field = model.model_fields.get(key)
    return field.description or "" if field else ""


def _torch_problems(
    options: TorchHyperparameters,
    kind: TaskKind,
    hyperparameters: Mapping[str, ParameterSpec],
    recipes: Sequence[str],
    folder: str,
) -> list[SpecError]:
    problems: list[SpecError | None] = []
    own_network = False
    if importlib.util.find_spec("torch") is None:
        hint = "pip install 'autodc-optimizer[torch]'"
        problems.append(SpecError("ADC-TRAIN-018", "this trainer needs torch", "task.trainer", "no torch", hint))
    if isinstance(options, TorchImageOptions):
        own_network = is_path(options.network)
        problems.append(_network_problem(options.network, kind, folder))
    for name, spec in hyperparameters.items():
        if name in TorchHyperparameters.model_fields:
            problems += [_misfit(name, spec), _stray(name, recipes)]
        elif not own_network:
            hint = suggest(name, list(TorchHyperparameters.model_fields), "hyperparameters of this trainer")
            place = f"{SPACE_PLACE}.{name}"
            problems.append(SpecError("ADC-TRAIN-019", "the trainer knows no such hyperparameter", place, name, hint))
    return [problem for problem in problems if problem is not None]


def _network_problem(network: str, kind: TaskKind, folder: str) -> SpecError | None:
    place = f"{OPTIONS_PLACE}.network"
    if is_path(network):
        return find_problem(network, folder, place)
    if network not in NETWORKS:
        hint = suggest(network, list(NETWORKS), "networks", forms="path/to/file.py:function")
        return SpecError("ADC-TRAIN-025", "there is no such network", place, network, hint)
    if kind not in NETWORKS[network]:
        fitting = ", ".join(name for name, kinds in NETWORKS.items() if kind in kinds)
        return SpecError(
            "ADC-TRAIN-026", f"network {network} does not learn {kind}", place, network, f"choose {fitting}"
        )
    return None


def _misfit(name: str, spec: ParameterSpec) -> SpecError | None:
    """The end of the range, or the choice, that the trainer would refuse."""
    place = f"{SPACE_PLACE}.{name}"
    whole = "int" in str(TorchHyperparameters.model_fields[name].annotation)
    if whole and spec.type == "float":
        return SpecError("ADC-TRAIN-027", f"{name} is a whole number", place, "type float", "write type: int")
    for value in spec.choices or (spec.low, spec.high):
        try:
            TorchHyperparameters.model_validate({name: value})
        except ValidationError as error:
            text = error.errors()[0]["msg"]
            return SpecError("ADC-TRAIN-027", f"{name} cannot be {value!r}", place, repr(value), text)
    return None


def _stray(name: str, recipes: Sequence[str]) -> SpecError | None:
    recipe = RECIPE_OF.get(name)
    if recipe is not None and recipe not in recipes:
        hint = f"add {recipe} to recipes, or take it out of the search space"
        problem = f"{name} belongs to recipe {recipe}, which this study does not use"
        return SpecError("ADC-TRAIN-028", problem, f"{SPACE_PLACE}.{name}", f"recipes {list(recipes)}", hint)
    return None


def _sklearn_problems(
    options: SklearnOptions,
    kind: TaskKind,
    hyperparameters: Mapping[str, ParameterSpec],
    recipes: Sequence[str],
    folder: str,
) -> list[SpecError]:
    from autodc.adapters.trainers.encoding import encode_problem
    from autodc.adapters.trainers.sklearn_trainer import PLACE, build_estimator, continues

    try:
        estimator = build_estimator(options, folder, {})
    except SpecError as error:
        return [error]
    problems: list[SpecError | None] = [encode_problem(options.encode, options.scale)]
    wanted = {"classification": "classifier", "regression": "regressor"}.get(kind)
    if wanted and _estimator_type(estimator) not in (wanted, None):
        problem = f"{options.estimator} is no {wanted}"
        problems.append(
            SpecError("ADC-TRAIN-026", problem, PLACE, options.estimator, f"task kind {kind} needs a {wanted}")
        )
    known = [name for name in estimator.get_params() if name != "random_state"]
    for name in hyperparameters:
        if name in RECIPE_OF and name != "frozen_layers":
            problems.append(_stray(name, recipes))
        elif name not in known:
            hint = suggest_nested(name, known, "parameters of the estimator")
            place = f"{SPACE_PLACE}.{name}"
            problems.append(SpecError("ADC-TRAIN-019", "the estimator knows no such hyperparameter", place, name, hint))
    staged = [recipe for recipe in recipes if recipe != "concat"]
    if staged and continues(estimator) is None:
        hint = "use recipes: [concat], or an estimator with partial_fit or a warm_start on other rows"
        problem = f"{type(estimator).__name__} cannot go on from what it learnt"
        problems.append(SpecError("ADC-TRAIN-011", problem, "recipes", ", ".join(staged), hint))
    return [problem for problem in problems if problem is not None]


def _estimator_type(estimator: Any) -> str | None:
    from sklearn.base import is_classifier, is_regressor

    try:
        if is_classifier(estimator):
            return "classifier"
        return "regressor" if is_regressor(estimator) else None
    except Exception:  # made by hand, without scikit-learn's mixins: it does not say
        return None
