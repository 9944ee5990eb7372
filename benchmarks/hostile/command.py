"""The command, in this process, and one small finished study to damage."""

from __future__ import annotations

import contextlib
import functools
import io
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from autodc.cli import main
from autodc.testing.worlds.cells import write_world

SMALL = {"budget__trainings": 30, "loop__rounds": 1}


class Said(NamedTuple):
    """What a command gave."""

    code: int
    out: str
    err: str


def call(*words: object) -> Said:
    """Run `autodc WORDS`."""
    out, err, argv = io.StringIO(), io.StringIO(), sys.argv
    sys.argv, code = ["autodc", *map(str, words)], 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.argv = argv
    return Said(code, out.getvalue(), err.getvalue())


@functools.cache
def finished() -> Path:
    """The folder of a finished study, with its study file and its machine file beside it."""
    folder = Path(tempfile.mkdtemp(prefix="hostile-run-"))
    (folder / "machine.yaml").write_text("runner: inline\n")
    said = call("run", write_world(folder, **SMALL), "--machine", folder / "machine.yaml", "--out", folder / "out")
    assert said.code == 0, said.err
    return folder / "out"
