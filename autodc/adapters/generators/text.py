"""`text`: texts of the base, mistyped, shouted, cut short, in other words: by rules, no model."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, final

import numpy as np
import pandas as pd
from pydantic import Field

from autodc.adapters.generators import paraphrase
from autodc.adapters.generators.vary import refuse_unknown, varied
from autodc.studyfile.values import Spec
from autodc.trial.call import CallError

Array = np.ndarray[Any, Any]


def _share(high: float = 1.0) -> Mapping[str, Any]:
    return {"type": "float", "low": 0.0, "high": high, "identity": 0.0}


PARAMETERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "typos": _share(0.5),
    "drop_words": _share(0.6),
    "synonyms": _share(),
    "elongate": _share(0.5),
    "shout": _share(),
    "lowercase": _share(),
    "no_punctuation": _share(),
    "shorten": _share(0.9),
    **{name: _share() for name in paraphrase.RULES},
}
TEMPLATE = "template"
SAYS: Final[Mapping[str, str]] = {
    "typos": "share of the words with a letter swapped, dropped, doubled or mistyped",
    "drop_words": "share of the words that are left out",
    "synonyms": "share of the words with a known synonym that are replaced",
    "elongate": "share of the words whose last vowel is drawn out: soooo",
    "shout": "share of the texts in capitals",
    "lowercase": "share of the texts in small letters",
    "no_punctuation": "share of the texts without punctuation",
    "shorten": "share of the words that is cut off at the end",
    **paraphrase.SAYS,
    TEMPLATE: "share of the texts that are put into a template; with the option `templates`",
}
WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
PUNCTUATION: Final = re.compile(r"[^\w\s]")
KEYBOARD: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
VOWELS = "aeiouy"
DRAWN_OUT = 4
SLOT = "{text}"
GROUPS = """
    good great fine nice / bad poor awful terrible / big large huge / small little tiny / happy glad pleased /
    sad unhappy / fast quick rapid / slow sluggish / begin start / end finish stop / buy purchase / help assist /
    like enjoy / hate dislike / film movie / funny amusing / boring dull tedious / smart clever / hard difficult /
    easy simple / old aged / new recent fresh / beautiful lovely pretty / ugly hideous / strange odd weird /
    wonderful marvellous superb / horrible dreadful / interesting engaging / important significant / often frequently /
    very really extremely / almost nearly / maybe perhaps / wrong incorrect / right correct / cheap inexpensive /
    expensive costly / broken damaged / show display / need require / get obtain / use employ / ask request /
    answer reply / error mistake / problem issue / quite rather / whole entire / child kid / job work / car vehicle
