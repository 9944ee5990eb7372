"""What phases work with beside what they see: the search engine, the judge of evidence, and what spares them work."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, final

import numpy as np

from autodc.gate.types import Look
from autodc.plan.plan import Plan
from autodc.search.engine import Observation, SearchEngine
from autodc.study.journal import events as ev
from autodc.study.journal.records import ComparisonState
from autodc.study.memory import Memory, UnderWay
from autodc.study.rules.fidelity import Ladder
from autodc.study.view import View

if TYPE_CHECKING:
    from autodc.study.tasks import Answer

Array = np.ndarray[Any, Any]


class Assessor(Protocol):
    """Looks at the evidence: reads per-example arrays, judges, measures the opened test set."""

    def look(self, view: View, comparison: ComparisonState, pair_seeds: tuple[int, ...], last: bool = False) -> Look:
        """Judge a comparison on the pairs of these seeds, all of which are trained; last: no other look can be paid."""
        ...

    def measure(self, view: View) -> ev.Event:
        """Open the test set, or compare start and incumbent on it once that is journalled."""
        ...

    def beside(self, view: View) -> dict[str, Any] | None:
        """The arms of the last measurement on the gate rows; None where only start and incumbent are, or none."""
        ...

    @property
    def explore_share(self) -> float | None:
        """Explore rows as a share of those that targets have; None where search and gate see the same rows."""
        ...

    def row_spreads(self, view: View, names: Sequence[str]) -> Mapping[str, float]:
        """Dataset → how far another draw of explore rows would move its effect on the objective."""
        ...

    def stand_ins(self, view: View, members: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
        """Those of the others that help the same rows as the members do."""
        ...

    def contrast(
        self, view: View, better: Plan, worse: Plan, seeds: Sequence[int], on: str = ""
    ) -> Mapping[str, float]:
        """By how much one plan is above another on the objective, or on a slice: {difference, low, high}, of pairs."""
        ...

    def credit(self, view: View, tables: Sequence[tuple[int, int, int, int]]) -> dict[str, Any] | None:
        """Split the gain on validation over these trainings; None where they cannot say it."""
        ...


class Diagnoser(Protocol):
    """Looks at explore rows with what one training of the incumbent predicts of them."""

    def diagnose(self, view: View, number: int | None) -> Diagnosed:
        """Return what was found; the same view and training, the same findings. It raises nothing: notes tell.

        number: the training whose predictions are kept, None where there are none.
        """
        ...


class Maker(Protocol):
    """Says what is to be made for what was found, and lets in what was made of it."""

    def proposals(self, view: View) -> ev.ProposalsMade:
        """What is to be made in this round: the same view, the same proposals. It raises nothing: notes tell."""
        ...

    def outcome(self, view: View, proposal: Mapping[str, Any]) -> ev.DatasetAdmitted | ev.ProposalRefused | None:
        """What came of a proposal, its content stored; None while it is being made."""
        ...


class Workshop(Maker, Protocol):
    """What makes data for a study: a round's proposals, and what workers made of them."""

    def ended(self, name: str, answer: Answer) -> None:
        """Take what came of the task of a proposal."""
        ...


Diagnosed = tuple[ev.DiagnosisMade, tuple[ev.FindingMade, ...]]
"""A diagnosis and its findings, as they are journalled."""


@final
@dataclass(slots=True)
class Tools:
    """One for the whole study. What is remembered here is for speed: all of it can be derived anew from a view."""

    engine: SearchEngine
    assessor: Assessor
    memory: Memory = field(default_factory=Memory)
    """What the search knows."""
    under_way: UnderWay = field(default_factory=UnderWay)
    """What it does not know yet."""
    ladder: Ladder = field(default_factory=Ladder)
    """Who has earned a longer training."""
    diagnoser: Diagnoser | None = None
    """None in studies that look at no rows."""
    maker: Maker | None = None
    """None in studies that make no data."""
    own_slice: Callable[[Mapping[str, Any]], ev.SliceAdmitted] | None = None
    """Cuts the slice of a finding ({name, finding, where}) and scores it; None in studies that admit none."""
    seen: tuple[Hashable, Diagnosed | None] = (None, None)
    """The last diagnosis."""
    answered: tuple[Hashable, bool] = (None, False)
    """The last question whether tuning alone may be as good, and its answer."""

    def observed(self, view: View) -> list[Observation]:
        """What the search may know now."""
        return self.memory.observed(view)

    def tuned(self, view: View) -> list[Observation]:
        """The same, and what tunes the end."""
        return self.memory.with_tuning(view)

    def diagnosed(self, view: View, number: int | None) -> Diagnosed:
        """The diagnosis of the incumbent, worked out once."""
        assert self.diagnoser is not None
        key = (view.incumbent, number, len(view.state.admitted), len(view.state.extensions))
        if self.seen[0] != key or self.seen[1] is None:
            self.seen = (key, self.diagnoser.diagnose(view, number))
        assert self.seen[1] is not None
        return self.seen[1]

    def worths(self, view: View, names: Sequence[str]) -> dict[str, Array]:
        """Draws of what the objective of the incumbent would lose without each of these datasets."""
        end = view.incumbent
        draws = self.engine.outlook(self.observed(view), [end, *(end.without(name) for name in names)])
        return {} if draws is None else {n: draws[:, 0] - draws[:, 1 + i] for i, n in enumerate(names)}
