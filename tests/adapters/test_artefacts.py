from __future__ import annotations

import os
import pickle
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodc.adapters.artefacts import ArtefactStore, address_of
from autodc.errors import SurroundingsError
from autodc.study.ports import ArtefactLost
from autodc.testing.journal_contract import StoreContract
from autodc.testing.memory import MemoryStore

ARRAYS = {"overall": np.arange(20.0), "dark": np.arange(5)}


class TestArtefactStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Any:
        return ArtefactStore(tmp_path / "outcomes")


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> Any:
        return MemoryStore()


def test_nothing_is_created_before_the_first_outcome(tmp_path: Path) -> None:
    ArtefactStore(tmp_path / "outcomes")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("harm", ["cut", "flip", "swap", "empty"])
def test_a_damaged_file_is_named_and_storing_again_mends_it(tmp_path: Path, harm: str) -> None:
    store = ArtefactStore(tmp_path)
    address = store.put(ARRAYS)
    path = tmp_path / f"{address}.npz"
    content = bytearray(path.read_bytes())
    if harm == "swap":
        other = store.put({"overall": np.zeros(3)})
        content = bytearray((tmp_path / f"{other}.npz").read_bytes())
    elif harm == "flip":
        content[content.index(ARRAYS["overall"].tobytes()) + 9] ^= 0xFF
    path.write_bytes(content[:100] if harm == "cut" else b"" if harm == "empty" else content)
    with pytest.raises(SurroundingsError) as caught:
        store.get(address)
    assert caught.value.code == "ADC-DISK-002"
    assert str(path) in str(caught.value)
    assert store.put(ARRAYS) == address
    np.testing.assert_array_equal(store.get(address)["overall"], ARRAYS["overall"])


def test_a_full_disk_is_said_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    store = ArtefactStore(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(SurroundingsError) as caught:
            store.put({"big": np.zeros(100_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (caught.value.code, caught.value.exit_code) == ("ADC-DISK-001", 3)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_kill_while_storing_leaves_whole_files_and_the_next_run_tidies(tmp_path: Path) -> None:
    program = """
import sys
import numpy as np
from autodc.adapters.artefacts import ArtefactStore, address_of
store = ArtefactStore(sys.argv[1])
for number in range(10_000):
    print(store.put({"a": np.full(50_000, number)}), flush=True)
"""
    writer = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    first = [writer.stdout.readline().strip() for _ in range(5)]
    os.kill(writer.pid, signal.SIGKILL)
    named = first + [line.strip() for line in writer.stdout if line.endswith("\n")]
    writer.wait()
    (tmp_path / ".half-1-ab.unfinished").write_bytes(b"half")
    for path in tmp_path.glob(".*"):
        os.utime(path, (0, 0))
    (tmp_path / ".new-1-ab.unfinished").write_bytes(b"somebody writes it")
    store = ArtefactStore(tmp_path)
    for address in named:
        assert store.get(address)["a"].shape == (50_000,)
    store.put(ARRAYS)
    assert [path.name for path in tmp_path.glob(".*")] == [".new-1-ab.unfinished"]


def test_text_is_stored_without_pickle(tmp_path: Path) -> None:
    store = ArtefactStore(tmp_path)
    back = store.get(store.put({"id": np.array(["a", "bcd"], dtype=object)}))
    assert back["id"].tolist() == ["a", "bcd"]


def test_hits_and_misses_take_a_fraction_of_a_byte_and_decimal_numbers_stay_as_they_are(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    hits, scores = (rng.random(200_000) < 0.9).astype(np.int8), rng.random(1000)
    store = ArtefactStore(tmp_path)
    address = store.put({"validation.score": hits, "validation.soft": scores})
    path = tmp_path / f"{address}.npz"
    assert path.stat().st_size < 0.25 * hits.nbytes + scores.nbytes
    assert scores.tobytes() in path.read_bytes()
    with np.load(path) as plain:
        np.testing.assert_array_equal(plain["validation.score"], hits)
    assert store.get(address)["validation.score"].dtype == np.int8


def test_outcomes_stored_by_earlier_code_are_read(tmp_path: Path) -> None:
    arrays = {"validation.soft": np.linspace(0, 1, 9, dtype=np.float32), "validation.score": np.ones(9, np.float32)}
    np.savez(tmp_path / f"{address_of(arrays)}.npz", **arrays)
    back = ArtefactStore(tmp_path).get(address_of(arrays))
    np.testing.assert_array_equal(back["validation.soft"], arrays["validation.soft"])


@pytest.mark.slow
def test_the_same_content_is_one_file_whoever_puts_it(tmp_path: Path) -> None:
    program = """
import sys
import numpy as np
from autodc.adapters.artefacts import ArtefactStore
store = ArtefactStore(sys.argv[1])
sys.stdin.read(1)
for number in range(60):
    print(store.put({"a": np.full(20_000, number)}))
"""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go")
        writer.stdin.flush()
    said = [writer.communicate()[0].split() for writer in writers]
    assert said[0] == said[1]
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(set(said[0]))
    store = ArtefactStore(tmp_path)
    assert [int(store.get(address)["a"][0]) for address in said[0]] == list(range(60))


def test_a_lost_outcome_is_told_with_its_address_also_between_processes(tmp_path: Path) -> None:
    with pytest.raises(ArtefactLost) as caught:
        ArtefactStore(tmp_path).get("0" * 64)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.address, str(again)) == ("0" * 64, str(caught.value))
