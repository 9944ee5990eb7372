"""The command as a person calls it, in this process."""

from __future__ import annotations

import contextlib
import io
import sys
from typing import NamedTuple

from autodc.cli import main


class Said(NamedTuple):
    """What a command gave."""

    code: int
    out: str
    err: str


def call(*words: object) -> Said:
    """Run `autodc WORDS`, which always ends by SystemExit; AssertionError where it does not."""
    out, err, argv = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["autodc", *map(str, words)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as end:
        return Said(int(end.code or 0), out.getvalue(), err.getvalue())
    finally:
        sys.argv = argv
    raise AssertionError("the command came back")
