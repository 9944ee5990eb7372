"""What a study came to, for Python and notebooks: verdicts, tables, a copy for the tools of others."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from autodc.errors import InputError
from autodc.hints import suggest

if TYPE_CHECKING:
    import optuna
    import pandas as pd


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a study came to. A notebook shows it as a page of its own."""

    content: Mapping[str, Any]
    """What result.json holds."""
    folder: Path
    """Where journal, models and report lie."""
    untracked: str = ""
    """Why MLflow is late, or empty."""
    refused: str = ""
    """What MLflow would not take of what it was sent, or empty."""

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Result:
        """Read the folder of a run, also while it runs. Raises InputError ADC-RUN-005 where no study is."""
        from autodc.verbs.outputs import open_result

        return cls(content=open_result(folder)[1], folder=Path(folder))

    @property
    def kept(self) -> tuple[str, ...]:
        """Datasets that truly improve the slices."""
        return tuple(self.content["kept"])

    @property
    def dropped(self) -> tuple[str, ...]:
        """Datasets shown useless or harmful."""
        return tuple(self.content["dropped"])

    @property
    def undecided(self) -> tuple[str, ...]:
        """Datasets of which the evidence cannot tell."""
        return tuple(self.content["undecided"])

    def frame(self, name: str = "trials") -> pd.DataFrame:
        """A tidy table of the journal as it is now: `trials`, `decisions`, `slices` or `evidence`.

        A row a training; a comparison of the gate; a slice, part and side; a look and slice. docs/guide/notebook.md
        says what the columns mean. Raises InputError ADC-CMP-005 for another name.
        """
        from autodc.review.frames import FRAMES
        from autodc.verbs.outputs import open_result

        if name not in FRAMES:
            hint = suggest(name, list(FRAMES), "frames")
            raise InputError("ADC-CMP-005", "there is no such frame", "frame", repr(name), hint)
        return FRAMES[name](*open_result(self.folder))

    def optuna_study(self, storage: str | None = None) -> optuna.Study:
        """The search as a study of Optuna, with constraints: its plots, importances and dashboard work on it.

        Weights, recipe, hyperparameters are its parameters; the objective on the rows that the search sees its value,
        with `search.objectives` beside it; how much more than its margin each guard loses its constraints, at most 0
        where it holds. storage: an address as Optuna has it, `sqlite:///night.db`, or a file of its own journal,
        `night.log`, which is written far faster; left out: in memory. An earlier copy there is replaced. Raises
        InputError ADC-COPY-003 where the storage has another study of that name.
        """
        from autodc.verbs.copies import optuna_study

        return optuna_study(self.folder, storage)

    def to_tensorboard(self, out: str | os.PathLike[str]) -> Path:
        """Write event files for TensorBoard, a run a training, with hyperparameters; return their folder.

        Raises InputError ADC-COPY-001 where tensorboardX is not installed, ADC-COPY-002 for a folder with files in it.
        """
        from autodc.verbs.copies import to_tensorboard

        return to_tensorboard(self.folder, out)

    def to_dict(self) -> dict[str, Any]:
        """The content of result.json."""
        return dict(self.content)

    def _repr_html_(self) -> str:
        from autodc.report.notebook import result_html

        return result_html(self.content, str(self.folder))
