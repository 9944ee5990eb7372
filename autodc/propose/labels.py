"""Labels as people and programs give them: understood as targets of the study, or left open where nobody can tell."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, final

import numpy as np

from autodc.errors import InputError
from autodc.values import encoded

Array = np.ndarray[Any, Any]

UNSURE = "?"
"""In a file of labels: nobody can tell. Programs answer None."""
SHOWN = 5
"""Labels that a message names."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a label may be."""

    form: Literal["classes", "numbers", "values"]
    """values: whatever JSON has, of a custom task."""
    classes: tuple[Any, ...] = ()
    """Labels of the study in the order of their codes."""
    shape: tuple[int, ...] = ()
    """Of numbers: of one target."""
    dtype: str = "float64"
    """Of numbers."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {"form": self.form, "classes": list(self.classes), "shape": list(self.shape), "dtype": self.dtype}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Read it of its JSON form."""
        return cls(
            form=told["form"], classes=tuple(told["classes"]), shape=tuple(told["shape"]), dtype=str(told["dtype"])
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """What the columns of a sheet are called; none where labels do not fit into a cell or a few."""
        if self.form == "values" or len(self.shape) > 1:
            return ()
        return ("label",) if not self.shape else tuple(f"label_{k + 1}" for k in range(self.shape[0]))

    @property
    def is_whole(self) -> bool:
        """Whether targets are whole numbers."""
        return np.dtype(self.dtype).kind in "iu"

    def target(self, label: Any) -> Any:
        """One label as a target: the code of its class, a number or numbers, a JSON value. None where it is none."""
        if self.form == "classes":
            return self._code(label)
        return self._number(label) if self.form == "numbers" else _json(label)

    def array(self, targets: Sequence[Any]) -> Array:
        """Targets as one array, shape (n, ...)."""
        if self.form == "classes":
            return np.asarray(targets, dtype=np.int64)
        if self.form == "values":
            return encoded(list(targets))
        return np.asarray(targets, dtype=np.float64).reshape(len(targets), *self.shape).astype(self.dtype)

    def _code(self, label: Any) -> int | None:
        known = {written(one): code for code, one in enumerate(self.classes)}
        if isinstance(label, (list, tuple, Mapping)) or (isinstance(label, float) and math.isnan(label)):
            return None
        text = written(label)
        if text in known:
            return known[text]
        if all(isinstance(one, bool) for one in self.classes):
            return known.get(text.casefold())
        try:
            return known.get(written(float(text)))  # 3.0 for class 3, as spreadsheets write it
        except ValueError:
            return None

    def _number(self, label: Any) -> Any:
        try:
            value = np.asarray(label, dtype=np.float64)
        except (TypeError, ValueError):
            return None
        value = value.reshape(1) if self.shape == (1,) and not value.ndim else value
        is_one = value.shape == self.shape and bool(np.isfinite(value).all()) and not isinstance(label, bool)
        return value.tolist() if is_one and self._fits(value) else None

    def _fits(self, value: Array) -> bool:
        """Whether numbers are whole and in range where targets are whole numbers."""
        if not self.is_whole:
            return True
        limits = np.iinfo(self.dtype)
        inside = (value >= float(limits.min)) & (value < float(limits.max) + 1)
        return bool((inside & (value == np.floor(value))).all())


def written(label: Any) -> str:
    """A label as text: a whole number without decimals, true and false in small letters."""
    value = label.item() if isinstance(label, np.generic) else label
    if isinstance(value, bool):
        return str(value).casefold()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def is_open(label: Any, wanted: Wanted) -> bool:
    """Whether a label says that nobody can tell: of several numbers, whether all of them do."""
    if wanted.shape and isinstance(label, (list, tuple)) and label:
        return all(is_open(one, wanted) for one in label)
    return label is None or (isinstance(label, str) and label.strip() == UNSURE)


def understood(labels: Sequence[Any], ids: Sequence[str], wanted: Wanted, place: str) -> list[Any]:
    """One target for each label, None where nobody can tell.

    Raises InputError ADC-PROP-074 for labels that the study does not have: other classes, NaN, what is no number.
    """
    found, strange = told_apart(labels, ids, wanted)
    if strange:
        raise refusal(strange, wanted, place)
    return found


def told_apart(labels: Sequence[Any], ids: Sequence[str], wanted: Wanted) -> tuple[list[Any], dict[str, str]]:
    """One target for each label, None of others; and row → what was said of it that is no label of the study."""
    found, strange = list[Any](), dict[str, str]()
    for label, row in zip(labels, ids, strict=True):
        value = None if is_open(label, wanted) else wanted.target(label)
        if value is None and not is_open(label, wanted):
            strange[row] = written(label)[:40] if not isinstance(label, np.ndarray) else "an array"
        found.append(value)
    return found, strange


def refusal(strange: Mapping[str, str], wanted: Wanted, place: str) -> InputError:
    """What says that there are labels that the study does not have. strange: row → label."""
    rows: dict[str, list[str]] = {}
    for row, label in strange.items():
        rows.setdefault(label, []).append(row)
    first = list(rows.items())[:SHOWN]
    got = ", ".join(f"`{label}` for {len(each)} rows, row {each[0]} the first" for label, each in first)
    return InputError("ADC-PROP-074", "labels that the study does not have", place, got, _hint(wanted))


def _hint(wanted: Wanted) -> str:
    none = f"None, or {UNSURE} in a file, where nobody can tell"
    if wanted.form == "classes":
        known = [written(one) for one in wanted.classes]
        more = f" and {len(known) - 20} more" if len(known) > 20 else ""
        return f"a label is one of {', '.join(known[:20])}{more}; {none}"
    if wanted.form == "numbers":
        whole = f"whole ({wanted.dtype}) " if wanted.is_whole else ""
        shape = f"one {whole}number" if not wanted.shape else f"{whole}numbers of shape {wanted.shape}"
        return f"a label is {shape}, finite; {none}"
    return f"a label is a JSON value without NaN; {none}"


def _json(label: Any) -> Any:
    try:
        return json.loads(json.dumps(label, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        return None
