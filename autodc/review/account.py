"""What the gain is made of, what the search had promised, and what cheap trainings were worth: words and rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autodc.review.numbers import Numbers, count

PARTS = {
    "total": "the whole gain",
    "data": "the new mixture, at the settings of the start",
    "hyperparameters": "the new settings, on the data of the start",
    "interaction": "the two together, beyond their sum",
}
"""Part of the gain → what was changed."""

WHAT = {"total": "total", "data": "data", "hyperparameters": "settings", "interaction": "interaction"}

HOW = {"trained": "trained", "model": "believed"}


def account(result: Mapping[str, Any], numbers: Numbers) -> dict[str, Any] | None:
    """The account of the gain; None where nothing was gained or the study has not come so far."""
    credit = result["credit"]
    if credit is None:
        return None
    parts = [{"name": WHAT[name], "what": words, **credit[name]} for name, words in PARTS.items()]
    kept = [{"name": name, **seen, "how": HOW[seen["how"]]} for name, seen in credit["datasets"].items()]
    return {
        "parts": parts,
        "kept": kept,
        "words": _headline(credit, numbers),
        "how": _how(credit),
        "slices": list(credit["total"]["slices"]),
    }


def promise(result: Mapping[str, Any], numbers: Numbers) -> str:
    """What the search had promised of the model at the end beside what was measured; empty where it said nothing."""
    told = result["recommendation"]
    if told is None or told["validation"] is None:
        return ""
    where = [f"{count(told['seeds'], 'fresh training')} measured {numbers.plain(told['validation'])} on validation"]
    if told["test"] is not None:
        where.append(f"{numbers.plain(told['test'])} on test")
    off = told["optimism"]["test" if told["test"] is not None else "validation"]
    against = "the test" if told["test"] is not None else "validation"
    verdict = "too much was promised" if off > 0 else "more came than was promised"
    return (
        f"Of the target slices together the search had promised {numbers.plain(told['estimate'])} ± "
        f"{numbers.plain(told['sd'])}; {' and '.join(where)}. Against {against}, {numbers.plain(abs(off))} {verdict}."
    )


def cheap(result: Mapping[str, Any]) -> str:
    """How well cheap trainings ranked, and what was done with them; empty where none were asked for."""
    found = result["search"]["fidelity"]
    if found is None:
        return ""
    share = f"{found['low']:.0%} of a full training"
    if not found["measured"]:
        return f"Cheap trainings, {share}, were asked for; the search ended before their ranking was measured."
    if found["correlation"] is None:
        return f"Cheap trainings, {share}, rank nothing here: too few succeeded, or all were equal. None was used."
    low, high = found["interval"]
    text = (
        f"Cheap trainings, {share}, were held against full ones over {count(found['plans'], 'plan')}: rank correlation "
        f"{found['correlation']:.2f} (95% interval {low:.2f} to {high:.2f}), {found['least_correlation']:g} was asked. "
    )
    if found["used"]:
        return text + f"So most plans got a cheap training only: {found['cheap_trainings']} were cheap."
    return text + "So no plan was left out because of one; every later training was a full one."


def _headline(credit: Mapping[str, Any], numbers: Numbers) -> str:
    total, data, settings, both = (credit[name] for name in PARTS)
    alone = f"data alone {numbers.signed(data['difference'])}, settings alone {numbers.signed(settings['difference'])}"
    return (
        f"On the target slices together the model gained {numbers.signed(total['difference'])}: {alone}, and "
        f"{numbers.signed(both['difference'])} from the two together, beyond their sum."
    )


def _how(credit: Mapping[str, Any]) -> str:
    if credit["how"] == "model":
        return (
            "The budget did not pay for training the two models in between. These are beliefs of the search, from "
            "the trainings that chose the plan: believe them less than a measurement."
        )
    return (
        f"Measured on validation with {count(credit['seeds'], 'seed')} that no decision had seen: beside start and "
        "end, one model was trained with the new mixture alone and one with the new settings alone."
    )
