"""What a run writes into its folder beside the journal: all of it can be told anew from the journal."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from autodc.adapters.artefacts import ArtefactStore
from autodc.adapters.journal import JOURNAL, open_for_reading
from autodc.adapters.mlflow.target import remembered
from autodc.errors import SurroundingsError
from autodc.files import write_whole
from autodc.masking import masked
from autodc.report import write_report
from autodc.report.findings import Exhibits
from autodc.report.requests import write_requests
from autodc.review.result import result
from autodc.study.journal.state import State
from autodc.study.ports import ArtefactLost
from autodc.verbs.folder import open_state
from autodc.wire.admitting import DATASETS

Array = np.ndarray[Any, Any]
RESULT = "result.json"
REPORT = Path("report") / "index.html"


def open_result(folder: str | os.PathLike[str]) -> tuple[State, dict[str, Any]]:
    """Read a study folder, also while it runs: its state, and its result so far. Raises InputError where none is."""
    state = open_state(folder)
    return state, content_of(state, Path(folder))


def content_of(state: State, folder: Path) -> dict[str, Any]:
    """The result so far of a study in a folder, with where it stands in MLflow if that is known."""
    content = result(state)
    if (reference := _reference(folder)) is not None:
        content["mlflow"] = reference
    return content


def exhibits_of(folder: Path) -> Exhibits:
    """What is kept to be shown of the findings of a run."""
    stores = ArtefactStore(folder / "outcomes"), ArtefactStore(folder / DATASETS)

    def read(address: str) -> Mapping[str, Array] | None:
        for store in stores:
            with suppress(ArtefactLost):
                return store.get(address)
        return None

    return read


def written_again(state: State, folder: Path) -> None:
    """Write result.json and the page of a study again, after something was added to its journal."""
    content = result(state)
    content["mlflow"] = _reference(folder)
    written(write_requests, state, folder, exhibits_of(folder))
    written(write_report, state, content, folder, exhibits_of(folder))
    write_json(folder / RESULT, content)


def stored(folder: Path) -> dict[str, Any]:
    """What result.json holds; nothing where it is missing, cut short or of another kind: all of it can be told anew."""
    try:
        found = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    reference = found.get("mlflow")
    if not isinstance(reference, dict) or not reference.keys() >= {"uri", "experiment_id", "run_id"}:
        return {**found, "mlflow": None}
    return {**found, "mlflow": {name: masked(str(words)) for name, words in reference.items()}}


def has_page(folder: Path) -> bool:
    """Whether the page is there to its last line."""
    try:
        return (folder / REPORT).read_bytes().rstrip().endswith(b"</html>")
    except OSError:
        return False


def _reference(folder: Path) -> dict[str, str] | None:
    """Where the study stands in MLflow, as far as its folder knows."""
    if known := stored(folder).get("mlflow"):
        return dict(known)
    with open_for_reading(folder / JOURNAL) as journal:
        return remembered(journal)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """As JSON; the file is whole or not there."""
    written(write_whole, path, json.dumps(content, indent=2) + "\n")


def written(write: Callable[..., object], *arguments: Any) -> None:
    """Write what can be told anew from the journal. Raises SurroundingsError ADC-DISK-080 where that cannot be."""
    try:
        write(*arguments)
    except OSError as error:
        raise SurroundingsError(
            "ADC-DISK-080",
            "result.json or the page cannot be written",
            str(error.filename2 or error.filename or ""),
            error.strerror or str(error),
            "the journal is whole; make room or the way free, then give the same command again",
        ) from error