"""
SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    word: tuple(other for other in group.split() if other != word)
    for group in GROUPS.split("/")
    for word in group.split()
}


class TextOptions(Spec):
    """Options of `text`."""

    vary: tuple[str, ...] = Field(default=(), description="the parameters that may change, all where left out")
    synonyms: dict[str, tuple[str, ...]] = Field(
        default={}, description="word in small letters: others that may stand for it; beside those of common words"
    )
    templates: tuple[str, ...] = Field(
        default=(), description="sentences around a text, which stands where they have {text}"
    )


@final
@dataclass(frozen=True, slots=True)
class TextGenerator:
    """Changes texts; labels stay."""

    options: TextOptions = field(default_factory=TextOptions)

    @property
    def parameters(self) -> Mapping[str, Mapping[str, Any]]:
        """Those that may change."""
        known = {**PARAMETERS, **({TEMPLATE: _share()} if self.options.templates else {})}
        return varied(known, self.options.vary)

    def fitted(self, x: Any, y: Array) -> TextGenerator:
        """Look whether these are texts and the options fit."""
        if not isinstance(x, list):
            got = "a table" if isinstance(x, pd.DataFrame) else f"arrays of shape {np.shape(x)[1:]}"
            hint = "name image or table, or a generator of your own: path/to/file.py:Object"
            raise CallError("ADC-PROP-022", "text changes texts alone", "generator", got, hint)
        refuse_unknown("text", [*PARAMETERS, TEMPLATE], self.options.vary)
        if bad := [one for one in self.options.templates if SLOT not in one]:
            raise CallError("ADC-PROP-014", "a template has no {text}", "options.templates", bad[0])
        return self

    def transform(
        self, x: Any, y: Array, metadata: pd.DataFrame, parameters: Mapping[str, Any], seed: int
    ) -> tuple[list[str], Array, None]:
        """Return the texts changed."""
        used = dict.fromkeys([*PARAMETERS, TEMPLATE], 0.0) | dict(parameters)
        return [self._changed(str(text), used, random.Random(f"{seed}:{at}")) for at, text in enumerate(x)], y, None

    def _changed(self, text: str, used: Mapping[str, float], rng: random.Random) -> str:
        if used["shorten"]:
            text = _shortened(text, used["shorten"])
        for name, rule in self._rules.items():
            if used[name]:
                text = rule(text, used[name], rng)
        if used["no_punctuation"] and rng.random() < used["no_punctuation"]:
            text = PUNCTUATION.sub("", text)
        if used[TEMPLATE] and rng.random() < used[TEMPLATE]:
            text = rng.choice(self.options.templates).replace(SLOT, text)
        if used["lowercase"] and rng.random() < used["lowercase"]:
            text = text.lower()
        if used["shout"] and rng.random() < used["shout"]:
            text = text.upper()
        return text

    @property
    def _rules(self) -> Mapping[str, paraphrase.Rewriting]:
        """What changes words, in its order."""
        return {
            "drop_words": _dropped,
            "synonyms": partial(_words_changed, self._synonym),
            **paraphrase.RULES,
            "elongate": partial(_words_changed, _drawn_out),
            "typos": partial(_words_changed, _mistyped),
        }

    def _synonym(self, word: str, rng: random.Random) -> str:
        others = self.options.synonyms.get(word.lower()) or SYNONYMS.get(word.lower())
        if not others:
            return word
        return paraphrase.written_as(word, rng.choice(others))


def _words_changed(change: Callable[[str, random.Random], str], text: str, share: float, rng: random.Random) -> str:
    def changed(found: re.Match[str]) -> str:
        return change(found[0], rng) if rng.random() < share else found[0]

    return WORD.sub(changed, text)


def _shortened(text: str, share: float) -> str:
    words = list(re.finditer(r"\S+", text))
    left = max(1, round(len(words) * (1 - share)))
    return text if left >= len(words) else text[: words[left - 1].end()]


def _dropped(text: str, share: float, rng: random.Random) -> str:
    words = text.split()
    left = [word for word in words if rng.random() >= share]
    return text if len(left) == len(words) else " ".join(left or words[:1])


def _drawn_out(word: str, rng: random.Random) -> str:
    at = max((i for i, letter in enumerate(word) if letter.lower() in VOWELS), default=None)
    return word if at is None else word[: at + 1] + word[at] * (DRAWN_OUT - 1) + word[at + 1 :]


def _mistyped(word: str, rng: random.Random) -> str:
    at, kind = rng.randrange(len(word)), rng.choice(("swap", "drop", "double", "near"))
    if kind == "swap" and len(word) > 1:
        at = min(at, len(word) - 2)
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == "drop" and len(word) > 1:
        return word[:at] + word[at + 1 :]
    if kind == "double":
        return word[: at + 1] + word[at:]
    return word[:at] + _neighbour(word[at], rng) + word[at + 1 :]


def _neighbour(letter: str, rng: random.Random) -> str:
    row = next((row for row in KEYBOARD if letter.lower() in row), None)
    if row is None:
        return letter * 2
    at = row.index(letter.lower())
    found = rng.choice([row[i] for i in (at - 1, at + 1) if 0 <= i < len(row)])
    return found.upper() if letter.isupper() else found
