"""What a diagnosis looks with is there before it: loaded beside the first trainings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from autodc.testing.worlds.cells import write_world

PROGRAM = """
import sys
import autodc
from autodc.studyfile import load
from autodc.studyfile.study import MachineSpec
from autodc.wire.diagnosis import load_beside

load_beside().join()
before = set(sys.modules)
autodc.run(load(sys.argv[1]), MachineSpec(runner="inline"), sys.argv[2])
print(*sorted(name for name in set(sys.modules) - before if name.split(".")[0] in ("sklearn", "scipy")))
"""


@pytest.mark.slow(seconds=6)
def test_a_run_loads_nothing_of_it_later(tmp_path: Path) -> None:
    study = write_world(tmp_path, loop__rounds=1, budget__trainings=30)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(study), str(tmp_path / "out")], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
