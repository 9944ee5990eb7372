"""Files at URLs, and the choice of an adapter by name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pandas as pd
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from autodc.errors import SurroundingsError

X = np.arange(12, dtype=np.float32).reshape(6, 2)
Y = np.arange(6) % 2


class SilentFileSystem(MemoryFileSystem):
    """A server that does not answer."""

    protocol = "silent"

    def ukey(self, path: Any) -> None:
        raise TimeoutError("no answer")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield tmp_path / "cache"
    MemoryFileSystem.store.clear()


def put(url: Any, y: Any = Y) -> None:
    with fsspec.open(url, "wb") as file:
        np.savez(file, x=X, y=y)


def copies(cache: Any) -> Any:
    return list(cache.rglob("*.npz"))


def test_a_remote_file_is_copied_once_and_again_when_it_changes(cache: Any, read: Any) -> None:
    put("memory://bucket/a.npz")
    first = read("memory://bucket/a.npz")
    assert read("memory://bucket/a.npz").fingerprint == first.fingerprint
    assert len(copies(cache)) == 1
    put("memory://bucket/a.npz", 1 - Y)
    assert read("memory://bucket/a.npz").y.tolist() == (1 - Y).tolist()
    assert not [path for path in cache.rglob("*") if path.name.startswith(".")]


def test_tables_by_url(read: Any) -> None:
    with fsspec.open("memory://bucket/t.csv", "w") as file:
        pd.DataFrame({"a": [1, 2, 3], "target": [0, 1, 0]}).to_csv(file, index=False)
    assert read("memory://bucket/t.csv").x.shape == (3, 1)


def test_a_file_url_is_read_where_it_lies(tmp_path: Path, cache: Any, read: Any, refused: Any) -> None:
    np.savez(tmp_path / "a.npz", x=X, y=Y)
    assert len(read(f"file://{tmp_path}/a.npz")) == 6
    assert not copies(cache)
    assert refused(f"file://{tmp_path}/b.npz").code == "ADC-DATA-001"


def test_bad_urls(refused: Any) -> None:
    put("memory://bucket/a.txt")
    assert refused("memory://bucket/none.npz").code == "ADC-DATA-001"
    assert refused("memory://bucket/a.txt").code == "ADC-DATA-013"
    assert refused("nosuchprotocol://bucket/a.npz").code == "ADC-DATA-013"


def test_a_broken_remote_file_names_its_url_or_copy(refused: Any) -> None:
    with fsspec.open("memory://bucket/a.npz", "wb") as file:
        file.write(b"PK\x03\x04 cut")
    problem = refused("memory://bucket/a.npz")
    assert problem.code == "ADC-DATA-002"
    assert "a.npz" in str(problem)


def test_a_silent_server_is_no_fault_of_the_input(read: Any) -> None:
    fsspec.register_implementation("silent", SilentFileSystem, clobber=True)
    with pytest.raises(SurroundingsError) as caught:
        read("silent://bucket/a.npz")
    assert caught.value.code == "ADC-DATA-040"
    assert caught.value.exit_code == 3


def test_a_missing_file_and_its_nearest(tmp_path: Path, refused: Any) -> None:
    np.savez(tmp_path / "night.npz", x=X, y=Y)
    problem = refused("nihgt.npz")
    assert problem.code == "ADC-DATA-001"
    assert "`night.npz`" in problem.hint
    assert str(tmp_path / "nihgt.npz") in str(problem)


def test_an_unknown_suffix(tmp_path: Path, refused: Any) -> None:
    (tmp_path / "a.xyz").write_text("?")
    problem = refused("a.xyz")
    assert problem.code == "ADC-DATA-013"
    assert ".npz" in problem.hint


def test_an_absolute_path(tmp_path: Path, read: Any) -> None:
    np.savez(tmp_path / "a.npz", x=X, y=Y)
    assert len(read(str(tmp_path / "a.npz"))) == 6
