"""What may change in a study that has begun: its identity never, its tolerances only between nights, its budget always.

The error budget is shared by comparisons that are planned before the first training. To raise their number, or to move
a tolerance, while evidence comes in is to choose the rule by the result; so both wait until the study is finished, and
what was spent by then stays spent (docs/decisions/error-ledger.md).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

from autodc.errors import InputError
from autodc.plan.mixture import BASE
from autodc.study.journal import events as ev
from autodc.study.journal.state import State
from autodc.study.rules import allowance, ledger
from autodc.studyfile import dropped
from autodc.studyfile.study import StudySpec

ABSENT = "left out"
TEST_CONTENT = "content of.test"

Rule = Literal["always", "between", "never"]

_BUDGET = ("budget.trainings", "budget.wall_clock", "budget.cost")
_MEASURES = ("gate.score",)
_NAMED = ("data.candidates", "slices")
_SOURCE = re.compile(r"data\.(base|validation|test|pool|candidates\[.*\])\.source|slices\[.*\]\.source")
"""Where data lie; what they hold is compared as it is."""
_LONGEST = 60


@final
@dataclass(frozen=True, slots=True)
class Change:
    """One key of the study that is another now."""

    key: str
    old: Any
    new: Any

    def __str__(self) -> str:
        return f"{self.key} {_short(self.old)} → {_short(self.new)}"


def extension(state: State, now: ev.StudyStarted, given: Sequence[ev.DatasetAdmitted] = ()) -> tuple[ev.Event, ...]:
    """Return the events by which a study goes on with a changed file or changed data.

    None where nothing changed, or data lie elsewhere and hold the same.

    now, given: what the study file and its data say today. Raises InputError ADC-RUN-002 for another study, 047 where
    only the test set is another, 012 for a change that waits until the study is finished, 013 where the error budget is
    used up, ADC-DATA-027 where a new candidate has the name of a dataset that was proposed meanwhile.
    """
    found = changes(state, now, given)
    if all(_is_moved(c) for c in found):
        return ()
    _refuse_another_study(state, found)
    _refuse_early(state, found)
    _refuse_used_up(state, StudySpec.model_validate(now.spec))
    taken_names = [e.name for e in given if state.roster.get(e.name, e.card)["fingerprint"] != e.card["fingerprint"]]
    if taken_names:
        raise InputError("ADC-DATA-027", "this name is taken", "data.candidates", f"`{taken_names[0]}`", "rename it")
    extended = ev.StudyExtended(
        fingerprint=now.fingerprint,
        spec=now.spec,
        datasets=now.datasets,
        slices=now.slices,
        parts=now.parts,
        warnings=now.warnings,
        changed={c.key: [c.old, c.new] for c in found},
    )
    return (extended, *(one for one in given if one.name not in state.roster))


def changes(state: State, now: ev.StudyStarted, given: Sequence[ev.DatasetAdmitted] = ()) -> list[Change]:
    """Everything that is another now, in the study file and in the content of its data, in the order of the file."""
    cards = {**now.datasets, **{one.name: one.card for one in given}}
    before = {**state.question.datasets, **state.roster}
    old, new = dict(_leaves(_content(state.question, before))), dict(_leaves(_content(now, cards)))
    every = [Change(key, old.get(key, ABSENT), new.get(key, ABSENT)) for key in dict.fromkeys((*old, *new))]
    found = [c for c in every if c.old != c.new]
    return [c for c in found if not _within_added(c, found)]


def enqueued(state: State) -> list[Mapping[str, float]]:
    """Mixtures that extensions added to search.enqueue, in order; the search tries them before anything else."""
    found: list[Mapping[str, float]] = []
    for one in state.extensions:
        if "search.enqueue" in one.changed:
            old, new = one.changed["search.enqueue"]
            found += new[len(old) :]
    return found


def _refuse_another_study(state: State, found: Sequence[Change]) -> None:
    """What makes it another question: its task, its data, its seed."""
    others = [c for c in found if _rule(c) == "never"]
    if [c.key for c in others] == [TEST_CONTENT]:
        raise InputError(
            "ADC-RUN-047",
            "the inputs or metadata of the test set are other than those sealed when the study began",
            "data.test",
            _listed(others),
            "put its rows, inputs and metadata back as they were (labels alone may be mended), and the same command "
            "goes on; what is decided so far stands in result.json and the report. Without those rows: begin a new "
            "study in another --out, with what was kept as its base",
        )
    if others:
        moved = [c for c in found if _is_moved(c)]
        raise InputError(
            "ADC-RUN-002",
            "the output folder belongs to another study",
            "--out",
            f"study {state.question.name!r} {state.question.fingerprint[:12]}: {_listed([*moved, *others])}",
            "choose another folder, or take the study file and data it was begun with; what may change in a study that "
            "has begun stands in docs/guide/running.md",
        )


def _refuse_early(state: State, found: Sequence[Change]) -> None:
    """What waits until the study is finished."""
    early = [c for c in found if _rule(c) == "between"]
    if early and state.finished is None:
        raise InputError(
            "ADC-RUN-012",
            "this study is under way: what raises the number of its comparisons or moves a tolerance waits until it is "
            "finished",
            "--out",
            _listed(early),
            "put these keys back and go on; or end the study now with --open-test, and extend it then",
        )


def _refuse_used_up(state: State, spec: StudySpec) -> None:
    """No error budget is left to compare anything by."""
    if state.finished is not None and ledger.is_used_up(spec, state):
        raise InputError(
            "ADC-RUN-013",
            "nothing is left of this study's error budget, so it can compare nothing more",
            "--out",
            f"{state.taken} comparisons taken of {allowance.planned_tests(spec)} planned, "
            f"{state.risked:.4g} of gate.fdr {spec.gate.fdr:g} spent",
            "begin a new study in another folder, with what was kept as its base, or with gate.planned_tests large "
            "enough for later; raising gate.fdr here buys more comparisons at the price of more false keeps",
        )


def _content(started: ev.StudyStarted, cards: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The study as plain keys: the file with its defaults, and beside it the content of the data."""
    content: dict[str, Any] = StudySpec.model_validate(dropped.upcast(started.spec)).content()
    parts = {**started.parts, BASE: cards[BASE]["fingerprint"]}
    content["content of"] = {name: str(digest)[:12] for name, digest in sorted(parts.items())}
    for one in content["data"]["candidates"]:
        one["content"] = str(cards[one["name"]]["fingerprint"])[:12]
    return content


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted key, value). Candidates and slices are keyed by name; any other list is one value."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif path in _NAMED:
        yield f"{path}[]", [v["name"] for v in value]
        for inner in value:
            yield from _leaves({k: v for k, v in inner.items() if k != "name"}, f"{path}[{inner['name']}]")
    else:
        yield path, value


