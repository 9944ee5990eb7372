"""What telling MLflow costs a night of many short trainings, and how long a whole study takes to be written again.

    python -m benchmarks.tracking                  # 500 trainings of .5 s; 2,000 replayed; writes results/tracking.md
    python -m benchmarks.tracking all 40 500       # so many trainings, so many replayed; writes it too
    python -m benchmarks.tracking night 40         # so many trainings; writes nothing
    python -m benchmarks.tracking replay 200       # so many trials into an empty server and again; writes nothing
    python -m benchmarks.tracking outage 600       # a server that is away for so many seconds; writes nothing

A night is a real study of the shipped world of cells whose trainings sleep: what MLflow takes of the machine is then
the CPU of the process that follows the journal, and what the loop waits for is the time inside the tracker's calls.
"""

from __future__ import annotations

import contextlib
import os
import platform
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from autodc.adapters.executors.inline import InlineExecutor
from autodc.adapters.mlflow.environment import quiet
from autodc.adapters.mlflow.target import MlflowTarget
from autodc.adapters.mlflow.tracker import MlflowTracker, NullTracker
from autodc.study.driver import Driver
from autodc.study.journal.events import SessionStarted
from autodc.study.ports import Tracker
from autodc.studyfile import load
from autodc.studyfile.study import MachineSpec
from autodc.testing.tracker_contract import study as made_up
from autodc.testing.worlds.cells import write_world
from autodc.trial.executor import Completion
from autodc.wire.inputs import read_inputs
from autodc.wire.study import job_maker, open_study

RESULTS = Path(__file__).resolve().parent / "results" / "tracking.md"
NIGHT, REPLAY = 500, 2000
SECONDS = 0.5
"""That a training of the night lasts."""


class Sleeping:
    """An inline executor whose trainings last a while."""

    slots = 1

    def __init__(self) -> None:
        self._inner = InlineExecutor()
        self.submit, self.cancel, self.close = self._inner.submit, self._inner.cancel, self._inner.close

    def wait(self, timeout: float | None = None) -> list[Completion]:
        done = self._inner.wait(timeout)
        time.sleep(SECONDS * len(done))
        return done


class Timed:
    """A tracker, and the seconds that the loop spends in it."""

    def __init__(self, inner: Tracker) -> None:
        self._inner, self.seconds, self.longest = inner, 0.0, 0.0
        self.finish = inner.finish

    def follow(self) -> None:
        begun = time.perf_counter()
        self._inner.follow()
        took = time.perf_counter() - begun
        self.seconds, self.longest = self.seconds + took, max(self.longest, took)

    @property
    def reference(self) -> object:
        return self._inner.reference

    @property
    def complaint(self) -> str:
        return self._inner.complaint


def main() -> None:
    only, sizes = (sys.argv[1:2] or ["all"])[0], [int(word) for word in sys.argv[2:]]
    trainings, trials = sizes if len(sizes) == 2 else (sizes or [NIGHT]) * 2 if only != "all" else (NIGHT, REPLAY)
    lines = [*head()]
    if only == "outage":
        lines += [*outage(sizes[0] if sizes else 600)]
    if only in ("all", "night"):
        lines += [*night(trainings), ""]
    if only in ("all", "replay"):
        lines += [*replay(trials)]
    text = "\n".join(lines)
    print(text)
    if only == "all":
        RESULTS.write_text(text + "\n")


def head() -> Iterator[str]:
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"
    yield "# MLflow beside a night\n"
    yield f"`{' '.join(['python -m benchmarks.tracking', *sys.argv[1:]])}` on {machine}.\n"


