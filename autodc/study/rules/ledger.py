"""The error ledger: what the study may still risk, a view of the journal. Levels of comparisons come from here.

LOND spends β_i of q on comparison i and gives it the level β_i·(1 + keeps so far). Its bound on the false discovery
rate needs no more than Σβ ≤ q with every β_i fixed before it is seen, so a study that is extended goes on within the
same q: what was spent stays spent, the comparisons still planned share what is left (docs/decisions/error-ledger.md).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, final

from autodc.gate.levels import level_of, share_of
from autodc.study.journal.records import ComparisonState
from autodc.study.journal.state import State
from autodc.study.rules import allowance
from autodc.study.view import View, spec_of
from autodc.studyfile.study import StudySpec

NOTHING = 1e-9
"""Less of the error budget than this is none."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one comparison took."""

    comparison: int
    round: int
    subject: str
    kind: str
    purpose: str
    share: float
    """β, what it took of q."""
    keeps: int
    """Comparisons before it that said keep."""
    alpha: float
    """Its level, share·(1 + keeps)."""
    looks: int
    pairs: int
    trainings: int
    verdict: str | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The account."""

    q: float
    """The error budget."""
    planned: int
    """N, the comparisons that share it."""
    taken: int
    """Of them; wholes, and what claims nothing, are none of them."""
    spent: float
    """Of q, by comparisons that were opened."""
    left: float
    """Of q."""
    looks: int
    """How often the gate looked at validation."""
    scored: int
    """Trainings scored on validation, those of the search too."""
    entries: tuple[Entry, ...]
    opened: tuple[str, ...]
    """When the sealed test set was opened."""
    forced: int
    """How often against the rule."""
    extensions: tuple[dict[str, Any], ...]
    """When the study was extended, what had been spent, what changed."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form, as in result.json."""
        return {
            "q": self.q,
            "planned": self.planned,
            "taken": self.taken,
            "spent": round(self.spent, 9),
            "left": round(self.left, 9),
            "looks": self.looks,
            "scored": self.scored,
            "test_set": {"opened": len(self.opened), "at": list(self.opened), "forced": self.forced},
            "extensions": [dict(one) for one in self.extensions],
            "comparisons": [asdict(one) for one in self.entries],
        }


def ledger(state: State) -> Ledger:
    """Return the account of a study."""
    spec = spec_of(state)
    spent = state.risked
    return Ledger(
        q=spec.gate.fdr,
        planned=allowance.planned_tests(spec),
        taken=state.taken,
        spent=spent,
        left=max(0.0, spec.gate.fdr - spent),
        looks=sum(len(t.looks) for t in state.comparisons),
        scored=sum(t.outcome is not None and bool(t.outcome.slices) for t in state.trials),
        entries=tuple(_entry(t) for t in state.comparisons),
        opened=tuple(one.opened_at for one in state.opened),
        forced=sum(one.forced for one in state.opened),
        extensions=tuple(
            {"time": one.time, "taken": one.taken, "spent": one.spent, "changed": dict(one.changed)}
            for one in state.extensions
        ),
    )


def is_used_up(spec: StudySpec, state: State) -> bool:
    """Whether a study as this file has it can compare nothing more."""
    return spec.gate.fdr - state.risked < NOTHING or allowance.planned_tests(spec) <= state.taken


def next_share(view: View) -> float:
    """β of the next comparison: q/N, or after an extension an equal part of what was left then."""
    spec, state = view.spec, view.state
    last = state.extensions[-1] if state.extensions else None
    spent, taken = (last.spent, last.taken) if last is not None else (0.0, 0)
    return share_of(spec.gate.fdr, allowance.planned_tests(spec), spent, taken)


def next_level(view: View) -> float:
    """α of the next comparison: its share times one more than those that said keep so far."""
    return level_of(view.spec.gate.fdr, next_share(view), view.state.keeps)


def comparisons_left(view: View) -> int:
    """Comparisons that are planned and not opened yet."""
    return max(0, allowance.planned_tests(view.spec) - view.state.taken)


def _entry(comparison: ComparisonState) -> Entry:
    return Entry(
        comparison=comparison.id,
        round=comparison.round,
        subject=comparison.subject,
        kind=comparison.kind,
        purpose=comparison.purpose,
        share=comparison.share,
        keeps=comparison.keeps,
        alpha=comparison.alpha,
        looks=len(comparison.looks),
        pairs=int(comparison.looks[-1]["pairs"]) if comparison.looks else 0,
        trainings=comparison.trainings,
        verdict=comparison.verdict,
    )
