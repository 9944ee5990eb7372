"""Our own sources, and a plug-in's, against the contract of the port."""

from __future__ import annotations

import gzip
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from autodc.adapters.sources.folder import FolderSource
from autodc.adapters.sources.function import FunctionSource
from autodc.adapters.sources.idx import IdxSource
from autodc.adapters.sources.npz import NpzSource
from autodc.adapters.sources.table import TableSource
from autodc.data.source import SourceRequest
from autodc.testing.source_contract import SourceContract

SCANS = load_digits().images[:12].astype(np.uint8)
LABELS = load_digits().target[:12].astype(np.uint8)


def request(path: Any, **options: Any) -> Any:
    return SourceRequest(name="rows", path=str(path), place="here", kind="classification", options=options)


class TestNpz(SourceContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> Any:
        np.savez(tmp_path / "a.npz", x=SCANS, y=LABELS, who=LABELS // 2)
        return NpzSource(request(tmp_path / "a.npz", group="who"))


class TestTable(SourceContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> Any:
        frame = pd.DataFrame(SCANS.reshape(12, -1)).add_prefix("pixel").assign(target=LABELS, who="me")
        frame.to_parquet(tmp_path / "a.parquet")
        return TableSource(request(tmp_path / "a.parquet", group="who"))


class TestFolder(SourceContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> Any:
        for i, scan in enumerate(SCANS):
            Image.fromarray(scan).save(tmp_path / f"{i}.png")
        frame = pd.DataFrame({"path": [f"{i}.png" for i in range(12)], "target": LABELS})
        frame.to_csv(tmp_path / "manifest.csv", index=False)
        return FolderSource(request(tmp_path, size="as_it_is"))


class TestIdx(SourceContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> Any:
        for name, array in (("images", SCANS), ("labels", LABELS)):
            sizes = np.array(array.shape, dtype=">u4").tobytes()
            content = bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()
            (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content))
        return IdxSource(request(tmp_path / "images.gz", targets="labels.gz"))


class TestFunction(SourceContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> Any:
        (tmp_path / "mine.py").write_text("def rows():\n    return [[1, 2], [3, 4]], ['a', 'b'], {'who': [1, 2]}\n")
        return FunctionSource(request(tmp_path / "mine.py"), "rows")


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package, installed as pip would, that reads `.rows` files."""
    site = tmp_path / "site"
    info = site / "rowfiles-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rowfiles\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[autodc.sources]\n.rows = rowfiles:Rows\n.npz = rowfiles:Thief\n")
    (site / "rowfiles.py").write_text(
        textwrap.dedent("""
            import numpy as np
            from autodc.data.rows import checked
            from autodc.data.source import RawRows

            class Rows:
                def __init__(self, request):
                    self.request = request

                def read(self, targets):
                    table = np.loadtxt(self.request.path)
                    raw = RawRows(x=table[:, 1:], y=table[:, 0] if targets else None)
                    return checked(self.request, raw, targets=targets)
        """)
    )
    monkeypatch.syspath_prepend(str(site))


def test_a_plug_in_reads_its_suffix_and_takes_none_of_ours(
    plugin: Any, tmp_path: Path, read: Any, refused: Any
) -> None:
    (tmp_path / "a.rows").write_text("0 1.5 2\n1 3 4\n")
    assert np.asarray(read("a.rows").x).tolist() == [[1.5, 2], [3, 4]]
    assert read("a.rows", sealed=True).y is None
    np.savez(tmp_path / "a.npz", x=SCANS, y=LABELS)
    assert len(read("a.npz")) == 12
    (tmp_path / "b.rows").write_text("no numbers")
    problem = refused("b.rows")
    assert problem.code == "ADC-DATA-015"
    assert "rowfiles:Rows" in str(problem)
    assert "ValueError" in problem.got
