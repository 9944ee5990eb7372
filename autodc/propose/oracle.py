"""Labels of rows of a pool by an oracle: a user's function, asked on a worker some rows at a time.

What it answered is kept line by line beside the run, so that no row is asked for twice, however the night is ended.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd

from autodc.errors import InputError
from autodc.large import taken
from autodc.plugins import load_object, loading, own_code
from autodc.propose.labels import Wanted, refusal, told_apart, written
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
FIRST, PART, SLACK = 20, 0.8, 1.5
"""Where the call will be ended: rows of the first step, which tells the pace; the part of the time in which rows are
asked for, and how much longer than the pace says a step may take."""
STRANGE = 0.1
"""Up to this share of the answers may be labels that the study does not have: nobody could tell these rows."""
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
        pace = _Pace(call.seconds)
        while left and (count := pace.rows()):
            some, left = left[:count], left[count:]
            named = [ids[k] for k in some]
            kept.ask(named)
            labels = _asked(function, oracle, str(told.get("folder", "")), part, rows[some], named)
            targets, strange = told_apart(labels, named, wanted)
            answers = max(len(kept.targets) + len(named), min(AT_ONCE, len(rows)))  # fewer tell no share
            if len(every := kept.strange | strange) > STRANGE * answers:
                raise refusal(every, wanted, f"{PLACE}, {oracle}")
            kept.add(named, targets, strange)
            pace.took(count)
        more: dict[str, Any] = {"strange": len(kept.strange)} if kept.strange else {}
        known = np.array([one in kept.targets for one in ids], dtype=bool)
        if not known.all():
            more["left"] = int((~known).sum())  # there was no time to ask for them
        targets = [kept.targets[one] for one in ids if one in kept.targets]
        return _made(call, part, rows[known], targets, wanted, oracle, more)
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
        self.strange: dict[str, str] = {}
        """Id → what was answered that is no label of the study."""
        self.asked: dict[str, None] = {}
        mine = mark is None
        for line in _lines(path):
            mine = mark is None or line["mark"] == mark if "mark" in line else mine
            self.asked |= dict.fromkeys(line.get("asked", ()) if mine else ())
            if mine and "id" in line:
                self.targets[line["id"]] = line["target"]
                self.strange |= {line["id"]: line["strange"]} if "strange" in line else {}

    def ask(self, ids: Sequence[str]) -> None:
        """Note that rows are asked for."""
        self._write([{"mark": self._mark}, {"asked": list(ids)}])
        self.asked |= dict.fromkeys(ids)

    def add(self, ids: Sequence[str], targets: Sequence[Any], strange: Mapping[str, str]) -> None:
        """Note what was answered. strange: id → what is no label of the study."""
        found = dict(zip(ids, targets, strict=True))
        more = {one: {"strange": label} for one, label in strange.items()}
        self._write([{"id": one, "target": target, **more.get(one, {})} for one, target in found.items()])
        self.targets |= found
        self.strange |= strange

    def _write(self, lines: Sequence[Mapping[str, Any]]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write("\n" + "".join(json.dumps(line) + "\n" for line in lines))  # a line cut short ends here
            file.flush()
            os.fsync(file.fileno())


@final
class _Pace:
    """How many rows to ask for at once, so that what was answered becomes a dataset before the call is ended."""

    def __init__(self, seconds: float | None) -> None:
        self._until = None if seconds is None else time.monotonic() + PART * seconds
        self._begun, self._slowest = time.monotonic(), 0.0

    def rows(self) -> int:
        """0: there is no time for more."""
        if self._until is None:
            return AT_ONCE
        left = self._until - time.monotonic()
        if not self._slowest:
            return FIRST if left > 0 else 0
        return min(AT_ONCE, max(0, int(left / (SLACK * self._slowest))))

    def took(self, count: int) -> None:
        """So many rows are answered."""
        now = time.monotonic()
        self._slowest, self._begun = max(self._slowest, (now - self._begun) / count, 1e-9), now


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
    call: Call,
    part: CallPart,
    rows: Array,
    targets: Sequence[Any],
    wanted: Wanted,
    oracle: str,
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The rows that are told, as a dataset. Raises CallError ADC-PROP-075 where they are too few.

    more: further facts of it.
    """
    is_known = np.array([one is not None for one in targets], dtype=bool)
    count, fewest = int(is_known.sum()), int(call.arguments.get("fewest", 1))
    if count < fewest:
        left = int((more or {}).get("left", 0))
        got = f"{count} of {len(rows)} rows, {fewest} needed"
        hint = "rows that nobody can tell are left out; the others are too few to be a dataset"
        if left:
            got = f"{got}; there was no time to ask for {left} more"
            hint = "let trial_timeout of the machine file be longer, or the oracle faster"
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
        facts={"asked": len(rows), "untold": len(rows) - count, "oracle": oracle, **(more or {})},
    )
    return write(call.out, made)
