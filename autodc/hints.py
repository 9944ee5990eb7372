"""Hints: the known word that was most likely meant, and what else there is."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

LONGEST_NAME = 200
"""What is longer is compared by its beginning."""

MOST_NAMES = 20
"""So many known names are listed."""

SHORT_LIST = 80
"""A list of known names stands beside the one that was meant where it has up to this many characters."""

NONE: Mapping[str, str] = {}

CLOSE, VERY_CLOSE = 0.6, 0.8
"""How alike a word must be; and where so many are known that some are close to any word."""


def meant(word: str, known: Iterable[str], synonyms: Mapping[str, str] = NONE, least: float = CLOSE) -> str | None:
    """The known word that was most likely meant, None where nothing is close.

    synonyms: what else known words are called, in small letters with `_`; least: how alike it must be, 0 to 1.
    """
    folded = {_folded(w): w for w in reversed(list(known))}
    asked = _folded(word)
    if asked not in folded and synonyms.get(asked) in folded.values():
        return synonyms[asked]
    close = difflib.get_close_matches(asked[:LONGEST_NAME], folded, n=1, cutoff=least)
    return folded[close[0]] if close else None


def suggest(word: str, known: Sequence[str], what: str, synonyms: Mapping[str, str] = NONE, forms: str = "") -> str:
    """A hint: the word that was meant, and all that are known where they are few or none is close.

    what: `known slices`, `choices`; forms: what may stand there that has no name.
    """
    guess = meant(word, known, synonyms)
    names = list(dict.fromkeys(known))
    more = [f"… {len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else []
    every = [*names[:MOST_NAMES], *more, *([forms] if forms else [])]
    listed = f"{what}: {', '.join(every)}" if every else f"there are no {what}"
    if guess is None:
        return listed
    return f"did you mean {guess}? {listed}" if len(listed) <= SHORT_LIST else f"did you mean {guess}?"


def instead(where: str, attribute: str, own: Sequence[str]) -> str:
    """A hint: what the file defines that was most likely meant; the only function or class that there is, in any case.

    Empty where it defines nothing.
    """
    guess = meant(attribute, own) or (own[0] if len(own) == 1 else None)
    if guess is None:
        return f"it defines {', '.join(own[:MOST_NAMES])}" if own else ""
    others = [name for name in own if name != guess]
    more = f" It defines {', '.join([guess, *others][:MOST_NAMES])}" if others else ""
    return f"did you mean {where}:{guess}?{more}"


def _folded(word: str) -> str:
    return word.casefold().replace("-", "_")
