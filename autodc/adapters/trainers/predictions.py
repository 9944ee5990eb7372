"""What a foreign program answers: its predictions, and the last it said."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autodc.masking import masked_said
from autodc.trial.outputs import TrainerError, misplaced

Array = np.ndarray[Any, Any]

STDERR_LINES = 20
"""Last lines of stderr that a failed trial tells."""
STDERR_BYTES = 8192
RELAYED_BYTES = 2**19


def read_predictions(out: Path, name: str, count: int) -> Any:
    """The outputs of one part: the array `outputs` of an npz file, or the values of a file of JSON lines.

    Raises TrainerError where neither is there, or what is there cannot be read.
    """
    file = out / f"predictions-{name}.npz"
    if file.is_file():
        return _npz(file, count)
    lines = file.with_suffix(".jsonl")
    if lines.is_file():
        return _jsonl(lines, count)
    said = last_lines(out)
    raise TrainerError("ADC-TRAIN-042", f"the program wrote no {file.name} nor {lines.name}", str(out), "", said)


def last_lines(out: Path) -> str:
    """The last lines of what the program wrote to stderr."""
    file = out / "stderr.txt"
    if not file.is_file():
        return ""
    with file.open("rb") as stream:
        stream.seek(max(0, file.stat().st_size - STDERR_BYTES))
        text = stream.read().decode("utf-8", errors="replace")
    lines = [line for line in text.splitlines() if line.strip()][-STDERR_LINES:]
    return "last lines of stderr:\n" + "\n".join(lines) if lines else "it wrote nothing to stderr"


def relay(out: Path, secrets: Sequence[str]) -> None:
    """Print the end of what a program printed, so that it is in the log of the training; without these secrets."""
    for name in ("stderr.txt", "stdout.txt"):
        with (out / name).open("rb") as stream:
            stream.seek(max(0, (out / name).stat().st_size - RELAYED_BYTES))
            sys.stdout.write(masked_said(stream.read().decode("utf-8", errors="replace"), *secrets))


def _npz(file: Path, count: int) -> Array:
    try:
        with np.load(file, allow_pickle=False) as arrays:
            found: Mapping[str, Any] = {key: arrays[key] for key in arrays.files if key in ("outputs", "rows")}
            keys = sorted(arrays.files)
    except (OSError, ValueError, EOFError) as error:
        raise TrainerError(
            "ADC-TRAIN-043", f"{file.name} cannot be read", str(file.parent), str(error), last_lines(file.parent)
        ) from error
    if "outputs" not in found:
        raise TrainerError("ADC-TRAIN-044", f"{file.name} holds no array `outputs`", str(file.parent), ", ".join(keys))
    if "rows" in found and (problem := misplaced(found["rows"], count)):
        hint = "write the outputs of rows 0, 1, 2, … in the order of the inputs"
        raise TrainerError("ADC-TRAIN-048", problem, file.name, "", hint)
    return np.asarray(found["outputs"])


def _jsonl(file: Path, count: int) -> list[Any]:
    values: list[Any] = []
    try:
        with file.open(encoding="utf-8") as stream:
            for line in stream:
                values.append(json.loads(line, parse_constant=_refused))
    except ValueError as error:
        place, said = f"{file.name}:{len(values) + 1}", last_lines(file.parent)
        raise TrainerError("ADC-TRAIN-085", "a line is no JSON value", place, str(error), said) from error
    if len(values) != count:
        got, hint = f"{len(values)} lines for {count} rows", "one JSON value a row, in the order of the inputs"
        raise TrainerError("ADC-TRAIN-085", "another number of predictions than rows", file.name, got, hint)
    return values


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON, and no output")
