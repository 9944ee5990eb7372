"""Makes a finder from its name: one of ours that is asked for, `file.py:Object`, a module's, or an installed one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

from autodc.adapters.finders.sliceline import SliceLine
from autodc.diagnose.beam import Beam
from autodc.diagnose.by_class import ByClass
from autodc.diagnose.clusters import Clusters
from autodc.diagnose.finder import Finder
from autodc.diagnose.tree import Tree
from autodc.errors import SpecError
from autodc.hints import suggest
from autodc.plugins import FINDERS, FORMS, installed, is_in_file, is_path, made_plugin

PLACE = "--finder"
USUAL: Final[tuple[Finder, ...]] = (Beam(), ByClass(), Tree(), Clusters())
"""Who looks where nobody is asked for."""
_ASKED_FOR: Final[Mapping[str, Callable[[], Finder]]] = {
    "sliceline": SliceLine,
    "hdbscan": lambda: Clusters(name="hdbscan", by="hdbscan"),
}
"""Name → a finder of ours that looks where it is asked for."""
NEEDS = "a finder has `find(view, k, seed)`, which returns suspicions; autodc.testing.finder_contract holds it to all"


def finders_of(asked: Sequence[str | Finder], folder: str) -> tuple[Finder, ...]:
    """The usual finders and those that are asked for, each once.

    asked: names, or finders; folder: where files lie that are not found from here. Raises SpecError ADC-DIAG-024 where
    there is none of a name or it cannot be loaded, 025 where it is no finder; InputError ADC-DIAG-023 where a library
    is not installed.
    """
    found = list(USUAL)
    for one in asked:
        made = _named(one, folder) if isinstance(one, str) else _checked(one, type(one).__name__)
        if made not in found:
            found.append(made)
    return tuple(found)


def _named(name: str, folder: str) -> Finder:
    usual = {one.name: one for one in USUAL}
    if name in usual:
        return usual[name]
    if name in _ASKED_FOR:
        made = _ASKED_FOR[name]()
        if isinstance(made, SliceLine):
            made.refuse_missing()
        return made
    if not is_path(name) and name not in installed(FINDERS):
        hint = suggest(name, [*usual, *_ASKED_FOR, *installed(FINDERS)], "finders", forms=FORMS)
        raise SpecError("ADC-DIAG-024", "there is no such finder", PLACE, name, hint)
    home = "." if is_in_file(name) and Path(name.rpartition(":")[0]).is_file() else folder
    return _checked(made_plugin(name, FINDERS, home, PLACE, ("ADC-DIAG-024", "the finder", NEEDS)), name)


def _checked(found: Any, name: str) -> Finder:
    if isinstance(found, str) or not callable(getattr(found, "find", None)):
        got = f"{name}: a {type(found).__name__} without `find`"
        raise SpecError("ADC-DIAG-025", "this is no finder", PLACE, got, NEEDS)
    return cast(Finder, found)
