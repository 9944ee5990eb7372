"""What else is wrong with a study whose file has problems: they hide nothing, and what only follows is not told."""

from __future__ import annotations

from typing import Any, final

from autodc.adapters.sources import read_source
from autodc.adapters.sources.glance import is_small
from autodc.data.catalogue import VALIDATION
from autodc.data.dataset import Dataset
from autodc.errors import AutodcError
from autodc.evaluation.metrics import find_metric
from autodc.evaluation.slices import where_problems
from autodc.studyfile.load import Draft
from autodc.studyfile.study import SourceSpec, StudySpec
from autodc.wire.inputs import gather, named_problems, placed, read_catalogue, seed_problems, soft_problems
from autodc.wire.problem import search_problem


def further_problems(draft: Draft) -> list[AutodcError]:
    """Trainer, options, hyperparameters, metric, sampler, slices and data, as far as the file says right what they are.

    Data that is read in a moment is read; of other it is only asked whether it is there.
    """
    spec = draft.spec
    if spec is None:
        return []
    found: list[AutodcError] = []
    if draft.is_whole("task.trainer"):
        found += (one for one in named_problems(spec, search_problem(spec)) if not _of_stand_in(draft, one))
    if draft.is_whole("task.kind") and draft.is_whole("metrics.primary"):
        gather(found, lambda: find_metric(spec.metrics.primary, spec.task.kind, spec.folder))
    read = _Careful(draft, spec)
    gather(found, lambda: read_catalogue(spec, read))
    if read.validation is not None:
        found += where_problems(spec, read.validation)
    if draft.is_whole("budget") and draft.is_whole("gate"):
        found += seed_problems(spec)
    if draft.is_whole("gate") and draft.is_whole("slices"):
        found += soft_problems(spec, None)
    told = set(map(id, draft.problems))
    return placed(spec, [one for one in found if id(one) not in told and not _follows(draft, one.code)])


def _of_stand_in(draft: Draft, problem: AutodcError) -> bool:
    """Whether a problem is about the range of a parameter that stands in for another; its name is the person's."""
    return not (draft.is_whole(problem.place) or problem.code == "ADC-TRAIN-019")


def _follows(draft: Draft, code: str) -> bool:
    """Whether a problem of the trainer may come of a key alone that is wrong itself."""
    if code == "ADC-ATTR-001":
        return True  # the file's own problem is told
    if code == "ADC-TRAIN-016" or code == "ADC-TRAIN-026":
        return not draft.is_whole("task.kind")
    of_recipes = code == "ADC-TRAIN-011" or code == "ADC-TRAIN-028" or code == "ADC-TRAIN-047"
    return of_recipes and not draft.is_whole("recipes")


@final
class _Careful:
    """Reads sources that are small and rightly described; of the others it says what is told already."""

    def __init__(self, draft: Draft, spec: StudySpec) -> None:
        data = spec.data
        self._draft, self._known_kind = draft, draft.is_whole("task.kind")
        self._keys = {id(data.base): "data.base", id(data.validation): "data.validation"}
        self._keys |= {id(data.pool): "data.pool", id(data.test): "data.test"}
        self._keys |= {id(one): f"data.candidates[{i}]" for i, one in enumerate(data.candidates)}
        self._slices = {one.name: f"slices[{i}]" for i, one in enumerate(spec.slices)}
        self.validation: Dataset | None = None

    def __call__(self, source: SourceSpec, **how: Any) -> Dataset:
        """Read as `read_source`."""
        key = self._keys.get(id(source)) or self._slices[how["name"]]
        if not self._draft.is_whole(f"{key}.source"):
            raise self._draft.problems[0]
        asked = {name: how[name] for name in ("folder", "name", "place", "kind")}
        whole = self._draft.is_whole(key if key.startswith("data.") else f"{key}.options") and self._known_kind
        if not is_small(source, **asked) or not whole:
            raise self._draft.problems[0]
        data = read_source(source, **how)
        if how["name"] == VALIDATION:
            self.validation = data
        return data
