"""Machines released at the end: the program that a machine file names for it is called, whatever it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from autodc.adapters.calling import call, is_program
from autodc.errors import SpecError, SurroundingsError
from autodc.masking import masked
from autodc.study.driver import Interrupted
from autodc.studyfile.study import MachineSpec

FOLDER = "AUTODC_OUT"
"""Environment variable by which the program is told the folder of the study."""
ENDED = "AUTODC_ENDED"
"""The one by which it is told how: `finished`, or `surroundings` after exit 3."""


@contextmanager
def releasing(
    machine: MachineSpec, folder: Path, say: Callable[[str], None], stop: Callable[[], bool]
) -> Iterator[None]:
    """Call `on_finish` of the machine file when the block has ended by itself, the last thing of a run.

    So it does where the study is finished or its time is over, and where the machine file says so after a
    SurroundingsError; not where somebody stopped it, and not where the input is wrong. What the program does never
    changes how the run ends; a failure is told. Raises SpecError ADC-EXEC-026 at once where there is no such program.
    """
    if machine.on_finish and not is_program(machine.on_finish[0]):
        raise SpecError(
            "ADC-EXEC-026",
            "there is no such program",
            "machine file: on_finish",
            masked(machine.on_finish[0]),
            "give a program that is in PATH or its whole path, then its arguments, each an item of the list",
        )
    try:
        yield
    except SurroundingsError:
        if machine.on_finish_after_failure and not stop():
            _release(machine, folder, "surroundings", say, stop)
        raise
    except Interrupted:
        if not stop():  # the time was over
            _release(machine, folder, "finished", say, stop)
        raise
    _release(machine, folder, "finished", say, stop)


def _release(
    machine: MachineSpec, folder: Path, ended: str, say: Callable[[str], None], stop: Callable[[], bool]
) -> None:
    if not machine.on_finish:
        return
    program = machine.on_finish[0]
    say(f"calling {program} (on_finish)")
    problem = call(
        machine.on_finish,
        b"",
        machine.on_finish_timeout,
        environment={FOLDER: str(folder), ENDED: ended},
        stop=stop,
    )
    if problem:
        say(f"on_finish: {program} failed, its machines may still run: {masked(problem)}")
