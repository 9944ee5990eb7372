"""The page about attributes: its code is an enricher, its study is one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

import autodc
from autodc.wire.inputs import read_inputs

PAGE = (Path(__file__).resolve().parents[1] / "docs/guide/attributes.md").read_text(encoding="utf-8")
CODE = "\n".join(re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
STUDY, NETWORK = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
REST = """
schema_version: 1
name: digits
task: {kind: classification, trainer: sklearn}
data: {base: {source: base.npz}, validation: {source: validation.npz}}
metrics: {primary: accuracy}
"""


@pytest.mark.parametrize(("name", "column"), [("halves", "left_heavy"), ("Unusual", "unusual")])
def test_the_enrichers_of_the_page_measure(
    name: str, column: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    digits: Any = load_digits()
    np.savez(tmp_path / "base.npz", x=digits.images[:300], y=digits.target[:300])
    np.savez(tmp_path / "validation.npz", x=digits.images[300:800], y=digits.target[300:800])
    (tmp_path / "faces.py").write_text(CODE)
    study = STUDY.replace("faces.py:Faces", f"faces.py:{name}").replace("brightness < 0.2", "brightness < 0.28")
    (tmp_path / "study.yaml").write_text(REST + study)
    found = read_inputs(autodc.load(str(tmp_path / "study.yaml")))
    assert found.catalogue.validation.attributes is not None
    assert column in found.catalogue.validation.attributes
    assert 20 < len(found.table["dark"].rows) < 480


@pytest.mark.slow
def test_the_slices_of_the_page_name_what_a_network_sees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    digits: Any = load_digits()
    np.savez(tmp_path / "base.npz", x=digits.images[:200], y=digits.target[:200])
    np.savez(tmp_path / "validation.npz", x=digits.images[300:500], y=digits.target[300:500])
    study = NETWORK.replace("'shirt'", "'3'").replace("> 1.3", "> 1.0")
    (tmp_path / "study.yaml").write_text(REST + study)
    found = read_inputs(autodc.load(str(tmp_path / "study.yaml")))
    named = found.catalogue.validation.y[found.table["like_a_shirt"].rows]  # type: ignore[index]
    assert (named == 3).mean() > 0.6
    assert all(len(one.rows) for one in found.table.slices)
