"""`on_finish` of a machine file: called when a study has ended by itself, without a shell, whatever it answers."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from autodc.errors import InputError, SpecError, SurroundingsError
from autodc.study.driver import Interrupted
from autodc.studyfile.study import MachineSpec
from autodc.verbs.releasing import releasing
from autodc.verbs.run import run

NOTE = """
import json, os, pathlib, sys
out = pathlib.Path(os.environ["AUTODC_OUT"])
seen = {"words": sys.argv[2:], "ended": os.environ["AUTODC_ENDED"], "result": (out / "result.json").exists()}
pathlib.Path(sys.argv[1]).write_text(json.dumps(seen))
"""
SHELL = "$(touch made) ; exit 1"


@pytest.fixture
def noting(tmp_path: Path) -> Any:
    """A machine whose program writes down how it was called, and what it wrote."""
    script, note = tmp_path / "note.py", tmp_path / "note.json"
    script.write_text(NOTE)

    def machine(**more: Any) -> MachineSpec:
        return MachineSpec(runner="inline", on_finish=(sys.executable, str(script), str(note), SHELL), **more)

    return machine, lambda: json.loads(note.read_text()) if note.exists() else None


def ends(machine: MachineSpec, folder: Path, error: Exception | None = None, stopped: bool = False) -> list[str]:
    """A run that ends with an error, or well; what was said."""
    said: list[str] = []
    with releasing(machine, folder, said.append, lambda: stopped):
        if error is not None:
            raise error
    return said


@pytest.mark.slow(seconds=4)
def test_it_is_the_last_thing_of_a_run_and_no_shell_reads_it(noting: Any, tmp_path: Path) -> None:
    from autodc.studyfile import load
    from autodc.testing.worlds.cells import write_world

    machine, note = noting
    small = {"budget__trainings": 14, "loop__rounds": 1, "search__trials_per_round": 2, "data__candidates": []}
    spec = load(write_world(tmp_path / "world", **small))
    assert run(spec, machine(), tmp_path / "out").to_dict()["finished"]
    assert note() == {"words": [SHELL], "ended": "finished", "result": True}
    assert not Path("made").exists()


@pytest.mark.parametrize(
    ("error", "stopped", "told_so", "ended"),
    [
        (None, False, False, "finished"),
        (Interrupted("the time was over"), False, False, "finished"),
        (Interrupted(), True, True, None),
        (SurroundingsError("ADC-DISK-003", "the disk refuses"), False, False, None),
        (SurroundingsError("ADC-DISK-003", "the disk refuses"), False, True, "surroundings"),
        (InputError("ADC-EXEC-022", "no trial fits"), False, True, None),
        (KeyError("a defect"), False, True, None),
    ],
)
def test_when_it_is_called(
    noting: Any, tmp_path: Path, error: Exception | None, stopped: bool, told_so: bool, ended: str | None
) -> None:
    machine, note = noting
    with nullcontext() if error is None else pytest.raises(type(error)):
        ends(machine(on_finish_after_failure=told_so), tmp_path, error, stopped)
    assert (note() or {}).get("ended") == ended


@pytest.mark.parametrize(
    ("code", "told"),
    [("import sys; sys.exit('no such cluster')", "it ended with 1: no such cluster"), ("input(); 1/0", "EOFError"),
     ("import time; time.sleep(3600)", "it took longer than 0.5 s")],
)  # fmt: skip
def test_what_goes_wrong_is_told_and_nothing_more(tmp_path: Path, code: str, told: str) -> None:
    said = ends(MachineSpec(on_finish=(sys.executable, "-c", code), on_finish_timeout=0.5), tmp_path)
    assert told in said[-1]


def test_no_password_of_its_arguments_is_told(tmp_path: Path) -> None:
    machine = MachineSpec(on_finish=(sys.executable, "-c", "import sys; sys.exit(sys.argv[1])", "http://me:s3cret@it"))
    assert "s3cret" not in " ".join(ends(machine, tmp_path))


def test_a_program_that_is_not_there_is_told_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        ends(MachineSpec(on_finish=("no-such-program",)), tmp_path, KeyError("done"))
    assert caught.value.code == "ADC-EXEC-026"
