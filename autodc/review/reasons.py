"""What each reason code of a verdict means: one sentence a code, for people who know no statistics."""

from __future__ import annotations

from collections.abc import Sequence

from autodc.gate import reasons
from autodc.gate.reasons import OUT_OF_BUDGET
from autodc.review.numbers import listed
from autodc.study.phases.comparing import STOPPED
from autodc.study.rules.failing import ALWAYS_FAILS

SENTENCES: dict[str, str] = {
    reasons.KEPT: (
        "A target slice got better by more than chance explains, the targets together are better, and every guard"
        " is within its margin."
    ),
    reasons.KEPT_OBJECTIVE: (
        "No single target stands out, but the targets together got better by more than chance explains, and every"
        " guard is within its margin."
    ),
    reasons.KEPT_FINDING: (
        "A weakness for which data were made got better by more than chance explains, on gate rows, while it was found"
        " on others; the targets together lose no more than is tolerated, and every guard is within its margin."
    ),
    reasons.HARM_GUARD: "A guarded slice got worse by more than its margin.",
    reasons.HARM_ANCHOR: (
        "A guarded slice is worse than at the start of the study by more than the whole study tolerates."
    ),
    reasons.HARM_OBJECTIVE: "The targets together got worse.",
    reasons.NO_CHANGE: "Nothing changed: every row of every slice scores as before.",
    reasons.FUTILE_TARGET: "No target slice gained enough for more trainings to be likely to show it.",
    reasons.FUTILE_OBJECTIVE: (
        "What one target gains another loses: the targets together are unlikely to be shown better."
    ),
    reasons.FUTILE_GUARD: "A guarded slice is unlikely to be shown within its margin.",
    reasons.OPEN_TARGET: (
        "A target may have gained, but the evidence does not reach the bound that guards against luck."
    ),
    reasons.OPEN_OBJECTIVE: "It is not settled whether the targets together are better.",
    reasons.OPEN_GUARD: "It is not settled whether a guarded slice is within its margin.",
    reasons.OPEN_ANCHOR: (
        "It is not settled whether a guarded slice is within what is tolerated since the start of the study."
    ),
    reasons.AT_CAP: "The last look that was planned is reached.",
    reasons.SATURATED: "More seeds would hardly add to what the rows of these slices can show.",
    reasons.TOO_GOOD: (
        "The gain looks too good: a hundred rows or more got better and next to none worse, in all slices; such a"
        " gain is kept only where no leak is found, or where gate.trust names the dataset."
    ),
    reasons.MISSING_SLICE: "A slice of the study was not measured, so nothing can pass.",
    reasons.NOT_FINITE: "A score is not a number, so nothing can pass.",
    reasons.TOO_FEW_ROWS: "No target slice has enough rows, or groups of rows, to show anything.",
    reasons.LOST_PAIR: (
        "A training of a pair failed each time it was run, or the slices were not measured on the same trainings:"
        " a pair is lost, so nothing can pass."
    ),
    reasons.TOO_FEW_PAIRS: "There are fewer pairs of trainings than the first look needs.",
    reasons.NO_TARGET: "There is no target slice, so nothing can be shown to improve.",
    reasons.NOT_CALIBRATED: "The noise of a slice was never calibrated and one pair cannot tell it.",
    reasons.GO_ON: "The evidence so far does not decide; more pairs of trainings may.",
    reasons.ONE_PAIR: (
        "One pair of trainings cannot tell how much such a training varies: the calibration trainings did not "
        "vary, or did not draw rows as these do. A second pair is needed before anything is decided."
    ),
    reasons.NO_LEAK: (
        "It gains without a loss, as answers learned by heart do; a leak was looked for and none was found."
    ),
    reasons.TRUSTED: "It gains without a loss and a leak was found; gate.trust says that it is none.",
    reasons.TOGETHER: (
        "Kept together, as a block: these count as one, and none of them could be told apart on these rows."
    ),
    reasons.WHOLE: "The whole is better than what was there, tuned, by more than chance explains.",
    reasons.WHOLE_NOT_SHOWN: (
        "The whole is not shown to be better than what was there, tuned; so nothing smaller was asked of it."
    ),
    reasons.WORTHLESS: "Worthless beside the rest: leaving {it} out costs less than matters, 95% sure.",
    reasons.REDUNDANT: (
        "Redundant beside {beside}: the same rows get better with that, and leaving {it} out costs less than matters."
    ),
    reasons.HARMFUL: "Harmful beside the rest: without {it} the targets together are better, 95% sure.",
    reasons.PRUNED: "Among those believed to be worth least, which left together.",
    reasons.NOT_APART: "None of these could be told apart on these rows.",
    reasons.IN_DOUBT: (
        "Kept in doubt, because gate.in_doubt says so: a gain is the best guess, and was not shown. Of nights in which"
        " nothing helps, half would end like this."
    ),
    reasons.LEFT_UNASKED: (
        "Not asked alone: those that are believed to harm were asked together, and nothing was shown of {it}."
    ),
    reasons.TAKEN: "These are believed better by gate rows and search together, and were taken without a claim.",
    reasons.LEFT: "These are not believed better by gate rows and search together, and were left.",
    reasons.NOT_MISSED: (
        "Rows or labels as if by chance: left, for the rest does not seem worse without {it}; nothing more was shown."
    ),
    reasons.OVER_LIMIT: "It costs more than metrics.limits allows, so it is not kept, whatever it gains.",
    OUT_OF_BUDGET: "The budget of trainings ended before the next look at the evidence could be paid.",
    STOPPED: "The study was ended by hand, to open the test set, before the evidence decided.",
    ALWAYS_FAILS: "Every training with it failed, so it was not proposed any more.",
}


def sentence(code: str, beside: Sequence[str] = (), several: bool = False) -> str:
    """What a reason code means; empty for one that nobody knows.

    beside: what stands in for the redundant; several: it is said of several datasets.
    """
    text = SENTENCES.get(code, "").replace("{it}", "them" if several else "it")
    return text.replace("{beside}", listed(beside, "others that stay"))
