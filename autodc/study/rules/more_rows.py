"""What more rows of each dataset would do to each slice, by the trainings that are visible.

A pure answer of the view, for whoever decides on requests or on stopping; cheap trainings have the same rows for fewer
steps and probes another mixture on the way, so neither speaks of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from autodc.diagnose.more_rows import MoreRows, errors_of, more_rows
from autodc.diagnose.sizes import Design, Training
from autodc.plan.mixture import BASE
from autodc.plan.plan import Plan
from autodc.plan.trial import Outcome
from autodc.study import direction
from autodc.study.replacing import replaced
from autodc.study.view import View

Value = Callable[[Outcome], float | None]
"""The metric of some rows by a training, oriented so that up is better; None where it has none."""


def of_slices(view: View) -> dict[str, tuple[MoreRows, ...]]:
    """Slice → what more rows of each dataset would do to its error, the one that helps most first.

    By the rows that the search sees. A slice of a metric that has no least error is left out.
    """
    names = view.state.question.slices
    designs = dict[tuple[Plan, ...], Design]()
    found = {name: of_rows(view, lambda one, name=name: one.searched.get(name), designs) for name in names}  # type: ignore[misc]
    return {name: told for name, told in found.items() if told}


def of_rows(view: View, value: Value, designs: dict[tuple[Plan, ...], Design] | None = None) -> tuple[MoreRows, ...]:
    """The same of any rows. designs: of the plans that were trained, those that are known; what is new is added."""
    state, seen = view.state, list[tuple[Plan, float]]()
    for one in view.visible:
        outcome = one.outcome
        if outcome is None or outcome.status != "done" or one.trial.fidelity != 1 or one.trial.forks is not None:
            continue
        if (scored := value(outcome)) is not None:
            seen.append((one.trial.plan, scored))
    told = errors_of([scored for _, scored in seen], is_error=direction.better(state) == "lower")
    if told is None or state.incumbent is None:
        return ()
    errors, scale = told
    added = (name for name in state.candidates if replaced(state, name) is None)
    full = {name: float(state.card(name).get("rows") or 0) for name in (BASE, *added)}
    trainings = [_training(plan, full, error) for (plan, _), error in zip(seen, errors, strict=True)]
    at, plans = _training(view.incumbent, full, 0.0), tuple(plan for plan, _ in seen)
    known = {} if designs is None else designs
    design = known.get(plans) or known.setdefault(plans, Design(trainings, at))
    return more_rows(trainings, at, full, scale, design)


def _training(plan: Plan, full: Mapping[str, float], error: float) -> Training:
    """A plan as it is regressed on; of a weight above 1 no row is new, nor of what takes another dataset's place."""
    rows = {name: min(weight, 1.0) * full[name] for name, weight in plan.mixture if name in full}
    early = {f"{name} is trained on first": True for name in plan.pretrain}
    return Training(rows=rows, error=error, settings={**plan.settings, "recipe": plan.recipe, **early})
