"""Many rows in forked processes: the same as here, whatever becomes of a process."""

from __future__ import annotations

import os
import signal
import sys
import threading

import numpy as np
import pytest

from autodc.adapters.pictures import decode, parts
from autodc.adapters.pictures.decode import Picture, decoded
from autodc.adapters.pictures.many import each, stacked
from autodc.adapters.pictures.wish import Wish
from autodc.errors import DataError

MANY = 2 * parts.ROWS_A_PROCESS + 1

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="no processes are forked here")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test runner has a thread of its own, beside which nothing would be forked."""
    monkeypatch.setattr(threading, "active_count", lambda: 1)


def told(row: int, error: DataError) -> DataError:
    return DataError(error.code, error.problem, "", f"row {row}", error.hint)


def test_rows_filled_by_other_processes_are_here_with_what_is_told_of_them() -> None:
    def load(row: int) -> Picture:
        return Picture(np.array([row, os.getpid()]), 1 + (row % 100 == 0))

    frames: dict[int, int] = {}
    whole = stacked(MANY, load, told, threads=2, frames=frames)
    assert whole[:, 0].tolist() == list(range(MANY))
    assert set(whole[1:, 1]).isdisjoint({os.getpid()})
    assert frames == {0: 2, 100: 2, 200: 2, 300: 2, 400: 2, 500: 2}


def test_beside_other_threads_nothing_is_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parts.processes(MANY, 2) == 2
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    assert parts.processes(MANY, 2) == 0


def test_what_a_killed_process_leaves_is_done_here() -> None:
    def load(row: int) -> np.ndarray:
        if row == 300 and parts.is_forked():
            os.kill(os.getpid(), signal.SIGKILL)
        return np.array([row])

    assert stacked(MANY, load, told, threads=2)[:, 0].tolist() == list(range(MANY))


def test_large_pictures_are_decoded_by_one_process_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "ONE_BY_ONE", 20)
    content = {side: _png(side) for side in (4, 5)}
    pids = dict[int, int]()

    def load(row: int) -> np.ndarray:
        values = decoded(content[5 if row % 50 == 0 else 4], Wish(size=(1, 1))).values
        pids[row] = os.getpid()
        return values

    assert stacked(MANY, load, told, threads=2).shape == (MANY, 1, 1)
    assert pids == dict.fromkeys(range(0, MANY, 50), os.getpid())


def test_problems_of_other_processes_are_told_in_order() -> None:
    def load(row: int) -> str:
        if row in (7, 400):
            raise DataError("ADC-DATA-002", "no")
        return str(row)

    with pytest.raises(Exception) as caught:
        each(MANY, load, told)
    assert [one.got for one in caught.value.problems] == ["row 7", "row 400"]


def _png(side: int) -> bytes:
    import io

    from PIL import Image

    file = io.BytesIO()
    Image.new("L", (side, side)).save(file, "PNG")
    return file.getvalue()
