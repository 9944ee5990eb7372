"""How busy the slots are with trials of 0.5 s: usual wirings of Tune beside our executors, with and without deaths.

    python -m benchmarks.executors            # all cases, in five to ten minutes; prints the table
    python -m benchmarks.executors ray worker # one case, as JSON

Each case runs in a process of its own with a Ray of its own. A trial sleeps for 0.5 s (`autodc.testing.flaky`), so
that what is measured is the wiring and not how fast the cores are, or who else uses them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.tables import table

TRIALS = 80
SECONDS = 0.5
SLOTS = 2
TIMEOUT = 300.0
"""Seconds for one case; each takes about half a minute."""
KILL_AFTER = 20
"""So many trials have ended when the axe falls."""
CASES = (
    ("tune, one trial a training, usual", "naive", ""),
    ("tune, one trial a training, our settings", "tuned", ""),
    ("runner: ray", "ray", ""),
    ("runner: actors", "actors", ""),
    ("tune, one trial a training, our settings", "tuned", "worker"),
    ("runner: ray", "ray", "child"),
    ("runner: ray", "ray", "worker"),
    ("runner: actors", "actors", "child"),
    ("runner: actors", "actors", "worker"),
)


HEAD = ("wiring", "kill -9 of", "busy share", "slots busy again", "share after", "CPU a trial: ours", "whole driver")


@dataclass(frozen=True)
class Run:
    """Spans of the trainings in Unix time, the moment of the kill (0: none), CPU seconds of our threads and of all."""

    spans: list[tuple[float, float]]
    killed: float
    ours: float
    driver: float


def main() -> None:
    if len(sys.argv) > 1:
        kill = sys.argv[2] if len(sys.argv) > 2 else ""
        run = _peer(sys.argv[1], kill) if sys.argv[1] in ("naive", "tuned") else _our(sys.argv[1], kill)
        print(json.dumps(_figures(run)))
        return
    rows = []
    for name, wiring, kill in CASES:
        command = [sys.executable, "-m", "benchmarks.executors", wiring, *([kill] if kill else [])]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT)
        if done.returncode:
            sys.exit(f"{name}: {done.stderr[-2000:]}")
        f = json.loads(done.stdout.strip().splitlines()[-1])
        again = "never" if f["again"] is None else f"{f['again']:.1f} s"
        shares = ("", again, f"{f['after']:.1%}") if kill else (f"{f['share']:.1%}", "", "")
        rows.append((name, kill, *shares, f"{f['ours']:.1f} ms" if f["ours"] else "", f"{f['driver']:.1f} ms"))
        print(*rows[-1], sep=" · ", file=sys.stderr, flush=True)
    print(table(HEAD, rows))


def _figures(run: Run) -> dict[str, float | None]:
    """Shares from the first moment when all slots train to the start of the last training."""
    end = max(start for start, _ in run.spans)
    begin = next(_all_busy(run.spans, 0.0), min(start for start, _ in run.spans))
    again = next(_all_busy(run.spans, run.killed), None) if run.killed else None
    if again is not None and again >= end:
        again = None
    return {
        "share": _share(run.spans, begin, run.killed or end),
        "again": again - run.killed if again is not None else None,
        "after": _share(run.spans, again or run.killed, end),
        "ours": run.ours / TRIALS * 1e3,
        "driver": run.driver / TRIALS * 1e3,
    }


def _share(spans: list[tuple[float, float]], begin: float, end: float) -> float:
    busy = sum(max(0.0, min(b, end) - max(a, begin)) for a, b in spans)
    return busy / (SLOTS * (end - begin)) if end > begin else 0.0


def _all_busy(spans: list[tuple[float, float]], since: float) -> Iterator[float]:
    """Moments after `since` at which a training starts and all slots train."""
    for start, _ in sorted(spans):
        if start > since and sum(a <= start < b for a, b in spans) >= SLOTS:
            yield start


def _our(runner: str, kill: str) -> Run:
    from autodc.adapters.executors import open_executor
    from autodc.studyfile.study import MachineSpec
    from autodc.testing.jobs import Jobs, small_dataset

    with tempfile.TemporaryDirectory() as folder:
        jobs = Jobs(small_dataset(Path(folder)))
        pid_file = Path(folder) / "pid"
        executor = open_executor(MachineSpec(runner=runner, max_concurrent=SLOTS))  # type: ignore[arg-type]
        for _ in range(SLOTS):
            executor.submit(jobs("sleep", seconds=SECONDS))
        warm = 0
        while warm < SLOTS:
            warm += len(executor.wait())
        before, mark = _cpu(), time.process_time()
        spans, killed, submitted = [], 0.0, 0
        while len(spans) < TRIALS:
            while submitted < TRIALS and submitted < len(spans) + SLOTS + 2:
                executor.submit(jobs("sleep", seconds=SECONDS, pid_file=str(pid_file)))
                submitted += 1
            for completion in executor.wait():
                ended = completion.ended if completion.status == "done" else completion.started
                spans.append((completion.started, ended))
            if kill and not killed and len(spans) >= KILL_AFTER:
                killed = time.time()
                training = psutil.Process(int(pid_file.read_text()))
                (training if kill == "child" else training.parent()).kill()
        after, driver = _cpu(), time.process_time() - mark
        executor.close()
    return Run(spans, killed, after - before, driver)


def _cpu() -> float:
    """CPU seconds so far of the main thread and of the threads that serve workers, not of Ray and Tune."""
    import threading

    names = {t.native_id: t.name for t in threading.enumerate()}
    ours = ("MainThread", "line", "switchboard")
    return sum(t.user_time + t.system_time for t in psutil.Process().threads() if names.get(t.id) in ours)


def _peer(wiring: str, kill: str) -> Run:
    """One Tune trial per training, in the Ray worker, by a custom searcher with reused actors."""
    if wiring == "tuned":
        os.environ.update(TUNE_MAX_PENDING_TRIALS_PG=str(SLOTS), TUNE_DISABLE_AUTO_CALLBACK_LOGGERS="1")
    os.environ.update(RAY_CHDIR_TO_TRIAL_DIR="0", RAY_AUTH_MODE="disabled")
    import ray
    from ray import tune
    from ray.tune.search import Searcher

    folder = tempfile.mkdtemp()
    spans: list[tuple[float, float]] = []
    state: dict[str, Any] = {"given": 0, "killed": 0.0}

    class Search(Searcher):  # type: ignore[misc]
        def suggest(self, trial_id: str) -> Any:
            state["given"] += 1
            return {"k": state["given"]} if state["given"] <= TRIALS else Searcher.FINISHED

        def on_trial_complete(self, trial_id: str, result: Any = None, error: bool = False) -> None:
            if result and not error:
                spans.append((result["started"], result["finished"]))
            if kill and not state["killed"] and len(spans) >= KILL_AFTER:
                state["killed"] = time.time()
                psutil.Process(int((Path(folder) / "pid").read_text())).kill()

        def save(self, checkpoint_path: str) -> None: ...

        def restore(self, checkpoint_path: str) -> None: ...

        def __reduce__(self) -> Any:
            return dict, ()

    class Sleeps(tune.Trainable):  # type: ignore[misc]
        def step(self) -> dict[str, Any]:
            (Path(folder) / "pid").write_text(str(os.getpid()))
            started = time.time()
            time.sleep(SECONDS)
            return {"started": started, "finished": time.time(), "done": True}

        def save_checkpoint(self, checkpoint_dir: str) -> None: ...

        def reset_config(self, new_config: Any) -> bool:
            return True

    ray.init(address="local", num_cpus=SLOTS, include_dashboard=False, log_to_driver=False, logging_level=50)
    config = tune.TuneConfig(
        search_alg=Search(),
        num_samples=-1,
        reuse_actors=True,
        max_concurrent_trials=2 * SLOTS if wiring == "tuned" else None,
    )
    run = tune.RunConfig(storage_path=folder, verbose=0)
    mark = time.process_time()
    tune.Tuner(tune.with_resources(Sleeps, {"cpu": 1}), tune_config=config, run_config=run).fit()
    driver = time.process_time() - mark
    ray.shutdown()
    return Run(spans, state["killed"], 0.0, driver)


if __name__ == "__main__":
    main()
