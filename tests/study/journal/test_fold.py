"""Every event is folded or declared news; old versions are read as what they meant."""

from __future__ import annotations

from typing import Any

import pytest

from autodc.errors import SurroundingsError
from autodc.plan.plan import Plan
from autodc.study.journal import events as ev
from autodc.study.journal import upcasts
from autodc.study.journal.codec import from_dict
from autodc.study.journal.fold import HANDLERS, apply, fold
from autodc.study.journal.state import State

PLAN = {"mixture": {"base": 1.0, "fog": 1.0, "rain": 1.0}, "stages": {}, "recipe": "concat", "hyperparameters": {}}
LESS = {**PLAN, "mixture": {"base": 1.0, "rain": 1.0}}


def test_every_event_has_a_handler_or_is_news() -> None:
    assert {kind.__name__ for kind in ev.KINDS.values() if not kind.news} == {kind.__name__ for kind in HANDLERS}


def test_an_event_without_a_handler_is_not_ignored() -> None:
    class Forgotten(ev.Event):
        pass

    class Told(ev.Event):
        news = True

    try:
        apply(State(), Told())
        with pytest.raises(KeyError):
            apply(State(), Forgotten())
    finally:
        del ev.KINDS["Forgotten"], ev.KINDS["Told"]


def test_every_upcast_is_of_a_kind_there_is_and_a_version_before_its_own() -> None:
    for kind, version in upcasts.UPCASTS:
        assert version < ev.KINDS[kind].version
    assert set(upcasts.RENAMED.values()) <= ev.KINDS.keys()


@pytest.mark.parametrize(("kind", "version"), [("Telepathy", 1), ("PhaseStarted", ev.PhaseStarted.version + 1)])
def test_a_newer_version_or_an_unknown_kind_is_of_a_newer_autodc(kind: str, version: int) -> None:
    with pytest.raises(SurroundingsError) as caught:
        from_dict(kind, version, {"round": 1, "phase": "search"})
    assert caught.value.code == "ADC-JRNL-002"


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("VerdictReached", {"test": 0}),
        ("LookTaken", {"test": 0, "look": {}}),
        ("LookTaken", {"test": 0, "look": {"slices": {"dark": 3}, "objective": {}}}),
        ("LookTaken", {"test": 0, "look": {"slices": {"dark": {"low": "low"}}, "objective": {}}}),
    ],
)
def test_what_was_no_event_of_its_version_is_a_misfit(kind: str, payload: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"missing|Error"):
        from_dict(kind, 1, payload)


def gate(*more: ev.Event) -> State:
    """The state in the gate of a study that has kept nothing yet, after these events too."""
    start = Plan.from_dict({**PLAN, "mixture": {"base": 1.0}})
    datasets = {name: {"rows": 1, "fingerprint": name, "candidate": True} for name in ("fog", "rain")}
    started = ev.StudyStarted(fingerprint="f", name="s", spec={}, datasets=datasets, slices={}, start=start.to_dict())
    state = State(started=started, start=start, incumbent=start)
    proposed = ev.ChallengerProposed(round=1, horizon=0, plan=PLAN, mean=0.0, sd=1.0)
    for event in (proposed, ev.PhaseStarted(round=1, phase="gate"), opened(0, "removal", LESS, ("fog",)), *more):
        apply(state, event)
    return state


def left(state: State) -> tuple[str, ...]:
    """The datasets of the challenger."""
    assert state.challenger is not None
    return state.challenger.mixture.added


def opened(number: int, purpose: str, against: dict[str, Any], members: tuple[str, ...]) -> ev.ComparisonOpened:
    return ev.ComparisonOpened(
        id=number,
        round=1,
        horizon=0,
        subject="+".join(members),
        subject_kind="dataset",
        purpose=purpose,
        challenger=PLAN,
        incumbent=against,
        members=members,
        alpha=0.1,
    )


def verdict(said: str, **changes: Any) -> dict[str, Any]:
    of = {"comparison": 0, "round": 1, "horizon": 0, "subject": "fog", "subject_kind": "dataset"}
    return {**of, "verdict": said, "reasons": [], "trainings": 2, **changes}


def test_a_verdict_leaves_the_challenger_and_the_pruning_changes_it() -> None:
    ended = ev.VerdictReached(**verdict("drop"))
    assert left(gate(ended)) == ("fog", "rain")
    pruned = ev.ChallengerPruned(round=1, horizon=0, comparison=0, dataset="fog")
    assert left(gate(ended, pruned)) == ("rain",)


def test_a_pruning_that_cannot_have_been_is_a_damaged_journal() -> None:
    with pytest.raises(SurroundingsError, match="event 1, ChallengerPruned") as caught:
        fold([ev.ChallengerPruned(round=1, horizon=0, comparison=0, dataset="fog")])
    assert caught.value.code == "ADC-JRNL-007"


@pytest.mark.parametrize(("said", "stay"), [("drop", ("rain",)), ("undecided", ("rain",)), ("keep", ("fog", "rain"))])
def test_a_verdict_of_before_prunes_by_itself(said: str, stay: tuple[str, ...]) -> None:
    old = verdict(said)
    old["test"] = old.pop("comparison")
    for number, payload in ((1, old), (2, verdict(said))):
        assert left(gate(from_dict("VerdictReached", number, payload))) == stay
    assert left(gate(from_dict("VerdictReached", 3, verdict(said)))) == ("fog", "rain")


def look(difference: float, *reasons: str, step: str | None = None, said: str = "undecided") -> dict[str, Any]:
    seen = {"difference": difference, "margin": 0.01, "step": step, "since_start": None, "needed": None}
    return {"verdict": said, "reasons": list(reasons), "slices": {"overall": seen}}


@pytest.mark.parametrize(
    ("failed", "fog", "leaves"),
    [
        (look(-0.02, "ADC-G032", step="not_settled"), -0.015, "fog"),
        (look(-0.02, "ADC-G032", step="not_settled"), 0.0, "rain"),
        (look(-0.02, "ADC-G032", step="holds"), -0.015, None),
        (look(-0.02, "ADC-G032", "ADC-G030", step="not_settled"), -0.015, None),
        (look(-0.02, step="harmed", said="keep"), -0.015, None),
    ],
)
def test_a_whole_challenger_of_before_gave_up_what_cost_its_guards_most(
    failed: dict[str, Any], fog: float, leaves: str | None
) -> None:
    removals = [
        upcasts.Ended("removal", name, "keep", [look(difference)], (name,))
        for name, difference in (("fog", fog), ("rain", -0.005))
    ]
    whole = upcasts.Ended("whole", "fog+rain", "undecided", [failed], ("fog", "rain"))
    assert upcasts.pruned(whole, [*removals, whole], kept=False) == leaves
    assert upcasts.pruned(whole, [*removals, whole, whole, whole], kept=False) is None
