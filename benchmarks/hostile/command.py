"""One small finished study to damage."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from autodc.testing.command import call
from autodc.testing.worlds.cells import write_world

SMALL = {"budget__trainings": 30, "loop__rounds": 1}


@functools.cache
def finished() -> Path:
    """The folder of a finished study, with its study file and its machine file beside it."""
    folder = Path(tempfile.mkdtemp(prefix="hostile-run-"))
    (folder / "machine.yaml").write_text("runner: inline\n")
    said = call("run", write_world(folder, **SMALL), "--machine", folder / "machine.yaml", "--out", folder / "out")
    assert said.code == 0, said.err
    return folder / "out"
