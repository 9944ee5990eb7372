"""The page about image folders is true: its study is checked on a folder as it describes."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from PIL import Image

from autodc.studyfile import load
from autodc.table import Table
from autodc.wire.inputs import read_inputs

PAGE = Path(__file__).resolve().parents[1] / "docs/guide/my-image-folder.md"


def test_the_studies_of_the_page_read_a_folder_as_it_describes(tmp_path: Path) -> None:
    study, options = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    rng, rows = np.random.default_rng(0), ["file,weather"]
    for name, count in (("train", 12), ("val", 120), ("extra_rain", 12)):
        for kind in ("cat", "dog"):
            (tmp_path / "images" / name / kind / "a").mkdir(parents=True)
            for i in range(count):
                path = f"{name}/{kind}/{'a/' if i % 2 else ''}{i}.{'png' if i % 3 else 'jpg'}"
                pixels = rng.integers(0, 255, (int(rng.integers(8, 30)), 12, 3), dtype=np.uint8)
                Image.fromarray(pixels).convert("RGB" if i % 2 else "L").save(tmp_path / "images" / path)
                rows.append(f"{path},{'rain' if i % 2 or 'rain' in name else 'dry'}")
    (tmp_path / "meta.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "study.yaml").write_text(study)
    catalogue = read_inputs(load(str(tmp_path / "study.yaml"))).catalogue
    assert catalogue.base.x.shape == (24, 64, 64, 3)
    assert set(catalogue.validation.metadata["weather"]) == {"rain", "dry"}

    of_files = study.replace("size: [64, 64], mode: RGB, ", "").replace(
        study[study.index("task:") : study.index("data:")], options
    )
    (tmp_path / "study.yaml").write_text(of_files)
    assert isinstance(read_inputs(load(str(tmp_path / "study.yaml"))).catalogue.base.x, Table)
