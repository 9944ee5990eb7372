"""What a URL says of itself: its protocols in one spelling, and the path whose suffix tells the kind of file."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

LINK = re.compile(r"^(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+)(?P<rest>://.*|)$", re.DOTALL)
URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+(::|://)")
CACHES = frozenset({"simplecache", "filecache", "blockcache", "cached"})
"""Protocols of fsspec that keep a copy; we keep one ourselves, which notices that the file has changed."""
WEB = frozenset({"http", "https"})


def is_remote(source: str) -> bool:
    """Whether a source is a URL."""
    return URL.match(source) is not None


def normal(url: str, folder: str) -> str:
    """The same URL with lower-case protocols, without caches and fragments, local files relative to a folder."""
    links = []
    for link in url.split("::"):
        found = LINK.match(link)
        if found is None:  # the file that an archive of a chain lies in
            links.append(str(Path(folder, Path(link).expanduser())) if links and link else link)
            continue
        scheme = found["scheme"].lower()
        if scheme in CACHES:
            continue
        rest = found["rest"].partition("#")[0] if scheme in WEB else found["rest"]
        links.append(scheme + rest)
    return "::".join(links)


def named_path(url: str) -> str:
    """The path of the file that a URL stands for, without query and fragment: its suffix counts."""
    (first, *_) = (link for link in url.split("::") if "://" in link or LINK.match(link) is None)
    scheme, _, path = first.rpartition("://")
    if scheme not in WEB:
        return path
    return unquote(re.split(r"[?#]", path, maxsplit=1)[0])
