"""How messages name values, and what a misspelt word was meant to be."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

_LIMIT: Final = 60  # characters of a value that a message shows
_CUTOFF: Final = 0.6  # similarity from which a word counts as a misspelling, difflib's default


def meant(word: str, known: Iterable[str]) -> str | None:
    """The known word that was most likely meant, None where nothing is close."""
    words = list(dict.fromkeys(known))
    folded = {w.casefold().replace("-", "_"): w for w in reversed(words)}
    plain = word.casefold().replace("-", "_")
    if plain in folded:
        return folded[plain]
    close = difflib.get_close_matches(plain, list(folded), n=1, cutoff=_CUTOFF)
    return folded[close[0]] if close else None


def suggest(word: str, known: Sequence[str], what: str) -> str:
    """A hint: the word that was meant and all that are known. what: `known slices`, `choices`."""
    guess = meant(word, known)
    listed = f"{what}: {', '.join(dict.fromkeys(known))}" if known else f"there are no {what}"
    return f"did you mean {guess}? {listed}" if guess is not None else listed


def shown(value: Any) -> str:
    """Name a value in a few words: numbers as they are, text in quotes, containers cut short."""
    if value is None:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    if len(text) <= _LIMIT:
        return text
    if isinstance(value, dict):
        keys = list(value)
        return f"a mapping with {', '.join(keys[:5])}{', ...' if len(keys) > 5 else ''}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return f"{text[: _LIMIT - 4]}...{text[-1]}" if isinstance(value, str) else f"{text[: _LIMIT - 3]}..."
