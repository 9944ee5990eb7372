"""What MLflow is told of the rest of a study: where it started from, cheap trainings, proposals, requests."""

from __future__ import annotations

from typing import final

from autodc.adapters.mlflow.changes import STUDY, RunChange, milliseconds, stepped
from autodc.review.numbers import count, listed
from autodc.study.journal import events as ev


@final
class StudyTags:
    """Tags of the study's run that grow with the study."""

    def __init__(self) -> None:
        self._proposed: list[str] = []
        self._refused: list[str] = []
        self.requests: list[str] = []
        """One line a request."""

    def told(self, event: ev.Event) -> RunChange | None:
        """The change an event makes; None for those of others."""
        match event:
            case ev.WarmStarted():
                known = count(len(event.observations), "training")
                return _tag("autodc.warm_start", f"{known} of study {event.study} ({event.source[:12]})")
            case ev.FidelityMeasured():
                history = stepped(milliseconds(event.time), event.round, {"search/rank_correlation": event.correlation})
                return RunChange(key=STUDY, history=history, tags={"autodc.fidelity": _fidelity(event)})
            case ev.ProposalsMade() if event.proposals:
                names = listed([f"{one['name']} ({one['by']})" for one in event.proposals], "")
                self._proposed.append(f"round {event.round}: {names}")
                return _tag("autodc.proposals", "; ".join(self._proposed))
            case ev.ProposalRefused():
                why = event.problems[0]["problem"] if event.problems else "refused"
                self._refused.append(f"{event.name}: {why}")
                return _tag("autodc.proposals_refused", "; ".join(self._refused))
            case ev.RequestMade():
                self.requests.append(_request(event))
                return _tag("autodc.requests", "; ".join(self.requests))
        return None


def _tag(name: str, value: str) -> RunChange:
    return RunChange(key=STUDY, tags={name: value})


def _fidelity(event: ev.FidelityMeasured) -> str:
    ranks = "ranks not told" if event.correlation is None else f"rank correlation {event.correlation:.2f}"
    used = "used to leave plans out" if event.used else "not used"
    return f"trainings at {event.fidelity:.0%}: {ranks} over {count(event.pairs, 'plan')}; {used}"


def _request(event: ev.RequestMade) -> str:
    gain = f"{event.gain['low']:.3g} … {event.gain['high']:.3g}"
    cost = f", cost {event.cost:g}" if event.cost else ""
    return f"{event.id}: {count(event.rows, 'row')} for {event.finding}, mean error down by {gain}{cost}"
