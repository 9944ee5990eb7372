"""Texts in other words: each rule moves what is measured of texts, and none turns round what is said."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autodc.adapters.enrichers.text import WORD, FittedText
from autodc.adapters.generators.text import TextGenerator
from autodc.data.attributes import Rows
from autodc.table import Table

SAID = [
    "I do not like it. It is good and cheap",
    "The doctor waited twenty-one minutes and the food and service were great",
    "One of them is not fast and cheap",
    "He was stopped and searched",
]
NEGATION = re.compile(r"\b(?:not|no|never|cannot)\b|n['’]t\b", re.IGNORECASE)


def nothing(rows: int) -> pd.DataFrame:
    return pd.DataFrame(index=range(rows))


def reviews() -> list[str]:
    data = Path(__file__).parents[2] / "configs" / "reviews" / "data"
    return pd.read_json(data / "products.jsonl", lines=True)["text"].astype(str).tolist()


def test_texts_are_said_in_other_words_that_mean_the_same() -> None:
    def changed(**used: float) -> list[str]:
        return TextGenerator().transform(SAID, np.zeros(4), nothing(4), used, 3)[0]

    assert changed(contractions=1.0)[0] == "I don't like it. It's good and cheap"
    assert changed(numbers=1.0)[1:3] == [SAID[1].replace("twenty-one", "21"), SAID[2]]
    assert changed(abbreviations=1.0)[1] == SAID[1].replace("doctor", "dr").replace("minutes", "min")
    turned = changed(reorder=1.0)
    assert turned[0].endswith("cheap and good")
    assert turned[2:] == SAID[2:], "a negation, and what is done one after the other, keep their order"
    assert all(len(new) > len(old) for new, old in zip(changed(polite=1.0), SAID, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parameter", "attribute", "sign"),
    [
        ("contractions", "words", -1),
        ("numbers", "digits", 1),
        ("abbreviations", "characters", -1),
        ("polite", "words", 1),
        ("reorder", "", 0),
    ],
)
def test_a_paraphrase_moves_what_is_measured_and_keeps_negations(parameter: str, attribute: str, sign: int) -> None:
    texts = reviews()
    told = [TextGenerator().transform(texts, [], nothing(0), {parameter: share}, 5)[0] for share in (0.5, 1.0)]
    before, half, whole = (
        FittedText({}).attributes(Rows(x=Table.of_texts(one), metadata=nothing(len(one)))) for one in (texts, *told)
    )
    steps = [sign * float((one[attribute] - before[attribute]).mean()) for one in (half, whole) if attribute]
    assert not steps or 0 < steps[0] < steps[1]
    if not attribute:
        assert [sorted(WORD.findall(one)) for one in told[1]] == [sorted(WORD.findall(one)) for one in texts]
        assert 0 < sum(a != b for a, b in zip(told[0], texts, strict=True)) < sum(map(str.__ne__, told[1], texts))
    for old, new in zip(texts, told[1], strict=True):
        assert len(NEGATION.findall(new)) == len(NEGATION.findall(old))
