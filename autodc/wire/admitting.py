"""How a dataset joins a study that runs: its content is stored, for nothing else could read it again."""

from __future__ import annotations

from pathlib import Path

from autodc.adapters.artefacts import ArtefactStore, open_part
from autodc.data.admit import Admission, Candidate, card
from autodc.data.dataset import Dataset
from autodc.study.journal.events import DatasetAdmitted
from autodc.study.journal.state import State

MADE = Path("made")
"""Below the study's folder: what makers write; pictures that were made stay there, all else until it was let in."""
PICTURES = "pictures"
DATASETS = "datasets"
"""Below the study's folder: content of datasets that were admitted while it ran."""


def origin_file(datasets: Path, fingerprint: str) -> Path:
    """The file beside a dataset that was made: where each of its rows comes from. datasets: the folder of both."""
    return datasets / f"{fingerprint}.origin.parquet"


def admitted_event(candidate: Candidate, data: Dataset, left_out: int) -> DatasetAdmitted:
    """The event by which a dataset that came through the door joins the roster."""
    return DatasetAdmitted(name=candidate.name, card=card(candidate, data, left_out), reference=data.fingerprint)


def let_in(store: ArtefactStore, candidate: Candidate, admission: Admission) -> DatasetAdmitted:
    """Store what came through the door; the event by which it joins."""
    assert admission.data is not None
    _ = store.put_dataset(admission.data)
    return admitted_event(candidate, admission.data, admission.left_out)


def stored_dataset(store: ArtefactStore, state: State, name: str) -> Dataset:
    """A dataset that was let in while the study ran."""
    content = str(state.card(name)["fingerprint"])
    x, y, metadata = open_part(store.folder(content))
    return Dataset(name=name, x=x, y=y, metadata=metadata, fingerprint=content)
