"""Who sees which held-out rows: some are for the search and whoever looks at single rows, the others decide.

Of fifty useless datasets the search picks those that look best on the rows it sees, and a proposer makes data for the
failures it was shown; both gains are gone on new rows. So comparisons have rows that nobody has chosen anything by.
Every part is cut once, at the beginning (docs/guide/gate.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
import pandas as pd

from autodc import seeds, values
from autodc.data.catalogue import Catalogue
from autodc.data.dataset import Dataset
from autodc.errors import InputError
from autodc.evaluation.metrics import Metric, soft_rows
from autodc.evaluation.slices import VALIDATION, Sides, Slice, SliceTable, held_parts
from autodc.large import distinct_values
from autodc.studyfile.study import StudySpec, TaskKind
from autodc.table import Inputs
from autodc.wire.cut import Held, cut
from autodc.wire.legacy_cut import former_cut

Array = np.ndarray[Any, Any]

SMALLER = (0.3, 0.2, 0.1)
"""Shares that are tried, largest first, where the one nobody asked for would leave no target able to show anything."""

KEY = "data.explore_share"


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Separation:
    """Who sees which rows of which part."""

    share: float
    """Of the rows that the search sees, 0 where nothing is cut."""
    sides: Sides
    """Where nothing is cut, both sides have every row."""
    is_cut: bool
    diagnosed: Array | None = None
    """Rows of validation for diagnosis, where they are not those that the search sees (wire/legacy_cut.py)."""
    note: str = ""
    """Why it was not cut, or not by the share that is usual, or empty."""
    times: Mapping[str, str] = field(default_factory=dict)
    """Part that is cut in time → the column by which."""

    @property
    def explore(self) -> Array:
        """The rows of validation that a diagnoser may see."""
        return self.sides.explore[VALIDATION] if self.diagnosed is None else self.diagnosed

    @property
    def searched(self) -> Array:
        """The rows of validation that the search sees."""
        return self.sides.explore[VALIDATION]

    @property
    def gate(self) -> Array:
        """The rows of validation that the gate decides on."""
        return self.sides.gate[VALIDATION]

    def to_dict(self) -> dict[str, Any]:
        """JSON form: how many rows of each part."""
        parts = {p: {"explore": len(e), "gate": len(self.sides.gate[p])} for p, e in self.sides.explore.items()}
        times = {"times": dict(self.times)} if self.times else {}
        return {"share": self.share, "cut": self.is_cut, "parts": parts, "note": self.note, **times}


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Diagnosis:
    """The explore rows of validation as a diagnoser may have them.

    No comparison of the gate is made on them, and no number that is reported rests on them.
    """

    ids: Array
    """Positions in validation, shape (n,)."""
    x: Inputs
    """inputs."""
    targets: Array
    """As the user wrote them."""
    metadata: pd.DataFrame
    """n rows."""
    groups: Array | None
    """Shape (n,) or None."""
    outputs: Array
    """Predictions of a training of the incumbent, shape (n, …)."""
    scores: Array
    """Shape (n,), the probability given to the truth, or minus the absolute error; in a custom task the metric's."""
    failed: Array | None
    """Shape (n,), whether the class is wrong, None outside classification."""


def separate(
    spec: StudySpec, catalogue: Catalogue, table: SliceTable, *, wished: bool, former: bool = False
) -> Separation:
    """Cut every held-out part by `data.explore_share`. table: the slices on all rows.

    wished: whether the study file names the share. Then a slice without rows on one side, or rows that cannot be cut,
    raise InputError ADC-SLICE-005 and 006. Otherwise rows that cannot be cut are not, and where no target could show
    anything on what is left, the search sees fewer of them, or the rows are not cut; either is told.
    former: the study was begun before search and gate had rows of their own.
    """
    share, held = spec.data.explore_share, held_parts(catalogue)
    every = {part: np.arange(len(data)) for part, data in held.items()}
    if share == 0:
        return _whole(every)
    if former:
        return _formerly(spec, catalogue, table, every)
    rows, seed = Held.of(held, table, alike=spec.task.kind != "custom"), seeds.integer(spec.seed, "explore")
    if len(distinct_values(rows.parts[VALIDATION])) < 2:
        if wished:
            raise _uncuttable(spec, rows)
        return _whole(every, f"{_NOT_CUT}: its rows are one group")
    if wished:
        sides = cut(rows, share, seed)
        if bare := [one for one in table.slices if not all(_sizes(one, sides))]:
            raise _bare(spec, bare[0], sides)
        return Separation(share=share, sides=sides, is_cut=True, times=_in_time(held, rows))
    return _by_default(spec, table, rows, seed, every, _in_time(held, rows))


