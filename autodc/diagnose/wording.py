"""Which words set some texts apart from others: log odds with a prior, the strongest first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

WORD = re.compile(r"[^\W\d_]{2,}")
PRIOR = 0.5
"""Texts that are added to either side of every word."""
LEAST = 3
"""Texts in which a word has to be."""
CLEAR = 2.0
"""Standard errors by which the log odds of a word have to differ."""


def telling_words(texts: Sequence[str], others: Sequence[str], most: int = 8) -> list[str]:
    """Words in small letters that are in more of these texts than in the others, at most so many.

    The log odds ratio of being in a text, over its standard error (Woolf 1955, with half a text added to each cell).
    """
    if not texts or not others:
        return []
    mine, theirs = (Counter(word for text in each for word in _words(text)) for each in (texts, others))
    told = []
    for word, count in mine.items():
        if count < LEAST:
            continue
        cells = np.array([count, len(texts) - count, theirs[word], len(others) - theirs[word]]) + PRIOR
        odds = np.log(cells[0] / cells[1]) - np.log(cells[2] / cells[3])
        z = float(odds / np.sqrt((1 / cells).sum()))
        if z >= CLEAR:
            told.append((-z, word))
    return [word for _, word in sorted(told)[:most]]


def _words(text: str) -> set[str]:
    return {word.lower() for word in WORD.findall(text)}
