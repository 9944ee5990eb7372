"""What a person asks of a run under way, in a file of its folder: to pause, to go on, to train more or fewer at once.

A file and no signal: it reaches a run on another machine that shares the disk, and stays while nobody listens. A pause
holds until it is taken back, also for the next run in the folder; a number of slots is for the run that it was asked
of. The file says only when trainings begin; what is decided does not depend on it.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import final

from autodc.files import disk_told, write_whole

CONTROL = "control.json"
"""Its name in the folder of a study."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked."""

    id: str = ""
    """By which the journal answers."""
    paused: bool = False
    """Whether nothing is to begin."""
    slots: int | None = None
    """Trainings at once; None: as many as there is room for."""


@final
class Control:
    """The file of one folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / CONTROL
        self._stamp: tuple[int, int, int] | None = None

    def ask(self, *, paused: bool | None = None, slots: int | None = None) -> Wish:
        """Ask for one or the other, the rest stays as it was asked; the wish as it is now.

        Raises SurroundingsError where the disk refuses.
        """
        known = self.wish()
        wish = replace(
            known,
            id=secrets.token_hex(8),
            paused=known.paused if paused is None else paused,
            slots=known.slots if slots is None else slots,
        )
        self.write(wish)
        return wish

    def write(self, wish: Wish) -> None:
        """Ask for this and nothing else. Raises SurroundingsError where the disk refuses."""
        with disk_told(self._path):
            write_whole(self._path, json.dumps(asdict(wish)) + "\n")

    def wish(self) -> Wish:
        """What is asked now; nothing where there is no file, or one that nobody of ours wrote."""
        try:
            told = json.loads(self._path.read_bytes())
            paused, slots = told["paused"], told["slots"]
            if not isinstance(paused, bool) or not (slots is None or type(slots) is int):
                return Wish()
            return Wish(id=str(told["id"]), paused=paused, slots=slots)
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return Wish()

    def begin(self) -> None:
        """Forget what was asked of a run before; a pause is still asked for."""
        wish = self.wish()
        if wish.paused:
            self.write(replace(wish, slots=None))
        else:
            self._path.unlink(missing_ok=True)

    def news(self) -> Wish | None:
        """The wish, where the file is another than at the last call; the file is not read for it otherwise."""
        try:
            seen = os.stat(self._path)
        except OSError:
            return None
        stamp = seen.st_ino, seen.st_mtime_ns, seen.st_size
        if stamp == self._stamp:
            return None
        self._stamp = stamp
        return self.wish()
