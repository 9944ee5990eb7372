"""SOURCE as the user names it, read by what it is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from autodc.adapters.sources.remote import local_copy
from autodc.adapters.sources.savedfile import is_saved
from autodc.adapters.sources.urls import is_remote, named_path, normal
from autodc.errors import InputError
from autodc.verbs.draft.others import of_other
from autodc.verbs.draft.rows import Rows, is_table_name, request_of
from autodc.verbs.draft.tables import of_table


def read_rows(source: str, target: Sequence[str], scratch: Path) -> Rows:
    """Read a source. scratch: a folder for a copy without the rows that have no target.

    Raises InputError and all that a source raises.
    """
    if is_remote(source):
        path = named_path(source)
        if not is_table_name(path):
            return replace(of_other(source, target), named=os.path.basename(path))
        copy = local_copy(request_of(normal(source, os.getcwd())), "".join(Path(path).suffixes[-2:]))
        try:
            return replace(of_table(copy.request.path, target, scratch), named=os.path.basename(path))
        except InputError:
            copy.drop()
            raise
    is_table = (is_table_name(source) and os.path.isfile(source)) or is_saved(source)
    rows = of_table(source, target, scratch) if is_table else of_other(source, target)
    return replace(rows, named=os.path.basename(source))
