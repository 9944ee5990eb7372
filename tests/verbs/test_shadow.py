"""Shadow mode as a person uses it: a stream in, a sheet out, and the filled-in sheet back in a study."""

from __future__ import annotations

import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_digits, load_wine

import autodc
from autodc.errors import AutodcError
from autodc.verbs.shadow import option_values
from autodc.wire.inputs import read_inputs

DIGITS = load_digits()
MODEL = """
import numpy as np
from pathlib import Path

class Centroids:
    '''The class whose mean picture is nearest; nothing it knows was ever dark.'''

    def __init__(self):
        self.means = np.load(Path(__file__).with_name("means.npy"))

    def predict(self, x):
        away = ((np.asarray(x, float).reshape(len(x), 1, -1) - self.means) ** 2).sum(axis=2)
        return -away / 200
"""


def pictures(rows: np.ndarray[Any, Any], dark: float, seed: int) -> dict[str, np.ndarray[Any, Any]]:
    r = np.random.default_rng(seed)
    night = r.random(len(rows)) < dark
    x = DIGITS.images[rows].copy()
    x[night] = 12 - 0.5 * x[night]
    hour = np.where(night, r.integers(0, 5, len(rows)), r.integers(8, 18, len(rows)))
    return {"x": x, "y": DIGITS.target[rows], "hour": hour, "camera": r.choice(["a", "b"], len(rows))}


def write_study(folder: Path, data: dict[str, Any], **task: Any) -> Path:
    study = {
        "schema_version": 1,
        "name": "night",
        "seed": 3,
        "task": {"kind": "classification", "trainer": "sklearn", "options": {"estimator": "GaussianNB"}} | task,
        "data": data,
        "metrics": {"primary": "accuracy"},
        "slices": [{"name": "overall", "role": "target"}],
        "tracking": {"uri": "none"},
    }
    (folder / "study.yaml").write_text(json.dumps(study))
    return folder / "study.yaml"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("night")
    order = np.random.default_rng(0).permutation(len(DIGITS.target))
    base, validation, stream = order[:400], order[400:1000], order[1000:]
    np.savez(folder / "base.npz", **pictures(base, 0.0, 1))
    np.savez(folder / "validation.npz", **pictures(validation, 0.2, 2))
    rows = pictures(stream, 0.5, 3)
    np.save(folder / "truth.npy", rows.pop("y"))
    np.savez(folder / "stream.npz", **rows)
    flat = DIGITS.images[base].reshape(len(base), -1)
    np.save(folder / "means.npy", [flat[DIGITS.target[base] == k].mean(axis=0) for k in range(10)])
    (folder / "mine.py").write_text(MODEL)
    data = {"base": {"source": "base.npz"}, "validation": {"source": "validation.npz"}}
    write_study(folder, {**data, "explore_share": 0.5})
    return folder


@pytest.fixture(scope="module")
def mined(world: Path) -> dict[str, Any]:
    out = world / "mined"
    return autodc.shadow(
        autodc.load(world / "study.yaml"), "mine.py:Centroids", world / "stream.npz", out, pick=60
    ).to_dict()


def test_it_says_how_often_it_fails_what_moved_and_where_to_look(world: Path, mined: dict[str, Any]) -> None:
    rows, truth = np.load(world / "stream.npz"), np.load(world / "truth.npy")
    means = np.load(world / "means.npy")
    said = ((rows["x"].reshape(len(truth), 1, -1) - means) ** 2).sum(axis=2).argmin(axis=1)
    failed = said != truth
    assert mined["rows"] == len(truth)
    error = mined["error"]
    assert error["low"] <= failed.mean() <= error["high"]
    assert mined["drift"]["warned"]
    assert "hour" in mined["drift"]["attributes"]
    assert "camera" not in mined["drift"]["attributes"]
    picked = mined["picked"]
    assert len(picked) == len(set(picked)) == 60
    assert failed[picked].mean() > 1.5 * failed.mean()
    under = [one for one in mined["represents"] if one["attribute"] == "hour" and one["verb"] == "under-represents"]
    assert under[0]["factor"] > 1.5
    assert json.loads((world / "mined" / "shadow.json").read_text()) == json.loads(json.dumps(mined))


@pytest.mark.slow
def test_the_same_command_picks_the_same_rows(world: Path, mined: dict[str, Any], tmp_path: Path) -> None:
    spec = autodc.load(world / "study.yaml")
    again = autodc.shadow(spec, "mine.py:Centroids", world / "stream.npz", tmp_path / "again", pick=60).to_dict()
    assert again["picked"] == mined["picked"]
    assert [one["id"] for one in again["picks"]] == [one["id"] for one in mined["picks"]]


