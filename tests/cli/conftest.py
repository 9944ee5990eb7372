"""The command as a person calls it, in this process, and one finished study to look at."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from autodc.cli import main
from autodc.testing.worlds.cells import write_world

SMALL = {"budget__trainings": 30, "loop__rounds": 1, "gate__evidence": "each", "data__explore_share": 0}
"""Too small a night to weigh evidence together: `lamps` is kept, by a decision of its own."""


class Said(NamedTuple):
    """What a command gave."""

    code: int
    out: str
    err: str


def call(*words: object) -> Said:
    """Run `autodc WORDS`."""
    out, err, argv = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["autodc", *map(str, words)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as end:
            main()
    finally:
        sys.argv = argv
    return Said(int(end.value.code or 0), out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def autodc() -> Callable[..., Said]:
    return call


@pytest.fixture(scope="session")
def inline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A machine file that trains in the process of the command."""
    path = tmp_path_factory.mktemp("machine") / "inline.yaml"
    path.write_text("runner: inline\n")
    return path


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, inline: Path) -> tuple[Path, Path, Said]:
    """The study file and folder of a finished study, and what `run --json` said."""
    folder = tmp_path_factory.mktemp("finished")
    study = write_world(folder, **SMALL)
    said = call("run", study, "--machine", inline, "--out", folder / "out", "--json")
    assert said.code == 0, said.err
    return study, folder / "out", said
