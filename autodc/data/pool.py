"""Reads a pool: with its labels, or without where it has none."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from autodc.data.admit import Read
from autodc.data.dataset import Dataset
from autodc.errors import InputError, each_of
from autodc.studyfile.study import PoolSpec, StudySpec

NAME = "pool"
NO_TARGETS = "ADC-DATA-005"
"""What sources say where targets are missing."""
WITHOUT = "its rows have no labels: what is drawn of it is labelled first (data.pool.oracle, or people)"


def read_pool(spec: StudySpec, pool: PoolSpec, place: str, read: Read) -> Dataset:
    """Read the rows of a pool; those without labels are a dataset whose targets are None.

    `labelled: false` reads no labels; left out, a source that has no targets is one without labels, with a note, as far
    as nothing in it is called as the targets of the base are. Raises all that the source does.
    """
    ask = partial(read, pool, folder=spec.folder, name=NAME, place=place, kind=spec.task.kind)
    if pool.labelled is False:
        return ask(targets=False, labelled=False)
    try:
        return ask(targets=True)
    except InputError as error:
        if pool.labelled or "target" in pool.options or any(one.code != NO_TARGETS for one in each_of(error)):
            raise
        data = ask(targets=False, labelled=False)
        if _targets(spec) & {*map(str, data.metadata), *data.features}:
            raise
    return replace(data, notes=(*data.notes, WITHOUT))


def _targets(spec: StudySpec) -> set[str]:
    """What the base calls its targets, where it says so."""
    told = spec.data.base.options.get("target")
    return set(map(str, told)) if isinstance(told, list) else {str(told)} if told else set()
