"""What more rows would do to slices and findings: by trainings on parts of the base or an offer, or those of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from autodc.adapters.artefacts import ArtefactStore
from autodc.errors import InputError
from autodc.review.more_rows import best_words
from autodc.study.journal.state import State
from autodc.study.phases.order import view_of
from autodc.studyfile.study import MachineSpec
from autodc.verbs.diagnosed import NOTHING_MORE
from autodc.verbs.models import Outputs
from autodc.verbs.sizes import Offer, explored_slices, of_base, of_offer, trained_on_parts
from autodc.wire.diagnosis import Looked
from autodc.wire.inputs import Inputs
from autodc.wire.more_rows import TOLD, of_findings, rows_slice, told_of

Announce = Callable[[str], None]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked of more rows."""

    curves: bool
    offers: tuple[str, ...]

    def __bool__(self) -> bool:
        return self.curves or bool(self.offers)


def with_more(
    views: Sequence[Mapping[str, Any]], inputs: Inputs | None, state: State, folder: Path
) -> tuple[Mapping[str, Any], ...]:
    """The findings of a run with what more rows would do by all its trainings; else as journalled."""
    if inputs is None:
        return tuple(views)
    rows = {one["id"]: state.findings[one["id"]].ids for one in views}
    found = of_findings(inputs, view_of(state), ArtefactStore(folder / "outcomes"), rows)
    more = [told_of(found.get(one["id"], ())) for one in views]
    return tuple(
        {**one, "told": {**one.get("told", {}), **own}, "more": best_words(own.get(TOLD, ()))}
        for one, own in zip(views, more, strict=True)
    )


def trained_more(
    inputs: Inputs,
    looked: Looked,
    asked: Asked,
    offers: Sequence[Offer],
    whole: Outputs,
    machine: MachineSpec | None,
    scratch: Path,
    stage: Announce,
    stop: Callable[[], bool],
) -> tuple[dict[str, Any], Looked]:
    """What more rows of the base would do to slices and findings, and what datasets on offer would be worth."""
    slices, told_more = explored_slices(inputs), dict(NOTHING_MORE)
    if asked.curves:
        stage("training the start on parts of the base")
        seen = trained_on_parts(inputs, machine, scratch, stop, whole=whole)
        told_more["slices"] = {name: [one.to_dict()] for name, one in of_base(inputs, seen, slices).items()}
        inside = {str(k): rows_slice(inputs, str(k), one.ids) for k, one in enumerate(looked.findings)}
        own = of_base(inputs, seen, {name: one for name, one in inside.items() if one is not None})
        looked = looked.with_more([[own[name]] if name in own else [] for name in inside])
    worth = []
    for offer in offers:
        stage(f"training the start with parts of {offer.name}")
        trained = trained_on_parts(inputs, machine, scratch, stop, offered=offer.name, whole=whole)
        worth.append(of_offer(inputs, trained, offer, slices))
    return {**told_more, "offers": worth}, looked


def unasked(problem: str, got: str, hint: str = "leave --method out, or --curves and --offer") -> InputError:
    """What is raised where it cannot be asked."""
    return InputError("ADC-DIAG-060", problem, "--curves, --offer", got, hint)
