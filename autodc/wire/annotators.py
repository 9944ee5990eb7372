"""Labels that several people gave: metadata columns of a dataset, one an annotator, settled and held to its labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd

from autodc import seeds
from autodc.diagnose.annotators import Annotations, several_annotators
from autodc.diagnose.check import plain
from autodc.diagnose.own_rows import unseen
from autodc.wire.inputs import Inputs

if TYPE_CHECKING:
    from autodc.wire.labels import Rows

Array = np.ndarray[Any, Any]

USUAL = ("annotator*",)
"""What columns of annotators are called where nobody says otherwise; shell patterns."""
LISTED = 100
"""Disputed rows, and labels that are not what annotators agree on, that are listed."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Settled:
    """What annotators of one dataset make together, and where its labels are other ones."""

    name: str
    annotations: Annotations
    """`disputed` are places among the rows."""
    ids: Array
    """Position of each row in its file."""
    given: Array
    """Labels that stand there."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form; `row` is a position in the file. differing: rows where the label is not what they agree on."""
        found, quality = self.annotations.to_dict(), self.annotations.quality
        disputed = [{**one, "row": int(self.ids[one["row"]])} for one in found["disputed"]]
        differing = [
            {
                "row": int(self.ids[row]),
                "given": plain(self.given[row]),
                "consensus": one,
                "quality": round(float(quality[row]), 4),
            }
            for row, one in enumerate(self.annotations.consensus)
            if quality is not None and one is not None and str(one) != str(self.given[row])
        ]
        differing = sorted((one for one in differing if one["quality"] >= 0.5), key=lambda one: -one["quality"])
        counts = {"rows": len(self.ids), "disputes": len(disputed), "differ": len(differing)}
        return {"name": self.name, **found, **counts, "disputed": disputed[:LISTED], "differing": differing[:LISTED]}


def annotator_columns(metadata: pd.DataFrame, patterns: Sequence[str] = USUAL) -> list[str]:
    """Columns that hold the labels of annotators."""
    return [str(name) for name in metadata.columns if any(fnmatchcase(str(name), one) for one in patterns)]


def settled_in(inputs: Inputs, seen: Rows, patterns: Sequence[str] = USUAL) -> list[Settled]:
    """Settle the labels of every dataset that has two columns of annotators or more.

    What a model of its own rows says of each, which it has not seen, goes in too. Raises DataError ADC-DIAG-051 where
    an annotator gave what is no class.
    """
    classes = tuple(inputs.catalogue.classes or ())
    seed = seeds.integer(inputs.spec.seed, "labels")
    found = []
    for own, points, units, ids in zip(seen.datasets, seen.embedding, seen.units, seen.ids, strict=True):
        names = annotator_columns(own.metadata, patterns)
        if len(names) < 2:
            continue
        codes = np.asarray(own.y)
        votes = pd.DataFrame({name: _labels(own.metadata[name]) for name in names})
        told = several_annotators(votes, unseen(points, codes, units, len(classes), seed), classes)
        found.append(Settled(name=own.name, annotations=told, ids=ids, given=np.asarray(classes)[codes]))
    return found


def _labels(column: pd.Series[Any]) -> Array:
    """Labels as a person wrote them: a whole number that a gap made decimal is whole again, what is missing None."""
    values = column.astype(object).to_numpy()
    found = np.empty(len(values), dtype=object)
    for at, value in enumerate(values):
        if value is None or value is pd.NA or (isinstance(value, (float, np.floating)) and np.isnan(value)):
            continue
        if isinstance(value, str) and not value.strip():
            continue
        whole = isinstance(value, (float, np.floating)) and float(value).is_integer()
        found[at] = int(value) if whole else plain(value)
    return found
