"""The process in which trials train: `python -m autodc.adapters.executors.child JOBS LIFELINE PARENT`.

It is started fresh, never forked, reads jobs from one pipe and answers on it. It dies with its parent: a thread
waits for the end of the lifeline and kills the whole process group; the kernel's death signal is the second line,
for a training that holds the interpreter's lock. What a training leaves running is ended with it, also after success.
"""

from __future__ import annotations

import contextlib
import sys
import time
from multiprocessing.connection import Connection

from autodc.adapters.executors import programs
from autodc.adapters.executors.lifeline import die_with


def main(arguments: list[str]) -> int:
    """Serve jobs until the pipe closes. JOBS, LIFELINE: inherited file descriptors; PARENT: process id."""
    jobs, lifeline, parent = (int(a) for a in arguments)
    die_with(parent, lifeline)
    pipe = Connection(jobs)

    from autodc.adapters.executors import harness

    programs.adopt()
    while True:
        try:
            kind, payload = pipe.recv()
        except (EOFError, OSError):
            return 0
        if kind == "warm":
            _prepare(harness, payload)
            continue
        _prepare(harness, payload.trainer)
        pipe.send(("begin", time.time()))
        completion = harness.train_job(payload)
        programs.end_all()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()
        pipe.send(("end", completion))


def _prepare(harness, ref) -> None:  # type: ignore[no-untyped-def]
    """Import what the trainer needs before its clock starts; `train_job` reports it where that fails."""
    try:
        harness.trainer_for(ref)
    except BaseException:  # raised again, and told, when the job makes its trainer
        return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
