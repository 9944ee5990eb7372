"""The study file as the verbs read it: what is wrong with it is told with all else that is wrong with the study."""

from __future__ import annotations

import os
from collections.abc import Iterable

from autodc.errors import in_reading_order, raise_all
from autodc.studyfile.load import draft
from autodc.studyfile.study import StudySpec


def read_study(path: str | os.PathLike[str], overrides: Iterable[str] = ()) -> StudySpec:
    """Read a study file as `autodc.load` does.

    Where the file has problems, those of the trainer, the metric, the slices and the data are raised with them.
    """
    found = draft(path, overrides)
    if found.problems:
        from autodc.wire.remaining_problems import further_problems  # heavy, and only for what is wrong

        raise_all(in_reading_order([*found.problems, *further_problems(found)], os.fspath(path)))
    assert found.spec is not None
    return found.spec
