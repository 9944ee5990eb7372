"""What MLflow is told of findings: a tag of the study's run in words, and the numbers of each as metrics."""

from __future__ import annotations

from typing import final

from autodc.adapters.mlflow.changes import STUDY, RunChange, metrics_at, milliseconds
from autodc.review.numbers import count
from autodc.review.rule_words import rule_words
from autodc.study.journal import events as ev

TAG = "autodc.findings"


@final
class Findings:
    """Those of the last diagnosis, told anew with each of them."""

    def __init__(self) -> None:
        self.words: list[str] = []
        """One line a finding."""
        self.confirmed: list[str] = []
        """Of these, what is certain: in a sentence each."""
        self.suspected = 0
        """How many more are suspected."""

    def diagnosed(self, event: ev.DiagnosisMade) -> RunChange:
        """Another model was looked at: what was found of the one before is in the metrics and in result.json."""
        self.words, self.confirmed, self.suspected = [], [], 0
        said = "none" if event.rows else "not looked at"
        return RunChange(key=STUDY, tags={TAG: said} if not event.findings else {})

    def told(self) -> list[str]:
        """What is certain, and how much more is suspected."""
        more = f"{count(self.suspected, 'suspicion')}, not confirmed: the artifact `tables/findings.json`"
        return [*self.confirmed, *([more] if self.suspected else [])]

    def found(self, event: ev.FindingMade) -> RunChange:
        """One finding more."""
        error = event.error
        words = rule_words(event.rule) or "a cluster"
        self.words.append(f"{event.id} {event.status}: {words} ({error['low']:+.3f} … {error['high']:+.3f})")
        if event.status == "confirmed":
            more = f"its error is {error['low']:+.3f} to {error['high']:+.3f} beside other rows"
            self.confirmed.append(f"{event.id}: {words}: {more}")
        self.suspected += event.status == "suspected"
        values = {f"finding/{event.id}": error["difference"]}
        return RunChange(
            key=STUDY,
            metrics=metrics_at(milliseconds(event.time), values),
            tags={TAG: "; ".join(self.words)},
        )
