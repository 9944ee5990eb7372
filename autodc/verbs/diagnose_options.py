"""How a diagnosis is to be made, of a study file or of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

from autodc.diagnose.finder import Finder
from autodc.study.journal import events as ev
from autodc.studyfile.study import LoopSpec, StudySpec


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnoseOptions:
    """See `diagnose`."""

    quick: bool
    finders: tuple[str | Finder, ...]
    annotators: tuple[str, ...]
    decoder: str


def findings_wanted(spec: StudySpec) -> int:
    """How many findings are looked for."""
    return spec.loop.findings or int(LoopSpec().findings)


def confirmed_rows(found: Sequence[ev.FindingMade]) -> list[dict[str, Any]]:
    """The findings that are confirmed, with the rows inside."""
    return [{"id": one.id, "ids": list(one.ids)} for one in found if one.status == "confirmed"]
