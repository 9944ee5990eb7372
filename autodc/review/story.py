"""What a tired person reads first: the headline, how sure it is, and what is wrong, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, final

from autodc.gate.reasons import TOO_GOOD, leaks_words
from autodc.gate.types import Look
from autodc.review import notices
from autodc.review.numbers import Numbers, count, listed
from autodc.study.assess import INTERVAL_LEVEL
from autodc.study.journal.state import State
from autodc.study.rules import allowance

SHOWN = 8
ERRORS_SHOWN = 3
"""How many different messages of failed trainings the warning quotes."""

ERROR_LENGTH = 300

STOPPED = {
    "rounds": "all planned rounds were made",
    "findings": "nothing was left to test",
    "budget.trainings": "the budget of trainings was used up",
    "budget.wall_clock": "the time it was given was over",
    "until": "the hour named by --until had come",
    "stopped": "it was stopped by hand",
}


@final
@dataclass(frozen=True, slots=True)
class Warning:
    """Something a reader must know before trusting the page. bad: it puts the result itself in doubt."""

    text: str
    tone: Literal["bad", "note"] = "note"
    details: tuple[str, ...] = ()


def headline(state: State) -> str:
    """What was kept, in one sentence."""
    kept, candidates = state.kept, state.candidates
    so_far = "" if state.finished else " so far"
    if not candidates:
        return "The study has no candidate datasets"
    if not kept:
        return f"None of {count(len(candidates), 'candidate dataset')} was kept{so_far}"
    if len(kept) == len(candidates):
        what = "The one candidate dataset was kept" if len(kept) == 1 else f"All {len(kept)} candidates were kept"
        return f"{what}{so_far}: {listed(kept)}"
    was = "was" if len(kept) == 1 else "were"
    return f"{len(kept)} of {count(len(candidates), 'candidate dataset')} {was} kept{so_far}: {listed(kept)}"


def gain(state: State, result: Mapping[str, Any], numbers: Numbers) -> str:
    """What was gained on the sealed test, or why that cannot be said."""
    test = result["test"]
    if test is None:
        if state.spec is not None and state.spec.data.test is None:
            return (
                "There is no sealed test set, so no number here was measured on rows that nobody had looked at. "
                "The validation rows chose what was kept, which makes their gain look a little too large."
            )
        return "The sealed test set has not been opened yet; what the gain truly is will be known at the end."
    targets = [n for n in test["differences"] if state.question.slices.get(n, {}).get("role") == "target"]
    if not targets:
        return "The sealed test set was opened, but no target slice is on it."
    seen = {n: test["differences"][n] for n in targets}
    better = [n for n in targets if seen[n]["low"] > 0]
    worse = [n for n in targets if seen[n]["high"] < 0]
    if len(targets) == 1:
        name, one = targets[0], seen[targets[0]]
        words = "got better" if better else ("got worse" if worse else "did not change by more than luck explains")
        span = numbers.span(one["low"], one["high"])
        difference = numbers.signed(one["difference"])
        return f"On the sealed test set {name} {words}: {difference} ({INTERVAL_LEVEL:.0%} interval {span})."
    text = f"On the sealed test set {len(better)} of {len(targets)} target slices got better"
    if better:
        least = min(better, key=lambda n: seen[n]["difference"])
        most = max(better, key=lambda n: seen[n]["difference"])
        text += f", by {_told(least, seen, numbers)}" + (f" to {_told(most, seen, numbers)}" if most != least else "")
    text += f"; {listed(worse)} got worse." if worse else "."
    same = len(targets) - len(better) - len(worse)
    return text + (f" For {same} the interval includes no change at all." if same else "")


def sureness(state: State) -> list[str]:
    """How far the verdicts can be trusted: error budget, tests, seeds."""
    spec = state.spec
    assert spec is not None
    made = len(state.comparisons)
    planned = allowance.planned_tests(spec)
    q = spec.gate.fdr
    lines = [
        f"The error budget is q = {q:g}: over many studies like this one, on average at most {q:.0%} of what is kept "
        f"is kept by luck.",
        f"{count(made, 'test')} {'was' if made == 1 else 'were'} made, of {planned} that were planned and share that "
        f"budget."
        if made
        else f"No test was made yet, of {planned} that were planned and share that budget.",
    ]
    keeps = {n: t for n in state.kept if (t := state.decided(n)) is not None and t.looks}
    if keeps:
        pairs = sorted({t.looks[-1]["pairs"] for t in keeps.values()})
        span = f"{pairs[0]}" if len(pairs) == 1 else f"{pairs[0]} to {pairs[-1]}"
        noun = "pair" if pairs[-1] == 1 else "pairs"
        lines.append(
            f"What was kept rests on {span} {noun} of trainings with the same seed each, one with the dataset and one "
            f"without."
        )
    if state.measured is not None and state.measured.differences:
        seeds = min(d["pairs"] for d in state.measured.differences.values())
        lines.append(
            "The sealed test compares the model of the start with the model of the end, each trained with "
            f"{count(seeds, 'fresh seed')} after the last verdict had fallen."
        )
    return lines


def warnings(state: State, result: Mapping[str, Any], numbers: Numbers) -> list[Warning]:
    """What puts the result in doubt first, then what a reader should know."""
    found = [*_about_test(state, result, numbers), *_about_gate(state)]
    found += [Warning(f"{text[:1].upper()}{text[1:]}.", "bad") for text in notices.alarms(state)]
    found += [Warning(text) for text in state.question.warnings]
    found += [*_about_extensions(state), *_about_progress(state, result), *_about_failures(state), *_about_lost(state)]
    return sorted(found, key=lambda w: w.tone != "bad")


def _about_test(state: State, result: Mapping[str, Any], numbers: Numbers) -> list[Warning]:
    found = []
    if len(state.opened) > 1:
        found.append(
            Warning(
                f"The sealed test set was opened {len(state.opened)} times. From the second time on its numbers may "
                "have steered what was done, so they flatter the result.",
                "bad",
                tuple(one.opened_at for one in state.opened),
            )
        )
    if result["test"] is not None and not result["test"].get("of_incumbent", True):
        found.append(
            Warning(
                "The study was extended after its test set had been opened. The test numbers are those of the model "
                f"that was the incumbent at {result['test']['opened_at']}, not of the one at the end: a second opening "
                "would no longer be honest, so there is none.",
                "bad",
            )
        )
    test = result["test"]
    if test is None:
        if state.spec is not None and state.spec.data.test is None:
            found.append(Warning("There is no test set. The gain is measured on the rows that chose the datasets."))
        elif state.unread is not None:
            found.append(Warning(f"The sealed test set could not be measured: {state.unread.problem}", "bad"))
        elif state.finished:
            found.append(Warning("The study ended before the sealed test set was measured.", "bad"))
        return found
    for name, seen in test["differences"].items():
        known = state.question.slices.get(name, {})
        margin = known.get("margin")
        span = f"{numbers.signed(seen['difference'])} ({numbers.span(seen['low'], seen['high'])})"
        if margin is not None and seen["difference"] < -margin:
            found.append(Warning(f"On the test set {name} lost more than the tolerated {margin:g}: {span}.", "bad"))
        elif known.get("role") == "target" and seen["high"] < 0:
            found.append(Warning(f"On the test set the target {name} got worse: {span}.", "bad"))
    return found


def _about_gate(state: State) -> list[Warning]:
    good = {t.subject: t.looks[-1] for t in state.comparisons if TOO_GOOD in t.reasons and t.looks}
    if not good:
        return []
    told = (Look.from_dict(look).leaks for look in good.values())
    return [
        Warning(
            f"{listed(good)} helped so much that it looks like a leak. Where it is none, name it in gate.trust and run "
            "the same command again.",
            "bad",
            tuple(leaks_words(leaks) for leaks in told if leaks is not None),
        )
    ]


def _about_extensions(state: State) -> list[Warning]:
    found = []
    for one in state.extensions:
        keys = tuple(f"{key}: {_value(old)} → {_value(new)}" for key, (old, new) in one.changed.items())
        text = (
            f"The study was extended after {count(one.taken, 'test')}; what they took of the error budget stays taken."
        )
        found.append(Warning(text, "bad" if _moved_q(one.changed) else "note", keys))
    return found


def _moved_q(changed: Mapping[str, Any]) -> bool:
    """Whether the error budget itself was raised after results had been seen."""
    old, new = changed.get("gate.fdr", (0.0, 0.0))
    return bool(new > old)


def _value(value: Any) -> str:
    return "none" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _about_progress(state: State, result: Mapping[str, Any]) -> list[Warning]:
    found = []
    if state.finished is None:
        found.append(Warning("The study is not finished. Every number here may still change."))
    elif result["stopped_because"] not in ("rounds", "findings"):
        because = STOPPED.get(str(result["stopped_because"]), str(result["stopped_because"]))
        found.append(Warning(f"The study ended early: {because}."))
    left = notices.left_over(state)
    if left is not None:
        found.append(Warning(f"{left['text'][:1].upper()}{left['text'][1:]}."))
    untested = [n for n in state.candidates if state.decided(n) is None]
    if untested:
        was = "was" if len(untested) == 1 else "were"
        never = "never tested" if state.finished is not None else "not tested to the end yet"
        found.append(
            Warning(
                f"{listed(untested)} {was} {never}. Undecided means here that nothing is known, neither good nor bad."
            )
        )
    if not state.kept and state.finished is not None:
        found.append(Warning("Nothing was kept: the model at the end was trained on the base data alone."))
    return found


def _about_failures(state: State) -> list[Warning]:
    failed = [t.outcome for t in state.trials if t.outcome is not None and t.outcome.status == "failed"]
    if not failed:
        return []
    ended = sum(t.outcome is not None for t in state.trials)
    messages = list(dict.fromkeys(o.error.strip()[-ERROR_LENGTH:] for o in failed if o.error.strip()))
    more = len(messages) - ERRORS_SHOWN
    details = [*messages[:ERRORS_SHOWN], *([f"and {count(more, 'other message')}"] if more > 0 else [])]
    return [Warning(f"{len(failed)} of {count(ended, 'training')} failed.", details=tuple(details))]


def _about_lost(state: State) -> list[Warning]:
    if not state.restored:
        return []
    numbers = sorted({one.number for one in state.restored})
    shown = listed([*map(str, numbers[:SHOWN]), *([f"{len(numbers) - SHOWN} more"] if len(numbers) > SHOWN else [])])
    text = f"What {count(len(numbers), 'training')} left was lost and trained again (trial {shown})"
    gap = max(one.difference for one in state.restored)
    if gap == 0:
        return [Warning(f"{text}, with the same scores.")]
    return [
        Warning(
            f"{text}; a score came out otherwise by up to {gap:.3g}, for the trainer is not deterministic. What was "
            "decided before stands, what was decided later rests on the new ones."
        )
    ]


def _told(name: str, seen: Mapping[str, Mapping[str, Any]], numbers: Numbers) -> str:
    one = seen[name]
    span = numbers.span(one["low"], one["high"])
    return f"{numbers.signed(one['difference'])} on {name} ({INTERVAL_LEVEL:.0%} interval {span})"
