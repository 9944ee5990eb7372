"""Where the content of several datasets lies that take the place of one: composed once, stored by content."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd

from autodc.adapters.artefacts import ArtefactStore
from autodc.data.dataset import Dataset
from autodc.errors import SurroundingsError
from autodc.propose.composing import Mended, compose
from autodc.study.journal.state import State
from autodc.study.replacing import Standing
from autodc.wire.admitting import DATASETS, origin_file

Array = np.ndarray[Any, Any]

LABEL = "changed.label"
"""The column of an origin that says what a label was before."""


@final
class Composer:
    """Composes replacements of one dataset. read: the training dataset of a name; store: where the result lies."""

    def __init__(self, state: State, out: Path, store: ArtefactStore, read: Callable[[str], Dataset]) -> None:
        self._state, self._out, self._store, self._read = state, out, store, read
        self._known: dict[tuple[str, ...], str] = {}

    def __call__(self, one: Standing) -> str:
        """The folder of a composed dataset. Raises SurroundingsError ADC-PROP-032 where an origin is lost."""
        key = self._key(one.of)
        if key not in self._known:
            self._known[key] = str(self._store.put_dataset(self._composed(one)))
        return self._known[key]

    def restore(self) -> bool:
        """Forget what was stored where any of it is gone, so that it is composed again; say whether it was."""
        gone = [key for key, folder in self._known.items() if not Path(folder).is_dir()]
        for key in gone:
            del self._known[key]
        return bool(gone)

    def _key(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(self._state.card(name)["fingerprint"]) for name in names)

    def _composed(self, one: Standing) -> Dataset:
        assert one.replaces is not None
        mended = [self._mended(name, one.replaces) for name in one.of]
        return compose(self._read(one.replaces), mended, one.name)

    def _mended(self, name: str, of: str) -> Mended:
        data = self._read(name)
        path = origin_file(self._out / DATASETS, data.fingerprint)
        try:
            known = pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise _lost(path, str(error)) from None
        if len(known) != len(data) or "position" not in known:
            raise _lost(path, f"{len(known)} rows for {len(data)} of `{name}`")
        parent, parents = known["parent"].to_numpy(), list(self._state.card(name).get("parent") or ())
        if parent.dtype.kind in "iu":
            names = np.array([*parents, ""], dtype=object)
            parent = names[np.where(parent < len(parents), parent, -1)]
        changes = [column for column in known if str(column).startswith("changed.") and column != LABEL]
        position = np.where(parent == of, known["position"].to_numpy(), -1)
        return Mended(data=data, position=position, changes_inputs=bool(changes))


def _lost(path: Path, got: str) -> SurroundingsError:
    hint = "restore the file from a copy, or begin the study again in another --out"
    return SurroundingsError("ADC-PROP-032", "where rows come from cannot be read", str(path), got, hint)
