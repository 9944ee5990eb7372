"""`text`: measures of texts, one by one and beside the words of the base."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
import pandas as pd

from autodc.adapters.enrichers.language import likely_language, main_script
from autodc.data.attributes import Rows
from autodc.large import evenly
from autodc.table import Table

Array = np.ndarray[Any, Any]

MEASURES: Final[Mapping[str, str]] = {
    "characters": "how many",
    "words": "how many",
    "lines": "how many",
    "word_length": "mean letters and digits a word",
    "distinct_words": "share of the words that are no repetition",
    "digits": "share of the characters",
    "capitals": "share of the letters",
    "shouted_words": "share of the words of two letters or more that are all capitals",
    "punctuation": "share of the characters that are neither letters, digits nor space",
    "non_ascii": "share of the characters beyond ASCII",
    "repeats": "share of the characters in runs of three or more of the same, as in soooo!!!",
    "links": "addresses of the web and of mail",
    "script": "of most letters: latin, cyrillic, …",
    "language": "likely language, by its small words or its script; missing where that is open",
    "rare_words": "share of the words that fewer than three base texts have",
    "unseen_words": "share of the words that no base text has",
}
VERSION = 1
MOST = 50_000
"""Base texts whose words are counted, evenly."""
RARE = 3
"""A word in fewer base texts is rare."""
WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
LINK: Final = re.compile(r"https?://\S+|www\.\S+|\b[\w.+-]+@[\w-]+\.\w+")
RUN: Final = re.compile(r"(\S)\1{2,}")


@final
@dataclass(frozen=True, slots=True)
class TextEnricher:
    """Learns the words of the base."""

    name: str = "text"

    @property
    def content(self) -> str:
        """What values depend on, but for base and rows."""
        return f"{VERSION}"

    def fitted(self, base: Rows, targets: Array | None) -> FittedText:
        """Return it for a study with this base."""
        assert isinstance(base.x, Table)
        known: Counter[str] = Counter()
        for text in base.x[evenly(len(base), MOST)].texts():
            known.update({word.lower() for word in WORD.findall(text)})
        return FittedText(known)


@final
@dataclass(frozen=True, slots=True, eq=False)
class FittedText:
    """Measures texts."""

    known: Mapping[str, int]
    """Word in small letters → base texts that have it."""
    name: str = "text"

    def attributes(self, rows: Rows) -> pd.DataFrame:
        """Return n rows. Of a text without words what is a share of words is missing."""
        assert isinstance(rows.x, Table)
        found = [self._measured(text) for text in rows.x.texts()]
        frame = pd.DataFrame(found, columns=[*MEASURES], index=pd.RangeIndex(len(found)))
        kinds: dict[str, Any] = dict.fromkeys(MEASURES, np.float64)
        kinds |= dict.fromkeys(("characters", "words", "lines", "links"), np.int64)
        return frame.astype({**kinds, "script": object, "language": object})

    def _measured(self, text: str) -> dict[str, Any]:
        words, length = WORD.findall(text), len(text)
        small = [word.lower() for word in words]
        letters = [c for c in text if c.isalpha()]
        counts = [self.known.get(word, 0) for word in small]
        longer = [word for word in words if len(word) > 1 and word[0].isalpha()]
        script = main_script(text)
        return {
            "characters": length,
            "words": len(words),
            "lines": text.count("\n") + 1 if text else 0,
            "word_length": _share(sum(map(len, words)), len(words)),
            "distinct_words": _share(len(set(small)), len(words)),
            "digits": _share(sum(c.isdigit() for c in text), length),
            "capitals": _share(sum(c.isupper() for c in letters), len(letters)),
            "shouted_words": _share(sum(word.isupper() for word in longer), len(longer)),
            "punctuation": _share(sum(not (c.isalnum() or c.isspace()) for c in text), length),
            "non_ascii": _share(sum(c > "\x7f" for c in text), length),
            "repeats": _share(sum(run.end() - run.start() for run in RUN.finditer(text)), length),
            "links": len(LINK.findall(text)),
            "script": script,
            "language": likely_language(small, script),
            "rare_words": _share(sum(count < RARE for count in counts), len(words)),
            "unseen_words": _share(sum(count == 0 for count in counts), len(words)),
        }


def _share(part: float, whole: int) -> float:
    return part / whole if whole else np.nan
