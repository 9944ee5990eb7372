"""What autodc raises, and the exit code each kind ends the command with.

    AutodcError                  1  a defect of ours
    ├── InputError               2  something a person gave is wrong
    │   ├── SpecError               the study, search-space or machine file
    │   ├── DataError               a source, a slice, an overlap
    │   └── Problems                several of them, reported together
    ├── SurroundingsError        3  disk, server or cluster; the same command resumes
    │   └── ArtefactLost            what a training left, which is then trained again
    ├── ConditionError           4  a demanded condition was not met
    └── StatsError               1  a formula was handed values it is not defined for

Every message says what is wrong, where, what was found and how to mend it, without secrets. Codes are never reused.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable
from typing import ClassVar, final

from autodc.masking import masked_said

SHOWN = 20
"""So many problems of one input are told one by one."""

INTERRUPTED = 130
"""Exit code of a command that was interrupted; the same command goes on."""
DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG})
"""What the system says of a disk that refuses: the surroundings failed, not the study."""

_SPOT = re.compile(r"(?P<file>[^\n]+?):(?P<line>\d+):(?P<column>\d+)(?=: | |$)")
"""How a place begins that is in a file."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Characters that would make a terminal do something; lines and tabs are none."""


class AutodcError(Exception):
    """Base of everything raised on purpose.

    code: `ADC-AREA-NNN`; problem: what is wrong, one sentence; place: file, line and key;
    got: what was found there; hint: how to mend it. All are positional, so they survive pickling.
    """

    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False

    def __init__(self, code: str, problem: str, place: str = "", got: str = "", hint: str = "") -> None:
        super().__init__(code, problem, place, got, hint)
        self.code, self.problem, self.place, self.got, self.hint = code, problem, place, got, hint

    @property
    def brief(self) -> str:
        """What is wrong and what was found, for a note that has a place and a code of its own."""
        return f"{self.problem}: {self.got}" if self.got else self.problem

    def __str__(self) -> str:
        place = self.place.replace("\n", "\\n")
        head = f"{place}: {self.problem}" if place else self.problem
        found = f"; found {self.got}" if self.got and not place.endswith(f".{self.got}") else ""
        hint = f"\n    {self.hint}" if self.hint else ""
        return masked_said(_CONTROL.sub(_escaped, f"{head}{found} [{self.code}]{hint}"))


class InputError(AutodcError):
    """Something a person gave is wrong; nothing was written."""

    exit_code = 2


class SpecError(InputError):
    """A study, search-space or machine file is wrong."""


class DataError(InputError):
    """A dataset, a slice or an overlap is wrong."""


class Problems(InputError):
    """All problems of one input at once, in the order a reader meets them."""

    def __init__(self, problems: Iterable[AutodcError]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(first.code, first.problem, first.place, first.got, first.hint)
        self.args = (self.problems,)

    def __str__(self) -> str:
        count, files = len(self.problems), _files(self.problems)
        where = f" in {', '.join(files)}" if files else ""
        told = [str(problem) for problem in self.problems[:SHOWN]]
        more = [f"and {count - SHOWN} more"] if count > SHOWN else []
        return "\n".join([masked_said(f"{count} problems{where}:"), *told, *more])


class SurroundingsError(AutodcError):
    """Disk, server or cluster failed; the same command goes on once it is mended."""

    exit_code = 3
    retryable = True


@final
class ArtefactLost(SurroundingsError):
    """What a training left is gone or damaged. The study trains it again where it needs it."""

    def __init__(self, address: str, problem: str, place: str = "", got: str = "", hint: str = "") -> None:
        super().__init__("ADC-DISK-002", problem, place, got, hint)
        self.address = address
        self.args = (address, problem, place, got, hint)


class ConditionError(AutodcError):
    """A condition the caller demanded was not met."""

    exit_code = 4


class StatsError(AutodcError):
    """A formula was handed values it is not defined for."""


def raise_all(problems: Iterable[AutodcError]) -> None:
    """Raise nothing, the one problem, or all of them together."""
    found = tuple(problems)
    if len(found) == 1:
        raise found[0]
    if found:
        raise Problems(found)


def in_reading_order(problems: Iterable[AutodcError], first: str = "") -> list[AutodcError]:
    """Problems as a reader meets them, each once: by file, line and column; then what has no line, `--set` last.

    first: the file that comes before all others, which follow in the order in which they are met.
    """
    found = list({(str(problem), problem.code): problem for problem in problems}.values())
    ranks: dict[str, int] = {first: 0}
    for problem in found:
        if spot := _SPOT.match(problem.place):
            ranks.setdefault(spot["file"], len(ranks))

    def order(problem: AutodcError) -> tuple[int, int, int]:
        if spot := _SPOT.match(problem.place):
            return ranks[spot["file"]], int(spot["line"]), int(spot["column"])
        return len(ranks) + problem.place.startswith("--set"), 0, 0

    return sorted(found, key=order)


def _escaped(character: re.Match[str]) -> str:
    return character[0].encode("unicode_escape").decode()


def file_of(place: str) -> str:
    """The file that a place with a line is in; empty for any other place."""
    spot = _SPOT.match(place)
    return spot["file"] if spot else ""


def _files(problems: Iterable[AutodcError]) -> list[str]:
    """The files that places are in, where they are few enough to be named."""
    found = list(dict.fromkeys(file for p in problems if (file := file_of(p.place))))
    return found if len(found) <= 2 else []


def each_of(error: AutodcError) -> tuple[AutodcError, ...]:
    """The problems that an error tells, one by one."""
    return error.problems if isinstance(error, Problems) else (error,)
