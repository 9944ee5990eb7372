"""What autodc raises, and the exit code each kind ends the command with.

    AutodcError                  1  a defect of ours
    ├── InputError               2  something a person gave is wrong
    │   ├── SpecError               the study, search-space or machine file
    │   ├── DataError               a source, a slice, an overlap
    │   └── Problems                several of them, reported together
    ├── SurroundingsError        3  disk, server or cluster; the same command resumes
    ├── ConditionError           4  a demanded condition was not met
    └── StatsError               1  a formula was handed values it is not defined for

Every message says what is wrong, where, what was found and how to mend it, without secrets. Codes are never reused.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from typing import ClassVar

from autodc.masking import masked

INTERRUPTED = 130
"""Exit code of a command that was interrupted; the same command goes on."""
DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG})
"""What the system says of a disk that refuses: the surroundings failed, not the study."""


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

    def __str__(self) -> str:
        head = f"{self.place}: {self.problem}" if self.place else self.problem
        found = f"; found {self.got}" if self.got else ""
        hint = f"\n    {self.hint}" if self.hint else ""
        return masked(f"{head}{found} [{self.code}]{hint}")


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
        return "\n".join(str(problem) for problem in self.problems)


class SurroundingsError(AutodcError):
    """Disk, server or cluster failed; the same command goes on once it is mended."""

    exit_code = 3
    retryable = True


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


def each_of(error: AutodcError) -> tuple[AutodcError, ...]:
    """The problems that an error tells, one by one."""
    return error.problems if isinstance(error, Problems) else (error,)
