"""What a new study is made of: which rows train, hold out and are offered, and what did not fit."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, final

from pydantic import JsonValue

from autodc.adapters.simple_methods import CONSTANT, LINEAR, MEDIAN
from autodc.table import Table
from autodc.verbs.draft.columns import slug
from autodc.verbs.draft.cutting import TEST, TRAIN, VALIDATION, Cut
from autodc.verbs.draft.learner import Learner, learner
from autodc.verbs.draft.rows import Rows, shown_source
from autodc.verbs.draft.sibling_files import Beside

DATA = "data"
"""The folder of what is written."""
SEED = 1
UNEVEN = 0.8
"""From this share of the largest class on, accuracy says little of the others."""
RESERVED = ("base", "validation", "test", "pool")


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choices:
    """A study in the making."""

    name: str
    folder: Path
    """Where it is written."""
    rows: Rows
    learner: Learner
    validation: str | None
    test: str | None
    """Files of the user's, absolute; None: cut, or none."""
    candidates: Mapping[str, str]
    """Name → file."""
    unfit: Mapping[str, str] = field(default_factory=dict)
    """Candidates and held-out files that did not fit: name → why."""
    overlap: str | None = None
    features: tuple[str, ...] | None = None
    """Inputs that must be named, for the training part alone would suggest others."""
    still: Mapping[str, str] = field(default_factory=dict)
    """Inputs of all rows that tell nothing in the training part → why."""
    cut: Cut | None = None
    parts: Mapping[str, str] = field(default_factory=dict)
    """What was written: part → its name in DATA."""
    part_options: Mapping[str, JsonValue] = field(default_factory=dict)

    @property
    def time(self) -> str | None:
        """The column that the rows are cut by and that is no input for that."""
        return self.rows.time if self.cut is not None and self.rows.time in self.rows.inputs else None

    @property
    def aside(self) -> dict[str, str]:
        """Column that is no input → why."""
        return {**self.rows.aside, **self.still, **({self.time: "the time the rows are cut by"} if self.time else {})}

    def base(self) -> dict[str, Any]:
        """The base as a study file has it."""
        own: dict[str, Any] = {}
        if self.features is not None:
            own = {"features": list(self.features)}
        elif self.aside and self.rows.form != "text":
            own = {"metadata": list(self.aside)}
        written = self.parts.get(TRAIN)
        return self._source(self.rows.source if written is None else None, written, own)

    def held(self, part: str) -> dict[str, Any] | None:
        """Validation or test as a study file has it; None where there is none."""
        path, written = (self.validation if part == VALIDATION else self.test), self.parts.get(part)
        return None if path is None and written is None else self._source(path, written, {})

    def offered(self) -> list[dict[str, Any]]:
        """The candidates as a study file has them."""
        return [{"name": name, **self._source(path, None, {})} for name, path in self.candidates.items()]

    def _source(self, path: str | None, written: str | None, own: Mapping[str, Any]) -> dict[str, Any]:
        options = {**(self.rows.options if path is not None else self.part_options), **own}
        if isinstance(table := options.get("metadata"), str):
            options["metadata"] = shown_source(table, self.folder)
        source = f"{DATA}/{written}" if path is None else shown_source(path, self.folder)
        return {"source": source, **({"options": options} if options else {})}

    def study(self) -> dict[str, Any]:
        """The study file's content, with the whole as its one slice."""
        offered, test = self.offered(), self.held(TEST)
        rounds, trials = (2 if offered else 1), min(60, 24 + 4 * len(offered))
        return {
            "schema_version": 1,
            "name": self.name,
            "seed": SEED,
            "task": {
                "kind": self.rows.kind,
                "trainer": self.learner.trainer,
                "options": dict(self.learner.options),
            },
            "data": {
                "base": self.base(),
                **({"candidates": offered} if offered else {}),
                "validation": self.held(VALIDATION),
                **({"test": test} if test else {}),
                **({"overlap": self.overlap} if self.overlap else {}),
            },
            "metrics": {"primary": self.metric},
            "slices": [{"name": "overall", "role": "target"}],
            "search_space": dict(self.learner.space),
            "baselines": self.baselines,
            "loop": {"rounds": rounds},
            "search": {"trials_per_round": trials},
            "budget": {"trainings": 20 + 10 * round(rounds * trials * 0.17), "wall_clock": "8h"},
            **({} if find_spec("mlflow") else {"tracking": {"uri": "none"}}),
        }

    @property
    def baselines(self) -> list[str]:
        """The quickest things that work on such rows."""
        if self.rows.kind == "image_to_image":
            return [CONSTANT, MEDIAN]
        x = self.rows.data.x
        return [CONSTANT] if isinstance(x, Table) and x.kind == "files" else [CONSTANT, LINEAR]

    @property
    def metric(self) -> str:
        """The primary metric."""
        classes = self.rows.classes
        if classes:
            return "balanced_accuracy" if max(classes.values()) > UNEVEN * sum(classes.values()) else "accuracy"
        return "psnr" if self.rows.kind == "image_to_image" else "mae"


def choose(rows: Rows, beside: Beside, name: str, folder: Path) -> Choices:
    """What to begin with; what does not fit is found by `settling.settled`."""
    x = rows.data.x
    width = int(x.shape[1]) if x.ndim == 2 else 0
    learns = learner(rows.form, rows.kind, rows=len(rows.data), width=width, classes=len(rows.classes))
    names: dict[str, str] = {}
    for path in beside.candidates:
        names[slug(os.path.basename(path).split(".")[0], (*names, *RESERVED), "candidate")] = path
    return Choices(
        name=name,
        folder=folder,
        rows=rows,
        learner=learns,
        validation=beside.validation,
        test=beside.test,
        candidates=names,
        unfit=dict(beside.unlike),
    )
