"""Texts that are the same but for a few words: found by MinHash, then compared word by word."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodc.data.hashing import batches
from autodc.table import Inputs, Table

Array = np.ndarray[Any, Any]

ALIKE = 0.7
"""Words and pairs of words that two near copies share, of all that either has (Jaccard): one word in 12 is another, or
two in 22."""
WORDS = 6
"""Shorter texts are like others by chance."""
BANDS, IN_BAND = 20, 4
"""Two texts are compared where all IN_BAND least numbers of one band are equal: at a likeness of ALIKE 99.6 of 100
pairs are, at a quarter 7 of 100."""
CROWD = 32
"""A text is compared with at most so many of one band."""
PAIRS = 16_384
"""So many pairs are compared at a time."""
BUCKETS = 2**31 - 1


def near_texts(
    known: Inputs, known_signs: Inputs, first: Array, asked: Inputs, asked_signs: Inputs, wanted: Array
) -> tuple[Array, Array]:
    """The most like of the known texts of each wanted one and how unlike it is (0 … 1 − ALIKE), −1 where none is alike.

    first, wanted: positions of the known texts that are looked at, and of the asked ones, rising.
    """
    rows, distances = np.full(len(wanted), -1), np.full(len(wanted), np.inf)
    sought, there = _pairs(np.asarray(known_signs[first]), np.asarray(asked_signs[wanted]))
    there = first[there]
    for start in range(0, len(sought), PAIRS):
        some, others = sought[start : start + PAIRS], there[start : start + PAIRS]
        unlike = _unlike(asked, wanted[some], known, others)
        order = np.lexsort((others, unlike))
        best = order[np.unique(some[order], return_index=True)[1]]
        closer = best[(unlike[best] <= 1 - ALIKE) & (unlike[best] < distances[some[best]])]
        rows[some[closer]], distances[some[closer]] = others[closer], unlike[closer]
    return rows, distances


def alike_texts(texts: Inputs, signs: Inputs, first: Array) -> tuple[Array, Array]:
    """Texts that are an earlier one but for a few words, and the most like of these; shape (k,), each text once.

    first: positions of the texts that are looked at, rising; signs: their signatures.
    """
    sought, there = _pairs(*[np.asarray(signs[first])] * 2)
    later = there < sought
    some, others = first[sought[later]], first[there[later]]
    unlike = [
        _unlike(texts, some[at : at + PAIRS], texts, others[at : at + PAIRS]) for at in range(0, len(some), PAIRS)
    ]
    away = np.concatenate(unlike) if unlike else np.zeros(0)
    order = np.lexsort((others, away))
    best = order[np.unique(some[order], return_index=True)[1]]
    best = best[away[best] <= 1 - ALIKE]
    return some[best], others[best]


def signatures(texts: Inputs) -> Array:
    """One number a band, shape (n, BANDS), equal where texts are likely alike; 0 for short texts."""
    rng = np.random.default_rng(0)
    factors, shifts = rng.integers(0, 2**63, (2, BANDS * IN_BAND), dtype=np.uint64)
    factors |= np.uint64(1)
    signs = np.zeros((len(texts), BANDS), dtype=np.uint64)
    for start, part in batches(texts):
        counts = _counted(part)
        long = np.flatnonzero(np.diff(counts.indptr) >= 2 * WORDS - 1)
        if not len(long):
            continue
        counts = counts[long]
        words, starts = _mixed(counts.indices.astype(np.uint64)), counts.indptr[:-1]
        for turn, (factor, shift) in enumerate(zip(factors, shifts, strict=True)):
            least = np.minimum.reduceat(words * factor + shift, starts)
            band = turn // IN_BAND
            signs[start + long, band] = _mixed(signs[start + long, band] + least)
    return signs


def _pairs(known: Array, asked: Array) -> tuple[Array, Array]:
    """Positions of asked and of known texts that have a band in common, each pair once."""
    sought, there = [], []
    for band in range(BANDS):
        order = np.argsort(known[:, band], kind="stable")
        keys, wanted = known[order, band], asked[:, band]
        left, right = (np.searchsorted(keys, wanted, side) for side in ("left", "right"))
        counts = np.where(wanted == 0, 0, np.minimum(right - left, CROWD))
        rows = np.repeat(np.arange(len(asked)), counts)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        sought.append(rows)
        there.append(order[left[rows] + within])
    both = np.unique(np.stack([np.concatenate(sought), np.concatenate(there)], axis=1), axis=0)
    return both[:, 0], both[:, 1]


def _unlike(asked: Inputs, rows: Array, known: Inputs, others: Array) -> Array:
    """One minus the share of words and pairs of words that pairs of texts have in common."""
    some, back = np.unique(rows, return_inverse=True)
    few, there = np.unique(others, return_inverse=True)
    one, two = _counted(asked[some])[back], _counted(known[few])[there]
    common = np.asarray(one.multiply(two).sum(axis=1)).ravel()
    every = np.diff(one.indptr) + np.diff(two.indptr) - common
    return np.asarray(1 - common / np.maximum(every, 1))


def _counted(texts: Inputs) -> Any:
    """Words and pairs of words of each text, a sparse matrix of ones."""
    assert isinstance(texts, Table)
    from sklearn.feature_extraction.text import HashingVectorizer

    turn = HashingVectorizer(
        n_features=BUCKETS,
        ngram_range=(1, 2),
        binary=True,
        norm=None,
        alternate_sign=False,
        token_pattern=r"(?u)\b\w+\b",
    )
    return turn.transform(texts.texts())


def _mixed(word: Array) -> Array:
    """64 well mixed bits (splitmix64)."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        word = (word ^ (word >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(word ^ (word >> np.uint64(31)))
