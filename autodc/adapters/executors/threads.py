"""A task's share of cores, as every library with threads understands it.

What the environment says holds where a library is imported after it was set, so in a child; `thread_share` holds those
that are loaded already.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
import time
from collections.abc import Collection, Iterator
from typing import Any

import psutil
import threadpoolctl

VARIABLES = (
    "OMP_NUM_THREADS",  # OpenMP: torch, scikit-learn, XGBoost, LightGBM; Arrow and its pandas too
    "OMP_THREAD_LIMIT",  # also of who asks OpenMP for more: LightGBM with n_jobs=8
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMEXPR_MAX_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",  # programs in Rust: tokenizers
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "LOKY_MAX_CPU_COUNT",  # joblib: what n_jobs=-1 means to scikit-learn and LightGBM
)
"""Each of them is set for a training's process, whatever it was before."""

GLANCE_SECONDS = 0.05
"""How long it is looked whether a thread works; the system counts in hundredths of a second."""


def environment(threads: int) -> dict[str, str]:
    """The variables by which a fresh process, and every program below it, has so many threads."""
    return dict.fromkeys(VARIABLES, str(threads))


@contextlib.contextmanager
def thread_share(threads: int) -> Iterator[None]:
    """Give BLAS, OpenMP, joblib, and torch and Arrow where they are loaded, so many threads inside the block."""
    cores = os.environ.get("LOKY_MAX_CPU_COUNT")
    with contextlib.ExitStack() as after:
        after.enter_context(_libraries(len(sys.modules)).limit(limits=threads))
        os.environ["LOKY_MAX_CPU_COUNT"] = str(threads)
        after.callback(_put_back, "LOKY_MAX_CPU_COUNT", cores)
        if (torch := sys.modules.get("torch")) is not None:
            after.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(threads)
        if (arrow := sys.modules.get("pyarrow")) is not None and arrow.cpu_count() != threads:
            after.callback(arrow.set_cpu_count, arrow.cpu_count())
            arrow.set_cpu_count(threads)
        yield


def run_on(before: Collection[threading.Thread]) -> bool:
    """Whether threads work that a task has left behind: they would take of the cores of the next one.

    before: those that were there when it began. A thread that only waits, as libraries keep them, does no harm.
    """
    left = {t.native_id for t in threading.enumerate() if t not in before}
    if not left:
        return False
    used = _used(left)
    time.sleep(GLANCE_SECONDS)
    return _used(left) > used


def hold_interop(threads: int) -> None:
    """Give torch's operators beside one another so many threads; it takes that once in a process, before the first."""
    torch: Any = sys.modules.get("torch")
    if torch is not None and torch.get_num_interop_threads() != threads:
        with contextlib.suppress(RuntimeError):
            torch.set_num_interop_threads(threads)


def _put_back(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


@functools.lru_cache(maxsize=1)
def _libraries(modules: int) -> threadpoolctl.ThreadpoolController:
    """The libraries that have threads, looked up again once modules were imported: they come with them."""
    return threadpoolctl.ThreadpoolController()


def _used(ids: Collection[int | None]) -> float:
    """CPU seconds that threads of this process have used."""
    return sum(float(t.user_time + t.system_time) for t in psutil.Process().threads() if t.id in ids)
