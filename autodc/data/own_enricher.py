"""An enricher of a user's own: loaded, held to what it owes, known by the content of its file."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import pandas as pd

from autodc.data.attributes import NEEDS, Rows
from autodc.errors import SpecError
from autodc.hints import suggest
from autodc.plugins import ENRICHERS, FORMS, installed, is_path, made_plugin
from autodc.studyfile.names import ENRICHERS as BUILT_IN
from autodc.studyfile.names import SYNONYMS


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function of rows as an enricher."""

    name: str
    of: Callable[[Rows], pd.DataFrame]

    def attributes(self, rows: Rows) -> pd.DataFrame:
        """Return n rows."""
        return self.of(rows)


def own_enricher(name: str, folder: str, place: str) -> Any:
    """Load `path/to/file.py:Object`, `package.module:Object` or an installed enricher.

    The object is a class (it is called without arguments), an instance, or a function of rows. Without a `name` it is
    called as the object. Returns an `Enricher`, or a `Fittable` that becomes one. Raises SpecError ADC-ATTR-001 where
    it cannot be loaded, 002 where it is no enricher.
    """
    if not is_path(name) and name not in installed(ENRICHERS):
        hint = suggest(name, [*BUILT_IN, *installed(ENRICHERS)], "enrichers", SYNONYMS, FORMS)
        raise SpecError("ADC-ATTR-001", "there is no such enricher", place, name, hint)
    found = made_plugin(name, ENRICHERS, folder, place, ("ADC-ATTR-001", "the enricher", NEEDS))
    called = str(getattr(found, "name", "") or name.rpartition(":")[2])
    if callable(getattr(found, "attributes", None)) or callable(getattr(found, "fitted", None)):
        return found if hasattr(found, "name") else _Named(called, found)
    if callable(found):
        return Function(name=called, of=found)
    raise SpecError("ADC-ATTR-002", "this is no enricher", place, f"{name}: a {type(found).__name__}", NEEDS)


def content_of_enricher(name: str, enricher: object, folder: str) -> str:
    """What an enricher's values depend on: the files it is made and defined in, and its `version` where it has one.

    Weights or neighbours that it reads are its own business: a new `version` makes all values anew.
    """
    inner = getattr(enricher, "inner", None) or getattr(enricher, "of", None) or enricher
    digest = hashlib.sha256(f"{name}\0{getattr(inner, 'version', '')!r}".encode())
    named, defined = _named_file(name, folder), None
    try:
        defined = Path(inspect.getfile(inner if inspect.isroutine(inner) else type(inner)))
        digest.update(defined.read_bytes())
    except (OSError, TypeError):
        digest.update(folder.encode())
    if named is not None and named.is_file() and (defined is None or not named.samefile(defined)):
        digest.update(named.read_bytes())  # an instance of a class of elsewhere: its arguments stand here
    return digest.hexdigest()


def _named_file(name: str, folder: str) -> Path | None:
    """The file that is named in `path/to/file.py:Object` or is the module of `package.module:Object`."""
    where = name.rpartition(":")[0]
    if where.endswith(".py"):
        return Path(folder) / where
    file = getattr(sys.modules.get(where), "__file__", None)
    return None if file is None else Path(file)


@final
class _Named:
    """A user's object without a name of its own."""

    def __init__(self, name: str, inner: Any) -> None:
        self.name, self.inner = name, inner
        if callable(getattr(inner, "fitted", None)):
            self.fitted = lambda base, targets: _Named(name, inner.fitted(base, targets))

    def attributes(self, rows: Rows) -> pd.DataFrame:
        """Return n rows."""
        found: pd.DataFrame = self.inner.attributes(rows)
        return found
