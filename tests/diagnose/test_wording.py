"""Words that set texts apart are told, words that all have are not."""

from __future__ import annotations

from autodc.diagnose.wording import telling_words


def test_the_word_that_only_these_texts_have_comes_first() -> None:
    mine = [f"the battery of number {i} died" for i in range(20)]
    others = [f"the screen of number {i} is fine" for i in range(60)]
    words = telling_words(mine, others)
    assert set(words[:2]) == {"battery", "died"}
    assert not {"the", "of", "number", "screen"} & set(words)


def test_nothing_is_told_of_nothing_and_of_texts_alike() -> None:
    alike = ["all the same words here"] * 30
    assert telling_words(alike, alike) == []
    assert telling_words([], alike) == telling_words(alike, []) == []
