"""`autodc export`: the final training set of a run as a folder that another program trains on."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, final

import numpy as np

from autodc.adapters.export import Layout, Part, described, written
from autodc.errors import InputError
from autodc.files import disk_told, fill_whole
from autodc.review import lineage
from autodc.study.journal.state import State
from autodc.study.view import spec_of
from autodc.verbs.folder import open_state
from autodc.wire.lineage import RunRows, origin_of, read_rows_of

README, LINEAGE, CROISSANT = "README.md", "lineage.json", "croissant.json"
UNSTATED = "not stated here: the licenses of the sources in lineage.json apply"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ExportResult:
    """What was written."""

    folder: Path
    content: Mapping[str, Any]
    """As `--json` has it."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return dict(self.content)


def export(run: str | os.PathLike[str], out: str | os.PathLike[str], *, license_url: str | None = None) -> ExportResult:
    """Write what the incumbent of a run was trained on into a new folder: rows, weights, and where each row is from.

    run: the folder of a run, also while it runs; out: a folder that is not there yet, it is there whole or not at all;
    license_url: of the rows, for the Croissant file. Given datasets are read from their sources again.
    Raises InputError ADC-PROP-060 where the folder exists, DataError 061 where a source has changed since, and all that
    reading the sources raises.
    """
    state, source, folder = open_state(run), Path(run), Path(out).absolute()
    _refuse_existing(folder)
    weights = lineage.trained_on(state)
    rows = read_rows_of(source, state, weights)
    parts = [_part(source, state, rows, name, weight) for name, weight in weights.items()]
    content: dict[str, Any] = {}

    def fill(unfinished: Path) -> None:
        layout = written(unfinished, parts, spec_of(state).data.base.options)
        content.update(_content(state, parts, layout))
        _write(unfinished / LINEAGE, json.dumps(content, indent=2) + "\n")
        about = _about(state, content, license_url)
        _write(unfinished / CROISSANT, json.dumps(described(unfinished, layout, about, (LINEAGE,)), indent=2) + "\n")
        _write(unfinished / README, _readme(content, layout))

    with disk_told(folder):
        fill_whole(folder, fill)
    return ExportResult(folder=folder, content={"out": str(folder), **content})


def _refuse_existing(folder: Path) -> None:
    if os.path.lexists(folder):
        got = "a folder" if folder.is_dir() else "a file"
        hint = "name a folder that is not there yet: nothing is written over"
        raise InputError("ADC-PROP-060", "the output folder exists", "--out", f"{folder}: {got}", hint)


def _part(folder: Path, state: State, rows: RunRows, name: str, weight: float) -> Part:
    data, card, origin = rows.dataset(name), state.card(name), origin_of(folder, state, name)
    y = rows.catalogue.original_target(data)
    assert y is not None
    return Part(
        data=data,
        y=np.asarray(y),
        weight=weight,
        by=lineage.maker_of(state, name),
        round=int(card.get("round") or 0),
        finding=card.get("finding"),
        parents=() if origin is None else origin.parents,
        parent=None if origin is None else origin.parent,
        position=None if origin is None else origin.position,
    )


def _content(state: State, parts: list[Part], layout: Layout) -> dict[str, Any]:
    """What lineage.json tells."""
    assert state.incumbent is not None
    datasets = [
        {**lineage.dataset_lineage(state, part.name), "weight": part.weight, "rows": len(part)} for part in parts
    ]
    others = dict.fromkeys(name for part in parts for name in part.parents)
    known = {part.name for part in parts}
    return {
        "schema": 1,
        "study": state.question.name,
        "fingerprint": state.question.fingerprint,
        "finished": state.finished is not None,
        "round": state.round,
        "plan": state.incumbent.to_dict(),
        "rows": sum(map(len, parts)),
        "kind": layout.kind,
        "files": list(layout.files),
        "targets": list(layout.targets),
        "read": {"source": layout.source, "options": dict(layout.options)},
        "datasets": datasets,
        "parents": [lineage.dataset_lineage(state, name) for name in others if name not in known],
    }


def _about(state: State, content: Mapping[str, Any], license_url: str | None) -> dict[str, Any]:
    """What a Croissant file says of the whole."""
    names = ", ".join(one["name"] for one in content["datasets"])
    return {
        "name": f"{content['study']}-training-set",
        "description": f"The training set of study {content['study']}: {content['rows']} rows of {names}.",
        "license": license_url or UNSTATED,
        "url": f"urn:autodc:{content['fingerprint']}",
        "creator": {"@type": "Organization", "name": f"study {content['study']}, by autodc"},
        "datePublished": datetime.now(UTC).date().isoformat(),
        "version": "1.0.0",
    }


def _readme(content: Mapping[str, Any], layout: Layout) -> str:
    read = {"source": f"FOLDER/{layout.source}".rstrip("/"), "options": dict(layout.options)}
    rows = [
        f"| {one['name']} | {one['rows']} | {one['weight']:g} | {one['by']} | {one['verdict'] or 'the base'} |"
        for one in content["datasets"]
    ]
    what = {
        "table": "a column an input, the target beside them",
        "vectors": "the inputs as lists in column `x`, the target beside them",
        "arrays": "arrays `x` and `y`, and every other column; `rows.parquet` has the columns without the inputs",
        "images": "a line for each picture",
        "files": "a line for each file, copied as it was",
    }[layout.kind]
    lines = [
        f"# Training set of {content['study']}",
        "",
        f"{content['rows']} rows, as the model of this study was trained on them, in `{layout.files[-1]}`: {what}.",
        "",
        "| dataset | rows | weight | by | verdict |",
        "| --- | --- | --- | --- | --- |",
        *rows,
        "",
        "`autodc_weight` is how many times a row is drawn in an epoch, on average: 1 each time, 0.5 every other.",
        f"Trained by recipe `{content['plan']['recipe']}`; its settings stand in `lineage.json`, `plan`.",
        "",
        "`autodc_dataset` and `autodc_row` say which row it is. A row that was made names the row it was made of",
        "(`autodc_parent`, `autodc_parent_row`), the finding it is for, the round and the proposer (`autodc_by`).",
        "`lineage.json` has source, verdict with reasons, cost and content of each dataset; `croissant.json`",
        "describes the files (MLCommons Croissant 1.0), `digests.json` holds their SHA-256.",
        "",
        "In a study of autodc:",
        "",
        f"    base: {json.dumps(read)}",
    ]
    return "\n".join(lines) + "\n"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
