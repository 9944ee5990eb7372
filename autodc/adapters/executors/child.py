"""The process in which tasks run: `python -m autodc.adapters.executors.child TASKS LIFELINE PARENT`.

It is started fresh, never forked, reads tasks from one pipe and answers on it. It dies with its parent: a thread
waits for the end of the lifeline and kills the whole process group; the kernel's death signal is the second line,
for a task that holds the interpreter's lock. What a task leaves running is ended with it, also after success: programs
here, threads with this process, which says so and is replaced.
"""

from __future__ import annotations

import sys
import threading
import time
from multiprocessing.connection import Connection
from types import ModuleType

from autodc.adapters.executors import programs
from autodc.adapters.executors.lifeline import die_with


def main(arguments: list[str]) -> int:
    """Serve tasks until the pipe closes. TASKS, LIFELINE: inherited file descriptors; PARENT: process id."""
    tasks, lifeline, parent = (int(a) for a in arguments)
    die_with(parent, lifeline)
    pipe = Connection(tasks)

    from autodc.adapters.executors import harness, prints, threads

    programs.adopt()
    while True:
        try:
            kind, payload, *log = pipe.recv()
        except (EOFError, OSError):
            return 0
        _prepare(harness, payload)
        threads.hold_interop(payload.threads)
        if kind == "warm":
            continue
        pipe.send(("begin", time.time()))
        own, before = log[0] if log else None, threading.enumerate()
        completion = harness.run_task(payload, prints.printed_here() if own is None else prints.printing_to(own))
        programs.end_all()
        prints.flush()
        pipe.send(("last" if threads.run_on(before) else "end", completion))


def _prepare(harness: ModuleType, task: object) -> None:
    """Import what a task needs before its clock starts; `run_task` reports it where that fails."""
    try:
        harness.prepare(task)
    except BaseException:  # raised again, and told, when the task is run
        return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
