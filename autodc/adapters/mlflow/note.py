"""What the study's run in MLflow says of itself in words: verdicts, the sealed test, and links to what to compare.

Links are of MLflow's own pages; the ids of runs are filled in where the note is sent (`RunChange.tags`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

from autodc.adapters.mlflow.changes import NOTE, RunChange
from autodc.adapters.mlflow.store import VIEW
from autodc.adapters.mlflow.views import BEST, COMPARE, TAG, view
from autodc.review.numbers import Numbers, count, listed
from autodc.review.wording import BECAUSE
from autodc.study.phases.order import ORDER

_LONGEST = 7500  # of the 8000 characters of a tag: ids take more room than their keys
_VERDICTS = ("keep", "drop", "undecided")
_PHASES = {phase.name: phase.words for phase in ORDER}


@final
@dataclass(slots=True, kw_only=True)
class Note:
    """What is known so far; `change` tells it."""

    study: str = ""
    round: int = 0
    phase: str = ""
    finished: str = ""
    """Why the study ended; empty while it goes on."""
    kept: Sequence[str] = ()
    verdicts: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    """Subject → round, verdict, why in words; of each the last."""
    targets: Sequence[str] = ()
    measured: tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]] | None = None
    """Of the sealed test: before, after and difference of each slice."""
    baselines: str = ""
    """End and the obvious beside each other, in a line."""
    findings: Sequence[str] = ()
    requests: Sequence[str] = ()
    shown: dict[str, str] = field(default_factory=dict)
    """What is worth comparing → key of its run, in the order they are told."""
    legend: str = ""
    """What the short signs in the names of runs stand for."""

    def change(self) -> RunChange:
        """The note as a change of the study's run."""
        return RunChange(key=NOTE, tags={TAG: self.text()})

    def text(self) -> str:
        """The note in Markdown. Where it grows too long, the table of verdicts is cut and says so."""
        rows = [f"| {s} | {v} | {n} | {why} |" for s, (n, v, why) in self.verdicts.items()]
        for shown in range(len(rows), -1, -1):
            told = self._told(rows[:shown], len(rows) - shown)
            if len(told) <= _LONGEST:
                break
        return told

    def _told(self, rows: Sequence[str], left: int) -> str:
        table = ["| subject | verdict | round | why |", "| --- | --- | --- | --- |", *rows] if rows else []
        more = [f"… and {left} more, in the artifact `tables/decisions.json`."] if left else []
        parts = [
            [f"**{self._headline()}** {self._agreement()}".rstrip()],
            [self._standing()],
            self._test(),
            [f"Beside the obvious: {self.baselines}."] if self.baselines else [],
            self._links(),
            ["#### Verdicts", "", *table, *more] if rows or left else [],
            ["#### Where the model fails", "", *(f"- {one}" for one in self.findings)] if self.findings else [],
            ["#### Asked of people", "", *(f"- {one}" for one in self.requests)] if self.requests else [],
            [f"In the names of runs: number, role, weight of each dataset ({self.legend})."] if self.legend else [],
        ]
        return "\n\n".join("\n".join(part) for part in parts if part)

    def _headline(self) -> str:
        by = {v: [s for s, (_, said, _) in self.verdicts.items() if said == v] for v in _VERDICTS}
        kept = f"kept {listed(list(self.kept), '')}" if self.kept else "nothing is kept"
        others = [f"{word}{listed(_told(by[v]))}" for v, word in _OTHERS if by[v]]
        return f"{self.study}: {'; '.join([kept, *others])}."

    def _standing(self) -> str:
        if self.finished:
            return f"Finished after {count(self.round, 'round')}: {BECAUSE.get(self.finished, self.finished)}."
        doing = _PHASES.get(self.phase, "")
        return f"Running: round {self.round}, {self.phase}{f' ({doing})' if doing else ''}." if self.phase else "Begun."

    def _test(self) -> list[str]:
        if self.measured is None:
            return []
        before, after, differences = self.measured
        numbers = Numbers.for_values([*before.values(), *after.values()])
        lines = ["| sealed test | start | end | difference | 95% interval |", "| --- | --- | --- | --- | --- |"]
        for name, value in after.items():
            seen = differences.get(name, {})
            span = numbers.span(seen["low"], seen["high"]) if seen else ""
            gain = numbers.signed(seen["difference"]) if seen else ""
            was = numbers.plain(before[name]) if name in before else ""
            lines.append(f"| {name} | {was} | {numbers.plain(value)} | {gain} | {span} |")
        return lines

    def _agreement(self) -> str:
        """Whether the sealed test confirms it; empty while it is sealed."""
        if self.measured is None:
            return ""
        differences = self.measured[2]
        seen = {name: differences[name] for name in self.targets if name in differences} or differences
        better = [name for name, one in seen.items() if one["low"] > 0]
        worse = [name for name, one in differences.items() if one["high"] < 0]
        if worse:
            return f"**The sealed test shows {listed(worse, '')} worse than at the start.**"
        if better:
            return f"The sealed test agrees: {listed(better, '')} {'is' if len(better) == 1 else 'are'} better."
        if self.kept:
            return "**The sealed test does not confirm the gain:** no target slice is shown better there."
        return "The sealed test shows no difference between start and end."

    def _links(self) -> list[str]:
        if not self.shown:
            return []
        one_by_one = [f"[{what}]({run_page(key)})" for what, key in self.shown.items()]
        several = f" · [compare them]({comparison(self.shown.values())})" if len(self.shown) > 1 else ""
        views = f" · [all that is worth comparing]({view(COMPARE)}) · [all trainings, the best first]({view(BEST)})"
        return [f"Look at: {' · '.join(one_by_one)}{several}{views}"]


_OTHERS = (("drop", "dropped "), ("undecided", "undecided on "))
_MOST_NAMED = 5


def _told(names: Sequence[str]) -> list[str]:
    """Names for a sentence; of many the first, and how many more there are."""
    more = len(names) - _MOST_NAMED
    return [*names[:_MOST_NAMED], f"{more} more"] if more > 0 else list(names)


def run_page(key: str) -> str:
    """The page of a run."""
    return f"#/experiments/⟦experiment⟧/runs/⟦{key}⟧?{VIEW}"


def comparison(keys: Iterable[str]) -> str:
    """MLflow's page that compares runs."""
    runs = "%2C".join(f"%22⟦{key}⟧%22" for key in dict.fromkeys(keys))
    return f"#/compare-runs?runs=%5B{runs}%5D&experiments=%5B%22⟦experiment⟧%22%5D&{VIEW}"
