"""What the site has beside the pages of this folder; a hook of mkdocs.

README, CHANGELOG, CONTRIBUTING and the page of the examples are pages of it as they stand. A link to a file that is no
page becomes the name of the file.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

BESIDE = {
    "index.md": "README.md",
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "examples.md": "configs/README.md",
}
"""Page of the site → file of the project."""
DECISIONS = "decisions/"
PICTURES = "build/screenshots"
"""Where the tests of `tests/screens` keep what they saw, below the project."""

_LINK = re.compile(r"\[(?P<words>[^\]]*)\]\((?P<target>[^)\s#]*)(?P<rest>[^)]*)\)")
_TITLE = re.compile(r"^# (.+)$", re.MULTILINE)


def on_files(files: Files, config: Any) -> Files:
    """Add what lies beside this folder, and a list of the decisions."""
    root = posixpath.dirname(config.docs_dir)
    for page, path in BESIDE.items():
        with open(posixpath.join(root, path), encoding="utf-8") as file:
            files.append(File.generated(config, page, content=file.read()))
    _add_pictures(files, config, Path(root, PICTURES))
    made = sorted(f.src_uri for f in files.documentation_pages() if f.src_uri.startswith(DECISIONS))
    titles = {uri: _TITLE.search(files.src_uris[uri].content_string) for uri in made}
    lines = [f"- [{title[1] if title else uri}]({posixpath.basename(uri)})" for uri, title in titles.items()]
    listing = "# Decisions\n\nWhat was decided, on what evidence, and what would change it.\n\n" + "\n".join(lines)
    files.append(File.generated(config, f"{DECISIONS}index.md", content=f"{listing}\n"))
    return files


def _add_pictures(files: Files, config: Any, folder: Path) -> None:
    """A page of the pictures that the last test run made, if there are any: none are kept with the project."""
    found = sorted(folder.glob("*.png"))
    parts = [f"## {path.stem.replace('-', ' ')}\n\n![{path.stem}](pictures/{path.name})\n" for path in found]
    none = "There are none: `make test-slow TESTS=tests/screens` makes them, then `make site`.\n"
    content = "\n".join(
        ["# What it looks like\n", "A small study of digits, as the tests saw it.\n", *(parts or [none])]
    )
    files.append(File.generated(config, "pictures.md", content=content))
    for path in found:
        files.append(File.generated(config, f"pictures/{path.name}", abs_src_path=str(path)))


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Turn links as they are in the project into those of the site."""
    here = posixpath.dirname(BESIDE.get(page.file.src_uri, f"docs/{page.file.src_uri}"))
    pages = {path: uri for uri, path in BESIDE.items()}

    def linked(match: re.Match[str]) -> str:
        target, words, rest = match["target"], match["words"], match["rest"]
        if not target or "://" in target or target.startswith(("mailto:", "#")):
            return match[0]
        path = posixpath.normpath(posixpath.join(here, target))
        uri = pages.get(path) or path.removeprefix("docs/")
        if files.get_file_from_path(uri) is None or (uri == path and path not in pages):
            return words if words.startswith("`") or path.endswith(words.strip("`")) else f"{words} (`{path}`)"
        start = posixpath.dirname(page.file.src_uri)
        return f"[{words}]({posixpath.relpath(uri, start or '.')}{rest})"

    return _LINK.sub(linked, markdown)
