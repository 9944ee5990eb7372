"""The store of memory-mapped datasets: atomic, content-addressed, several writers."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodc.adapters.artefacts import ArtefactStore, open_part
from autodc.data.dataset import Dataset
from autodc.errors import SurroundingsError
from autodc.files import disk_problem
from autodc.table import Table


def dataset(rows: Any = 20, y: Any = True, **columns: Any) -> Any:
    x = np.arange(rows * 3, dtype=np.float32).reshape(rows, 3)
    metadata = pd.DataFrame(columns, index=range(rows))
    return Dataset(name="d", x=x, y=np.arange(rows) % 2 if y else None, metadata=metadata)


def test_what_is_stored_comes_back_memory_mapped_and_read_only(tmp_path: Path) -> None:
    data = dataset(region=["a", None] * 10, light=np.linspace(0, 1, 20))
    path = ArtefactStore(tmp_path / "new" / "cache").put_dataset(data)
    assert sorted(entry.name for entry in path.iterdir()) == ["digests.json", "metadata.parquet", "x.npy", "y.npy"]
    x, y, metadata = open_part(path)
    assert isinstance(x, np.memmap)
    np.testing.assert_array_equal(x, data.x)
    np.testing.assert_array_equal(y, data.y)
    assert metadata["light"].tolist() == data.metadata["light"].tolist()
    assert metadata["region"].isna().sum() == 10
    with pytest.raises(ValueError, match="read-only"):
        x[0] = 1


def test_inputs_alone_tell_nothing_else(tmp_path: Path) -> None:
    path = ArtefactStore(tmp_path).put_dataset(dataset(region=["a"] * 20), inputs_only=True)
    assert sorted(entry.name for entry in path.iterdir()) == ["digests.json", "x.npy"]
    assert json.loads((path / "digests.json").read_text()).keys() == {"x.npy"}
    x, y, metadata = open_part(path)
    assert (len(x), y, metadata.shape) == (20, None, (20, 0))


def test_a_dataset_without_metadata_keeps_its_rows(tmp_path: Path) -> None:
    assert open_part(ArtefactStore(tmp_path).put_dataset(dataset()))[2].shape == (20, 0)
    assert open_part(ArtefactStore(tmp_path).put_dataset(dataset(y=False)))[1] is None


def test_one_reader_cannot_change_what_the_next_one_reads(tmp_path: Path) -> None:
    path = ArtefactStore(tmp_path).put_dataset(dataset(light=np.zeros(20)))
    first = open_part(path)[2]
    first["light"] = 1.0
    first.loc[:, "more"] = 2
    assert open_part(path)[2]["light"].sum() == 0
    assert list(open_part(path)[2].columns) == ["light"]


def test_the_same_content_is_written_once(tmp_path: Path) -> None:
    store = ArtefactStore(tmp_path)
    path = store.put_dataset(dataset())
    before = os.stat(path / "x.npy").st_mtime_ns
    assert store.put_dataset(dataset()) == path
    assert os.stat(path / "x.npy").st_mtime_ns == before
    assert store.put_dataset(dataset(rows=21)) != path


def test_many_writers_leave_one_whole_dataset(tmp_path: Path) -> None:
    data = dataset(rows=20_000)
    with ThreadPoolExecutor(8) as pool:
        paths = set(pool.map(lambda _: ArtefactStore(tmp_path).put_dataset(data), range(16)))
    assert len(paths) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == [data.fingerprint]
    np.testing.assert_array_equal(open_part(paths.pop())[0], data.x)


@pytest.mark.slow
def test_a_disk_without_room(tmp_path: Path) -> None:
    """A limit on file size stands for a full disk: the write fails half-way, nothing half-written stays."""
    program = textwrap.dedent("""
        import resource, signal, sys
        import numpy as np, pandas as pd
        from autodc.data.dataset import Dataset
        from autodc.adapters.artefacts import ArtefactStore
        from autodc.errors import SurroundingsError

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        data = Dataset(name="d", x=np.zeros((9000, 3)), y=None, metadata=pd.DataFrame(index=range(9000)))
        try:
            ArtefactStore(sys.argv[1]).put_dataset(data)
        except SurroundingsError as problem:
            print(problem.code)
    """)
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, timeout=600, check=True
    )
    assert run.stdout.split() == ["ADC-DISK-001"]
    assert list(tmp_path.iterdir()) == []


def test_disk_errors_say_what_to_do() -> None:
    full = disk_problem(OSError(errno.ENOSPC, "No space left on device"), "/cache")
    assert (full.code, full.exit_code) == ("ADC-DISK-001", 3)
    assert disk_problem(OSError(errno.EROFS, "Read-only file system"), "/cache").code == "ADC-DISK-011"


def flip(path: Path) -> None:
    """Change one byte of a read-only file, and nothing that its folder tells."""
    content = bytearray(path.read_bytes())
    content[-3] ^= 0xFF
    path.chmod(0o644)
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-5])


HARMS = {
    "flipped": flip,
    "cut": cut,
    "empty": lambda path: (path.chmod(0o644), path.write_bytes(b"")),
    "gone": os.remove,
}


@pytest.mark.parametrize("name", ["x.npy", "y.npy", "metadata.parquet"])
@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_dataset_is_named_and_put_in_place_again(tmp_path: Path, name: str, harm: str) -> None:
    store, data = ArtefactStore(tmp_path), dataset(light=np.linspace(0, 1, 20))
    path = store.put_dataset(data)
    open_part(path)
    assert not store.restore(data)
    HARMS[harm](path / name)
    with pytest.raises(SurroundingsError) as caught:
        open_part(path)
    assert (caught.value.code, name in str(caught.value)) == ("ADC-DISK-012", True)
    assert store.restore(data)
    np.testing.assert_array_equal(open_part(path)[0], data.x)
    assert not store.restore(data)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"x.npy": 3}', b"\xff"])
def test_a_damaged_list_of_digests_is_damage(tmp_path: Path, content: bytes) -> None:
    store, data = ArtefactStore(tmp_path), dataset()
    path = store.put_dataset(data, inputs_only=True)
    (path / "digests.json").write_bytes(content)
    with pytest.raises(SurroundingsError, match=r"digests\.json"):
        open_part(path)
    assert store.restore(data, inputs_only=True)
    np.testing.assert_array_equal(open_part(path)[0], data.x)


def test_a_dataset_that_is_gone_is_put_in_place_again(tmp_path: Path) -> None:
    store, data = ArtefactStore(tmp_path), dataset()
    path = store.put_dataset(data)
    shutil.rmtree(path)
    with pytest.raises(SurroundingsError, match="gone"):
        open_part(path)
    assert store.restore(data)
    assert len(open_part(path)[0]) == 20


def test_a_dataset_that_earlier_code_stored_is_read_and_mended_where_it_is_cut(tmp_path: Path) -> None:
    store, data = ArtefactStore(tmp_path), dataset(light=np.zeros(20))
    path = store.put_dataset(data)
    (path / "digests.json").unlink()
    assert len(open_part(path)[0]) == 20
    assert not store.restore(data)
    cut(path / "x.npy")
    with pytest.raises(SurroundingsError) as caught:
        open_part(path)
    assert caught.value.code == "ADC-DISK-012"
    assert store.restore(data)
    assert (path / "digests.json").exists()


def test_a_file_is_read_for_its_digest_once_a_process(tmp_path: Path) -> None:
    """Where the system says that nothing was written, nothing is read: no study hashes gigabytes each training."""
    path = ArtefactStore(tmp_path).put_dataset(dataset()) / "x.npy"
    os.utime(path, (0, 0))
    open_part(path.parent)
    seen = path.stat()
    flip(path)
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    open_part(path.parent)
    os.utime(path)
    with pytest.raises(SurroundingsError):
        open_part(path.parent)


def test_files_that_have_moved_are_found_where_they_are_now(tmp_path: Path) -> None:
    store, metadata = ArtefactStore(tmp_path / "store"), pd.DataFrame(index=range(2))

    def at(folder: str) -> Dataset:
        (tmp_path / folder).mkdir(exist_ok=True)
        paths = [str(tmp_path / folder / name) for name in "ab"]
        for path in paths:
            Path(path).touch()
        return Dataset(name="d", x=Table.of_files(paths, ["00", "01"]), y=np.arange(2), metadata=metadata)

    there, copy = at("there"), at("copy")
    stored = store.put_dataset(there)
    (stored / "part.parquet").touch()
    assert store.put_dataset(copy) == stored
    assert open_part(stored)[0].texts() == there.x.texts(), "both are there, so nobody's are taken away"
    shutil.rmtree(tmp_path / "there")
    assert store.put_dataset(copy) == stored
    assert open_part(stored)[0].texts() == copy.x.texts()
    assert not (stored / "part.parquet").exists()
