"""The command as a person calls it, in this process, and one finished study to look at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from autodc.testing.command import Said, call
from autodc.testing.worlds.cells import write_world

SMALL = {"budget__trainings": 30, "loop__rounds": 1, "gate__evidence": "each", "data__explore_share": 0}
"""Too small a night to weigh evidence together: `lamps` is kept, by a decision of its own."""


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
