"""Other words for the same: contractions, numbers, abbreviations, order of what stands side by side, politeness.

Every rule keeps what is said. What may turn it round is left alone: no rule adds or takes away a negation, and nothing
changes places in a clause that has one.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from typing import Final

CONTRACTIONS: Final[Mapping[str, str]] = {
    "do not": "don't", "does not": "doesn't", "did not": "didn't", "is not": "isn't", "are not": "aren't",
    "was not": "wasn't", "were not": "weren't", "have not": "haven't", "has not": "hasn't", "had not": "hadn't",
    "will not": "won't", "would not": "wouldn't", "could not": "couldn't", "should not": "shouldn't",
    "can not": "can't", "cannot": "can't", "i am": "i'm", "you are": "you're", "we are": "we're",
    "they are": "they're", "it is": "it's", "that is": "that's", "there is": "there's", "what is": "what's",
    "i will": "i'll", "you will": "you'll", "we will": "we'll", "they will": "they'll", "let us": "let's",
}  # fmt: skip
_ONES = """
    zero one two three four five six seven eight nine ten eleven twelve
    thirteen fourteen fifteen sixteen seventeen eighteen nineteen
"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
ONES: Final = tuple(_ONES.split())
TENS: Final = tuple(_TENS.split())
NUMBERS: Final[Mapping[str, str]] = {
    **{word: str(n) for n, word in enumerate(ONES)},
    **{word: str(10 * n) for n, word in enumerate(TENS, start=2)},
    **{f"{ten}-{one}": str(10 * n + k) for n, ten in enumerate(TENS, start=2) for k, one in enumerate(ONES[:10]) if k},
}
NO_COUNT: Final = frozenset({"one", "second"})
"""Number words that mostly count nothing: `one of them`, `the one that`."""
ABBREVIATIONS: Final[Mapping[str, str]] = {
    "for example": "e.g.", "that is to say": "i.e.", "as soon as possible": "asap", "by the way": "btw",
    "in my opinion": "imo", "doctor": "dr", "mister": "mr", "versus": "vs", "approximately": "approx.",
    "minutes": "min", "hours": "hrs", "department": "dept", "information": "info", "television": "tv",
    "kilometres": "km", "kilometers": "km", "kilograms": "kg", "street": "st", "thanks": "thx", "please": "pls",
    "because": "bc", "tomorrow": "tmrw", "message": "msg", "and so on": "etc.",
}  # fmt: skip
POLITE_FIRST: Final = ("Excuse me, ", "Hello, ", "With respect, ")
POLITE_LAST: Final = (" Thank you.", " Many thanks.", " Thanks in advance.")
NEGATIONS: Final = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|nowhere|neither|nor|without|cannot|hardly|barely|but|than|between|both|either)"
    r"\b|n['’]t\b",
    re.IGNORECASE,
)
"""What a clause must not have, if anything in it is to change places: negations, and words that hold pairs together."""
CLAUSE: Final = re.compile(r"[^.,;:!?()\n]+")
PAIR: Final = re.compile(r"\b([^\W\d_]{3,}) (and|or) ([^\W\d_]{3,})\b")
_OPEN = """
    the this that these those his her its our your their some any all each every who which what when where while then
    also was were are has have had did does can could will would should may might must they she you for from with into
    very really even more most less so too just still only much many again be am is a an of at on in by as it he we i
"""
OPEN: Final = frozenset(_OPEN.split())
"""Words that may stand around a pair of two words, and are none of it."""
DONE: Final = re.compile(r"(?:ed|ing|ly)$")
NO_PAIR: Final = OPEN | frozenset(NUMBERS)

Rewriting = Callable[[str, float, random.Random], str]


def contracted(text: str, share: float, rng: random.Random) -> str:
    """Contract this share of what can be: `do not` is `don't`, `it is` is `it's` where another word follows."""
    return _replaced(_CONTRACTED, CONTRACTIONS, text, share, rng)


def numbered(text: str, share: float, rng: random.Random) -> str:
    """Write this share of the number words as digits: `twenty-one` is `21`; `one` stays."""
    return _replaced(_NUMBERED, _COUNTS, text, share, rng)


