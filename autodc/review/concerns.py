"""What puts a result in doubt, and what else a reader must know before trusting it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, final

from autodc.gate.reasons import TOO_GOOD
from autodc.review import beside, deliveries, notices
from autodc.review.explain import leaks_words
from autodc.review.folding import of_question
from autodc.review.numbers import Numbers, as_sentence, count, listed
from autodc.review.together import telling
from autodc.review.wording import BECAUSE
from autodc.study.journal.state import State
from autodc.study.rules.last import BASE_TUNED, EVERYTHING_TUNED
from autodc.study.view import spec_of
from autodc.trial.executor import PRINTED

ERRORS_SHOWN = 3
"""How many different messages of failed trainings the warning quotes."""

ERROR_LENGTH = 300

SHOWN = 8
"""How many trainings that were made again are named."""


@final
@dataclass(frozen=True, slots=True)
class Concern:
    """Something a reader must know before trusting the result."""

    text: str
    tone: Literal["bad", "note"] = "note"
    """Bad: it puts the result itself in doubt."""
    details: tuple[str, ...] = ()


def concerns(state: State, result: Mapping[str, Any], numbers: Numbers) -> list[Concern]:
    """What puts the result in doubt first, then what a reader should know."""
    test = result["test"]
    found = [*_about_openings(state, test), *_about_test(state, test, numbers), *_about_gate(state)]
    found += _about_baselines(result, numbers)
    found += [Concern(as_sentence(text), "bad") for text in notices.alarms(state)]
    found += [Concern(text) for text in of_question(state)]
    found += [Concern(f"{text[:1].upper()}{text[1:]}") for text in deliveries.warnings(state)]
    found += [*_about_extensions(state), *_about_progress(state, result), *_about_failures(state), *_about_lost(state)]
    return sorted(found, key=lambda w: w.tone != "bad")


def _about_lost(state: State) -> list[Concern]:
    if not state.restored:
        return []
    numbers = sorted({one.number for one in state.restored})
    shown = listed([*map(str, numbers[:SHOWN]), *([f"{len(numbers) - SHOWN} more"] if len(numbers) > SHOWN else [])])
    text = f"What {count(len(numbers), 'training')} left was lost and trained again (trial {shown})"
    gap = max(one.difference for one in state.restored)
    if gap == 0:
        return [Concern(f"{text}, with the same scores.")]
    return [
        Concern(
            f"{text}; a score came out otherwise by up to {gap:.3g}, for the trainer is not deterministic. What was "
            "decided before stands, what was decided later rests on the new ones."
        )
    ]


def _about_openings(state: State, test: Mapping[str, Any] | None) -> list[Concern]:
    found = []
    if len(state.opened) > 1:
        text = (
            f"The sealed test set was opened {len(state.opened)} times. From the second time on its numbers may "
            "have steered what was done, so they flatter the result."
        )
        found.append(Concern(text, "bad", tuple(one.opened_at for one in state.opened)))
    if test is not None and not test.get("of_incumbent", True):
        text = (
            "The study was extended after its test set had been opened. The test numbers are those of the model "
            f"that was the incumbent at {test['opened_at']}, not of the one at the end: a second opening "
            "would no longer be honest, so there is none."
        )
        found.append(Concern(text, "bad"))
    return found


def _about_test(state: State, test: Mapping[str, Any] | None, numbers: Numbers) -> list[Concern]:
    if test is None:
        if state.started is not None and spec_of(state).data.test is None:
            return [Concern("There is no test set. The gain is measured on the rows that chose the datasets.")]
        if state.unread is not None:
            return [Concern(f"The sealed test set could not be measured: {state.unread.problem}", "bad")]
        return [Concern("The study ended before the sealed test set was measured.", "bad")] if state.finished else []
    found = []
    for name, seen in test["differences"].items():
        known = state.question.slices.get(name, {})
        margin = known.get("margin")
        span = f"{numbers.signed(seen['difference'])} ({numbers.span(seen['low'], seen['high'])})"
        if margin is not None and seen["difference"] < -margin:
            found.append(Concern(f"On the test set {name} lost more than the tolerated {margin:g}: {span}.", "bad"))
        elif known.get("role") == "target" and seen["high"] < 0:
            found.append(Concern(f"On the test set the target {name} got worse: {span}.", "bad"))
    return found


def _about_baselines(result: Mapping[str, Any], numbers: Numbers) -> list[Concern]:
    found = []
    for row in beside.rows(result["baselines"], numbers):
        name, where = row["name"].capitalize(), beside.ROWS[result["baselines"][row["arm"]]["rows"]]
        if row["standing"] == "failed":
            found.append(Concern(f"{name}: {row['words']}. So the end is not known to be better than that."))
        elif row["standing"] == "behind":
            text = (
                f"{name}, is better than the model at the end, by {numbers.plain(-row['difference'])} on {where} "
                f"(95% interval of end minus it {numbers.span(row['low'], row['high'])})."
            )
            found.append(Concern(f"{text} {_INSTEAD.get(row['arm'], _SIMPLER)}", "bad"))
    return found


_INSTEAD = {
    EVERYTHING_TUNED: (
        "What was left out was not shown to help, and it did. Its mixture and settings stand under baselines in "
        "result.json; gate.in_doubt: everything ends a study with it where nothing is shown."
    ),
    BASE_TUNED: (
        "What was kept does not pay beside better settings. The settings stand under baselines in result.json; more "
        "trainings for the search, or more validation rows, would find them."
    ),
}
"""Baseline → what to do where the end is worse."""

_SIMPLER = "What is this simple needs no training to speak of: use it, or give the trainer what it lacks."


def _about_gate(state: State) -> list[Concern]:
    good = {t.subject: t.typed_looks[-1].leaks for t in state.comparisons if TOO_GOOD in t.reasons and t.looks}
    if not good:
        return []
    return [
        Concern(
            f"{listed(good)} helped so much that it looks like a leak. Where it is none, name it in gate.trust and run "
            "the same command again.",
            "bad",
            tuple(leaks_words(leaks) for leaks in good.values() if leaks is not None),
        )
    ]


def _about_extensions(state: State) -> list[Concern]:
    found = []
    for one in state.extensions:
        keys = tuple(f"{key}: {_value(old)} → {_value(new)}" for key, (old, new) in one.changed.items())
        text = f"The study was extended after {one.spent:.3g} of its error budget was spent; that stays spent."
        found.append(Concern(text, "bad" if _moved_q(one.changed) else "note", keys))
    return found


def _moved_q(changed: Mapping[str, Any]) -> bool:
    """Whether the error budget itself was raised after results had been seen."""
    old, new = changed.get("gate.fdr", (0.0, 0.0))
    return bool(new > old)


def _value(value: Any) -> str:
    return "none" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _about_progress(state: State, result: Mapping[str, Any]) -> list[Concern]:
    found = []
    if state.finished is None:
        found.append(Concern("The study is not finished. Every number here may still change."))
    elif result["stopped_because"] not in ("rounds", "findings", "expected"):
        because = BECAUSE.get(str(result["stopped_because"]), str(result["stopped_because"]))
        found.append(Concern(f"The study ended early: {because}."))
    left = notices.left_over(state)
    if left is not None:
        found.append(Concern(as_sentence(left["text"])))
    uncompared = [n for n in state.candidates if (told := telling(state, n)) is None or told.kind == "bundle"]
    if uncompared:
        was = "was" if len(uncompared) == 1 else "were"
        never = "never compared" if state.finished is not None else "not compared to the end yet"
        found.append(
            Concern(
                f"{listed(uncompared)} {was} {never}. Undecided means here that nothing is known, neither good nor bad."
            )
        )
    if not state.kept and state.finished is not None:
        found.append(Concern("Nothing was kept: the model at the end was trained on the base data alone."))
    return found


def _about_failures(state: State) -> list[Concern]:
    trials = [t for t in state.trials if t.outcome is not None and t.outcome.status == "failed"]
    failed = [trial.outcome for trial in trials if trial.outcome is not None]
    if not failed:
        return []
    ended = sum(t.outcome is not None for t in state.trials)
    told = [outcome.error.partition(PRINTED)[0].strip()[-ERROR_LENGTH:] for outcome in failed]
    messages = list(dict.fromkeys(words for words in told if words))
    more = len(messages) - ERRORS_SHOWN
    details = [*messages[:ERRORS_SHOWN], *([f"and {count(more, 'other message')}"] if more > 0 else [])]
    if any(PRINTED in outcome.error for outcome in failed):
        last = max(t.trial.number for t in trials if t.outcome is not None and PRINTED in t.outcome.error)
        details.append(f"what they printed is in the folder logs, of the last one in logs/trial-{last}-*.log")
    return [Concern(f"{len(failed)} of {count(ended, 'training')} failed.", details=tuple(details))]
