"""Pictures that were made lie beside the content that is let in, and move with the folder of the study."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from autodc.adapters.artefacts import ArtefactStore, open_part
from autodc.adapters.links import linked
from autodc.data.dataset import Dataset
from autodc.errors import SurroundingsError
from autodc.propose.made import Made, Origin, read, write
from autodc.table import Table
from autodc.wire.admitting import DATASETS, MADE, PICTURES, with_pictures


def pictures(folder: Path) -> Table:
    folder.mkdir(parents=True)
    paths = [folder / f"{at}.png" for at in range(6)]
    for path, x in zip(paths, load_digits().images[:6], strict=True):
        Image.fromarray((x * 15).astype(np.uint8)).save(path)
    return Table.of_files([str(p) for p in paths], [hashlib.sha256(p.read_bytes()).hexdigest() for p in paths])


def let_in(out: Path, own: Table) -> str:
    """What a maker wrote, beside one picture of the user's own, is let in; its fingerprint."""
    made = out / MADE / "turned"
    x = Table.concat([pictures(made / PICTURES), own])
    y = np.arange(len(x)) % 2
    write(made, Made(x=x, y=y, metadata=pd.DataFrame(index=range(len(x)))))
    back = read(made)
    assert isinstance(back.x, Table)
    assert back.x.texts() == x.texts()
    data = Dataset(name="turned", x=back.x, y=y, metadata=back.metadata)
    store = ArtefactStore(out / DATASETS)
    told = with_pictures(store, data, made)
    assert told.fingerprint == data.fingerprint
    store.put_dataset(told)
    shutil.rmtree(out / MADE)
    return data.fingerprint


def test_a_folder_that_was_moved_has_its_pictures(tmp_path: Path) -> None:
    own = pictures(tmp_path / "mine")[:1]
    content = let_in(tmp_path / "out", own)
    shutil.move(tmp_path / "out", tmp_path / "elsewhere")
    x, _, _ = open_part(tmp_path / "elsewhere" / DATASETS / content)
    assert isinstance(x, Table)
    *made, mine = x.texts()
    assert mine == own.texts()[0]
    assert all(path.startswith(str(tmp_path / "elsewhere")) and Path(path).is_file() for path in made)
    assert [hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in made] == x.column("content").to_pylist()[:6]
    links = linked(x, tmp_path / "elsewhere" / DATASETS, training=True)
    assert isinstance(links, Table)
    assert all(Path(path).is_file() for path in links.texts())


def test_what_joined_in_the_night_is_not_said_to_be_read_anew_from_a_source(tmp_path: Path) -> None:
    content = let_in(tmp_path / "out", pictures(tmp_path / "mine")[:1])
    (tmp_path / "out" / "journal.sqlite").touch()
    (tmp_path / "out" / DATASETS / content / "y.npy").unlink()
    with pytest.raises(SurroundingsError) as caught:
        open_part(tmp_path / "out" / DATASETS / content)
    assert caught.value.code == "ADC-DISK-012"
    assert "restore the folder" in caught.value.hint
    (tmp_path / "out" / "journal.sqlite").unlink()
    with pytest.raises(SurroundingsError, match="read anew"):
        open_part(tmp_path / "out" / DATASETS / content)


def test_the_origin_of_some_rows_is_that_of_those_rows() -> None:
    position = np.array([4, -1, 7])
    origin = Origin(
        parents=("base",), parent=np.array([0, -1, 0]), position=position, changed={"label": ["a", None, 3]}
    )
    some = origin.take(np.array([2, 0]))
    assert some.frame(2).to_dict("list") == {"parent": [0, 0], "position": [7, 4], "changed.label": ["3", '"a"']}
