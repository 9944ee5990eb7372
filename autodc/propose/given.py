"""The first proposer: what the study file gives as `data.candidates`, before the first training."""

from __future__ import annotations

from functools import partial
from typing import final

from pydantic import JsonValue

from autodc.data.admit import Candidate
from autodc.data.catalogue import place_of, read_rows
from autodc.studyfile.study import CandidateSpec, SourceSpec, StudySpec


def _mapped(one: CandidateSpec) -> SourceSpec:
    """The source of a candidate, with its labels as an option of it."""
    if not one.labels:
        return one
    return one.model_copy(update={"options": {**one.options, "map": {**_map(one), **one.labels}}})


def _map(one: CandidateSpec) -> dict[str, JsonValue]:
    known = one.options.get("map")
    return known if isinstance(known, dict) else {}


@final
class Given:
    """Proposes the candidates of a study file, whatever is asked."""

    def __init__(self, spec: StudySpec) -> None:
        self._spec = spec

    def propose(self, finding: str | None = None, budget: float = float("inf"), seed: int = 0) -> tuple[Candidate, ...]:
        """All of them, in the order of the file; what they cost is weighed by the study."""
        spec, found = self._spec, []
        for i, one in enumerate(spec.data.candidates):
            place = place_of(spec, f"data.candidates[{i}]", one.name)
            found.append(
                Candidate(
                    name=one.name,
                    place=place,
                    rows=partial(read_rows, spec, _mapped(one), one.name, place),
                    source=one.source,
                    cost=one.cost,
                    tags=one.tags,
                    targets=one.targets,
                )
            )
        return tuple(found)
