"""Sentiment of short texts of four domains (Hutto and Gilbert 2014, in the sdist of vaderSentiment 3.3.2).

Base: snippets of film reviews. On offer: products, tweets, editorials; `_auto`: labelled by the lexicon of the package;
`movie_one_rater`: one crowd worker in place of twenty. The encoding is fitted once on the texts on offer, without
labels; the learner is deterministic.
"""

from __future__ import annotations

import re
import sys
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.real.case import Case, Rows, Term
from benchmarks.real.learners import LINEAR_SPACE, linear

FILES = {
    "movie": "movieReviewSnippets",
    "amazon": "amazonReviewSnippets",
    "tweet": "tweets",
    "nyt": "nytEditorialSnippets",
}
CUTS = {
    "movie": {"base": 1500, "movie_more": 1500, "movie_one_rater": 1200, "pool": 1200, "tune": 600},
    "amazon": {"amazon": 700, "amazon_auto": 600, "pool": 750, "tune": 300},
    "tweet": {"tweets": 800, "tweets_auto": 700, "pool": 800, "tune": 300},
    "nyt": {"nyt": 800, "nyt_auto": 600, "pool": 800, "tune": 300},
}
COMPONENTS = 150
TERMS = (
    Term(name="overall", role="guard", margin=0.02),
    Term(name="movie", role="guard", margin=0.03),
    *(Term(name=name, role="target") for name in ("amazon", "tweet", "nyt")),
)


def build(folder: Path) -> Case:
    """Build the case from the unpacked sdist."""
    archive = next(folder.rglob("hutto_ICWSM_2014.tar.gz"))
    root = archive.parent.parent
    sys.path.insert(0, str(root))
    try:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
    finally:
        sys.path.remove(str(root))
    tool = SentimentIntensityAnalyzer()
    return made(_read(archive), tool.polarity_scores)


def snippets(folder: Path) -> pd.DataFrame:
    """All snippets of which people were sure: domain, mean rating, text, ratings, and y, whether it is kind."""
    return _told(_read(next(folder.rglob("hutto_ICWSM_2014.tar.gz")))).reset_index(drop=True)


def rated(folder: Path) -> Case:
    """The same without the labels that no person gave."""
    automatic = ("amazon_auto", "tweets_auto", "nyt_auto")
    return build(folder).without(*automatic, called="text_rated", title="the same without automatic labels")


def made(table: pd.DataFrame, polarity: Callable[[str], dict[str, float]], scale: float = 1.0) -> Case:
    """Build the case from domain, mean rating, text and ratings of each snippet."""
    table = _told(table)
    table = table.iloc[np.random.default_rng(7).permutation(len(table))].reset_index(drop=True)
    parts: dict[str, list[pd.DataFrame]] = {}
    for domain, cuts in CUTS.items():
        left = table[table.domain == domain]
        for name, count in cuts.items():
            cut, left = left.iloc[: int(count * scale)].copy(), left.iloc[int(count * scale) :]
            if name.endswith("_auto"):
                cut["y"] = [int(polarity(text)["compound"] > 0) for text in cut.text]
            if name == "movie_one_rater":
                cut["y"] = _one_rater(cut)
            parts.setdefault(name, []).append(cut)
        parts.setdefault("held", []).append(left)
    frames = {name: pd.concat(cuts, ignore_index=True) for name, cuts in parts.items()}
    offered = [name for name in frames if name not in ("pool", "tune", "held")]
    encode = _encoder([text for name in offered for text in frames[name].text])
    rows = {name: _rows(frame, encode) for name, frame in frames.items()}
    return Case(
        name="text",
        title="sentiment of four domains; base: film reviews; deterministic learner",
        kind="classification",
        metric="accuracy",
        terms=TERMS,
        space=LINEAR_SPACE,
        learner=linear,
        base=rows["base"],
        candidates={name: rows[name] for name in offered if name != "base"},
        pool=rows["pool"],
        tune=rows["tune"],
        held=rows["held"],
        rows=int(2_000 * scale),
        classes=2,
    )


def _told(table: pd.DataFrame) -> pd.DataFrame:
    table = table[table["mean"].abs() > 0.3].drop_duplicates("text")
    return table.assign(y=(table["mean"] > 0).astype(np.int64))


def _read(archive: Path) -> pd.DataFrame:
    with tarfile.open(archive) as opened:
        texts = {
            Path(member.name).name: content.read().decode("latin1").split("\n")
            for member in opened.getmembers()
            if member.name.endswith(".txt") and (content := opened.extractfile(member))
        }
    found = []
    for domain, name in FILES.items():
        ratings = {}
        for line in texts[f"{name}_anonDataRatings.txt"]:
            cells = line.rstrip("\r").split("\t")
            if len(cells) > 3:
                listed = cells[-1] if "[" in cells[-1] else cells[3]
                ratings[cells[0]] = [int(v) for v in re.findall(r"-?\d+", listed)]
        for line in texts[f"{name}_GroundTruth.txt"]:
            if line.strip():
                number, mean, text = line.rstrip("\r").split("\t", 2)
                found.append((domain, float(mean), text, ratings.get(number, [])))
    return pd.DataFrame(found, columns=["domain", "mean", "text", "ratings"])


def _one_rater(cut: pd.DataFrame) -> list[int]:
    """One crowd worker's word; neutral counts as negative."""
    pairs = zip(cut.ratings, cut.y, strict=True)
    return [int(np.random.default_rng([k, 5]).choice(r) > 0) if len(r) else int(y) for k, (r, y) in enumerate(pairs)]


def _encoder(texts: Sequence[str]) -> Callable[[Sequence[str]], np.ndarray]:
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    found = words.fit_transform(texts)
    space = TruncatedSVD(min(COMPONENTS, found.shape[1] - 1), random_state=0).fit(found)
    return lambda more: space.transform(words.transform(more)).astype(np.float32)


def _rows(frame: pd.DataFrame, encode: Callable[[Sequence[str]], np.ndarray]) -> Rows:
    slices = {domain: (frame.domain == domain).astype(np.int64) for domain in CUTS}
    return Rows(x=encode(list(frame.text)), y=frame.y.to_numpy(np.int64), meta=pd.DataFrame(slices))