def night(trials: int) -> Iterator[str]:
    """One study for each store."""
    yield f"A night of {trials} trainings of {SECONDS:g} s each, one at a time: as many an hour as two slots end of"
    yield "1 s. Goals: at most 3% of the wall time, no training that waits. The trainings sleep, so a core is free for"
    yield "the process that writes, which has a low priority; the share is its CPU and the time that the loop spends in"
    yield "the tracker, over trainings that keep a core busy for 1 s each: what it takes where none is free.\n"
    yield "| store | wall, s | in the tracker, ms a training | longest call, ms | CPU of the writer, ms a training "
    yield "| share of a busy second | after the last training, s |"
    lines = ["| --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for name, opened in (("none", nowhere), ("SQLite", in_a_file), ("server", on_a_server)):
        with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as uri:
            lines.append(one_night(name, trials, Path(folder), uri))
    yield from lines


def one_night(name: str, trials: int, folder: Path, uri: str) -> str:
    before = children()
    tracker, done, wall = slept(trials, folder, uri)
    begun = time.perf_counter()
    assert tracker.finish(120.0), tracker.complaint
    rest = time.perf_counter() - begun
    cpu = children() - before
    waited = 1000 * tracker.seconds / done
    share = cpu / done + tracker.seconds / done
    told = f"{1000 * cpu / done:.0f}" if uri else "-"
    longest, share = 1000 * tracker.longest, 100 * share
    return f"| {name} | {wall:.1f} | {waited:.2f} | {longest:.0f} | {told} | {share:.1f}% | {rest:.1f} |"


def slept(trials: int, folder: Path, uri: str) -> tuple[Timed, int, float]:
    """Drive a night to its end: its tracker, which may be behind, its trainings, and the seconds it took."""
    path = write_world(folder / "study", budget__trainings=trials, search__trials_per_round=trials // 3)
    inputs, out = read_inputs(load(path)), folder / "study" / "out"
    core, journal = open_study(inputs, out)
    jobs = job_maker(inputs, core.state, MachineSpec(runner="inline"), out)
    tracker = Timed(MlflowTracker(journal.path, MlflowTarget(uri=uri, experiment="night")) if uri else NullTracker())
    begun = time.perf_counter()
    core.record(SessionStarted(slots=1, machine={}, pid=os.getpid()))
    Driver(core, Sleeping(), jobs, tracker).run()  # type: ignore[arg-type]
    wall = time.perf_counter() - begun
    journal.close()
    return tracker, len(core.state.trials), wall


def outage(seconds: int) -> Iterator[str]:
    """A server that is killed in the middle of a night and comes back: what it has in the end, of what it should."""
    from autodc.adapters.mlflow.runs import client_of

    with tempfile.TemporaryDirectory() as home:
        folder, over = Path(home), threading.Event()
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        there = threading.Event()

        def served() -> None:
            with on_a_server(folder, port):
                there.set()
                over.wait(60)
            over.wait(seconds)
            with on_a_server(folder, port):
                over.wait()

        serving = threading.Thread(target=served)
        serving.start()
        there.wait()
        uri = f"http://127.0.0.1:{port}"
        tracker, done, _ = slept(round((seconds + 120) / SECONDS), folder, uri)
        arrived = tracker.finish(900.0)
        with quiet():
            client = client_of(uri)
            ids = [one.experiment_id for one in client.search_experiments()]
            found = [run.data.tags.get("autodc.trial") for run in client.search_runs(ids, max_results=50_000)]
        over.set()
        serving.join()
    sent = [number for number in found if number is not None]
    yield f"A server that is killed a minute into a night of trainings of {SECONDS:g} s, back {seconds} s later:"
    yield f"{done} trainings, {len(sent)} runs of them in the end, {len(set(sent))} different, all sent: {arrived}."
    yield f"The loop was in the tracker for {1000 * tracker.seconds / done:.2f} ms a training, once for"
    yield f"{1000 * tracker.longest:.0f} ms."


def replay(trials: int) -> Iterator[str]:
    """A made-up study of so many trials into stores that are empty, then again."""
    from autodc.adapters.mlflow.replay import Replay, wanted_of
    from autodc.adapters.mlflow.runs import client_of

    yield f"A study of {trials:,} trials written by what `autodc track` calls, into an empty store and again. Goal:"
    yield "complete; the second time changes nothing.\n"
    yield "| store | first, s | runs made | ms a run | again, s | made and changed again |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    events = made_up(trials=trials)
    for name, opened in (("SQLite", in_a_file), ("server", on_a_server)):
        with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as uri, quiet():
            row = []
            for _ in range(2):
                wanted, _ = wanted_of(events)
                begun = time.perf_counter()
                told = Replay(client_of(uri), "0" * 32, 60.0).write(wanted, "made-up", uri)
                row.append((time.perf_counter() - begun, told.made, told.changed))
        (first, made, _), (again, made_again, changed_again) = row
        each = 1000 * first / max(1, made)
        yield f"| {name} | {first:.0f} | {made} | {each:.0f} | {again:.1f} | {made_again} and {changed_again} |"


@contextlib.contextmanager
def nowhere(folder: Path) -> Iterator[str]:
    yield ""


@contextlib.contextmanager
def in_a_file(folder: Path) -> Iterator[str]:
    from autodc.adapters.mlflow.runs import client_of

    uri = f"sqlite:///{folder / 'mlflow.db'}"
    with quiet():
        client_of(uri).search_experiments()  # migrations are paid once in a store's life
    yield uri


@contextlib.contextmanager
def on_a_server(folder: Path, port: int = 0) -> Iterator[str]:
    with in_a_file(folder) as store, socket.create_server(("127.0.0.1", port)) as free:
        port = free.getsockname()[1]
    words = ("--backend-store-uri", store, "--artifacts-destination", str(folder / "artifacts"), "--workers", "1")
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server", *words, "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        until(lambda: bool(urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5)))
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, 15)
        server.wait()
        shutil.rmtree(folder / "artifacts", ignore_errors=True)


def until(there: Callable[[], bool]) -> None:
    for _ in range(600):
        with contextlib.suppress(OSError):
            if there():
                return
        time.sleep(0.2)
    raise TimeoutError("the server did not start")


def children() -> float:
    """CPU seconds of the processes that have ended, the writer among them; the server, a machine of its own, is not."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
