"""Labels of rows of a pool by an oracle: a user's function, asked on a worker some rows at a time.

What it answered is kept line by line beside the run, so that no row is asked for twice, however the night is ended.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd

from autodc.errors import InputError
from autodc.large import taken
from autodc.plugins import load_object, loading, own_code
from autodc.propose.labels import Wanted, understood, written
from autodc.propose.made import Made, Origin, write
from autodc.table import Inputs, Table
from autodc.trial.call import Call, CallError, CallPart

Array = np.ndarray[Any, Any]

ASK, KNOWN = "autodc.propose.oracle:ask", "autodc.propose.oracle:known"
"""The makers: rows that a function labels, and rows whose labels lie in a file."""
PLACE = "data.pool.oracle"
LABELS = "labels"
"""Below the folder of a run: what oracles answered, one file a dataset."""
AT_ONCE = 100
"""Rows that a function is asked for in one call."""
FORM = "answer a list or an array of one label a row, in their order, or a mapping of id to label"


def ask(call: Call) -> dict[str, Any]:
    """Let a function label rows of the pool, and make a dataset of those that it could tell.

    arguments: `rows` (positions), `ids`, `oracle`, `folder` of the study file, `wanted` (labels.Wanted), `fewest`.
    Raises CallError ADC-PROP-070 to 075.
    """
    told = call.arguments
    try:
        ((_, part),) = call.parts.items()
        wanted, oracle = Wanted.of(told["wanted"]), str(told["oracle"])
        function = loaded(oracle, str(told.get("folder", "")))
        kept = Kept(answers_of(call.out.parent, call.out.name), mark_of(oracle, str(told.get("folder", ""))))
        rows, ids = np.asarray(told["rows"], dtype=np.int64), list(map(str, told["ids"]))
        left = [k for k, one in enumerate(ids) if one not in kept.targets]
        for start in range(0, len(left), AT_ONCE):
            some = left[start : start + AT_ONCE]
            named = [ids[k] for k in some]
            kept.ask(named)
            labels = _asked(function, oracle, str(told.get("folder", "")), part, rows[some], named)
            kept.add(named, understood(labels, named, wanted, f"{PLACE}, {oracle}"))
        return _made(call, part, rows, [kept.targets[one] for one in ids], wanted, oracle)
    except InputError as error:
        raise CallError(error.code, error.problem, error.place, error.got, error.hint) from error


def known(call: Call) -> dict[str, Any]:
    """Make a dataset of rows whose labels are known. Arguments: as of `ask`, and `targets`, one a row."""
    told = call.arguments
    ((_, part),) = call.parts.items()
    rows = np.asarray(told["rows"], dtype=np.int64)
    return _made(call, part, rows, told["targets"], Wanted.of(told["wanted"]), str(told["oracle"]))


def loaded(oracle: str, folder: str) -> Any:
    """The function of an oracle; a class is called without arguments first. Raises InputError ADC-PROP-070."""
    with loading(PLACE, PLACE, ("ADC-PROP-070", "the oracle", "name a function of x, metadata and ids")):
        found = load_object(oracle, folder, PLACE)
    if isinstance(found, type):
        with own_code(lambda got: _fails(oracle, got), folder):
            found = found()
    if not callable(found):
        hint = "name a function of x, metadata and ids, or a class whose objects are called with them"
        raise InputError(
            "ADC-PROP-070", "the oracle cannot be called", PLACE, f"{oracle}: {type(found).__name__}", hint
        )
    return found


def answered(value: Any, ids: Sequence[str], place: str) -> list[Any]:
    """One label a row, in the order of ids, of what a function answered.

    Raises InputError ADC-PROP-072 for what are no labels, 073 for those of another number of rows, or of other rows.
    """
    if isinstance(value, Mapping):
        return _by_id(value, ids, place)
    if isinstance(value, pd.DataFrame):
        value = value.to_numpy()
    if not isinstance(value, (list, tuple, np.ndarray, pd.Series)) or (
        isinstance(value, np.ndarray) and not value.ndim
    ):
        raise InputError("ADC-PROP-072", "the oracle answers no labels", place, type(value).__name__, FORM)
    if len(value) != len(ids):
        got = f"{len(value)} labels for {len(ids)} rows"
        raise InputError("ADC-PROP-073", "the oracle answers for another number of rows", place, got, FORM)
    return [one.item() if isinstance(one, np.generic) else one for one in value]


def answers_of(made: Path, name: str) -> Path:
    """Where the answers for a dataset are kept. made: the folder in which makers write."""
    return made.parent / LABELS / f"{name}.jsonl"


def asked_rows(path: Path) -> int:
    """How many rows a function was asked for, by what was kept; they are paid whatever becomes of them."""
    return len(Kept(path, None).asked)


def mark_of(oracle: str, folder: str) -> str:
    """Which oracle it is, with the content of its file: the answers of another one are not taken for its own."""
    file = Path(folder, oracle.rpartition(":")[0])
    content = file.read_bytes() if file.suffix == ".py" and file.is_file() else b""
    return hashlib.sha256(b"\0".join([oracle.encode(), content])).hexdigest()


@final
class Kept:
    """What an oracle answered, one line a step: `mark` of the oracle, `asked` ids, then `id` and `target` each."""

    def __init__(self, path: Path, mark: str | None) -> None:
        """Read what is there. mark: of the oracle; lines of another one are left aside. None: of any."""
        self._path, self._mark = path, mark
        self.targets: dict[str, Any] = {}
        """Id → target, None where it could not tell."""
        self.asked: dict[str, None] = {}
        mine = mark is None
        for line in _lines(path):
            mine = mark is None or line["mark"] == mark if "mark" in line else mine
            self.asked |= dict.fromkeys(line.get("asked", ()) if mine else ())
            if mine and "id" in line:
                self.targets[line["id"]] = line["target"]

    def ask(self, ids: Sequence[str]) -> None:
        """Note that rows are asked for."""
        self._write([{"mark": self._mark}, {"asked": list(ids)}])
        self.asked |= dict.fromkeys(ids)

    def add(self, ids: Sequence[str], targets: Sequence[Any]) -> None:
        """Note what was answered."""
        found = dict(zip(ids, targets, strict=True))
        self._write([{"id": one, "target": target} for one, target in found.items()])
        self.targets |= found

    def _write(self, lines: Sequence[Mapping[str, Any]]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write("\n" + "".join(json.dumps(line) + "\n" for line in lines))  # a line cut short ends here
            file.flush()
            os.fsync(file.fileno())


def _lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a file; none where there is none."""
    found = []
    try:
        texts = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError):
        return []
    for text in texts:
        try:
            line = json.loads(text)
        except ValueError:
            continue
        found += [line] if isinstance(line, dict) else []
    return found


