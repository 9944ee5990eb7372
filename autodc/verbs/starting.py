"""The workers of a new run, started before the rest of it is imported: Ray takes seconds, beside which data are read.

Light to import: nothing but the study file need have been read.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self, final

from autodc.adapters.executors import open_executor
from autodc.adapters.executors.prints import LOGS
from autodc.adapters.journal_file import JOURNAL

if TYPE_CHECKING:
    from autodc.studyfile.study import MachineSpec, StudySpec
    from autodc.trial.executor import Executor

LOOK_SECONDS = 0.1
_PRIVATE = 0o700


def folder_of(spec: StudySpec, out: str | os.PathLike[str] | None) -> Path:
    """The folder of a run: the one that is named, else `runs/NAME`."""
    return Path(out if out is not None else Path("runs") / spec.name).absolute()


@final
class Ahead:
    """The executor of a run whose folder is new, while it starts; of any other run none is started.

    To be closed, as a context manager: an executor that nobody has taken is ended, and of a folder that came to hold no
    journal nothing stays.
    """

    def __init__(self, machine: MachineSpec, folder: Path) -> None:
        self._folder = folder
        self._opened: Future[Executor] = Future()
        self._notice: Callable[[str], None] = lambda words: None
        self._closing = threading.Event()
        ours = machine.runner != "inline" and machine.address is None
        self._made = _made(folder) if ours else ()
        self._left = bool(self._made)
        if self._made:
            threading.Thread(target=self._open, args=(machine,), name="ahead", daemon=True).start()

    def take(self, notice: Callable[[str], None], stop: Callable[[], bool]) -> Executor | None:
        """The executor, which belongs to the caller now; None where none was started. Raises as `open_executor` does.

        notice: told what it meets from now on; stop: asked while it starts.
        """
        if not self._left:
            return None
        self._notice, self._left = notice, False
        while not wait([self._opened], LOOK_SECONDS).done:
            if stop():
                self._closing.set()
        return self._opened.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        if self._left:
            self._left = False
            if self._opened.exception() is None:
                self._opened.result().close()
        if self._made and not (self._folder / JOURNAL).exists():
            shutil.rmtree(self._folder, ignore_errors=True)
            for above in self._made[1:]:
                with suppress(OSError):
                    above.rmdir()

    def _open(self, machine: MachineSpec) -> None:
        try:
            logs = str(self._folder / LOGS)
            executor = open_executor(machine, log_folder=logs, notice=self._say, stop=self._closing.is_set)
            self._opened.set_result(executor)
        except BaseException as error:  # raised where the executor is taken
            self._opened.set_exception(error)

    def _say(self, words: str) -> None:
        self._notice(words)


def _made(folder: Path) -> tuple[Path, ...]:
    """Make the folder, for its owner alone, and say what was made, from below; nothing where it was there.

    Where the disk refuses it nothing is said: whoever writes the journal will be told.
    """
    new = tuple(one for one in (folder, *folder.parents) if not one.exists())
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(_PRIVATE)
    except OSError:
        return ()
    return new
