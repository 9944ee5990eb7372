"""What a process of the campaign does: one job in, one row out."""

from __future__ import annotations

import traceback
import warnings
from typing import Any

from benchmarks.search import costs, runs, studies

Job = runs.Task | studies.StudyTask | costs.CostTask


def work(job: Job) -> Any:
    """Do one job in a process of the pool; return its row, or the traceback where it failed."""
    warnings.simplefilter("ignore")
    try:
        if isinstance(job, runs.Task):
            return runs.run(job)
        return studies.run(job) if isinstance(job, studies.StudyTask) else costs.run(job)
    except Exception:
        return traceback.format_exc()
