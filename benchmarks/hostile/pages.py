"""Names that come from data, in every page: they are text there, and nothing of a browser's."""

from __future__ import annotations

import functools
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hypothesis import strategies as st

from autodc.adapters.journal import JOURNAL, open_for_reading
from autodc.report import live
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
ACTIVE = {
    "script",
    "img",
    "iframe",
    "object",
    "embed",
    "base",
    "form",
    "link",
    "input",
    "button",
    "video",
    "audio",
    "meta",
}
ALLOWED = {"meta"}
STYLE = re.compile(r"(?!.*url)[\w:;.,%#/ ()-]*")


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
    """The page, the notebook's view, the live frame and the sheets for people hold the names as text alone."""
    new = dict(zip(KNOWN, _apart([case[name] for name in KNOWN]), strict=True))
    state = fold(from_dict(kind, version, _named(payload, new, case["words"])) for kind, version, payload in _events())
    content = result(state)
    for page in (
        render(state, content, folder=case["words"]),
        result_html(content, case["words"]),
        live.shell(new["world"]),
    ):
        harmless(page)
    write_requests(state, folder)
    return TAKEN


def harmless(page: str) -> None:
    """Nothing in a page runs or loads; a link leads to the page itself, to the web's own schemes, or holds data."""
    for tag, attributes in Seen(page).tags:
        assert tag not in ACTIVE - ALLOWED or (tag == "script" and attributes.keys() == {"src", "defer"}), (
            tag,
            attributes,
        )
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name, value)
            assert name not in ("srcdoc", "srcset", "formaction"), (tag, name, value)
            assert name != "style" or STYLE.fullmatch(value or ""), (tag, name, value)
            if name in ("href", "src", "xlink:href", "action"):
                assert urlsplit(value or "").scheme in ("", "data", "http", "https"), (tag, name, value)


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
