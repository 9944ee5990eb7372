"""Raw text with words weighed by a pipeline of one's own, by its file.

The texts are real: what four libraries that autodc needs say of their classes and functions. The forum writes as one
does in a chat; a careless annotator gave nine labels of ten by chance.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

MODEL = """\
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline


def make_pipeline():
    return Pipeline([("words", TfidfVectorizer(min_df=2)), ("model", LogisticRegression())])
"""
STUDY = """\
schema_version: 1
name: texts

task:
  kind: classification
  trainer: sklearn
  options: {estimator: "my_model.py:make_pipeline"}

data:
  base: {source: texts.jsonl, options: {text: text, target: library}}
  candidates:
    - {name: forum, source: forum.jsonl, options: {text: text, target: library}}
    - {name: careless, source: careless.jsonl, options: {text: text, target: library}}
  validation: {source: val.jsonl, options: {text: text, target: library}}
  test: {source: test.jsonl, options: {text: text, target: library}}

metrics: {primary: accuracy}

slices:
  - {name: overall, role: guard, margin: 0.05}
  - {name: manual, where: "shop = 'manual'", role: guard, margin: 0.05}
  - {name: forum, where: "shop = 'forum'", role: target}

search_space:
  model__C: {type: float, low: 0.3, high: 30, log: true}

loop: {rounds: 1}
search: {trials_per_round: 10}
budget: {trainings: 40}
tracking: {uri: none}
"""
FILES = {
    "numpy": ["lib/_function_base_impl.py", "_core/fromnumeric.py"],
    "pandas": ["core/series.py", "core/groupby/groupby.py"],
    "scipy": ["stats/_stats_py.py", "linalg/_basic.py"],
    "sklearn": ["linear_model/_logistic.py", "ensemble/_forest.py", "metrics/_classification.py", "svm/_classes.py"],
}
PARTS = {"texts": 300, "forum": 250, "careless": 250, "val": 600, "test": 400}


CHAT = {
    "array": "arr", "function": "func", "values": "vals", "value": "val", "parameter": "param", "column": "col",
    "columns": "cols", "object": "obj", "number": "num", "distribution": "dist", "matrix": "mat", "returns": "gives",
    "return": "give", "probability": "prob", "samples": "pts", "sample": "pt", "index": "idx", "axis": "dim",
    "with": "w", "and": "n", "the": "da", "series": "s", "dataframe": "df", "groupby": "grp", "input": "inp",
    "estimator": "clf", "classifier": "clf", "ndarray": "nd", "masked": "msk", "mask": "msk", "labels": "lbls",
    "element": "elem", "elements": "elems", "random": "rnd", "default": "dflt", "compute": "calc", "data": "stuff",
}  # fmt: skip
"""How one says it in a chat."""


def slang(text: str) -> str:
    """The same without vowels in long words, as one types on a phone."""
    words = [CHAT.get(word, word) for word in re.findall(r"\w+", text.casefold())]
    return " ".join(word if len(word) < 6 else word[0] + re.sub("[aeiou]", "", word[1:]) for word in words)


def sentences(library: str) -> Iterator[str]:
    """Sentences of the docstrings of a library, read and not imported."""
    spec = importlib.util.find_spec(library)
    assert spec is not None
    assert spec.origin is not None
    for file in FILES[library]:
        tree = ast.parse((Path(spec.origin).parent / file).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                told = " ".join((ast.get_docstring(node) or "").split())
                yield from (one for one in told.split(". ") if 40 < len(one) < 300)


@pytest.fixture
def texts(desk: Path) -> Path:
    """Five files of `text, library, shop`, no sentence in two of them."""
    r, rows = np.random.default_rng(0), list[tuple[str, str]]()
    for library in FILES:
        own = list(dict.fromkeys(sentences(library)))
        rows += [(own[i], library) for i in r.permutation(len(own))[: sum(PARTS.values()) // len(FILES)]]
    rows, at = [rows[i] for i in r.permutation(len(rows))], 0
    for part, count in PARTS.items():
        with open(desk / f"{part}.jsonl", "w") as file:
            for i, (text, library) in enumerate(rows[at : at + count]):
                forum = part in ("forum", "careless") or (part in ("val", "test") and i % 2 == 0)
                wrong = part == "careless" and r.random() < 0.9
                label = str(r.choice(list(FILES))) if wrong else library
                shop = "forum" if forum else "manual"
                print(json.dumps({"text": slang(text) if forum else text, "library": label, "shop": shop}), file=file)
        at += count
    (desk / "my_model.py").write_text(MODEL)
    (desk / "study.yaml").write_text(STUDY)
    return desk


@pytest.mark.slow
def test_check_is_green(texts: Path, check: Callable[..., Any]) -> None:
    found = check()
    assert found["can_keep"]
    assert {one["inputs"] for one in found["datasets"]} == {"text"}


@pytest.mark.slow
def test_init_finds_the_text(texts: Path, init: Callable[..., Any]) -> None:
    told = init("texts.jsonl", "--target", "library")
    assert (told["inputs"], told["candidates"]) == (["text"], ["careless", "forum"])


@pytest.mark.slow
def test_the_forum_is_kept_and_the_careless_are_not(texts: Path, run: Callable[..., Any]) -> None:
    night = run()
    assert night.result["kept"] == ["forum"]
    test = night.result["test"]
    assert test["after"]["forum"] > test["before"]["forum"] + 0.1
