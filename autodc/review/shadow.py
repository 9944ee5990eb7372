"""What shadow mode found, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autodc.review.numbers import count, listed

LEFT = {
    "lost": "the stream does not have it",
    "another type": "the stream has it in another type",
}
"""Why a column is not looked at, where that is told: of one that names rows it is not."""
MOST = 5


def percent(share: float) -> str:
    """A share as a person says it."""
    return f"{100 * share:.1f}%"


def failure_words(content: Mapping[str, Any]) -> str:
    """What counts as a failure."""
    of = content["error"]["of"]
    if of["failure"] == "wrong class":
        return "a wrong class"
    return f"an error as large as the worst {of['share_of_validation']:.0%} of validation"


def headline(content: Mapping[str, Any]) -> str:
    """The estimate in one sentence."""
    error = content["error"]
    return (
        f"Of {count(content['rows'], 'row')} about {percent(error['estimate'])} fail "
        f"({error['certainty']:.0%} interval {percent(error['low'])} to {percent(error['high'])}); "
        f"a failure is {failure_words(content)}"
    )


def warnings(content: Mapping[str, Any]) -> list[str]:
    """What makes the estimate doubtful, and what was not looked at."""
    found, drift, error, learned = list[str](), content["drift"], content["error"], content["learned"]
    if drift["warned"]:
        moved = listed(drift["attributes"][:MOST], "no attribute alone, but several together")
        found.append(f"the stream drifts: it is not like validation; moved: {moved}")
    if error["optimistic"]["warned"]:
        found.append(
            f"the estimate is likely too low: {percent(error['new_share'])} of the stream is under conditions that "
            f"validation hardly has; the true share may be higher by up to {percent(error['optimistic']['by_up_to'])} "
            "for these alone; label some of the rows picked as new"
        )
    if learned["auroc"] is None:
        found.append(
            f"{count(learned['failures'], 'failure')} in {count(learned['rows'], 'row')} of validation are too few to "
            "learn from: rows are picked by how unsure the model is, and the estimate is that of validation"
        )
    left = {why: [n for n, w in content["columns_left_out"].items() if w == why] for why in LEFT}
    found += [f"not looked at: {listed(names[:MOST])}: {LEFT[why]}" for why, names in left.items() if names]
    return [*found, *content["notes"]]


def left_out_words(finding: str, why: str) -> str:
    """Why a finding of the study is not looked for in a stream."""
    return f"finding {finding} is not looked for in all of the stream: {why}"


def represents(content: Mapping[str, Any]) -> list[str]:
    """How well what is held out stands for production."""
    found = []
    for one in content["represents"]:
        factor = "any times" if one["factor"] is None else f"{one['factor']:.1f} times"
        found.append(
            f"{one['of']} {one['verb']} `{one['says']}` {factor}: {percent(one['share'])} of its rows, "
            f"{percent(one['stream'])} of the stream"
        )
    return found


def moved_words(one: Mapping[str, Any]) -> str:
    """How an attribute moved."""
    if "value" in one:
        return (
            f"{one['attribute']} = {one['value']}: {percent(one['validation'])} → {percent(one['stream'])} of the rows"
        )
    return f"{one['attribute']}: median {one['validation']:g} → {one['stream']:g}"


def use_words(content: Mapping[str, Any]) -> list[str]:
    """What to do with the sheet once it is filled in, as lines of a study file."""
    labelled = content["labelled"]
    options = ", ".join(f"{k}: {v if isinstance(v, str) else list(v)}" for k, v in labelled["options"].items())
    source = f"{content['out']}/{labelled['source']}" if content.get("out") else labelled["source"]
    more = f", options: {{{options}}}" if options else ""
    return [f"- {{name: production, source: {source}{more}}}"]