def abbreviated(text: str, share: float, rng: random.Random) -> str:
    """Abbreviate this share of what has a common abbreviation."""
    return _replaced(_ABBREVIATED, ABBREVIATIONS, text, share, rng)


def reordered(text: str, share: float, rng: random.Random) -> str:
    """Rewriting places in this share of the pairs `A and B` of single words; none of a clause that has a negation.

    Only what stands between words as `the` and `is` is surely a pair of two words. What is done one after the other
    (`stopped and searched`) keeps its order, and so do three side by side.
    """

    def swapped(found: re.Match[str]) -> str:
        first, joint, second = found.groups()
        before = re.search(r"[^\W\d_]+\W*$", found.string[: found.start()])
        after = re.match(r"\W*([^\W\d_]+)", found.string[found.end() :])
        beside = [one.strip().lower() for one in (before and before[0], after and after[1]) if one]
        both = {first.lower(), second.lower()}
        whole = all(one in OPEN for one in beside)
        if not whole or both & NO_PAIR or any(one[0].isupper() or DONE.search(one) for one in (first, second)):
            return found[0]
        return f"{second} {joint} {first}" if rng.random() < share else found[0]

    def clause(found: re.Match[str]) -> str:
        some = found[0]
        before, after = text[: found.start()].rstrip()[-1:], text[found.end() :].lstrip()[:1]
        listed = before == "," or len(re.findall(r"\b(?:and|or)\b", some)) != 1
        asked_on = after == ","
        return some if listed or asked_on or NEGATIONS.search(some) else PAIR.sub(swapped, some)

    return CLAUSE.sub(clause, text)


def polite(text: str, share: float, rng: random.Random) -> str:
    """Say this share of the texts with a word of courtesy before or after."""
    if not text.strip() or rng.random() >= share:
        return text
    if rng.random() < 0.5:
        first = rng.choice(POLITE_FIRST)
        word = text.split(maxsplit=1)[0]
        keeps = word == "I" or word.startswith(("I'", "I’")) or (len(word) > 1 and word.isupper())
        return first + (text if keeps else text[0].lower() + text[1:])
    end = text.rstrip()
    return (end if end[-1] in ".!?" else end + ".") + rng.choice(POLITE_LAST)


def written_as(old: str, new: str) -> str:
    """Write a word in capitals, or with a capital, as the one that it stands for."""
    if old.isupper() and len(old) > 1:
        return new.upper()
    return new.capitalize() if old[0].isupper() else new


RULES: Final[Mapping[str, Rewriting]] = {
    "contractions": contracted,
    "numbers": numbered,
    "abbreviations": abbreviated,
    "reorder": reordered,
    "polite": polite,
}
SAYS: Final[Mapping[str, str]] = {
    "contractions": "share of what can be contracted that is: don't, it's",
    "numbers": "share of the number words that become digits",
    "abbreviations": "share of the words and phrases with a common abbreviation that get it",
    "reorder": "share of the pairs A and B that become B and A, outside clauses with a negation",
    "polite": "share of the texts that get a word of courtesy",
}


def _replaced(pattern: re.Pattern[str], by: Mapping[str, str], text: str, share: float, rng: random.Random) -> str:
    def changed(found: re.Match[str]) -> str:
        if rng.random() >= share:
            return found[0]
        return written_as(found[0], by[re.sub(r"\s+", " ", found[0].lower())])

    return pattern.sub(changed, text)


def _of(phrases: Mapping[str, str], after: str = r"(?![\w'’-])") -> re.Pattern[str]:
    """Any of these phrases as whole words, the longest first."""
    some = "|".join(re.escape(one).replace(r"\ ", r"\s+") for one in sorted(phrases, key=len, reverse=True))
    return re.compile(rf"(?<![\w'’-])(?:{some}){after}", re.IGNORECASE)


_COUNTS: Final = {word: digits for word, digits in NUMBERS.items() if word not in NO_COUNT}
_CONTRACTED: Final = _of(CONTRACTIONS, r"(?=\s+[^\W\d_])")
_NUMBERED: Final = _of(_COUNTS)
_ABBREVIATED: Final = _of(ABBREVIATIONS)
