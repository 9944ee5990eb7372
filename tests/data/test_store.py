"""The store of memory-mapped datasets: atomic, content-addressed, several writers."""

import errno
import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from autodc.data.dataset import Dataset
from autodc.data.store import DataStore, disk_problem, open_part
from autodc.errors import SurroundingsError


def dataset(rows=20, y=True, **columns):
    x = np.arange(rows * 3, dtype=np.float32).reshape(rows, 3)
    metadata = pd.DataFrame(columns, index=range(rows))
    return Dataset(name="d", x=x, y=np.arange(rows) % 2 if y else None, metadata=metadata)


def test_what_is_stored_comes_back_memory_mapped_and_read_only(tmp_path):
    data = dataset(region=["a", None] * 10, light=np.linspace(0, 1, 20))
    path = DataStore(tmp_path / "new" / "cache").put(data)
    assert sorted(entry.name for entry in path.iterdir()) == ["metadata.parquet", "x.npy", "y.npy"]
    x, y, metadata = open_part(path)
    assert isinstance(x, np.memmap)
    np.testing.assert_array_equal(x, data.x)
    np.testing.assert_array_equal(y, data.y)
    assert metadata["light"].tolist() == data.metadata["light"].tolist()
    assert metadata["region"].isna().sum() == 10
    with pytest.raises(ValueError, match="read-only"):
        x[0] = 1


def test_inputs_alone_tell_nothing_else(tmp_path):
    path = DataStore(tmp_path).put_inputs(dataset(region=["a"] * 20))
    assert [entry.name for entry in path.iterdir()] == ["x.npy"]
    x, y, metadata = open_part(path)
    assert (len(x), y, metadata.shape) == (20, None, (20, 0))


def test_a_dataset_without_metadata_keeps_its_rows(tmp_path):
    assert open_part(DataStore(tmp_path).put(dataset()))[2].shape == (20, 0)
    assert open_part(DataStore(tmp_path).put(dataset(y=False)))[1] is None


def test_one_reader_cannot_change_what_the_next_one_reads(tmp_path):
    path = DataStore(tmp_path).put(dataset(light=np.zeros(20)))
    first = open_part(path)[2]
    first["light"] = 1.0
    first.loc[:, "more"] = 2
    assert open_part(path)[2]["light"].sum() == 0
    assert list(open_part(path)[2].columns) == ["light"]


def test_the_same_content_is_written_once(tmp_path):
    store = DataStore(tmp_path)
    path = store.put(dataset())
    before = os.stat(path / "x.npy").st_mtime_ns
    assert store.put(dataset()) == path
    assert os.stat(path / "x.npy").st_mtime_ns == before
    assert store.put(dataset(rows=21)) != path


def test_many_writers_leave_one_whole_dataset(tmp_path):
    data = dataset(rows=20_000)
    with ThreadPoolExecutor(8) as pool:
        paths = set(pool.map(lambda _: DataStore(tmp_path).put(data), range(16)))
    assert len(paths) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == [data.fingerprint]
    np.testing.assert_array_equal(open_part(paths.pop())[0], data.x)


def test_a_disk_without_room(tmp_path):
    """A limit on file size stands for a full disk: the write fails half-way, nothing half-written stays."""
    program = textwrap.dedent("""
        import resource, signal, sys
        import numpy as np, pandas as pd
        from autodc.data.dataset import Dataset
        from autodc.data.store import DataStore
        from autodc.errors import SurroundingsError

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        data = Dataset(name="d", x=np.zeros((9000, 3)), y=None, metadata=pd.DataFrame(index=range(9000)))
        try:
            DataStore(sys.argv[1]).put(data)
        except SurroundingsError as problem:
            print(problem.code)
    """)
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, timeout=120, check=True
    )
    assert run.stdout.split() == ["ADC-DISK-001"]
    assert list(tmp_path.iterdir()) == []


def test_disk_errors_say_what_to_do():
    full = disk_problem(OSError(errno.ENOSPC, "No space left on device"), "/cache")
    assert (full.code, full.exit_code) == ("ADC-DISK-001", 3)
    assert disk_problem(OSError(errno.EROFS, "Read-only file system"), "/cache").code == "ADC-DISK-011"


def test_a_damaged_part_is_named(tmp_path):
    path = DataStore(tmp_path).put(dataset())
    (path / "x.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(SurroundingsError) as caught:
        open_part(path)
    assert caught.value.code == "ADC-DISK-012"
    assert str(path) in str(caught.value)