def _formerly(spec: StudySpec, catalogue: Catalogue, table: SliceTable, every: Mapping[str, Array]) -> Separation:
    found = former_cut(spec, catalogue, table)
    if found is None:
        return _whole(every, _NOT_CUT)
    shared = {**every, VALIDATION: found[1]}
    share = spec.data.explore_share
    return Separation(share=share, sides=Sides(explore=shared, gate=shared), is_cut=True, diagnosed=found[0])


def _in_time(held: Mapping[str, Dataset], rows: Held) -> dict[str, str]:
    return {part: held[part].time for part, times in rows.times.items() if len(distinct_values(times)) > 1}


def _by_default(
    spec: StudySpec, table: SliceTable, rows: Held, seed: int, every: Mapping[str, Array], times: Mapping[str, str]
) -> Separation:
    """The cut that nobody asked for takes no study its voice."""
    usual, least = spec.data.explore_share, spec.gate.min_rows
    speaks = any(s.role == "target" and s.is_evidence(least) for s in table.slices)
    for share in (usual, *SMALLER):
        sides = cut(rows, share, seed)
        gate = table.on(sides.gate)
        if not speaks or any(s.role == "target" and s.is_evidence(least) for s in gate.slices):
            note = "" if share == usual else _LESS.format(share=f"{share:.0%}", usual=f"{usual:.0%}")
            return Separation(share=share, sides=sides, is_cut=True, note=note, times=times)
    why = f"{_NOT_CUT}: no target slice would be left with the {least} rows that count of gate.min_rows"
    return _whole(every, why)


def told_of_cut(spec: StudySpec, table: SliceTable, separation: Separation) -> list[str]:
    """What a person must know of the cut before the night; table: the slices on all rows.

    A slice that is no evidence is told elsewhere, with its gate rows.
    """
    found = [separation.note] if separation.note else []
    if not separation.is_cut or separation.diagnosed is not None:
        return found
    for one in table.on(separation.sides.explore).slices:
        if one.role == "target" and not one.is_evidence(spec.gate.min_rows):
            groups = f" in {one.groups} groups" if one.groups < len(one.rows) else ""
            found.append(
                f"slice {one.name}: the search sees {len(one.rows)} of its {len(table[one.name].rows)} rows{groups}, "
                "too few to tell by them what helps it"
            )
    return found


def diagnosis_of(
    catalogue: Catalogue, separation: Separation, outputs: Mapping[str, Array], kind: TaskKind, metric: Metric
) -> Diagnosis:
    """Return the explore rows with what one training of the incumbent made of them. outputs: part → row order."""
    rows = separation.explore
    data, mine = catalogue.validation.take(rows), outputs[VALIDATION][rows]
    targets = catalogue.original_target(data)
    assert targets is not None
    assert data.y is not None
    scores = metric.rows(mine, data.y) if kind == "custom" else soft_rows(kind, mine, data.y)
    return Diagnosis(
        ids=rows,
        x=data.x,
        targets=values.objects(targets),
        metadata=data.metadata,
        groups=data.groups,
        outputs=values.objects(mine),
        scores=np.asarray(scores, dtype=float),
        failed=np.asarray(mine.argmax(axis=1) != data.y) if catalogue.classes is not None else None,
    )


_NOT_CUT = "validation is not cut, so the search sees the rows that decide"
_LESS = (
    "the search sees {share} of the held-out rows instead of {usual}: on what {usual} leaves, no target slice could "
    "show anything"
)


def _whole(every: Mapping[str, Array], note: str = "") -> Separation:
    return Separation(share=0.0, sides=Sides(explore=every, gate=every), is_cut=False, note=note)


def _sizes(one: Slice, sides: Sides) -> tuple[int, int]:
    """Rows of a slice on either side."""
    explored, decides = (len(one.only(one.part, side[one.part]).rows) for side in (sides.explore, sides.gate))
    return explored, decides


def _bare(spec: StudySpec, one: Slice, sides: Sides) -> InputError:
    explored, _ = _sizes(one, sides)
    side = "decide on" if explored else "explore"
    return InputError(
        "ADC-SLICE-005",
        f"this share leaves slice {one.name} no rows to {side}",
        spec.place(KEY),
        f"{spec.data.explore_share:g} of {len(one.rows)} rows in {one.groups} groups",
        "choose a share nearer to the middle, widen the slice, or leave the key out",
    )


def _uncuttable(spec: StudySpec, rows: Held) -> InputError:
    return InputError(
        "ADC-SLICE-006",
        "validation cannot be cut in two",
        spec.place(KEY),
        f"{len(rows.parts[VALIDATION])} rows of validation, all of them one group",
        "write 0, so that the search sees the rows that decide; or give rows of more groups",
    )