def test_the_sheet_that_is_filled_in_is_a_candidate_and_a_unit_test_set(world: Path, mined: dict[str, Any]) -> None:
    truth = np.load(world / "truth.npy")
    sheet = world / "mined" / mined["files"]["sheet"]
    table = pd.read_csv(sheet)
    assert table["target"].isna().all()
    assert table["shadow_row"].tolist() == mined["picked"]
    table["target"] = truth[table["shadow_row"]]
    table.to_csv(sheet, index=False)
    labelled = {"source": str(world / "mined" / mined["labelled"]["source"]), "options": mined["labelled"]["options"]}
    spec = autodc.load(world / "study.yaml", [f"data.candidates={json.dumps([{'name': 'production', **labelled}])}"])
    found = read_inputs(spec).catalogue.candidates["production"]
    rows = np.load(world / "stream.npz")
    np.testing.assert_array_equal(found.x, rows["x"][mined["picked"]])
    assert found.y is not None
    np.testing.assert_array_equal(found.y, truth[mined["picked"]])
    assert found.metadata["hour"].tolist() == rows["hour"][mined["picked"]].tolist()
    slices = [{"name": "overall", "role": "target"}, {"name": "night", "role": "guard", "margin": 0.05, **labelled}]
    tested = autodc.load(world / "study.yaml", [f"slices={json.dumps(slices)}"])
    assert len(read_inputs(tested).catalogue.slice_sets["night"]) == 60


def test_the_pool_says_where_each_row_is_from_and_the_page_shows_it(world: Path, mined: dict[str, Any]) -> None:
    pool = pd.read_parquet(world / "mined" / "pool.parquet")
    assert pool["shadow_row"].tolist() == mined["picked"]
    assert pool["shadow_file"].str.endswith("stream.npz").all()
    assert set(pool["shadow_why"]) == {"likely failure", "new condition"}
    page = (world / "mined" / "sheet.html").read_text()
    assert page.count('<img src="data:image/png') == 60
    assert all(one["id"] in page for one in mined["picks"])
    assert "<script" not in page
    corners = pd.read_csv(world / "mined" / "corner_cases.csv")
    assert set(corners["kind"]) <= {"sure and likely wrong", "far from the base", "beyond the known range"}


