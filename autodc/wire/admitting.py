"""How a dataset joins a study that runs: its content is stored, for nothing else could read it again."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import final

from autodc.adapters.artefacts import JOINED, ArtefactStore, open_part
from autodc.adapters.sources import read_source
from autodc.data.admit import Admission, Candidate, card, training_digests
from autodc.data.dataset import Dataset
from autodc.errors import DataError
from autodc.files import disk_told, write_whole
from autodc.propose.made import Origin
from autodc.study.journal.events import DatasetAdmitted
from autodc.study.journal.state import State
from autodc.study.rules.obvious import GIVEN
from autodc.table import CONTENT, Table
from autodc.wire.inputs import Inputs

MADE = Path("made")
"""Below the study's folder: what makers write, until it was let in."""
PICTURES = "pictures"
"""Below the folder of a maker: files that it wrote; below DATASETS: those of what was let in, by content."""
DATASETS = JOINED


@final
class Entrance:
    """The door while a study runs, to what is made and to what is delivered alike."""

    def __init__(self, inputs: Inputs, store: ArtefactStore) -> None:
        """Begin with what is there from the start. store: where the content of what is let in lies."""
        self._store, self._door = store, inputs.catalogue.door(inputs.spec.data)
        self._remembered = set[str]()

    def admit(self, candidate: Candidate, state: State, repeated: str) -> Admission:
        """Read a candidate and let it in.

        repeated: the code of rows that are there already. Raises DataError of that code, and all that the door does.
        """
        known = self._door.known
        for name in state.roster.keys() - self._remembered - {*known.values()}:
            if state.card(name).get("by") != GIVEN:
                known |= training_digests([stored_dataset(self._store, state, name)]) | known
            self._remembered.add(name)
        found = self._door.admit(candidate, read_source)
        if found.repeats:
            hint = "nothing is lost: they are judged under that name"
            raise DataError(repeated, "these rows are there already", candidate.place, found.repeats[0], hint)
        return found


def origin_file(datasets: Path, fingerprint: str) -> Path:
    """The file beside a dataset that was made: where each of its rows comes from. datasets: the folder of both."""
    return datasets / f"{fingerprint}.origin.parquet"


def admitted_event(candidate: Candidate, data: Dataset, left_out: int) -> DatasetAdmitted:
    """The event by which a dataset that came through the door joins the roster."""
    return DatasetAdmitted(name=candidate.name, card=card(candidate, data, left_out), reference=data.fingerprint)


def let_in(
    store: ArtefactStore, candidate: Candidate, admission: Admission, origin: Origin | None = None
) -> DatasetAdmitted:
    """Store what came through the door; the event by which it joins.

    origin: of all rows that were to come through it, where it is known; it stays beside their content, whatever else
    goes.
    """
    data = admission.data
    assert data is not None
    _ = store.put_dataset(data)
    if origin is not None:
        origin = origin if admission.kept is None else origin.take(admission.kept)
        write_whole(origin_file(store.path, data.fingerprint), origin.frame(len(data)).to_parquet)
    return admitted_event(candidate, data, admission.left_out)


def stored_dataset(store: ArtefactStore, state: State, name: str) -> Dataset:
    """A dataset that was let in while the study ran."""
    content = str(state.card(name)["fingerprint"])
    x, y, metadata = open_part(store.folder(content))
    return Dataset(name=name, x=x, y=y, metadata=metadata, fingerprint=content)


def with_pictures(store: ArtefactStore, data: Dataset, made: Path) -> Dataset:
    """The same dataset, its files that lie below the folder of a maker beside those that are let in.

    They are told by their path from the stored dataset, so that the folder of a study may be moved.
    """
    if not isinstance(data.x, Table) or data.x.kind != "files":
        return data
    folder, below = store.path / PICTURES, f"{made.absolute()}{os.sep}"
    paths, contents = data.x.texts(), data.x.arrow.column(CONTENT).to_pylist()
    with disk_told(folder):
        for at, (path, content) in enumerate(zip(paths, contents, strict=True)):
            if not path.startswith(below):
                continue
            file = folder / f"{content}{Path(path).suffix}"
            if not file.exists():
                write_whole(file, Path(path).read_bytes())
            paths[at] = str(Path("..", PICTURES, file.name))
    return replace(data, x=Table.of_files(paths, contents))
