"""Names that come from data, in every page: they are text there, and nothing of a browser's."""

from __future__ import annotations

import functools
import json
import tempfile
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hypothesis import strategies as st

from autodc.adapters.journal import JOURNAL, open_for_reading
from autodc.report import live
from autodc.report.findings import nothing
from autodc.report.notebook import result_html
from autodc.report.page import render
from autodc.report.requests import write_requests
from autodc.review.result import result
from autodc.study.journal.codec import from_dict
from autodc.study.journal.fold import fold
from benchmarks.hostile.command import finished
from benchmarks.hostile.target import TAKEN
from benchmarks.hostile.texts import names

KNOWN = ("lamps", "wrong", "copies", "bright", "dark", "world", "region")
FREE = ("warnings", "error", "command", "notes", "got", "source", "tags", "environment")
"""Keys of events under which any words may stand. The study file takes plain names alone, and stays as it is."""
cases = st.fixed_dictionaries({**dict.fromkeys(KNOWN, names), "words": names})


class Seen(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note it."""
        self.text += data


def check(case: dict[str, str], folder: Path) -> str:
    """The page, the notebook's view, the live frame and the sheets for people have the tags that they have of plain
    names, and their links lead to the page itself, to the web's own schemes, or hold data.
    """
    new = dict(zip(KNOWN, _apart([case[name] for name in KNOWN]), strict=True))
    for page, plain in zip(_pages(new, case["words"], folder), _plain(), strict=True):
        seen = Seen(page)
        assert tags(seen) == plain, tags(seen) - plain
        for tag, attributes in seen.tags:
            for name in ("href", "src", "xlink:href", "action"):
                scheme = urlsplit(attributes.get(name) or "").scheme
                assert scheme in ("", "data", "http", "https"), (tag, attributes)
    return TAKEN


def tags(seen: Seen) -> Counter[tuple[str, frozenset[str]]]:
    """How often a page has each tag with these attributes; `code` apart: what stands between backticks is set so."""
    return Counter((tag, frozenset(attributes)) for tag, attributes in seen.tags if tag != "code")


@functools.cache
def _plain() -> list[Counter[tuple[str, frozenset[str]]]]:
    with tempfile.TemporaryDirectory() as folder:
        pages = _pages({name: f"{name} plain" for name in KNOWN}, "plain words", Path(folder))
    return [tags(Seen(page)) for page in pages]


def _pages(new: dict[str, str], words: str, folder: Path) -> list[str]:
    state = fold(from_dict(kind, version, _named(payload, new, words)) for kind, version, payload in _events())
    content = result(state)
    write_requests(state, folder, nothing)
    return [render(state, content, folder=words), result_html(content, words), live.shell(new["world"])]


@functools.cache
def _events() -> list[tuple[str, int, dict[str, Any]]]:
    with open_for_reading(finished() / JOURNAL) as journal:
        return [(event.kind, event.version, json.loads(json.dumps(event.to_dict()))) for _, event in journal.read()]


def _apart(found: list[str]) -> list[str]:
    """The same, no two of them equal."""
    return [name if name not in found[:at] else f"{name} {at}" for at, name in enumerate(found)]


def _named(value: Any, new: dict[str, str], words: str, key: str = "") -> Any:
    if isinstance(value, dict):
        return {
            new.get(name, name): one if name == "spec" else _named(one, new, words, name) for name, one in value.items()
        }
    if isinstance(value, list):
        return [_named(one, new, words, key) for one in value]
    if isinstance(value, str):
        if key in FREE and value:
            return words
        parts = value.split("+")
        return "+".join(new.get(part, part) for part in parts)
    return value
