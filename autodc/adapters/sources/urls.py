"""What a URL says of itself: its protocols in one spelling, and the path whose suffix tells the kind of file."""

from __future__ import annotations

import os
import re
from urllib.parse import unquote

URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+(::|://)")
CACHES = frozenset({"simplecache", "filecache", "blockcache", "cached"})
"""Protocols of fsspec that keep a copy; we keep one ourselves, which notices that the file has changed."""
WEB = frozenset({"http", "https"})


def is_remote(source: str) -> bool:
    """Whether a source is a URL."""
    return URL.match(source) is not None


def normal(url: str, folder: str) -> str:
    """The same URL with lower-case protocols, without caches and fragments, local files relative to a folder."""
    *chain, last = url.split("::")
    links = [_lower(link) for link in chain]
    links.append(_lower(last) if "://" in last else os.path.join(folder, os.path.expanduser(last)))
    return "::".join(link for link in links if link.partition("://")[0] not in CACHES)


def named_path(url: str) -> str:
    """The path of the file that a URL stands for, without query and fragment: its suffix counts."""
    links = url.split("::")
    first = next((link for link in links if "://" in link), links[-1])
    scheme, _, path = first.rpartition("://")
    if scheme not in WEB:
        return path
    return unquote(re.split(r"[?#]", path, maxsplit=1)[0])


def _lower(link: str) -> str:
    scheme, mark, rest = link.partition("://")
    scheme = scheme.lower()
    return scheme + mark + (rest.partition("#")[0] if scheme in WEB else rest)
