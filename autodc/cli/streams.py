"""Characters that a terminal, a pipe or a log can show, whatever its encoding."""

from __future__ import annotations

import codecs
import io
import os
import sys
import unicodedata

_PLAIN = {
    "…": "...",
    "−": "-",
    "–": "-",
    "—": "-",
    "×": "x",
    "±": "+-",
    "·": "-",
    "•": "*",
    "→": "->",
    "≤": "<=",
    "≥": ">=",
    "≈": "~",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    "\u00a0": " ",
    "\u202f": " ",
}
_HANDLER = "autodc.plain"


def plain_streams() -> None:
    """Let stdout and stderr write what their encoding lacks in plain characters, instead of failing at the last line.

    ASCII, Latin-1 and the like come from LC_ALL=C, PYTHONIOENCODING or an old terminal.
    """
    codecs.register_error(_HANDLER, _plainly)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def echo(text: str, *, err: bool = False) -> None:
    """Print a line. `click.echo` writes UTF-8 to a stream that says it is ASCII."""
    print(text, file=sys.stderr if err else sys.stdout, flush=True)


def nobody_reads() -> None:
    """Write the rest to nowhere: the reader of a pipe has left, as `head` does when it has seen enough."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


def _plainly(error: UnicodeError) -> tuple[str | bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    return "".join(_spelled(c) for c in error.object[error.start : error.end]), error.end


def _spelled(character: str) -> str:
    """A character in ASCII: its plain form, the letter below its accent, or its code."""
    if character in _PLAIN:
        return _PLAIN[character]
    letters = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return letters or (
        "?" if unicodedata.category(character)[0] in "SC" else character.encode("unicode_escape").decode()
    )
