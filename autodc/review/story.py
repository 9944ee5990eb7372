"""What a tired person reads first: the headline, what was gained, how sure it is, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autodc.propose.proposal import UNNAMED
from autodc.review import lineage, together
from autodc.review.numbers import Numbers, count, listed
from autodc.study.beside import INTERVAL_LEVEL
from autodc.study.journal.state import State
from autodc.study.rules import allowance
from autodc.study.view import spec_of

NAMED = 6
"""Of what the study made itself, so many names are told one by one."""


def headline(state: State) -> str:
    """What was kept, in one sentence."""
    kept, candidates = state.kept, state.candidates
    so_far = "" if state.finished else " so far"
    if not candidates:
        asked = len(state.requests)
        told = f"; {count(asked, 'request')} {'says' if asked == 1 else 'say'} what data to order" if asked else ""
        return f"The study has no candidate datasets{told}"
    if not kept:
        return f"None of {count(len(candidates), 'candidate dataset')} was kept{so_far}"
    if len(kept) > NAMED and (made := _by_makers(state)):
        return f"{len(kept)} of {count(len(candidates), 'candidate dataset')} were kept{so_far}: {made}"
    if len(kept) == len(candidates):
        what = "The one candidate dataset was kept" if len(kept) == 1 else f"All {len(kept)} candidates were kept"
        return f"{what}{so_far}: {listed(kept)}"
    was = "was" if len(kept) == 1 else "were"
    return f"{len(kept)} of {count(len(candidates), 'candidate dataset')} {was} kept{so_far}: {listed(kept)}"


def _by_makers(state: State) -> str:
    """How many of each maker are kept; empty where nothing but what was given is."""
    of = [_maker(state, name) for name in state.kept]
    if set(of) == {lineage.GIVEN}:
        return ""
    return listed(f"{of.count(by)} {_MAKERS.get(by, f'by {by}')}" for by in dict.fromkeys(of))


def _maker(state: State, name: str) -> str:
    how = lineage.proposal_of(state, name)
    chosen = how.get("finding") or UNNAMED & set(how.get("tags", ()))
    by_chance = bool(how.get("control_of")) or (how.get("by") == lineage.POOL and not chosen)
    return "chance" if by_chance else lineage.maker_of(state, name)


_MAKERS = {
    lineage.GIVEN: "given",
    lineage.POOL: "of the pool",
    "generate": "of generators",
    "chance": "of the pool by chance",
    lineage.INBOX: "delivered",
}


def gain(state: State, result: Mapping[str, Any], numbers: Numbers) -> str:
    """What was gained on the sealed test, or why that cannot be said."""
    test = result["test"]
    if test is None:
        if state.started is not None and spec_of(state).data.test is None:
            return (
                "There is no sealed test set, so no number here was measured on rows that nobody had looked at. "
                "The validation rows chose what was kept, which makes their gain look a little too large."
            )
        return "The sealed test set has not been opened yet; what the gain truly is will be known at the end."
    roles = {name: card.get("role") for name, card in state.question.slices.items()}
    seen = {n: one for n, one in test["differences"].items() if roles.get(n) == "target"}
    if not seen:
        return "The sealed test set was opened, but no target slice is on it."
    return _gain_of_one(seen, numbers) if len(seen) == 1 else _gain_of_many(seen, numbers)


def _gain_of_one(seen: Mapping[str, Mapping[str, Any]], numbers: Numbers) -> str:
    name, one = next(iter(seen.items()))
    words = "did not change by more than luck explains"
    if one["low"] > 0 or one["high"] < 0:
        words = "got better" if one["low"] > 0 else "got worse"
    span = numbers.span(one["low"], one["high"])
    difference = numbers.signed(one["difference"])
    return f"On the sealed test set {name} {words}: {difference} ({INTERVAL_LEVEL:.0%} interval {span})."


def _gain_of_many(seen: Mapping[str, Mapping[str, Any]], numbers: Numbers) -> str:
    better = sorted((n for n in seen if seen[n]["low"] > 0), key=lambda n: seen[n]["difference"])
    worse = [n for n in seen if seen[n]["high"] < 0]
    text = f"On the sealed test set {len(better)} of {len(seen)} target slices got better"
    if better:
        most = max(better, key=lambda n: seen[n]["difference"])
        text += f", by {_told(better[0], seen, numbers)}"
        text += f" to {_told(most, seen, numbers)}" if most != better[0] else ""
    text += f"; {listed(worse)} got worse." if worse else "."
    same = len(seen) - len(better) - len(worse)
    return text + (f" For {same} the interval includes no change at all." if same else "")


def _told(name: str, seen: Mapping[str, Mapping[str, Any]], numbers: Numbers) -> str:
    one = seen[name]
    span = numbers.span(one["low"], one["high"])
    return f"{numbers.signed(one['difference'])} on {name} ({INTERVAL_LEVEL:.0%} interval {span})"


def sureness(state: State) -> list[str]:
    """How far the verdicts can be trusted: error budget, tests, seeds."""
    spec = spec_of(state)
    made = len(state.comparisons)
    planned = allowance.planned_tests(spec)
    q = spec.gate.fdr
    lines = [
        f"The error budget is q = {q:g}: over many studies like this one, on average at most {q:.0%} of what is kept "
        f"is kept by luck.",
        f"{count(made, 'comparison')} {'was' if made == 1 else 'were'} made; {state.taken} of the {planned} that were "
        "planned to share that budget."
        if made
        else f"No comparison was made yet, of {planned} that were planned and share that budget.",
    ]
    keeps = {n: t for n in state.kept if (t := state.decided(n)) is not None and t.looks}
    if keeps:
        pairs = sorted({t.typed_looks[-1].pairs for t in keeps.values()})
        span = f"{pairs[0]}" if len(pairs) == 1 else f"{pairs[0]} to {pairs[-1]}"
        noun = "pair" if pairs[-1] == 1 else "pairs"
        lines.append(
            f"What was kept rests on {span} {noun} of trainings with the same seed each, one with the dataset and one "
            f"without."
        )
    told = [together.telling(state, n) for n in state.kept]
    blocks = {one.id: one for one in told if one is not None and one.kind == "block"}
    lines += [
        f"{listed(n for n in state.kept if n in one.members)} were kept together: that is one claim, about all of "
        "them at once. What one of them is worth alone was not shown."
        for one in blocks.values()
        if len(one.members) > 1
    ]
    if state.measured is not None and state.measured.differences:
        seeds = min(d["pairs"] for d in state.measured.differences.values())
        lines.append(
            "The sealed test compares the model of the start with the model of the end, each trained with "
            f"{count(seeds, 'fresh seed')} after the last verdict had fallen."
        )
    return lines
