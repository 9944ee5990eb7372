"""How every verb ends: what is said of an error, and the exit code."""

from __future__ import annotations

import contextlib
import shutil
import signal
import sys
import textwrap
import threading
import traceback
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import click

from autodc.cli.misuse import misuse
from autodc.cli.streams import echo, nobody_reads, plain_streams
from autodc.errors import DISK_ERRORS, INTERRUPTED, AutodcError, InputError, SurroundingsError
from autodc.masking import masked_said

NARROWEST = 40
"""Columns below which nothing is wrapped."""


def ended(command: Callable[[], Any]) -> None:
    """Run a command and exit with its code; what it raises is told on stderr."""
    plain_streams()
    try:
        with _ends_like_ctrl_c():
            code = command()
        sys.exit(code if isinstance(code, int) else 0)
    except click.ClickException as error:
        echo(_shown(misuse(error)), err=True)
        sys.exit(InputError.exit_code)
    except (click.Abort, KeyboardInterrupt):
        with contextlib.suppress(OSError):  # the terminal may be what went away
            echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
    except AutodcError as error:
        echo(_shown(error), err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        nobody_reads()
        sys.exit(0)
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            _defect()
        echo(_shown(SurroundingsError("ADC-DISK-003", "the disk refuses", str(error.filename), str(error))), err=True)
        sys.exit(SurroundingsError.exit_code)
    except Exception:
        _defect()


@contextlib.contextmanager
def _ends_like_ctrl_c() -> Iterator[None]:
    """SIGTERM and SIGHUP end any verb as Ctrl-C does, also while `run` still imports and does not listen itself."""

    def heard(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {n: signal.signal(n, heard) for n in (signal.SIGTERM, signal.SIGHUP) if _is_default(n)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_default(number: int) -> bool:
    return threading.current_thread() is threading.main_thread() and signal.getsignal(number) == signal.SIG_DFL


def _defect() -> None:
    echo(masked_said(traceback.format_exc().rstrip()), err=True)
    echo("this is a defect of autodc; the study's journal is whole and the same command resumes", err=True)
    sys.exit(1)


def _shown(error: AutodcError) -> str:
    """What is said of an error; on a terminal whole words, and what goes on is set in."""
    text = f"autodc: {error}"
    if not sys.stderr.isatty():
        return text
    width = max(NARROWEST, shutil.get_terminal_size().columns)
    return "\n".join(_wrapped(line, width) for line in text.splitlines())


def _wrapped(line: str, width: int) -> str:
    indent = " " * (len(line) - len(line.lstrip()) or 2)
    wrapped = textwrap.wrap(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
    return "\n".join(wrapped)
