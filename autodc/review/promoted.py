"""What it changes that a finding is a slice of the study now, in words."""

from __future__ import annotations

from collections.abc import Sequence

from autodc.gate.levels import first_share
from autodc.review.numbers import count, listed
from autodc.review.rule_words import rule_words
from autodc.study.journal import events as ev
from autodc.study.journal.state import State
from autodc.study.rules import allowance
from autodc.study.view import spec_of


def promoted_words(state: State, one: ev.FindingMade, called: str, before: Sequence[str]) -> str:
    """A few sentences: the slice, the objective, the levels, how to go on.

    called: the name of the slice; before: the targets of before.
    """
    card = state.question.slices[called]
    spec = spec_of(state)
    rows = count(int(card["rows"]), "row")
    text = f"{one.id} is a target slice of the study now"
    text += f", called {called}" if called != one.id else ""
    text += f": {rule_words(one.rule)}, {rows} that the gate decides on. "
    if card.get("needed") is not None:
        return text + (
            f"They are too few to be evidence ({card['needed']} needed): it is measured and told, and neither passes "
            "nor holds up anything."
        )
    planned = allowance.planned_tests(spec)
    then, now = (first_share(spec.gate.fdr, planned, k) for k in (len(before), len(before) + 1))
    text += (
        f"The objective is the weighted mean of {listed([*before, called])} from here on, {called} at weight 1, and "
    )
    text += f"a comparison's error level is shared by them: {now:.2g} for each instead of {then:.2g}. "
    text += "What was decided before stands. "
    if state.finished is not None:
        text += f"The study is finished; another round is given by --set loop.rounds={spec.loop.rounds + 1}."
    return text.strip()
