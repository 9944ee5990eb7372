"""What the search is asked: from the study file, and from what its datasets hold."""

from __future__ import annotations

from dataclasses import replace

from autodc.data.catalogue import Catalogue
from autodc.data.describe import descriptors
from autodc.evaluation.slices import SliceTable
from autodc.plan.mixture import BASE
from autodc.plan.plan import Plan
from autodc.search.clusters import MANY
from autodc.search.engine import SearchProblem
from autodc.search.space import start_hyperparameters
from autodc.study.slicing import asked
from autodc.studyfile.study import StudySpec


def start_plan(spec: StudySpec) -> Plan:
    """The plan a study begins with: the base alone at the centre of the search space."""
    recipe = next((r for r in spec.recipes if r != "continue"), "concat")
    return Plan.of({BASE: 1.0}, start_hyperparameters(spec.search_space, recipe), recipe)


def search_problem(spec: StudySpec) -> SearchProblem:
    """What the search is asked, from the study file alone."""
    return SearchProblem(
        datasets=tuple(c.name for c in spec.data.candidates),
        hyperparameters=spec.search_space,
        recipes=spec.recipes,
        max_weight=spec.search.max_weight,
        targets={s.name: s.weight or 1.0 for s in spec.targets},
        guards={s.name: s.margin for s in spec.guards if s.margin is not None},
        start=start_plan(spec),
        enqueue=spec.search.enqueue,
        tradeoffs=spec.search.objectives,
        limits=spec.metrics.most,
        probes={c.name: c.probe for c in spec.data.candidates if c.probe is not None},
    )


def described_problem(spec: StudySpec, catalogue: Catalogue, gate: SliceTable, explore: SliceTable) -> SearchProblem:
    """What the search is asked of the slices that are evidence, with what the candidates hold where they are many."""
    problem = asked(search_problem(spec), gate, explore, spec.gate.min_rows)
    if len(problem.datasets) <= MANY:
        return problem
    tags = {c.name: c.tags for c in spec.data.candidates}
    classes = len(catalogue.classes) if catalogue.classes is not None else 0
    return replace(problem, descriptors=descriptors(catalogue.base, catalogue.candidates, classes, tags, spec.seed))
