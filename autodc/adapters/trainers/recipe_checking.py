"""Checks the recipes of a study, and the order of a curriculum, against trainer and task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from autodc.adapters.trainers.options import BUILT_IN, BY_ROWS, SUITS, CurriculumOrder
from autodc.errors import SpecError
from autodc.hints import suggest
from autodc.studyfile.study import ParameterSpec, TaskKind
from autodc.trial.pacing import BY_DIFFICULTY

ORDER = "curriculum_order"


def recipe_problems(name: str, kind: TaskKind, recipes: Sequence[str]) -> list[SpecError]:
    """Recipes that a trainer of ours cannot follow, and those that are not for the kind of task."""
    ours, problems = BUILT_IN[name], []
    for recipe in recipes:
        if recipe not in ours.recipes:
            able = ", ".join(trainer for trainer, one in BUILT_IN.items() if recipe in one.recipes)
            hint = f"{name} knows {', '.join(ours.recipes)}; trainers that know {recipe}: {able}"
            problem = f"trainer {name} does not know recipe {recipe}"
            problems.append(SpecError("ADC-TRAIN-110", problem, "recipes", recipe, hint))
        elif name != "command" and kind not in SUITS.get(recipe, (kind,)):
            hint = f"it is for {' and '.join(SUITS[recipe])}"
            problems.append(SpecError("ADC-TRAIN-111", f"recipe {recipe} is not for {kind}", "recipes", recipe, hint))
    return problems


def order_problems(
    kind: TaskKind,
    options: Mapping[str, Any],
    hyperparameters: Mapping[str, ParameterSpec],
    recipes: Sequence[str],
) -> list[SpecError]:
    """Orders of a curriculum that there are not, and those by rows where nobody can tell how hard one is."""
    if "curriculum" not in recipes:
        return []
    spec = hyperparameters.get(ORDER)
    asked = [(f"search_space.{ORDER}", one) for one in spec.choices or ()] if spec else []
    asked += [(f"task.options.{ORDER}", options[ORDER])] if ORDER in options else []
    problems, known = [], list(get_args(CurriculumOrder))
    for place, order in asked:
        if order not in known:
            hint = suggest(str(order), known, "orders")
            problems.append(SpecError("ADC-TRAIN-027", f"{ORDER} cannot be {order!r}", place, repr(order), hint))
        elif order in BY_DIFFICULTY and kind not in BY_ROWS:
            hint = f"it is for {' and '.join(BY_ROWS)}; of datasets there are base_first and synthetic_first"
            problem = f"a curriculum by the difficulty of rows is not for {kind}"
            problems.append(SpecError("ADC-TRAIN-112", problem, place, str(order), hint))
    return problems