def table_study(folder: Path) -> tuple[Path, pd.DataFrame]:
    wine = load_wine(as_frame=True).frame.rename(columns={"target": "kind"})
    wine["kind"] = wine["kind"].map({0: "red", 1: "rose", 2: "white"})
    r = np.random.default_rng(0)
    rows = pd.concat([wine] * 6, ignore_index=True).iloc[r.permutation(6 * len(wine))].reset_index(drop=True)
    numbers = rows.columns[:13]
    rows[numbers] += r.normal(0, 0.1, (len(rows), 13)) * rows[numbers].std().to_numpy()
    rows["cellar"] = r.choice(["north", "007"], len(rows))
    rows.loc[r.random(len(rows)) < 0.1, "ash"] = np.nan
    rows.iloc[:200].to_csv(folder / "base.csv", index=False)
    rows.iloc[200:800].to_parquet(folder / "validation.parquet")
    options = {"target": "kind", "types": {"cellar": "category"}}
    data = {
        "base": {"source": "base.csv", "options": options},
        "validation": {"source": "validation.parquet", "options": {"target": "kind"}},
        "overlap": "allow",
        "explore_share": 0.5,
    }
    (folder / "mine.py").write_text(
        "import numpy as np\n"
        "class Guess:\n"
        "    def predict(self, x):\n"
        "        high = x.frame()['alcohol'].to_numpy() > 13\n"
        "        return np.stack([high * .8, (~high) * .7, np.full(len(x), .25)], axis=1)\n"
    )
    return write_study(folder, data), rows.iloc[800:].reset_index(drop=True)


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_a_table_comes_back_as_it_was(tmp_path: Path, ending: str) -> None:
    study, rows = table_study(tmp_path)
    unlabelled = rows.drop(columns="kind").assign(truck=np.arange(len(rows)) % 7)
    if ending == "jsonl":
        unlabelled.to_json(tmp_path / "s.jsonl", orient="records", lines=True)
    else:
        unlabelled.to_parquet(tmp_path / "s.parquet")
    found = autodc.shadow(
        autodc.load(study), "mine.py:Guess", tmp_path / f"s.{ending}", tmp_path / "out", pick=40
    ).to_dict()
    sheet = tmp_path / "out" / found["files"]["sheet"]
    table = pd.read_csv(sheet, dtype={"cellar": str})
    table["kind"] = rows["kind"].to_numpy()[found["picked"]]
    table.to_csv(sheet, index=False)
    given = {"name": "production", "source": str(sheet), "options": found["labelled"]["options"]}
    read = read_inputs(autodc.load(study, [f"data.candidates={json.dumps([given])}"])).catalogue.candidates[
        "production"
    ]
    want = rows.drop(columns="kind").iloc[found["picked"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(read.x.frame(), want, check_dtype=False)  # type: ignore[union-attr]
    assert read.metadata["truck"].tolist() == (np.array(found["picked"]) % 7).tolist()


def test_a_base_that_is_a_function_may_have_a_stream_that_is_a_file(tmp_path: Path) -> None:
    study, rows = table_study(tmp_path)
    (tmp_path / "mine_rows.py").write_text(
        "import pandas as pd\n"
        "def base():\n"
        f"    rows = pd.read_csv({str(tmp_path / 'base.csv')!r}, dtype={{'cellar': str}})\n"
        "    return rows.drop(columns='kind'), rows['kind']\n"
    )
    rows.drop(columns="kind").to_csv(tmp_path / "s.csv", index=False)
    spec = autodc.load(study, ['data.base={"source": "mine_rows.py:base"}'])
    found = autodc.shadow(spec, "mine.py:Guess", tmp_path / "s.csv", tmp_path / "out", pick=10).to_dict()
    assert found["rows"] == len(rows)
    assert "alcohol" not in found["columns_left_out"]
    assert len(found["picked"]) == 10


def test_pictures_that_are_files_are_copied_beside_the_sheet(tmp_path: Path) -> None:
    r = np.random.default_rng(0)
    for part, numbers in (("base", range(60)), ("validation", range(100, 240)), ("stream", range(300, 360))):
        for i in numbers:
            kind = "" if part == "stream" else str(DIGITS.target[i] % 2)
            path = tmp_path / part / kind / f"{i:04}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            picture = Image.fromarray((DIGITS.images[i] * 15).astype(np.uint8))
            picture.resize((int(r.integers(8, 20)), 16)).save(path)
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n"
        "from PIL import Image\n"
        "class Bright:\n"
        "    def predict(self, x):\n"
        "        light = np.array([np.asarray(Image.open(p)).mean() / 255 for p in x.texts()])\n"
        "        return np.stack([1 - light, light], axis=1)\n"
    )
    options = {"argv": ["python", "nothing.py", "{job}"]}
    (tmp_path / "nothing.py").write_text("")
    data = {"base": {"source": "base"}, "validation": {"source": "validation"}, "explore_share": 0.5}
    study = write_study(tmp_path, data, trainer="command", options=options)
    found = autodc.shadow(
        autodc.load(study), "mine.py:Bright", tmp_path / "stream", tmp_path / "out", pick=10
    ).to_dict()
    table = pd.read_csv(tmp_path / "out" / found["files"]["sheet"])
    for row in table.itertuples():
        copied = (tmp_path / "out" / "to_label" / row.path).read_bytes()  # type: ignore[operator]
        assert copied == (tmp_path / "stream" / row.source_path).read_bytes()  # type: ignore[operator]
    assert (tmp_path / "out" / "sheet.html").read_text().count("data:image/png") == 10


def bad(world: Path, tmp_path: Path, what: str) -> tuple[str, Path, dict[str, Any]]:
    rows = dict(np.load(world / "stream.npz"))
    stream, method, more = tmp_path / "s.npz", "mine.py:Centroids", {}
    if what == "other inputs":
        rows["x"] = rows["x"][:, :4]
    if what == "cut":
        np.savez(stream, **rows)
        stream.write_bytes(stream.read_bytes()[:20_000])
        return method, stream, more
    if what == "an earlier sheet":
        rows["shadow_id"] = np.arange(len(rows["x"]))
    if what == "empty":
        rows = {name: values[:0] for name, values in rows.items()}
    if what == "method":
        method = "mine.py:Nobody"
    if what == "no picks":
        more = {"pick": 0}
    np.savez(stream, **rows)
    return method, stream, more


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("other inputs", "ADC-DATA-020"),
        ("cut", "ADC-DATA-002"),
        ("an earlier sheet", "ADC-SHDW-006"),
        ("empty", "ADC-DATA-009"),
        ("method", "ADC-SHDW-010"),
        ("no picks", "ADC-SHDW-002"),
    ],
)
def test_what_cannot_be_mined_leaves_nothing_behind(world: Path, tmp_path: Path, what: str, code: str) -> None:
    method, stream, more = bad(world, tmp_path, what)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(AutodcError) as told:
        autodc.shadow(autodc.load(world / "study.yaml"), method, stream, tmp_path / "deep" / "out", **more)
    assert told.value.code == code
    assert told.value.exit_code == 2
    assert sorted(tmp_path.iterdir()) == before