def _asked(function: Any, oracle: str, folder: str, part: CallPart, rows: Array, ids: Sequence[str]) -> list[Any]:
    metadata = part.metadata.iloc[rows].reset_index(drop=True)
    with own_code(lambda got: _fails(oracle, got), folder):
        value = function(_as_given(taken(part.x, rows)), metadata, list(ids))
    return answered(value, ids, f"{PLACE}, {oracle}")


def _as_given(x: Inputs) -> Any:
    """Inputs as a function gets them: an array, a frame of a table, a list of texts or of paths."""
    if not isinstance(x, Table):
        return np.array(x)
    return x.frame() if x.kind == "table" else x.texts()


def _by_id(value: Mapping[Any, Any], ids: Sequence[str], place: str) -> list[Any]:
    found: dict[str, Any] = {}
    twice, hint = list[str](), "answer for each id that was asked for, once; None where nobody can tell"
    for key, label in value.items():
        twice += [written(key)] if written(key) in found else []
        found[written(key)] = label
    wrong = {
        "unknown": [one for one in found if one not in set(ids)],
        "missing": [one for one in ids if one not in found],
        "twice": twice,
    }
    got = "; ".join(f"{len(rows)} {how}, such as {rows[0]}" for how, rows in wrong.items() if rows)
    if got:
        raise InputError("ADC-PROP-073", "the oracle answers for other rows", place, f"ids: {got}", hint)
    return [found[one] for one in ids]


def _fails(oracle: str, got: str) -> InputError:
    return InputError("ADC-PROP-071", "the oracle fails", f"{PLACE}, {oracle}", got, "mend it for the next night")


def _made(
    call: Call, part: CallPart, rows: Array, targets: Sequence[Any], wanted: Wanted, oracle: str
) -> dict[str, Any]:
    """The rows that are told, as a dataset. Raises CallError ADC-PROP-075 where they are too few."""
    is_known = np.array([one is not None for one in targets], dtype=bool)
    count, fewest = int(is_known.sum()), int(call.arguments.get("fewest", 1))
    if count < fewest:
        got = f"{count} of {len(rows)} rows, {fewest} needed"
        hint = "rows that nobody can tell are left out; the others are too few to be a dataset"
        raise CallError("ADC-PROP-075", "too few rows could be labelled", f"{PLACE}, {oracle}", got, hint)
    chosen = rows[is_known]
    origin = Origin(
        parents=(part.name,),
        parent=np.zeros(count, dtype=np.int64),
        position=chosen,
        changed={"labelled_by": [oracle] * count},
    )
    made = Made(
        x=taken(part.x, chosen),
        y=wanted.array([one for one in targets if one is not None]),
        metadata=part.metadata.iloc[chosen].reset_index(drop=True),
        origin=origin,
        facts={"asked": len(rows), "untold": len(rows) - count, "oracle": oracle},
    )
    return write(call.out, made)
