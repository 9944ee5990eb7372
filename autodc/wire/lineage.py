"""The rows that a run trained on, read again: given ones from their sources, those that joined from its folder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from autodc.adapters.artefacts import ArtefactStore
from autodc.adapters.sources import read_source
from autodc.data.catalogue import Catalogue, build_catalogue, place_of
from autodc.data.dataset import Dataset
from autodc.errors import AutodcError, DataError, InputError, raise_all
from autodc.propose.made import Origin, read_origin
from autodc.study.journal.state import State
from autodc.study.view import spec_of
from autodc.studyfile.study import StudySpec
from autodc.wire.admitting import DATASETS, origin_file, stored_dataset
from autodc.wire.inputs import proposed

"""How columns of an origin begin that say what was done to a row."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunRows:
    """The training datasets of a run."""

    spec: StudySpec
    state: State
    catalogue: Catalogue
    store: ArtefactStore

    def dataset(self, name: str) -> Dataset:
        """One of them, targets as class codes. Raises SurroundingsError ADC-DISK-012 where it is lost."""
        found = self.catalogue.training.get(name)
        return stored_dataset(self.store, self.state, name) if found is None else found

    def in_source(self, name: str, row: int) -> int | None:
        """Where a row of a dataset stands in its source; None where that is not known any more."""
        if name in self.catalogue.training:
            return int(self.catalogue.in_source(name, np.array([row]))[0])
        return None if self.state.card(name).get("left_out") else row

    def changed(self, names: Iterable[str]) -> list[AutodcError]:
        """Those of these datasets whose source holds something else than the journal says."""
        now, state, found = self.catalogue.training, self.state, list[AutodcError]()
        keys = {one.name: f"data.candidates[{at}].source" for at, one in enumerate(self.spec.data.candidates)}
        for name in dict.fromkeys(names):
            then = state.card(name).get("fingerprint", state.question.parts.get(name))
            if name not in now or then == now[name].fingerprint:
                continue
            had = f"the run had {state.card(name).get('rows', 'other')} rows, {str(then)[:12]}"
            got = f"`{name}`: {len(now[name])} rows, {now[name].fingerprint[:12]}; {had}"
            hint = "put the file back as it was when the run began: nothing else tells what it trained on"
            place = place_of(self.spec, keys.get(name, f"data.{name}.source"), name)
            found.append(DataError("ADC-PROP-061", "this source has changed since the run began", place, got, hint))
        return found


def read_rows_of(folder: Path, state: State, names: Iterable[str]) -> RunRows:
    """Read the training datasets of a run again, and see that they are what it trained on.

    names: those that are looked at. Raises InputError ADC-PROP-065 where the journal is of an older autodc and does not
    say against which folder its paths are read, DataError 061 for each of them that is another by now, and all of
    `build_catalogue`.
    """
    spec = spec_again(folder, state)
    catalogue = build_catalogue(spec, read_source, proposed(spec))
    rows = RunRows(spec=spec, state=state, catalogue=catalogue, store=ArtefactStore(folder / DATASETS))
    raise_all(rows.changed(names))
    return rows


def spec_again(folder: Path, state: State) -> StudySpec:
    """The study as its journal has it, without what only says how rows are judged."""
    if not state.folder:
        raise InputError(
            "ADC-PROP-065",
            "the journal does not say where the study file lies: it was begun by an older autodc",
            str(folder),
            "no folder of a study file",
            "go on with the study by `autodc run` once; the journal then knows",
        )
    spec = spec_of(state)
    sets = tuple(one for one in spec.slices if one.source is not None)
    return spec.model_copy(update={"attributes": (), "slices": sets}).placed(state.folder)


def origin_of(folder: Path, state: State, name: str) -> Origin | None:
    """Where the rows of a dataset come from that was made while the study ran; None of one whose rows have no origin.

    Raises DataError ADC-PROP-064 where what was stored of it does not fit the dataset.
    """
    card = state.card(name)
    path = origin_file(folder / DATASETS, str(card.get("fingerprint")))
    if name not in state.roster or not path.exists():
        return None
    parents, hint = tuple(card.get("parent") or ()), "restore the file from a copy"
    try:
        origin = read_origin(path, parents)
    except (OSError, ValueError, KeyError) as error:
        raise DataError("ADC-PROP-064", "the origin of made rows cannot be read", str(path), str(error), hint) from None
    parent = np.asarray(origin.parent)
    if len(parent) != card["rows"] or (len(parent) and int(parent.max()) >= len(parents)):
        got = f"{len(parent)} rows of {len(parents)} datasets; `{name}` has {card['rows']} rows"
        raise DataError("ADC-PROP-064", "the origin of made rows does not fit the dataset", str(path), got, hint)
    return origin