def test_hours_in_which_nothing_comes_are_no_fault_of_a_stream_and_a_batch_may_lack_a_condition(
    world: Path, tmp_path: Path
) -> None:
    with np.load(world / "stream.npz") as file:
        rows = {name: file[name] for name in file.files}
    (tmp_path / "hours").mkdir()
    np.savez(tmp_path / "hours" / "00.npz", **{name: values[:0] for name, values in rows.items()})
    np.savez(tmp_path / "hours" / "01.npz", **{name: values[:300] for name, values in rows.items()})
    np.savez(tmp_path / "hours" / "02.npz", x=rows["x"][300:400], hour=rows["hour"][300:400])
    found = autodc.shadow(
        autodc.load(world / "study.yaml"), "mine.py:Centroids", tmp_path / "hours", tmp_path / "out", pick=5
    )
    assert found.content["rows"] == 400
    assert not found.content["notes"]


def test_a_folder_that_is_there_is_never_written_over(world: Path, mined: dict[str, Any]) -> None:
    with pytest.raises(AutodcError, match="ADC-SHDW-001"):
        autodc.shadow(autodc.load(world / "study.yaml"), "constant", world / "stream.npz", world / "mined")


def test_too_few_rows_of_validation_are_told(world: Path, tmp_path: Path) -> None:
    spec = autodc.load(world / "study.yaml", ["data.explore_share=0.05"])
    with pytest.raises(AutodcError, match="ADC-SHDW-003"):
        autodc.shadow(spec, "mine.py:Centroids", world / "stream.npz", tmp_path / "out")


def test_options_are_keys_and_values() -> None:
    assert option_values(["text=body", 'features=["x"]', "size=8"]) == {"text": "body", "features": ["x"], "size": 8}
    with pytest.raises(AutodcError, match="ADC-SHDW-005"):
        option_values(["body"])


def test_an_earlier_pool_is_no_stream_and_a_column_of_the_users_own_is(tmp_path: Path) -> None:
    study, rows = table_study(tmp_path)
    rows.drop(columns="kind").assign(shadow_length=1.5).to_parquet(tmp_path / "s.parquet")
    spec = autodc.load(study)
    autodc.shadow(spec, "mine.py:Guess", tmp_path / "s.parquet", tmp_path / "out", pick=40)
    for name in ("pool.parquet", "to_label.csv"):
        with pytest.raises(AutodcError) as told:
            autodc.shadow(spec, "mine.py:Guess", tmp_path / "out" / name, tmp_path / "again", pick=10)
        assert (told.value.code, told.value.exit_code) == ("ADC-SHDW-006", 2)
        assert "shadow_condition" in told.value.got or name == "to_label.csv"
        assert "shadow_length" not in told.value.got
    assert not (tmp_path / "again").exists()


def test_no_secret_of_an_address_is_in_any_file(tmp_path: Path) -> None:
    study, rows = table_study(tmp_path)
    rows.drop(columns="kind").to_csv(tmp_path / "s.csv", index=False)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        stream = f"http://me:pass9word@127.0.0.1:{server.server_port}/s.csv?X-Amz-Signature=abc123secret"
        found = autodc.shadow(autodc.load(study), "mine.py:Guess", stream, tmp_path / "out", pick=10).to_dict()
    finally:
        server.shutdown()
        server.server_close()
    assert found["stream"].endswith("/s.csv?X-Amz-Signature=***")
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file() and path.suffix != ".parquet"]
    text = json.dumps(found) + "".join(path.read_text() for path in files)
    text += pd.read_parquet(tmp_path / "out" / "pool.parquet").to_csv()
    assert "X-Amz-Signature=***" in text
    assert "pass9word" not in text
    assert "abc123secret" not in text
