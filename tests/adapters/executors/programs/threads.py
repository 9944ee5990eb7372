"""A call that looks how many threads libraries have."""

import os

import lightgbm
import numpy as np
import pyarrow
import threadpoolctl
import torch


def threads_seen(call):
    """Libraries, and how many threads the process has more while LightGBM learns, whatever it is asked for."""
    x = np.random.default_rng(0).normal(size=(2000, 10))
    _ = x @ x.T
    before = len(os.listdir("/proc/self/task"))
    for jobs in (None, -1, 8):
        lightgbm.LGBMClassifier(n_estimators=5, n_jobs=jobs, verbose=-1).fit(x, x[:, 0] > 0)
    return {
        "more": len(os.listdir("/proc/self/task")) - before,
        "pools": sorted({pool["num_threads"] for pool in threadpoolctl.threadpool_info()}),
        "torch": [torch.get_num_threads(), torch.get_num_interop_threads()],
        "arrow": pyarrow.cpu_count(),
    }
