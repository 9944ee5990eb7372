"""Findings as plain values and words: the rule, how much worse it is inside, why, and what is shown of its rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from autodc.errors import InputError
from autodc.hints import meant
from autodc.review.more_rows import best_words
from autodc.review.numbers import Numbers, count, listed
from autodc.review.rule_words import chosen_words, rule_words
from autodc.study.journal import events as ev
from autodc.study.journal.records import DiagnosisState
from autodc.study.journal.state import State
from autodc.study.view import spec_of

SURE = "95%"
"""Level of the intervals of all findings of a diagnosis together."""

NOTES: Mapping[str, str] = {
    "ADC-DIAG-001": "no rows of validation are set apart for diagnosis",
    "ADC-DIAG-002": "too few rows are set apart for diagnosis",
    "ADC-DIAG-003": "the predictions of the incumbent are not there",
    "ADC-DIAG-004": "a finder failed",
    "ADC-DIAG-005": "the causes of a finding could not be told",
    "ADC-DIAG-016": "a part of the diagnosis failed",
    "ADC-DIAG-020": "too few groups of rows to be cut in two",
    "ADC-DIAG-021": "a finder failed",
    "ADC-DIAG-059": "what more rows would do could not be told",
    "ADC-DIAG-022": "the model makes no error on the rows that were looked at",
}
"""Code of a note → what could not be done."""


def finding_dict(one: ev.FindingMade) -> dict[str, Any]:
    """A finding in the form of the contract."""
    return {
        "id": one.id,
        "code": one.code,
        "kind": one.basis,
        "rule": one.rule,
        "status": one.status,
        "round": one.round,
        "rows": {"found": one.found, "confirmed": one.confirmed},
        "error": dict(one.error),
        "causes": [dict(cause) for cause in one.causes],
        "by": one.by,
        **({"told": dict(one.told)} if one.told else {}),
    }


def findings(state: State) -> list[dict[str, Any]]:
    """All findings of a study, in the order they were made."""
    return [finding_dict(one) for one in state.findings.values()]


def last_looked(state: State) -> DiagnosisState | None:
    """The last diagnosis that saw rows; None where none did."""
    return next((one for one in reversed(state.diagnoses) if one.made.rows), None)


def views(state: State) -> list[dict[str, Any]]:
    """The findings of the last diagnosis, confirmed ones first, each with its words."""
    looked = last_looked(state)
    classes = spec_of(state).task.kind == "classification"
    shown = [] if looked is None else [view(state.findings[name], classes) for name in looked.ids]
    return sorted(shown, key=lambda one: one["status"] != "confirmed")


def former(state: State) -> list[dict[str, Any]]:
    """The findings of diagnoses before, of other incumbents."""
    looked, classes = last_looked(state), spec_of(state).task.kind == "classification"
    now = set() if looked is None else set(looked.ids)
    return [view(one, classes) for one in state.findings.values() if one.id not in now]


def gone(state: State) -> list[dict[str, Any]]:
    """The findings that were confirmed in a round before and hold no more, each condition once, the last told first.

    One is gone where the last diagnosis confirms nothing that has half of its rows.
    """
    looked, classes = last_looked(state), spec_of(state).task.kind == "classification"
    now = [] if looked is None else [state.findings[name] for name in looked.ids]
    seen = [set(one.ids) for one in now if one.status == "confirmed"]
    shown = []
    for one in reversed(state.findings.values()):
        if one.status != "confirmed" or one in now:
            continue
        if not any(2 * len(rows & set(one.ids)) >= len(one.ids) for rows in seen):
            seen.append(set(one.ids))
            shown.append(view(one, classes))
    return shown


def view(one: ev.FindingMade, is_classification: bool) -> dict[str, Any]:
    """One finding with its words. is_classification: whether an error is a wrong class."""
    error = {key: float(value) for key, value in one.error.items()}
    numbers = Errors(error.values(), is_classification)
    return {
        **finding_dict(one),
        "words": _words(one),
        "size": _size(one),
        "settled_by": _settled_by(one),
        "inside": numbers.plain(error["inside"]),
        "outside": numbers.plain(error["outside"]),
        "difference_words": numbers.signed(error["difference"]),
        "interval": numbers.span(error["low"], error["high"]),
        "sentence": _sentence(one, numbers),
        "why": [cause_words(cause) for cause in one.causes],
        "apart": [apart_words(part) for part in one.told.get("apart", ())],
        "unlabelled": unlabelled_words(one.told.get("unlabelled")),
        "more": best_words(one.told.get("more_rows", ())),
        "exhibit": one.exhibit,
    }


def _words(one: ev.FindingMade) -> str:
    words = rule_words(one.rule) if one.basis == "attributes" else _cluster_words(one.rule)
    return f"slice {one.told['slice']}: {words}" if "slice" in one.told else words


def _size(one: ev.FindingMade) -> str:
    if "slice" in one.told:
        return f"{count(one.confirmed, 'row')}, named by the study before any was seen"
    return f"{count(one.found, 'row')} found, {count(one.confirmed, 'row')} to confirm"


def _settled_by(one: ev.FindingMade) -> str:
    """How many rows would settle a suspicion; empty where no number can be told."""
    needed = one.told.get("rows_needed")
    return f"about {needed:,} explore rows would confirm it, if it is as large as it looks" if needed else ""


def _sentence(one: ev.FindingMade, numbers: Errors) -> str:
    error = one.error
    more = numbers.signed(error["difference"])
    sure = f"{SURE} {numbers.span(error['low'], error['high'])}"
    inside, outside = numbers.plain(error["inside"]), numbers.plain(error["outside"])
    if not numbers.shares:
        return f"the mean error is {inside} inside, {outside} {_rest(one)}: {more} ({sure})"
    text = f"{inside} of the rows inside are wrong, {outside} {_rest(one)}"
    return f"{text}; beyond what the class explains {more} ({sure})"


def _rest(one: ev.FindingMade) -> str:
    """What the rows inside were held against, in words."""
    aside = one.told.get("aside", 0)
    if "slice" in one.told:
        return "of those in no target slice" if aside else "elsewhere"
    return f"elsewhere, less {count(aside, 'row')} that a surer one has" if aside else "elsewhere"


class Errors:
    """Writes errors: shares of rows in percent, values with one precision."""

    def __init__(self, error: Iterable[float], shares: bool) -> None:
        self.shares = shares
        self._numbers = Numbers.for_values(error)

    def plain(self, value: float) -> str:
        """The error of some rows."""
        return f"{value:.0%}" if self.shares else self._numbers.plain(value)

    def signed(self, value: float) -> str:
        """A difference of errors."""
        if not self.shares:
            return self._numbers.signed(value)
        return f"{_points(value)} points"

    def span(self, low: float, high: float) -> str:
        """The interval of a difference."""
        return f"{_points(low)} to {_points(high)}" if self.shares else self._numbers.span(low, high)


def _points(value: float) -> str:
    return f"{100 * value:+.0f}".replace("-", "−")


def _cluster_words(rule: str) -> str:
    return (
        f"a cluster of rows alike: {rule_words(rule)}" if rule else "a cluster of rows alike, which no attribute tells"
    )


def cause_words(cause: Mapping[str, Any]) -> str:
    """One attribute that differs between rows that fail and rows of their class that pass."""
    name, value = cause["attribute"], cause.get("value")
    mine, theirs = cause.get("failing"), cause.get("passing")
    more = cause["difference"] > 0
    if value is not None or cause.get("how") == "missing":
        shares = "" if mine is None or theirs is None else f" in {mine:.0%} of failing rows, {theirs:.0%} of passing"
        what = "missing" if value is None else repr(value)
        return f"{name} {what}{shares or (' more often' if more else ' less often')}"
    side = "higher" if more else "lower"
    if cause.get("how") == "spread":
        side = "farther from the usual" if more else "nearer to the usual"
    means = "" if mine is None or theirs is None else f", {mine:.4g} where it fails and {theirs:.4g} where it passes"
    size = abs(cause["difference"])
    return f"{name} {side} by {size:.2f} standard deviations{means}"


def apart_words(part: Mapping[str, Any]) -> str:
    """What sets a cluster apart from other rows of its classes, by one attribute."""
    return f"{rule_words(part['rule'])} in {part['inside']:.0%} of the rows inside, {part['outside']:.0%} elsewhere"


def unlabelled_words(told: Mapping[str, Any] | None) -> str:
    """How a finding that names the class chooses rows without labels; empty for one that needs none."""
    if told is None:
        return ""
    chosen = chosen_words(told["where"], told["predicted"])
    if not told["rows"]:
        return f"Without labels no row was chosen by it: {chosen}."
    return (
        f"It names the class, so without labels rows can only be chosen by what is predicted: "
        f"{chosen}. Of such rows {told['precision']:.0%} were failing rows of "
        f"this finding, and {told['reached']:.0%} of those were among them."
    )


def note_words(note: Mapping[str, str]) -> str:
    """What could not be done, in one sentence."""
    left_out = (
        "some attributes are missing" if note["code"].startswith("ADC-ATTR-") else "the rows could not be looked at"
    )
    said = NOTES.get(note["code"], left_out)
    return f"{said}: {note['got']} [{note['code']}]"


def notes(state: State) -> list[str]:
    """What the last diagnosis could not do."""
    return [note_words(note) for note in state.diagnoses[-1].made.notes] if state.diagnoses else []


def line(state: State) -> str:
    """The findings of the last diagnosis in one line; empty where there was none."""
    if not state.diagnoses:
        return ""
    shown = views(state)
    sure = [one for one in shown if one["status"] == "confirmed"]
    if not shown:
        return "nothing found" if last_looked(state) else "; ".join(notes(state))
    told = "; ".join(f"{one['id']} {one['words']} ({one['difference_words']})" for one in sure[:3])
    more = len(sure) - 3
    left = f", {more} more" if more > 0 else ""
    others = len(shown) - len(sure)
    return f"{told or 'none confirmed'}{left}{f'; {others} suspected' if others else ''}"


def why(state: State, name: str) -> dict[str, Any]:
    """One finding with its evidence and its words."""
    classes = spec_of(state).task.kind == "classification"
    one = finding(state, name)
    made = next(d for d in state.diagnoses if name in d.ids)
    promoted = [a.name for a in state.admitted if a.rule.get("where") == one.rule and not a.finding]
    return {
        **view(one, classes),
        "of_incumbent": made.plan == state.incumbent,
        "looked_at": made.made.rows,
        "slices": promoted,
        "ids": list(one.ids),
    }


def finding(state: State, name: str) -> ev.FindingMade:
    """A finding of a study by its id. Raises InputError ADC-DIAG-006 where there is none of it."""
    if (one := state.findings.get(name)) is not None:
        return one
    known = list(state.findings)
    near = meant(name, known) or next((one for one in known if one.casefold() == name.casefold()), None)
    hint = "this study has no finding" if not known else f"known are {listed(known)}"
    if near:
        hint = f"did you mean {near}?"
    raise InputError("ADC-DIAG-006", "the study has no such finding", "FINDING", repr(name), hint)


def promotable(state: State, name: str) -> ev.FindingMade:
    """A finding that makes a slice.

    Raises InputError ADC-DIAG-006 where there is none of it, 007 for one that is not confirmed, 008 for a cluster,
    ADC-RUN-090 for one whose rule is that of a slice that joined the study already.
    """
    one = finding(state, name)
    if one.status != "confirmed":
        raise InputError(
            "ADC-DIAG-007",
            "this finding is suspected, not confirmed: on rows that it was not found on it may be luck",
            "--promote",
            f"{name}: {rule_words(one.rule)}",
            _others(state),
        )
    if "slice" in one.told:
        problem, got = f"{name} is a slice of this study already", f"{one.told['slice']}: {rule_words(one.rule)}"
        raise InputError("ADC-RUN-090", problem, "--promote", got, "there is nothing left to do for it")
    if one.basis != "attributes":
        raise InputError(
            "ADC-DIAG-008",
            "this finding is a cluster of an embedding: no rule says of new rows whether they are in it",
            "--promote",
            f"{name}: {one.rule}",
            _others(state),
        )
    same = (a.name for a in state.admitted if a.rule.get("where") == one.rule and not a.finding)
    if (called := next(same, None)) is not None:
        problem, got = f"{name} is a slice of this study already", f"{called}: {rule_words(one.rule)}"
        raise InputError("ADC-RUN-090", problem, "--promote", got, "there is nothing left to do for it")
    return one


def _others(state: State) -> str:
    looked = last_looked(state)
    fit: Sequence[str] = (
        []
        if looked is None
        else [
            n
            for n in looked.ids
            if (one := state.findings[n]).status == "confirmed"
            and one.basis == "attributes"
            and "slice" not in one.told
        ]
    )
    return f"those that can be promoted are {listed(fit)}" if fit else "no finding of this study can be promoted yet"