def _within_added(change: Change, found: list[Change]) -> bool:
    """Whether it only says more of a candidate or slice that another change names as added or taken out."""
    if "[" not in change.key or change.key.endswith("[]"):
        return False
    top, rest = change.key.split("[", 1)
    lists = [c for c in found if c.key == f"{top}[]"]
    name = rest.split("]", 1)[0]
    return any((name in _names(c.old)) != (name in _names(c.new)) for c in lists)


def _is_moved(change: Change) -> bool:
    return bool(_SOURCE.fullmatch(change.key)) and isinstance(change.old, str) and isinstance(change.new, str)


def _rule(change: Change) -> Rule:
    key, old, new = change.key, change.old, change.new
    if _is_moved(change):
        return "always"
    if key in _BUDGET:
        return "always" if new is None or (old is not None and new > old) else "never"
    if key == "search.trials_per_round":
        return "always" if new > old else "never"
    if key == "search.enqueue":
        return "always" if new[: len(old)] == old else "never"
    if key == "data.candidates[]":
        return "between" if new[: len(old)] == old else "never"
    if key == "data.inbox":
        return "between"
    if key == "loop.rounds":
        return "between" if new > old else "never"
    if (key.startswith("slices[") and key.endswith(".margin")) or key.startswith("metrics.limits"):
        return "between"
    return "between" if key.startswith("gate.") and key not in _MEASURES else "never"


def _listed(found: Sequence[Change]) -> str:
    return "; ".join(str(one) for one in found)


def _names(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _short(value: Any) -> str:
    text = "none" if value is None else value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
